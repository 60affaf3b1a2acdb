//! A certificate for HTTP/3, which is never without one. It is worth nothing outside the test that
//! made it.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

/// The host that it is for.
pub(super) const HOST: &str = "app.test";
/// The files, in the folder of the run.
pub(super) const CERTIFICATE: &str = "certificate.pem";
pub(super) const KEY: &str = "key.pem";

/// Makes one, signed by itself, with the machine's openssl.
pub(super) fn make(dir: &Path) -> io::Result<()> {
    let subject = format!("/CN={HOST}");
    let alternative = format!("subjectAltName=DNS:{HOST}");
    let mut openssl = Command::new("openssl");
    openssl
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
        .args(["-nodes", "-days", "2", "-subj", &subject, "-addext", &alternative])
        .args(["-keyout", KEY, "-out", CERTIFICATE])
        .current_dir(dir)
        .stdin(Stdio::null());
    let told = |error: &str| {
        io::Error::other(format!("no certificate for HTTP/3 (install openssl): {error}"))
    };
    let output = openssl.output().map_err(|error| told(&error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    Err(told(String::from_utf8_lossy(&output.stderr).trim()))
}

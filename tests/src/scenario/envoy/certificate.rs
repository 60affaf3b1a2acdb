//! A certificate for HTTP/3, which is never without one. Its key is here for everybody to read: it is
//! worth nothing outside these tests.

use std::fs;
use std::io;
use std::path::Path;

/// The host that it is for.
pub(super) const HOST: &str = "app.test";
/// The files, in the folder of the run.
pub(super) const CERTIFICATE: &str = "certificate.pem";
pub(super) const KEY: &str = "key.pem";

/// Puts it there.
pub(super) fn place(dir: &Path) -> io::Result<()> {
    fs::write(dir.join(CERTIFICATE), include_str!("certificate/certificate.pem"))?;
    fs::write(dir.join(KEY), include_str!("certificate/key.pem"))
}

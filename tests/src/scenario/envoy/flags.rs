//! An Envoy with flags that `sightline_cli::envoy::Options` does not have: a line of shell that
//! adds them.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::scenario::Scenario;

/// The executable for this scenario: the given one, or one in `dir` that adds flags to it.
pub(super) fn with(binary: &Path, scenario: &Scenario, dir: &Path) -> io::Result<PathBuf> {
    let Some(drain) = scenario.drain else { return Ok(binary.to_owned()) };
    let binary = binary.canonicalize()?;
    let flags = format!("--drain-time-s {} --drain-strategy immediate", drain.as_secs());
    let text = format!("#!/bin/sh\nexec {} \"$@\" {flags}\n", quoted(&binary));
    let file = dir.join("envoy.sh");
    write_executable(&file, &text)?;
    Ok(file)
}

/// Another process writes it: were it open in this one, a child that another thread starts could
/// have it open for a moment too, and a file that is open for writing cannot be executed.
fn write_executable(file: &Path, text: &str) -> io::Result<()> {
    let mut shell = Command::new("sh")
        .args(["-c", "cat >\"$0\" && chmod +x \"$0\""])
        .arg(file)
        .stdin(Stdio::piped())
        .spawn()?;
    if let Some(mut input) = shell.stdin.take() {
        input.write_all(text.as_bytes())?;
    }
    let status = shell.wait()?;
    let told = || io::Error::other(format!("{} could not be written: {status}", file.display()));
    status.success().then_some(()).ok_or_else(told)
}

fn quoted(path: &Path) -> String {
    format!("'{}'", path.to_string_lossy().replace('\'', r"'\''"))
}

//! The `sightline` command, as a person runs it: what goes where, and what it ends with.

mod check;
mod explain_suggest;
mod generate;
mod routes_import;
#[cfg(feature = "run")]
mod run;
mod whole;

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

/// The command with these arguments.
fn sightline(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sightline"));
    command.args(arguments);
    command
}

/// Runs it to its end with this on its stdin.
fn fed(command: &mut Command, stdin: impl AsRef<[u8]>) -> Output {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    // One that ends without reading it has closed it.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_ref());
    child.wait_with_output().unwrap()
}

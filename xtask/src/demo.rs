//! `cargo xtask demo`: sets up, and then is `sightline demo`.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;

use sightline_setup::envoy::Choice;
use sightline_setup::{Checkout, filter, python};

use crate::Outcome;

/// Becomes cargo, which becomes the command, so that Ctrl-C and the exit code are the command's.
pub(crate) fn run(arguments: Vec<OsString>) -> Outcome {
    let checkout = Checkout::find()?;
    let envoy = Choice::from_env()?;
    filter::build(&checkout)?;
    python::interpreter(&checkout)?;
    envoy.find(&checkout)?;
    let (name, value) = envoy.as_env();
    let mut cargo = checkout.cargo();
    cargo.args(["run", "--release", "--package", "sightline-cli"]);
    // The verb `run` brings a compiler for WebAssembly, which would take longer to compile than all else.
    cargo.args(["--no-default-features", "--", "demo"]);
    Err(cargo.args(arguments).env(name, value).exec().into())
}

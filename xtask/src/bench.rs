//! `cargo xtask bench`: the benches, with what they measured kept in `target/bench`.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;

use sightline_setup::{Checkout, filter};

use crate::Outcome;

/// Becomes cargo, so that Ctrl-C and the exit code are cargo's.
pub(crate) fn run(name: Option<OsString>) -> Outcome {
    let checkout = Checkout::find()?;
    filter::build(&checkout)?;
    let mut cargo = checkout.cargo();
    cargo.args(["bench", "--package", "sightline-benches", "--"]).args(name);
    cargo.env("CRITERION_HOME", checkout.target().join("bench"));
    Err(cargo.exec().into())
}

//! `cargo xtask lint`: every check that needs no running system. All run; failures are named last.

use std::process::{Command, ExitCode};

use sightline_setup::{Checkout, target};

use crate::Outcome;

/// Each check's name, and what cargo is told. Warnings are errors here and nowhere else, so that
/// they do not get in the way of half-written code.
const CHECKS: [(&str, &str); 6] = [
    ("formatting", "fmt --all --check"),
    ("formatting of the fuzz targets", "fmt --manifest-path fuzz/Cargo.toml --check"),
    ("clippy", "clippy --workspace --all-targets -- -D warnings"),
    (
        "clippy of the filter for its target",
        "clippy --package sightline-filter --target wasm32-wasip1 -- -D warnings",
    ),
    ("docs", "doc --workspace --no-deps"),
    ("tidy tests", "test --package sightline-tests --test tidy"),
];

pub(crate) fn run() -> Outcome {
    let checkout = Checkout::find()?;
    target::ensure(&checkout)?;
    let mut failed = Vec::new();
    for (name, arguments) in CHECKS {
        eprintln!("lint: {name}");
        let mut cargo: Command = checkout.cargo();
        cargo.args(arguments.split(' ')).env("RUSTDOCFLAGS", "-D warnings");
        if !cargo.status()?.success() {
            failed.push(name);
        }
    }
    if failed.is_empty() {
        println!("lint: all {} checks passed", CHECKS.len());
        return Ok(ExitCode::SUCCESS);
    }
    println!("lint: failed: {}", failed.join(", "));
    Ok(ExitCode::FAILURE)
}

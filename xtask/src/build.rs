//! `cargo xtask build`: the finished filter, and a few words about it.

use std::process::ExitCode;

use sightline_setup::Checkout;
use sightline_setup::filter::{self, surface};

use crate::Outcome;

pub(crate) fn run() -> Outcome {
    let built = filter::build(&Checkout::find()?)?;
    println!("{}", built.path.display());
    println!(
        "{} of at most {} KiB; {} KiB before unneeded names and exports were dropped",
        built.bytes.div_ceil(1024),
        surface::MOST_BYTES / 1024,
        built.bytes_before.div_ceil(1024),
    );
    if !built.dropped_exports.is_empty() {
        println!("dropped exports: {}", built.dropped_exports.join(", "));
    }
    Ok(ExitCode::SUCCESS)
}

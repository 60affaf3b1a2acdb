//! Builds the filter and hands it to the crate that embeds it. How it is built is for
//! `sightline-setup` to say.

use std::error::Error;
use std::path::Path;
use std::{env, fs, process};

use sha2::{Digest as _, Sha256};
use sightline_setup::{Checkout, filter};

fn main() {
    if let Err(error) = embed() {
        for line in error.to_string().lines() {
            println!("cargo::error={line}");
        }
        process::exit(1);
    }
}

fn embed() -> Result<(), Box<dyn Error>> {
    let checkout = Checkout::find()?;
    for input in ["plugin", "setup/src", "Cargo.toml", "Cargo.lock"] {
        println!("cargo::rerun-if-changed={}", checkout.root().join(input).display());
    }
    let built = filter::build(&checkout)?;
    // A copy, because the next build replaces that file, and this crate's bytes are of this one.
    let copy = Path::new(&env::var("OUT_DIR")?).join("sightline.wasm");
    fs::copy(&built.path, &copy)?;
    println!("cargo::rustc-env=SIGHTLINE_WASM={}", copy.display());
    println!("cargo::rustc-env=SIGHTLINE_VERSION={}", version(&fs::read(&copy)?));
    Ok(())
}

/// Which command this is, and which filter is in it: said here, so that nobody hashes it at each start.
fn version(filter: &[u8]) -> String {
    let hash = format!("{:x}", Sha256::digest(filter));
    let version = env!("CARGO_PKG_VERSION");
    format!("{version} (filter sha256:{}, {} bytes)", &hash[..12], filter.len())
}

//! The standard library that the filter is compiled against. Compiling the filter is `filter`'s.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::step::Step;
use crate::{Checkout, Error, run};

/// What the filter is compiled for: WASI gives it Rust's standard library, and Envoy offers the
/// few functions of it that the filter imports.
pub const NAME: &str = "wasm32-wasip1";

/// Makes sure that the compiler has the target, through rustup if need be.
pub fn ensure(checkout: &Checkout) -> Result<(), Error> {
    if is_there(checkout)? {
        return Ok(());
    }
    if rustup(checkout)? && is_there(checkout)? {
        return Ok(());
    }
    Err(Error::new(format!(
        "The Rust compiler has no standard library for {NAME}. Type: rustup target add {NAME} \
         (with a distribution's Rust, install its package for that target instead)."
    )))
}

/// Whether the folder that the compiler names for the target has a core library in it; the
/// compiler names the folder of every target it knows, there or not.
fn is_there(checkout: &Checkout) -> Result<bool, Error> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut ask = Command::new(rustc);
    ask.current_dir(checkout.root()).args(["--print", "target-libdir", "--target", NAME]);
    let said = run::ask(&mut ask)?;
    let folder = String::from_utf8_lossy(&said.stdout);
    Ok(said.status.success() && holds_core(Path::new(folder.trim())))
}

fn holds_core(folder: &Path) -> bool {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names = entries.map(|entry| entry.file_name());
    names.any(|name| {
        let name = name.to_string_lossy();
        name.starts_with("libcore-") && name.ends_with(".rlib")
    })
}

/// Whether rustup was there and did it.
fn rustup(checkout: &Checkout) -> Result<bool, Error> {
    let mut rustup = Command::new("rustup");
    if run::ask(rustup.arg("--version")).is_err() {
        return Ok(false);
    }
    let step = Step::begin(format!("adding the Rust target {NAME}"));
    let mut add = Command::new("rustup");
    add.current_dir(checkout.root()).args(["target", "add", NAME]);
    let said = run::listen(&mut add, |line| eprintln!("{line}"))?;
    step.done();
    Ok(said.status.success())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::tests::Scratch;

    #[test]
    fn a_target_counts_once_its_core_library_is_there() {
        let scratch = Scratch::new("target");
        let folder = scratch.checkout.root();
        assert!(!holds_core(&folder.join("lib")), "no folder");
        scratch.write("lib/libcore-0123.rmeta", "");
        assert!(!holds_core(&folder.join("lib")), "metadata alone");
        scratch.write("lib/libcore-0123.rlib", "");
        assert!(holds_core(&folder.join("lib")), "the library");
    }
}

//! The `sightline` command as people run it: compiled once, and started as a process. Without its verb `run`, which
//! brings a compiler that would have to be compiled.

use std::path::PathBuf;
use std::sync::OnceLock;

use serde_json::Value;
use sightline_setup::Checkout;

static COMMAND: OnceLock<PathBuf> = OnceLock::new();

/// Where the executable is. Cargo makes it if need be, before the first test that asks.
pub fn command() -> PathBuf {
    COMMAND.get_or_init(compile).clone()
}

/// Asks cargo, because nobody else knows where it puts things.
fn compile() -> PathBuf {
    let mut cargo = Checkout::find().unwrap().cargo();
    cargo.args(["build", "--quiet", "--message-format", "json"]);
    cargo.args(["--package", "sightline-cli", "--no-default-features"]);
    let built = cargo.output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let messages = String::from_utf8(built.stdout).unwrap();
    let executable = messages.lines().find_map(|message| {
        let message: Value = serde_json::from_str(message).unwrap();
        message["executable"].as_str().map(PathBuf::from)
    });
    executable.expect("the package has one executable")
}

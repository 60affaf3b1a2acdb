//! Checks that keep the house in order. Each fails with a sentence that says what to do.

mod access_log_doc;
mod docs;
mod metrics_doc;
mod module;
mod page;
mod rooms;
mod routes_doc;
mod schema;
mod traces_doc;

use std::path::{Path, PathBuf};
use std::process::Command;

use sightline_setup::Checkout;

/// Every file that git tracks or would track, relative to the root.
fn files() -> Vec<PathBuf> {
    let listed = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .expect("git, which this checkout came with");
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    let names = String::from_utf8(listed.stdout).expect("file names of this project are UTF-8");
    // A file that was removed and not yet committed is still listed.
    names
        .split_terminator('\0')
        .map(PathBuf::from)
        .filter(|file| root().join(file).exists())
        .collect()
}

fn rust_files() -> Vec<PathBuf> {
    files().into_iter().filter(|file| file.extension().is_some_and(|it| it == "rs")).collect()
}

fn text(file: impl AsRef<Path>) -> String {
    let file = root().join(file);
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// That a committed file is what the declarations of the configuration say. With `SIGHTLINE_ACCEPT` set it becomes so.
fn declared(file: &str, says: &str) {
    if std::env::var_os("SIGHTLINE_ACCEPT").is_some() {
        std::fs::write(root().join(file), says).unwrap();
    }
    assert!(
        text(file) == says,
        "{file} is not what plugin/core/src/config/ declares: run \
         `SIGHTLINE_ACCEPT=1 cargo test -p sightline-tests --test tidy` and commit it"
    );
}

fn root() -> PathBuf {
    Checkout::find().unwrap_or_else(|error| panic!("{error}")).root().to_owned()
}

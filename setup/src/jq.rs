//! Finds jq, for the tests that try what the documentation shows, or fetches it where there is none.

use std::env;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;

use crate::{Checkout, Error, debian, run};

const PROGRAM: &str = "jq";
/// What Debian's jq links to beside libc.
const NEEDED: [&str; 2] = ["libjq1", "libonig5"];
const VARIABLE: &str = "LD_LIBRARY_PATH";

/// Where jq is, and what it needs to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jq {
    folder: PathBuf,
    libraries: Option<PathBuf>,
}

impl Jq {
    /// Has this command find it as `jq`.
    pub fn offer_to<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        let paths = env::var_os("PATH").unwrap_or_default();
        let folders = [self.folder.clone()].into_iter().chain(env::split_paths(&paths));
        // Only names with a colon cannot be joined, and this one was taken apart at colons or is ours.
        command.env("PATH", env::join_paths(folders).unwrap_or(paths));
        match &self.libraries {
            Some(libraries) => command.env(VARIABLE, libraries),
            None => command,
        }
    }
}

/// That on the PATH, else that of Debian's package, fetched if need be.
pub fn find(checkout: &Checkout) -> Result<Jq, Error> {
    if let Some(found) = on_path(&env::var_os("PATH").unwrap_or_default()) {
        return Ok(found);
    }
    let fetched = debian::programs_with(checkout, PROGRAM, &NEEDED).and_then(|folder| {
        let libraries = debian::libraries(&folder);
        runs(Jq { folder, libraries })
    });
    fetched.map_err(|failed| {
        Error::new(format!(
            "There is no jq on the PATH, and none to be had: {failed} Install it; on Debian and Ubuntu: apt-get \
             install jq"
        ))
    })
}

fn on_path(folders: &OsStr) -> Option<Jq> {
    let folder = env::split_paths(folders).find(|folder| folder.join(PROGRAM).is_file())?;
    Some(Jq { folder, libraries: None })
}

fn runs(jq: Jq) -> Result<Jq, Error> {
    let mut ask = Command::new(jq.folder.join(PROGRAM));
    let said = run::ask(jq.offer_to(&mut ask).arg("--version"))?;
    if said.status.success() {
        return Ok(jq);
    }
    let why = String::from_utf8_lossy(&said.stderr);
    Err(Error::new(format!("{} does not run: {}.", jq.folder.display(), why.trim())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::tests::Scratch;

    #[test]
    fn the_first_on_the_path_is_taken() {
        let scratch = Scratch::new("jq-path");
        for file in ["b/jq", "c/jq"] {
            scratch.write(file, "");
        }
        let folder = |name: &str| scratch.checkout.root().join(name);
        let join = |names: &[&str]| env::join_paths(names.iter().map(|name| folder(name))).unwrap();
        assert_eq!(on_path(&join(&["a"])), None);
        let found = on_path(&join(&["a", "b", "c"])).unwrap();
        assert_eq!(found, Jq { folder: folder("b"), libraries: None });
    }

    #[test]
    fn one_that_does_not_run_is_told_with_its_reason() {
        let scratch = Scratch::new("jq-runs");
        let jq = Jq { folder: scratch.checkout.root().join("absent"), libraries: None };
        let refused = runs(jq).unwrap_err().to_string();
        assert!(refused.contains("was not found"), "{refused}");
    }
}

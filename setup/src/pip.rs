//! Runs pip and says what its failures mean. Which packages are wanted is for others to say.

use std::env::consts::{ARCH, OS};
use std::path::Path;
use std::process::Command;

use crate::{Error, run};

/// A Python command that nothing in the user's environment leads astray.
pub(crate) fn python(interpreter: &Path) -> Command {
    let mut python = Command::new(interpreter);
    // Isolated: without PYTHONPATH, PYTHONHOME and packages in the user's home.
    python.arg("-I");
    python
}

/// Runs pip with what `arguments` adds, to fetch `what`.
pub(crate) fn fetch(
    what: &str,
    interpreter: &Path,
    arguments: impl FnOnce(&mut Command) -> &mut Command,
) -> Result<(), Error> {
    let mut pip = python(interpreter);
    pip.args(["-m", "pip", "--disable-pip-version-check", "--no-input"]);
    let said = run::listen(arguments(&mut pip), |line| eprintln!("{line}"))?;
    if said.status.success() {
        return Ok(());
    }
    Err(Error::new(format!("pip could not fetch {what}: {}", meaning(&said.stderr))))
}

/// What pip's messages come down to, and what to do about it.
fn meaning(stderr: &str) -> String {
    const ADVICE: &str =
        "Check the network; where there is only a mirror, name it in PIP_INDEX_URL.";
    // pip says that it retries, and then that it found no version, where it reached nobody.
    if ["Retrying (", "ConnectionError", "name resolution"].iter().any(|sign| stderr.contains(sign))
    {
        return format!("the package index could not be reached. {ADVICE}");
    }
    match versions(stderr) {
        // Told not to retry, it does not say that it reached nobody.
        Some("none") => format!(
            "the package index could not be reached, or has nothing for this machine ({OS} on \
             {ARCH}). {ADVICE}"
        ),
        Some(others) => {
            format!("there is no such version for this machine ({OS} on {ARCH}), only {others}.")
        }
        None => "its messages above say why.".to_owned(),
    }
}

/// The versions that pip found instead of the wanted one.
fn versions(stderr: &str) -> Option<&str> {
    let (_, rest) = stderr.split_once("(from versions: ")?;
    rest.split_once(')').map(|(versions, _)| versions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_of_pip_is_explained() {
        let table = [
            (
                "no network",
                "WARNING: Retrying (Retry(total=4)) after connection broken by 'x'\n\
                 ERROR: Could not find a version that satisfies it (from versions: none)\n",
                "the package index could not be reached. Check",
            ),
            (
                "no such version",
                "ERROR: Could not find a version that satisfies it (from versions: 1.2, 1.3)\n",
                "there is no such version for this machine",
            ),
            (
                "nothing for this machine",
                "ERROR: Could not find a version that satisfies it (from versions: none)\n",
                "the package index could not be reached, or has nothing for this machine",
            ),
            ("a full disk", "ERROR: [Errno 28] No space left on device\n", "its messages above"),
        ];
        for (name, stderr, expected) in table {
            let meaning = meaning(stderr);
            assert!(meaning.starts_with(expected), "{name}: {meaning}");
        }
    }
}

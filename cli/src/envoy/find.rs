//! Which Envoy `up` and `demo` run: the one that was named, one on the `PATH`, or one that is fetched.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sightline_setup::envoy::{Choice, SUPPORTED};
use sightline_setup::{Checkout, Error};

use crate::program;

/// An Envoy to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its executable.
    pub path: PathBuf,
    /// What a person should know about the choice, in a sentence.
    pub note: Option<String>,
}

/// `SIGHTLINE_ENVOY` and `SIGHTLINE_ENVOY_VERSION` count for most, then an `envoy` on the `PATH` whose version
/// is supported. Else the newest is fetched, if it is not there yet, into the checkout or the user's cache.
pub fn find() -> Result<Found, Error> {
    let on_path = |note| match program::find(Path::new("envoy")) {
        Some(path) => on_path(path, note),
        None => None,
    };
    let mut note = None;
    let path = match Choice::said()? {
        Some(Choice::Path(path)) => path,
        Some(version) => version.find(&Checkout::find_or_cache()?)?,
        None => match on_path(&mut note) {
            Some(path) => path,
            None => Choice::NEWEST.find(&Checkout::find_or_cache()?)?,
        },
    };
    Ok(Found { path, note })
}

/// This one, or why it is not it.
fn on_path(path: PathBuf, note: &mut Option<String>) -> Option<PathBuf> {
    let version = version(&path);
    if version.as_deref().is_some_and(is_supported) {
        return Some(path);
    }
    let newest = SUPPORTED[SUPPORTED.len() - 1];
    let is =
        version.map_or("of no version that it would tell".to_owned(), |it| format!("Envoy {it}"));
    *note = Some(format!(
        "The envoy on the PATH, {}, is {is}; Envoy {newest} is used, for 1.36 to 1.40 are supported. \
         SIGHTLINE_ENVOY names another.",
        path.display()
    ));
    None
}

fn version(envoy: &Path) -> Option<String> {
    let mut ask = Command::new(envoy);
    let said = ask.arg("--version").stdin(Stdio::null()).output().ok()?;
    told_version(&String::from_utf8_lossy(&said.stdout))
}

/// The version in `envoy  version: COMMIT/1.40.0/Clean/RELEASE/BoringSSL`.
fn told_version(said: &str) -> Option<String> {
    let (_, after) = said.split_once("version: ")?;
    let version = after.split('/').nth(1)?;
    let is_one = version.starts_with(|first: char| first.is_ascii_digit()) && version.len() < 20;
    is_one.then(|| version.to_owned())
}

/// Whether its series is one that the filter is tested on.
fn is_supported(version: &str) -> bool {
    let series = |version: &str| {
        let mut parts = version.split('.').map(str::to_owned);
        Some((parts.next()?, parts.next()?))
    };
    SUPPORTED.iter().any(|known| series(known) == series(version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_from_what_envoy_says() {
        for (said, expected) in [
            (
                "\n/usr/bin/envoy  version: bad8280de8/1.36.4/Clean/RELEASE/BoringSSL\n\n",
                Some("1.36.4"),
            ),
            ("envoy  version: abc/1.41.0-dev/Clean/RELEASE/BoringSSL", Some("1.41.0-dev")),
            ("envoy version: 1.40.0", None),
            ("envoy  version: a/b/c", None),
            ("", None),
        ] {
            assert_eq!(told_version(said).as_deref(), expected, "{said}");
        }
    }

    #[test]
    fn only_series_that_are_tested_are_supported() {
        for (version, expected) in [
            ("1.36.4", true),
            ("1.40.7", true),
            ("1.35.9", false),
            ("1.41.0-dev", false),
            ("1.4.0", false),
            ("1", false),
        ] {
            assert_eq!(is_supported(version), expected, "{version}");
        }
    }

    #[test]
    fn one_that_is_not_supported_is_passed_over_with_a_word() {
        let mut note = None;
        // It says nothing that could be a version.
        assert_eq!(on_path("/bin/true".into(), &mut note), None);
        let note = note.unwrap();
        assert!(note.contains("/bin/true") && note.contains("SIGHTLINE_ENVOY"), "{note}");
    }
}

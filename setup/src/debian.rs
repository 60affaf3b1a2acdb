//! Fetches programs from Debian's packages into `target/debian`. Nothing is installed, so it needs no
//! root, and what the machine has installed stays as it is.
//!
//! What a package depends on is not fetched, so this suits programs that link to little more than libc, and
//! those whose few libraries are named with them.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::lock::Lock;
use crate::step::Step;
use crate::{Checkout, Error, disk, run};

/// The folder with the programs of a package, fetched if it is not there yet.
pub(crate) fn programs(checkout: &Checkout, package: &str) -> Result<PathBuf, Error> {
    programs_with(checkout, package, &[])
}

/// The same where the programs need libraries from these packages: [`libraries`] finds them.
pub(crate) fn programs_with(
    checkout: &Checkout,
    package: &str,
    needed: &[&str],
) -> Result<PathBuf, Error> {
    let home = checkout.target().join("debian").join(package);
    let programs = home.join("usr/bin");
    if !programs.is_dir() {
        let _lock = Lock::take(checkout, "debian")?;
        if !programs.is_dir() {
            fetch(package, needed, &home)?;
        }
    }
    Ok(programs)
}

/// The folder with the libraries that came with these programs, if any: it is named after the machine's kind.
pub(crate) fn libraries(programs: &Path) -> Option<PathBuf> {
    let folders = fs::read_dir(programs.parent()?.join("lib")).ok()?;
    folders.filter_map(Result::ok).map(|folder| folder.path()).find(|path| path.is_dir())
}

/// Unpacks it aside and moves it to its home in one step, so that one that is there is whole.
fn fetch(package: &str, needed: &[&str], home: &Path) -> Result<(), Error> {
    let step = Step::begin(format!("fetching {package} from Debian's packages"));
    let aside = home.with_added_extension("part");
    // Runs that were killed left these.
    disk::delete(&aside)?;
    disk::delete(home)?;
    let packages = [&[package], needed].concat();
    let fetched = unpacked(&packages, &aside).and_then(|tree| {
        fs::rename(&tree, home).map_err(|cause| Error::at("create", home, &cause))
    });
    disk::delete(&aside)?;
    fetched?;
    step.done();
    Ok(())
}

/// All in one tree, as they would be installed.
fn unpacked(packages: &[&str], aside: &Path) -> Result<PathBuf, Error> {
    let (files, tree) = (download(packages, aside)?, aside.join("tree"));
    for file in files {
        let mut unpack = Command::new("dpkg-deb");
        let said = run::listen(unpack.arg("--extract").arg(&file).arg(&tree), repeat)?;
        if !said.status.success() {
            return Err(Error::new(format!(
                "{} cannot be unpacked. See that the disk is not full.",
                file.display()
            )));
        }
    }
    if tree.join("usr/bin").is_dir() {
        return Ok(tree);
    }
    Err(Error::new(format!("There are no programs in the packages {}.", packages.join(", "))))
}

/// With the lists of packages that the machine has. A fresh one has none and an old one may have old
/// ones; then with lists of our own, since those of the machine are for root to bring up to date.
fn download(packages: &[&str], aside: &Path) -> Result<Vec<PathBuf>, Error> {
    let (folder, lists) = (aside.join("package"), aside.join("lists"));
    for folder in [&folder, &lists.join("partial")] {
        fs::create_dir_all(folder).map_err(|cause| Error::at("create", folder, &cause))?;
    }
    let download: Vec<&OsStr> = ["download"].iter().chain(packages).map(OsStr::new).collect();
    if !apt(&folder, None, &download, |_| ())? {
        apt(&folder, Some(&lists), &[OsStr::new("update")], repeat)?;
        if !apt(&folder, Some(&lists), &download, repeat)? {
            return Err(Error::new(format!(
                "apt-get could not fetch the packages {}; its messages above say why. Check the \
                 network and the sources of packages.",
                packages.join(", ")
            )));
        }
    }
    let files = fs::read_dir(&folder).map_err(|cause| Error::at("read", &folder, &cause))?;
    let files: Vec<_> = files.filter_map(Result::ok).map(|file| file.path()).collect();
    if files.len() == packages.len() {
        return Ok(files);
    }
    Err(Error::new(format!("apt-get did not fetch all files into {}.", folder.display())))
}

/// Whether apt-get did what it was told in this folder.
fn apt(
    folder: &Path,
    lists: Option<&Path>,
    arguments: &[&OsStr],
    hears: impl FnMut(&str),
) -> Result<bool, Error> {
    let mut apt = Command::new("apt-get");
    // Root would have it done by a user who may not write here.
    apt.current_dir(folder).args(["--quiet", "-o", "APT::Sandbox::User=root"]);
    if let Some(lists) = lists {
        apt.arg("-o").arg(format!("Dir::State::lists={}", lists.display()));
        apt.arg("-o").arg(format!("Dir::Cache={}", lists.display()));
    }
    Ok(run::listen(apt.args(arguments), hears)?.status.success())
}

fn repeat(line: &str) {
    eprintln!("{line}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::tests::Scratch;

    #[test]
    fn a_package_that_is_there_is_not_fetched_again() {
        let scratch = Scratch::new("debian");
        let program = scratch.write("target/debian/no-such-package/usr/bin/tool", "");
        let programs = programs(&scratch.checkout, "no-such-package").unwrap();
        assert_eq!(programs.join("tool"), program);
        assert_eq!(libraries(&programs), None);
        let library = scratch.write("target/debian/no-such-package/usr/lib/any-linux-gnu/a.so", "");
        assert_eq!(libraries(&programs).as_deref(), library.parent());
    }
}

//! Fetches programs from Debian's packages into `target/debian`. Nothing is installed, so it needs no
//! root, and what the machine has installed stays as it is.
//!
//! This suits programs that link to little more than libc: what a package depends on is not fetched.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::lock::Lock;
use crate::step::Step;
use crate::{Checkout, Error, disk, run};

/// The folder with the programs of a package, fetched if it is not there yet.
pub(crate) fn programs(checkout: &Checkout, package: &str) -> Result<PathBuf, Error> {
    let home = checkout.target().join("debian").join(package);
    let programs = home.join("usr/bin");
    if !programs.is_dir() {
        let _lock = Lock::take(checkout, "debian")?;
        if !programs.is_dir() {
            fetch(package, &home)?;
        }
    }
    Ok(programs)
}

/// Unpacks it aside and moves it to its home in one step, so that one that is there is whole.
fn fetch(package: &str, home: &Path) -> Result<(), Error> {
    let step = Step::begin(format!("fetching {package} from Debian's packages"));
    let aside = home.with_added_extension("part");
    // Runs that were killed left these.
    disk::delete(&aside)?;
    disk::delete(home)?;
    let fetched = unpacked(package, &aside).and_then(|tree| {
        fs::rename(&tree, home).map_err(|cause| Error::at("create", home, &cause))
    });
    disk::delete(&aside)?;
    fetched?;
    step.done();
    Ok(())
}

fn unpacked(package: &str, aside: &Path) -> Result<PathBuf, Error> {
    let (file, tree) = (download(package, aside)?, aside.join("tree"));
    let mut unpack = Command::new("dpkg-deb");
    let said = run::listen(unpack.arg("--extract").arg(&file).arg(&tree), repeat)?;
    if said.status.success() && tree.join("usr/bin").is_dir() {
        return Ok(tree);
    }
    Err(Error::new(format!(
        "There are no programs in {} that can be unpacked. See that the disk is not full.",
        file.display()
    )))
}

/// With the lists of packages that the machine has. A fresh one has none and an old one may have old
/// ones; then with lists of our own, since those of the machine are for root to bring up to date.
fn download(package: &str, aside: &Path) -> Result<PathBuf, Error> {
    let (folder, lists) = (aside.join("package"), aside.join("lists"));
    for folder in [&folder, &lists.join("partial")] {
        fs::create_dir_all(folder).map_err(|cause| Error::at("create", folder, &cause))?;
    }
    let download = [OsStr::new("download"), OsStr::new(package)];
    if !apt(&folder, None, &download, |_| ())? {
        apt(&folder, Some(&lists), &[OsStr::new("update")], repeat)?;
        if !apt(&folder, Some(&lists), &download, repeat)? {
            return Err(Error::new(format!(
                "apt-get could not fetch the package {package}; its messages above say why. Check \
                 the network and the sources of packages."
            )));
        }
    }
    let mut files = fs::read_dir(&folder).map_err(|cause| Error::at("read", &folder, &cause))?;
    let file = files.next().and_then(Result::ok).map(|file| file.path());
    file.ok_or_else(|| Error::new(format!("apt-get fetched no file into {}.", folder.display())))
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
    }
}

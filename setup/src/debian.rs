//! Fetches programs from Debian's packages into `target/debian`. Nothing is installed, so it needs no
//! root, and what the machine has installed stays as it is.
//!
//! What a package depends on is fetched only for [`tree_with_all`], which asks apt-get what it would install. For
//! programs that link to little more than libc, and those whose few libraries are named with them, that is too much.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::lock::Lock;
use crate::step::Step;
use crate::{Checkout, Error, disk, run};

/// What is to be fetched together.
struct Wanted<'p> {
    packages: &'p [&'p str],
    /// Also all that apt-get would install with them.
    with_all: bool,
}

/// apt-get in the folder that takes the packages, with lists of our own if there are some.
struct Apt<'p> {
    folder: &'p Path,
    lists: Option<&'p Path>,
}

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
    let packages = [&[package], needed].concat();
    Ok(tree(checkout, &Wanted { packages: &packages, with_all: false })?.join("usr/bin"))
}

/// The folder with everything from these packages, and from all that apt-get would install with them on this machine.
/// It is named after the first.
pub(crate) fn tree_with_all(checkout: &Checkout, packages: &[&str]) -> Result<PathBuf, Error> {
    tree(checkout, &Wanted { packages, with_all: true })
}

/// The folder with the libraries that came with these programs, if any: it is named after the machine's kind.
pub(crate) fn libraries(programs: &Path) -> Option<PathBuf> {
    let folders = fs::read_dir(programs.parent()?.join("lib")).ok()?;
    folders.filter_map(Result::ok).map(|folder| folder.path()).find(|path| path.is_dir())
}

fn tree(checkout: &Checkout, wanted: &Wanted<'_>) -> Result<PathBuf, Error> {
    let home = checkout.target().join("debian").join(wanted.name());
    let is_there = || home.join("usr/bin").is_dir();
    if !is_there() {
        let _lock = Lock::take(checkout, "debian")?;
        if !is_there() {
            fetch(wanted, &home)?;
        }
    }
    Ok(home)
}

/// Unpacks it aside and moves it to its home in one step, so that one that is there is whole.
fn fetch(wanted: &Wanted<'_>, home: &Path) -> Result<(), Error> {
    let step = Step::begin(format!("fetching {} from Debian's packages", wanted.name()));
    let aside = home.with_added_extension("part");
    // Runs that were killed left these.
    disk::delete(&aside)?;
    disk::delete(home)?;
    let fetched = unpacked(wanted, &aside).and_then(|tree| {
        fs::rename(&tree, home).map_err(|cause| Error::at("create", home, &cause))
    });
    disk::delete(&aside)?;
    fetched?;
    step.done();
    Ok(())
}

/// All in one tree, as they would be installed.
fn unpacked(wanted: &Wanted<'_>, aside: &Path) -> Result<PathBuf, Error> {
    let (files, tree) = (download(wanted, aside)?, aside.join("tree"));
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
    Err(Error::new(format!(
        "There are no programs in the packages {}.",
        wanted.packages.join(", ")
    )))
}

/// With the lists of packages that the machine has. A fresh one has none and an old one may have old
/// ones; then with lists of our own, since those of the machine are for root to bring up to date.
fn download(wanted: &Wanted<'_>, aside: &Path) -> Result<Vec<PathBuf>, Error> {
    let (folder, lists) = (aside.join("package"), aside.join("lists"));
    for folder in [&folder, &lists.join("partial")] {
        fs::create_dir_all(folder).map_err(|cause| Error::at("create", folder, &cause))?;
    }
    let known = Apt { folder: &folder, lists: None };
    if let Some(files) = known.download(wanted, |_| ())? {
        return Ok(files);
    }
    let fresh = Apt { folder: &folder, lists: Some(&lists) };
    fresh.run(&["update"], repeat)?;
    fresh.download(wanted, repeat)?.ok_or_else(|| {
        Error::new(format!(
            "apt-get could not fetch the packages {}; its messages above say why. Check the network and the \
             sources of packages.",
            wanted.packages.join(", ")
        ))
    })
}

impl Wanted<'_> {
    fn name(&self) -> &str {
        self.packages.first().copied().unwrap_or_default()
    }
}

impl Apt<'_> {
    /// The files of the packages; none if apt-get could not fetch them all.
    fn download(
        &self,
        wanted: &Wanted<'_>,
        hears: impl FnMut(&str),
    ) -> Result<Option<Vec<PathBuf>>, Error> {
        let mut packages: Vec<String> =
            wanted.packages.iter().copied().map(str::to_owned).collect();
        if wanted.with_all {
            let Some(needed) = self.needed_by(wanted.packages)? else { return Ok(None) };
            packages.extend(needed);
            packages.sort_unstable();
            packages.dedup();
        }
        let arguments: Vec<_> =
            ["download"].into_iter().chain(packages.iter().map(String::as_str)).collect();
        if !self.run(&arguments, hears)? {
            return Ok(None);
        }
        let files = fs::read_dir(self.folder);
        let files = files.map_err(|cause| Error::at("read", self.folder, &cause))?;
        let files: Vec<_> = files.filter_map(Result::ok).map(|file| file.path()).collect();
        Ok((files.len() == packages.len()).then_some(files))
    }

    /// The packages that apt-get would install with these, as far as the machine does not have them; none if it cannot.
    fn needed_by(&self, packages: &[&str]) -> Result<Option<Vec<String>>, Error> {
        let mut apt = self.command();
        apt.args(["--quiet=2", "--print-uris", "--no-install-recommends", "install"]);
        let said = run::ask(apt.args(packages))?;
        let told = String::from_utf8_lossy(&said.stdout);
        Ok(said.status.success().then(|| told.lines().filter_map(package_of).collect()))
    }

    /// Whether apt-get did what it was told.
    fn run(&self, arguments: &[&str], hears: impl FnMut(&str)) -> Result<bool, Error> {
        Ok(run::listen(self.command().args(arguments), hears)?.status.success())
    }

    fn command(&self) -> Command {
        let mut apt = Command::new("apt-get");
        // Root would have it done by a user who may not write here.
        apt.current_dir(self.folder).args(["--quiet", "-o", "APT::Sandbox::User=root"]);
        if let Some(lists) = self.lists {
            apt.arg("-o").arg(format!("Dir::State::lists={}", lists.display()));
            apt.arg("-o").arg(format!("Dir::Cache={}", lists.display()));
        }
        apt
    }
}

/// From a line such as `'http://…/jq_1.6-2.1_amd64.deb' jq_1.6-2.1_amd64.deb 64900 SHA256:…`.
fn package_of(line: &str) -> Option<String> {
    let file = line.split(' ').nth(1).filter(|_| line.starts_with('\''))?;
    Some(file.split_once('_')?.0.to_owned())
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

    #[test]
    fn what_apt_get_would_fetch_is_read_from_its_list() {
        for (line, package) in [
            ("'http://h/p/jq_1.6-2.1_amd64.deb' jq_1.6-2.1_amd64.deb 64900 SHA256:ab", Some("jq")),
            ("'http://h/lib%2b%2b_1%3a2_all.deb' lib++_1%3a2_all.deb 1 MD5Sum:ab", Some("lib++")),
            ("Reading package lists...", None),
            ("NOTE: a_b is not available", None),
            ("'http://h/x' none", None),
            ("", None),
        ] {
            assert_eq!(package_of(line).as_deref(), package, "{line}");
        }
    }
}

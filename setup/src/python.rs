//! A virtual environment under `target/python` with what the Python apps need.
//!
//! A virtual environment cannot be built aside and moved, for its scripts name its place. So it is
//! built in place and counts only once its stamp is there, which is written last. What has no stamp
//! or another one was left by a run that ended early, or by another checkout, or is for other
//! requirements: it is deleted and built anew.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::lock::Lock;
use crate::step::Step;
use crate::{Checkout, Error, disk, pip, run};

/// Below the checkout's root; a virtual environment holds all of these or none.
const REQUIREMENTS: &str = "cli/apps/requirements.txt";

/// The environment's Python, with the apps' requirements installed.
pub fn interpreter(checkout: &Checkout) -> Result<PathBuf, Error> {
    let venv = Venv::of(checkout);
    let path = checkout.root().join(REQUIREMENTS);
    let wanted = fs::read_to_string(&path).map_err(|cause| Error::at("read", &path, &cause))?;
    if !venv.holds(&wanted) {
        let _lock = lock(checkout)?;
        if !venv.holds(&wanted) {
            venv.install(&path, &wanted)?;
        }
    }
    Ok(venv.python())
}

/// The environment's Python, which has pip, whatever else is installed; asks for the lock so that
/// nobody builds it anew while it is in use.
pub(crate) fn with_pip(checkout: &Checkout, _held: &Lock) -> Result<PathBuf, Error> {
    let venv = Venv::of(checkout);
    if venv.holding().is_none() {
        venv.create()?;
    }
    Ok(venv.python())
}

/// The lock of all that uses the environment while it may change.
pub(crate) fn lock(checkout: &Checkout) -> Result<Lock, Error> {
    Lock::take(checkout, "python")
}

struct Venv {
    root: PathBuf,
}

impl Venv {
    fn of(checkout: &Checkout) -> Self {
        Self { root: checkout.target().join("python") }
    }

    fn python(&self) -> PathBuf {
        self.root.join("bin/python")
    }

    fn stamp(&self) -> PathBuf {
        self.root.join("sightline.stamp")
    }

    fn holds(&self, requirements: &str) -> bool {
        self.holding().is_some_and(|held| held == requirements)
    }

    /// The requirements that it holds, empty for a bare one; none if it is not whole, not at its
    /// place, or its base has been removed or replaced under it, so that it finds no package.
    fn holding(&self) -> Option<String> {
        let stamp = fs::read_to_string(self.stamp()).ok()?;
        let (place, requirements) = stamp.split_once('\n')?;
        if place != self.root.to_string_lossy() {
            return None;
        }
        let works = run::ask(pip::python(&self.python()).args(["-c", "import pip"])).ok()?;
        works.status.success().then(|| requirements.to_owned())
    }

    fn create(&self) -> Result<(), Error> {
        let base = base()?;
        let step = Step::begin(format!("creating a Python environment in {}", self.root.display()));
        disk::delete(&self.root)?;
        let mut create = pip::python(&base);
        let said = run::listen(create.args(["-m", "venv"]).arg(&self.root), |line| {
            eprintln!("{line}");
        })?;
        if !said.status.success() {
            let status = said.status;
            return Err(Error::new(format!(
                "python3 could not create a virtual environment ({status}). \
                 Its messages above say why."
            )));
        }
        self.mark("")?;
        step.done();
        Ok(())
    }

    /// Takes the stamp away while pip is at work, so that half of its work never counts.
    fn install(&self, file: &Path, requirements: &str) -> Result<(), Error> {
        if !self.holds("") {
            self.create()?;
        }
        let step = Step::begin(format!("installing {REQUIREMENTS}"));
        let stamp = self.stamp();
        fs::remove_file(&stamp).map_err(|cause| Error::at("delete", &stamp, &cause))?;
        pip::fetch("the packages of the Python apps", &self.python(), |pip| {
            pip.args(["install", "--only-binary", ":all:", "--requirement"]).arg(file)
        })?;
        self.mark(requirements)?;
        step.done();
        Ok(())
    }

    fn mark(&self, requirements: &str) -> Result<(), Error> {
        let (stamp, place) = (self.stamp(), self.root.display());
        let written = fs::write(&stamp, format!("{place}\n{requirements}"));
        written.map_err(|cause| Error::at("write", &stamp, &cause))
    }
}

/// The machine's own Python, once it is known to be new enough and able to make environments.
fn base() -> Result<PathBuf, Error> {
    let program = PathBuf::from("python3");
    let probe = "import sys; print('%d.%d' % sys.version_info[:2]); \
                 sys.version_info < (3, 9) and sys.exit(9); import venv, ensurepip";
    let missing = "Install Python 3.9 or later with venv; \
                   on Debian and Ubuntu: apt-get install python3-venv";
    let answer = run::ask(Command::new(&program).args(["-I", "-c", probe])).map_err(|_| {
        Error::new(format!("There is no python3 on the PATH that can be run. {missing}"))
    })?;
    let version = String::from_utf8_lossy(&answer.stdout);
    let version = version.trim();
    match answer.status.code() {
        Some(0) => Ok(program),
        Some(9) => Err(Error::new(format!("python3 is Python {version}. {missing}"))),
        _ => Err(Error::new(format!("python3 ({version}) has no venv module. {missing}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::tests::Scratch;

    /// No package in it, so that nothing is fetched; the text still tells one from another.
    fn require(scratch: &Scratch, text: &str) -> String {
        let text = format!("# {text}\n");
        scratch.write(REQUIREMENTS, &text);
        text
    }

    #[test]
    fn an_environment_is_reused_until_it_no_longer_fits() {
        let scratch = Scratch::new("python");
        let venv = Venv::of(&scratch.checkout);
        let wanted = require(&scratch, "first");
        interpreter(&scratch.checkout).unwrap();
        let stamp = fs::read_to_string(venv.stamp()).unwrap();

        let moved = format!("/elsewhere\n{wanted}");
        let rows = [
            ("as it was built", Some(stamp.clone()), "bin/python", true),
            ("killed before the stamp", None, "bin/python", false),
            ("moved here", Some(moved), "bin/python", false),
            ("only just created", Some(stamp.replace(&wanted, "")), "bin/python", false),
            ("its base is gone", Some(stamp), "bin/away", false),
        ];
        for (name, stamp, python, fits) in rows {
            let _ = fs::remove_file(venv.stamp());
            if let Some(stamp) = stamp {
                fs::write(venv.stamp(), stamp).unwrap();
            }
            fs::rename(venv.python(), venv.root.join(python)).unwrap();
            assert_eq!(venv.holds(&wanted), fits, "{name}");
            fs::rename(venv.root.join(python), venv.python()).unwrap();
        }
    }

    #[test]
    fn one_that_no_longer_fits_is_built_anew() {
        let scratch = Scratch::new("python-anew");
        let left_over = scratch.write("target/python/left-over", "");
        require(&scratch, "of another kind");
        let python = interpreter(&scratch.checkout).unwrap();
        assert!(!left_over.exists());
        assert!(run::ask(pip::python(&python).arg("-V")).unwrap().status.success());
    }

    #[test]
    fn missing_requirements_are_named() {
        let scratch = Scratch::new("requirements");
        let failed = interpreter(&scratch.checkout).unwrap_err().to_string();
        assert!(failed.contains("cli/apps/requirements.txt"), "{failed}");
    }
}

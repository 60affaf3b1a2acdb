//! Finds a Prometheus and its promtool for the tests, and fetches them where there are none. Running
//! them is for others.

use std::env;
use std::ffi::OsStr;
use std::path::{self, Path, PathBuf};
use std::process::Command;

use crate::{Checkout, Error, debian, run};

const VARIABLE: &str = "SIGHTLINE_PROMETHEUS";
const SERVER: &str = "prometheus";
const PROMTOOL: &str = "promtool";
const ADVICE: &str = "Install Prometheus with its promtool (on Debian and Ubuntu: apt-get install \
                      prometheus), or set SIGHTLINE_PROMETHEUS to the path of one.";

/// Where the two programs are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prometheus {
    /// The server, which scrapes and answers queries.
    pub server: PathBuf,
    /// The tool that checks what is to be scraped.
    pub promtool: PathBuf,
}

/// `SIGHTLINE_PROMETHEUS`, a path to the server with promtool beside it, wins; then what is on the
/// PATH; else they are fetched from Debian's package, if need be.
pub fn find(checkout: &Checkout) -> Result<Prometheus, Error> {
    if let Some(server) = env::var_os(VARIABLE).filter(|value| !value.is_empty()) {
        return own(Path::new(&server));
    }
    let folders = env::var_os("PATH").unwrap_or_default();
    if let Some(found) = on_path(&folders) {
        return Ok(found);
    }
    let folder = debian::programs(checkout, SERVER).map_err(|failed| {
        Error::new(format!(
            "There is no {SERVER} on the PATH, and none to be had: {failed} {ADVICE}"
        ))
    })?;
    let fetched = within(&folder).ok_or_else(|| missing(&folder))?;
    runs(&fetched.server)?;
    Ok(fetched)
}

/// The path made absolute, for whoever runs it may do so in another folder.
fn own(server: &Path) -> Result<Prometheus, Error> {
    let server = path::absolute(server).map_err(|cause| Error::at("find", server, &cause))?;
    let promtool = server.with_file_name(PROMTOOL);
    let absent = [&server, &promtool].into_iter().find(|program| !program.is_file());
    let Some(absent) = absent else { return Ok(Prometheus { server, promtool }) };
    Err(Error::new(format!(
        "{VARIABLE} is {}, but there is no file {}. Set it to the path of a Prometheus with its promtool \
         beside it, or unset it to have one found or fetched.",
        server.display(),
        absent.display()
    )))
}

fn on_path(folders: &OsStr) -> Option<Prometheus> {
    env::split_paths(folders).find_map(|folder| within(&folder))
}

fn within(folder: &Path) -> Option<Prometheus> {
    let found = Prometheus { server: folder.join(SERVER), promtool: folder.join(PROMTOOL) };
    (found.server.is_file() && found.promtool.is_file()).then_some(found)
}

/// One that was fetched lacks what it links to if that is not on the machine.
fn runs(server: &Path) -> Result<(), Error> {
    let said = run::ask(Command::new(server).arg("--version"))?;
    if said.status.success() {
        return Ok(());
    }
    let why = String::from_utf8_lossy(&said.stderr);
    Err(Error::new(format!("{} does not run: {}. {ADVICE}", server.display(), why.trim())))
}

fn missing(folder: &Path) -> Error {
    let folder = folder.display();
    Error::new(format!("The package had no {SERVER} and {PROMTOOL} for {folder}. {ADVICE}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::tests::Scratch;

    #[test]
    fn both_programs_are_taken_from_the_first_folder_that_has_both() {
        let scratch = Scratch::new("prometheus-path");
        for file in ["a/prometheus", "b/promtool", "c/prometheus", "c/promtool"] {
            scratch.write(file, "");
        }
        let folder = |name: &str| scratch.checkout.root().join(name);
        let join = |names: &[&str]| env::join_paths(names.iter().map(|name| folder(name))).unwrap();
        assert_eq!(on_path(&join(&["a", "b"])), None);
        let found = on_path(&join(&["a", "b", "c"])).unwrap();
        assert_eq!(found.server, folder("c/prometheus"));
        assert_eq!(found.promtool, folder("c/promtool"));
    }

    #[test]
    fn ones_own_is_refused_with_what_is_missing() {
        let scratch = Scratch::new("prometheus-own");
        let server = scratch.write("prometheus", "");
        let refused = own(&server).unwrap_err().to_string();
        let promtool = server.with_file_name("promtool");
        assert!(refused.contains(&format!("no file {}.", promtool.display())), "{refused}");
        let absent = scratch.checkout.root().join("absent");
        let refused = own(&absent).unwrap_err().to_string();
        assert!(refused.contains(&format!("no file {}.", absent.display())), "{refused}");
        scratch.write("promtool", "");
        assert_eq!(own(&server).unwrap(), Prometheus { server, promtool });
    }

    #[test]
    fn a_program_that_does_not_run_is_named_with_what_to_do() {
        let scratch = Scratch::new("prometheus-runs");
        let found = run::ask(Command::new("sh").args(["-c", "command -v false"])).unwrap();
        let absent = scratch.checkout.root().join("absent");
        let fails = PathBuf::from(String::from_utf8_lossy(&found.stdout).trim());
        for (program, expected) in [(absent, "was not found"), (fails, "does not run")] {
            let refused = runs(&program).unwrap_err().to_string();
            assert!(refused.contains(expected), "{refused}");
        }
    }
}

//! Finds a Chromium and its chromedriver, for the tests of the live view's page and for its picture, or fetches them where
//! there are none. Running them is for others.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{self, Path, PathBuf};
use std::process::Command;

use crate::lock::Lock;
use crate::{Checkout, Error, debian, disk, run};

const VARIABLE: &str = "SIGHTLINE_CHROMIUM";
const LIBRARIES: &str = "LD_LIBRARY_PATH";
const FONTS: &str = "FONTCONFIG_FILE";

/// Google's Chrome is the same in all that matters here.
const BROWSERS: [&str; 4] =
    ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const DRIVER: &str = "chromedriver";

/// With fonts, so that a machine that has none shows texts too.
const PACKAGES: [&str; 4] = ["chromium", "chromium-driver", "fonts-dejavu-core", "fonts-inter"];

/// Within the packages. The `chromium` of the PATH is a script that wants to be installed.
const FETCHED_BROWSER: &str = "usr/lib/chromium/chromium";
const FETCHED_DRIVER: &str = "usr/bin/chromedriver";

const ADVICE: &str = "Install Chromium with its chromedriver (on Debian: apt-get install chromium \
                      chromium-driver), or set SIGHTLINE_CHROMIUM to the path of a Chromium or Chrome.";

/// Where the two programs are, and what they need to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chromium {
    /// The browser.
    pub browser: PathBuf,
    /// The program that drives it, by `WebDriver` over HTTP.
    pub driver: PathBuf,
    /// Variables of the environment to run them with.
    pub environment: Vec<(&'static str, OsString)>,
}

/// `SIGHTLINE_CHROMIUM`, a path to the browser, wins, with the chromedriver beside it or on the PATH; then what is on
/// the PATH and runs; else they are fetched from Debian's packages, if need be.
pub fn find(checkout: &Checkout) -> Result<Chromium, Error> {
    let folders = env::var_os("PATH").unwrap_or_default();
    if let Some(browser) = env::var_os(VARIABLE).filter(|value| !value.is_empty()) {
        return own(Path::new(&browser), &folders);
    }
    // Ubuntu has a `chromium-browser` that only says what to install.
    if let Some(found) = on_path(&folders).filter(|found| found.runs().is_ok()) {
        return Ok(found);
    }
    fetched(checkout).map_err(|failed| {
        Error::new(format!(
            "There is no Chromium with a {DRIVER} on the PATH, and none to be had: {failed} {ADVICE}"
        ))
    })
}

impl Chromium {
    /// Whether both say their version.
    fn runs(&self) -> Result<(), Error> {
        for program in [&self.browser, &self.driver] {
            let mut command = Command::new(program);
            let said = run::ask(command.arg("--version").envs(self.environment.iter().cloned()))?;
            if !said.status.success() {
                let why = String::from_utf8_lossy(&said.stderr);
                return Err(Error::new(format!(
                    "{} does not run: {}.",
                    program.display(),
                    why.trim()
                )));
            }
        }
        Ok(())
    }
}

/// The path made absolute, for whoever runs it may do so in another folder.
fn own(browser: &Path, folders: &OsStr) -> Result<Chromium, Error> {
    let browser = path::absolute(browser).map_err(|cause| Error::at("find", browser, &cause))?;
    if !browser.is_file() {
        return Err(Error::new(format!(
            "{VARIABLE} is {}, but there is no such file. Set it to the path of a Chromium or Chrome, or unset it to \
             have one found or fetched.",
            browser.display()
        )));
    }
    let beside = Some(browser.with_file_name(DRIVER)).filter(|driver| driver.is_file());
    let driver = beside.or_else(|| program(DRIVER, folders)).ok_or_else(|| {
        Error::new(format!(
            "{VARIABLE} is {}, but there is no {DRIVER} beside it nor on the PATH. Install the one of the same \
             version.",
            browser.display()
        ))
    })?;
    Ok(Chromium { browser, driver, environment: Vec::new() })
}

fn on_path(folders: &OsStr) -> Option<Chromium> {
    let browser = BROWSERS.iter().find_map(|name| program(name, folders))?;
    Some(Chromium { browser, driver: program(DRIVER, folders)?, environment: Vec::new() })
}

fn program(name: &str, folders: &OsStr) -> Option<PathBuf> {
    env::split_paths(folders).map(|folder| folder.join(name)).find(|program| program.is_file())
}

fn fetched(checkout: &Checkout) -> Result<Chromium, Error> {
    let tree = debian::tree_with_all(checkout, &PACKAGES)?;
    let environment =
        vec![(LIBRARIES, libraries(&tree)), (FONTS, fonts(checkout, &tree)?.into_os_string())];
    let (browser, driver) = (tree.join(FETCHED_BROWSER), tree.join(FETCHED_DRIVER));
    let found = Chromium { browser, driver, environment };
    found.runs()?;
    Ok(found)
}

/// The folders with libraries, as the variable wants them, those of the environment last.
fn libraries(tree: &Path) -> OsString {
    let of = |folder: &str| fs::read_dir(tree.join(folder)).into_iter().flatten();
    let kinds = ["lib", "usr/lib"].into_iter().flat_map(of).filter_map(Result::ok);
    let is_kind = |folder: &PathBuf| folder.to_string_lossy().contains("-linux-");
    let kinds: Vec<_> = kinds.map(|entry| entry.path()).filter(is_kind).collect();
    // Its libraries are looked for where they would be installed.
    let sound = kinds.iter().map(|kind| kind.join("pulseaudio")).filter(|folder| folder.is_dir());
    let given = env::var_os(LIBRARIES).unwrap_or_default();
    let given = env::split_paths(&given).filter(|folder| !folder.as_os_str().is_empty());
    let all: Vec<_> = kinds.iter().cloned().chain(sound).chain(given).collect();
    // Only names with a colon cannot be joined: then they are left to the system.
    env::join_paths(all).unwrap_or_default()
}

/// A fontconfig that knows the fetched fonts only, so that a page looks the same everywhere.
fn fonts(checkout: &Checkout, tree: &Path) -> Result<PathBuf, Error> {
    let file = tree.join("fonts.conf");
    let (fonts, cache) = (tree.join("usr/share/fonts"), tree.join("fonts-cache"));
    let prefer = |family: &str, font: &str| {
        format!("<alias><family>{family}</family><prefer><family>{font}</family></prefer></alias>")
    };
    let content = format!(
        "<?xml version=\"1.0\"?>\n<!DOCTYPE fontconfig SYSTEM \"urn:fontconfig:fonts.dtd\">\n\
         <fontconfig>\n<dir>{}</dir>\n<cachedir>{}</cachedir>\n{}\n{}\n{}\n</fontconfig>\n",
        escaped(&fonts),
        escaped(&cache),
        prefer("system-ui", "Inter"),
        prefer("sans-serif", "Inter"),
        prefer("monospace", "DejaVu Sans Mono"),
    );
    if !fs::read(&file).is_ok_and(|old| old == content.as_bytes()) {
        let _lock = Lock::take(checkout, "fonts")?;
        disk::write_if_changed(&file, content.as_bytes())?;
    }
    Ok(file)
}

/// As text of XML.
fn escaped(path: &Path) -> String {
    path.to_string_lossy().replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::tests::Scratch;

    #[test]
    fn a_browser_and_a_driver_are_found_in_any_folders_of_the_path() {
        let scratch = Scratch::new("chromium-path");
        let folder = |name: &str| scratch.checkout.root().join(name);
        let folders = env::join_paths(["a", "b", "c"].map(folder)).unwrap();
        scratch.write("a/google-chrome", "");
        assert_eq!(on_path(&folders), None);
        let driver = scratch.write("b/chromedriver", "");
        let browser = scratch.write("c/chromium", "");
        let found = on_path(&folders).unwrap();
        assert_eq!(found, Chromium { browser, driver, environment: Vec::new() });
    }

    #[test]
    fn ones_own_wants_a_driver_beside_it_or_on_the_path() {
        let scratch = Scratch::new("chromium-own");
        let folders = scratch.checkout.root().join("path").into_os_string();
        let absent = scratch.checkout.root().join("absent");
        let refused = own(&absent, &folders).unwrap_err().to_string();
        assert!(refused.contains("there is no such file"), "{refused}");
        let browser = scratch.write("own/chrome", "");
        let refused = own(&browser, &folders).unwrap_err().to_string();
        assert!(refused.contains("no chromedriver beside it"), "{refused}");
        let on_path = scratch.write("path/chromedriver", "");
        assert_eq!(own(&browser, &folders).unwrap().driver, on_path);
        let beside = scratch.write("own/chromedriver", "");
        assert_eq!(own(&browser, &folders).unwrap().driver, beside);
    }

    #[test]
    fn a_program_that_does_not_run_is_named() {
        let scratch = Scratch::new("chromium-runs");
        let absent = scratch.checkout.root().join("absent");
        let found = Chromium { browser: absent.clone(), driver: absent, environment: Vec::new() };
        let refused = found.runs().unwrap_err().to_string();
        assert!(refused.contains("was not found"), "{refused}");
    }

    #[test]
    fn the_libraries_of_all_kinds_are_offered() {
        let scratch = Scratch::new("chromium-libraries");
        for file in [
            "usr/lib/any-linux-gnu/pulseaudio/a.so",
            "lib/any-linux-gnu/b.so",
            "usr/lib/chromium/c.so",
        ] {
            scratch.write(file, "");
        }
        let root = scratch.checkout.root();
        let offered: Vec<_> = env::split_paths(&libraries(root)).collect();
        let expected =
            ["lib/any-linux-gnu", "usr/lib/any-linux-gnu", "usr/lib/any-linux-gnu/pulseaudio"];
        assert_eq!(offered[..3], expected.map(|folder| root.join(folder)));
    }
}

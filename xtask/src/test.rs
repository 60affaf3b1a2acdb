//! `cargo xtask test`: sets up, runs `cargo test` in parts, and says what became of each.
//!
//! The tests that need Envoy are one target, `envoy` of the package sightline-tests, so that they
//! can be left out or run again on another version. The fuzz targets come last, each for a moment.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::num::NonZero;
use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use sightline_setup::envoy::{Choice, SUPPORTED};
use sightline_setup::{Checkout, chromium, filter, jq, prometheus, python};

use crate::Outcome;
use crate::args::Test;
use crate::fuzz::{self, Fuzzer, Verdict};
use crate::tally::{Count, Tally};

const ENVOY_TARGET: &str = "envoy";

/// How long each fuzz target runs: enough to try all of its corpus and some ten thousand inputs more.
const FUZZED: Duration = Duration::from_secs(3);

/// The variable that says how many tests run at once.
const THREADS: &str = "RUST_TEST_THREADS";

/// Tests on Envoy that run for long, or are about the command: CI runs them on one version only. What they ask of Envoy,
/// shorter ones ask of each.
const ONCE: [&str; 7] = [
    "demo::",
    "exactness::",
    "hostile_metrics::",
    "live_page::",
    "metrics_export::",
    "routes_import::",
    "ten_thousand::",
];

/// One run of `cargo test`.
#[derive(Debug, PartialEq)]
struct Part {
    name: String,
    arguments: Vec<OsString>,
    /// Tests whose names have one of these in them are left out.
    without: &'static [&'static str],
    envoy: Option<Choice>,
}

pub(crate) fn run(options: &Test) -> Outcome {
    let checkout = Checkout::find()?;
    let parts = if options.fast {
        without_envoy(&targets(&checkout.root().join("tests/tests"))?)
    } else {
        let in_ci = std::env::var_os("CI").is_some_and(|value| !value.is_empty());
        with_envoy(&Choice::from_env()?, options.all_envoys, in_ci)
    };
    // Arguments for cargo test name tests, and a fuzz target is none.
    let fuzzes = !options.fast && options.rest.is_empty();
    if fuzzes {
        fuzz::ensure_cxx()?;
    }
    set_up(&checkout, &parts)?;
    let mut tally = Tally::default();
    for Part { name, arguments, without, envoy } in parts {
        let mut cargo = checkout.cargo();
        cargo.args(["test", "--no-fail-fast"]).args(arguments).args(&options.rest);
        cargo.args(skipped(without, &options.rest));
        cargo.envs(envoy.as_ref().map(Choice::as_env));
        if envoy.is_some() && std::env::var_os(THREADS).is_none() {
            cargo.env(THREADS, threads().to_string());
        }
        tally.run(name, &mut cargo, &mut io::stdout())?;
    }
    if fuzzes {
        fuzz(&checkout, &mut tally);
    }
    println!("\n{tally}");
    let total = tally.total();
    if total.passed + total.failed == 0 {
        eprintln!("xtask: no test ran. See that the arguments after -- match the name of one.");
    }
    let is_good = total.passed > 0 && total.failed == 0;
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What comes after all other arguments, so that these tests are left out.
fn skipped(without: &[&'static str], rest: &[OsString]) -> Vec<&'static str> {
    let is_begun = without.is_empty() || rest.iter().any(|argument| argument == "--");
    let skips = without.iter().flat_map(|&name| ["--skip", name]);
    (!is_begun).then_some("--").into_iter().chain(skips).collect()
}

/// Two tests for each core: those that need Envoy mostly wait for it.
fn threads() -> usize {
    2 * thread::available_parallelism().map_or(1, NonZero::get)
}

/// Before the first test, so that no test waits for a download.
fn set_up(checkout: &Checkout, parts: &[Part]) -> Result<(), sightline_setup::Error> {
    filter::build(checkout)?;
    let envoys = parts.iter().filter_map(|part| part.envoy.as_ref());
    for (index, envoy) in envoys.enumerate() {
        if index == 0 {
            command(checkout);
            python::interpreter(checkout)?;
            prometheus::find(checkout)?;
            jq::find(checkout)?;
            chromium::find(checkout)?;
        }
        envoy.find(checkout)?;
    }
    Ok(())
}

/// Compiles the `sightline` command, which cargo does apart from the tests. Where that fails, cargo says why, and so do the
/// tests that start it.
fn command(checkout: &Checkout) {
    let build = ["build", "--quiet", "--package", "sightline-cli", "--no-default-features"];
    let _ = checkout.cargo().args(build).status();
}

/// Each target counts as a test, and what keeps them from being run as a failed one.
fn fuzz(checkout: &Checkout, tally: &mut Tally) {
    let began = Instant::now();
    let mut count = Count::default();
    let runs = Fuzzer::build(checkout).and_then(|fuzzer| {
        for target in fuzz::TARGETS {
            match fuzzer.run(target, FUZZED)? {
                Verdict::Nothing => count.passed += 1,
                Verdict::Found => count.failed += 1,
            }
        }
        Ok(())
    });
    if let Err(failed) = runs {
        eprintln!("xtask: {failed}");
        count.failed += 1;
    }
    tally.add("fuzz targets".to_owned(), count, began.elapsed());
}

/// Everything on the chosen Envoy, then what needs Envoy on the others, oldest first.
fn with_envoy(chosen: &Choice, all: bool, in_ci: bool) -> Vec<Part> {
    let others: &[&str] = match chosen {
        Choice::Path(path) => {
            eprintln!("xtask: SIGHTLINE_ENVOY is set: all runs on {} alone", path.display());
            &[]
        }
        Choice::Version(_) if all => &SUPPORTED,
        Choice::Version(_) if in_ci => &SUPPORTED[..1],
        Choice::Version(_) => &[],
    };
    let others = others.iter().map(|&version| Choice::Version(version));
    let others: Vec<Choice> = others.filter(|other| other != chosen).collect();
    let everything =
        Part { envoy: Some(chosen.clone()), ..Part::new(on("all", chosen), &["--workspace"]) };
    let again = others.into_iter().map(|other| {
        let arguments = ["--package", "sightline-tests", "--test", ENVOY_TARGET];
        let without: &[&str] = if all { &[] } else { &ONCE };
        Part { without, envoy: Some(other.clone()), ..Part::new(on("again", &other), &arguments) }
    });
    [everything].into_iter().chain(again).collect()
}

fn on(what: &str, envoy: &Choice) -> String {
    match envoy {
        Choice::Path(path) => format!("{what} on {}", path.display()),
        Choice::Version(version) => format!("{what} on Envoy {version}"),
    }
}

/// Cargo can leave out a package but not a target, so the other targets are listed; and it runs
/// the examples in docs only on their own once targets are.
fn without_envoy(targets: &[String]) -> Vec<Part> {
    let package = ["--package", "sightline-tests"];
    let mut other_targets = Part::new("tests without Envoy".to_owned(), &package);
    other_targets.arguments.push("--lib".into());
    for target in targets.iter().filter(|&target| target != ENVOY_TARGET) {
        other_targets.arguments.extend(["--test".into(), target.into()]);
    }
    let mut docs = Part::new("examples in their docs".to_owned(), &package);
    docs.arguments.push("--doc".into());
    let crates = ["--workspace", "--exclude", "sightline-tests"];
    vec![Part::new("crates".to_owned(), &crates), other_targets, docs]
}

impl Part {
    fn new(name: String, arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(OsString::from).collect();
        Self { name, arguments, without: &[], envoy: None }
    }
}

/// The test targets of a folder as cargo finds them: each file, and each folder with a main.rs.
fn targets(folder: &Path) -> io::Result<Vec<String>> {
    let mut targets = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let is_target =
            path.extension().is_some_and(|end| end == "rs") || path.join("main.rs").is_file();
        if let Some(stem) = path.file_stem().filter(|_| is_target) {
            targets.push(stem.to_string_lossy().into_owned());
        }
    }
    targets.sort();
    Ok(targets)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(parts: &[Part]) -> Vec<String> {
        let line = |part: &Part| {
            let arguments = part.arguments.join(" ".as_ref());
            let envoy = part.envoy.as_ref().map(|envoy| envoy.as_env().1.display().to_string());
            format!("{} {}", envoy.unwrap_or_default(), arguments.display())
        };
        parts.iter().map(line).collect()
    }

    #[test]
    fn each_envoy_is_run_once_and_the_chosen_one_with_everything() {
        let newest = || Choice::Version("1.40.0");
        let again = |version: &str| format!("{version} --package sightline-tests --test envoy");
        let own = || Choice::Path("/own".into());
        let all = ["1.36.4", "1.37.0", "1.38.2", "1.39.3"].map(again).to_vec();
        let table = [
            ("by default", newest(), false, false, vec![]),
            ("in CI", newest(), false, true, vec![again("1.36.4")]),
            ("in CI on the oldest", Choice::Version("1.36.4"), false, true, vec![]),
            ("on all", newest(), true, false, all.clone()),
            ("on all in CI", newest(), true, true, all),
            ("on one's own, all asked for", own(), true, true, vec![]),
        ];
        for (name, chosen, all, in_ci, expected) in table {
            let first = format!("{} --workspace", chosen.as_env().1.display());
            let parts = lines(&with_envoy(&chosen, all, in_ci));
            assert_eq!(parts[0], first, "{name}");
            assert_eq!(parts[1..], expected, "{name}");
        }
    }

    #[test]
    fn ci_runs_the_long_ones_once_and_all_runs_them_on_all() {
        let chosen = Choice::Version("1.40.0");
        for (all, in_ci, again) in [(false, true, &ONCE[..]), (true, true, &[]), (true, false, &[])]
        {
            let parts = with_envoy(&chosen, all, in_ci);
            assert!(parts[0].without.is_empty());
            assert!(parts[1..].iter().all(|part| part.without == again), "{all} {in_ci}");
        }
        for (rest, expected) in [
            (&[][..], &["--", "--skip", "a", "--skip", "b"][..]),
            (&["name"], &["--", "--skip", "a", "--skip", "b"]),
            (&["name", "--", "--nocapture"], &["--skip", "a", "--skip", "b"]),
        ] {
            let rest: Vec<OsString> = rest.iter().map(OsString::from).collect();
            assert_eq!(skipped(&["a", "b"], &rest), expected);
            assert!(skipped(&[], &rest).is_empty());
        }
    }

    #[test]
    fn the_fast_run_has_every_test_but_those_on_envoy() {
        let targets = ["conformance", "envoy", "tidy"].map(str::to_owned);
        let expected = [
            " --workspace --exclude sightline-tests",
            " --package sightline-tests --lib --test conformance --test tidy",
            " --package sightline-tests --doc",
        ];
        assert_eq!(lines(&without_envoy(&targets)), expected);
    }

    #[test]
    fn targets_are_the_files_of_the_folder() {
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let expected = ["args", "bench", "build", "demo", "fuzz", "lint", "main", "tally", "test"];
        assert_eq!(targets(&sources).unwrap(), expected);
    }
}

//! The command line: which verb, with what. What the verbs do is in their own modules.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::time::Duration;

use crate::fuzz::TARGETS;

const HELP: &str = "\
The project's verbs. Each sets up what it needs into target/ and reuses it.

Usage: cargo xtask VERB

  build    the finished filter, target/sightline.wasm
  test     all tests, with Python and real Envoys
  bench    the benches, with their results in target/bench
  fuzz     hostile bytes for what reads paths, templates, configurations
  lint     formatting, clippy, docs, tidy checks
  demo     Envoy with the filter in front of Python apps

cargo xtask VERB --help says more.";

const BUILD: &str = "\
Builds the filter, finishes it, checks it, and writes target/sightline.wasm.

Usage: cargo xtask build";

const TEST: &str = "\
Sets up all that the tests need and runs them, to the end even where some fail.

Usage: cargo xtask test [--fast] [--all-envoys] [-- CARGO-TEST-ARGUMENTS]

  --fast         leave out the tests that need Envoy, and the fuzz targets
  --all-envoys   run those that need Envoy on every supported version, not only on the newest
  -- ...         handed to cargo test, as in: cargo xtask test --fast -- red::

After the tests each fuzz target runs for 3 seconds, unless arguments follow the --.

Where CI is set, the tests that need Envoy run on the oldest version too.
SIGHTLINE_ENVOY=PATH runs all on that Envoy alone, SIGHTLINE_ENVOY_VERSION=X on that version.
SIGHTLINE_PROMETHEUS=PATH is the Prometheus to test with, if not the one on the PATH or Debian's.";

const BENCH: &str = "\
Runs the benches; what they measured is kept in target/bench for comparison.

Usage: cargo xtask bench [NAME]

  NAME   only benches with this in their name: log, for one, has what a line costs, natively and in Envoy";

const FUZZ: &str = "\
Builds the fuzz targets and runs them, one after the other, each until it finds something.
Needs a C++ compiler. The corpus is kept in target/fuzz/corpus, what was found in target/fuzz/artifacts.

Usage: cargo xtask fuzz [TARGET] [--for 60s]

  TARGET       only this one: template, matcher, inference, learner or config
  --for 60s    how long each target runs: a whole number with a unit, 20s or 5m; 60s if not said";

const LINT: &str = "\
Checks formatting, clippy natively and for the filter's target, the docs, and the tidy tests.
All are run; the names of those that failed come last.

Usage: cargo xtask lint";

const DEMO: &str = "\
Sets up all it needs, then runs Envoy with the filter in front of Python apps until Ctrl-C.

Usage: cargo xtask demo [--for 30s] [ARGUMENTS]

All arguments are those of `sightline demo`.";

const VERBS: [(&str, &str); 6] = [
    ("build", BUILD),
    ("test", TEST),
    ("bench", BENCH),
    ("fuzz", FUZZ),
    ("lint", LINT),
    ("demo", DEMO),
];

/// What was asked for.
#[derive(Debug, PartialEq)]
pub(crate) enum Verb {
    /// A text to print.
    Help(&'static str),
    Build,
    Test(Test),
    /// The name of the benches that are wanted, if not all are.
    Bench(Option<OsString>),
    Fuzz(Fuzz),
    Lint,
    /// Arguments for `sightline demo`.
    Demo(Vec<OsString>),
}

/// How the tests are to be run.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Test {
    pub(crate) fast: bool,
    pub(crate) all_envoys: bool,
    /// For `cargo test`.
    pub(crate) rest: Vec<OsString>,
}

/// Which fuzz targets are to be run, and for how long.
#[derive(Debug, PartialEq)]
pub(crate) struct Fuzz {
    /// None: all of them.
    pub(crate) target: Option<&'static str>,
    /// For each.
    pub(crate) period: Duration,
}

/// A command line that means nothing, in words for whoever typed it.
#[derive(Debug)]
pub(crate) struct Wrong(String);

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Understands the arguments that follow `cargo xtask`.
pub(crate) fn parse(mut arguments: impl Iterator<Item = OsString>) -> Result<Verb, Wrong> {
    let Some(verb) = arguments.next() else {
        return Err(Wrong(format!("no verb is given.\n\n{HELP}")));
    };
    let rest: Vec<OsString> = arguments.collect();
    if is_help(&verb) {
        return Ok(Verb::Help(HELP));
    }
    let Some((name, help)) = VERBS.into_iter().find(|(name, _)| verb == *name) else {
        return Err(unknown("verb", &verb, VERBS.map(|(name, _)| name), "cargo xtask --help"));
    };
    let ours = rest.iter().take_while(|&argument| argument != "--");
    if ours.into_iter().any(is_help) {
        return Ok(Verb::Help(help));
    }
    match name {
        "build" => nothing(name, &rest).map(|()| Verb::Build),
        "lint" => nothing(name, &rest).map(|()| Verb::Lint),
        "test" => test(rest).map(Verb::Test),
        "bench" => bench(&rest).map(Verb::Bench),
        "fuzz" => fuzz(rest).map(Verb::Fuzz),
        _ => Ok(Verb::Demo(rest)),
    }
}

fn is_help(argument: &OsString) -> bool {
    argument == "--help" || argument == "-h"
}

fn nothing(verb: &str, rest: &[OsString]) -> Result<(), Wrong> {
    match rest.first() {
        None => Ok(()),
        Some(argument) => Err(too_much(verb, argument)),
    }
}

fn test(rest: Vec<OsString>) -> Result<Test, Wrong> {
    let mut test = Test::default();
    let mut rest = rest.into_iter();
    while let Some(argument) = rest.next() {
        match argument.to_str() {
            Some("--fast") => test.fast = true,
            Some("--all-envoys") => test.all_envoys = true,
            Some("--") => test.rest = rest.by_ref().collect(),
            _ => {
                let known = ["--fast", "--all-envoys"];
                return Err(unknown("argument", &argument, known, "cargo xtask test --help"));
            }
        }
    }
    if test.fast && test.all_envoys {
        return Err(Wrong(
            "--fast runs no test on Envoy and --all-envoys runs them on all. Give one of the two."
                .to_owned(),
        ));
    }
    Ok(test)
}

fn bench(rest: &[OsString]) -> Result<Option<OsString>, Wrong> {
    match rest {
        [] => Ok(None),
        [name] if !name.to_string_lossy().starts_with('-') => Ok(Some(name.clone())),
        [argument] | [_, argument, ..] => Err(too_much("bench", argument)),
    }
}

fn fuzz(rest: Vec<OsString>) -> Result<Fuzz, Wrong> {
    let mut fuzz = Fuzz { target: None, period: Duration::from_mins(1) };
    let mut rest = rest.into_iter();
    while let Some(argument) = rest.next() {
        if argument == "--for" {
            fuzz.period = period(&rest.next().unwrap_or_default())?;
            continue;
        }
        if argument.to_string_lossy().starts_with('-') {
            return Err(unknown("argument", &argument, ["--for"], "cargo xtask fuzz --help"));
        }
        let target = TARGETS.into_iter().find(|&target| argument == *target);
        let target = target
            .ok_or_else(|| unknown("target", &argument, TARGETS, "cargo xtask fuzz --help"))?;
        if fuzz.target.replace(target).is_some() {
            return Err(too_much("fuzz", &argument));
        }
    }
    Ok(fuzz)
}

/// Seconds or minutes. libFuzzer knows nothing smaller than a second, and takes 0 for ever.
fn period(said: &OsStr) -> Result<Duration, Wrong> {
    let text = said.to_string_lossy();
    let number = |unit| text.strip_suffix(unit).and_then(|number| number.parse::<u32>().ok());
    let minutes = number('m').and_then(|minutes| minutes.checked_mul(60));
    match number('s').or(minutes).filter(|&seconds| seconds > 0) {
        Some(seconds) => Ok(Duration::from_secs(seconds.into())),
        None => Err(Wrong(format!(
            "\"{text}\" is no time to fuzz for. Give a whole number with a unit, as in 20s or 5m."
        ))),
    }
}

fn too_much(verb: &str, argument: &OsString) -> Wrong {
    let argument = argument.display();
    Wrong(format!("{verb} does not take \"{argument}\". See cargo xtask {verb} --help."))
}

fn unknown<const N: usize>(what: &str, said: &OsString, known: [&str; N], help: &str) -> Wrong {
    let (said, known) = (said.display(), known.join(", "));
    Wrong(format!("there is no {what} \"{said}\", only {known}. See {help}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Verb, Wrong> {
        parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn each_verb_is_understood() {
        let rest = vec![OsString::from("red"), "--".into(), "--nocapture".into()];
        let fast = Test { fast: true, ..Test::default() };
        let all = Test { all_envoys: true, rest: rest.clone(), ..Test::default() };
        let fuzz = |target, seconds| {
            Verb::Fuzz(Fuzz { target: Some(target), period: Duration::from_secs(seconds) })
        };
        let table = [
            ("build", Verb::Build),
            ("lint", Verb::Lint),
            ("bench", Verb::Bench(None)),
            ("bench route", Verb::Bench(Some("route".into()))),
            ("test", Verb::Test(Test::default())),
            ("test --fast", Verb::Test(fast)),
            ("test --all-envoys -- red -- --nocapture", Verb::Test(all)),
            ("test -- --help", Verb::Test(Test { rest: vec!["--help".into()], ..Test::default() })),
            ("fuzz", Verb::Fuzz(Fuzz { target: None, period: Duration::from_mins(1) })),
            ("fuzz --for 5m config", fuzz("config", 300)),
            ("fuzz matcher --for 3s", fuzz("matcher", 3)),
            ("demo --for 30s", Verb::Demo(vec!["--for".into(), "30s".into()])),
            ("--help", Verb::Help(HELP)),
            ("test --fast -h", Verb::Help(TEST)),
            ("demo --help", Verb::Help(DEMO)),
        ];
        for (line, expected) in table {
            assert_eq!(parsed(line).unwrap(), expected, "{line}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_what_there_is() {
        let table = [
            ("", "no verb is given"),
            ("biuld", "no verb \"biuld\", only build, test, bench, fuzz, lint, demo."),
            ("tests", "no verb \"tests\", only build"),
            ("test --quick", "no argument \"--quick\", only --fast, --all-envoys."),
            ("test --all-envoy", "only --fast, --all-envoys."),
            ("test --fast --all-envoys", "Give one of the two."),
            ("build --release", "build does not take \"--release\"."),
            ("bench --fast", "bench does not take \"--fast\"."),
            ("fuzz --seconds 3", "no argument \"--seconds\", only --for."),
            ("fuzz parser", "no target \"parser\", only template, matcher, inference"),
            ("fuzz config matcher", "fuzz does not take \"matcher\"."),
            ("fuzz --for", "\"\" is no time to fuzz for."),
            ("fuzz --for 0s", "\"0s\" is no time to fuzz for."),
            ("fuzz --for 250ms", "Give a whole number with a unit, as in 20s or 5m."),
            ("fuzz --for 99999999999m", "is no time to fuzz for."),
            ("bench one two", "bench does not take \"two\"."),
        ];
        for (line, expected) in table {
            let wrong = parsed(line).unwrap_err().to_string();
            assert!(wrong.contains(expected), "{line}: {wrong}");
        }
    }
}

//! All scenarios of a file, run on one host or on both, and what is to be said about them.
//!
//! `SIGHTLINE_SCENARIO` names a part of a scenario's name: then only those that have it are run, and
//! their transcripts are shown, and what their modules cost on the harness.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use sightline_cli::FILTER;

use super::{Scenario, Transcript, envoy, harness, load};

/// Where the scenarios are.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")
}

/// The topics that there are, which are the names of the files.
pub fn topics() -> Vec<String> {
    let files = std::fs::read_dir(folder()).expect("the folder of the scenarios");
    let mut topics: Vec<_> = files
        .filter_map(|file| Some(file.ok()?.path().file_stem()?.to_string_lossy().into_owned()))
        .collect();
    topics.sort();
    topics
}

/// Runs those of a topic on the harness and holds them against what they expect.
pub fn run_on_harness(topic: &str) {
    judge(topic, |scenario| {
        if scenario.not_on_harness.is_some() {
            return Vec::new();
        }
        match on_harness(scenario) {
            Ok(transcript) => transcript.check(&scenario.expect, &scenario.absent),
            Err(error) => vec![error],
        }
    });
}

/// How often a scenario may be run in Envoy before what is wrong counts. On a busy machine a piece of
/// a body or a timer comes a little later than said, and Envoy does something else that is right too.
const TRIES: u32 = 3;

/// Runs those of a topic in this Envoy, and on the harness, and compares.
pub fn compare_with_envoy(topic: &str, binary: &Path) {
    judge(topic, |scenario| {
        if scenario.not_on_envoy.is_some() {
            return Vec::new();
        }
        let mut problems = Vec::new();
        for _ in 0..TRIES {
            problems = compare(scenario, binary);
            if problems.is_empty() {
                break;
            }
        }
        problems
    });
}

fn compare(scenario: &Scenario, binary: &Path) -> Vec<String> {
    let transcript = match envoy::run(scenario, binary) {
        Ok(transcript) => transcript,
        Err(error) => return vec![error.to_string()],
    };
    show(scenario, &transcript);
    let mut problems = transcript.check(&scenario.expect, &scenario.absent);
    if scenario.not_on_harness.is_none() {
        problems.extend(match on_harness(scenario) {
            Ok(harness) => transcript
                .diff(&harness)
                .map(|diff| format!("Envoy (-) and the harness (+) differ:\n{diff}")),
            Err(error) => Some(error),
        });
    }
    problems
}

fn on_harness(scenario: &Scenario) -> Result<Transcript, String> {
    let played = harness::play(scenario, FILTER);
    let played = played.map_err(|error| format!("on the harness: {error}"))?;
    Ok(played.observed.transcript(scenario))
}

fn wanted() -> Option<String> {
    std::env::var("SIGHTLINE_SCENARIO").ok()
}

fn show(scenario: &Scenario, transcript: &Transcript) {
    if wanted().is_some() {
        let cost =
            harness::play(scenario, FILTER).map(|played| played.cost.report()).unwrap_or_default();
        println!("--- {}\n{transcript}\n{cost}", scenario.name);
    }
}

/// Runs each scenario of a topic, some side by side, and fails with all that is wrong.
fn judge(topic: &str, problems: impl Fn(&Scenario) -> Vec<String> + Sync) {
    let file = folder().join(format!("{topic}.yaml"));
    let mut scenarios = load(&file).unwrap_or_else(|error| panic!("{error}"));
    if let Some(part) = wanted() {
        scenarios.retain(|scenario| scenario.name.contains(&part));
    }
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(scenario) = scenarios.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let problems = problems(scenario).join("\n");
                    if !problems.is_empty() {
                        let told = format!("{}:\n{problems}", scenario.name);
                        wrong.lock().expect("nobody panics with this lock").push(told);
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("nobody panics with this lock");
    let count = scenarios.len();
    assert!(
        wrong.is_empty(),
        "{} of {count} in {topic}.yaml:\n\n{}",
        wrong.len(),
        wrong.join("\n\n")
    );
}

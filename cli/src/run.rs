//! `sightline run`: scenarios played on the harness, told to a person.
//!
//! What a scenario is, and how it is played, is in `sightline-scenario`; here they are chosen, played with the
//! embedded filter, and judged by what they expect.

mod report;

use std::path::{Path, PathBuf};
use std::{fmt, io};

use sightline_scenario::harness::{self, Played};
use sightline_scenario::{LoadError, Scenario, load, parse};

use crate::{FILTER, STDIN};

pub use report::Shown;

/// Scenarios to be played, each with the file that it is from.
#[derive(Debug)]
pub struct Playlist {
    entries: Vec<(PathBuf, Scenario)>,
}

/// Why nothing is played.
#[derive(Debug)]
pub enum Unplayable {
    /// A file is no file of scenarios.
    File(LoadError),
    /// Standard input cannot be read.
    Stdin(io::Error),
    /// No scenario's name has this part.
    NoneNamed(String, Vec<String>),
}

/// What came of one scenario.
#[derive(Debug)]
pub struct Verdict<'a> {
    file: &'a Path,
    scenario: &'a Scenario,
    came: Came,
    /// What does not hold, a sentence for each.
    problems: Vec<String>,
}

/// What came of playing.
#[derive(Debug)]
enum Came {
    /// All that was seen.
    Played(Box<Played>),
    /// It is for Envoy only, for this reason.
    NotHere(String),
    /// It could not be played to its end.
    Broken(String),
}

impl Playlist {
    /// All scenarios of these files, or those whose names have a part in common.
    pub fn read(files: &[PathBuf], only: Option<&str>) -> Result<Self, Unplayable> {
        let mut entries = Vec::new();
        for file in files {
            let scenarios = read(file)?;
            entries.extend(scenarios.into_iter().map(|scenario| (file.clone(), scenario)));
        }
        if let Some(part) = only {
            let names = entries.iter().map(|(_, scenario)| scenario.name.clone()).collect();
            entries.retain(|(_, scenario)| scenario.name.contains(part));
            if entries.is_empty() {
                return Err(Unplayable::NoneNamed(part.to_owned(), names));
            }
        }
        Ok(Self { entries })
    }

    /// Plays one after the other, each as its verdict is asked for.
    pub fn verdicts(&self) -> impl Iterator<Item = Verdict<'_>> {
        self.entries.iter().map(|(file, scenario)| Verdict::of(file, scenario))
    }
}

impl<'a> Verdict<'a> {
    fn of(file: &'a Path, scenario: &'a Scenario) -> Self {
        let (came, problems) = match &scenario.not_on_harness {
            Some(reason) => (Came::NotHere(reason.clone()), Vec::new()),
            None => match harness::play(scenario, FILTER) {
                Ok(played) => {
                    let transcript = played.observed.transcript(scenario);
                    let problems = transcript.check(&scenario.expect, &scenario.absent);
                    (Came::Played(Box::new(played)), problems)
                }
                Err(error) => (Came::Broken(error.to_string()), vec![error.to_string()]),
            },
        };
        Self { file, scenario, came, problems }
    }

    /// Whether all that is expected is there, and nothing that should be absent. So it is where
    /// nothing could be seen.
    pub fn holds(&self) -> bool {
        self.problems.is_empty()
    }
}

impl Unplayable {
    /// What a command ends with: 1 where what is said is wrong, 2 where it cannot be read.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::File(error) if error.is_unreadable() => 2,
            Self::Stdin(_) => 2,
            Self::File(_) | Self::NoneNamed(..) => 1,
        }
    }
}

fn read(file: &Path) -> Result<Vec<Scenario>, Unplayable> {
    if file != Path::new(STDIN) {
        return load(file).map_err(Unplayable::File);
    }
    let text = io::read_to_string(io::stdin()).map_err(Unplayable::Stdin)?;
    parse(&text, Path::new("standard input")).map_err(Unplayable::File)
}

impl fmt::Display for Unplayable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(error) => error.fmt(f),
            Self::Stdin(error) => write!(f, "Standard input cannot be read: {error}."),
            Self::NoneNamed(part, names) => {
                write!(f, "--only {part}: no scenario has that in its name. There is: ")?;
                f.write_str(&names.join("; "))
            }
        }
    }
}

impl std::error::Error for Unplayable {}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
- name: a request that is answered
  configuration: { service: { name: shop } }
  steps:
    - request: { path: /users/7, headers: [[x-request-id, mine]] }
  expect: ["x-request-id mine", '"route":"/users/{int}"']
- name: what is not so
  steps: [{ request: {} }]
  expect: [":status 418"]
  absent: [":status 200"]
- name: only for Envoy
  steps: [{ request: {} }]
  not_on_harness: it has no such thing
"#;

    fn playlist(text: &str, only: Option<&str>) -> Result<Playlist, Unplayable> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.yaml");
        std::fs::write(&file, text).unwrap();
        Playlist::read(&[file], only)
    }

    #[test]
    fn what_came_out_is_told_and_judged() {
        let playlist = playlist(FILE, None).unwrap();
        let verdicts: Vec<_> = playlist.verdicts().collect();
        assert_eq!(verdicts.iter().map(Verdict::holds).collect::<Vec<_>>(), [true, false, true]);
        let told: Vec<_> = verdicts.iter().map(|it| it.text(Shown::Placeholders)).collect();
        for part in [
            "a request that is answered (",
            "  request 1 upstream saw\n    :method GET\n    :path /users/7\n",
            "    x-request-id mine\n",
            "  request 1 client saw\n    :status 200\n",
            "\"request_id\":\"mine\"",
            "\"timestamp\":\"<time>\"",
            "  stat counter wasmcustom.",
            "  hostcalls\n",
            "  fuel of the module ",
            "Holds: 2 of 2 expected parts are there.\n",
        ] {
            assert!(told[0].contains(part), "{part}: {}", told[0]);
        }
        for part in [
            "Does not hold:\n  expected, but in no line: :status 418\n",
            "  should be absent: :status 200\n    but there is:   :status 200\n",
        ] {
            assert!(told[1].contains(part), "{part}: {}", told[1]);
        }
        assert!(told[2].contains("Not played here: it has no such thing\n"), "{}", told[2]);
        let verbatim = verdicts[0].text(Shown::Verbatim);
        assert!(!verbatim.contains("<time>") && verbatim.contains("traceparent 00-"), "{verbatim}");
    }

    #[test]
    fn programs_are_told_the_same() {
        let playlist = playlist(FILE, Some("answered")).unwrap();
        let json = playlist.verdicts().next().unwrap().json();
        assert_eq!(json["name"], "a request that is answered");
        assert_eq!(json["holds"], true);
        let exchange = &json["exchanges"][0];
        assert_eq!(exchange["client"]["head"][0], serde_json::json!([":status", "200"]));
        assert_eq!(exchange["upstream"][0]["head"][0], serde_json::json!([":method", "GET"]));
        assert_eq!(exchange["line"]["request_id"], "mine");
        assert!(json["cost"]["fuel"].as_u64() > Some(1_000), "{}", json["cost"]);
        assert!(json["cost"]["hostcalls"].as_u64() > Some(1), "{}", json["cost"]);
    }

    #[test]
    fn what_cannot_be_played_is_told_with_the_place() {
        for (name, text, only, parts) in [
            ("an unknown key", "- name: a\n  stepps: []\n", None, &["a.yaml:2:", "stepps"][..]),
            ("no YAML", "[", None, &["a.yaml:1:"]),
            ("nothing", "", None, &["a.yaml:1:"]),
            (
                "an odd plugin",
                "- name: a\n  steps: [{ request: { plugin: 3 } }]\n",
                None,
                &["a.yaml:1:", "plugin: 3"],
            ),
            ("another name", FILE, Some("teapot"), &["--only teapot", "only for Envoy"]),
        ] {
            let refused = playlist(text, only).unwrap_err();
            assert_eq!(refused.exit_code(), 1, "{name}");
            let told = refused.to_string();
            assert!(parts.iter().all(|part| told.contains(part)), "{name}: {told}");
        }
        let missing = Playlist::read(&["/no/such.yaml".into()], None).unwrap_err();
        assert_eq!(missing.exit_code(), 2);
        assert!(missing.to_string().starts_with("/no/such.yaml: "), "{missing}");
    }

    #[test]
    fn the_examples_of_the_documentation_hold() {
        let page = include_str!("../../docs/scenarios.md");
        let blocks = page.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
        let mut played = 0;
        for block in blocks {
            let playlist = playlist(block, None).unwrap_or_else(|error| panic!("{error}"));
            for verdict in playlist.verdicts() {
                played += 1;
                assert!(verdict.holds(), "{}", verdict.text(Shown::Placeholders));
            }
        }
        assert_eq!(played, 4);
    }

    #[test]
    fn a_script_that_is_none_breaks_only_its_own_scenario() {
        let text =
            "- name: a\n  script: { request_headers: [dance] }\n  steps: [{ request: {} }]\n";
        let playlist = playlist(text, None).unwrap();
        let verdict = playlist.verdicts().next().unwrap();
        assert!(!verdict.holds());
        let told = verdict.text(Shown::Placeholders);
        assert!(told.contains("Could not be played: ") && told.contains("dance"), "{told}");
        assert_eq!(verdict.json()["holds"], false);
    }
}

//! Reads scenario files, and says of a wrong one where it is wrong.

use std::path::{Path, PathBuf};
use std::{error, fmt, fs};

use super::check;
use super::format::Scenario;

/// A scenario file that cannot be used.
#[derive(Debug)]
pub struct LoadError {
    file: PathBuf,
    /// The line, counted from 1; none where the file cannot be read at all.
    line: Option<usize>,
    scenario: Option<String>,
    what: String,
}

impl fmt::Display for LoadError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:", self.file.display())?;
        if let Some(line) = self.line {
            write!(out, "{line}:")?;
        }
        out.write_str(" ")?;
        if let Some(scenario) = &self.scenario {
            write!(out, "scenario `{scenario}`: ")?;
        }
        out.write_str(&self.what)
    }
}

impl error::Error for LoadError {}

impl LoadError {
    /// Whether it is not what the file says that is wrong, but that there is no file.
    pub fn is_unreadable(&self) -> bool {
        self.line.is_none()
    }
}

/// The scenarios of a file, in their order.
pub fn load(file: &Path) -> Result<Vec<Scenario>, LoadError> {
    let text = fs::read_to_string(file).map_err(|error| LoadError {
        file: file.to_owned(),
        line: None,
        scenario: None,
        what: format!("{error}. Write a list of scenarios there."),
    })?;
    parse(&text, file)
}

/// The scenarios of this text, which is that of `file`.
pub fn parse(text: &str, file: &Path) -> Result<Vec<Scenario>, LoadError> {
    let refused = |line, scenario, what| LoadError {
        file: file.to_owned(),
        line: Some(line),
        scenario,
        what,
    };
    let scenarios: Vec<Scenario> = serde_saphyr::from_str(text).map_err(|error| {
        let line =
            error.location().map_or(1, |location| usize::try_from(location.line()).unwrap_or(1));
        refused(line, scenario_at(text, line), error.to_string())
    })?;
    if scenarios.is_empty() {
        let what = "there is no scenario. Write a list of them, each from `- name:` on.";
        return Err(refused(1, None, what.to_owned()));
    }
    for (index, scenario) in scenarios.iter().enumerate() {
        let twice = scenarios[..index].iter().any(|earlier| earlier.name == scenario.name);
        let problem = if twice {
            Some(
                "name: another scenario of this file has it. Give each a name of its own."
                    .to_owned(),
            )
        } else {
            check::problem(scenario)
        };
        if let Some(problem) = problem {
            return Err(refused(line_of(text, index), Some(scenario.name.clone()), problem));
        }
    }
    Ok(scenarios)
}

/// The line, counted from 1, in which this scenario begins, counted from 0.
fn line_of(text: &str, scenario: usize) -> usize {
    let mut items = (1..).zip(text.lines()).filter(|(_, line)| line.starts_with("- "));
    items.nth(scenario).map_or(1, |(number, _)| number)
}

/// The name of the scenario that this line, counted from 1, is part of.
fn scenario_at(text: &str, line: usize) -> Option<String> {
    let before = text.lines().take(line);
    let names = before.filter_map(|line| line.strip_prefix("- name:"));
    names.last().map(|name| name.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Protocol, Step};

    fn refused(text: &str) -> String {
        parse(text, Path::new("a.yaml")).unwrap_err().to_string()
    }

    #[test]
    fn what_is_not_said_has_a_default() {
        let text = "- name: least\n  steps: [{ request: {} }]\n";
        let scenarios = parse(text, Path::new("a.yaml")).unwrap();
        let scenario = &scenarios[0];
        assert_eq!((scenario.workers, scenario.node.id.as_str()), (1, "node"));
        let request = scenario.requests()[0];
        assert_eq!((request.method.as_str(), &*request.path), ("GET", &b"/"[..]));
        assert_eq!((request.protocol, request.upstream.status), (Protocol::Http11, 200));
    }

    #[test]
    fn every_kind_of_step_and_value_is_read() {
        let text = r#"
- name: all
  configuration: { service: { name: a } }
  before: deny
  after: { abort: 418 }
  routes: [{ path: /a, timeout: 100ms }, { prefix: /b, direct: { status: 204 } }]
  clusters: { auth: { answer: { status: 403, after: 20ms } } }
  manager: { idle_timeout: 1s }
  steps:
    - request: { headers: [[x-a, 1], [x-b, '\xff']], protocol: HTTP/3, leaves: in_answer }
    - together: [{ path: /1 }, { path: /2, upstream: { reset: after_headers } }]
    - advance: 250ms
    - request: { meanwhile: [{ configure: null }, { request: { path: /inner } }] }
    - configure: "text"
"#;
        let scenarios = parse(text, Path::new("a.yaml")).unwrap_or_else(|error| panic!("{error}"));
        let scenario = &scenarios[0];
        assert!(scenario.reconfigures());
        let paths: Vec<_> =
            scenario.requests().iter().map(|request| request.path.to_string()).collect();
        assert_eq!(paths, ["/", "/1", "/2", "/", "/inner"]);
        let fields = &scenario.requests()[0].headers;
        assert_eq!((&*fields[0].1, &*fields[1].1), (&b"1"[..], &b"\xff"[..]));
        assert!(matches!(&scenario.steps[4], Step::Configure(Some(text)) if text == "text"));
    }

    #[test]
    fn a_wrong_file_is_refused_with_the_place() {
        for (name, line, rest, expected) in [
            ("unknown key", 4, "  stepps: []", "stepps"),
            ("no steps", 4, "  about: x", "steps"),
            ("wrong word", 5, "  steps: []\n  policy: openn", "openn"),
            ("bad time", 4, "  steps: [{ advance: 3x }]", "`3x` is not a duration"),
            ("long time", 3, "  steps: [{ advance: 3s }]", "advance: 3s is too long"),
            ("lonely", 3, "  steps: [{ together: [{}] }]", "there are 1 requests"),
            ("plugin", 3, "  steps: [{ request: { plugin: 1 } }]", "plugin: 1 is not there"),
            ("cluster", 3, "  steps: []\n  clusters: { a: {} }", "clusters.a: 0 of answer"),
            ("route", 3, "  steps: []\n  routes: [{ cluster: a }]", "say either path or prefix"),
            ("twice", 5, "  steps: [{ request: {} }]\n- name: b\n  steps: []", "has it"),
            ("escape", 4, "  steps: [{ request: { path: '/\\q' } }]", "`\\q`"),
        ] {
            let text = format!("- name: a\n  steps: [{{ request: {{}} }}]\n- name: b\n{rest}\n");
            let refused = refused(&text);
            let (place, what) = refused.split_once(" scenario `b`: ").unwrap();
            // The second scenario begins in line 3; what the parser refuses has a line of its own.
            assert_eq!(place, format!("a.yaml:{line}:"), "{name}: {refused}");
            assert!(what.contains(expected), "{name}: {refused}");
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = load(Path::new("/no/such.yaml")).unwrap_err().to_string();
        assert!(error.starts_with("/no/such.yaml: No such file"), "{error}");
    }
}

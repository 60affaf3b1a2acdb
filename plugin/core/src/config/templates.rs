//! Route templates as they are said: a string, or a map with the template and settings of its own.

use super::choice::choice;
use super::list::{Entry, List};
use super::section::section;
use super::{Described, Key, Path, Period, Problem, Ratio, Setting, Text, Value};
use crate::route::template::{self, Piece, Template, TemplateError};

/// A template, and what holds for the requests that match it.
#[derive(Clone, Debug, PartialEq)]
pub struct RouteEntry {
    /// What paths it matches.
    pub template: Template,
    /// What holds for them.
    pub settings: OneRoute,
}

section! {
    /// The settings of one route.
    pub struct OneRoute {
        /// The template, in any spelling.
        path: Written = Written::default(),
        /// What `http.route` says instead of the template.
        name: Option<Text> = None,
        /// The part of the traces starting at this route that is marked as sampled, instead of `sampling.ratio`.
        sample: Option<Ratio> = None,
        /// Spans of this route that took longer are kept whatever the sampler said. It takes effect with the
        /// export of spans.
        slow: Option<Period> = None,
        /// Which requests of this route get an access-log line.
        log: WhichLines = WhichLines::All,
        /// Signals that leave this route out.
        ignore: List<Signal> = List::default(),
        /// Parameters whose values are secret: in the logged path they are `REDACTED`.
        secret: List<ParameterName> = List::default(),
    }
}

choice! {
    /// Which requests get an access-log line.
    pub enum WhichLines {
        /// Every one.
        All = "all",
        /// Those that failed: 4xx, 5xx and no response.
        Errors = "errors",
        /// None.
        None = "none",
    }
}

choice! {
    /// One of the three signals.
    pub enum Signal {
        /// What is counted.
        Metrics = "metrics",
        /// Traces: those that start there are not sampled.
        Trace = "trace",
        /// The access-log line.
        Log = "log",
    }
}

/// The template of an entry that is a map.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Written(Option<Template>);

/// The name of a parameter of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterName(pub String);

impl Entry for RouteEntry {
    fn takes() -> String {
        "templates, or maps with a path and settings for it".to_owned()
    }

    fn read(said: &Value, at: &Path<'_>, problems: &mut Vec<Problem>) -> Option<Self> {
        if matches!(said, Value::String(_)) {
            let template = Template::read(said, at, problems)?;
            return Some(Self { template, settings: OneRoute::default() });
        }
        let mut settings = OneRoute::default();
        let before = problems.len();
        settings.set(said, at, problems);
        match settings.path.0.take() {
            Some(template) => {
                check_secrets(&template, &settings.secret, at, problems);
                Some(Self { template, settings })
            }
            None => {
                if problems.len() == before {
                    let message =
                        format!("{said} stands here, expected a template, or a map with a path");
                    problems.push(Problem::new(at, message));
                }
                None
            }
        }
    }

    fn show(&self) -> String {
        self.template.text.clone()
    }

    fn describe_keys(at: &Path<'_>, keys: &mut Vec<Key>) {
        OneRoute::default().describe(at, "", keys);
    }
}

impl Entry for Template {
    fn takes() -> String {
        "templates".to_owned()
    }

    fn read(said: &Value, at: &Path<'_>, problems: &mut Vec<Problem>) -> Option<Self> {
        let Value::String(text) = said else {
            problems.push(Problem::new(at, format!("{said} stands here, expected a template")));
            return None;
        };
        match template::parse(text) {
            Ok(template) => Some(template),
            Err(error) => {
                problems.push(unreadable(at, text, error));
                None
            }
        }
    }

    fn show(&self) -> String {
        self.text.clone()
    }
}

/// Points into the template: the column, and what stands there.
fn unreadable(
    at: &Path<'_>,
    text: &str,
    TemplateError { span, kind, nearest }: TemplateError,
) -> Problem {
    let column = text.get(..span.start).map_or(0, |before| before.chars().count()) + 1;
    let said = Value::String(text.to_owned());
    let message = format!("{said} stands here; at character {column}, {kind}");
    Problem { within: Some(span), ..Problem::new(at, message).or_meant(nearest) }
}

fn check_secrets(
    template: &Template,
    secrets: &List<ParameterName>,
    at: &Path<'_>,
    problems: &mut Vec<Problem>,
) {
    let names: Vec<&str> = template.pieces.iter().filter_map(parameter_name).collect();
    for (number, ParameterName(secret)) in secrets.0.iter().enumerate() {
        if !names.contains(&secret.as_str()) {
            let at = Path::Key(at, "secret");
            let known =
                if names.is_empty() { "none with a name".to_owned() } else { names.join(", ") };
            let message = format!(
                "{} stands here, expected a parameter of the template: {known}",
                Value::String(secret.clone())
            );
            problems.push(Problem::new(Path::Entry(&at, number), message));
        }
    }
}

fn parameter_name(piece: &Piece) -> Option<&str> {
    match piece {
        Piece::Param(param) => param.name.as_deref(),
        Piece::Slash | Piece::Literal(_) => None,
    }
}

impl Setting for Written {
    fn set(&mut self, said: &Value, at: &Path<'_>, problems: &mut Vec<Problem>) {
        self.0 = Template::read(said, at, problems);
    }
}

impl Described for Written {
    fn describe(&self, at: &Path<'_>, about: &str, keys: &mut Vec<Key>) {
        keys.push(Key {
            path: at.to_string(),
            takes: "a template".to_owned(),
            default: "none, it must be said".to_owned(),
            about: about.to_owned(),
        });
    }
}

impl Entry for ParameterName {
    fn takes() -> String {
        "names of the template's parameters".to_owned()
    }

    fn read(said: &Value, at: &Path<'_>, problems: &mut Vec<Problem>) -> Option<Self> {
        match said {
            Value::String(name) => Some(Self(name.clone())),
            other => {
                problems.push(Problem::new(
                    at,
                    format!("{other} stands here, expected the name of a parameter"),
                ));
                None
            }
        }
    }

    fn show(&self) -> String {
        self.0.clone()
    }
}

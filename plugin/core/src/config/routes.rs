//! The routes of a configuration: what is said of them, and the same compiled, because only so it shows
//! whether templates get in each other's way.

use std::rc::Rc;

use super::choice::choice;
use super::list::List;
use super::section::section;
use super::templates::RouteEntry;
use super::{Described, Key, Path, Problem, Setting, Value, Whole};
use crate::route::matcher::{Fault, Note, Precedence, TemplateProblem, Templates};
use crate::route::template::{self, Template};

/// What is said of routes, and the templates compiled.
#[derive(Clone, Debug)]
pub struct RouteSettings {
    /// What is said.
    pub keys: Routes,
    /// The templates, ready to be matched.
    pub templates: Rc<Templates>,
    /// The ignored ones.
    pub ignored: Rc<Templates>,
}

section! {
    /// How paths become routes.
    pub struct Routes {
        /// The routes of the service, in the spelling of its framework: docs/routes.md.
        templates: List<RouteEntry> = List::default(),
        /// `specific`: of several templates that match, the most specific one wins, segment by segment. `declared`: the
        /// first in the list does, as in Starlette and Django.
        precedence: Precedence = Precedence::Specific,
        /// For paths that no template matches. `typed`: identifiers are named by their kind, `/users/{int}`. `learned`:
        /// further segments become `{str}` where there are too many of them. `off`: all are `_unmatched`.
        infer: Infer = Infer::Learned,
        /// The most inferred routes of the service. Past it the route is `_other`. What is learned also has a bound of
        /// 4,096 segments in all, which a thousand routes of deep paths can reach.
        limit: Whole<1, 10_000> = Whole::nearest(200),
        /// Paths without any telemetry, as templates. Request IDs and trace context pass all the same.
        ignore: List<Template> = List(probes()),
    }
}

choice! {
    /// What is done with paths that no template matches.
    pub enum Infer {
        /// Typed, and collapsed where a segment has too many values.
        Learned = "learned",
        /// Identifiers are named by their kind.
        Typed = "typed",
        /// Nothing.
        Off = "off",
    }
}

/// What orchestrators and scrapers ask for.
fn probes() -> Vec<Template> {
    ["/healthz", "/readyz", "/livez", "/metrics"]
        .iter()
        .filter_map(|path| template::parse(path).ok())
        .collect()
}

impl RouteSettings {
    /// What is allowed and yet perhaps not meant.
    pub(super) fn warnings(&self) -> Vec<Problem> {
        let shown = |number: usize| {
            let entry = self.keys.templates.0.get(number);
            Value::String(entry.map_or_else(String::new, |entry| entry.template.text.clone()))
        };
        let warning = |note: &Note| match *note {
            Note::NeverReached(never, first) => Problem::new(
                format!("routes.templates[{never}]"),
                format!(
                    "{} is never reached: {} of routes.templates[{first}] comes first and matches the same paths",
                    shown(never),
                    shown(first),
                ),
            ),
            Note::Rivals(first, second) => Problem::new(
                format!("routes.templates[{second}]"),
                format!(
                    "some paths match both {} and {} of routes.templates[{first}], and neither is more specific; the one in front wins",
                    shown(second),
                    shown(first),
                ),
            ),
        };
        self.templates.notes().iter().map(warning).collect()
    }
}

/// As when nothing is said: what is ignored by default is compiled too.
impl Default for RouteSettings {
    fn default() -> Self {
        let mut settings =
            Self { keys: Routes::default(), templates: Rc::default(), ignored: Rc::default() };
        settings.set(&Value::Null, &Path::Root, &mut Vec::new());
        settings
    }
}

/// Two are equal when the same is said of them.
impl PartialEq for RouteSettings {
    fn eq(&self, other: &Self) -> bool {
        self.keys == other.keys
    }
}

impl Setting for RouteSettings {
    fn set(&mut self, said: &Value, at: &Path<'_>, problems: &mut Vec<Problem>) {
        self.keys.set(said, at, problems);
        let templates: Vec<Template> =
            self.keys.templates.0.iter().map(|entry| entry.template.clone()).collect();
        let compiled = Templates::new(&templates, self.keys.precedence);
        self.templates = accept(compiled, &templates, &Path::Key(at, "templates"), problems);
        // Several of them may well match the same paths: the outcome is the same.
        let ignored = Templates::new(&self.keys.ignore.0, Precedence::Declared);
        self.ignored = accept(ignored, &self.keys.ignore.0, &Path::Key(at, "ignore"), problems);
    }
}

impl Described for RouteSettings {
    fn describe(&self, at: &Path<'_>, about: &str, keys: &mut Vec<Key>) {
        self.keys.describe(at, about, keys);
    }
}

fn accept(
    compiled: Result<Templates, Vec<TemplateProblem>>,
    templates: &[Template],
    at: &Path<'_>,
    problems: &mut Vec<Problem>,
) -> Rc<Templates> {
    match compiled {
        Ok(templates) => Rc::new(templates),
        Err(found) => {
            problems.extend(found.iter().map(|problem| collision(problem, templates, at)));
            Rc::default()
        }
    }
}

fn collision(
    TemplateProblem { template, fault }: &TemplateProblem,
    templates: &[Template],
    at: &Path<'_>,
) -> Problem {
    let text = |number: usize| templates.get(number).map_or("", |template| template.text.as_str());
    let said = Value::String(text(*template).to_owned());
    let message = match fault {
        Fault::Same(other) => {
            let earlier = Value::String(text(*other).to_owned());
            format!(
                "{said} matches the same paths in the same way as {earlier} of {at}[{other}]; keep one, or let the order decide with precedence: declared"
            )
        }
        fault => format!("{said}: {fault}"),
    };
    Problem::new(Path::Entry(at, *template), message)
}

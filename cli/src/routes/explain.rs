//! Why a path has the route that it has, step by step, in sentences: asked of the code that decides for
//! requests, with the positions of the configuration put into words.
//!
//! It plays no answers of an app. Whoever has seen them tells it, and it learns as one worker of Envoy does.

mod question;

use std::time::{Duration, Instant};

use sightline_core::Method;
use sightline_core::config::{self, Routes, Value};
use sightline_core::route::explain::Step;
use sightline_core::route::template::Template;
use sightline_core::route::{
    Alone, Answer, Inference, Precedence, Router, Scratch, Shape, Source, Templates,
};

pub use question::{NoQuestion, Question};

use super::path::path_of;
use crate::check::{Own, Refused};

/// Knows a configuration, and what answers have taught.
#[derive(Debug)]
pub struct Explainer {
    /// Compiled anew for each explanation: what is compiled stays in its thread, and an explainer does not.
    said: Value,
    written: Written,
    precedence: Precedence,
    templates: Templates,
    ignored: Templates,
    inference: Inference,
    ledger: Alone,
    scratch: Scratch,
    started: Instant,
    agreed: Duration,
}

/// The entries of the configuration's lists, as they were written.
#[derive(Debug)]
struct Written {
    templates: Vec<String>,
    ignore: Vec<String>,
}

/// How one path comes to its route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// The steps that do not depend on what is known, a sentence each.
    pub steps: Vec<String>,
    /// Whether the route is known, if it is inferred.
    pub standing: Option<String>,
    /// The route; none: the request leaves no telemetry.
    pub route: Option<String>,
    /// Where the route came from.
    pub source: Option<Source>,
}

/// Templates that match too are told up to this number: nobody reads on.
const MOST_BESIDE: usize = 5;

/// How often workers agree with each other, and so when a full list of routes is looked at again.
const AGREE: Duration = Duration::from_secs(1);

const HOUR: u64 = 3_600;

impl Explainer {
    /// For a configuration of the filter, as YAML or JSON. Nothing at all means the defaults.
    pub fn new(configuration: &str) -> Result<Self, Refused> {
        Own::parse(configuration).map(Self::of)
    }

    /// For a configuration that was read.
    pub fn of(Own { said, meant, .. }: Own) -> Self {
        let routes = meant.routes;
        let templates: Vec<_> =
            routes.keys.templates.0.iter().map(|entry| entry.template.clone()).collect();
        let precedence = routes.keys.precedence;
        // They were accepted a moment ago.
        let compiled =
            |templates: &[_], precedence| Templates::new(templates, precedence).unwrap_or_default();
        Self {
            precedence,
            templates: compiled(&templates, precedence),
            ignored: compiled(&routes.keys.ignore.0, Precedence::Declared),
            inference: Inference::new(Router::new(&routes).limits),
            written: Written::new(&said, &routes.keys),
            said,
            ledger: Alone::default(),
            scratch: Scratch::default(),
            started: Instant::now(),
            agreed: Duration::ZERO,
        }
    }

    /// Takes note of a request and of whether its answer showed that the path exists.
    pub fn learn(&mut self, method: &str, path: &str, exists: bool) {
        let (method, path) = (Method::from_bytes(method.as_bytes()), path_of(path).as_bytes());
        let scratch = &mut self.scratch;
        let is_open = self.ignored.find(method, path, scratch).is_none()
            && self.templates.find(method, path, scratch).is_none();
        if is_open && exists {
            let shape = Shape::of(path);
            self.inference.infer(&shape, Answer::Exists, || true, &mut self.ledger);
            self.agree();
        }
    }

    /// Which route a request has, and why, in sentences. Nothing is learned from it.
    pub fn explain(&self, method: &str, path: &str, exists: bool) -> Vec<String> {
        self.explained(method, path, exists).sentences()
    }

    /// The same in its parts.
    pub fn explained(&self, method: &str, path: &str, exists: bool) -> Explained {
        let routes = config::interpret(&self.said).map(|settings| settings.routes);
        let router = Router::new(&routes.unwrap_or_default());
        let path = path_of(path).as_bytes();
        let verb = Method::from_bytes(method.as_bytes());
        let explanation = self.inference.explain(&router, verb, path, exists);
        let mut explained = Explained {
            steps: Vec::new(),
            standing: None,
            route: explanation.route,
            source: explanation.source,
        };
        let mut beside = 0;
        for step in &explanation.steps {
            let is_beside = matches!(step, Step::OtherMethods(_) | Step::Outranked(_));
            beside += usize::from(is_beside);
            if is_beside && beside > MOST_BESIDE {
                continue;
            }
            explained.take(step, self.sentence(step, method));
        }
        if let Some(more) = beside.checked_sub(MOST_BESIDE).filter(|more| *more > 0) {
            explained.steps.push(format!("So do {more} more templates."));
        }
        explained
    }

    /// What any worker does each second.
    fn agree(&mut self) {
        let now = self.started.elapsed();
        if now.saturating_sub(self.agreed) >= AGREE {
            self.agreed = now;
            self.ledger.hour = u32::try_from(now.as_secs() / HOUR).unwrap_or(u32::MAX);
            self.inference.agree(&mut self.ledger);
        }
    }

    fn sentence(&self, step: &Step, method: &str) -> String {
        match step {
            Step::Read(path) => format!("The path is read as {path:?}."),
            Step::Ignored(entry) => format!(
                "{} matches: the request leaves no telemetry, and its IDs pass all the same.",
                place("ignore", &self.written.ignore, *entry)
            ),
            Step::Matched(template, route) => {
                format!("{} matches, and its route is {route}.", self.template(*template))
            }
            Step::OtherMethods(template) => format!(
                "{} matches the path, but does not take {method}.",
                self.template(*template)
            ),
            Step::Outranked(template) => {
                let why = match self.precedence {
                    Precedence::Specific => "it is no more specific",
                    Precedence::Declared => "it comes later in the list",
                };
                format!("{} matches too, but {why}.", self.template(*template))
            }
            Step::NoTemplate if self.written.templates.is_empty() => {
                "No template is configured.".to_owned()
            }
            Step::NoTemplate => "No template matches.".to_owned(),
            Step::NotInferred => "Nothing is inferred, because routes.infer is off.".to_owned(),
            inferred => inferred_sentence(inferred),
        }
    }

    fn template(&self, number: usize) -> String {
        place("templates", &self.written.templates, number)
    }
}

impl Written {
    fn new(said: &Value, meant: &Routes) -> Self {
        let templates = meant.templates.0.iter().map(|entry| &entry.template);
        Self {
            templates: written(said, "templates", templates),
            ignore: written(said, "ignore", meant.ignore.0.iter()),
        }
    }
}

impl Explained {
    /// All of it, the route in the last sentence.
    pub fn sentences(self) -> Vec<String> {
        let last = self.conclusion();
        self.steps.into_iter().chain(self.standing).chain([last]).collect()
    }

    /// What it comes to.
    pub fn conclusion(&self) -> String {
        match (&self.route, self.source) {
            (Some(route), Some(source)) => {
                format!("The route is {route}, and route_source is {}.", source.as_str())
            }
            _ => "The request has no route.".to_owned(),
        }
    }

    fn take(&mut self, step: &Step, sentence: String) {
        match step {
            Step::Known | Step::NotKnown | Step::Admitted | Step::Full => {
                self.standing = Some(sentence);
            }
            _ => self.steps.push(sentence),
        }
    }
}

fn inferred_sentence(step: &Step) -> String {
    match step {
        Step::Judged(segment, verdict) => match verdict.kind {
            Some(kind) => format!("{segment:?} becomes {}: {}.", kind.placeholder(), verdict.rule),
            None => format!("{segment:?} stays: {}.", verdict.rule),
        },
        Step::TooDeep => "All that is deeper is one {str}.".to_owned(),
        Step::Collapsed(word, distinct) => format!(
            "{word:?} becomes {{str}}: at least {distinct} different words stand in its place, and it is not one of the frequent ones."
        ),
        Step::Known => "The route is known from answers before.".to_owned(),
        Step::NotKnown => {
            "The route is not known, and no answer has shown that the path exists.".to_owned()
        }
        Step::Admitted => {
            "The route is not known from before; the answer shows that the path exists.".to_owned()
        }
        Step::Full => "The route is not known from before, and routes.limit is reached.".to_owned(),
        other => format!("{other}."),
    }
}

/// The entries of a list under `routes`. What holds by default is written nowhere.
fn written<'a>(said: &Value, key: &str, meant: impl Iterator<Item = &'a Template>) -> Vec<String> {
    let list = match entry(said, "routes").and_then(|routes| entry(routes, key)) {
        Some(Value::List(entries)) => entries.as_slice(),
        _ => &[],
    };
    let text = |(number, template): (usize, &Template)| {
        list.get(number).and_then(text).unwrap_or(&template.text).to_owned()
    };
    meant.enumerate().map(text).collect()
}

/// A template's text, by itself or among its settings.
fn text(said: &Value) -> Option<&str> {
    match said {
        Value::String(text) => Some(text),
        map => entry(map, "path").and_then(text),
    }
}

fn entry<'a>(map: &'a Value, key: &str) -> Option<&'a Value> {
    let Value::Map(entries) = map else { return None };
    entries.iter().find(|(name, _)| name == key).map(|(_, value)| value)
}

/// Where an entry stands, and what stands there.
fn place(key: &str, written: &[String], number: usize) -> String {
    let text = written.get(number).map_or("", String::as_str);
    format!("routes.{key}[{number}], {text},")
}

#[cfg(test)]
mod tests;

//! What the configuration says of routes, ready for requests: which template a request matches, and what
//! holds for it.

use std::ops::Range;
use std::rc::Rc;
use std::time::Duration;

use super::learner::Limits;
use super::matcher::{Scratch, Templates};
use crate::config::{
    Infer, ParameterName, Period, RouteEntry, RouteSettings, Signal, Text, WhichLines,
};
use crate::redact::REDACTED;
use crate::{Method, Sampler};

/// The routes of a configuration.
#[derive(Clone, Debug)]
pub struct Router {
    templates: Rc<Templates>,
    ignored: Rc<Templates>,
    rules: Vec<Rules>,
    /// The limits of inference; none: nothing is inferred.
    pub limits: Option<Limits>,
}

/// What the request's head says of its route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// It is to leave no trace.
    Ignored,
    /// It matches this template, counted from 0.
    Template(usize),
    /// No template. The route is inferred once the answer is known.
    Open,
}

/// What holds for the requests of one template.
#[derive(Clone, Debug)]
pub struct Rules {
    /// What `http.route` says.
    pub name: String,
    /// Decides for the traces that start here, if this route has a ratio of its own.
    pub sampler: Option<Sampler>,
    /// A span that took longer is kept.
    pub slow: Option<Duration>,
    /// Which requests are logged.
    pub lines: WhichLines,
    /// Whether requests are counted.
    pub counts: bool,
    /// Whether requests are traced.
    pub traced: bool,
    secret: Vec<String>,
}

/// The most children that a parent has before they collapse. Services have fewer resources beside each
/// other than they have users or articles.
const MOST_CHILDREN: usize = 100;

impl Router {
    /// Takes what was configured.
    pub fn new(settings: &RouteSettings) -> Self {
        let routes = settings.keys.limit.as_usize();
        let limits = match settings.keys.infer {
            Infer::Learned => Some(Limits { routes, children: Some(MOST_CHILDREN) }),
            Infer::Typed => Some(Limits { routes, children: None }),
            Infer::Off => None,
        };
        Self {
            templates: Rc::clone(&settings.templates),
            ignored: Rc::clone(&settings.ignored),
            rules: settings.keys.templates.0.iter().map(Rules::new).collect(),
            limits,
        }
    }

    /// What a request's head says of its route. The path has no query.
    pub fn target(&self, method: Method, path: &[u8], scratch: &mut Scratch) -> Target {
        if self.ignored.find(method, path, scratch).is_some() {
            return Target::Ignored;
        }
        self.templates.find(method, path, scratch).map_or(Target::Open, Target::Template)
    }

    /// What holds for requests with this target, if that is a template.
    pub fn rules(&self, target: Target) -> Option<&Rules> {
        match target {
            Target::Template(template) => self.rules.get(template),
            Target::Ignored | Target::Open => None,
        }
    }

    /// Whether requests with this target are counted.
    pub fn counts(&self, target: Target) -> bool {
        target != Target::Ignored && self.rules(target).is_none_or(|rules| rules.counts)
    }

    /// Whether requests with this target are traced.
    pub fn traces(&self, target: Target) -> bool {
        target != Target::Ignored && self.rules(target).is_none_or(|rules| rules.traced)
    }

    /// The path with its secrets left out, if there are any.
    pub fn redacted(&self, target: Target, path: &[u8], scratch: &mut Scratch) -> Option<Vec<u8>> {
        let Target::Template(template) = target else { return None };
        let rules = self.rules.get(template).filter(|rules| !rules.secret.is_empty())?;
        let secrets = self.templates.locate(template, &rules.secret, path, scratch);
        Some(without(path, &secrets, 0))
    }

    /// A value of a header with the first path in it as [`Self::redacted`] has it, by the first template with secrets that
    /// it matches: where a response leads to, or what a page was that has led here. Nobody knows its method.
    pub(crate) fn redacted_within(&self, value: &[u8]) -> Option<Vec<u8>> {
        let mut templates =
            self.rules.iter().enumerate().filter(|(_, rules)| !rules.secret.is_empty()).peekable();
        templates.peek()?;
        let (start, path) = first_path(value)?;
        let mut scratch = Scratch::default();
        templates.find_map(|(template, rules)| {
            let secrets = self.templates.locate(template, &rules.secret, path, &mut scratch);
            (!secrets.is_empty()).then(|| without(value, &secrets, start))
        })
    }

    /// How many templates there are.
    pub fn templates_count(&self) -> usize {
        self.rules.len()
    }

    /// The templates, for explaining.
    pub(super) fn templates(&self) -> &Templates {
        &self.templates
    }

    /// The paths to be ignored, for explaining.
    pub(super) fn ignored(&self) -> &Templates {
        &self.ignored
    }

    /// The name of a template's route, for explaining.
    pub(super) fn name(&self, template: usize) -> &str {
        self.rules.get(template).map_or("", |rules| &rules.name)
    }
}

/// A text without these parts, which are counted from `start` on.
fn without(text: &[u8], secrets: &[Range<usize>], start: usize) -> Vec<u8> {
    let mut redacted = Vec::with_capacity(text.len());
    let mut rest = 0;
    for secret in secrets {
        redacted.extend_from_slice(text.get(rest..start + secret.start).unwrap_or_default());
        redacted.extend_from_slice(REDACTED);
        rest = start + secret.end;
    }
    redacted.extend_from_slice(text.get(rest..).unwrap_or_default());
    redacted
}

/// The first path in a text, by itself or in a URL, and where it begins.
fn first_path(text: &[u8]) -> Option<(usize, &[u8])> {
    let slash = |from: usize| {
        let at = text.get(from..)?.iter().position(|&byte| byte == b'/')?;
        Some(from + at)
    };
    let first = slash(0)?;
    let is_host = text.get(first + 1) == Some(&b'/');
    let start = if is_host { slash(first + 2)? } else { first };
    let ends = |byte: &u8| byte.is_ascii_whitespace() || b"?#<>\"".contains(byte);
    Some((start, text.get(start..)?.split(|byte| ends(byte)).next()?))
}

impl Rules {
    fn new(RouteEntry { template, settings }: &RouteEntry) -> Self {
        let leaves_out = |signal| settings.ignore.0.contains(&signal);
        Self {
            name: settings.name.as_ref().map_or(template.text.as_str(), Text::as_str).to_owned(),
            sampler: settings.sample.map(|ratio| Sampler::with_ratio(ratio.as_f64())),
            slow: settings.slow.map(Period::as_duration),
            lines: if leaves_out(Signal::Log) { WhichLines::None } else { settings.log },
            counts: !leaves_out(Signal::Metrics),
            traced: !leaves_out(Signal::Trace),
            secret: settings.secret.0.iter().map(|ParameterName(name)| name.clone()).collect(),
        }
    }
}

//! Custom metrics as they are said: figures of the business, taken from headers.

use super::choice::choice;
use super::header::check_secret;
use super::list::Entry;
use super::section::section;
use super::{
    Buckets, Described, Key, Labels, Leaf, Optional, Path, Problem, RouteEntry, Setting, Text,
    Token, Value, ValueSettings, nearest, require,
};
use crate::Method;
use crate::route::template;

section! {
    /// One custom metric.
    pub struct CustomSettings {
        /// Its name behind `sightline.custom.`, or `sightline_custom_` where Prometheus reads it.
        name: Option<MetricName> = None,
        /// `counter`: what adds up. `histogram`: how values are spread.
        kind: Option<CustomKind> = None,
        /// The route whose requests count: one of `routes.templates` as it is written there, with its methods or without, or
        /// its name. Unset: any.
        route: Option<RouteName> = None,
        /// The method whose requests count. Unset: any, but not the questions of a browser before a request (CORS).
        method: Option<OneMethod> = None,
        /// The header that holds the value of a request: a decimal number that is not negative. A request without it does not
        /// count. Unset: a counter counts requests; a histogram has to have it.
        value: Optional<ValueSettings> = Optional::default(),
        /// The unit of the values, such as `EUR`, `By` or `s`: in UCUM, if it has one.
        unit: Option<Unit> = None,
        /// The upper boundaries of a histogram's buckets. Unset: `metrics.buckets`.
        buckets: Optional<Buckets> = Optional::default(),
        /// Labels, by their names.
        labels: Labels = Labels::default(),
    }
}

choice! {
    /// What a custom metric is.
    pub enum CustomKind {
        /// Values that add up.
        Counter = "counter",
        /// How values are spread.
        Histogram = "histogram",
    }
}

/// The name of a custom metric. Invariant: lower-case letters, digits and underscores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricName(String);

/// A route as somebody calls it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteName(String);

/// A method that can be named: `_OTHER` cannot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OneMethod(pub Method);

/// The unit of a value. Invariant: visible ASCII, and not much of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit(String);

/// Endings that a name has only where it is shown, because they say which part of a metric a number is.
const ENDINGS: [&str; 6] = ["_total", "_bucket", "_sum", "_count", "_created", "_info"];

impl MetricName {
    const LONGEST: usize = 64;

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl RouteName {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Unit {
    const LONGEST: usize = 63;

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The templates that a route's name means, counted from 0: those that have it, and those that are written so.
pub(crate) fn templates_called(called: &RouteName, entries: &[RouteEntry]) -> Vec<usize> {
    let written = template::parse(called.as_str()).ok();
    let is_meant = |entry: &RouteEntry| {
        let is_named = name_of(entry) == Some(called.as_str());
        let is_written = written.as_ref().is_some_and(|written| {
            let methods = written.methods;
            written.text == entry.template.text
                && (methods.is_any() || methods == entry.template.methods)
        });
        is_named || is_written
    };
    entries.iter().enumerate().filter(|(_, entry)| is_meant(entry)).map(|(at, _)| at).collect()
}

fn name_of(entry: &RouteEntry) -> Option<&str> {
    entry.settings.name.as_ref().map(Text::as_str)
}

impl CustomSettings {
    /// The most that there are.
    pub const MOST: usize = 32;

    /// What does not go together, and what is missing.
    fn check(&self, at: &Path<'_>, problems: &mut Vec<Problem>) {
        let name = Path::Key(at, "name");
        require(self.name.is_some(), &name, &<MetricName as Leaf>::takes(), problems);
        if let Some(name) = &self.name {
            check_ending(name.as_str(), at, problems);
        }
        require(
            self.kind.is_some(),
            &Path::Key(at, "kind"),
            &<CustomKind as Leaf>::takes(),
            problems,
        );
        let value = Path::Key(at, "value");
        if let Some(source) = self.value.as_ref() {
            source.check(&value, problems);
        }
        match self.kind {
            Some(CustomKind::Histogram) => {
                let takes = "the header that holds what a histogram is of";
                require(self.value.as_ref().is_some(), &value, takes, problems);
            }
            Some(CustomKind::Counter) if self.buckets.as_ref().is_some() => {
                let message = "a list stands here beside kind: counter, which has no buckets; leave it out, or say kind: histogram";
                problems.push(Problem::new(Path::Key(at, "buckets"), message));
            }
            Some(CustomKind::Counter) | None => {}
        }
    }

    /// Tells if it reads headers that are secret.
    pub(super) fn check_headers(
        &self,
        secret: &[Token],
        at: &Path<'_>,
        problems: &mut Vec<Problem>,
    ) {
        let value = self.value.as_ref().and_then(ValueSettings::source);
        check_secret(value, secret, &Path::Key(at, "value"), problems);
        let labels = Path::Key(at, "labels");
        for (name, label) in &self.labels.0 {
            check_secret(label.source(), secret, &Path::Key(&labels, name), problems);
        }
    }

    /// Tells if its route is none of those that there are.
    pub(super) fn check_route(
        &self,
        entries: &[RouteEntry],
        at: &Path<'_>,
        problems: &mut Vec<Problem>,
    ) {
        let Some(route) = &self.route else { return };
        if templates_called(route, entries).is_empty() {
            let said = Value::String(route.0.clone());
            let message =
                format!("{said} stands here, expected one of routes.templates, or its name");
            let near = nearest_route(route.as_str(), entries);
            problems.push(Problem::new(Path::Key(at, "route"), message).or_meant(near));
        }
    }
}

fn check_ending(name: &str, at: &Path<'_>, problems: &mut Vec<Problem>) {
    let at = Path::Key(at, "name");
    for ending in ENDINGS {
        if let Some(rest) = name.strip_suffix(ending) {
            let message = format!(
                "{name:?} stands here, expected a name without {ending}, which is put behind it where it belongs"
            );
            problems.push(Problem::new(at, message).or_meant(Some(rest)));
        }
    }
}

fn nearest_route<'a>(said: &str, entries: &'a [RouteEntry]) -> Option<&'a str> {
    let known = entries.iter().flat_map(|entry| [Some(&*entry.template.text), name_of(entry)]);
    // Others are too far away, and finding out how far takes time.
    let is_about_as_long = |name: &&str| name.len().abs_diff(said.len()) <= said.len() / 3 + 1;
    let known: Vec<&str> = known.flatten().filter(is_about_as_long).collect();
    nearest(said, &known)
}

impl Entry for CustomSettings {
    fn takes() -> String {
        format!("at most {} maps with a name, a kind and what else it takes", Self::MOST)
    }

    fn read(said: &Value, at: &Path<'_>, problems: &mut Vec<Problem>) -> Option<Self> {
        let mut custom = Self::default();
        custom.set(said, at, problems);
        if matches!(said, Value::Map(_) | Value::Null) {
            custom.check(at, problems);
        }
        Some(custom)
    }

    fn show(&self) -> String {
        Leaf::show(&self.name)
    }

    fn describe_keys(at: &Path<'_>, keys: &mut Vec<Key>) {
        Self::default().describe(at, "", keys);
    }
}

impl Leaf for MetricName {
    fn takes() -> String {
        format!(
            "a name of at most {} lower-case letters, digits and _, which begins with a letter",
            Self::LONGEST
        )
    }

    fn parse(said: &Value) -> Option<Self> {
        let Value::String(name) = said else { return None };
        let begins = name.starts_with(|first: char| first.is_ascii_lowercase());
        let goes_on = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let fits = begins && name.bytes().all(goes_on) && name.len() <= Self::LONGEST;
        fits.then(|| Self(name.clone()))
    }

    fn show(&self) -> String {
        self.0.clone()
    }
}

impl Leaf for RouteName {
    fn takes() -> String {
        "one of routes.templates, or its name".to_owned()
    }

    fn parse(said: &Value) -> Option<Self> {
        match said {
            Value::String(name) => Some(Self(name.clone())),
            _ => None,
        }
    }

    fn show(&self) -> String {
        self.0.clone()
    }
}

impl Leaf for OneMethod {
    fn takes() -> String {
        super::one_of(Self::known()).to_ascii_uppercase().replace(" OR ", " or ")
    }

    fn parse(said: &Value) -> Option<Self> {
        let Value::String(name) = said else { return None };
        let method = Method::from_bytes(name.to_ascii_uppercase().as_bytes());
        (method != Method::Other).then_some(Self(method))
    }

    fn show(&self) -> String {
        self.0.as_str().to_owned()
    }

    fn known() -> &'static [&'static str] {
        &["connect", "delete", "get", "head", "options", "patch", "post", "put", "query", "trace"]
    }
}

impl Leaf for Unit {
    fn takes() -> String {
        format!("a unit of 1 to {} visible ASCII characters", Self::LONGEST)
    }

    fn parse(said: &Value) -> Option<Self> {
        let Value::String(unit) = said else { return None };
        let fits = !unit.is_empty() && unit.len() <= Self::LONGEST;
        (fits && unit.bytes().all(|byte| byte.is_ascii_graphic())).then(|| Self(unit.clone()))
    }

    fn show(&self) -> String {
        self.0.clone()
    }
}

#[cfg(test)]
mod tests;

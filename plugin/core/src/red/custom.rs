//! Custom metrics: what headers say of requests, as samples with few label sets.
//!
//! While a request is under way only small numbers are kept of its headers: a value is read, and a text looked
//! up among those that are allowed, when the header passes by. What becomes of samples is not decided here.

use std::borrow::Cow;

use super::family::{Family, Kind};
use super::{Boundaries, Decimal, openmetrics};
use crate::config::{
    CustomKind, CustomSettings, LabelSettings, Labels, MetricName, Metrics, OneMethod, RouteEntry,
    Side, Source, Text, Unit, ValueSettings, templates_called,
};
use crate::head::{LONGEST_VALUE, Pair, RequestHead};
use crate::route::Target;
use crate::{Method, Observation};

/// One custom metric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Custom {
    /// Its name, kind, unit and labels.
    pub family: Family,
    /// The boundaries of its buckets, if it is a histogram.
    pub boundaries: Option<Boundaries>,
    /// What its rows are known by: all that must be the same for what was counted before to be added to.
    pub identity: String,
    /// Its place among the custom metrics of a plan.
    number: usize,
    /// The templates whose requests count; none: those of all.
    templates: Option<Vec<usize>>,
    /// The method whose requests count.
    method: Option<Method>,
    /// The header that holds the value; none: each request is one.
    value: Option<Source>,
    labels: Vec<Label>,
}

/// What one request adds to a custom metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample<'a> {
    texts: [&'a str; Labels::MOST],
    count: usize,
    /// The number of the label set: below 1,000, the same for the same texts, and another for others.
    pub choice: u32,
    /// The value.
    pub value: Decimal,
}

/// A header that holds no decimal number that is not negative, or comes more than once and says different ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invalid;

/// What a custom metric has seen of one request that it applies to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    /// The number of the metric.
    custom: usize,
    value: Option<Result<Decimal, Invalid>>,
    /// By label, the place of its text among those that are allowed.
    places: [u8; Labels::MOST],
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Label {
    source: Source,
    allowed: Vec<String>,
}

/// The place of a text whose header has not been seen.
const UNSEEN: u8 = u8::MAX;

impl Custom {
    /// All that are configured.
    pub(crate) fn all(metrics: &Metrics, templates: &[RouteEntry]) -> Vec<Self> {
        let custom = metrics.custom.0.iter().enumerate();
        custom.filter_map(|(number, one)| Self::new(number, one, metrics, templates)).collect()
    }

    /// None of what is incomplete, which no configuration that was read is.
    fn new(
        number: usize,
        settings: &CustomSettings,
        metrics: &Metrics,
        templates: &[RouteEntry],
    ) -> Option<Self> {
        let is_histogram = settings.kind? == CustomKind::Histogram;
        let family = family(settings)?;
        let buckets = settings.buckets.as_ref().unwrap_or(&metrics.buckets);
        let route = settings.route.as_ref();
        Some(Self {
            identity: identity(&family),
            family,
            boundaries: is_histogram.then(|| buckets.0.clone()),
            number,
            templates: route.map(|route| templates_called(route, templates)),
            method: settings.method.map(|OneMethod(method)| method),
            value: settings.value.as_ref().and_then(ValueSettings::source),
            labels: settings.labels.0.iter().filter_map(|(_, label)| Label::new(label)).collect(),
        })
    }

    /// What a finished request adds; none if it is none of those that count, or its header is not there.
    pub fn sample<'a>(
        &'a self,
        observation: &Observation<'_>,
    ) -> Option<Result<Sample<'a>, Invalid>> {
        let seen = observation.seen.iter().find(|seen| seen.custom == self.number)?;
        let value = if self.value.is_some() { seen.value? } else { Ok(Decimal::whole(1)) };
        Some(value.map(|value| self.sample_of(seen, value)))
    }

    fn sample_of(&self, seen: &Seen, value: Decimal) -> Sample<'_> {
        let mut texts = [""; Labels::MOST];
        let mut choice = 0;
        for ((label, place), text) in self.labels.iter().zip(seen.places).zip(&mut texts) {
            let allowed = label.allowed.get(usize::from(place));
            *text = allowed.map_or(LabelSettings::OTHER, String::as_str);
            let others = label.other();
            choice = choice * (u32::from(others) + 1) + u32::from(place.min(others));
        }
        Sample { texts, count: self.labels.len(), choice, value }
    }

    fn applies(&self, template: Option<usize>, head: &RequestHead) -> bool {
        let is_route = self
            .templates
            .as_ref()
            .is_none_or(|templates| template.is_some_and(|template| templates.contains(&template)));
        is_route
            && match self.method {
                Some(method) => method == head.method(),
                None => head.preflight().is_none(),
            }
    }

    fn see(&self, side: Side, (name, value): Pair<'_>, seen: &mut Seen) {
        if self.value.as_ref().is_some_and(|source| source.is(side, name)) {
            seen.see_value(value);
        }
        for (label, place) in self.labels.iter().zip(&mut seen.places) {
            if *place == UNSEEN && label.source.is(side, name) {
                *place = label.place(value);
            }
        }
    }
}

impl<'a> Sample<'a> {
    /// The texts of its labels, in the order of the family's.
    pub fn labels(&self) -> &[&'a str] {
        self.texts.get(..self.count).unwrap_or(&self.texts)
    }
}

impl Seen {
    fn see_value(&mut self, value: &[u8]) {
        // What is longer than any value that is kept is no number that somebody means.
        let value = Some(value).filter(|value| value.len() <= LONGEST_VALUE);
        let value = value.and_then(Decimal::parse).ok_or(Invalid);
        self.value = match self.value {
            Some(earlier) if earlier != value => Some(Err(Invalid)),
            _ => Some(value),
        };
    }
}

impl Label {
    fn new(settings: &LabelSettings) -> Option<Self> {
        let allowed = settings.allow.0.iter().take(LabelSettings::MOST_TEXTS);
        let allowed = allowed.map(|text| Text::as_str(text).trim().to_owned()).collect();
        Some(Self { source: settings.source()?, allowed })
    }

    /// The place of a text: behind all others, if it is not allowed.
    fn place(&self, text: &[u8]) -> u8 {
        let text = text.trim_ascii();
        let place = self.allowed.iter().position(|allowed| allowed.as_bytes() == text);
        place.and_then(|place| u8::try_from(place).ok()).unwrap_or(self.other())
    }

    fn other(&self) -> u8 {
        u8::try_from(self.allowed.len()).unwrap_or(0)
    }
}

/// Those that apply to a request, and nothing seen of it yet. It allocates nothing where there are none.
pub(crate) fn applying(custom: &[Custom], target: Target, head: &RequestHead) -> Vec<Seen> {
    let template = match target {
        Target::Ignored => return Vec::new(),
        Target::Template(template) => Some(template),
        Target::Open => None,
    };
    let apply = custom.iter().filter(|custom| custom.applies(template, head));
    let unseen = |custom: &Custom| Seen {
        custom: custom.number,
        value: None,
        places: [UNSEEN; Labels::MOST],
    };
    apply.map(unseen).collect()
}

/// Shows a head to those that apply.
pub(crate) fn see<'a>(
    custom: &[Custom],
    seen: &mut [Seen],
    side: Side,
    pairs: impl Iterator<Item = Pair<'a>>,
) {
    if seen.is_empty() {
        return;
    }
    for pair in pairs {
        for seen in &mut *seen {
            if let Some(custom) = custom.get(seen.custom) {
                custom.see(side, pair, seen);
            }
        }
    }
}

/// What a metric is called on the page of the endpoint; none if it is incomplete.
pub(crate) fn page_name(settings: &CustomSettings) -> Option<String> {
    Some(openmetrics::name_of(&family(settings)?))
}

fn family(settings: &CustomSettings) -> Option<Family> {
    let is_histogram = settings.kind? == CustomKind::Histogram;
    let name = settings.name.as_ref().map(MetricName::as_str)?;
    let labels = settings.labels.0.iter();
    let labels: Vec<_> = labels.map(|(name, _)| Cow::Owned(name.clone())).collect();
    Some(Family {
        name: Cow::Owned(["sightline.custom.", name].concat()),
        kind: if is_histogram { Kind::Histogram } else { Kind::Amount },
        unit: Cow::Owned(settings.unit.as_ref().map_or("", Unit::as_str).to_owned()),
        about: Cow::Borrowed("Custom metric, as the configuration has it"),
        labels: Cow::Owned(labels),
    })
}

/// Names and units hold no blanks, and names of labels no commas.
fn identity(family: &Family) -> String {
    let kind = if family.kind == Kind::Histogram { "histogram" } else { "counter" };
    [&family.name, kind, &family.unit, &family.labels.join(",")].join(" ")
}

#[cfg(test)]
mod tests;

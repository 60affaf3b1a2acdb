//! Where what we expect differs from what the framework does, and why.
//!
//! Each deviation says which other probes stand for one, or what becomes of the framework's answer. It
//! holds for every probe of its framework, so that it cannot hide anything else.

use Deviation::{HeadOfGet, LineFeed, LongNumber, Refused, SameWeight, TrailingSlash};

use crate::framework::{Answer, Framework, Note};
use crate::probes::{Probe, with_other_end};

/// What we do otherwise than the framework.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Deviation {
    /// A trailing slash makes no difference (the contract), neither in a path nor in a template. So a
    /// path is of the first route that takes it when either has one or not. To a framework it may be
    /// another route, or none: Flask and Django never take a slash off, and none of the three
    /// redirects a path that matches.
    TrailingSlash,
    /// A template for GET is one for HEAD too, as in Flask and Starlette. `FastAPI` answers 405, and
    /// that answer is best counted under the route that was asked.
    HeadOfGet,
    /// When a value fits Werkzeug's pattern and its converter then refuses it (more than `max`, other
    /// than `fixed_digits`), Flask answers 404 without a look at its other rules. For us a constraint
    /// is part of the language, and the next route that matches is named.
    Refused,
    /// Python converts no number of more than 4,300 digits. `FastAPI` then answers 500, Flask 404, and
    /// Django tries its next path. For us a converter's language has no such bound.
    LongNumber,
    /// In a pattern of Python's, `.` takes every character but a line feed, and so does a `path`; and
    /// `$`, with which Starlette ends a route, overlooks one at the end, so that there `/users%0A` is
    /// `/users`. For us it is a character like others.
    LineFeed,
    /// Werkzeug gives a `uuid` and an `any` the weight of a plain string, so that of two rules that
    /// differ in no more than that the first registered counts. For us the narrower one is the more
    /// specific.
    SameWeight,
}

/// Of `FastAPI`.
pub(crate) const FASTAPI: &[Deviation] = &[TrailingSlash, HeadOfGet, LongNumber, LineFeed];

/// Of Flask in the order of its rules.
pub(crate) const FLASK: &[Deviation] = &[TrailingSlash, Refused, LongNumber, LineFeed];

/// Of Flask, if the most specific rule counts.
pub(crate) const FLASK_BY_WEIGHT: &[Deviation] =
    &[TrailingSlash, Refused, LongNumber, LineFeed, SameWeight];

/// Of Django.
pub(crate) const DJANGO: &[Deviation] = &[TrailingSlash, LongNumber, LineFeed];

/// What the core should say.
pub(crate) struct Expectation {
    pub(crate) route: Option<usize>,
    /// All that match, in no order.
    pub(crate) matching: Vec<usize>,
    /// The deviations without which another route would be expected.
    pub(crate) met: Vec<Deviation>,
    /// What the framework said to the probe as it is.
    pub(crate) answer: Answer,
}

impl Expectation {
    pub(crate) fn of(probe: &Probe, framework: &mut Framework, deviations: &[Deviation]) -> Self {
        let route = chosen(probe, framework, deviations);
        let met = deviations.iter().copied().filter(|left_out| {
            let others: Vec<_> = deviations.iter().copied().filter(|it| it != left_out).collect();
            chosen(probe, framework, &others) != route
        });
        let met = met.collect();
        let equals = equals(probe, deviations);
        let answers: Vec<_> = equals.iter().map(|it| framework.ask(it)).collect();
        let matching = answers.into_iter().flat_map(|it| [it.matching, it.bare].concat()).collect();
        Self { route, matching, met, answer: framework.ask(probe) }
    }
}

/// The first route that the framework has for any of the probes that are one for us.
fn chosen(probe: &Probe, framework: &mut Framework, deviations: &[Deviation]) -> Option<usize> {
    let equals = equals(probe, deviations);
    let answers = equals.iter().map(|it| framework.ask(it));
    let answers: Vec<_> = answers.collect();
    let first = answers.iter().flat_map(|answer| meant(answer, deviations)).min()?;
    let narrower = || answers.iter().find_map(|it| narrower(first, &it.matching, framework));
    deviations.contains(&SameWeight).then(narrower).flatten().or(Some(first))
}

/// The rule that differs from the first one only in that a plain string is something narrower.
fn narrower(first: usize, matching: &[usize], framework: &Framework) -> Option<usize> {
    let (plain, mut others) = (framework.template(first), matching.iter().copied());
    others.find(|&other| {
        let template = framework.template(other);
        template != plain && unweighted(template) == plain
    })
}

/// A template without the converters that change no weight.
fn unweighted(template: &str) -> String {
    let mut parts = template.split('<');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let same_weight = part.starts_with("uuid:") || part.starts_with("any(");
        let bare = part.split_once(':').filter(|_| same_weight).map_or(part, |(_, bare)| bare);
        plain.extend(["<", bare]);
    }
    plain
}

/// What the probe is to us: itself, or all that it is the same as.
fn equals(probe: &Probe, deviations: &[Deviation]) -> Vec<Probe> {
    let mut like = probe.clone();
    if deviations.contains(&LongNumber) {
        like.digits = 0;
    }
    if deviations.contains(&LineFeed) {
        // Another control character, of which no pattern knows.
        like.path = like.path.replace("%0A", "%01");
    }
    let mut equals = vec![like];
    if deviations.contains(&TrailingSlash) {
        let other = |it: &Probe| Some(Probe { path: with_other_end(&it.path)?, ..it.clone() });
        let others: Vec<_> = equals.iter().filter_map(other).collect();
        equals.extend(others);
    }
    if deviations.contains(&HeadOfGet) && probe.method == "HEAD" {
        let of_get = |it: &Probe| Probe { method: "GET", ..it.clone() };
        let get: Vec<_> = equals.iter().map(of_get).collect();
        equals.extend(get);
    }
    equals
}

/// The routes that an answer can mean to us, of which the first counts.
fn meant(answer: &Answer, deviations: &[Deviation]) -> Vec<usize> {
    let mut meant = Vec::from_iter(answer.route);
    if deviations.contains(&TrailingSlash) {
        meant.extend(&answer.bare);
    }
    if deviations.contains(&Refused) && answer.note == Some(Note::Refused) {
        meant.extend(&answer.matching);
    }
    meant
}

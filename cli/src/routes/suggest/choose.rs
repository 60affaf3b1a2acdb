//! Which templates to print: as few as will do, each of which takes its own requests and nobody else's, all
//! of them together such that the filter accepts them.

use std::collections::BTreeMap;

use sightline_core::Method;
use sightline_core::config::Routes;
use sightline_core::route::matcher::{Fault, Scratch, TemplateProblem, Templates};
use sightline_core::route::template::{self, Piece, Template};
use sightline_core::route::{Precedence, Shape};

use super::gather::{Counts, Gathering, Tally};

/// Templates worth pinning, the most frequent first, and what is not among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestions {
    /// Requests that were read.
    pub requests: u64,
    /// The templates.
    pub pinned: Vec<Pinned>,
    /// The rest.
    pub left_out: LeftOut,
    /// Lines that are no requests.
    pub unread: u64,
    /// Where the first of these stands.
    pub first_unread: Option<String>,
}

/// One template to pin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pinned {
    /// Such as `/users/{user_id:int}`, with methods in front where it must have them.
    pub template: String,
    /// The route without it: `/users/{int}`.
    pub replaces: String,
    /// Requests that it takes.
    pub requests: u64,
    /// A path that it matches.
    pub example: String,
    /// It has no parameter, and stands there because another template would take its requests.
    pub beside: bool,
    /// A method that came.
    method: Method,
}

/// What no template is suggested for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Requests to paths of which no answer has shown that they exist.
    pub unmatched: u64,
    /// The path of one of these.
    pub unmatched_example: Option<String>,
    /// Requests to paths that are ignored.
    pub ignored: u64,
    /// Requests that templates match already.
    pub templates: u64,
    /// Requests past the most routes that there can be.
    pub overflowed: u64,
    /// Requests to routes without a parameter: they have the right name already.
    pub plain: u64,
    /// Routes with too few requests.
    pub rare: Vec<String>,
    /// Routes that no template can be written for.
    pub odd: Vec<String>,
}

pub(super) fn choose(gathering: &Gathering) -> Suggestions {
    let min = gathering.options.min;
    let mut left_out = LeftOut::of(&gathering.counts);
    let mut choice = Choice::beside(&gathering.settings.routes.keys);
    let mut routes = routes(gathering);
    for suggestion in gathering.inference.learned().suggest() {
        let Some(tally) = routes.remove(&suggestion.replaces) else { continue };
        if tally.requests < min {
            left_out.rare.push(suggestion.replaces);
            continue;
        }
        match choice.fitting(&suggestion.template, &tally) {
            Some(template) => choice.pin(template, suggestion.replaces, &tally),
            None => left_out.odd.push(suggestion.replaces),
        }
    }
    choice.merge();
    let plain: u64 = routes.values().map(|tally| tally.requests).sum();
    left_out.plain = plain - choice.protect(&routes, min);
    let counts = gathering.counts.clone();
    Suggestions {
        requests: counts.requests,
        pinned: choice.sorted(),
        left_out: left_out.sorted(),
        unread: counts.unread,
        first_unread: counts.first_unread,
    }
}

impl LeftOut {
    fn of(counts: &Counts) -> Self {
        Self {
            unmatched: counts.unmatched,
            unmatched_example: counts.unmatched_example.as_deref().map(str::to_owned),
            ignored: counts.ignored,
            templates: counts.templates,
            overflowed: counts.overflowed,
            ..Self::default()
        }
    }

    fn sorted(mut self) -> Self {
        self.rare.sort();
        self.odd.sort();
        self
    }
}

/// The requests by the route that they would have now: routes have been merged since.
fn routes(gathering: &Gathering) -> BTreeMap<String, Tally> {
    let learned = gathering.inference.learned();
    let mut tallies: Vec<_> = gathering.tallies.iter().collect();
    tallies.sort_by_key(|(slot, _)| **slot);
    let mut routes: BTreeMap<String, Tally> = BTreeMap::new();
    for (slot, tally) in tallies {
        let now = learned.find(Shape::of(tally.example.as_bytes()).parts());
        let Some(name) = learned.name(now.map_or(*slot, |found| found.route)) else { continue };
        match routes.get_mut(name) {
            Some(before) => before.add(tally),
            None => drop(routes.insert(name.to_owned(), tally.clone())),
        }
    }
    routes
}

/// The templates in the making.
struct Choice {
    precedence: Precedence,
    existing: Vec<Template>,
    pinned: Vec<Pinned>,
}

impl Choice {
    /// Beside what is configured already.
    fn beside(configured: &Routes) -> Self {
        let existing = configured.templates.0.iter().map(|entry| entry.template.clone()).collect();
        Self { precedence: configured.precedence, existing, pinned: Vec::new() }
    }

    /// The template, as free as it must be to match the route's example.
    fn fitting(&self, suggested: &str, tally: &Tally) -> Option<String> {
        let freed = suggested.replace(":int}", "}").replace(":uuid}", "}");
        let matches = |text: &String| {
            let template = template::parse(text).ok();
            let one = template.and_then(|it| Templates::new(&[it], Precedence::Specific).ok());
            one.is_some_and(|one| finds(&one, tally.method(), &tally.example).is_some())
        };
        let fitting = [suggested.to_owned(), freed].into_iter().find(matches)?;
        // What stands there for other methods is to keep them.
        let others = Templates::new(&self.existing, self.precedence).ok()?;
        let is_shared = !others.all(tally.example.as_bytes(), &mut Scratch::default()).is_empty();
        if is_shared { Some(format!("{} {fitting}", tally.methods()?)) } else { Some(fitting) }
    }

    fn pin(&mut self, template: String, replaces: String, tally: &Tally) {
        let beside = !replaces.contains('{');
        let example = tally.example.to_string();
        let (requests, method) = (tally.requests, tally.method());
        self.pinned.push(Pinned { template, replaces, requests, example, beside, method });
    }

    /// Makes one of those that match the same paths in the same way, as of two kinds of identifiers.
    fn merge(&mut self) {
        self.pinned.sort_by(|a, b| (b.requests, &a.template).cmp(&(a.requests, &b.template)));
        let Err(problems) = self.compiled(Precedence::Specific) else { return };
        let new = self.existing.len();
        for problem in problems.iter().rev() {
            let Some(at) = problem.template.checked_sub(new) else { continue };
            let merged = self.pinned.remove(at);
            let Fault::Same(first) = problem.fault else { continue };
            if let Some(first) = first.checked_sub(new).and_then(|first| self.pinned.get_mut(first))
            {
                first.requests += merged.requests;
            }
        }
    }

    /// Pins routes without a parameter that others would take now, and says how many requests they have.
    fn protect(&mut self, routes: &BTreeMap<String, Tally>, min: u64) -> u64 {
        let Ok(templates) = self.compiled(self.precedence) else { return 0 };
        let mut kept = 0;
        for (route, tally) in routes.iter().filter(|(_, tally)| tally.requests >= min) {
            let at = finds(&templates, tally.method(), &tally.example);
            let is_taken = at.is_some_and(|at| at >= self.existing.len());
            if let Some(template) = is_taken.then(|| self.fitting(route, tally)).flatten() {
                kept += tally.requests;
                self.pin(template, route.clone(), tally);
            }
        }
        kept
    }

    /// The most frequent first; where the order decides, the most specific.
    fn sorted(mut self) -> Vec<Pinned> {
        self.merge();
        if self.precedence == Precedence::Declared {
            self.pinned.sort_by_cached_key(|pinned| freedom(&pinned.template));
        }
        while self.absorb() {}
        self.pinned
    }

    /// Takes away one whose own example another has. Says whether there was one.
    fn absorb(&mut self) -> bool {
        let Ok(templates) = self.compiled(self.precedence) else { return false };
        let new = self.existing.len();
        let taker =
            |pinned: &Pinned| finds(&templates, pinned.method, &pinned.example)?.checked_sub(new);
        let taken = self.pinned.iter().enumerate().find_map(|(at, pinned)| {
            taker(pinned).filter(|&taker| taker != at).map(|taker| (at, taker))
        });
        let Some((at, taker)) = taken else { return false };
        self.pinned[taker].requests += self.pinned[at].requests;
        self.pinned.remove(at);
        true
    }

    /// With what is configured already in front.
    fn compiled(&self, precedence: Precedence) -> Result<Templates, Vec<TemplateProblem>> {
        let new = self.pinned.iter().filter_map(|pinned| template::parse(&pinned.template).ok());
        let all: Vec<Template> = self.existing.iter().cloned().chain(new).collect();
        Templates::new(&all, precedence)
    }
}

/// The template that takes a path.
fn finds(templates: &Templates, method: Method, path: &str) -> Option<usize> {
    templates.find(method, path.as_bytes(), &mut Scratch::default())
}

/// How much each segment takes, from a word to anything.
fn freedom(text: &str) -> Vec<u8> {
    let pieces = template::parse(text).map(|template| template.pieces).unwrap_or_default();
    let rank = |piece: &Piece| match piece {
        Piece::Slash => None,
        Piece::Literal(_) => Some(0),
        Piece::Param(parameter) => Some(1 + u8::from(parameter.language.is_free())),
    };
    pieces.iter().filter_map(rank).collect()
}

//! What the requests of logs teach: each goes through the core's inference, as it would in the filter.
//!
//! All that is kept is bounded by the number of routes, however long the logs are.

use std::collections::HashMap;

use sightline_core::Method;
use sightline_core::config::Settings;
use sightline_core::route::learner::{Limits, Slot};
use sightline_core::route::{Alone, Answer, Inference, Inferred, Router, Scratch, Shape, Target};

use super::Options;
use super::choose::{self, Suggestions};
use super::entry::{Entry, Found};
use super::lines::{Log, Unreadable};
use crate::routes::path::path_of;

/// Routes that are held: more than a service has, and few enough to read.
const MOST_ROUTES: usize = 1_000;

/// Requests after which the inference looks at a full list again, as workers do each second.
const AGREE: u64 = 1_000;

/// What has been read so far.
pub struct Gathering {
    pub(super) settings: Settings,
    pub(super) options: Options,
    pub(super) inference: Inference,
    pub(super) tallies: HashMap<Slot, Tally>,
    pub(super) counts: Counts,
    router: Router,
    ledger: Alone,
    scratch: Scratch,
}

/// The requests of one route.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    pub(super) requests: u64,
    /// The methods that came, a bit for each.
    pub(super) methods: u16,
    /// A path that it had.
    pub(super) example: Box<str>,
}

/// Requests by what became of them, and lines that are none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) requests: u64,
    pub(super) templates: u64,
    pub(super) ignored: u64,
    pub(super) unmatched: u64,
    /// The path of one of these.
    pub(super) unmatched_example: Option<Box<str>>,
    pub(super) overflowed: u64,
    pub(super) unread: u64,
    /// Where the first of these stands.
    pub(super) first_unread: Option<String>,
}

impl Gathering {
    /// With what is configured already: what its templates match is no longer to be suggested.
    pub fn new(settings: Settings, options: Options) -> Self {
        let routes = settings.routes.keys.limit.as_usize().max(MOST_ROUTES);
        let limits = Limits { routes, children: Some(options.distinct) };
        Self {
            router: Router::new(&settings.routes),
            settings,
            options,
            inference: Inference::new(Some(limits)),
            tallies: HashMap::new(),
            counts: Counts::default(),
            ledger: Alone::default(),
            scratch: Scratch::default(),
        }
    }

    /// Reads a log to its end.
    pub fn read(&mut self, mut log: Log) -> Result<(), Unreadable> {
        while let Some(line) = log.next_line()? {
            if line.is_empty() {
                continue;
            }
            let line = String::from_utf8_lossy(line);
            match Entry::of(&line) {
                Some(entry) => self.take(&entry),
                None => {
                    self.counts.unread += 1;
                    self.counts.first_unread.get_or_insert_with(|| log.place());
                }
            }
        }
        Ok(())
    }

    /// What is worth pinning.
    pub fn finish(&self) -> Suggestions {
        choose::choose(self)
    }

    fn take(&mut self, entry: &Entry<'_>) {
        self.counts.requests += 1;
        let method = Method::from_bytes(entry.method.as_bytes());
        let path = path_of(&entry.target);
        let target = self.router.target(method, path.as_bytes(), &mut self.scratch);
        match (target, entry.found) {
            (Target::Ignored, _) => self.counts.ignored += 1,
            (Target::Template(_), _) | (_, Found::Template) => self.counts.templates += 1,
            (Target::Open, _) => self.infer(method, path, entry.exists()),
        }
    }

    fn infer(&mut self, method: Method, path: &str, exists: bool) {
        let answer = if exists { Answer::Exists } else { Answer::Nothing };
        let shape = Shape::of(path.as_bytes());
        match self.inference.infer(&shape, answer, || exists, &mut self.ledger) {
            Inferred::Known(found) => {
                let tally = self.tallies.entry(found.route).or_insert_with(|| Tally::of(path));
                tally.requests += 1;
                tally.methods |= bit(method);
            }
            Inferred::Unmatched => {
                self.counts.unmatched += 1;
                self.counts.unmatched_example.get_or_insert_with(|| path.into());
            }
            Inferred::Overflow => self.counts.overflowed += 1,
        }
        if self.counts.requests.is_multiple_of(AGREE) {
            self.inference.agree(&mut self.ledger);
        }
    }
}

impl Tally {
    fn of(path: &str) -> Self {
        Self { requests: 0, methods: 0, example: path.into() }
    }

    /// Both together.
    pub(super) fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.methods |= other.methods;
    }

    /// One of the methods that came.
    pub(super) fn method(&self) -> Method {
        Method::ALL.into_iter().find(|&method| self.has(method)).unwrap_or(Method::Other)
    }

    fn has(&self, method: Method) -> bool {
        self.methods & bit(method) != 0
    }

    /// The methods that came, as templates have them; none if one came that has no name.
    pub(super) fn methods(&self) -> Option<String> {
        let named = Method::ALL.into_iter().filter(|&method| self.has(method));
        let names: Vec<_> = named.map(Method::as_str).collect();
        (!self.has(Method::Other)).then(|| names.join(","))
    }
}

fn bit(method: Method) -> u16 {
    1 << method as u16
}

//! What is counted of requests: in all, and by service, method and route.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::bounds;
use super::histogram::Histogram;
use super::line::Line;
use super::seconds::{LOOK_BACK, Lasted, RECENTLY, Seconds};
use crate::routes::template::template_of;

/// All that was counted.
#[derive(Debug)]
pub(super) struct Figures {
    all: Series,
    /// Never more than [`bounds::ROUTES`], and one for the rest.
    routes: Vec<Row>,
    by_name: HashMap<Box<str>, usize>,
    /// Used again for each line.
    name: String,
    /// When counting began, in seconds since 1970.
    since: u64,
}

/// The requests of one method to one route of one service.
#[derive(Debug)]
pub(super) struct Row {
    service: Box<str>,
    method: &'static str,
    route: Box<str>,
    source: &'static str,
    /// Of an inferred route: the path that came first.
    example: Box<str>,
    /// Of an inferred route: what would be written for it.
    template: Option<String>,
    series: Series,
}

/// Requests that are counted together.
#[derive(Clone, Debug, Default)]
struct Series {
    requests: f64,
    errors: f64,
    seconds: Seconds,
    durations: Durations,
}

/// Durations of the last minute, in steps of ten seconds: what is told is of the last 50 to 60 seconds.
/// A request of the last minute fell into one bucket at most, so all of them together have no more entries than
/// there were such requests.
#[derive(Clone, Debug, Default)]
struct Durations([Step; 6]);

#[derive(Clone, Debug, Default)]
struct Step {
    /// Which one it is, since 1970.
    at: u64,
    histogram: Histogram,
}

/// A request as it is counted.
#[derive(Clone, Copy, Debug)]
struct Counted {
    now: u64,
    lasted: Lasted,
    duration: Option<u64>,
    weight: f64,
    failed: bool,
}

/// What is told of requests that are counted together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Told {
    /// Since the beginning.
    pub requests: u64,
    /// Those of them that failed.
    pub errors: u64,
    /// Requests a second over the last ten.
    pub rate: f64,
    /// Which part failed in the last minute.
    pub error_ratio: f64,
    /// Half of the last minute's requests took no longer, in milliseconds.
    pub p50_ms: Option<f64>,
    /// 95 of 100 took no longer.
    pub p95_ms: Option<f64>,
    /// 99 of 100 took no longer.
    pub p99_ms: Option<f64>,
    /// Requests in each of the last sixty seconds, the oldest first.
    pub spark: Vec<u64>,
    /// Those of them that failed.
    pub spark_errors: Vec<u64>,
}

/// What is told of a route.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ToldRoute {
    /// Whose it is.
    pub service: String,
    /// The method, `_OTHER` for any that is none.
    pub method: &'static str,
    /// Its name.
    pub route: String,
    /// `template`, `typed`, `learned`, `unmatched` or `overflow`.
    pub source: &'static str,
    /// The figures.
    #[serde(flatten)]
    pub told: Told,
    /// How many were under way on average in the last ten seconds, as far as they have ended since.
    pub in_flight: f64,
}

/// A route that no template gave.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Inferred {
    /// Whose it is.
    pub service: String,
    /// Its name.
    pub route: String,
    /// What would be written to configure it.
    pub template: String,
    /// `typed` or `learned`.
    pub source: &'static str,
    /// Since the beginning, of all methods.
    pub requests: u64,
    /// A path that has it.
    pub example: String,
}

/// The row that counts what has no other any more.
const REST: usize = 0;

impl Figures {
    /// Nothing counted yet.
    pub(super) fn new(now: u64) -> Self {
        let rest = Row {
            service: "_other".into(),
            method: "_OTHER",
            route: "_other".into(),
            source: "overflow",
            example: "".into(),
            template: None,
            series: Series::default(),
        };
        Self {
            all: Series::default(),
            routes: vec![rest],
            by_name: HashMap::new(),
            name: String::new(),
            since: now / 1_000_000,
        }
    }

    /// Counts a request.
    pub(super) fn add(&mut self, now: u64, line: &Line<'_>, lasted: Lasted) {
        let counted = Counted {
            now,
            lasted,
            duration: (!line.is_stream()).then(|| line.duration_us()),
            weight: line.weight(),
            failed: line.failed(),
        };
        self.all.add(counted);
        let row = self.row(line);
        row.series.add(counted);
    }

    /// What is told of all requests together.
    pub(super) fn all(&self, now: u64) -> Told {
        self.all.told(now, self.since)
    }

    /// What is told of each route, those with most requests first.
    pub(super) fn routes(&self, now: u64) -> Vec<ToldRoute> {
        let used = self.routes.iter().filter(|row| row.series.requests > 0.0);
        let mut routes: Vec<_> = used.map(|row| row.told(now, self.since)).collect();
        routes.sort_by(|one, other| {
            let by_name = |row: &ToldRoute| (row.service.clone(), row.route.clone(), row.method);
            other
                .told
                .requests
                .cmp(&one.told.requests)
                .then_with(|| by_name(one).cmp(&by_name(other)))
        });
        routes
    }

    /// The routes that no template gave, those with most requests first. Left out are the few without parameters in
    /// which a template would read one.
    pub(super) fn inferred(&self) -> Vec<Inferred> {
        let mut inferred: Vec<Inferred> = Vec::new();
        let mut known: HashMap<(&str, &str), usize> = HashMap::new();
        for (row, template) in
            self.routes.iter().filter_map(|row| row.template().map(|it| (row, it)))
        {
            let at = *known.entry((&row.service, &row.route)).or_insert_with(|| {
                inferred.push(row.inferred(template));
                inferred.len() - 1
            });
            inferred[at].requests += whole(row.series.requests);
        }
        inferred.sort_by_key(|route| Reverse(route.requests));
        inferred
    }

    /// How many requests are counted in the row for the rest, because there are too many others.
    pub(super) fn in_rest(&self) -> u64 {
        whole(self.routes[REST].series.requests)
    }

    fn row(&mut self, line: &Line<'_>) -> &mut Row {
        let service = cut(&line.service, bounds::NAME);
        let route =
            cut(if line.route.is_empty() { "_unmatched" } else { &line.route }, bounds::NAME);
        let method = line.counted_method();
        self.name.clear();
        // With its length in front, no service can look like another one and a route.
        let _ = write!(self.name, "{method} {} {service}{route}", service.len());
        let at = match self.by_name.get(self.name.as_str()) {
            Some(&at) => at,
            None if self.by_name.len() == bounds::ROUTES => REST,
            None => {
                self.by_name.insert(self.name.as_str().into(), self.routes.len());
                self.routes.push(Row::new(service, method, route));
                self.routes.len() - 1
            }
        };
        let row = &mut self.routes[at];
        if at != REST {
            row.comes_from(line);
        }
        row
    }
}

impl Row {
    fn new(service: &str, method: &'static str, route: &str) -> Self {
        Self {
            service: service.into(),
            method,
            route: route.into(),
            source: "",
            example: "".into(),
            template: None,
            series: Series::default(),
        }
    }

    /// Takes over where the line says that the route comes from: it can change, for a learned one.
    fn comes_from(&mut self, line: &Line<'_>) {
        let source = source(&line.route_source);
        if self.source == source {
            return;
        }
        self.source = source;
        if self.is_inferred() && self.example.is_empty() {
            self.example = cut(&line.path, bounds::EXAMPLE).into();
            self.template = template_of(&self.route).or_else(|| plain(&self.route));
        }
    }

    /// What would be written for it, if it is inferred.
    fn template(&self) -> Option<&str> {
        self.template.as_deref().filter(|_| self.is_inferred())
    }

    fn is_inferred(&self) -> bool {
        matches!(self.source, "typed" | "learned")
    }

    fn told(&self, now: u64, since: u64) -> ToldRoute {
        #[expect(clippy::cast_precision_loss, reason = "it is ten")]
        let seconds = RECENTLY as f64;
        ToldRoute {
            service: self.service.to_string(),
            method: self.method,
            route: self.route.to_string(),
            source: self.source,
            told: self.series.told(now, since),
            in_flight: short(self.series.seconds.recent(now, RECENTLY).busy / seconds),
        }
    }

    /// Without its requests.
    fn inferred(&self, template: &str) -> Inferred {
        Inferred {
            service: self.service.to_string(),
            route: self.route.to_string(),
            template: template.to_owned(),
            source: self.source,
            requests: 0,
            example: self.example.to_string(),
        }
    }
}

impl Series {
    fn add(&mut self, counted: Counted) {
        let Counted { now, lasted, duration, weight, failed } = counted;
        self.requests += weight;
        self.errors += if failed { weight } else { 0.0 };
        self.seconds.add(now, lasted, weight, failed);
        if let Some(duration) = duration {
            self.durations.add(now, lasted.end.min(now), duration, weight);
        }
    }

    fn told(&self, now: u64, since: u64) -> Told {
        let minute = self.seconds.minute(now);
        let durations = self.durations.minute(now);
        let quantile = |part| durations.quantile(part).map(|micros| short(micros / 1_000.0));
        let (spark, spark_errors) = self
            .seconds
            .each(now, LOOK_BACK)
            .map(|sums| (whole(sums.requests), whole(sums.errors)))
            .unzip();
        Told {
            requests: whole(self.requests),
            errors: whole(self.errors),
            rate: short(self.rate(now, since)),
            error_ratio: if minute.requests > 0.0 {
                (minute.errors / minute.requests * 1e6).round() / 1e6
            } else {
                0.0
            },
            p50_ms: quantile(0.5),
            p95_ms: quantile(0.95),
            p99_ms: quantile(0.99),
            spark,
            spark_errors,
        }
    }

    /// Over as many seconds as there were, as long as these are less than ten.
    fn rate(&self, now: u64, since: u64) -> f64 {
        let there_were = (now / 1_000_000).saturating_sub(since).clamp(1, RECENTLY);
        #[expect(clippy::cast_precision_loss, reason = "at most ten")]
        let seconds = there_were as f64;
        self.seconds.recent(now, RECENTLY).requests / seconds
    }
}

impl Durations {
    fn add(&mut self, now: u64, end: u64, duration: u64, weight: f64) {
        let (now, at) = (now / 10_000_000, end / 10_000_000);
        if at + 6 > now {
            let step = &mut self.0[slot(at)];
            if step.at != at {
                step.at = at;
                step.histogram.clear();
            }
            step.histogram.add(duration, weight);
        }
    }

    fn minute(&self, now: u64) -> Histogram {
        let now = now / 10_000_000;
        let mut all = Histogram::default();
        let of_minute = self.0.iter().filter(|step| step.at <= now && step.at + 6 > now);
        of_minute.for_each(|step| all.merge(&step.histogram));
        all
    }
}

/// Text up to a bound, whole characters only.
pub(super) fn cut(text: &str, bound: usize) -> &str {
    &text[..text.floor_char_boundary(bound)]
}

/// Rounded to three decimals: more are noise, and make the answer long.
pub(super) fn short(number: f64) -> f64 {
    (number * 1_000.0).round() / 1_000.0
}

/// A route without parameters is its own template, if nothing in it could be read as one.
fn plain(route: &str) -> Option<String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte);
    (route.starts_with('/') && route.bytes().all(is_plain)).then(|| route.to_owned())
}

fn source(said: &str) -> &'static str {
    let known = ["template", "typed", "learned", "unmatched", "overflow"];
    known.into_iter().find(|known| *known == said).unwrap_or("unmatched")
}

fn slot(at: u64) -> usize {
    (at % 6) as usize
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sums of weights are never negative, and it would take ages to come to 2^53"
)]
fn whole(sum: f64) -> u64 {
    sum.round() as u64
}

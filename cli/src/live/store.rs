//! Everything that the live view knows, and its answers. The time is handed in.

use std::fmt::Write as _;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::figures::{Figures, Inferred, Told, ToldRoute};
use super::kept::{Kept, Record, Request};
use super::line::{Line, Unreadable};
use super::seconds::Lasted;
use super::spans::{self, Span, Spans};
use super::trace::{self, ShownSpan, Waterfall};
use super::{Front, bounds};
use crate::otlp::proto::collector::trace::v1::ExportTraceServiceRequest;
use crate::routes::explain::Explainer;

/// All that is known.
#[derive(Debug)]
pub(super) struct Store {
    started_us: u64,
    fronts: Vec<Known>,
    figures: Figures,
    kept: Kept,
    spans: Spans,
    not_json: u64,
    not_requests: u64,
    too_long: u64,
    not_shown: u64,
}

/// A front, and what has been found out about it.
#[derive(Debug)]
struct Known {
    front: Front,
    in_flight: Option<u64>,
    /// None if the configuration cannot be read.
    explainer: Option<Explainer>,
}

/// All figures at one moment: what the page polls.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Snapshot {
    /// The moment, since 1970.
    pub now_ms: u64,
    /// Since when is counted.
    pub started_ms: u64,
    /// The services, as they were given.
    pub services: Vec<ToldService>,
    /// All requests together.
    pub totals: Told,
    /// What is missing.
    pub dropped: Dropped,
    /// What can be looked at.
    pub kept: InMemory,
    /// By route, those with most requests first.
    pub routes: Vec<ToldRoute>,
    /// The slowest requests of the last five minutes, without streams.
    pub slowest: Vec<Request>,
    /// The newest requests that failed.
    pub failed: Vec<Request>,
    /// The newest requests.
    pub recent: Vec<Request>,
    /// The routes that no template gave.
    pub inferred: Vec<Inferred>,
}

/// A service as it is told.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ToldService {
    /// What it is called.
    pub name: String,
    /// Where clients ask.
    pub listen: String,
    /// Where the app is.
    pub app: String,
    /// Requests under way, if that is known.
    pub in_flight: Option<u64>,
}

/// What came and is missing somewhere.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Dropped {
    /// Lines that were not counted, not kept or not shown.
    pub lines: u64,
    /// Spans that were not kept.
    pub spans: u64,
    /// All of it in sentences.
    pub reason: Option<String>,
}

/// What is in memory of all that came. The rest has made room for newer ones, and is counted.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct InMemory {
    /// The newest lines.
    pub lines: usize,
    /// Their bytes.
    pub line_bytes: usize,
    /// Lines that came.
    pub lines_taken: u64,
    /// The newest spans.
    pub spans: usize,
    /// Their bytes, by estimate.
    pub span_bytes: usize,
    /// Spans that came.
    pub spans_taken: u64,
}

/// What a search has found.
#[derive(Clone, Debug, Serialize)]
pub struct Found {
    /// What was searched for.
    pub query: String,
    /// The newest first.
    pub found: Vec<FoundRequest>,
    /// Whether there are older ones.
    pub more: bool,
}

/// A request with all that is known of it.
#[derive(Clone, Debug, Serialize)]
pub struct FoundRequest {
    /// As it is listed.
    pub request: Request,
    /// The whole line, in JSON.
    #[serde(serialize_with = "as_it_is")]
    pub line: Box<str>,
    /// Its own span, if it was exported.
    pub span: Option<ShownSpan>,
    /// How the path comes to its route, in sentences.
    pub explanation: Vec<String>,
}

/// A traceparent is taken apart by whoever pastes one.
const TRACEPARENT: usize = 55;

impl Store {
    pub(super) fn new(now: u64, fronts: Vec<Front>) -> Self {
        Self {
            started_us: now,
            fronts: fronts.into_iter().map(Known::new).collect(),
            figures: Figures::new(now),
            kept: Kept::default(),
            spans: Spans::default(),
            not_json: 0,
            not_requests: 0,
            too_long: 0,
            not_shown: 0,
        }
    }

    /// Takes in a line that was read.
    pub(super) fn line(&mut self, now: u64, raw: &[u8], read: &Result<Line<'_>, Unreadable>) {
        let line = match read {
            Ok(line) => line,
            Err(Unreadable::NotJson) => return self.not_json += 1,
            Err(Unreadable::NotARequest) => return self.not_requests += 1,
        };
        let duration = line.duration_us();
        let begin = line.started_us(now.saturating_sub(duration));
        self.figures.add(now, line, Lasted { begin, end: begin.saturating_add(duration) });
        self.learn(line);
        match str::from_utf8(raw).map(str::trim_ascii) {
            Ok(text) if text.len() <= bounds::LONGEST_LINE => {
                self.kept.keep(now, text, line, begin);
            }
            _ => self.too_long += 1,
        }
    }

    pub(super) fn spans(&mut self, now: u64, spans: &ExportTraceServiceRequest) {
        self.spans.take(now, spans);
    }

    pub(super) fn in_flight(&mut self, service: &str, requests: u64) {
        let mut known = self.fronts.iter_mut();
        if let Some(known) = known.find(|known| known.front.service == service) {
            known.in_flight = Some(requests);
        }
    }

    pub(super) fn not_shown(&mut self, lines: u64) {
        self.not_shown += lines;
    }

    pub(super) fn snapshot(&mut self, now: u64) -> Snapshot {
        let requests =
            |records: Vec<Arc<Record>>| records.iter().map(|record| record.request()).collect();
        Snapshot {
            now_ms: now / 1_000,
            started_ms: self.started_us / 1_000,
            services: self.fronts.iter().map(Known::told).collect(),
            totals: self.figures.all(now),
            dropped: self.dropped(),
            kept: self.in_memory(),
            routes: self.figures.routes(now),
            slowest: requests(self.kept.slowest(now)),
            failed: requests(self.kept.failed()),
            recent: requests(self.kept.show_recent()),
            inferred: self.figures.inferred(),
        }
    }

    pub(super) fn trace(&self, trace_id: &str) -> Option<Waterfall> {
        let trace = spans::trace_id(trace_id)?;
        let hex = format!("{trace:032x}");
        let (mut records, _) = self.kept.find(bounds::SPANS_OF_TRACE, |record| record.is_of(&hex));
        records.sort_by_key(|record| record.started_us());
        // In front of those made from lines: of two with one ID, the first counts.
        let mut spans = self.spans.of_trace(trace);
        spans.extend(records.iter().filter_map(|record| {
            let line = record.line();
            let id = spans::span_id(&line.span_id)?;
            Some(Arc::new(Span::from_line(trace, id, &line, record.started_us())))
        }));
        let listed = records.iter().take(bounds::FOUND);
        let requests = listed.map(|record| record.request()).collect();
        trace::waterfall(trace, &spans, requests)
    }

    pub(super) fn search(&self, query: &str) -> Found {
        let id = searched(query.trim());
        let (records, more) = self.kept.find(bounds::FOUND, |record| record.is_called(id));
        let found = records.iter().map(|record| self.found(record)).collect();
        Found { query: query.to_owned(), found, more }
    }

    fn found(&self, record: &Record) -> FoundRequest {
        let line = record.line();
        let ids = spans::trace_id(&line.trace_id).zip(spans::span_id(&line.span_id));
        let span = ids.and_then(|(trace, id)| {
            self.spans.of_trace(trace).into_iter().find(|span| span.id == id)
        });
        FoundRequest {
            request: record.request(),
            line: record.text.clone(),
            span: span.map(|span| trace::alone(&span)),
            explanation: self.explain(&line),
        }
    }

    fn explain(&self, line: &Line<'_>) -> Vec<String> {
        match self.fronts.iter().find(|known| known.front.service == line.service) {
            Some(Known { explainer: Some(explainer), .. }) => {
                explainer.explain(&line.method, &line.path, line.exists())
            }
            Some(_) => vec![
                "The configuration cannot be read here, so the route is not explained.".to_owned(),
            ],
            None => vec![format!(
                "{:?} is none of the services that are known here, so the route is not explained.",
                line.service
            )],
        }
    }

    /// Only what was inferred teaches anything.
    fn learn(&mut self, line: &Line<'_>) {
        if !matches!(&*line.route_source, "typed" | "learned" | "overflow") {
            return;
        }
        let mut known = self.fronts.iter_mut();
        let known = known.find(|known| known.front.service == line.service);
        if let Some(explainer) = known.and_then(|known| known.explainer.as_mut()) {
            explainer.learn(&line.method, &line.path, true);
        }
    }

    fn dropped(&self) -> Dropped {
        let mut reason = String::new();
        let in_rest = self.figures.in_rest();
        for (count, one, many) in [
            (self.not_json, "line of Envoy's is no JSON", "lines of Envoy's are no JSON"),
            (self.not_requests, "line is not of a request", "lines are not of requests"),
            (
                self.too_long,
                "line is too long to be kept, and only counted",
                "lines are too long to be kept, and only counted",
            ),
            (
                self.not_shown,
                "line came too fast to be printed, and is here all the same",
                "lines came too fast to be printed, and are here all the same",
            ),
            (self.spans.malformed(), "span has no IDs", "spans have no IDs"),
            (
                in_rest,
                "request is counted as _other, because there are 2,000 rows of routes",
                "requests are counted as _other, because there are 2,000 rows of routes",
            ),
        ] {
            if count > 0 {
                let gap = if reason.is_empty() { "" } else { " " };
                let _ = write!(reason, "{gap}{count} {}.", if count == 1 { one } else { many });
            }
        }
        Dropped {
            lines: self.not_json + self.not_requests + self.too_long + self.not_shown,
            spans: self.spans.malformed(),
            reason: (!reason.is_empty()).then_some(reason),
        }
    }

    fn in_memory(&self) -> InMemory {
        let (lines, line_bytes) = self.kept.size();
        let (spans, span_bytes) = self.spans.size();
        InMemory {
            lines,
            line_bytes,
            lines_taken: self.kept.taken(),
            spans,
            span_bytes,
            spans_taken: self.spans.taken(),
        }
    }
}

impl Known {
    fn new(front: Front) -> Self {
        let explainer = Explainer::new(&front.configuration.to_string()).ok();
        Self { front, in_flight: None, explainer }
    }

    fn told(&self) -> ToldService {
        ToldService {
            name: self.front.service.clone(),
            listen: format!("http://{}", self.front.listen),
            app: self.front.app.clone(),
            in_flight: self.in_flight,
        }
    }
}

/// The ID in what somebody pastes.
fn searched(query: &str) -> &str {
    let is_traceparent = query.len() == TRACEPARENT && query.starts_with("00-");
    let id = query.get(3..35).filter(|_| is_traceparent);
    id.unwrap_or(query)
}

/// The line keeps the order of its fields, in which people know them.
fn as_it_is<S: Serializer>(line: &str, serializer: S) -> Result<S::Ok, S::Error> {
    match serde_json::from_str::<&RawValue>(line) {
        Ok(raw) => raw.serialize(serializer),
        // It was read when it came.
        Err(_) => line.serialize(serializer),
    }
}

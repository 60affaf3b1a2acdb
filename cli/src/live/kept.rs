//! The lines that are kept: the newest, and apart from them the slowest, the failed and those that were shown.

use std::cmp::Reverse;
use std::collections::VecDeque;
use std::sync::Arc;

use serde::Serialize;

use super::bounds;
use super::figures::short;
use super::line::{Line, present};

/// Lines, each of them kept for one reason or several.
#[derive(Debug, Default)]
pub(super) struct Kept {
    newest: VecDeque<Arc<Record>>,
    newest_bytes: usize,
    slowest: Vec<Minute>,
    failed: VecDeque<Arc<Record>>,
    shown: VecDeque<Arc<Record>>,
    taken: u64,
}

/// A line, and what it is looked for by.
#[derive(Debug)]
pub(super) struct Record {
    /// Counted from the first line on.
    number: u64,
    pub(super) text: Box<str>,
    request_id: Box<str>,
    trace_id: Box<str>,
    started_us: u64,
    duration_us: u64,
}

/// A request as it is listed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Request {
    /// Its ID.
    pub request_id: String,
    /// Its trace's.
    pub trace_id: String,
    /// Its span's.
    pub span_id: String,
    /// Who answered it.
    pub service: String,
    /// As the client wrote it.
    pub method: String,
    /// Without the query.
    pub path: String,
    /// Its route.
    pub route: String,
    /// Where the route comes from.
    pub route_source: String,
    /// 0: there was none.
    pub status: u16,
    /// Why it failed.
    pub error_type: Option<String>,
    /// Envoy's reasons.
    pub flags: Option<String>,
    /// How long it took.
    pub duration_ms: f64,
    /// How long the answer took to begin.
    pub ttfb_ms: Option<f64>,
    /// What kind of stream it was.
    pub stream: Option<String>,
    /// When it arrived, since 1970.
    pub started_ms: u64,
}

/// The slowest of one minute, in no order.
#[derive(Debug)]
struct Minute {
    at: u64,
    records: Vec<Arc<Record>>,
}

const MINUTE: u64 = 60_000_000;

impl Kept {
    /// Keeps a line for as many reasons as it has.
    pub(super) fn keep(&mut self, now: u64, text: &str, line: &Line<'_>, started_us: u64) {
        self.taken += 1;
        let record = Arc::new(Record {
            number: self.taken,
            text: text.into(),
            request_id: line.request_id.as_ref().into(),
            trace_id: line.trace_id.as_ref().into(),
            started_us,
            duration_us: line.duration_us(),
        });
        if !line.is_stream() {
            self.keep_slow(now, &record);
        }
        if line.failed() {
            push(&mut self.failed, bounds::FAILED, Arc::clone(&record));
        }
        self.keep_new(record);
    }

    /// The slowest of the last minutes, the slowest first.
    pub(super) fn slowest(&self, now: u64) -> Vec<Arc<Record>> {
        let minutes = self.slowest.iter().filter(|minute| is_recent(minute.at, now));
        let mut slowest: Vec<_> = minutes.flat_map(|minute| &minute.records).collect();
        slowest.sort_by_key(|record| (Reverse(record.duration_us), Reverse(record.number)));
        slowest.into_iter().take(bounds::LISTED).cloned().collect()
    }

    /// The newest that failed, the newest first.
    pub(super) fn failed(&self) -> Vec<Arc<Record>> {
        self.failed.iter().rev().take(bounds::LISTED).cloned().collect()
    }

    /// The newest, which are kept on as shown.
    pub(super) fn show_recent(&mut self) -> Vec<Arc<Record>> {
        let recent: Vec<_> = self.newest.iter().rev().take(bounds::RECENT).cloned().collect();
        let known = self.shown.back().map_or(0, |record| record.number);
        for record in recent.iter().rev().filter(|record| record.number > known) {
            push(&mut self.shown, bounds::SHOWN, Arc::clone(record));
        }
        recent
    }

    /// So many of the newest lines that are wanted, the newest first, and whether there are more.
    pub(super) fn find(
        &self,
        most: usize,
        wanted: impl Fn(&Record) -> bool,
    ) -> (Vec<Arc<Record>>, bool) {
        let slow = self.slowest.iter().flat_map(|minute| &minute.records);
        let apart = slow.chain(&self.failed).chain(&self.shown);
        let mut found: Vec<_> = self.newest.iter().chain(apart).filter(|it| wanted(it)).collect();
        found.sort_by_key(|record| Reverse(record.number));
        found.dedup_by_key(|record| record.number);
        let more = found.len() > most;
        (found.into_iter().take(most).cloned().collect(), more)
    }

    /// How many lines are among the newest, and what these take up.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.newest.len(), self.newest_bytes)
    }

    /// How many lines were taken in.
    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    fn keep_new(&mut self, record: Arc<Record>) {
        self.newest_bytes += record.bytes();
        self.newest.push_back(record);
        while self.newest.len() > bounds::NEWEST || self.newest_bytes > bounds::NEWEST_BYTES {
            let Some(oldest) = self.newest.pop_front() else { break };
            self.newest_bytes -= oldest.bytes();
        }
    }

    fn keep_slow(&mut self, now: u64, record: &Arc<Record>) {
        let at = now / MINUTE;
        if self.slowest.last().is_none_or(|minute| minute.at != at) {
            // A clock that goes back begins a minute anew.
            self.slowest.retain(|minute| is_recent(minute.at, now) && minute.at < at);
            self.slowest.push(Minute { at, records: Vec::new() });
        }
        let Some(minute) = self.slowest.last_mut() else { return };
        if minute.records.len() < bounds::SLOWEST_OF_MINUTE {
            minute.records.push(Arc::clone(record));
            return;
        }
        let fastest = minute.records.iter_mut().min_by_key(|kept| kept.duration_us);
        if let Some(fastest) = fastest.filter(|kept| kept.duration_us < record.duration_us) {
            *fastest = Arc::clone(record);
        }
    }
}

impl Record {
    /// Whether one of its IDs is this one, or begins like it if that says enough.
    pub(super) fn is_called(&self, id: &str) -> bool {
        let is_prefix = id.len() >= bounds::SHORTEST_PREFIX;
        let is_same = |known: &str, id: &str| {
            !id.is_empty() && (known == id || is_prefix && known.starts_with(id))
        };
        is_same(&self.request_id, id) || is_same(&self.trace_id, &id.to_ascii_lowercase())
    }

    /// Whether it belongs to this trace.
    pub(super) fn is_of(&self, trace_id: &str) -> bool {
        *self.trace_id == *trace_id
    }

    /// The line, read again.
    pub(super) fn line(&self) -> Line<'_> {
        // It was read before it was kept.
        Line::read(self.text.as_bytes()).unwrap_or_default()
    }

    /// When the request arrived, in microseconds since 1970.
    pub(super) fn started_us(&self) -> u64 {
        self.started_us
    }

    /// How it is listed.
    pub(super) fn request(&self) -> Request {
        let line = self.line();
        #[expect(clippy::cast_precision_loss, reason = "at most twelve days")]
        let duration_ms = short(self.duration_us as f64 / 1_000.0);
        Request {
            request_id: line.request_id.to_string(),
            trace_id: line.trace_id.to_string(),
            span_id: line.span_id.to_string(),
            service: line.service.to_string(),
            method: line.method.to_string(),
            path: line.path.to_string(),
            route: line.route.to_string(),
            route_source: line.route_source.to_string(),
            status: line.status,
            error_type: present(&line.error_type),
            flags: present(&line.flags),
            duration_ms,
            ttfb_ms: line.ttfb_ms,
            stream: present(&line.stream),
            started_ms: self.started_us / 1_000,
        }
    }

    fn bytes(&self) -> usize {
        size_of::<Self>() + self.text.len() + self.request_id.len() + self.trace_id.len()
    }
}

fn push(records: &mut VecDeque<Arc<Record>>, bound: usize, record: Arc<Record>) {
    if records.len() == bound {
        records.pop_front();
    }
    records.push_back(record);
}

fn is_recent(minute: u64, now: u64) -> bool {
    minute <= now / MINUTE && minute + bounds::SLOW_MINUTES > now / MINUTE
}

//! The newest spans that were exported, by the filter and by apps, in a form that is bounded and easily shown.
//!
//! An app can say anything: texts, lists and numbers of attributes are cut, and times that cannot be are replaced.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value};

use super::bounds;
use super::figures::cut;
use crate::otlp::proto::collector::trace::v1::ExportTraceServiceRequest;
use crate::otlp::proto::common::v1::any_value::Value as Said;
use crate::otlp::proto::common::v1::{AnyValue, KeyValue};
use crate::otlp::proto::trace::v1::span::{Event as SaidEvent, SpanKind};
use crate::otlp::proto::trace::v1::status::StatusCode;
use crate::otlp::proto::trace::v1::{ResourceSpans, ScopeSpans, Span as SaidSpan};

/// The newest spans.
#[derive(Debug, Default)]
pub(super) struct Spans {
    newest: VecDeque<Arc<Span>>,
    bytes: usize,
    taken: u64,
    malformed: u64,
}

/// One span.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Span {
    pub(super) trace: u128,
    pub(super) id: u64,
    pub(super) parent: Option<u64>,
    pub(super) name: String,
    pub(super) service: Arc<str>,
    pub(super) kind: &'static str,
    pub(super) from: Origin,
    pub(super) start_us: u64,
    pub(super) duration_us: u64,
    pub(super) error: bool,
    pub(super) attributes: Map<String, Value>,
    pub(super) events: Vec<Event>,
    bytes: usize,
}

/// Who made a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// The filter exported it.
    Sightline,
    /// An app exported it.
    App,
    /// Nobody exported it: it is made from the access-log line.
    Line,
}

/// Something that happened at one moment of a span.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Event {
    pub(super) name: String,
    pub(super) at_us: u64,
    pub(super) attributes: Map<String, Value>,
}

/// A span whose clock is further off than this is told as if it had ended when it came.
const A_DAY: u64 = 24 * 3_600 * 1_000_000;

/// What an entry of a map takes up beside its texts, by estimate.
const ENTRY: usize = 96;

/// JSON's readers take numbers for floats: from here on they are not exact.
const EXACT: i64 = 1 << 53;

impl Spans {
    /// Takes in what an exporter has sent.
    pub(super) fn take(&mut self, now: u64, export: &ExportTraceServiceRequest) {
        for resource in &export.resource_spans {
            let service: Arc<str> = service_of(resource).into();
            for scope in &resource.scope_spans {
                for span in &scope.spans {
                    self.keep(read(now, &service, scope, span));
                }
            }
        }
    }

    /// The spans of a trace, in the order in which they came.
    pub(super) fn of_trace(&self, trace: u128) -> Vec<Arc<Span>> {
        self.newest.iter().filter(|span| span.trace == trace).cloned().collect()
    }

    /// How many there are, and what they take up by estimate.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.newest.len(), self.bytes)
    }

    /// How many were taken in.
    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    /// How many had no IDs, and so belong nowhere.
    pub(super) fn malformed(&self) -> u64 {
        self.malformed
    }

    fn keep(&mut self, span: Option<Span>) {
        let Some(span) = span else {
            self.malformed += 1;
            return;
        };
        self.taken += 1;
        self.bytes += span.bytes;
        self.newest.push_back(Arc::new(span));
        while self.newest.len() > bounds::SPANS || self.bytes > bounds::SPAN_BYTES {
            let Some(oldest) = self.newest.pop_front() else { break };
            self.bytes -= oldest.bytes;
        }
    }
}

impl Span {
    /// With what it takes up by estimate.
    fn weighed(mut self) -> Self {
        let events = self
            .events
            .iter()
            .map(|event| size_of::<Event>() + event.name.len() + weight_of_map(&event.attributes));
        let events: usize = events.sum();
        self.bytes = size_of::<Self>() + self.name.len() + weight_of_map(&self.attributes) + events;
        self
    }

    /// One that no exporter sent.
    pub(super) fn from_line(
        trace: u128,
        id: u64,
        line: &super::line::Line<'_>,
        start_us: u64,
    ) -> Self {
        let name = if line.route.is_empty() || line.route.starts_with('_') {
            line.method.to_string()
        } else {
            format!("{} {}", line.method, line.route)
        };
        let mut attributes = Map::new();
        for (key, value) in [
            ("http.request.method", &line.method),
            ("url.path", &line.path),
            ("http.route", &line.route),
            ("error.type", &line.error_type),
            ("sightline.request_id", &line.request_id),
            ("sightline.route.source", &line.route_source),
        ] {
            if !value.is_empty() {
                attributes.insert(key.to_owned(), Value::from(value.as_ref()));
            }
        }
        if line.status != 0 {
            attributes.insert("http.response.status_code".to_owned(), line.status.into());
        }
        Self {
            trace,
            id,
            parent: span_id(&line.parent_span_id),
            name,
            service: line.service.as_ref().into(),
            kind: "server",
            from: Origin::Line,
            start_us,
            duration_us: line.duration_us(),
            error: line.failed(),
            attributes,
            events: Vec::new(),
            bytes: 0,
        }
    }
}

/// A trace's ID in hex, of either case.
pub(super) fn trace_id(hex: &str) -> Option<u128> {
    let is_one = hex.len() == 32 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    u128::from_str_radix(hex, 16).ok().filter(|id| is_one && *id != 0)
}

/// A span's ID likewise.
pub(super) fn span_id(hex: &str) -> Option<u64> {
    let is_one = hex.len() == 16 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    u64::from_str_radix(hex, 16).ok().filter(|id| is_one && *id != 0)
}

/// None without IDs of the lengths that they have.
fn read(now: u64, service: &Arc<str>, scope: &ScopeSpans, span: &SaidSpan) -> Option<Span> {
    let trace = u128::from_be_bytes(span.trace_id.as_slice().try_into().ok()?);
    let id = u64::from_be_bytes(span.span_id.as_slice().try_into().ok()?);
    if trace == 0 || id == 0 {
        return None;
    }
    let parent = span.parent_span_id.as_slice().try_into().ok().map(u64::from_be_bytes);
    let duration_us = span.end_time_unix_nano.saturating_sub(span.start_time_unix_nano) / 1_000;
    let duration_us = duration_us.min(A_DAY);
    let said = span.start_time_unix_nano / 1_000;
    let start_us = if said.abs_diff(now) > A_DAY { now.saturating_sub(duration_us) } else { said };
    let scope_name = scope.scope.as_ref().map_or("", |scope| scope.name.as_str());
    let mut attributes = attributes(&span.attributes);
    let from = if scope_name == "sightline" { Origin::Sightline } else { Origin::App };
    if from == Origin::App && !scope_name.is_empty() {
        attributes.insert("otel.scope.name".to_owned(), text(scope_name));
    }
    let status = span.status.as_ref();
    if let Some(status) = status.filter(|status| !status.message.is_empty()) {
        attributes.insert("otel.status_description".to_owned(), text(&status.message));
    }
    let span = Span {
        trace,
        id,
        parent: parent.filter(|parent| *parent != 0),
        name: shortened(&span.name),
        service: Arc::clone(service),
        kind: kind(span.kind()),
        from,
        start_us,
        duration_us,
        error: status.is_some_and(|status| status.code() == StatusCode::Error),
        attributes,
        events: span.events.iter().take(bounds::EVENTS).map(event).collect(),
        bytes: 0,
    };
    Some(span.weighed())
}

fn service_of(resource: &ResourceSpans) -> String {
    let attributes = resource.resource.iter().flat_map(|resource| &resource.attributes);
    let mut names = attributes.filter(|attribute| attribute.key == "service.name");
    match names.next().and_then(|name| name.value.as_ref()?.value.as_ref()) {
        Some(Said::StringValue(name)) => shortened(name),
        _ => String::new(),
    }
}

fn kind(kind: SpanKind) -> &'static str {
    match kind {
        SpanKind::Server => "server",
        SpanKind::Client => "client",
        SpanKind::Producer => "producer",
        SpanKind::Consumer => "consumer",
        SpanKind::Internal | SpanKind::Unspecified => "internal",
    }
}

fn event(said: &SaidEvent) -> Event {
    Event {
        name: shortened(&said.name),
        at_us: said.time_unix_nano / 1_000,
        attributes: attributes(&said.attributes),
    }
}

fn attributes(said: &[KeyValue]) -> Map<String, Value> {
    let entries = said.iter().take(bounds::ATTRIBUTES);
    entries.map(|entry| (shortened(&entry.key), value(entry.value.as_ref(), 0))).collect()
}

fn value(said: Option<&AnyValue>, depth: usize) -> Value {
    let Some(said) = said.and_then(|said| said.value.as_ref()) else { return Value::Null };
    match said {
        Said::StringValue(said) => text(said),
        Said::BoolValue(said) => Value::Bool(*said),
        Said::IntValue(said) if (-EXACT..=EXACT).contains(said) => Value::from(*said),
        Said::IntValue(said) => Value::from(said.to_string()),
        Said::DoubleValue(said) if said.is_finite() => Value::from(*said),
        Said::DoubleValue(said) => Value::from(said.to_string()),
        Said::BytesValue(said) => Value::from(hex(said)),
        Said::ArrayValue(_) | Said::KvlistValue(_) if depth == bounds::DEPTH => Value::from("…"),
        Said::ArrayValue(said) => {
            let entries = said.values.iter().take(bounds::ENTRIES);
            entries.map(|entry| value(Some(entry), depth + 1)).collect()
        }
        Said::KvlistValue(said) => {
            let entries = said.values.iter().take(bounds::ENTRIES);
            let entry =
                |entry: &KeyValue| (shortened(&entry.key), value(entry.value.as_ref(), depth + 1));
            Value::Object(entries.map(entry).collect())
        }
        Said::StringValueStrindex(_) => Value::Null,
    }
}

fn text(said: &str) -> Value {
    Value::from(shortened(said))
}

/// As the filter cuts its own values.
fn shortened(text: &str) -> String {
    if text.len() <= bounds::TEXT {
        return text.to_owned();
    }
    format!("{}…", cut(text, bounds::TEXT))
}

fn hex(bytes: &[u8]) -> String {
    let shown = bytes.iter().take(bounds::TEXT / 2);
    shown.fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn weight_of_map(map: &Map<String, Value>) -> usize {
    map.iter().map(|(key, value)| ENTRY + key.len() + weight(value)).sum()
}

fn weight(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(entries) => entries.iter().map(|entry| ENTRY + weight(entry)).sum(),
        Value::Object(map) => weight_of_map(map),
        _ => 0,
    }
}

//! What the live view makes of lines and spans: with a clock that stands still, and over a real socket.

mod api;
mod bounds;
mod figures;
mod traces;

use std::fmt::Write as _;
use std::net::SocketAddr;

use super::store::Store;
use super::*;
use crate::otlp::proto::collector::trace::v1::ExportTraceServiceRequest;
use crate::otlp::proto::common::v1::any_value::Value as Said;
use crate::otlp::proto::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use crate::otlp::proto::resource::v1::Resource;
use crate::otlp::proto::trace::v1::{ResourceSpans, ScopeSpans, Span};

/// 2026-11-21T09:15:00Z, in microseconds.
const NOW: u64 = 1_795_252_500_000_000;

const SECOND: u64 = 1_000_000;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// A line of the access log, with the fields that a test is about.
#[derive(Clone, Debug)]
struct Written(Vec<(&'static str, serde_json::Value)>);

impl Written {
    /// A request for this route that was answered with 200, and ended at this time.
    fn new(route: &str, ended_us: u64, duration_us: u64) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "small")]
        let millis = duration_us as f64 / 1e3;
        Self(vec![
            ("timestamp", timestamp(ended_us - duration_us).into()),
            ("event", "http_request".into()),
            ("service", "shop".into()),
            ("method", "GET".into()),
            ("path", route.into()),
            ("route", route.into()),
            ("route_source", "template".into()),
            ("status", 200.into()),
            ("duration_ms", millis.into()),
        ])
    }

    fn with(mut self, name: &'static str, value: impl Into<serde_json::Value>) -> Self {
        self.0.retain(|(known, _)| *known != name);
        self.0.push((name, value.into()));
        self
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for (name, value) in &self.0 {
            let _ = write!(text, "{}\"{name}\":{value}", if text.is_empty() { "{" } else { "," });
        }
        text + "}\n"
    }
}

fn front(configuration: serde_json::Value) -> Front {
    Front {
        service: "shop".to_owned(),
        listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
        app: "127.0.0.1:8000".to_owned(),
        configuration,
    }
}

fn store() -> Store {
    Store::new(NOW - 100 * SECOND, vec![front(serde_json::json!({}))])
}

fn take(store: &mut Store, now: u64, line: &[u8]) {
    store.line(now, line, &Line::read(line));
}

/// What the filter writes, with microseconds.
fn timestamp(us: u64) -> String {
    // Tests stay within one day.
    let of_day = us - (NOW - (9 * 3_600 + 15 * 60) * SECOND);
    let seconds = of_day / SECOND;
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("2026-11-21T{hour:02}:{minute:02}:{second:02}.{:06}Z", of_day % SECOND)
}

fn span(id: u8, parent: u8, name: &str, start_us: u64, duration_us: u64) -> Span {
    let id_of = |id: u8| if id == 0 { Vec::new() } else { vec![0, 0, 0, 0, 0, 0, 0, id] };
    Span {
        trace_id: u128::from_str_radix(TRACE, 16).unwrap().to_be_bytes().to_vec(),
        span_id: id_of(id),
        parent_span_id: id_of(parent),
        name: name.to_owned(),
        start_time_unix_nano: start_us * 1_000,
        end_time_unix_nano: (start_us + duration_us) * 1_000,
        ..Span::default()
    }
}

fn attribute(key: &str, value: Said) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}

/// The spans of one program.
fn exported(service: &str, scope: &str, spans: Vec<Span>) -> ExportTraceServiceRequest {
    let service = attribute("service.name", Said::StringValue(service.to_owned()));
    let scope = InstrumentationScope { name: scope.to_owned(), ..InstrumentationScope::default() };
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(Resource { attributes: vec![service], ..Resource::default() }),
            scope_spans: vec![ScopeSpans { scope: Some(scope), spans, ..ScopeSpans::default() }],
            ..ResourceSpans::default()
        }],
    }
}

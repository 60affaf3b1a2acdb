//! The newest of the spans that were received, to be looked at.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::proto::collector::trace::v1::ExportTraceServiceRequest;
use super::proto::common::v1::any_value::Value;
use super::proto::common::v1::{InstrumentationScope, KeyValue};
use super::proto::trace::v1::span::SpanKind;
use super::proto::trace::v1::status::StatusCode;
use super::proto::trace::v1::{ResourceSpans, Span, Status};
use super::{Export, Reply, Signal};

/// How many spans are kept.
const NEWEST: usize = 100_000;

/// The newest 100,000 spans. Its clones are handles to the same.
#[derive(Clone, Debug, Default)]
pub struct Store {
    kept: Arc<Mutex<Kept>>,
}

/// A span and where it came from. Cloning it copies no data.
#[derive(Clone, Debug, PartialEq)]
pub struct ReceivedSpan {
    /// The resource's attributes.
    pub resource: Arc<Vec<KeyValue>>,
    /// Who made it.
    pub scope: Arc<InstrumentationScope>,
    /// As it was received.
    pub span: Arc<Span>,
}

#[derive(Debug, Default)]
struct Kept {
    /// Never more than [`NEWEST`].
    spans: VecDeque<ReceivedSpan>,
    total: u64,
}

impl Store {
    /// Keeps the spans of an export that its reply accepts: the first ones, if it rejects some.
    pub fn keep(&self, export: &Export, reply: &Reply) {
        let Signal::Traces(request) = &export.signal else { return };
        let accepted = reply.accepts(export.protocol, count(request));
        let mut kept = self.lock();
        for span in request.resource_spans.iter().flat_map(of_resource).take(accepted) {
            kept.push(span);
        }
    }

    /// What is kept, the oldest first.
    pub fn spans(&self) -> Vec<ReceivedSpan> {
        self.lock().spans.iter().cloned().collect()
    }

    /// How many spans were ever kept, with those that have made room for newer ones.
    pub fn total(&self) -> u64 {
        self.lock().total
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn push(&mut self, span: ReceivedSpan) {
        if self.spans.len() == NEWEST {
            self.spans.pop_front();
        }
        self.spans.push_back(span);
        self.total += 1;
    }
}

impl ReceivedSpan {
    /// What it is called.
    pub fn name(&self) -> &str {
        &self.span.name
    }

    /// SERVER, CLIENT and so on.
    pub fn kind(&self) -> SpanKind {
        self.span.kind()
    }

    /// Whether it failed; unset is what most are.
    pub fn status(&self) -> StatusCode {
        self.span.status.as_ref().map_or(StatusCode::Unset, Status::code)
    }

    /// The trace's ID in lower-case hex.
    pub fn trace_id_hex(&self) -> String {
        hex(&self.span.trace_id)
    }

    /// Its own ID in lower-case hex.
    pub fn span_id_hex(&self) -> String {
        hex(&self.span.span_id)
    }

    /// Its parent's ID in lower-case hex, if it has one.
    pub fn parent_hex(&self) -> Option<String> {
        let parent = &self.span.parent_span_id;
        (!parent.is_empty()).then(|| hex(parent))
    }

    /// An attribute, whatever its type.
    pub fn attribute(&self, name: &str) -> Option<&Value> {
        find(&self.span.attributes, name)
    }

    /// An attribute that is text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.attribute(name).and_then(as_text)
    }

    /// An attribute that is an integer.
    pub fn int(&self, name: &str) -> Option<i64> {
        match self.attribute(name)? {
            Value::IntValue(value) => Some(*value),
            _ => None,
        }
    }

    /// An attribute that is true or false.
    pub fn flag(&self, name: &str) -> Option<bool> {
        match self.attribute(name)? {
            Value::BoolValue(value) => Some(*value),
            _ => None,
        }
    }

    /// An attribute that is a list of nothing but texts.
    pub fn texts(&self, name: &str) -> Option<Vec<&str>> {
        match self.attribute(name)? {
            Value::ArrayValue(list) => {
                list.values.iter().map(|value| value.value.as_ref().and_then(as_text)).collect()
            }
            _ => None,
        }
    }

    /// An attribute of its resource that is text.
    pub fn resource_text(&self, name: &str) -> Option<&str> {
        find(&self.resource, name).and_then(as_text)
    }
}

fn count(request: &ExportTraceServiceRequest) -> usize {
    let scopes = request.resource_spans.iter().flat_map(|spans| &spans.scope_spans);
    scopes.map(|scope| scope.spans.len()).sum()
}

fn of_resource(spans: &ResourceSpans) -> impl Iterator<Item = ReceivedSpan> + '_ {
    let attributes = spans.resource.as_ref().map(|resource| resource.attributes.clone());
    let resource = Arc::new(attributes.unwrap_or_default());
    spans.scope_spans.iter().flat_map(move |spans| {
        let resource = Arc::clone(&resource);
        let scope = Arc::new(spans.scope.clone().unwrap_or_default());
        spans.spans.iter().map(move |span| ReceivedSpan {
            resource: Arc::clone(&resource),
            scope: Arc::clone(&scope),
            span: Arc::new(span.clone()),
        })
    })
}

fn find<'a>(attributes: &'a [KeyValue], name: &str) -> Option<&'a Value> {
    let attribute = attributes.iter().find(|attribute| attribute.key == name)?;
    attribute.value.as_ref()?.value.as_ref()
}

fn as_text(value: &Value) -> Option<&str> {
    match value {
        Value::StringValue(text) => Some(text),
        _ => None,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

//! A span's place in a trace.

use super::{Flags, SpanId, TraceId, Traceparent};

/// The place of the span that this proxy stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// The trace.
    pub trace_id: TraceId,
    /// Our own span.
    pub span_id: SpanId,
    /// The caller's span, where the trace was joined.
    pub parent: Option<SpanId>,
    /// What we say of the trace.
    pub flags: Flags,
}

impl TraceContext {
    /// What goes upstream: our span is the parent there.
    pub fn traceparent(&self) -> Traceparent {
        Traceparent { trace_id: self.trace_id, span_id: self.span_id, flags: self.flags }
    }
}

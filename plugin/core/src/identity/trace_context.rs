//! This request's place in a trace: the trace joined or started, and the span that is ours.

use super::{Flags, SpanId, TraceId, Traceparent};
use crate::{Rng, Sampler};

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
    /// Joins the caller's trace. Its decision about sampling stands.
    pub fn join(caller: Traceparent, rng: &mut Rng) -> Self {
        Self {
            trace_id: caller.trace_id,
            span_id: SpanId::mint(rng),
            parent: Some(caller.span_id),
            flags: caller.flags,
        }
    }

    /// Starts a trace, kept or not as the sampler says.
    pub fn start(sampler: Sampler, rng: &mut Rng) -> Self {
        let trace_id = TraceId::mint(rng);
        let sampled = if sampler.keeps(trace_id) { Flags::SAMPLED } else { Flags::default() };
        Self { trace_id, span_id: SpanId::mint(rng), parent: None, flags: Flags::RANDOM | sampled }
    }

    /// What goes upstream: our span is the parent there.
    pub fn traceparent(&self) -> Traceparent {
        Traceparent { trace_id: self.trace_id, span_id: self.span_id, flags: self.flags }
    }
}

//! This proxy's hop in a trace: which trace a request belongs to, whether it is sampled, and what of the
//! trace's headers changes on the way to the app.

use crate::head::RequestHead;
use crate::identity::{Flags, SpanId, TraceContext, TraceId, Traceparent, Tracestate};
use crate::route::Target;
use crate::sampling::{self, Caller, Decision, Ot, Sampler, Say, Threshold};
use crate::{Edit, Plan, Rng};

/// Who writes the trace context of requests at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tracing {
    /// We do, and a span of ours stands between the caller's and the app's.
    Own,
    /// Another tracer of this proxy does, behind us.
    Enrich,
    /// Nobody: what the caller sent passes untouched.
    Off,
}

/// One request's hop.
#[derive(Debug)]
pub(crate) struct Hop {
    pub(crate) context: TraceContext,
    /// The caller's context, where a trace was started instead of joining the caller's.
    pub(crate) link: Option<Traceparent>,
    role: Role,
    state: State,
}

/// What is ours in a request's trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// A span, and the context.
    Span,
    /// The context alone: the request is not to be traced, and yet the app gets one.
    Context,
    /// Nothing. Its IDs are there for the log line.
    Bystander,
}

/// What goes upstream as `tracestate`.
#[derive(Debug)]
enum State {
    AsItCame,
    Dropped,
    /// Nothing but our own entry: the threshold of a trace that starts here.
    Started(Sampler),
    Rewritten(Vec<u8>),
}

/// The key of our entry in `tracestate`: OpenTelemetry's.
const OURS: &[u8] = b"ot";

impl Hop {
    /// The hop of a request that has just arrived.
    pub(crate) fn of(
        head: &RequestHead,
        target: Target,
        tracing: Tracing,
        plan: &Plan,
        rng: &mut Rng,
    ) -> Self {
        let traced = plan.router.traces(target);
        let joined = head.caller.filter(|_| !plan.trace.restarts);
        match (tracing, joined) {
            (Tracing::Own, Some(caller)) if traced => Self::join(caller, head, target, plan, rng),
            (Tracing::Own, None) if traced => {
                let started = Self::start(plan.sampler(target), Role::Span, head, rng);
                Self { link: head.caller, ..started }
            }
            (Tracing::Own, None) => Self::start(Sampler::NONE, Role::Context, head, rng),
            _ => Self::pass_by(head.caller, rng),
        }
    }

    fn join(
        caller: Traceparent,
        head: &RequestHead,
        target: Target,
        plan: &Plan,
        rng: &mut Rng,
    ) -> Self {
        let state = Tracestate::parse(&head.tracestate.value).ok();
        let ot = state.and_then(|state| Ot::parse(state.value_of(OURS)?));
        let said = Caller { sampled: caller.flags.is_sampled(), trace_id: caller.trace_id, ot };
        let sampler = plan.sampler(target);
        let Decision { sampled, say } = if plan.sampling.ignores_parent {
            sampling::resample(&said, sampler)
        } else {
            sampling::follow(&said)
        };
        let context = TraceContext {
            trace_id: caller.trace_id,
            span_id: SpanId::mint(rng),
            parent: Some(caller.span_id),
            flags: caller.flags.with_sampled(sampled),
        };
        let state = match state {
            Some(state) => State::said(say, state, ot, head),
            // What breaks the rules is dropped whole.
            None if matches!(say, Say::Threshold(_)) => State::Started(sampler),
            None => State::Dropped,
        };
        Self { context, link: None, role: Role::Span, state }
    }

    fn start(sampler: Sampler, role: Role, head: &RequestHead, rng: &mut Rng) -> Self {
        let trace_id = TraceId::mint(rng);
        let Decision { sampled, .. } = sampling::start(sampler, trace_id);
        let state = match head.tracestate.lines {
            // One that came with no trace goes, and nothing takes its place: what breaks the rules gets no
            // more than it must have.
            1.. if head.caller.is_none() => State::Dropped,
            _ if sampled => State::Started(sampler),
            0 => State::AsItCame,
            // A tracestate belongs to the trace it came with. Beside a new one it would be a lie.
            1.. => State::Dropped,
        };
        let flags = Flags::RANDOM.with_sampled(sampled);
        let context = TraceContext { trace_id, span_id: SpanId::mint(rng), parent: None, flags };
        Self { context, link: None, role, state }
    }

    fn pass_by(caller: Option<Traceparent>, rng: &mut Rng) -> Self {
        let context = TraceContext {
            trace_id: caller.map_or_else(|| TraceId::mint(rng), |caller| caller.trace_id),
            span_id: SpanId::mint(rng),
            parent: caller.map(|caller| caller.span_id),
            flags: caller.map_or(Flags::default(), |caller| caller.flags),
        };
        Self { context, link: None, role: Role::Bystander, state: State::AsItCame }
    }

    /// Hands over what must change in the request's headers.
    pub(crate) fn edit(&self, mut apply: impl FnMut(Edit<'_>)) {
        if self.role == Role::Bystander {
            return;
        }
        apply(Edit::Set(b"traceparent", &self.context.traceparent().to_header()));
        match &self.state {
            State::AsItCame => {}
            State::Dropped => apply(Edit::Remove(b"tracestate")),
            State::Started(sampler) => apply(Edit::Set(b"tracestate", sampler.tracestate())),
            State::Rewritten(state) => apply(Edit::Set(b"tracestate", state)),
        }
    }

    /// What went upstream as `tracestate`, as far as it is valid.
    pub(crate) fn tracestate<'a>(&'a self, head: &'a RequestHead) -> &'a [u8] {
        match &self.state {
            State::AsItCame => &head.tracestate.value,
            State::Dropped => &[],
            State::Started(sampler) => sampler.tracestate(),
            State::Rewritten(state) => state,
        }
    }

    /// The same without a threshold: a span that was kept by rule claims no probability.
    pub(crate) fn tracestate_without_threshold(&self, head: &RequestHead) -> Vec<u8> {
        let whole = self.tracestate(head);
        let Ok(state) = Tracestate::parse(whole) else { return Vec::new() };
        let ot = state.value_of(OURS).and_then(Ot::parse);
        match rewritten(state, ot, None) {
            State::Rewritten(state) => state,
            State::AsItCame | State::Dropped | State::Started(_) => Vec::new(),
        }
    }

    /// Whether a span of ours is part of the trace.
    pub(crate) fn has_span(&self) -> bool {
        self.role == Role::Span
    }

    /// Whether the app was handed our context.
    pub(crate) fn has_context(&self) -> bool {
        self.role != Role::Bystander
    }

    /// Whether the `traceparent` that a request had at its end shows that another tracer has replaced ours.
    pub(crate) fn is_overruled(&self, upstream: &[u8]) -> bool {
        let upstream = Traceparent::parse(upstream);
        self.has_context() && upstream.is_ok_and(|upstream| upstream != self.context.traceparent())
    }

    /// Gives up what was ours in the trace, and takes over the context that went upstream.
    pub(crate) fn give_way(&mut self, caller: Option<Traceparent>, upstream: &[u8]) {
        self.role = Role::Bystander;
        let Ok(upstream) = Traceparent::parse(upstream) else { return };
        let came_so = caller.is_some_and(|caller| caller.span_id == upstream.span_id);
        if !came_so && upstream != self.context.traceparent() {
            let parent = caller.filter(|caller| caller.trace_id == upstream.trace_id);
            self.context = TraceContext {
                trace_id: upstream.trace_id,
                span_id: upstream.span_id,
                parent: parent.map(|caller| caller.span_id),
                flags: upstream.flags,
            };
        }
    }
}

impl State {
    /// What goes on of the caller's, as the sampling decision says.
    fn said(say: Say, state: Tracestate<'_>, ot: Option<Ot<'_>>, head: &RequestHead) -> Self {
        match say {
            Say::Threshold(threshold) => rewritten(state, ot, Some(threshold)),
            Say::Nothing if state.value_of(OURS).is_some() => rewritten(state, ot, None),
            // Of several headers, apps and libraries often pass on one.
            Say::Nothing | Say::AsItCame if head.tracestate.lines > 1 => {
                Self::Rewritten(head.tracestate.value.clone())
            }
            Say::Nothing | Say::AsItCame => Self::AsItCame,
        }
    }
}

/// The caller's entries, and in ours another threshold or none.
fn rewritten(state: Tracestate<'_>, ot: Option<Ot<'_>>, threshold: Option<Threshold>) -> State {
    let mut ours = Vec::new();
    match (ot, threshold) {
        (Some(ot), _) => ot.write_with(threshold, &mut ours),
        (None, Some(threshold)) => {
            ours.extend_from_slice(b"th:");
            threshold.write(&mut ours);
        }
        (None, None) => {}
    }
    let mut whole = Vec::new();
    state.write_with(OURS, Some(ours.as_slice()).filter(|ours| !ours.is_empty()), &mut whole);
    if whole.is_empty() { State::Dropped } else { State::Rewritten(whole) }
}

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
    /// Nothing. The IDs in the log line are those of the context that passes. Where none does, the line has some
    /// that nobody else knows, so that whoever joins lines by their IDs need not ask whether they are there.
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
        let passes = caller.unwrap_or_else(|| Traceparent {
            trace_id: TraceId::mint(rng),
            span_id: SpanId::mint(rng),
            flags: Flags::default(),
        });
        let context = passing(passes, None);
        Self { context, link: None, role: Role::Bystander, state: State::AsItCame }
    }

    /// Hands over what must change in the request's headers.
    pub(crate) fn edit(&self, mut apply: impl FnMut(Edit<'_>)) {
        if !self.has_context() {
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
        matches!(self.role, Role::Span | Role::Context)
    }

    /// Whether the `traceparent` that a request had at its end shows that another tracer has replaced ours.
    pub(crate) fn is_overruled(&self, upstream: &[u8]) -> bool {
        let upstream = Traceparent::parse(upstream);
        self.has_context() && upstream.is_ok_and(|upstream| upstream != self.context.traceparent())
    }

    /// Gives up what was ours in the trace, and takes over the context that went upstream.
    pub(crate) fn give_way(&mut self, caller: Option<Traceparent>, upstream: &[u8]) {
        self.role = Role::Bystander;
        let upstream = Traceparent::parse(upstream).ok();
        if let Some(upstream) = upstream.filter(|it| *it != self.context.traceparent()) {
            let parent = caller.filter(|caller| caller.trace_id == upstream.trace_id);
            self.context = passing(upstream, parent);
        }
    }
}

/// The place of a span that is not ours, under the caller's if that is known.
fn passing(passes: Traceparent, caller: Option<Traceparent>) -> TraceContext {
    let Traceparent { trace_id, span_id, flags } = passes;
    TraceContext { trace_id, span_id, parent: caller.map(|caller| caller.span_id), flags }
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

#[cfg(test)]
mod table;
#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::Scratch;
    use crate::{Place, config};

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const CALLER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const OTHERS: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-1111111111111111-00";
    const ELSEWHERE: &str = "00-11111111111111111111111111111111-1111111111111111-01";

    fn hop(tracing: Tracing, caller: &str) -> (Hop, RequestHead) {
        let plan = Plan::new(&config::read(b"").unwrap(), &Place::default());
        let pairs = [(b"traceparent".as_slice(), caller.as_bytes())];
        let pairs = pairs.into_iter().filter(|(_, value)| !value.is_empty());
        let (head, path) = RequestHead::read(pairs, &plan);
        let target = plan.router.target(head.method(), path, &mut Scratch::default());
        (Hop::of(&head, target, tracing, &plan, &mut Rng::from_seed([5; 32])), head)
    }

    /// What is said of the trace: its context, and the parent.
    fn said(hop: &Hop) -> (String, Option<String>) {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let parent = hop.context.parent.map(|parent| text(&parent.to_hex()));
        (text(&hop.context.traceparent().to_header()), parent)
    }

    #[test]
    fn who_writes_nothing_speaks_of_the_context_that_passes() {
        let callers = Some("00f067aa0ba902b7");
        let table = [
            ("no trace", "", "", None),
            ("one that breaks the rules", "00-0-0-00", "00-0-0-00", None),
            ("the caller's", CALLER, CALLER, Some((CALLER, None))),
            ("the caller's, and nothing is left of it", CALLER, "", Some((CALLER, None))),
            ("another tracer's, below the caller", CALLER, OTHERS, Some((OTHERS, callers))),
            ("another trace", CALLER, ELSEWHERE, Some((ELSEWHERE, None))),
            ("a trace that started behind us", "", OTHERS, Some((OTHERS, None))),
        ];
        for (name, caller, upstream, expected) in table {
            let (mut hop, head) = hop(Tracing::Enrich, caller);
            hop.edit(|edit| panic!("{name}: {edit:?}"));
            hop.give_way(head.caller, upstream.as_bytes());
            let (context, parent) = said(&hop);
            let found = Some((context.as_str(), parent.as_deref()));
            match expected {
                Some(_) => assert_eq!(found, expected, "{name}"),
                None => assert!(parent.is_none() && context.ends_with("-00"), "{name}: {found:?}"),
            }
            assert!(!hop.has_span() && !hop.has_context(), "{name}");
        }
    }

    #[test]
    fn who_gives_way_keeps_what_it_has_told_the_app_unless_that_was_replaced() {
        for caller in ["", CALLER] {
            let (ours, _) = said(&hop(Tracing::Own, caller).0);
            for (upstream, expected) in [(&*ours, &*ours), ("", &*ours), (OTHERS, OTHERS)] {
                let (mut hop, head) = hop(Tracing::Own, caller);
                assert_eq!(hop.is_overruled(upstream.as_bytes()), upstream == OTHERS);
                hop.give_way(head.caller, upstream.as_bytes());
                let (context, parent) = said(&hop);
                assert_eq!(context, expected, "{caller:?}, {upstream:?}");
                assert_eq!(parent.is_some(), context.contains(TRACE) && !caller.is_empty());
                assert!(!hop.has_span(), "{caller:?}, {upstream:?}");
            }
        }
    }
}

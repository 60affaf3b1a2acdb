//! One request: callbacks drive its exchange, and what the exchange decides goes to the host.

use std::rc::Rc;

use sightline_core::config::Published;
use sightline_core::{Direction, Exchange, Observation, Plan, log};

use crate::abi::{self, HeaderMap, Side};
use crate::counter::Active;
use crate::endpoint;
use crate::root::Root;
use crate::shared::Shared;
use crate::witness::Host;

/// The name of the filter state that holds the finished line, behind the host's own `wasm.`.
const LOG_LINE: &str = "sightline_log";

/// A request under way.
pub(crate) struct Stream {
    root: Rc<Root>,
    stage: Stage,
    /// Where it is counted as long as it is under way.
    active: Option<Active>,
    /// Whether our trace context was written into the request. Else whatever stands there was the caller's.
    is_edited: bool,
}

enum Stage {
    /// Created, and no head seen. A request that a filter before us answers never gets further.
    Created,
    Open(Box<Exchange>),
    Finished,
}

impl Stream {
    pub(crate) fn new(root: Rc<Root>) -> Self {
        Self { root, stage: Stage::Created, active: None, is_edited: false }
    }

    /// The request's head is there, and with it all of the request if it `ends` so.
    pub(crate) fn on_request_headers(&mut self, ends: bool, shared: &mut Shared) {
        let pairs = abi::header_pairs(Side::Request);
        let mut exchange = self.begin(&pairs, shared);
        if ends {
            exchange.has_no_body();
        }
        if let Some(format) = endpoint::asked(&self.root.plan, pairs.iter()) {
            exchange.ignore();
            endpoint::answer(&self.root, format, shared);
        } else {
            exchange.edit_request(&self.root.plan, |edit| abi::apply(Side::Request, edit));
            self.is_edited = true;
            let Root { plan, tracer, counter, .. } = &*self.root;
            self.active = counter.as_ref().and_then(|it| it.enter(&exchange, plan, tracer));
        }
        self.stage = Stage::Open(exchange);
    }

    pub(crate) fn on_response_headers(&mut self) {
        if let Stage::Open(exchange) = &mut self.stage {
            respond(exchange, &self.root.plan);
            exchange.edit_response(&self.root.plan, |edit| abi::apply(Side::Response, edit));
        }
    }

    /// Hands the finished request to the signals, unless that was done.
    pub(crate) fn finish(&mut self, shared: &mut Shared) {
        let mut exchange = match std::mem::replace(&mut self.stage, Stage::Finished) {
            // The host still has the heads of a request that passed us by.
            Stage::Created => self.begin(&abi::header_pairs(Side::Request), shared),
            Stage::Open(exchange) => exchange,
            Stage::Finished => return,
        };
        let direction = self.leave();
        if !exchange.is_answered() {
            respond(&mut exchange, &self.root.plan);
        }
        self.root.tracer.settle(&mut exchange, self.is_edited);
        self.root.with_route(&exchange, |route, counts| {
            let plan = &self.root.plan;
            if plan.metrics.stats {
                shared.stats.record_routes(counts);
            }
            let now = abi::monotonic_now();
            let mut observation = exchange.finish(now, route, plan, &mut shared.budget, &Host);
            self.root.export(&mut observation, direction, now);
            if observation.logged {
                self.root.export_record(&observation, direction, now);
            }
            self.emit(&observation, &exchange, direction, shared);
        });
    }

    /// It is under way no longer. Hands back which way it went, if that was asked.
    fn leave(&mut self) -> Option<Direction> {
        self.root.counter.as_ref()?.leave(self.active.take()?)
    }

    fn begin(&self, pairs: &HeaderMap, shared: &mut Shared) -> Box<Exchange> {
        let Shared { rng, scratch, clock, .. } = shared;
        let Root { plan, tracer, .. } = &*self.root;
        let tracing = tracer.tracing();
        Box::new(Exchange::begin(pairs.iter(), clock.now(), rng, scratch, plan, tracing))
    }

    fn emit(
        &self,
        observation: &Observation<'_>,
        exchange: &Exchange,
        direction: Option<Direction>,
        shared: &mut Shared,
    ) {
        let Root { plan, counter, .. } = &*self.root;
        if let Some(counter) = counter.as_ref().filter(|_| plan.router.counts(exchange.target())) {
            let direction = direction.unwrap_or_else(|| self.root.counted_direction());
            counter.count(observation, direction, plan, shared);
        }
        if observation.logged {
            write_line(observation, plan, &mut shared.line);
        }
        for published in &plan.published {
            publish(*published, observation);
        }
    }
}

/// Writes the line, where it goes as text.
fn write_line(observation: &Observation<'_>, plan: &Plan, line: &mut Vec<u8>) {
    let log::LogPlan { property, stdout, .. } = plan.log;
    if property || stdout {
        line.clear();
        log::write_line(observation, plan, line);
    }
    if property {
        abi::set_filter_state(LOG_LINE, line);
    }
    if stdout {
        abi::log_line(observation.level(), line);
    }
}

/// Sets what else is to be known of the request as filter state of its own.
fn publish(published: Published, observation: &Observation<'_>) {
    let trace = observation.trace();
    match published {
        Published::Route => {
            abi::set_filter_state("sightline_route", observation.route.name.as_bytes());
        }
        Published::RequestId => {
            abi::set_filter_state("sightline_request_id", observation.request_id.as_bytes());
        }
        Published::TraceId => {
            abi::set_filter_state("sightline_trace_id", &trace.trace_id.to_hex());
        }
        Published::SpanId => abi::set_filter_state("sightline_span_id", &trace.span_id.to_hex()),
    }
}

/// Tells the exchange of the response's head, if there is one.
fn respond(exchange: &mut Exchange, plan: &Plan) {
    let pairs = abi::header_pairs(Side::Response);
    if !pairs.is_empty() {
        exchange.respond(pairs.iter(), abi::monotonic_now(), plan);
    }
}

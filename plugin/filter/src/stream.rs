//! One request: callbacks drive its exchange, and what the exchange decides goes to the host.

use std::rc::Rc;

use sightline_core::{Exchange, Observation, Plan, log};

use crate::abi::{self, Side};
use crate::shared::Shared;

/// The name of the filter state that holds the finished line, behind the host's own `wasm.`.
const LOG_LINE: &str = "sightline_log";

/// A request under way.
pub(crate) struct Stream {
    plan: Rc<Plan>,
    stage: Stage,
}

enum Stage {
    /// Created, and no head seen. A request that a filter before us answers never gets further.
    Created,
    Open(Box<Exchange>),
    Finished,
}

impl Stream {
    pub(crate) fn new(plan: Rc<Plan>) -> Self {
        Self { plan, stage: Stage::Created }
    }

    pub(crate) fn on_request_headers(&mut self, shared: &mut Shared) {
        let exchange = self.begin(shared);
        exchange.edit_request(&self.plan, |edit| abi::apply(Side::Request, edit));
        self.stage = Stage::Open(exchange);
    }

    pub(crate) fn on_response_headers(&mut self) {
        if let Stage::Open(exchange) = &mut self.stage {
            respond(exchange);
            exchange.edit_response(&self.plan, |edit| abi::apply(Side::Response, edit));
        }
    }

    /// Hands the finished request to the signals, unless that was done.
    pub(crate) fn finish(&mut self, shared: &mut Shared) {
        let mut exchange = match std::mem::replace(&mut self.stage, Stage::Finished) {
            // The host still has the heads of a request that passed us by.
            Stage::Created => self.begin(shared),
            Stage::Open(exchange) => exchange,
            Stage::Finished => return,
        };
        if !exchange.is_answered() {
            respond(&mut exchange);
        }
        self.emit(&exchange.finish(abi::monotonic_now()), shared);
    }

    fn begin(&self, shared: &mut Shared) -> Box<Exchange> {
        let pairs = abi::header_pairs(Side::Request);
        Box::new(Exchange::begin(pairs.iter(), abi::now(), &mut shared.rng, &self.plan))
    }

    fn emit(&self, observation: &Observation<'_>, shared: &mut Shared) {
        if self.plan.counts_stats {
            shared.stats.count(observation.series());
        }
        if self.plan.sets_log_property {
            shared.line.clear();
            log::write_line(observation, &self.plan, &mut shared.line);
            abi::set_filter_state(LOG_LINE, &shared.line);
        }
    }
}

/// Tells the exchange of the response's head, if there is one.
fn respond(exchange: &mut Exchange) {
    let pairs = abi::header_pairs(Side::Response);
    if !pairs.is_empty() {
        exchange.respond(pairs.iter(), abi::monotonic_now());
    }
}

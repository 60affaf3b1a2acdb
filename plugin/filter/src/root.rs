//! A root context: reads its configuration once, says no to a wrong one, and does what is to be done now
//! and then.

use std::cell::RefCell;
use std::time::Duration;

use sightline_core::route::{Inference, Route, RouteCounts};
use sightline_core::{Exchange, Place, Plan, config};

use crate::abi;
use crate::ledger::SharedValue;
use crate::stats::Stats;

/// A root with its configuration. Its streams keep it as long as they last.
pub(crate) struct Root {
    pub(crate) plan: Plan,
    routes: RefCell<Routes>,
}

struct Routes {
    inference: Inference,
    ledger: SharedValue,
}

/// How often the workers agree on what they have learned.
const TICK: Duration = Duration::from_secs(1);

impl Root {
    /// Compiles the configuration that the host holds ready now. What is wrong with it goes to the host's
    /// log, a line for each problem.
    pub(crate) fn configure(stats: &mut Stats) -> Option<Self> {
        match config::read(&abi::plugin_configuration()) {
            Ok(settings) => {
                for warning in settings.warnings() {
                    abi::log_warning(&format!("sightline: configuration: {warning}"));
                }
                let root = Self::new(Plan::new(&settings, &place()));
                root.tick(stats);
                Some(root)
            }
            Err(problems) => {
                for problem in problems.iter() {
                    abi::log_error(&format!("sightline: configuration refused: {problem}"));
                }
                None
            }
        }
    }

    fn new(plan: Plan) -> Self {
        let ledger = SharedValue::routes_of(&plan.service);
        let inference = Inference::new(plan.router.limits);
        if plan.router.limits.is_some() {
            abi::tick_every(TICK);
        }
        Self { plan, routes: RefCell::new(Routes { inference, ledger }) }
    }

    /// Agrees with the other workers, and tells the host how many routes there are.
    pub(crate) fn tick(&self, stats: &mut Stats) {
        let Ok(mut routes) = self.routes.try_borrow_mut() else { return };
        let Routes { inference, ledger } = &mut *routes;
        inference.agree(ledger);
        if self.plan.counts_stats {
            stats.record_routes(inference.counts());
        }
    }

    /// Hands over the route of a request that is over, unless it is to leave no trace, and how many routes
    /// there are now.
    pub(crate) fn with_route(
        &self,
        exchange: &Exchange,
        then: impl FnOnce(Route<'_>, RouteCounts),
    ) {
        // The host does not call back while it is being called.
        let Ok(mut routes) = self.routes.try_borrow_mut() else { return };
        let Routes { inference, ledger } = &mut *routes;
        let router = &self.plan.router;
        let found = inference.route_of(exchange, router, abi::is_from_upstream, ledger);
        if let Some((route, counts)) = found {
            then(route, counts);
        }
    }
}

/// Asked once for each configuration: a property is dear, and a place does not move.
fn place() -> Place {
    Place {
        service_name: abi::environment_variable("OTEL_SERVICE_NAME"),
        cluster: abi::node_cluster(),
    }
}

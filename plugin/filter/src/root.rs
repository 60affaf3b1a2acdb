//! A root context: reads its configuration once, says no to a wrong one, and does what is to be done now
//! and then.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use sightline_core::identity::{IdFormat, RequestId, SpanId};
use sightline_core::otlp::{self, Signal};
use sightline_core::route::{Inference, Route, RouteCounts, Source};
use sightline_core::{
    Direction, Exchange, Exported, Istio, Monotonic, Observation, Place, Plan, config,
};

use crate::abi;
use crate::counter::Counter;
use crate::exporters;
use crate::ledger::{self, SharedValue};
use crate::shared::{Clock, Shared};
use crate::tracer::Tracer;

/// A root with its configuration. Its streams keep it as long as they last.
pub(crate) struct Root {
    id: u32,
    pub(crate) plan: Plan,
    pub(crate) tracer: Tracer,
    /// What counts its requests, if they are counted.
    pub(crate) counter: Option<Counter>,
    routes: RefCell<Routes>,
    /// Where spans go.
    spans: Option<exporters::Shared>,
    /// Where log records go.
    logs: Option<exporters::Shared>,
    agreed: Cell<Monotonic>,
}

struct Routes {
    inference: Inference,
    ledger: SharedValue,
}

/// How often the workers agree on what they have learned, and the clocks are compared.
const AGREEMENT: Duration = Duration::from_secs(1);

/// How often batches that are full are sent. In between the queue must hold what comes.
const EXPORT: Duration = Duration::from_millis(200);

impl Root {
    /// Compiles the configuration that the host holds ready now. What is wrong with it goes to the host's
    /// log, a line for each problem.
    pub(crate) fn configure(id: u32, shared: &mut Shared) -> Option<Self> {
        let settings = match config::read(&abi::plugin_configuration()) {
            Ok(settings) => settings,
            Err(problems) => {
                for problem in problems.iter() {
                    abi::log_error(&format!("sightline: configuration refused: {problem}"));
                }
                return None;
            }
        };
        for warning in settings.warnings() {
            abi::log_warning(&format!("sightline: configuration: {warning}"));
        }
        let place = Place { instance: instance(shared), exporter: exporter(shared), ..place() };
        let root = Self::new(id, Plan::new(&settings, &place), shared);
        if let Some(invalid) = root.plan.invalid_attributes {
            abi::log_warning(&format!("sightline: OTEL_RESOURCE_ATTRIBUTES left out: {invalid}"));
        }
        root.agree(shared);
        Some(root)
    }

    fn new(id: u32, plan: Plan, shared: &mut Shared) -> Self {
        let ledger = SharedValue::of("routes", &plan.service);
        let inference = Inference::new(plan.router.limits);
        let counter = Counter::new(&plan, shared);
        let meter = counter.as_ref().map(Counter::meter);
        let export = plan.export.as_ref();
        let mut join = |signal| export.map(|export| shared.exporters.join(export, signal, meter));
        let spans = join(Signal::Traces);
        let logs = if plan.log.otlp { join(Signal::Logs) } else { None };
        abi::tick_every(if spans.is_some() { EXPORT } else { AGREEMENT });
        Self {
            id,
            tracer: Tracer::new(&plan),
            plan,
            counter,
            routes: RefCell::new(Routes { inference, ledger }),
            spans,
            logs,
            agreed: Cell::default(),
        }
    }

    /// Sends what is to be sent, and now and then agrees with the other workers.
    pub(crate) fn tick(&self, shared: &mut Shared) {
        let Shared { exporters, rng, stats, .. } = shared;
        exporters.tick(self.id, rng, stats);
        if abi::monotonic_now().since(self.agreed.get()) >= AGREEMENT {
            self.agree(shared);
            self.share(shared);
        }
    }

    /// Shares what was counted, and tells a collector of it if this worker is the one to.
    fn share(&self, shared: &mut Shared) {
        if let Some(counter) = &self.counter {
            counter.agree(shared);
            counter.tell(self, shared);
        }
        shared.meters.prune(&mut shared.stats);
    }

    /// Which way the current stream goes, as far as anybody is shown.
    pub(crate) fn counted_direction(&self) -> Direction {
        if self.plan.metrics.is_shown() { self.tracer.direction() } else { Direction::Inbound }
    }

    /// How many routes there are, by where they come from.
    pub(crate) fn route_sources(&self) -> [(&'static str, u64); 3] {
        let routes = self.routes.try_borrow();
        let (typed, learned) =
            routes.map(|routes| routes.inference.learned().by_source()).unwrap_or_default();
        let templates = self.plan.router.templates_count();
        [(Source::Template, templates), (Source::Typed, typed), (Source::Learned, learned)]
            .map(|(source, number)| (source.as_str(), number as u64))
    }

    /// Agrees with the other workers on routes, tells the host how many there are, and sets the clock.
    fn agree(&self, shared: &mut Shared) {
        shared.clock = Clock::new();
        self.agreed.set(shared.clock.now().monotonic);
        self.tracer.tick();
        let Ok(mut routes) = self.routes.try_borrow_mut() else { return };
        let Routes { inference, ledger } = &mut *routes;
        inference.agree(ledger);
        if self.plan.metrics.stats {
            shared.stats.record_routes(inference.counts());
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

    /// Hands the span of a finished request to the exporter, if it is to be exported. Where there is no room
    /// for it, it is not.
    pub(crate) fn export(
        &self,
        observation: &mut Observation<'_>,
        direction: Option<Direction>,
        now: Monotonic,
    ) {
        let Some(spans) = &self.spans else { return };
        let Ok(mut spans) = spans.try_borrow_mut() else { return };
        if !observation.is_traced() {
            return;
        }
        spans.count_span(observation.exported);
        if observation.exported == Exported::No {
            return;
        }
        let direction = direction.unwrap_or_else(|| self.tracer.direction());
        let mut write =
            |out: &mut Vec<u8>| otlp::write_span(observation, direction, &self.plan, out);
        if !spans.offer(now, &mut write) {
            observation.exported = Exported::No;
        }
    }

    /// Hands the log record of a finished request to the exporter, if log records are exported.
    pub(crate) fn export_record(
        &self,
        observation: &Observation<'_>,
        direction: Option<Direction>,
        now: Monotonic,
    ) {
        let Some(logs) = &self.logs else { return };
        let Ok(mut logs) = logs.try_borrow_mut() else { return };
        let direction = direction.unwrap_or_else(|| self.tracer.direction());
        // What there is no room for is counted there.
        let _ = logs.offer(now, &mut |out| {
            otlp::write_log_record(observation, direction, &self.plan, out);
        });
    }
}

/// Asked once for each configuration: properties are dear, and a place does not move.
fn place() -> Place {
    let istio = |key: &str| abi::node(&["metadata\0", key].concat());
    Place {
        service_name: abi::environment_variable("OTEL_SERVICE_NAME"),
        resource_attributes: abi::environment_variable("OTEL_RESOURCE_ATTRIBUTES"),
        pod: abi::environment_variable("POD_NAME"),
        namespace: abi::environment_variable("POD_NAMESPACE"),
        istio: Istio {
            canonical_name: istio("LABELS\0service.istio.io/canonical-name"),
            app: istio("LABELS\0app"),
            pod: istio("NAME"),
            namespace: istio("NAMESPACE"),
            workload: istio("WORKLOAD_NAME"),
        },
        cluster: abi::node("cluster"),
        ..Place::default()
    }
}

/// An ID of this process: the first that any of its workers has minted.
fn instance(shared: &mut Shared) -> Option<String> {
    let ours = RequestId::mint(IdFormat::Uuid4, abi::wall_now(), &mut shared.rng);
    let agreed = ledger::first("sightline.instance", ours.as_bytes());
    String::from_utf8(agreed.into_vec()).ok()
}

/// By what all workers know the requests of exporters again: likewise.
fn exporter(shared: &mut Shared) -> Option<SpanId> {
    let ours = SpanId::mint(&mut shared.rng);
    let agreed = ledger::first("sightline.exporter", ours.as_bytes());
    SpanId::from_bytes((*agreed).try_into().ok()?)
}

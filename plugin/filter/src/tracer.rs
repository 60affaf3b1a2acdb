//! Who writes the trace context on this root's listeners: we, or another tracer of the same proxy, which
//! shows only at a request's end.

use std::cell::Cell;

use sightline_core::config::Mode;
use sightline_core::{Direction, Exchange, Plan, Tracing};

use crate::{abi, ledger};

/// What a root has found out about its listeners.
pub(crate) struct Tracer {
    tracing: Cell<Tracing>,
    /// Whether another tracer is to be looked for.
    watch: Cell<Watch>,
    /// What was configured; none: each stream's listener says it.
    direction: Option<Direction>,
}

/// Whether another tracer is looked for at a request's end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Watch {
    /// No: who traces was configured, or is known for good.
    Never,
    /// At the next request that reaches an upstream, because only there another tracer writes.
    Next,
    /// Not until the next tick: asking costs, and proxies do not change often.
    Later,
}

impl Tracer {
    pub(crate) fn new(plan: &Plan) -> Self {
        let (tracing, watch) = match plan.trace.mode {
            Mode::Own => (Tracing::Own, Watch::Never),
            Mode::Auto => (Tracing::Own, Watch::Next),
            Mode::Enrich => (Tracing::Enrich, Watch::Never),
            Mode::Off => (Tracing::Off, Watch::Never),
        };
        Self { tracing: tracing.into(), watch: watch.into(), direction: plan.direction }
    }

    pub(crate) fn tracing(&self) -> Tracing {
        self.tracing.get()
    }

    /// Which side of the service the current stream's listener is on. It is asked for each span that is
    /// exported: from Envoy 1.40 on, listeners with the same configuration share a root.
    pub(crate) fn direction(&self) -> Direction {
        self.direction.unwrap_or_else(|| Direction::of_listener(abi::listener_direction()))
    }

    /// Time has passed.
    pub(crate) fn tick(&self) {
        if self.watch.get() == Watch::Later {
            self.watch.set(Watch::Next);
        }
    }

    /// Lets the exchange take over what another tracer has sent upstream, if there is one. Only a request that `is_edited`
    /// by us shows whether there is.
    pub(crate) fn settle(&self, exchange: &mut Exchange, is_edited: bool) {
        let watching = is_edited && self.watch.get() == Watch::Next;
        if !watching && self.tracing.get() != Tracing::Enrich {
            return;
        }
        let upstream = abi::request_header("traceparent").unwrap_or_default();
        if watching && exchange.is_overruled(&upstream) {
            self.give_way();
        } else if watching
            && exchange.would_be_overruled()
            && (exchange.is_from_upstream() || abi::is_from_upstream())
        {
            self.watch.set(Watch::Later);
        }
        if self.tracing.get() == Tracing::Enrich {
            exchange.give_way(&upstream);
        }
    }

    fn give_way(&self) {
        self.tracing.set(Tracing::Enrich);
        self.watch.set(Watch::Never);
        // Each worker finds out for itself; one of them says so.
        if ledger::is_first("sightline.enrich") {
            abi::log_warning(
                "sightline: another tracer of this proxy rewrites traceparent: from now on its spans stand, \
                 and the log line has its IDs (trace.mode: enrich)",
            );
        }
    }
}

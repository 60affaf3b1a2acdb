//! Envoy stats: each series is defined once and then known by its number.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use sightline_core::otlp::{Counts, Signal};
use sightline_core::red::{self, Series};
use sightline_core::route::{RouteCounts, Source, Table};
use sightline_core::{Observation, Quick};

use crate::abi::{self, MetricId, MetricKind};
use crate::exporters::Tally;

/// The metrics of this VM. Envoy gives a new number for each definition and never frees one, so none is
/// defined twice.
#[derive(Default)]
pub(crate) struct Stats {
    routes: Table,
    /// A series that the host would not define stays out, and is not asked for again.
    requests: HashMap<Series, Option<MetricId>, BuildHasherDefault<Quick>>,
    /// Those that no request has a series of, by name.
    others: HashMap<String, Option<MetricId>, BuildHasherDefault<Quick>>,
    recorded: Option<RouteCounts>,
}

impl Stats {
    /// Counts one finished request.
    pub(crate) fn count(&mut self, observation: &Observation<'_>) {
        let route = observation.route;
        let series = observation.series(self.routes.number(route.name));
        let defined = self.requests.entry(series).or_insert_with(|| {
            abi::define_metric(MetricKind::Counter, &red::requests_total(series, route.name))
        });
        if let Some(id) = defined {
            abi::add(*id, 1);
        }
        if route.source == Source::Overflow {
            self.count_other(red::ROUTES_OVERFLOWED, 1);
        }
    }

    /// Says how many routes there are, if that has changed.
    pub(crate) fn record_routes(&mut self, counts: RouteCounts) {
        if self.recorded.replace(counts) == Some(counts) {
            return;
        }
        for (name, value) in
            [(red::ROUTES_ACTIVE, counts.active), (red::ROUTES_COLLAPSED, counts.collapsed)]
        {
            if let Some(id) = self.other(MetricKind::Gauge, name) {
                abi::record(id, value as u64);
            }
        }
    }

    /// Adds what has happened to spans, and to batches of them, since this was last told.
    pub(crate) fn count_export(&mut self, signal: Signal, tally: Tally, counts: Counts) {
        let Tally { sampled, kept_error, kept_slow, unsampled } = tally;
        for (outcome, number) in [
            ("sampled", sampled),
            ("kept_error", kept_error),
            ("kept_slow", kept_slow),
            ("unsampled", unsampled),
        ] {
            self.count_if_any(|| red::spans_total(outcome), number);
        }
        let signal = signal.name();
        for (outcome, number) in [
            ("ok", counts.batches_ok),
            ("rejected", counts.batches_rejected),
            ("failed", counts.batches_failed),
        ] {
            self.count_if_any(|| red::export_batches_total(signal, outcome), number);
        }
        for (reason, number) in [
            ("queue_full", counts.queue_full),
            ("rejected", counts.rejected),
            ("expired", counts.expired),
        ] {
            self.count_if_any(|| red::dropped_total(signal, reason), number);
        }
        self.count_if_any(|| red::exported_total(signal), counts.exported);
        self.add_waiting(signal, counts);
    }

    /// How many wait in this worker is added to what waits in the others, so it goes up and down by what has
    /// happened here.
    fn add_waiting(&mut self, signal: &str, counts: Counts) {
        let gone = counts.exported + counts.queue_full + counts.rejected + counts.expired;
        let change = counts.offered.cast_signed() - gone.cast_signed();
        if change != 0
            && let Some(id) = self.other(MetricKind::Gauge, &red::export_waiting(signal))
        {
            abi::add(id, change);
        }
    }

    /// Mostly nothing has happened, and then no name is made.
    fn count_if_any(&mut self, name: impl FnOnce() -> String, number: u64) {
        if number > 0 {
            self.count_other(&name(), number);
        }
    }

    fn count_other(&mut self, name: &str, number: u64) {
        if let Some(id) = self.other(MetricKind::Counter, name) {
            abi::add(id, number.cast_signed());
        }
    }

    fn other(&mut self, kind: MetricKind, name: &str) -> Option<MetricId> {
        if let Some(known) = self.others.get(name) {
            return *known;
        }
        let defined = abi::define_metric(kind, name);
        self.others.insert(name.to_owned(), defined);
        defined
    }
}

//! Envoy stats: each series is defined once and then known by its number.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use sightline_core::red::{self, Series};
use sightline_core::route::{RouteCounts, Source, Table};
use sightline_core::{Observation, Quick};

use crate::abi::{self, MetricId, MetricKind};

/// The metrics of this VM. Envoy gives a new number for each definition and never frees one, so none is
/// defined twice.
#[derive(Default)]
pub(crate) struct Stats {
    routes: Table,
    /// A series that the host would not define stays out, and is not asked for again.
    requests: HashMap<Series, Option<MetricId>, BuildHasherDefault<Quick>>,
    of_routes: HashMap<&'static str, Option<MetricId>, BuildHasherDefault<Quick>>,
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
            abi::increment(*id);
        }
        if route.source == Source::Overflow
            && let Some(id) = self.of_routes(MetricKind::Counter, red::ROUTES_OVERFLOWED)
        {
            abi::increment(id);
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
            if let Some(id) = self.of_routes(MetricKind::Gauge, name) {
                abi::record(id, value as u64);
            }
        }
    }

    fn of_routes(&mut self, kind: MetricKind, name: &'static str) -> Option<MetricId> {
        *self.of_routes.entry(name).or_insert_with(|| abi::define_metric(kind, name))
    }
}

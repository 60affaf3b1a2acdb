//! Envoy stats: each is defined once and then known by its number.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use sightline_core::otlp::Signal;
use sightline_core::red::{self, Family, Levels, SeriesName};
use sightline_core::route::RouteCounts;
use sightline_core::{Observation, Quick};

use crate::abi::{self, MetricId, MetricKind};

/// The metrics of this VM. Envoy gives a new number for each definition and never frees one, so none is
/// defined twice.
#[derive(Default)]
pub(crate) struct Stats {
    /// A metric that the host would not define stays out, and is not asked for again.
    defined: HashMap<String, Option<MetricId>, BuildHasherDefault<Quick>>,
    recorded: Option<RouteCounts>,
}

/// Where the requests of one series are counted.
#[derive(Clone, Copy, Default)]
pub(crate) struct SeriesStats {
    requests: Option<MetricId>,
    duration: Option<MetricId>,
}

impl SeriesStats {
    /// Counts one finished request.
    pub(crate) fn count(self, observation: &Observation<'_>) {
        if let Some(requests) = self.requests {
            abi::add(requests, 1);
        }
        if let Some(duration) = self.duration {
            let millis = observation.duration.as_millis();
            abi::record(duration, u64::try_from(millis).unwrap_or(u64::MAX));
        }
    }
}

impl Stats {
    /// Shows the gauge of requests under way before there are any.
    pub(crate) fn begin(&mut self) {
        self.define(MetricKind::Gauge, red::REQUESTS_ACTIVE);
    }

    /// Where the requests of a series with this name are counted.
    pub(crate) fn of_series(&mut self, name: &SeriesName) -> SeriesStats {
        SeriesStats {
            requests: self.define(MetricKind::Counter, &red::requests_total(name)),
            duration: self.define(MetricKind::Histogram, &red::duration_milliseconds(name)),
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
            if let Some(id) = self.define(MetricKind::Gauge, name) {
                abi::record(id, value as u64);
            }
        }
    }

    /// Counts a request whose route is past the limit.
    pub(crate) fn count_overflow(&mut self) {
        if let Some(id) = self.define(MetricKind::Counter, red::ROUTES_OVERFLOWED) {
            abi::add(id, 1);
        }
    }

    /// Adds to a counter of our own doings. Mostly nothing has happened, and then no name is made.
    pub(crate) fn count(&mut self, family: &Family, labels: &[&str], number: u64) {
        if number > 0
            && let Some(id) = self.define(MetricKind::Counter, &red::counter(family, labels))
        {
            abi::add(id, number.cast_signed());
        }
    }

    /// Says what is under way and waits, where it was this `before`: gauges are sums over all workers.
    pub(crate) fn move_levels(&mut self, before: &Levels, now: &Levels) {
        self.move_gauge(before.active(), now.active(), || red::REQUESTS_ACTIVE.to_owned());
        for signal in Signal::ALL {
            let waiting = |levels: &Levels| levels.of(red::Level::waiting(signal)).into();
            self.move_gauge(waiting(before), waiting(now), || red::export_waiting(signal));
        }
    }

    fn move_gauge(&mut self, before: u64, now: u64, name: impl FnOnce() -> String) {
        if before != now
            && let Some(id) = self.define(MetricKind::Gauge, &name())
        {
            abi::add(id, now.cast_signed().wrapping_sub(before.cast_signed()));
        }
    }

    fn define(&mut self, kind: MetricKind, name: &str) -> Option<MetricId> {
        if let Some(known) = self.defined.get(name) {
            return *known;
        }
        let defined = abi::define_metric(kind, name);
        self.defined.insert(name.to_owned(), defined);
        defined
    }
}

//! Envoy stats: each series is defined once and then known by its number.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use sightline_core::red::{self, Series};

use crate::abi::{self, MetricId};
use crate::hasher::Quick;

/// The counters of this VM. Envoy gives a new number for each definition and never frees one, so none is
/// defined twice.
#[derive(Default)]
pub(crate) struct Stats {
    /// A series that the host would not define stays out, and is not asked for again.
    requests: HashMap<Series, Option<MetricId>, BuildHasherDefault<Quick>>,
}

impl Stats {
    /// Counts one finished request.
    pub(crate) fn count(&mut self, series: Series) {
        let defined = self
            .requests
            .entry(series)
            .or_insert_with(|| abi::define_counter(&red::requests_total(series)));
        if let Some(id) = defined {
            abi::increment(*id);
        }
    }
}

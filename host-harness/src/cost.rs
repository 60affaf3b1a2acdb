//! What a budget would cost in Envoy: an estimate from a price list, and nothing more.
//!
//! The time that a run takes here says nothing about Envoy, where crossing the border is some ten
//! times dearer. The prices are the CPU time of single calls in Envoy 1.40 with V8 on one machine,
//! with the empty callback taken off. Use them to see which of two designs is cheaper and by about
//! how much, not to say what a request costs.

use std::fmt;
use std::time::Duration;

use crate::Budget;

/// An estimate of the CPU time that a budget would cost in Envoy. The module's own instructions are
/// not in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// For entering the module, without the allocator.
    pub entries: Duration,
    /// For hostcalls, and for the entries into the allocator that they need.
    pub hostcalls: Duration,
}

/// One entry for a callback.
const ENTRY: u64 = 340;
/// What a call that hands bytes back costs more than one that does not: the host enters the module
/// for memory, and copies.
const HANDED_BACK: u64 = 500;
/// A call that is not in the list.
const OTHER: u64 = 200;

/// Nanoseconds of calls that hand nothing back.
const PRICES: &[(&str, u64)] = &[
    ("clock_time_get", 160),
    ("proxy_add_header_map_value", 280),
    ("proxy_get_current_time_nanoseconds", 160),
    ("proxy_get_header_map_pairs", 200),
    ("proxy_get_header_map_value", 190),
    ("proxy_get_property", 240),
    ("proxy_increment_metric", 90),
    ("proxy_record_metric", 90),
    ("proxy_remove_header_map_value", 280),
    ("proxy_replace_header_map_value", 280),
    ("proxy_set_property", 210),
    ("random_get", 650),
];

impl Estimate {
    pub(crate) fn of(budget: &Budget) -> Self {
        let price = |name: &str| {
            PRICES.iter().find(|(known, _)| *known == name).map_or(OTHER, |(_, price)| *price)
        };
        let called = budget.hostcalls_by_name();
        let calls: u64 = called.map(|(name, count)| price(name) * count).sum();
        let allocations = budget.allocations().0;
        let entries: u64 = budget.entries_by_name().map(|(_, count)| count).sum();
        Self {
            entries: Duration::from_nanos(entries.saturating_sub(allocations) * ENTRY),
            hostcalls: Duration::from_nanos(calls + allocations * HANDED_BACK),
        }
    }

    /// All of it.
    pub fn total(self) -> Duration {
        self.entries + self.hostcalls
    }
}

impl fmt::Display for Estimate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let microseconds = |time: Duration| time.as_secs_f64() * 1e6;
        write!(
            out,
            "estimated CPU in Envoy {:.1} us: entries {:.1}, hostcalls {:.1}, the module's own code not counted",
            microseconds(self.total()),
            microseconds(self.entries),
            microseconds(self.hostcalls)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_hands_bytes_back_costs_more() {
        let mut budget = Budget::default();
        budget.entered("proxy_on_log");
        budget.called("proxy_get_property");
        let without = Estimate::of(&budget);
        budget.entered("malloc");
        budget.allocated(8);
        let with = Estimate::of(&budget);
        assert_eq!(without.total(), Duration::from_nanos(340 + 240));
        assert_eq!(with.total(), without.total() + Duration::from_nanos(500));
        assert_eq!(
            with.to_string(),
            "estimated CPU in Envoy 1.1 us: entries 0.3, hostcalls 0.7, the module's own code not counted"
        );
    }
}

//! Spans that are kept at the end, by rule, though the sampler dropped their trace.
//!
//! Nobody drew them by chance, so they say no probability: their `ot` has no `th`, and nothing upstream
//! was told to keep the trace. How many there are is bounded, because when all fails all are failures.

use std::time::Duration;

use crate::Monotonic;

/// Why a span was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// The request failed.
    Error,
    /// The request took long.
    Slow,
}

/// What is kept by rule.
#[derive(Clone, Copy, Debug)]
pub struct KeepRules {
    /// Whether requests that failed are.
    pub errors: bool,
    /// From when on requests are slow, if ever.
    pub slower_than: Option<Duration>,
    /// How many are at most, a second and worker. 0 is no bound.
    pub per_second: u32,
}

/// How many were kept by rule in the second that runs. Each worker has one.
#[derive(Debug, Default)]
pub struct Budget {
    began: Monotonic,
    kept: u32,
}

impl Kept {
    /// As `sightline.kept` says it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Slow => "slow",
        }
    }
}

impl KeepRules {
    /// Why the span of a request is to be kept, if it is. A failure counts as one however long it took,
    /// and a route's own bound goes before the one for all.
    pub fn why(
        &self,
        failed: bool,
        duration: Duration,
        route_slow: Option<Duration>,
    ) -> Option<Kept> {
        if failed && self.errors {
            return Some(Kept::Error);
        }
        let bound = route_slow.or(self.slower_than)?;
        (duration > bound).then_some(Kept::Slow)
    }
}

impl Budget {
    /// Whether one more may be kept now; if so, it counts.
    ///
    /// A second begins with the first that is kept, and the next one with the first that is kept after
    /// it. So across two of them there can be twice as many within one second, and never more.
    pub fn allows(&mut self, per_second: u32, now: Monotonic) -> bool {
        if per_second == 0 {
            return true;
        }
        if self.kept == 0 || now.since(self.began) >= Duration::from_secs(1) {
            *self = Self { began: now, kept: 0 };
        }
        let allowed = self.kept < per_second;
        self.kept += u32::from(allowed);
        allowed
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn errors_go_before_slowness_and_a_route_before_all() {
        let millis = Duration::from_millis;
        let rules = |errors, slower_than: Option<u64>| KeepRules {
            errors,
            slower_than: slower_than.map(millis),
            per_second: 100,
        };
        let table = [
            ("fast and fine", rules(true, Some(100)), false, 50, None, None),
            ("failed", rules(true, None), true, 50, None, Some(Kept::Error)),
            ("failed, but errors are not kept", rules(false, None), true, 50, None, None),
            ("slow", rules(true, Some(100)), false, 101, None, Some(Kept::Slow)),
            ("just as slow as the bound", rules(true, Some(100)), false, 100, None, None),
            ("failed and slow", rules(true, Some(100)), true, 101, None, Some(Kept::Error)),
            (
                "slow, errors are not kept",
                rules(false, Some(100)),
                true,
                101,
                None,
                Some(Kept::Slow),
            ),
            ("slow for its route", rules(true, Some(100)), false, 50, Some(20), Some(Kept::Slow)),
            ("not slow for its route", rules(true, Some(100)), false, 500, Some(900), None),
            (
                "only the route has a bound",
                rules(true, None),
                false,
                21,
                Some(20),
                Some(Kept::Slow),
            ),
            ("nobody has a bound", rules(true, None), false, 99_999, None, None),
        ];
        for (name, rules, failed, duration, route, expected) in table {
            let why = rules.why(failed, millis(duration), route.map(millis));
            assert_eq!(why, expected, "{name}");
        }
        assert_eq!([Kept::Error, Kept::Slow].map(Kept::as_str), ["error", "slow"]);
    }

    #[test]
    fn a_second_begins_with_the_first_that_is_kept() {
        let mut budget = Budget::default();
        let start = 5 * SECOND + 900_000_000;
        let table = [
            ("the first", start, true),
            ("the second", start + 1, true),
            ("one too many", start + 2, false),
            ("the end of that second", start + SECOND - 1, false),
            ("the next second", start + SECOND, true),
            ("a clock that stands", start + SECOND, true),
            ("one too many again", start + SECOND + 1, false),
            ("a clock that went back", start, false),
            ("much later", start + 90 * SECOND, true),
        ];
        for (name, now, allowed) in table {
            assert_eq!(budget.allows(2, Monotonic(now)), allowed, "{name}");
        }
    }

    #[test]
    fn no_bound_allows_all() {
        let mut budget = Budget::default();
        assert!((0..100_000).all(|_| budget.allows(0, Monotonic(7))));
    }

    proptest! {
        #[test]
        fn as_many_are_kept_as_the_bound_allows_and_no_more(
            bound in 1..5_usize,
            steps in prop::collection::vec(0..SECOND / 2, 1..100),
        ) {
            let mut budget = Budget::default();
            let (mut now, mut seconds) = (0, Vec::<Vec<u64>>::new());
            for step in steps {
                now += step;
                if seconds.last().is_none_or(|second| now - second[0] >= SECOND) {
                    seconds.push(Vec::new());
                }
                let running = seconds.last_mut().unwrap();
                let allowed = budget.allows(u32::try_from(bound).unwrap(), Monotonic(now));
                prop_assert_eq!(allowed, running.len() < bound);
                if allowed {
                    running.push(now);
                }
            }
            let kept: Vec<_> = seconds.concat();
            for start in &kept {
                let within = kept.iter().filter(|at| (*start..start + SECOND).contains(at));
                prop_assert!(within.count() <= 2 * bound, "within any second");
            }
        }
    }
}

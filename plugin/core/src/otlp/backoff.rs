//! How long to leave a collector alone that fails: exponential, with jitter.
//!
//! This is the arithmetic alone. Which failures count, and what goes out when, is the exporter's matter.

use std::time::Duration;

use crate::{Monotonic, Rng};

/// The longest wait after the first failure. Each further one doubles it.
const FIRST: Duration = Duration::from_secs(1);

/// What no wait of ours exceeds. A collector may ask for more.
const LONGEST: Duration = Duration::from_secs(30);

/// Failures from which on the wait is the longest.
const MOST_STEPS: u32 = 6;

/// When something may be sent to a collector again.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Backoff {
    /// Failures since the last success. Invariant: at most `MOST_STEPS`.
    steps: u32,
    /// Until here we wait by our own decision. A success ends it.
    until: Monotonic,
    /// Until here the collector told us to wait. A success does not end that: it may have been under way
    /// before the collector said so.
    told: Monotonic,
}

impl Backoff {
    /// One step more: the collector failed, and asked for no attempt before `after` has passed.
    pub(super) fn failed(&mut self, now: Monotonic, after: Option<Duration>, rng: &mut Rng) {
        let wait = FIRST.saturating_mul(1 << self.steps).min(LONGEST);
        self.steps = (self.steps + 1).min(MOST_STEPS);
        self.until = later(now, with_jitter(wait, rng));
        self.asked(now, after);
    }

    /// The collector asked for no attempt before `after` has passed. What it asked for before still holds.
    pub(super) fn asked(&mut self, now: Monotonic, after: Option<Duration>) {
        self.told = self.told.max(later(now, after.unwrap_or_default()));
    }

    /// The collector works: the next failure is a first one.
    pub(super) fn succeeded(&mut self) {
        self.steps = 0;
        self.until = Monotonic::default();
    }

    /// Whether the last thing that was heard of the collector is a failure.
    pub(super) fn is_failing(&self) -> bool {
        self.steps > 0
    }

    /// Whether all waiting is over.
    pub(super) fn may_send(&self, now: Monotonic) -> bool {
        now >= self.until.max(self.told)
    }
}

/// From half of the wait to all of it, so that proxies that failed together do not come back together.
fn with_jitter(wait: Duration, rng: &mut Rng) -> Duration {
    let half = wait / 2;
    // In 32 bits each, so that the product fits: half of the longest wait has 24 bits of microseconds.
    let micros = half.as_secs() * 1_000_000 + u64::from(half.subsec_micros());
    half + Duration::from_micros((micros * (rng.next_u64() >> 32)) >> 32)
}

/// The time that is so much behind another, as far as time goes.
fn later(now: Monotonic, wait: Duration) -> Monotonic {
    let nanos = wait.as_secs().saturating_mul(1_000_000_000);
    Monotonic(now.0.saturating_add(nanos).saturating_add(u64::from(wait.subsec_nanos())))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    const NOW: Monotonic = Monotonic(7_000_000_000);

    /// How long after `now` something may be sent for the first time, to the nanosecond.
    fn wait(backoff: &Backoff, now: Monotonic) -> Duration {
        let (mut low, mut high) = (0, u64::MAX - now.0);
        while low < high {
            let middle = low + (high - low) / 2;
            if backoff.may_send(Monotonic(now.0 + middle)) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        Duration::from_nanos(low)
    }

    #[test]
    fn each_failure_doubles_the_wait_up_to_half_a_minute() {
        let table = [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000];
        for seed in 0..50 {
            let mut rng = Rng::from_seed([seed; 32]);
            let mut backoff = Backoff::default();
            for (failure, longest) in table.map(millis).into_iter().enumerate() {
                backoff.failed(NOW, None, &mut rng);
                let wait = wait(&backoff, NOW);
                assert!(longest / 2 <= wait && wait <= longest, "{failure}: {wait:?}");
            }
        }
    }

    #[test]
    fn jitter_uses_its_whole_range_evenly() {
        let mut rng = Rng::from_seed([3; 32]);
        let mut tenths = [0; 10];
        for _ in 0..10_000 {
            let beyond_half = with_jitter(LONGEST, &mut rng).checked_sub(LONGEST / 2).unwrap();
            tenths[usize::try_from(beyond_half.as_millis() / 1_500).unwrap()] += 1;
        }
        // Five standard deviations of a count of 1,000 in 10,000.
        assert!(tenths.iter().all(|count| (850..1_150).contains(count)), "{tenths:?}");
    }

    #[test]
    fn nothing_waits_before_a_failure_or_behind_a_success() {
        let mut rng = Rng::from_seed([4; 32]);
        let mut backoff = Backoff::default();
        assert!(backoff.may_send(Monotonic(0)) && !backoff.is_failing());
        for _ in 0..4 {
            backoff.failed(NOW, None, &mut rng);
        }
        assert!(!backoff.may_send(NOW) && backoff.is_failing());
        backoff.succeeded();
        assert!(backoff.may_send(NOW) && !backoff.is_failing());
        backoff.failed(NOW, None, &mut rng);
        assert!(wait(&backoff, NOW) <= FIRST, "the first step again");
    }

    #[test]
    fn what_the_collector_asks_for_is_a_lower_bound() {
        let table = [
            ("more than our own wait", millis(90_000), millis(90_000), millis(90_000)),
            ("less than our own wait", millis(100), millis(500), millis(1_000)),
            ("nothing", Duration::ZERO, millis(500), millis(1_000)),
            ("for ever", Duration::MAX, Duration::from_nanos(u64::MAX - NOW.0), Duration::MAX),
        ];
        for (name, after, shortest, longest) in table {
            let mut backoff = Backoff::default();
            backoff.failed(NOW, Some(after), &mut Rng::from_seed([5; 32]));
            let wait = wait(&backoff, NOW);
            assert!(shortest <= wait && wait <= longest, "{name}: {wait:?}");
        }
    }

    #[test]
    fn what_the_collector_asked_for_outlives_a_success_and_a_lesser_wish() {
        let mut backoff = Backoff::default();
        backoff.asked(NOW, Some(millis(60_000)));
        assert!(!backoff.is_failing());
        backoff.asked(NOW, Some(millis(2_000)));
        backoff.succeeded();
        assert_eq!(wait(&backoff, NOW), millis(60_000));
    }
}

//! Durations counted in buckets whose width grows with them, for quantiles with a known error.
//!
//! Up to 63 µs a bucket is one microsecond wide; above, each doubling is 32 buckets. A quantile is the middle of
//! its bucket, so it is at most 1.6 % off. Only buckets that something fell into take up memory.

/// Buckets to a doubling.
const STEPS: u64 = 32;

/// Durations below this have a bucket each.
const EXACT: u64 = 2 * STEPS;

/// About twelve days: longer is counted as this long.
const LONGEST: u64 = 1 << 40;

/// How much room is kept for the next use.
const ROOM: usize = 64;

/// How often each bucket was hit: ordered by bucket, none twice.
#[derive(Clone, Debug, Default)]
pub(super) struct Histogram(Vec<(u16, f32)>);

impl Histogram {
    /// Counts a duration in microseconds.
    pub(super) fn add(&mut self, micros: u64, weight: f64) {
        #[expect(clippy::cast_possible_truncation, reason = "exact up to 16 million in one bucket")]
        let weight = weight as f32;
        let bucket = bucket(micros);
        match self.0.binary_search_by_key(&bucket, |(known, _)| *known) {
            Ok(at) => self.0[at].1 += weight,
            Err(at) => self.0.insert(at, (bucket, weight)),
        }
    }

    /// Counts what the other has counted.
    pub(super) fn merge(&mut self, other: &Self) {
        if self.0.is_empty() {
            self.0.clone_from(&other.0);
            return;
        }
        self.0.extend_from_slice(&other.0);
        self.0.sort_unstable_by_key(|(bucket, _)| *bucket);
        self.0.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            kept.1 += if same { next.1 } else { 0.0 };
            same
        });
    }

    /// Forgets everything, and gives back memory that was only once needed.
    pub(super) fn clear(&mut self) {
        self.0.clear();
        self.0.shrink_to(ROOM);
    }

    /// The duration in microseconds that this part of all is not above; none if there are none.
    pub(super) fn quantile(&self, part: f64) -> Option<f64> {
        let all: f64 = self.0.iter().map(|(_, weight)| f64::from(*weight)).sum();
        let mut sum = 0.0;
        let at = self.0.iter().find(|(_, weight)| {
            sum += f64::from(*weight);
            // Sums of fractions are not exact.
            sum >= all * part - 1e-9
        });
        at.or(self.0.last()).map(|(bucket, _)| middle(*bucket))
    }
}

fn bucket(micros: u64) -> u16 {
    let micros = micros.min(LONGEST);
    let bucket = if micros < EXACT {
        micros
    } else {
        let doublings = u64::from(micros.ilog2() - EXACT.ilog2());
        EXACT + doublings * STEPS + (micros >> (doublings + 1)) - STEPS
    };
    u16::try_from(bucket).unwrap_or(u16::MAX)
}

fn middle(bucket: u16) -> f64 {
    let bucket = u64::from(bucket);
    let Some(above) = bucket.checked_sub(EXACT) else { return float(bucket) };
    let (doublings, step) = (above / STEPS, above % STEPS);
    let (lowest, width) = ((STEPS + step) << (doublings + 1), 1 << (doublings + 1));
    float(lowest) + float(width - 1) / 2.0
}

#[expect(clippy::cast_precision_loss, reason = "up to LONGEST it is exact")]
fn float(micros: u64) -> f64 {
    micros as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(durations: &[u64]) -> Histogram {
        let mut histogram = Histogram::default();
        for &micros in durations {
            histogram.add(micros, 1.0);
        }
        histogram
    }

    #[test]
    fn no_bucket_is_wider_than_its_error() {
        for micros in [0, 1, 63, 64, 65, 127, 128, 1_000, 999_999, 60_000_000, LONGEST] {
            let told = middle(bucket(micros));
            let error = (told - float(micros)).abs();
            assert!(error <= 0.016 * float(micros), "{micros} is told as {told}");
        }
        assert_eq!(bucket(u64::MAX), bucket(LONGEST));
    }

    #[test]
    fn buckets_follow_each_other_without_a_gap() {
        let mut last = 0;
        for micros in 0..100_000 {
            let next = bucket(micros);
            assert!(next == last || next == last + 1, "{micros}: {next} behind {last}");
            last = next;
        }
    }

    #[test]
    fn a_histogram_of_nothing_has_no_quantile() {
        assert_eq!(of(&[]).quantile(0.5), None);
        let mut once = of(&[5]);
        once.clear();
        assert_eq!(once.quantile(0.5), None);
    }

    #[test]
    fn what_stands_for_several_counts_several_times() {
        let mut histogram = of(&[1, 2]);
        histogram.add(50, 10.0);
        assert_eq!(histogram.quantile(0.5), Some(50.0));
        assert_eq!(histogram.quantile(0.1), Some(2.0));
    }

    proptest! {
        #[test]
        fn quantiles_are_those_of_sorting_within_their_error(
            first in proptest::collection::vec(0_u64..100_000_000, 1..200),
            second in proptest::collection::vec(0_u64..5_000, 0..200),
            percent in 1_u32..100,
        ) {
            let mut histogram = of(&first);
            histogram.merge(&of(&second));
            let mut sorted = [first, second].concat();
            sorted.sort_unstable();
            let rank = (sorted.len() * percent as usize).div_ceil(100);
            let exact = float(sorted[rank - 1]);
            let told = histogram.quantile(f64::from(percent) / 100.0).unwrap();
            prop_assert!((told - exact).abs() <= exact * 0.016, "{told} for {exact}");
        }
    }
}

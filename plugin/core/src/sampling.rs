//! Whether a trace that starts here is kept: consistent probability sampling.
//!
//! The last 56 bits of a trace ID are its randomness. A trace is kept when they reach a threshold, so
//! every hop that samples with the same ratio keeps the same traces, and a lower ratio keeps a subset.

use crate::identity::TraceId;

/// One ratio, as the threshold that it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sampler {
    /// Invariant: at most 2^56, which no trace ID reaches.
    threshold: u64,
}

impl Sampler {
    /// Keeps nothing.
    pub(crate) const NONE: Self = Self { threshold: 1 << 56 };

    /// Keeps the given part of all traces. What is not within 0 and 1 counts as the nearer end.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "a threshold is a whole number of at most 57 bits"
    )]
    pub fn with_ratio(ratio: f64) -> Self {
        const ALL: u64 = 1 << 56;
        let rejected = (1.0 - ratio.clamp(0.0, 1.0)) * ALL as f64;
        Self { threshold: rejected.round() as u64 }
    }

    /// Whether the trace is kept.
    pub fn keeps(self, trace: TraceId) -> bool {
        trace.randomness() >= self.threshold
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rng;

    #[test]
    fn keeps_as_many_as_asked_for() {
        let mut rng = Rng::from_seed([5; 32]);
        let traces: Vec<_> = (0..200_000).map(|_| TraceId::mint(&mut rng)).collect();
        for ratio in [0.001, 0.05, 0.25, 0.5, 0.9] {
            let sampler = Sampler::with_ratio(ratio);
            let kept = traces.iter().filter(|&&trace| sampler.keeps(trace)).count();
            let all = 200_000.0_f64;
            let deviation = (all * ratio * (1.0 - ratio)).sqrt();
            let off = f64::from(u32::try_from(kept).unwrap()) - all * ratio;
            assert!(off.abs() < 5.0 * deviation, "{ratio}: kept {kept}");
        }
    }

    #[test]
    fn the_ends_are_all_and_nothing() {
        let lowest = TraceId::from_bytes([[1; 9].as_slice(), &[0; 7]].concat().try_into().unwrap());
        let highest = TraceId::from_bytes([0xff; 16]);
        let table = [
            ("all", 1.0, true, true),
            ("nothing", 0.0, false, false),
            ("above the top", 7.0, true, true),
            ("below the bottom", -1.0, false, false),
            ("half", 0.5, false, true),
        ];
        for (name, ratio, keeps_lowest, keeps_highest) in table {
            let sampler = Sampler::with_ratio(ratio);
            assert_eq!(sampler.keeps(lowest.unwrap()), keeps_lowest, "{name}, lowest");
            assert_eq!(sampler.keeps(highest.unwrap()), keeps_highest, "{name}, highest");
        }
    }

    #[test]
    fn a_lower_ratio_keeps_a_subset() {
        let mut rng = Rng::from_seed([6; 32]);
        let (low, high) = (Sampler::with_ratio(0.1), Sampler::with_ratio(0.3));
        for _ in 0..10_000 {
            let trace = TraceId::mint(&mut rng);
            assert!(!low.keeps(trace) || high.keeps(trace), "{trace:?}");
        }
    }
}

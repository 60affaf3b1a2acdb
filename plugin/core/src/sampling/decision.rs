//! Whether a trace is kept, and what becomes of its threshold on the way on.
//!
//! Flags are not changed and nothing is written here: who passes the context on does both.

use super::{Ot, Sampler, Threshold};
use crate::identity::TraceId;

/// What a caller says of sampling.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// Whether it keeps the trace itself.
    pub sampled: bool,
    /// The trace.
    pub trace_id: TraceId,
    /// The `ot` member of its tracestate. None if there is none, or one that breaks the grammar.
    pub ot: Option<Ot<'a>>,
}

/// What becomes of the threshold in the `ot` member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Say {
    /// The member is passed on as it came.
    AsItCame,
    /// There must be no threshold: the one that came goes, and a member that breaks the grammar goes
    /// whole.
    Nothing,
    /// This threshold, instead of any that came.
    Threshold(Threshold),
}

/// What was decided for a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether it is kept.
    pub sampled: bool,
    /// What is said of it.
    pub say: Say,
}

/// Decides for a trace that starts here.
pub fn start(sampler: Sampler, trace_id: TraceId) -> Decision {
    let sampled = sampler.keeps(trace_id);
    let say = if sampled { Say::Threshold(sampler.threshold()) } else { Say::Nothing };
    Decision { sampled, say }
}

/// Does as the caller did. Its threshold is passed on if it explains what the caller did, and else goes:
/// then the trace was kept or dropped for some other reason, and nobody knows how probable that was.
pub fn follow(caller: &Caller<'_>) -> Decision {
    let explains = |ot: &Ot<'_>| match ot.threshold() {
        Some(threshold) => threshold.keeps(caller.randomness()) == caller.sampled,
        None => !ot.has_threshold(),
    };
    let say = if caller.ot.as_ref().is_some_and(explains) { Say::AsItCame } else { Say::Nothing };
    Decision { sampled: caller.sampled, say }
}

/// Decides by our own ratio, whatever the caller did, and by the randomness that all go by.
pub fn resample(caller: &Caller<'_>, sampler: Sampler) -> Decision {
    let ours = sampler.threshold();
    let sampled = ours.keeps(caller.randomness());
    let say = match caller.ot {
        Some(ot) if sampled && ot.threshold() == Some(ours) => Say::AsItCame,
        _ if sampled => Say::Threshold(ours),
        Some(ot) if !ot.has_threshold() => Say::AsItCame,
        _ => Say::Nothing,
    };
    Decision { sampled, say }
}

impl Caller<'_> {
    /// The randomness to go by: `rv` where it is said, else the trace ID's. A trace ID counts as random
    /// whether or not its flag says so, because older callers do not know the flag.
    fn randomness(&self) -> u64 {
        self.ot.and_then(|ot| ot.randomness()).unwrap_or_else(|| self.trace_id.randomness())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Its randomness is `0x80` and six bytes of zeros.
    fn trace() -> TraceId {
        TraceId::from_bytes([1, 1, 1, 1, 1, 1, 1, 1, 1, 0x80, 0, 0, 0, 0, 0, 0]).unwrap()
    }

    fn caller(sampled: bool, ot: &str) -> Caller<'_> {
        Caller { sampled, trace_id: trace(), ot: Ot::parse(ot.as_bytes()) }
    }

    #[test]
    fn a_trace_that_starts_here_carries_our_threshold_if_it_is_kept() {
        let half = Sampler::with_ratio(0.5);
        let kept = Decision { sampled: true, say: Say::Threshold(half.threshold()) };
        let dropped = Decision { sampled: false, say: Say::Nothing };
        assert_eq!(start(half, trace()), kept, "just reached");
        assert_eq!(start(Sampler::with_ratio(0.49), trace()), dropped, "just missed");
        assert_eq!(start(Sampler::NONE, trace()), dropped, "nothing");
    }

    #[test]
    fn the_callers_decision_stands_and_its_threshold_if_it_explains_it() {
        let table = [
            ("kept, and reached", true, "th:8", Say::AsItCame),
            ("kept, and not reached", true, "th:8001", Say::Nothing),
            ("dropped, and not reached", false, "th:8001", Say::AsItCame),
            ("dropped, and reached", false, "th:8", Say::Nothing),
            ("kept of all", true, "th:0", Say::AsItCame),
            ("dropped of all", false, "th:0", Say::Nothing),
            ("kept, no threshold", true, "a:b", Say::AsItCame),
            ("dropped, no threshold", false, "a:b", Say::AsItCame),
            ("kept, no member", true, "", Say::Nothing),
            ("dropped, no member", false, "", Say::Nothing),
            ("kept, the member breaks the grammar", true, "th:8;", Say::Nothing),
            ("kept, two thresholds", true, "th:8;th:8", Say::Nothing),
            ("kept, the threshold is none", true, "th:X", Say::Nothing),
            ("dropped, the threshold is none", false, "th:X", Say::Nothing),
            ("kept, reached by rv", true, "rv:90000000000000;th:9", Say::AsItCame),
            ("kept, not reached by rv", true, "rv:70000000000000;th:8", Say::Nothing),
            ("dropped, not reached by rv", false, "rv:70000000000000;th:8", Say::AsItCame),
            ("kept, rv is none", true, "rv:7;th:8", Say::AsItCame),
        ];
        for (name, sampled, ot, say) in table {
            assert_eq!(follow(&caller(sampled, ot)), Decision { sampled, say }, "{name}");
        }
    }

    #[test]
    fn our_own_ratio_decides_whatever_the_caller_did() {
        let half = Sampler::with_ratio(0.5);
        let ours = Say::Threshold(half.threshold());
        let table = [
            ("no member", "", true, ours),
            ("no threshold", "a:b", true, ours),
            ("another threshold", "th:4", true, ours),
            ("the same threshold", "th:8", true, Say::AsItCame),
            ("the same threshold with zeros", "th:800", true, Say::AsItCame),
            ("a threshold that is none", "th:X", true, ours),
            ("a member that breaks the grammar", "th:8;", true, ours),
            ("kept by rv", "rv:ffffffffffffff", true, ours),
            ("dropped by rv", "rv:70000000000000", false, Say::AsItCame),
            ("dropped by rv, with a threshold", "rv:70000000000000;th:4", false, Say::Nothing),
            ("dropped by rv, the threshold is none", "rv:70000000000000;th:X", false, Say::Nothing),
            ("rv is none", "rv:7", true, ours),
        ];
        for (name, ot, sampled, say) in table {
            for callers in [false, true] {
                let decision = resample(&caller(callers, ot), half);
                assert_eq!(
                    decision,
                    Decision { sampled, say },
                    "{name}, sampled before: {callers}"
                );
            }
        }
        let nothing = Decision { sampled: false, say: Say::Nothing };
        assert_eq!(resample(&caller(true, ""), Sampler::NONE), nothing, "nothing is kept");
    }
}

//! What sampling promises over many traces and several hops: each ratio is hit, hops nest, counts add up.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "numbers of traces, far below 2^32"
)]

use super::*;
use crate::Rng;
use crate::identity::TraceId;

const TRACES: usize = 200_000;
const RATIOS: [f64; 9] = [1e-4, 1e-3, 0.01, 0.05, 0.1, 1.0 / 3.0, 0.5, 0.75, 0.9];

/// What goes from hop to hop.
#[derive(Clone, Debug)]
struct Context {
    trace_id: TraceId,
    sampled: bool,
    ot: Vec<u8>,
}

impl Context {
    fn new(trace_id: TraceId, ot: &str) -> Self {
        Self { trace_id, sampled: false, ot: ot.into() }
    }

    fn caller(&self) -> Caller<'_> {
        Caller { sampled: self.sampled, trace_id: self.trace_id, ot: Ot::parse(&self.ot) }
    }

    fn started(mut self, ratio: f64) -> Self {
        let sampler = Sampler::with_ratio(ratio);
        let Decision { sampled, say } = start(sampler, self.trace_id);
        self.sampled = sampled;
        self.ot = if sampled { sampler.tracestate()[3..].to_vec() } else { Vec::new() };
        assert_eq!(say == Say::Nothing, self.ot.is_empty());
        self
    }

    fn followed(&self) -> Self {
        let caller = self.caller();
        self.after(&caller, follow(&caller))
    }

    fn resampled(&self, ratio: f64) -> Self {
        let caller = self.caller();
        self.after(&caller, resample(&caller, Sampler::with_ratio(ratio)))
    }

    fn after(&self, caller: &Caller<'_>, Decision { sampled, say }: Decision) -> Self {
        let mut ot = Vec::new();
        match (say, caller.ot) {
            (Say::AsItCame, _) => ot.clone_from(&self.ot),
            (Say::Nothing, Some(came)) => came.write_with(None, &mut ot),
            (Say::Nothing, None) => {}
            (Say::Threshold(ours), Some(came)) => came.write_with(Some(ours), &mut ot),
            (Say::Threshold(ours), None) => {
                ot.extend_from_slice(b"th:");
                ours.write(&mut ot);
            }
        }
        Self { trace_id: self.trace_id, sampled, ot }
    }

    /// The number that a sub-key says, by other means than ours.
    fn number(&self, name: &str) -> Option<u64> {
        let text = std::str::from_utf8(&self.ot).unwrap();
        let text = text.split(';').find_map(|member| member.strip_prefix(name))?;
        u64::from_str_radix(&format!("{text:0<14}"), 16).ok()
    }

    /// How many traces this one stands for, if it says so.
    fn adjusted_count(&self) -> Option<f64> {
        let all = 2_f64.powi(56);
        self.number("th:").map(|rejected| all / (all - rejected as f64))
    }
}

fn traces(seed: u8) -> impl Iterator<Item = TraceId> {
    let mut rng = Rng::from_seed([seed; 32]);
    std::iter::repeat_with(move || TraceId::mint(&mut rng))
}

/// The contexts of many traces, half of them with a randomness of their own beside the ID.
fn contexts(seed: u8) -> impl Iterator<Item = Context> {
    let mut rng = Rng::from_seed([!seed; 32]);
    traces(seed).map(move |trace_id| match rng.next_u64() {
        random if random % 2 == 0 => Context::new(trace_id, &format!("rv:{:014x}", random >> 8)),
        _ => Context::new(trace_id, "a:b"),
    })
}

/// How far the estimate of a total from the kept part can be off, as a part of it: five standard deviations.
fn tolerance(ratio: f64, traces: usize) -> f64 {
    5.0 * ((1.0 - ratio) / (ratio * traces as f64)).sqrt()
}

#[test]
fn each_ratio_is_hit_within_five_standard_deviations() {
    for (seed, ratio) in (0..).zip(RATIOS) {
        let sampler = Sampler::with_ratio(ratio);
        let kept = traces(seed).take(TRACES).filter(|&trace| start(sampler, trace).sampled).count();
        let expected = ratio * TRACES as f64;
        let off = (kept as f64 - expected).abs();
        assert!(off <= expected * tolerance(ratio, TRACES), "{ratio}: kept {kept}");
        assert!(kept > 0, "{ratio}: kept none");
    }
}

#[test]
fn two_hops_that_start_with_one_trace_id_nest() {
    for trace in traces(20).take(TRACES) {
        let kept = RATIOS.map(|ratio| start(Sampler::with_ratio(ratio), trace).sampled);
        assert!(kept.is_sorted(), "{trace:?}: {kept:?}");
    }
}

#[test]
fn two_hops_with_different_ratios_nest_in_both_orders() {
    for (seed, (low, high)) in (30..).zip([(1e-3, 0.1), (0.05, 0.25), (1.0 / 3.0, 0.5)]) {
        let mut kept = [0, 0];
        for context in contexts(seed).take(TRACES) {
            let [rising, falling] = [[low, high], [high, low]].map(|[first, second]| {
                let first = context.resampled(first);
                let second = first.resampled(second);
                (first, second)
            });
            assert!(!rising.0.sampled || rising.1.sampled, "{context:?}");
            assert!(!falling.1.sampled || falling.0.sampled, "{context:?}");
            assert_eq!(rising.0.sampled, falling.1.sampled, "{context:?}");
            assert_eq!(rising.1.sampled, falling.0.sampled, "{context:?}");
            let [before, after] = [&context, &falling.1].map(|hop| hop.caller().ot.unwrap());
            assert_eq!(before.randomness(), after.randomness(), "{context:?}");
            kept =
                [kept[0] + usize::from(rising.0.sampled), kept[1] + usize::from(rising.1.sampled)];
        }
        assert!(0 < kept[0] && kept[0] < kept[1], "{low} and {high}: kept {kept:?}");
    }
}

#[test]
fn a_trace_that_starts_here_nests_with_who_samples_it_again() {
    for (seed, (here, there)) in (40..).zip([(0.05, 0.25), (0.25, 0.05), (0.9, 1e-3)]) {
        for trace in traces(seed).take(TRACES) {
            let started = Context::new(trace, "").started(here);
            let resampled = started.resampled(there);
            assert_eq!(
                resampled.sampled,
                Context::new(trace, "").started(there).sampled,
                "{trace:?}"
            );
            let (lower, higher) =
                if here < there { (started, resampled) } else { (resampled, started) };
            assert!(!lower.sampled || higher.sampled, "{trace:?}");
        }
    }
}

/// Within 1 % at a chance of one in millions to fail for no reason: that takes more traces for a low ratio.
#[test]
fn adjusted_counts_recover_the_total_within_one_percent() {
    for (seed, ratio) in (50..).zip(RATIOS.into_iter().filter(|&ratio| ratio >= 0.05)) {
        let needed = TRACES.max((25e4 * (1.0 - ratio) / ratio).ceil() as usize);
        assert!(tolerance(ratio, needed) <= 0.01 + 1e-9);
        let total: f64 = traces(seed)
            .take(needed)
            .filter(|&trace| Sampler::with_ratio(ratio).keeps(trace))
            .filter_map(|trace| Context::new(trace, "").started(ratio).adjusted_count())
            .sum();
        let off = (total / needed as f64 - 1.0).abs();
        assert!(off <= 0.01, "{ratio}: {total} of {needed}");
    }
}

#[test]
fn adjusted_counts_recover_the_total_at_every_hop() {
    let (first, third) = (0.75, 0.9);
    assert!(tolerance(first, TRACES) <= 0.01 && tolerance(third, TRACES) <= 0.01);
    let mut totals = [0.0; 4];
    for trace in traces(60).take(TRACES) {
        let started = Context::new(trace, "").started(first);
        let followed = started.followed();
        let resampled = followed.resampled(third);
        let last = resampled.followed();
        for (total, hop) in totals.iter_mut().zip([started, followed, resampled, last]) {
            assert_eq!(hop.adjusted_count().is_some(), hop.sampled, "{hop:?}");
            *total += hop.adjusted_count().unwrap_or(0.0);
        }
    }
    for (hop, total) in totals.iter().enumerate() {
        let off = (total / TRACES as f64 - 1.0).abs();
        assert!(off <= 0.01, "hop {hop}: {total}");
    }
}

/// Hops that follow, and between them some that turn the flag or the threshold without the other.
#[test]
fn hops_that_follow_pass_on_true_thresholds_and_erase_the_others() {
    let mut rng = Rng::from_seed([70; 32]);
    let mut seen = [0_usize; 2];
    for context in contexts(70).take(TRACES / 10) {
        let mut context = context.resampled(0.5);
        let randomness = context.number("rv:").unwrap_or(context.trace_id.randomness());
        for _ in 0..4 {
            match rng.next_u64() % 4 {
                0 => context.sampled = !context.sampled,
                1 => {
                    let say = Say::Threshold(Sampler::with_ratio(0.25).threshold());
                    let sampled = context.sampled;
                    context = context.after(&context.caller(), Decision { sampled, say });
                }
                _ => {}
            }
            let said = context.number("th:");
            let is_true = said.is_none_or(|said| (randomness >= said) == context.sampled);
            let followed = context.followed();
            assert_eq!(followed.sampled, context.sampled, "{context:?}");
            assert_eq!(followed.number("th:"), said.filter(|_| is_true), "{context:?}");
            assert_eq!(followed.number("rv:"), context.number("rv:"), "{context:?}");
            assert_eq!(followed.followed().ot, followed.ot, "once is enough: {context:?}");
            if said.is_some() {
                seen[usize::from(is_true)] += 1;
            }
            context = followed;
        }
    }
    assert!(seen.iter().all(|&seen| seen > 1_000), "erased and passed on: {seen:?}");
}

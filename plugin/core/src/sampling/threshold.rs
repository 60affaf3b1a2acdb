//! Thresholds, as numbers and as `th` says them, and the ratios that they stand for.

use crate::identity::{TraceId, hex};

/// How many values randomness can have.
const ALL: u64 = 1 << 56;

/// The digits of 56 bits.
const DIGITS: u32 = 14;

/// How many digits of a ratio's threshold count.
const PRECISION: u32 = 4;

/// From which randomness on traces are kept. Invariant: at most 2^56, which no randomness reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Threshold(u64);

/// One ratio: its threshold, and what tracestate says of a trace that it keeps.
///
/// The text is made once, so that a trace that starts here needs no formatting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sampler {
    threshold: Threshold,
    tracestate: [u8; 6 + DIGITS as usize],
    /// How much of it is text.
    length: u8,
}

impl Threshold {
    /// Parses the value of `th`: 1 to 14 lower-case digits, with zeros left out at the end.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let left_out = DIGITS.checked_sub(u32::try_from(text.len()).ok()?)?;
        (!text.is_empty()).then_some(Self(number(text)? << (4 * left_out)))
    }

    /// Whether a trace with this randomness is kept.
    pub fn keeps(self, randomness: u64) -> bool {
        randomness >= self.0
    }

    /// Writes the value of `th`; nothing for the threshold that keeps nothing, which `th` cannot say.
    pub fn write(self, out: &mut Vec<u8>) {
        for digit in self.digits() {
            out.push(digit);
        }
    }

    /// The threshold of a ratio, rounded to the digits that are sent, so that what is sent is true.
    ///
    /// Leading `f`s come on top of the precision: they only say how small the ratio is. Near a ratio of 1
    /// nothing comes on top, so above 1 - 2^-17 all is kept. Below 2^-56 nothing is.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "the part that is kept is a whole number of at most 57 bits"
    )]
    fn of_ratio(ratio: f64) -> Self {
        let kept = (ratio.clamp(0.0, 1.0) * ALL as f64) as u64;
        let leading_fs = kept.leading_zeros().saturating_sub(u64::BITS - 4 * DIGITS) / 4;
        let digits = DIGITS.min(PRECISION + leading_fs);
        let unit = 1_u64 << (4 * (DIGITS - digits));
        Self((ALL - kept + unit / 2) & !(unit - 1))
    }

    /// What `th` says, digit by digit.
    pub(super) fn digits(self) -> impl Iterator<Item = u8> {
        let mut rest = (self.0 < ALL).then_some(self.0 << 8);
        std::iter::from_fn(move || {
            let now = rest?;
            rest = Some(now << 4).filter(|&rest| rest != 0);
            b"0123456789abcdef".get(usize::try_from(now >> 60).ok()?).copied()
        })
    }
}

impl Sampler {
    /// Keeps nothing.
    pub const NONE: Self =
        Self { threshold: Threshold(ALL), tracestate: [0; 6 + DIGITS as usize], length: 0 };

    /// Keeps the given part of all traces. What is not within 0 and 1 counts as the nearer end.
    pub fn with_ratio(ratio: f64) -> Self {
        let mut sampler = Self { threshold: Threshold::of_ratio(ratio), ..Self::NONE };
        if sampler == Self::NONE {
            return sampler;
        }
        let text = b"ot=th:".iter().copied().chain(sampler.threshold.digits());
        for (place, byte) in sampler.tracestate.iter_mut().zip(text) {
            *place = byte;
            sampler.length += 1;
        }
        sampler
    }

    /// From which randomness on traces are kept.
    pub fn threshold(self) -> Threshold {
        self.threshold
    }

    /// Whether a trace that starts here is kept.
    pub fn keeps(self, trace: TraceId) -> bool {
        self.threshold.keeps(trace.randomness())
    }

    /// The tracestate of a trace that starts here and is kept, `ot=th:fd70a`. Empty if none ever is.
    pub fn tracestate(&self) -> &[u8] {
        self.tracestate.get(..usize::from(self.length)).unwrap_or_default()
    }
}

/// The number that at most 14 lower-case digits say; 0 for none.
pub(super) fn number(text: &[u8]) -> Option<u64> {
    text.iter().try_fold(0, |number, &digit| Some(number << 4 | u64::from(hex::digit(digit)?)))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::cast_precision_loss, reason = "of 56 bits the last few do not matter")]

    use proptest::prelude::*;

    use super::*;

    fn written(threshold: Threshold) -> String {
        let mut out = Vec::new();
        threshold.write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn ratios_have_the_thresholds_of_the_specification() {
        let table = [
            (1.0, "0"),
            (1.0 / 2.0, "8"),
            (1.0 / 3.0, "aaab"),
            (1.0 / 4.0, "c"),
            (1.0 / 5.0, "cccd"),
            (1.0 / 8.0, "e"),
            (1.0 / 10.0, "e666"),
            (1.0 / 16.0, "f"),
            (1e-2, "fd70a"),
            (1e-3, "ffbe77"),
            (1e-4, "fff9724"),
            (1e-5, "ffff583a"),
            (1e-6, "ffffef39"),
            (0.05, "f3333"),
            (0.06, "f0a3d"),
            (0.75, "4"),
            (0.9, "199a"),
            (0.99, "028f"),
        ];
        for (ratio, expected) in table {
            let sampler = Sampler::with_ratio(ratio);
            assert_eq!(written(sampler.threshold()), expected, "{ratio}");
            assert_eq!(sampler.tracestate(), format!("ot=th:{expected}").as_bytes(), "{ratio}");
        }
    }

    #[test]
    fn at_the_ends_a_ratio_keeps_all_or_nothing() {
        let smallest = 2_f64.powi(-56);
        let table = [
            ("nothing", 0.0, ALL, ""),
            ("below the bottom", -1.0, ALL, ""),
            ("no number", f64::NAN, ALL, ""),
            ("less than randomness can say", smallest * 0.99, ALL, ""),
            ("the least that it can say", smallest, ALL - 1, "ot=th:ffffffffffffff"),
            ("a small power of two", 2_f64.powi(-40), ALL - (1 << 16), "ot=th:ffffffffff"),
            ("just not all", 0.999_99, 1 << 40, "ot=th:0001"),
            ("nearly all", 0.999_999, 0, "ot=th:0"),
            ("all", 1.0, 0, "ot=th:0"),
            ("above the top", 7.0, 0, "ot=th:0"),
        ];
        for (name, ratio, threshold, member) in table {
            let sampler = Sampler::with_ratio(ratio);
            assert_eq!(sampler.threshold(), Threshold(threshold), "{name}");
            assert_eq!(String::from_utf8_lossy(sampler.tracestate()), member, "{name}");
        }
        assert_eq!(Sampler::with_ratio(0.0), Sampler::NONE);
    }

    #[test]
    fn randomness_that_reaches_the_threshold_is_kept() {
        let randomness = 0x6e_6d1a_7583_2a2f;
        let table = [
            ("all", "0", true),
            ("a lower one", "6e6d1a75832a2e", true),
            ("just reached", "6e6d1a75832a2f", true),
            ("just missed", "6e6d1a75832a3", false),
            ("a higher one", "6e6e", false),
            ("the highest", "ffffffffffffff", false),
        ];
        for (name, text, kept) in table {
            let threshold = Threshold::parse(text.as_bytes()).unwrap();
            assert_eq!(threshold.keeps(randomness), kept, "{name}");
        }
        assert!(!Sampler::NONE.threshold().keeps(ALL - 1), "nothing");
    }

    #[test]
    fn only_1_to_14_lower_case_digits_are_a_threshold() {
        let bad = ["", "C", "fD70a", "0x8", "g", "-1", "+1", " 8", "8 ", "8.0", "000000000000000"];
        for text in bad {
            assert_eq!(Threshold::parse(text.as_bytes()), None, "{text:?}");
        }
        let zeros = "00000000000000";
        assert_eq!(Threshold::parse(zeros.as_bytes()), Some(Threshold(0)), "14 zeros");
        assert_eq!(Threshold::parse(b"8"), Threshold::parse(b"80000000000000"), "padding");
    }

    #[test]
    fn the_threshold_that_keeps_nothing_is_not_written() {
        assert_eq!(written(Threshold(ALL)), "");
        assert_eq!(written(Threshold(ALL - 1)), "ffffffffffffff");
    }

    proptest! {
        #[test]
        fn what_is_written_parses_to_the_same(number in 0..ALL, zeros in 0..56_u32) {
            let threshold = Threshold(number >> zeros << zeros);
            let text = written(threshold);
            prop_assert_eq!(Threshold::parse(text.as_bytes()), Some(threshold));
            prop_assert!(text == "0" || !text.ends_with('0'), "{}", text);
        }

        #[test]
        fn deciding_is_comparing_texts(text in "[0-9a-f]{1,14}", randomness in 0..ALL) {
            let kept = format!("{randomness:014x}") >= format!("{text:0<14}");
            prop_assert_eq!(Threshold::parse(text.as_bytes()).unwrap().keeps(randomness), kept);
        }

        #[test]
        fn a_small_ratio_is_as_precise_as_four_digits(exponent in 1..50_i32, part in 0.5..1.0) {
            let ratio = part * 2_f64.powi(-exponent);
            let threshold = Threshold::of_ratio(ratio);
            let actual = (ALL - threshold.0) as f64 * 2_f64.powi(-56);
            // The kept part begins behind so many `f`s, and what randomness cannot say is cut off.
            let digits = (4 + exponent / 4).min(14);
            let bound = 0.5 * 16_f64.powi(-digits) + 2_f64.powi(-56);
            prop_assert!((actual - ratio).abs() <= bound, "{} became {}", ratio, actual);
            prop_assert!(written(threshold).len() <= usize::try_from(digits).unwrap());
        }

        #[test]
        fn a_lower_ratio_never_has_a_lower_threshold(one in 0.0..=1.0, other in 0.0..=1.0) {
            let (low, high) = if one < other { (one, other) } else { (other, one) };
            prop_assert!(Threshold::of_ratio(low).0 >= Threshold::of_ratio(high).0);
        }
    }
}

//! Amounts as whole numbers and billionths: what durations and prices add up to, exactly.
//!
//! Sums of binary fractions drift, and formatting them takes more code than all of this.

use std::time::Duration;

use crate::time::{write_number, write_padded};

/// A decimal number that is not negative, with up to nine digits behind the point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Decimal {
    whole: u64,
    /// Billionths. Invariant: less than one.
    nanos: u32,
}

/// Billionths in one.
const ONE: u64 = 1_000_000_000;

impl Decimal {
    /// A whole number.
    pub const fn whole(whole: u64) -> Self {
        Self { whole, nanos: 0 }
    }

    /// So many billionths.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self::of_parts(nanos / ONE, nanos % ONE)
    }

    /// A whole number, and billionths of which there may be any number.
    pub const fn of_parts(whole: u64, nanos: u64) -> Self {
        Self { whole: whole.saturating_add(nanos / ONE), nanos: (nanos % ONE) as u32 }
    }

    /// The whole part, and the billionths behind it.
    #[inline]
    pub fn parts(self) -> (u64, u64) {
        (self.whole, self.nanos.into())
    }

    /// The nearest number that the machine has, for those who want one.
    #[expect(clippy::cast_precision_loss, reason = "nearest is what is asked for")]
    pub fn as_f64(self) -> f64 {
        if self.whole < ONE {
            (self.whole * ONE + u64::from(self.nanos)) as f64 / 1e9
        } else {
            self.whole as f64 + f64::from(self.nanos) / 1e9
        }
    }

    /// Writes its digits, without zeros at the end: `12.5`, `3`.
    pub fn write(self, out: &mut Vec<u8>) {
        write_number(self.whole, out);
        if self.nanos > 0 {
            out.push(b'.');
            write_padded(self.nanos.into(), 9, out);
            while out.last() == Some(&b'0') {
                out.pop();
            }
        }
    }

    /// Reads `12`, `12.5` or `.5`, with white space around it; digits behind the ninth are cut off. None if this is
    /// anything else, or more than a machine word holds.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let text = text.trim_ascii();
        let mut parts = text.splitn(2, |&byte| byte == b'.');
        let (whole, fraction) = (parts.next()?, parts.next().unwrap_or_default());
        let all_digits = whole.iter().chain(fraction).all(u8::is_ascii_digit);
        if !all_digits || whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let whole = digits(whole)?;
        let nanos = (0..9).map(|place| fraction.get(place).copied().unwrap_or(b'0'));
        let nanos = nanos.fold(0, |nanos, digit| nanos * 10 + u64::from(digit.wrapping_sub(b'0')));
        Some(Self::of_parts(whole, nanos))
    }
}

impl From<Duration> for Decimal {
    #[inline]
    fn from(duration: Duration) -> Self {
        Self { whole: duration.as_secs(), nanos: duration.subsec_nanos() }
    }
}

fn digits(text: &[u8]) -> Option<u64> {
    text.iter().try_fold(0_u64, |number, digit| {
        number.checked_mul(10)?.checked_add(u64::from(digit.wrapping_sub(b'0')))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(number: Decimal) -> String {
        let mut out = Vec::new();
        number.write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_is_no_amount_is_none() {
        for (said, meant) in [
            ("12", Some("12")),
            ("12.50", Some("12.5")),
            (" 0.10\t", Some("0.1")),
            (".5", Some("0.5")),
            ("7.", Some("7")),
            ("1.9999999999", Some("1.999999999")),
            ("18446744073709551615", Some("18446744073709551615")),
            ("18446744073709551616", None),
            ("-1", None),
            ("+1", None),
            ("1e3", None),
            ("1,5", None),
            ("1.2.3", None),
            (".", None),
            ("", None),
            ("NaN", None),
            ("١", None),
        ] {
            assert_eq!(Decimal::parse(said.as_bytes()).map(text).as_deref(), meant, "{said:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(whole: u64, nanos in 0..ONE) {
            let number = Decimal::of_parts(whole, nanos);
            prop_assert_eq!(Decimal::parse(text(number).as_bytes()), Some(number));
        }

        #[test]
        fn any_bytes_are_an_amount_or_none(bytes: Vec<u8>) {
            let _ = Decimal::parse(&bytes);
        }

        #[test]
        fn a_machine_number_is_the_nearest(nanos in 0..1_000_000_000_000_u64) {
            let expected: f64 = text(Decimal::from_nanos(nanos)).parse().unwrap();
            prop_assert_eq!(Decimal::from_nanos(nanos).as_f64().to_bits(), expected.to_bits());
        }
    }
}

//! The bounds of decimal numbers, which Python compares as doubles: `1.00000000000000000001` is 1.
//!
//! A number rounds to a double exactly when it lies between the middles to that double's neighbours. So
//! no number is ever made a double here: its digits are compared with those of the two middles, which
//! works for any length, allocates nothing, and is a tenth of the code of the standard library's way. One
//! thing is left out: what has more than 323 zeros behind its point is not taken for zero.

use std::cmp::Ordering;

use super::digits::Digits;

/// A number that another must not pass. Invariant: a double that is zero, without a sign, or lies between
/// 10^-15 and 10^15 or their opposites.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bound(u64);

/// The digits that a bound may have. With no more, reading one is one division, which rounds well.
const MOST_DIGITS: usize = 15;

/// How many binary digits a fraction has here. No middle of a bound has more than 104, and ten times a
/// fraction must fit into 128.
const BITS: u32 = 124;

/// A number from zero on, with as many decimals as it takes to be exact.
#[derive(Clone, Copy)]
struct Fixed {
    whole: u64,
    /// Of 2^[`BITS`].
    fraction: u128,
}

impl Bound {
    /// A bound, if this is a number that can be one.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (negative, number) = match text.strip_prefix('-') {
            Some(number) => (true, number),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
        let digits = || whole.bytes().chain(decimals.bytes());
        let fits = (1..=MOST_DIGITS).contains(&digits().count());
        if !fits || !digits().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let units = digits().fold(0.0, |units, digit| units * 10.0 + f64::from(digit - b'0'));
        let value = units / decimals.bytes().fold(1.0, |unit, _| unit * 10.0);
        // Zero has two signs; one is enough.
        let negative = negative && value > 0.0;
        Some(Self(if negative { -value } else { value }.to_bits()))
    }

    /// The bound as Python has it.
    pub fn value(self) -> f64 {
        f64::from_bits(self.0)
    }

    /// How a number stands to the bound, as Python would see it. The number has been seen to be digits,
    /// perhaps with a point and digits behind.
    pub(super) fn order(self, digits: Digits, negative: bool, number: &[u8]) -> Ordering {
        let magnitude = order(digits, number, self.value().abs());
        match (negative, self.value() < 0.0) {
            (false, false) => magnitude,
            (true, true) => magnitude.reverse(),
            (false, true) => Ordering::Greater,
            (true, false) if magnitude.is_eq() && self.0 == 0 => Ordering::Equal,
            (true, false) => Ordering::Less,
        }
    }
}

/// How the double that is nearest to a number stands to this one.
fn order(digits: Digits, number: &[u8], bound: f64) -> Ordering {
    let below = Fixed::between(bound.next_down().max(0.0), bound).order(digits, number);
    let above = Fixed::between(bound, bound.next_up()).order(digits, number);
    // In the very middle the even one of two doubles is taken to be the nearest.
    let is_even = bound.to_bits().is_multiple_of(2);
    match (below, above) {
        (Ordering::Less, _) => Ordering::Less,
        (_, Ordering::Greater) => Ordering::Greater,
        (Ordering::Equal, _) if !is_even => Ordering::Less,
        (_, Ordering::Equal) if !is_even => Ordering::Greater,
        _ => Ordering::Equal,
    }
}

impl Fixed {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "bounds are small, and a power of two is what it is"
    )]
    fn of(value: f64) -> Self {
        let unit = (1_u128 << BITS) as f64;
        Self { whole: value as u64, fraction: (value.fract() * unit) as u128 }
    }

    /// The middle of two numbers.
    fn between(one: f64, other: f64) -> Self {
        let (one, other) = (Self::of(one), Self::of(other));
        let whole = one.whole + other.whole;
        let odd = u128::from(whole % 2) << BITS;
        let fraction = (odd + one.fraction + other.fraction) / 2;
        Self { whole: whole / 2 + (fraction >> BITS) as u64, fraction: fraction % (1 << BITS) }
    }

    /// How a number stands to this one.
    fn order(self, digits: Digits, number: &[u8]) -> Ordering {
        let mut parts = number.splitn(2, |&byte| byte == b'.');
        let mut part = || parts.next().unwrap_or_default();
        let whole = digits.fold(part(), 0, |whole: u64, digit| {
            whole.saturating_mul(10).saturating_add(digit.into())
        });
        let order = whole.unwrap_or(0).cmp(&self.whole);
        let decimals = digits.fold(part(), (order, self.fraction), |(order, fraction), digit| {
            let ten = fraction * 10;
            (order.then(digit.cmp(&((ten >> BITS) as u8))), ten % (1 << BITS))
        });
        let (order, left) = decimals.unwrap_or((order, self.fraction));
        order.then(if left == 0 { Ordering::Equal } else { Ordering::Less })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn order_to(bound: &str, text: &str) -> Option<Ordering> {
        let (negative, number) = text.strip_prefix('-').map_or((false, text), |it| (true, it));
        Some(Bound::parse(bound)?.order(Digits::Unicode, negative, number.as_bytes()))
    }

    /// The standard library reads and rounds numbers as Python does.
    fn expected(bound: &str, text: &str) -> Option<Ordering> {
        let [bound, number] = [bound, text].map(|it| it.parse::<f64>().unwrap());
        number.partial_cmp(&bound)
    }

    /// The exact decimal digits of the middle between a bound and one of its neighbours.
    fn middle(bound: &str, above: bool) -> String {
        let bound = Bound::parse(bound).unwrap().value().abs();
        let other = if above { bound.next_up() } else { bound.next_down().max(0.0) };
        let Fixed { whole, mut fraction } = Fixed::between(bound, other);
        let mut text = format!("{whole}.0");
        while fraction > 0 {
            text.push(char::from(b'0' + u8::try_from((fraction * 10) >> BITS).unwrap()));
            fraction = fraction * 10 % (1 << BITS);
        }
        // The zero behind the point was only for whole numbers.
        if text.ends_with(".0") { text } else { text.replacen(".0", ".", 1) }
    }

    #[test]
    fn a_bound_is_a_number_of_few_digits() {
        for (text, value) in [
            ("0.5", Some(0.5)),
            ("+1", Some(1.0)),
            ("-2.50", Some(-2.5)),
            ("-0.0", Some(0.0)),
            (".5", Some(0.5)),
            ("7.", Some(7.0)),
            ("0.00000000000001", Some(1e-14)),
            ("999999999999999", Some(999_999_999_999_999.0)),
            ("0.000000000000001", None),
            ("1000000000000000", None),
            ("", None),
            (".", None),
            ("-", None),
            ("+-1", None),
            ("1e3", None),
            ("inf", None),
            ("1.2.3", None),
            ("1_000", None),
            ("١", None),
        ] {
            assert_eq!(Bound::parse(text).map(Bound::value), value, "{text:?}");
        }
    }

    #[test]
    fn a_number_rounds_to_the_bound_from_the_middles_on() {
        for bound in ["0.1", "0.3", "1", "1.0", "2", "0.5", "123456789.012345", "-7.7", "1024"] {
            for middle in [middle(bound, false), middle(bound, true)] {
                let just_below = {
                    let last = middle.trim_end_matches('0').len() - 1;
                    let digit = middle.as_bytes()[last] - 1;
                    let before = middle.get(..last).unwrap();
                    format!("{before}{}99", char::from(digit))
                };
                for text in [middle.clone(), format!("{middle}0001"), just_below] {
                    for text in [format!("-{text}"), text] {
                        assert_eq!(
                            order_to(bound, &text),
                            expected(bound, &text),
                            "{bound} {text}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn zero_is_neither_side_of_zero() {
        for text in ["0", "-0", "0.000", "-0.0"] {
            assert_eq!(order_to("0.0", text), Some(Ordering::Equal), "{text}");
        }
        for text in ["0.0000001", "-0.0000001", "5", "-5"] {
            assert_eq!(order_to("-0.0", text), expected("0", text), "{text}");
        }
    }

    #[test]
    fn digits_of_any_script_count() {
        assert_eq!(order_to("3.5", "٣.٥"), Some(Ordering::Equal));
        assert_eq!(order_to("3.5", "٣.٤٩"), Some(Ordering::Less));
    }

    proptest! {
        #[test]
        fn numbers_stand_to_bounds_as_doubles_do(
            bound in "-?[0-9]{1,8}(\\.[0-9]{1,7})?",
            text in "-?[0-9]{1,30}(\\.[0-9]{1,40})?",
        ) {
            prop_assert_eq!(order_to(&bound, &text), expected(&bound, &text));
        }

        #[test]
        fn what_begins_like_a_bound_stands_to_it_as_doubles_do(
            bound in "-?[0-9]{1,7}\\.[0-9]{1,8}",
            more in "0{0,16}[0-9]{0,9}",
        ) {
            let text = format!("{bound}{more}");
            prop_assert_eq!(order_to(&bound, &text), expected(&bound, &text));
        }
    }
}

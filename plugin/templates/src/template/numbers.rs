//! What the frameworks' `int` and `float` converters take, with all of Werkzeug's arguments.

use super::decimal::Bound;
use super::digits::Digits;
use super::ranges;
use crate::pattern::Expr;

/// Whole numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Int {
    /// Which characters are digits.
    pub digits: Digits,
    /// Whether a minus may stand in front.
    pub signed: bool,
    /// How many characters it must have, the minus included.
    pub width: Option<u32>,
    /// The least that it may be.
    pub min: Option<i64>,
    /// The most that it may be.
    pub max: Option<i64>,
}

/// Decimal numbers, without exponents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Float {
    /// Which characters are digits.
    pub digits: Digits,
    /// Whether a point with digits behind it must be there (Werkzeug) or may (Starlette).
    pub needs_point: bool,
    /// Whether a minus may stand in front.
    pub signed: bool,
    /// The least that it may be.
    pub min: Option<Bound>,
    /// The most that it may be.
    pub max: Option<Bound>,
}

impl Int {
    /// `[0-9]+`, as Starlette and Django write it.
    pub const ASCII: Self =
        Self { digits: Digits::Ascii, signed: false, width: None, min: None, max: None };

    /// Werkzeug's `int` without arguments.
    pub const WERKZEUG: Self = Self { digits: Digits::Unicode, ..Self::ASCII };

    /// Whether nothing but the digits limits it.
    pub(super) fn is_plain(&self) -> bool {
        self.width.is_none() && self.min.is_none() && self.max.is_none()
    }

    /// Whether this is such a number. Its length does not matter: past the bounds it is past them.
    #[inline]
    pub(super) fn matches(&self, segment: &[u8]) -> bool {
        let (negative, number) = sign(segment, self.signed);
        let start = (0_usize, 0_i128);
        let Some((count, magnitude)) = self.digits.fold(number, start, |(count, value), digit| {
            (count + 1, value.saturating_mul(10).saturating_add(i128::from(digit)))
        }) else {
            return false;
        };
        let value = if negative { -magnitude } else { magnitude };
        self.width.is_none_or(|width| count + usize::from(negative) == width as usize)
            && self.min.is_none_or(|min| value >= i128::from(min))
            && self.max.is_none_or(|max| value <= i128::from(max))
    }

    /// The least and the most that it can be, as far as numbers of 128 bits go.
    pub(super) fn range(&self) -> (i128, i128) {
        // Thirty-eight digits are the most that certainly fit.
        let longest = |width: u32| 10_i128.saturating_pow(width.min(38)) - 1;
        let width = self.width.unwrap_or(38);
        let least = if self.signed { -longest(width - 1) } else { 0 };
        (
            self.min.map_or(least.max(-1_000), i128::from).max(least),
            self.max.map_or(longest(width), i128::from).min(longest(width)),
        )
    }

    /// Whether there is such a number at all.
    pub(super) fn is_possible(&self) -> bool {
        self.is_plain() || !self.parts().is_empty()
    }

    /// The same as a pattern, with one difference: with a width or bounds, its digits are ASCII's, for
    /// the sake of its size.
    pub(super) fn expr(&self) -> Expr {
        if self.is_plain() {
            with_sign(self.signed, self.digits.expr().repeat(1, None))
        } else {
            Expr::either(self.parts())
        }
    }

    /// The numbers from zero on and those below, where there are any.
    fn parts(&self) -> Vec<Expr> {
        let mut parts = Vec::new();
        if self.max.is_none_or(|max| max >= 0) {
            let least = self.min.map_or(0, |min| min.max(0).unsigned_abs());
            parts.extend(ranges::between(least, self.max.map(i64::unsigned_abs), self.width));
        }
        if self.signed && self.min.is_none_or(|min| min <= 0) {
            let least = self.max.map_or(0, |max| max.min(0).unsigned_abs());
            let width = self.width.map(|width| width - 1);
            let magnitude = ranges::between(least, self.min.map(i64::unsigned_abs), width);
            parts.extend(magnitude.map(|it| Expr::sequence(vec![Expr::literal(b"-"), it])));
        }
        parts
    }
}

impl Float {
    /// Starlette's: `[0-9]+(\.[0-9]+)?`.
    pub const STARLETTE: Self =
        Self { digits: Digits::Ascii, needs_point: false, signed: false, min: None, max: None };

    /// Werkzeug's without arguments: `\d+\.\d+`.
    pub const WERKZEUG: Self =
        Self { digits: Digits::Unicode, needs_point: true, ..Self::STARLETTE };

    /// Whether it has bounds, which no pattern can express.
    pub(super) fn is_bounded(&self) -> bool {
        self.min.is_some() || self.max.is_some()
    }

    /// Whether this is such a number.
    pub(super) fn matches(&self, segment: &[u8]) -> bool {
        let (negative, number) = sign(segment, self.signed);
        let mut parts = number.splitn(2, |&byte| byte == b'.');
        let whole = parts.next().is_some_and(|part| self.digits.count(part).is_some());
        let fraction = match parts.next() {
            Some(part) => self.digits.count(part).is_some(),
            None => !self.needs_point,
        };
        whole && fraction && (!self.is_bounded() || self.is_within(negative, number))
    }

    /// The same as a pattern, without the bounds.
    pub(super) fn expr(&self) -> Expr {
        let digits = self.digits.expr().repeat(1, None);
        let fraction = Expr::sequence(vec![Expr::literal(b"."), digits.clone()])
            .repeat(u32::from(self.needs_point), Some(1));
        with_sign(self.signed, Expr::sequence(vec![digits, fraction]))
    }

    fn is_within(&self, negative: bool, number: &[u8]) -> bool {
        let to = |bound: Bound| bound.order(self.digits, negative, number);
        self.min.is_none_or(|min| to(min).is_ge()) && self.max.is_none_or(|max| to(max).is_le())
    }
}

/// Whether a minus stands in front where it may, and what is behind it.
fn sign(segment: &[u8], signed: bool) -> (bool, &[u8]) {
    match segment.strip_prefix(b"-") {
        Some(behind) if signed => (true, behind),
        _ => (false, segment),
    }
}

fn with_sign(signed: bool, number: Expr) -> Expr {
    if signed {
        Expr::sequence(vec![Expr::literal(b"-").repeat(0, Some(1)), number])
    } else {
        number
    }
}

//! Decimal digits: the ten of ASCII, or all that `\d` of a Python regular expression takes.

use std::collections::BTreeMap;

use crate::pattern::Expr;

/// Which characters are digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Digits {
    /// `[0-9]`, as Starlette and Django write.
    Ascii,
    /// `\d`, as Werkzeug writes: Unicode's general category Nd.
    Unicode,
}

/// The zeros of Unicode's decimal digits; the other nine of each follow their zero. From Unicode 16,
/// which Python 3.14 has; older Pythons lack the last eight that were added (they are marked).
const ZEROS: [u32; 74] = [
    0x30, 0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66,
    0xDE6, 0xE50, 0xED0, 0xF20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90,
    0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10,
    0x104A0, 0x10D30, 0x10D40, // 16: Garay
    0x11066, 0x110F0, 0x11136, 0x111D0, 0x112F0, 0x11450, 0x114D0, 0x11650, 0x116C0,
    0x116D0, // 16: Myanmar, Eastern Pwo
    0x116DA, // 16: Myanmar, Pa'O
    0x11730, 0x118E0, 0x11950, 0x11BF0, // 16: Sunuwar
    0x11C50, 0x11D50, 0x11DA0, 0x11F50, // 15: Kawi
    0x16A60, 0x16AC0, 0x16B50, 0x1CCF0, // 16: outlined
    0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6, 0x1E140, 0x1E2F0, 0x1E4F0, // 15: Nag Mundari
    0x1E5F1, // 16: Ol Onal
    0x1E950, 0x1FBF0,
];

impl Digits {
    /// Gives the value of each digit to the function, and what it returned last; none where something
    /// is no digit, or nothing is there.
    pub(super) fn fold<T>(
        self,
        text: &[u8],
        start: T,
        mut step: impl FnMut(T, u8) -> T,
    ) -> Option<T> {
        if text.is_empty() {
            return None;
        }
        if text.is_ascii() || self == Self::Ascii {
            return text.iter().try_fold(start, |folded, &byte| {
                byte.is_ascii_digit().then(|| step(folded, byte - b'0'))
            });
        }
        let mut chars = std::str::from_utf8(text).ok()?.chars();
        chars.try_fold(start, |folded, char| Some(step(folded, value(char)?)))
    }

    /// How many digits this is; none if it is not digits only.
    pub(super) fn count(self, text: &[u8]) -> Option<usize> {
        self.fold(text, 0, |count, _| count + 1)
    }

    /// One digit, as a pattern.
    pub(super) fn expr(self) -> Expr {
        match self {
            Self::Ascii => Expr::class(&[(b'0', b'9')]),
            Self::Unicode => unicode(),
        }
    }
}

/// The value of a decimal digit.
fn value(char: char) -> Option<u8> {
    let code = u32::from(char);
    let before = ZEROS.partition_point(|&zero| zero <= code).checked_sub(1)?;
    let value = code - ZEROS.get(before)?;
    u8::try_from(value).ok().filter(|&value| value < 10)
}

/// All digits. In UTF-8 ten of a kind differ in their last byte only, and in many kinds that byte is the
/// same, so kinds that end alike share one end: the pattern is a quarter of what it would be.
fn unicode() -> Expr {
    let mut ends: BTreeMap<u8, Vec<Expr>> = BTreeMap::new();
    for char in ZEROS.into_iter().filter_map(char::from_u32) {
        if let Some((last, lead)) = char.encode_utf8(&mut [0; 4]).as_bytes().split_last() {
            ends.entry(*last).or_default().push(Expr::literal(lead));
        }
    }
    let kinds = ends.into_iter().map(|(zero, leads)| {
        let ten = (zero..zero.saturating_add(10)).map(|byte| Expr::literal(&[byte]));
        Expr::sequence(vec![Expr::either(leads), Expr::either(ten.collect())])
    });
    Expr::either(kinds.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_zeros_are_in_order_and_ten_digits_follow_each() {
        assert!(ZEROS.is_sorted_by(|a, b| a + 10 <= *b));
        for zero in ZEROS {
            for digit in 0..10 {
                let char = char::from_u32(zero + digit).unwrap();
                assert!(char.is_numeric(), "U+{:X}", zero + digit);
                assert_eq!(value(char).map(u32::from), Some(digit), "U+{:X}", zero + digit);
            }
            let lead = |code| {
                let text = char::from_u32(code).unwrap().to_string().into_bytes();
                text[..text.len() - 1].to_vec()
            };
            assert_eq!(lead(zero), lead(zero + 9), "U+{zero:X}");
        }
    }

    #[test]
    fn other_characters_are_no_digits() {
        for char in ['/', ':', 'a', '½', '²', '①', '٬', '\u{65F}', '\u{66A}', '一', '\u{10FFFF}']
        {
            assert_eq!(value(char), None, "{char:?}");
        }
    }

    #[test]
    fn folds_over_digits_only() {
        let table: [(&str, Digits, &[u8], Option<u32>); 8] = [
            ("ascii", Digits::Ascii, b"1203", Some(1203)),
            ("ascii as unicode", Digits::Unicode, b"1203", Some(1203)),
            ("arabic", Digits::Unicode, "١٢٣".as_bytes(), Some(123)),
            ("mixed", Digits::Unicode, "1٢३".as_bytes(), Some(123)),
            ("arabic where ascii is asked for", Digits::Ascii, "١".as_bytes(), None),
            ("nothing", Digits::Unicode, b"", None),
            ("a letter", Digits::Unicode, b"12a", None),
            ("bad bytes", Digits::Unicode, b"1\xff", None),
        ];
        for (name, digits, text, expected) in table {
            let number = digits.fold(text, 0, |number, digit| number * 10 + u32::from(digit));
            assert_eq!(number, expected, "{name}");
        }
    }
}

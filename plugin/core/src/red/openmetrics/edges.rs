//! The `le` of a histogram's buckets, in the one spelling that all parsers agree on.

use crate::red::{Boundaries, Decimal};

/// The boundaries of the last histogram, written once for all that have the same.
#[derive(Default)]
pub(super) struct Edges<'a> {
    of: Option<&'a Boundaries>,
    texts: Vec<Vec<u8>>,
}

impl<'a> Edges<'a> {
    /// `le="0.5"} ` for each bucket, that of all values included.
    pub(super) fn of(&mut self, boundaries: &'a Boundaries) -> &[Vec<u8>] {
        if self.of != Some(boundaries) {
            self.of = Some(boundaries);
            self.texts = boundaries.iter().map(Some).chain([None]).map(text).collect();
        }
        &self.texts
    }
}

fn text(boundary: Option<Decimal>) -> Vec<u8> {
    let mut text = b"le=\"".to_vec();
    match boundary {
        Some(boundary) => write(boundary, &mut text),
        None => text.extend_from_slice(b"+Inf"),
    }
    text.extend_from_slice(b"\"} ");
    text
}

/// Below this, and from that on, numbers have an exponent.
const SMALL: Decimal = Decimal::from_nanos(100_000);
const LARGE: Decimal = Decimal::whole(1_000_000);

/// Writes a number as Go and Python do: always with a point or an exponent.
///
/// A parser that keeps texts as they are would otherwise take `1` and `1.0` for two buckets when the
/// other format is scraped.
fn write(number: Decimal, out: &mut Vec<u8>) {
    let (whole, nanos) = number.parts();
    let mut digits = Vec::new();
    number.write(&mut digits);
    if number >= LARGE {
        write_exponent(&digits, b'+', whole.checked_ilog10().unwrap_or_default(), out);
    } else if let Some(tens) = nanos.checked_ilog10().filter(|_| number < SMALL) {
        write_exponent(&digits, b'-', 9 - tens, out);
    } else {
        out.extend_from_slice(&digits);
        if nanos == 0 {
            out.extend_from_slice(b".0");
        }
    }
}

/// `1.5e+06`: the digits from the first to the last that is no zero.
fn write_exponent(digits: &[u8], sign: u8, exponent: u32, out: &mut Vec<u8>) {
    let mut digits: Vec<u8> = digits.iter().copied().filter(u8::is_ascii_digit).collect();
    while digits.last() == Some(&b'0') {
        digits.pop();
    }
    let mut digits = digits.into_iter().skip_while(|&digit| digit == b'0').peekable();
    out.extend(digits.next());
    if digits.peek().is_some() {
        out.push(b'.');
    }
    out.extend(digits);
    out.extend_from_slice(&[b'e', sign]);
    if exponent < 10 {
        out.push(b'0');
    }
    Decimal::whole(exponent.into()).write(out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boundaries_have_one_spelling() {
        for (number, expected) in [
            ("0", "0.0"),
            ("0.005", "0.005"),
            ("0.25", "0.25"),
            ("1", "1.0"),
            ("10", "10.0"),
            ("12.5", "12.5"),
            ("100000", "100000.0"),
            ("999999.999999999", "999999.999999999"),
            ("1000000", "1e+06"),
            ("1048576", "1.048576e+06"),
            ("1000000.5", "1.0000005e+06"),
            ("10000000000", "1e+10"),
            ("18446744073709551615", "1.8446744073709551615e+19"),
            ("0.0001", "0.0001"),
            ("0.00011", "0.00011"),
            ("0.00001", "1e-05"),
            ("0.000099999", "9.9999e-05"),
            ("0.000000001", "1e-09"),
        ] {
            let mut out = Vec::new();
            write(Decimal::parse(number.as_bytes()).unwrap(), &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected, "{number}");
        }
    }

    #[test]
    fn they_are_those_of_the_histogram_at_hand() {
        let one = Boundaries::new(&[Decimal::whole(1)]).unwrap();
        let none = Boundaries::new(&[]).unwrap();
        let mut edges = Edges::default();
        for (boundaries, expected) in [
            (&one, vec![&b"le=\"1.0\"} "[..], b"le=\"+Inf\"} "]),
            (&one.clone(), vec![b"le=\"1.0\"} ", b"le=\"+Inf\"} "]),
            (&none, vec![b"le=\"+Inf\"} "]),
            (&one, vec![b"le=\"1.0\"} ", b"le=\"+Inf\"} "]),
        ] {
            assert_eq!(edges.of(boundaries), expected);
        }
    }
}

//! Numbers between two bounds, as a pattern over their ASCII digits.

use crate::pattern::Expr;

/// The digits of numbers from `least` to `most`: with zeros in front up to this width, or with any
/// number of them where there is no width. None if there is no such number.
pub(super) fn between(least: u64, most: Option<u64>, width: Option<u32>) -> Option<Expr> {
    match width {
        Some(0) => None,
        Some(width) => of_width(least, most, width as usize),
        None => of_any_width(least, most),
    }
}

fn of_width(least: u64, most: Option<u64>, width: usize) -> Option<Expr> {
    // More digits than any bound has are zeros, or the bound is no bound.
    let (least, most) = (digits(least, width), most.map(|most| digits(most, width)));
    let most = match most {
        Some(most) if most.len() <= width => most,
        _ => vec![9; width],
    };
    (least.len() <= width && least <= most).then(|| same_length(&least, &most))
}

fn of_any_width(least: u64, most: Option<u64>) -> Option<Expr> {
    let least = digits(least, 1);
    let mut parts = Vec::new();
    let longest = match most {
        Some(most) => digits(most, 1),
        None => {
            let more = u32::try_from(least.len()).ok()?;
            parts.push(Expr::sequence(vec![digit(1, 9), digit(0, 9).repeat(more, None)]));
            vec![9; least.len()]
        }
    };
    // Length by length, for zeros in front are apart. There are twenty at most.
    for length in least.len()..=longest.len() {
        let mut first = vec![0; length];
        first.iter_mut().take(1).for_each(|digit| *digit = u8::from(length > 1));
        let low = if length == least.len() { least.clone() } else { first };
        let high = if length == longest.len() { longest.clone() } else { vec![9; length] };
        if low <= high {
            parts.push(same_length(&low, &high));
        }
    }
    let zeros = digit(0, 0).repeat(0, None);
    (!parts.is_empty()).then(|| Expr::sequence(vec![zeros, Expr::either(parts)]))
}

/// The numbers between two of the same length, both included; the first must not be the greater.
fn same_length(least: &[u8], most: &[u8]) -> Expr {
    let (Some((&low, lows)), Some((&high, highs))) = (least.split_first(), most.split_first())
    else {
        return Expr::sequence(Vec::new());
    };
    if low == high {
        return Expr::sequence(vec![digit(low, low), same_length(lows, highs)]);
    }
    let any = digit(0, 9).repeat(length(lows), Some(length(lows)));
    // An end behind which all numbers are in needs no branch of its own; so the pattern grows with the
    // digits and no faster.
    let (mut from, mut to) = (low, high);
    let mut parts = Vec::new();
    if lows.iter().any(|&digit| digit > 0) {
        let nines = vec![9; lows.len()];
        parts.push(Expr::sequence(vec![digit(low, low), same_length(lows, &nines)]));
        from += 1;
    }
    if highs.iter().any(|&digit| digit < 9) {
        let zeros = vec![0; highs.len()];
        parts.push(Expr::sequence(vec![digit(high, high), same_length(&zeros, highs)]));
        to -= 1;
    }
    if from <= to {
        parts.push(Expr::sequence(vec![digit(from, to), any]));
    }
    Expr::either(parts)
}

fn length(digits: &[u8]) -> u32 {
    u32::try_from(digits.len()).unwrap_or(u32::MAX)
}

fn digit(from: u8, to: u8) -> Expr {
    Expr::class(&[(b'0' + from, b'0' + to)])
}

/// The digits of a number, with zeros in front up to a width.
fn digits(number: u64, width: usize) -> Vec<u8> {
    let mut number = number;
    let mut digits = Vec::new();
    while number > 0 || digits.len() < width {
        digits.push(u8::try_from(number % 10).unwrap_or(0));
        number /= 10;
    }
    digits.reverse();
    digits
}

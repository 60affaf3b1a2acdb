//! Letters and digits in one word, and words that are joined: which of them are words, and which hold an
//! identifier.

use super::scan::{Class, Scan, runs};
use super::{Kind, Rule, Verdict, vocabulary};

/// Whether letters are so many hexadecimal digits that they are no word.
pub(super) fn is_hex(letters: &[u8]) -> bool {
    letters.len() >= 10 && letters.iter().all(u8::is_ascii_hexdigit)
}

/// A segment of letters alone. Any word in any language stays; what goes is what only chance makes.
pub(super) fn letters(segment: &[u8], scan: &Scan) -> Verdict {
    if is_hex(segment) {
        return Verdict::identifier(Kind::Hex, Rule::Mixed);
    }
    if is_random_letters(scan) {
        return Verdict::identifier(Kind::Token, Rule::Mixed);
    }
    Verdict::word(Rule::Letters)
}

/// A segment of letters, digits and joints that has no fixed format.
pub(super) fn joined(segment: &[u8], scan: &Scan) -> Verdict {
    if scan.joints == 0 {
        return match word_with_digits(segment, scan) {
            None => Verdict::word(Rule::WordWithDigits),
            Some(kind) => Verdict::identifier(kind, Rule::Mixed),
        };
    }
    if is_version(segment) {
        return Verdict::word(Rule::Known);
    }
    if matches!(segment, b"." | b"..") {
        return Verdict::identifier(Kind::Str, Rule::Punctuated);
    }
    if are_words(segment) {
        return Verdict::word(Rule::Words);
    }
    Verdict::identifier(Kind::Str, Rule::Numbered)
}

/// `v1`, `v1.2`, `v2beta1`, `v1p1beta1`, `v1-rc.2`: a `v`, short numbers, and what releases are called.
fn is_version(bytes: &[u8]) -> bool {
    let [b'v' | b'V', rest @ ..] = bytes else { return false };
    let Some(b'0'..=b'9') = rest.first() else { return false };
    runs(rest).all(|(class, run)| match class {
        Class::Digit => run.len() <= 4 || (matches!(run.len(), 6 | 8) && run.starts_with(b"20")),
        Class::Lower => matches!(
            run,
            b"alpha" | b"beta" | b"rc" | b"p" | b"preview" | b"dev" | b"a" | b"b" | b"x"
        ),
        Class::Joint => run.len() == 1,
        Class::Upper | Class::Other => false,
    })
}

/// Whether all pieces between joints are words, or numbers that belong to the word before or behind them.
fn are_words(segment: &[u8]) -> bool {
    let mut pieces =
        segment.split_inclusive(|byte| JOINTS.contains(byte)).map(Piece::new).peekable();
    let mut before = Piece::default();
    while let Some(piece) = pieces.next() {
        let scan = Scan::of(piece.bytes);
        let fits = if piece.bytes.is_empty() {
            true
        } else if scan.is_all_digits() {
            before.owns(piece) || piece.is_measure_of(pieces.peek().copied().unwrap_or_default())
        } else {
            is_word(piece.bytes, &scan)
        };
        if !fits {
            return false;
        }
        // What owns one number owns the next: `http-1.1`.
        if !(scan.is_all_digits() && vocabulary::owns_number(before.bytes, piece.bytes)) {
            before = piece;
        }
    }
    true
}

const JOINTS: &[u8] = b"-_.";

/// What stands between two joints, and the joint behind it.
#[derive(Clone, Copy, Default)]
struct Piece<'a> {
    bytes: &'a [u8],
    joint: Option<u8>,
}

impl<'a> Piece<'a> {
    fn new(with_joint: &'a [u8]) -> Self {
        match with_joint {
            [bytes @ .., joint] if JOINTS.contains(joint) => Self { bytes, joint: Some(*joint) },
            bytes => Self { bytes, joint: None },
        }
    }

    /// Whether a number behind this belongs to it: `utf-8`, `tls1.3`.
    fn owns(self, number: Self) -> bool {
        let is_version = self.joint == Some(b'.')
            && number.bytes.len() <= 2
            && self.bytes.last().is_some_and(u8::is_ascii_digit)
            && self.bytes.first().is_some_and(u8::is_ascii_alphabetic);
        vocabulary::owns_number(self.bytes, number.bytes) || is_version
    }

    /// Whether this number belongs to what follows: `30-day`, `2-factor`, `360-view`.
    fn is_measure_of(self, next: Self) -> bool {
        let is_unit = next.bytes.len() > 1 && vocabulary::is_unit(next.bytes);
        let is_word = !next.bytes.is_empty() && next.bytes.iter().all(u8::is_ascii_alphabetic);
        (self.bytes.len() <= 2 && is_unit) || (vocabulary::is_size(self.bytes) && is_word)
    }
}

fn is_word(piece: &[u8], scan: &Scan) -> bool {
    if scan.is_all_letters() {
        return letters(piece, scan).kind.is_none();
    }
    vocabulary::is_known(piece)
        || is_dimension(piece)
        || (!is_hash(scan) && word_with_digits(piece, scan).is_none())
}

/// `32x32`, `1920x1080`.
fn is_dimension(piece: &[u8]) -> bool {
    let mut sides = piece.split(|&byte| byte == b'x');
    let mut is_side = || {
        sides.next().is_some_and(|side| {
            (1..=4).contains(&side.len()) && side.iter().all(u8::is_ascii_digit)
        })
    };
    is_side() && is_side() && sides.next().is_none()
}

/// Hexadecimal digits, as they stand between joints in the names of files and of things.
fn is_hash(scan: &Scan) -> bool {
    scan.is_all_hex() && scan.length() >= 8
}

/// What kind of identifier letters with digits are, if they are no word.
fn word_with_digits(segment: &[u8], scan: &Scan) -> Option<Kind> {
    if is_version(segment) {
        return None;
    }
    let word = without_version(segment);
    let scan = if word.len() == segment.len() { *scan } else { Scan::of(word) };
    let is_word = match scan.digit_runs {
        0 => !is_random_letters(&scan),
        1 => !is_random(&scan) && is_numbered_word(word),
        _ => false,
    };
    if is_word {
        return None;
    }
    let is_token = (scan.length() >= 5 && scan.digit_runs > 1) || is_random(&scan);
    Some(if is_token { Kind::Token } else { Kind::Str })
}

/// The word before a version: `oauth2v1`, `s3v4`.
fn without_version(segment: &[u8]) -> &[u8] {
    match segment {
        [word @ .., b'v', b'1'..=b'9'] if word.len() > 1 => word,
        _ => segment,
    }
}

/// A word with one number in it, of so few digits that it is no identifier.
fn is_numbered_word(word: &[u8]) -> bool {
    let start = word.iter().position(u8::is_ascii_digit).unwrap_or(word.len());
    let Some((before, rest)) = word.split_at_checked(start) else { return false };
    let end = rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
    let Some((digits, behind)) = rest.split_at_checked(end) else { return false };
    if before.is_empty() {
        return is_led_by_number(digits, behind);
    }
    match digits.len() {
        // Words are not so long, unless a number ends them.
        _ if word.len() >= 20 && !behind.is_empty() => false,
        1..=2 => true,
        3..=5 => vocabulary::is_size(digits) || vocabulary::owns_number(before, digits),
        _ => false,
    }
}

/// `2fa`, `3d`, `24h`, `30days`, `360view`.
fn is_led_by_number(digits: &[u8], behind: &[u8]) -> bool {
    match digits.len() {
        1 => true,
        2 => behind.len() > 2 || vocabulary::is_unit(behind),
        _ => vocabulary::is_size(digits) && (behind.len() > 2 || vocabulary::is_unit(behind)),
    }
}

fn is_random(scan: &Scan) -> bool {
    let both_cases = scan.lower > 0 && scan.upper > 0;
    let restless = both_cases && scan.length() >= 5 && scan.is_restless();
    restless || (scan.length() >= 10 && scan.has_random_case())
}

fn is_random_letters(scan: &Scan) -> bool {
    let both_cases = scan.lower > 0 && scan.upper > 0;
    (both_cases && scan.length() >= 8 && scan.is_restless())
        || (scan.length() >= 10 && scan.has_random_case())
}

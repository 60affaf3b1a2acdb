//! What a single segment of a path is: a word that stays, or an identifier of some kind.
//!
//! Ordered rules over byte classes, the same for every service and every language, and no model of any
//! language: purely alphabetic words always stay, and what cannot be told from a word by its bytes alone
//! is left for the [learner](super::learner) to collapse. The rules look at a segment as it is on the
//! wire, so nothing that was percent-encoded can get into the name of a route.

mod date;
mod fixed;
mod pieces;
mod scan;
mod vocabulary;

use std::fmt;

use self::scan::Scan;
use crate::percent;

/// The longest segment that can be a word.
pub const LONGEST_WORD: usize = 64;

/// The kinds of identifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Digits, with a sign or a fraction perhaps.
    Int,
    /// A UUID in any spelling.
    Uuid,
    /// A ULID: 26 characters of Crockford's alphabet.
    Ulid,
    /// Hexadecimal digits: hashes, object IDs.
    Hex,
    /// A date, a time, or both.
    Date,
    /// An e-mail address.
    Email,
    /// An IP address, of a network perhaps.
    Ip,
    /// A random token.
    Token,
    /// Anything else that varies.
    Str,
}

/// One segment of a path whose identifiers are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// It stays as it is. ASCII, at most [`LONGEST_WORD`] bytes.
    Word(&'a [u8]),
    /// An identifier.
    Kind(Kind),
}

/// What a segment is taken for, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The kind of identifier; none: it is a word.
    pub kind: Option<Kind>,
    /// The rule that decided.
    pub rule: Rule,
}

/// The rules, in the order in which they are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Letters only, in no pattern that only chance makes.
    Letters,
    /// The placeholder of a kind: what was normalised before stays so.
    Placeholder,
    /// Digits.
    Digits,
    /// A fixed format: UUID, ULID, e-mail, address, date and the like.
    Format,
    /// It has a character that words have not, or an escape.
    Punctuated,
    /// Longer than any word.
    Long,
    /// A word with digits that people know as a word, or a version.
    Known,
    /// Words, joined.
    Words,
    /// A word with a few digits.
    WordWithDigits,
    /// Words with a number or an identifier among them.
    Numbered,
    /// Letters and digits, or cases, so mixed that no person chose them.
    Mixed,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Int,
        Self::Uuid,
        Self::Ulid,
        Self::Hex,
        Self::Date,
        Self::Email,
        Self::Ip,
        Self::Token,
        Self::Str,
    ];

    /// What stands in a route in its place.
    pub fn placeholder(self) -> &'static str {
        match self {
            Self::Int => "{int}",
            Self::Uuid => "{uuid}",
            Self::Ulid => "{ulid}",
            Self::Hex => "{hex}",
            Self::Date => "{date}",
            Self::Email => "{email}",
            Self::Ip => "{ip}",
            Self::Token => "{token}",
            Self::Str => "{str}",
        }
    }
}

impl<'a> Part<'a> {
    /// What this segment is. It must not be empty.
    pub fn of(segment: &'a [u8]) -> Self {
        judge(segment).kind.map_or(Self::Word(segment), Self::Kind)
    }

    /// As it stands in a route.
    pub fn as_bytes(&self) -> &'a [u8] {
        match self {
            Self::Word(word) => word,
            Self::Kind(kind) => kind.placeholder().as_bytes(),
        }
    }
}

/// Whether a byte can be part of a word that stays.
pub(super) fn stands_in_words(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.$@".contains(&byte)
}

/// Judges a segment as it is on the wire, without the slashes around it.
pub fn judge(segment: &[u8]) -> Verdict {
    obvious(segment).unwrap_or_else(|| closely(segment))
}

/// What most segments are, without a closer look: the rules would say the same.
fn obvious(segment: &[u8]) -> Option<Verdict> {
    if fixed::is_uuid(segment) {
        return Some(Verdict::identifier(Kind::Uuid, Rule::Format));
    }
    if segment.len() > LONGEST_WORD {
        return None;
    }
    if segment.iter().all(u8::is_ascii_lowercase) && !pieces::is_hex(segment) {
        return Some(Verdict::word(Rule::Letters));
    }
    // Most interfaces have a version in front.
    if let [b'v', b'0'..=b'9'] = segment {
        return Some(Verdict::word(Rule::WordWithDigits));
    }
    let is_number = segment.iter().all(u8::is_ascii_digit);
    is_number.then(|| Verdict::identifier(Kind::Int, Rule::Digits))
}

fn closely(segment: &[u8]) -> Verdict {
    let scan = Scan::of(segment);
    if segment.len() > LONGEST_WORD {
        let kind = fixed::long(segment, &scan).unwrap_or(Kind::Str);
        return Verdict::identifier(kind, Rule::Long);
    }
    if scan.is_all_letters() {
        return pieces::letters(segment, &scan);
    }
    if scan.is_all_digits() {
        return Verdict::identifier(Kind::Int, Rule::Digits);
    }
    if scan.others > 0 {
        return punctuated(segment, &scan);
    }
    if vocabulary::is_known(segment) {
        return Verdict::word(Rule::Known);
    }
    match fixed::plain(segment, &scan) {
        Some(kind) => Verdict::identifier(kind, Rule::Format),
        None => pieces::joined(segment, &scan),
    }
}

/// A segment with a byte that is no letter, digit, dash, underscore or dot.
fn punctuated(segment: &[u8], scan: &Scan) -> Verdict {
    if let Some(kind) = placeholder(segment) {
        return Verdict::identifier(kind, Rule::Placeholder);
    }
    if vocabulary::is_operation(segment) {
        return Verdict::word(Rule::Known);
    }
    let mut decoded = [0; LONGEST_WORD];
    let readable = percent::decode_into(segment, &mut decoded).unwrap_or(segment);
    match fixed::punctuated(readable, scan) {
        Some(kind) => Verdict::identifier(kind, Rule::Format),
        None => Verdict::identifier(Kind::Str, Rule::Punctuated),
    }
}

fn placeholder(segment: &[u8]) -> Option<Kind> {
    Kind::ALL.into_iter().find(|kind| kind.placeholder().as_bytes() == segment)
}

impl Verdict {
    fn word(rule: Rule) -> Self {
        Self { kind: None, rule }
    }

    fn identifier(kind: Kind, rule: Rule) -> Self {
        Self { kind: Some(kind), rule }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Letters => "letters only",
            Self::Placeholder => "a placeholder already",
            Self::Digits => "digits only",
            Self::Format => "has the form of one",
            Self::Punctuated => "has characters that words have not",
            Self::Long => "longer than any word",
            Self::Known => "known as a word",
            Self::Words => "words, joined",
            Self::WordWithDigits => "a word with a few digits",
            Self::Numbered => "has a number or an identifier in it",
            Self::Mixed => "letters and digits mixed as only chance mixes them",
        })
    }
}

#[cfg(test)]
mod tests;

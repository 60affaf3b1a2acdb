//! Bracketed classes, `[a-z_]` and `[^.]`: one character out of some.
//!
//! A slash may be excluded, as in `[^/]`, which is how most route expressions are written. It may not be
//! asked for, since no segment holds one; a range that merely spans it goes without it.

use super::bytes::ByteSet;
use super::error::PatternErrorKind as Kind;
use super::escape::{Chars, Escape};
use super::expr::Expr;
use super::parse::{Parsed, Parser, refuse};

impl Parser<'_> {
    /// The rest of a class whose bracket was read at `begin`.
    pub(super) fn class(&mut self, begin: usize) -> Parsed<Expr> {
        let negated = self.take("^");
        let mut chars = Chars::default();
        while !self.take("]") {
            if self.peek().is_none() {
                return refuse(begin..begin + 1, Kind::Unclosed('['));
            }
            chars = chars.or(self.class_item(negated)?);
        }
        // `[^]` names nothing to exclude: in most dialects its bracket is the first character excluded.
        if chars == Chars::default() {
            return self.refuse_from(begin, Kind::EmptyClass);
        }
        self.one_of(begin, if negated { chars.negated() } else { chars })
    }

    /// One character, one range or one escaped set.
    fn class_item(&mut self, negated: bool) -> Parsed<Chars> {
        let begin = self.at();
        let first = self.class_end(negated)?;
        // A dash in front of the closing bracket is a dash.
        if !self.rest().starts_with('-') || self.rest().starts_with("-]") || self.rest() == "-" {
            return Ok(first.chars());
        }
        self.advance();
        let last = self.class_end(negated)?;
        match (first, last) {
            (End::Byte(first), End::Byte(last)) if first > last => {
                self.refuse_from(begin, Kind::ReversedRange)
            }
            (End::Byte(first), End::Byte(last)) => Ok(Chars::ascii(ByteSet::range(first, last))),
            _ => self.refuse_from(begin, Kind::RangeOfClass),
        }
    }

    /// What may stand at either end of a range, and at one only if it is a single character.
    fn class_end(&mut self, negated: bool) -> Parsed<End> {
        let begin = self.at();
        if let Some(length) = posix_class(self.rest()) {
            return refuse(begin..begin + length, Kind::PosixClass);
        }
        let character = match self.advance() {
            Some('\\') => match self.escape(begin)? {
                Escape::Chars(chars) => return Ok(End::Chars(chars)),
                Escape::Char(character) => character,
            },
            Some(character) => character,
            None => return Ok(End::Chars(Chars::default())),
        };
        match u8::try_from(character) {
            Ok(b'/') if !negated => self.refuse_from(begin, Kind::Slash),
            Ok(byte) if byte.is_ascii() => Ok(End::Byte(byte)),
            _ => self.refuse_from(begin, Kind::NonAsciiInClass),
        }
    }
}

#[derive(Clone, Copy)]
enum End {
    Byte(u8),
    Chars(Chars),
}

impl End {
    fn chars(self) -> Chars {
        match self {
            End::Byte(byte) => Chars::ascii(ByteSet::one(byte)),
            End::Chars(chars) => chars,
        }
    }
}

/// How long `[:alpha:]` and its like are, if one stands in front.
fn posix_class(rest: &str) -> Option<usize> {
    let (name, _) = rest.strip_prefix("[:")?.split_once(":]")?;
    name.bytes()
        .all(|letter| letter.is_ascii_alphabetic() || letter == b'^')
        .then_some(name.len() + 4)
}

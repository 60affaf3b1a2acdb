//! What a backslash means, and the sets of characters that have a letter of their own.

use super::bytes::ByteSet;
use super::error::PatternErrorKind as Kind;
use super::expr::{Expr, Node};

/// Characters to choose one from: some of ASCII, and all beyond it or none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Chars {
    pub(super) ascii: ByteSet,
    pub(super) beyond: bool,
}

/// What stands behind a backslash.
pub(super) enum Escape {
    Char(char),
    Chars(Chars),
}

impl Chars {
    pub(super) fn or(self, other: Chars) -> Chars {
        Chars { ascii: self.ascii.or(other.ascii), beyond: self.beyond || other.beyond }
    }

    pub(super) fn negated(self) -> Chars {
        Chars { ascii: ByteSet::ASCII.without(self.ascii), beyond: !self.beyond }
    }

    pub(super) fn ascii(ascii: ByteSet) -> Chars {
        Chars { ascii, beyond: false }
    }

    /// What `.` matches, if it were not for the slash.
    pub(super) fn but_line_feed() -> Chars {
        Chars::ascii(ByteSet::one(b'\n')).negated()
    }

    /// These characters but the slash, or nothing where that leaves none.
    pub(super) fn expr(self) -> Option<Expr> {
        let ascii = self.ascii.without(ByteSet::one(b'/'));
        if self.beyond {
            Some(Expr(Node::Char(ascii)))
        } else {
            (!ascii.is_empty()).then_some(Expr(Node::Byte(ascii)))
        }
    }

    fn digits() -> Chars {
        Chars::ascii(ByteSet::range(b'0', b'9'))
    }

    fn spaces() -> Chars {
        Chars::ascii(ByteSet::range(b'\t', b'\r').or(ByteSet::one(b' ')))
    }

    /// Beyond ASCII nearly all that is ever written in a path is a letter, and a table of those that are
    /// not would be larger than the rest of the engine.
    fn words() -> Chars {
        let letters = ByteSet::range(b'a', b'z').or(ByteSet::range(b'A', b'Z'));
        let ascii = Chars::digits().ascii.or(letters).or(ByteSet::one(b'_'));
        Chars { ascii, beyond: true }
    }
}

impl Escape {
    /// What `escaped` means behind a backslash; but for `x`, which has digits behind it.
    pub(super) fn of(escaped: char) -> Result<Escape, Kind> {
        Ok(match escaped {
            'd' => Escape::Chars(Chars::digits()),
            'D' => Escape::Chars(Chars::digits().negated()),
            's' => Escape::Chars(Chars::spaces()),
            'S' => Escape::Chars(Chars::spaces().negated()),
            'w' => Escape::Chars(Chars::words()),
            'W' => Escape::Chars(Chars::words().negated()),
            't' => Escape::Char('\t'),
            'n' => Escape::Char('\n'),
            'r' => Escape::Char('\r'),
            'f' => Escape::Char('\x0c'),
            'v' => Escape::Char('\x0b'),
            refused if refused.is_ascii_alphanumeric() => return Err(refusal(refused)),
            literal => Escape::Char(literal),
        })
    }
}

fn refusal(escaped: char) -> Kind {
    match escaped {
        'b' | 'B' => Kind::WordBoundary,
        'A' | 'Z' | 'z' => Kind::Anchor,
        '1'..='9' | 'g' | 'k' => Kind::BackReference,
        'p' | 'P' => Kind::UnicodeProperty,
        _ => Kind::UnknownEscape,
    }
}

//! The tree of a regular expression, and how it is put together by hand.
//!
//! Nothing here reads text (`parse` does) or runs (the automaton does).

use super::bytes::ByteSet;
use super::error::PatternError;
use super::parse;

/// A regular expression over bytes, as a tree. Built by [`Expr::parse`] or by hand.
///
/// It is bounded only where it is compiled: what builds one by hand must not nest it without bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expr(pub(super) Node);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    /// One byte out of these.
    Byte(ByteSet),
    /// One byte out of these, which are ASCII, or any one well-formed character beyond ASCII.
    Char(ByteSet),
    Repeat {
        body: Box<Expr>,
        least: u32,
        most: Option<u32>,
    },
    /// One after the other; none of them is the empty input.
    Sequence(Vec<Expr>),
    /// Any one of these; none of them is nothing at all, not even the empty input.
    Either(Vec<Expr>),
}

impl Expr {
    /// The expression that `text` spells, in the syntax that [the module](super) describes. The span
    /// inside the error counts in bytes of `text`.
    pub fn parse(text: &str) -> Result<Expr, PatternError> {
        parse::expr(text)
    }

    /// Exactly these bytes.
    pub fn literal(bytes: &[u8]) -> Expr {
        Expr::sequence(bytes.iter().map(|byte| Expr(Node::Byte(ByteSet::one(*byte)))).collect())
    }

    /// Exactly this character.
    pub(super) fn character(character: char) -> Expr {
        Expr::literal(character.encode_utf8(&mut [0; 4]).as_bytes())
    }

    /// One byte out of these ranges, both ends included. What is not ASCII is left out of them: a byte
    /// beyond it is only a part of a character.
    pub fn class(ranges: &[(u8, u8)]) -> Expr {
        let sets = ranges.iter().map(|(first, last)| ByteSet::range(*first, *last));
        Expr(Node::Byte(sets.fold(ByteSet::default(), ByteSet::or).and(ByteSet::ASCII)))
    }

    /// One character, which is an ASCII byte or one well-formed UTF-8 sequence, but no `/`.
    pub fn any_char() -> Expr {
        Expr(Node::Char(ByteSet::ASCII.without(ByteSet::one(b'/'))))
    }

    /// One byte of any value but `/`.
    pub fn any_byte() -> Expr {
        Expr(Node::Byte(ByteSet::ALL.without(ByteSet::one(b'/'))))
    }

    /// This expression at least `least` times and at most `most` times, or without limit. Where `most` is
    /// below `least`, no input is accepted.
    pub fn repeat(self, least: u32, most: Option<u32>) -> Expr {
        Expr(Node::Repeat { body: Box::new(self), least, most })
    }

    /// One part after the other. No parts accept the empty input alone.
    pub fn sequence(mut parts: Vec<Expr>) -> Expr {
        match parts.pop() {
            Some(only) if parts.is_empty() => only,
            last => {
                parts.extend(last);
                Expr(Node::Sequence(parts))
            }
        }
    }

    /// Any one of the parts. No parts accept no input.
    pub fn either(mut parts: Vec<Expr>) -> Expr {
        match parts.pop() {
            Some(only) if parts.is_empty() => only,
            last => {
                parts.extend(last);
                Expr(Node::Either(parts))
            }
        }
    }
}

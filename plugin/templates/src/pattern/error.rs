//! What is wrong with a pattern, and what to write instead.

use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::ops::Range;

use super::bounds;

/// Why a text is not a pattern, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternError {
    /// The bytes of the text that are at fault.
    pub span: Range<usize>,
    /// What is wrong with them.
    pub kind: PatternErrorKind,
}

/// What can be wrong with the text of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatternErrorKind {
    /// The text is longer than a template may be.
    TooLong,
    /// Groups are nested too deeply.
    TooDeep,
    /// This bracket is never closed.
    Unclosed(char),
    /// This bracket closes nothing.
    Unopened(char),
    /// A repetition has nothing in front of it.
    NothingToRepeat,
    /// A repetition stands right behind another.
    RepeatedTwice,
    /// `*+`, `++`, `?+` or `{2}+`.
    Possessive,
    /// Braces that hold no count.
    BadCount,
    /// A count above the bound.
    HugeCount,
    /// `{5,2}`: the second number is below the first.
    ReversedCount,
    /// A class that no character is in.
    EmptyClass,
    /// `[z-a]`: the range ends before it begins.
    ReversedRange,
    /// `[\w-z]`: one end of the range is more than one character.
    RangeOfClass,
    /// A character beyond ASCII inside `[...]`.
    NonAsciiInClass,
    /// `[[:alpha:]]`.
    PosixClass,
    /// The text ends in a backslash.
    TrailingBackslash,
    /// A slash, which no segment holds.
    Slash,
    /// `^` or `$` within the pattern, or `\A` or `\Z` anywhere.
    Anchor,
    /// `\b` or `\B`.
    WordBoundary,
    /// `\1`, `\k<name>` or `(?P=name)`.
    BackReference,
    /// `(?=`, `(?!`, `(?<=` or `(?<!`.
    LookAround,
    /// `(?i)` and its like.
    InlineFlags,
    /// `(?>...)`.
    Atomic,
    /// `\p{...}` or `\P{...}`.
    UnicodeProperty,
    /// A backslash in front of a letter or digit that means nothing here.
    UnknownEscape,
    /// `(?` followed by something else.
    UnknownGroup,
    /// The name of a group is none.
    GroupName,
}

/// A pattern that is well-formed, but whose automaton would be too large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLarge;

impl Display for PatternError {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        self.kind.fmt(out)
    }
}

impl Error for PatternError {}

impl Display for PatternErrorKind {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => {
                write!(out, "the pattern is longer than {} bytes: shorten it", bounds::TEXT)
            }
            Self::TooDeep => write!(
                out,
                "groups are nested more than {} deep: write it with fewer parentheses",
                bounds::NESTING
            ),
            Self::Unclosed(bracket) => write!(
                out,
                "`{bracket}` is never closed: close it, or write `\\{bracket}` for the character itself"
            ),
            Self::Unopened(bracket) => write!(
                out,
                "`{bracket}` closes nothing: remove it, or write `\\{bracket}` for the character itself"
            ),
            Self::HugeCount => write!(
                out,
                "a count may be {} at most: write `*` or `+` where the number does not matter",
                bounds::COUNT
            ),
            fixed => out.write_str(fixed.sentence()),
        }
    }
}

impl PatternErrorKind {
    /// What is said where neither a bracket nor a bound has to be named.
    fn sentence(self) -> &'static str {
        self.of_repetition().or_else(|| self.of_class()).unwrap_or_else(|| self.of_the_rest())
    }

    fn of_repetition(self) -> Option<&'static str> {
        Some(match self {
            Self::NothingToRepeat => {
                "there is nothing to repeat here: put what is repeated in front, or a backslash for the \
                 character itself"
            }
            Self::RepeatedTwice => {
                "a repetition is repeated: write parentheses around the first, as in `(?:a+)*`"
            }
            Self::Possessive => {
                "possessive repetitions are not supported: leave out the `+` behind the repetition"
            }
            Self::BadCount => {
                "this is no count: write `{2}`, `{2,}` or `{0,5}`, or `\\{` for the brace itself"
            }
            Self::ReversedCount => {
                "the count ends below where it begins: write the smaller number first"
            }
            _ => return None,
        })
    }

    fn of_class(self) -> Option<&'static str> {
        Some(match self {
            Self::EmptyClass => {
                "no character is in this class: name one, and write `\\]` for the bracket itself"
            }
            Self::ReversedRange => {
                "the range ends before it begins: write the smaller character first, or `\\-` for the \
                 dash itself"
            }
            Self::RangeOfClass => {
                "a range goes from one character to another: write `\\-` for the dash itself"
            }
            Self::NonAsciiInClass => {
                "a class holds ASCII characters only: write alternatives, as in `(é|è)`, or `\\w`"
            }
            Self::PosixClass => {
                "`[:...:]` is not supported: write the ranges, as in `[a-zA-Z]`, or `\\d`, `\\w`, `\\s`"
            }
            _ => return None,
        })
    }

    fn of_the_rest(self) -> &'static str {
        match self {
            Self::TrailingBackslash => {
                "the backslash has nothing behind it: remove it, or write `\\\\` for the character itself"
            }
            Self::Slash => {
                "a segment never holds a slash: write a segment for each side of it, or a parameter that \
                 takes many"
            }
            Self::Anchor => {
                "the whole segment is always matched: leave out `^`, `$`, `\\A` and `\\Z`, or write `\\^` \
                 and `\\$` for the characters themselves"
            }
            Self::WordBoundary => {
                "word boundaries are not supported: write the characters that may stand there"
            }
            Self::BackReference => {
                "back-references are not supported: write out what may stand there again"
            }
            Self::LookAround => {
                "look-around is not supported: write what is wanted, as in `[^x]`, rather than what is \
                 not"
            }
            Self::InlineFlags => {
                "inline flags are not supported: write both cases, as in `[aA]`, and `(?:` for a group"
            }
            Self::Atomic => "atomic groups are not supported: write `(?:` instead",
            Self::UnicodeProperty => {
                "Unicode properties are not supported: write `\\w`, or ranges as in `[a-z]`"
            }
            Self::UnknownEscape => {
                "this escape is not known: leave out the backslash, or write the character itself"
            }
            Self::UnknownGroup => {
                "this kind of group is not supported: write `(...)`, `(?:...)` or `(?P<name>...)`"
            }
            _ => {
                "a group's name has letters, digits and `_`, and no digit in front: write one, or `(?:` \
                 for a group without"
            }
        }
    }
}

impl Display for TooLarge {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "the pattern is too large: its automaton may have {} states at most; write smaller counts, or \
             a simpler pattern",
            bounds::STATES
        )
    }
}

impl Error for TooLarge {}

//! Patterns: regular expressions that match a whole path segment in one pass.
//!
//! A route template may hold an expression, `{id:[0-9]+}`, and a segment may mix literals with parameters,
//! `{name}.json`. Both become one minimal automaton over bytes: a look-up a byte, whatever the expression,
//! and nothing that a request could make slow. The price is that what no such automaton can do is refused:
//! back-references, look-around, word boundaries.
//!
//! # Syntax
//!
//! The core that Python's `re` and PCRE share, matched against the whole segment:
//!
//! | written | matches |
//! |---|---|
//! | `a`, `é`, `\.` | itself; a backslash takes the meaning from punctuation |
//! | `\t` `\n` `\r` `\f` `\v` `\x41` | the control character; the ASCII character of that number |
//! | `.` | any character but a line feed |
//! | `[a-z_]` `[^a-z]` | one of these ASCII characters; any other character, also beyond ASCII |
//! | `\d` `\s` | an ASCII digit; ASCII white space |
//! | `\w` | an ASCII letter, a digit, `_`, or any character beyond ASCII |
//! | `\D` `\S` `\W` | any character that `\d`, `\s`, `\w` does not match |
//! | `(x)` `(?:x)` `(?P<name>x)` | `x`; nothing is captured |
//! | <code>x&#124;y</code> | `x` or `y` |
//! | `x?` `x*` `x+` `x{2}` `x{2,}` `x{2,5}` | `x` repeated; a `?` behind it changes nothing |
//! | `^` first, `$` last | nothing: the whole is matched anyway |
//!
//! A character is an ASCII byte or one well-formed UTF-8 sequence: in no way does `.` match half a
//! character. None of these ever matches `/`, which no segment holds.
//!
//! Not here: what a parameter is called, how its bytes came out of a path, and which of two templates wins.

mod bounds;
mod bytes;
mod class;
mod dfa;
mod error;
mod escape;
mod expr;
mod minimise;
mod nfa;
mod parse;
mod sample;
#[cfg(test)]
mod tests;

use dfa::{Dfa, START};
use nfa::Nfa;

use crate::sort::sort;

pub use error::{PatternError, PatternErrorKind, TooLarge};
pub use expr::Expr;

/// A compiled pattern: a minimal automaton in canonical order, so that two patterns are equal exactly when
/// they accept the same inputs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pattern {
    /// Minimal and canonical; no larger than `bounds::STATES` and `bounds::CELLS`.
    dfa: Dfa,
}

impl Pattern {
    /// The automaton of `expr`, unless it is larger than a filter should hold or takes too long to make.
    pub fn compile(expr: &Expr) -> Result<Pattern, TooLarge> {
        let dfa = Dfa::determinise(&Nfa::build(expr)?)?.minimised();
        if dfa.next.len() > bounds::CELLS { Err(TooLarge) } else { Ok(Pattern { dfa }) }
    }

    /// Whether all of `bytes` is an input that the pattern accepts. Allocates nothing.
    #[inline]
    pub fn matches(&self, bytes: &[u8]) -> bool {
        let step = |state, byte: &u8| self.dfa.step(state, self.dfa.alphabet.letter(*byte));
        bytes.iter().try_fold(START, step).is_some_and(|state| self.dfa.accepts(state))
    }

    /// Whether there is an input that both patterns accept.
    pub fn meets(&self, other: &Pattern) -> bool {
        let letters = self.letters_with(other);
        let mut seen = Pairs::of(self.states(), other.states());
        let mut open = vec![(START, START)];
        while let Some((mine, theirs)) = open.pop() {
            if self.dfa.accepts(mine) && other.dfa.accepts(theirs) {
                return true;
            }
            open.extend(letters.iter().filter_map(|(my, their)| {
                let pair = (self.dfa.step(mine, *my)?, other.dfa.step(theirs, *their)?);
                seen.insert(pair).then_some(pair)
            }));
        }
        false
    }

    /// How many states the automaton has; no two of them are alike.
    pub fn states(&self) -> usize {
        self.dfa.states()
    }

    /// Each pair of letters, one of each pattern, that some byte is.
    fn letters_with(&self, other: &Pattern) -> Vec<(u8, u8)> {
        let (mine, theirs) = (&self.dfa.alphabet, &other.dfa.alphabet);
        let bytes = 0..=u8::MAX;
        let mut letters: Vec<_> =
            bytes.map(|byte| (mine.letter(byte), theirs.letter(byte))).collect();
        sort(&mut letters);
        letters.dedup();
        letters
    }
}

/// Pairs of states, one bit each: of two large patterns there may be four million.
struct Pairs {
    bits: Vec<u64>,
    width: usize,
}

impl Pairs {
    fn of(height: usize, width: usize) -> Pairs {
        Pairs { bits: vec![0; (height * width).div_ceil(64)], width }
    }

    /// Adds a pair, and answers whether it is new.
    fn insert(&mut self, (mine, theirs): (u16, u16)) -> bool {
        let number = usize::from(mine) * self.width + usize::from(theirs);
        let Some(word) = self.bits.get_mut(number / 64) else { return false };
        let bit = 1 << (number % 64);
        let new = *word & bit == 0;
        *word |= bit;
        new
    }
}

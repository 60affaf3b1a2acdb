//! The nondeterministic automaton of an expression: how a tree becomes steps over bytes, and how a
//! character becomes bytes.
//!
//! It is built from its end to its beginning, so that where a step leads is known when it is made. It never
//! runs: `dfa` makes it deterministic first.

use std::collections::BTreeMap;

use super::bounds;
use super::bytes::ByteSet;
use super::error::TooLarge;
use super::expr::{Expr, Node};

/// The automaton of one expression.
#[derive(Debug)]
pub(super) struct Nfa {
    parts: Vec<Part>,
    start: usize,
    sets: Vec<ByteSet>,
}

/// One state, by what can be done in it.
#[derive(Debug)]
pub(super) enum Part {
    /// Take one byte out of a set, named by its number, and go on.
    Step { on: usize, to: usize },
    /// Go on in each of these, without taking anything. In none of them, nothing is accepted.
    Fork(Vec<usize>),
    /// The input may end here.
    Accept,
}

impl Nfa {
    pub(super) fn build(expr: &Expr) -> Result<Nfa, TooLarge> {
        let mut builder = Builder::default();
        let accept = builder.part(Part::Accept)?;
        let start = builder.expr(expr, accept, 0)?;
        Ok(Nfa { parts: builder.parts, start, sets: builder.sets })
    }

    pub(super) fn part(&self, number: usize) -> Option<&Part> {
        self.parts.get(number)
    }

    pub(super) fn len(&self) -> usize {
        self.parts.len()
    }

    pub(super) fn start(&self) -> usize {
        self.start
    }

    /// Every set that a step names, by its number.
    pub(super) fn sets(&self) -> &[ByteSet] {
        &self.sets
    }
}

#[derive(Default)]
struct Builder {
    parts: Vec<Part>,
    sets: Vec<ByteSet>,
    numbers: BTreeMap<ByteSet, usize>,
    /// How many expressions were built. Counted, because `(){1000}` inside itself makes no part at all.
    visits: usize,
}

/// Each method makes what accepts something and goes on at `next`, and answers where that begins.
impl Builder {
    fn expr(&mut self, expr: &Expr, next: usize, level: usize) -> Result<usize, TooLarge> {
        self.visits += 1;
        if self.visits > bounds::PARTS || level > bounds::LEVELS {
            return Err(TooLarge);
        }
        let inner = level + 1;
        match &expr.0 {
            Node::Byte(set) => self.step(*set, next),
            Node::Char(ascii) => self.character(*ascii, next),
            Node::Repeat { body, least, most } => {
                let rest = self.optional(body, *least, *most, next, inner)?;
                (0..*least).try_fold(rest, |next, _| self.expr(body, next, inner))
            }
            Node::Sequence(parts) => {
                parts.iter().rev().try_fold(next, |next, part| self.expr(part, next, inner))
            }
            Node::Either(parts) => {
                let starts = parts.iter().map(|part| self.expr(part, next, inner));
                let starts = starts.collect::<Result<_, _>>()?;
                self.part(Part::Fork(starts))
            }
        }
    }

    /// What of a repetition may be left out.
    fn optional(
        &mut self,
        body: &Expr,
        least: u32,
        most: Option<u32>,
        next: usize,
        level: usize,
    ) -> Result<usize, TooLarge> {
        let Some(most) = most else { return self.endless(body, next, level) };
        let Some(optional) = most.checked_sub(least) else {
            return self.part(Part::Fork(Vec::new()));
        };
        // Each may be left out with all behind it, so that what stands behind is one step away.
        (0..optional).try_fold(next, |rest, _| {
            let start = self.expr(body, rest, level)?;
            self.part(Part::Fork(vec![start, next]))
        })
    }

    fn endless(&mut self, body: &Expr, next: usize, level: usize) -> Result<usize, TooLarge> {
        let around = self.part(Part::Fork(Vec::new()))?;
        let start = self.expr(body, around, level)?;
        if let Some(part) = self.parts.get_mut(around) {
            *part = Part::Fork(vec![start, next]);
        }
        Ok(around)
    }

    /// One of `ascii`, or one character of two to four bytes, as table 3-7 of the Unicode standard has
    /// them: no overlong form, no surrogate, nothing above U+10FFFF.
    fn character(&mut self, ascii: ByteSet, next: usize) -> Result<usize, TooLarge> {
        let tail = ByteSet::range(0x80, 0xbf);
        let one = self.step(tail, next)?;
        let two = self.step(tail, one)?;
        let three = self.step(tail, two)?;
        let after_e0 = self.step(ByteSet::range(0xa0, 0xbf), one)?;
        let after_ed = self.step(ByteSet::range(0x80, 0x9f), one)?;
        let after_f0 = self.step(ByteSet::range(0x90, 0xbf), two)?;
        let after_f4 = self.step(ByteSet::range(0x80, 0x8f), two)?;
        let of_three = ByteSet::range(0xe1, 0xef).without(ByteSet::one(0xed));
        let starts = vec![
            self.step(ascii, next)?,
            self.step(ByteSet::range(0xc2, 0xdf), one)?,
            self.step(ByteSet::one(0xe0), after_e0)?,
            self.step(of_three, two)?,
            self.step(ByteSet::one(0xed), after_ed)?,
            self.step(ByteSet::one(0xf0), after_f0)?,
            self.step(ByteSet::range(0xf1, 0xf3), three)?,
            self.step(ByteSet::one(0xf4), after_f4)?,
        ];
        self.part(Part::Fork(starts))
    }

    fn step(&mut self, set: ByteSet, to: usize) -> Result<usize, TooLarge> {
        let on = *self.numbers.entry(set).or_insert(self.sets.len());
        if on == self.sets.len() {
            self.sets.push(set);
        }
        self.part(Part::Step { on, to })
    }

    fn part(&mut self, part: Part) -> Result<usize, TooLarge> {
        if self.parts.len() >= bounds::PARTS {
            return Err(TooLarge);
        }
        self.parts.push(part);
        Ok(self.parts.len() - 1)
    }
}

//! The deterministic automaton: made from a nondeterministic one by following every set of parts that it
//! may be in at once, and given up as soon as a bound is passed.
//!
//! It is neither minimal nor in any order that means something: `minimise` sees to both.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::bounds;
use super::bytes::Alphabet;
use super::error::TooLarge;
use super::nfa::{Nfa, Part};
use crate::sort::sort;

/// Where a state goes on a letter that it does not take. Never the number of a state: `bounds::STATES` is
/// far below.
pub(super) const NOWHERE: u16 = u16::MAX;

/// The number of the state in which matching begins.
pub(super) const START: u16 = 0;

/// A deterministic automaton.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Dfa {
    pub(super) alphabet: Alphabet,
    /// State by state, where each letter leads: a state or `NOWHERE`.
    pub(super) next: Box<[u16]>,
    /// By state, whether the input may end there. As many as there are states: one at least.
    pub(super) accepting: Box<[bool]>,
}

impl Dfa {
    pub(super) fn determinise(nfa: &Nfa) -> Result<Dfa, TooLarge> {
        let mut subsets = Subsets::of(nfa);
        let start = subsets.settle(vec![nfa.start()])?;
        subsets.number(start)?;
        let mut next = Vec::new();
        let mut done = 0;
        while let Some(set) = subsets.sets.get(done).cloned() {
            subsets.follow(&set, &mut next)?;
            done += 1;
        }
        let accepting = subsets.sets.iter().map(|set| accepts(nfa, set)).collect();
        Ok(Dfa { alphabet: subsets.alphabet, next: next.into(), accepting })
    }

    pub(super) fn states(&self) -> usize {
        self.accepting.len()
    }

    #[inline]
    pub(super) fn step(&self, state: u16, letter: u8) -> Option<u16> {
        let cell = usize::from(state) * self.alphabet.size() + usize::from(letter);
        self.next.get(cell).copied().filter(|next| *next != NOWHERE)
    }

    #[inline]
    pub(super) fn accepts(&self, state: u16) -> bool {
        self.accepting.get(usize::from(state)).copied().unwrap_or(false)
    }
}

/// Parts that the automaton is in at once, ascending: steps and acceptance, with every fork followed.
type Set = Rc<[usize]>;

/// The sets found so far, each of which is a state.
struct Subsets<'n> {
    nfa: &'n Nfa,
    alphabet: Alphabet,
    /// By the number of a set of bytes, its letters.
    letters: Vec<Vec<u8>>,
    sets: Vec<Set>,
    numbers: BTreeMap<Set, u16>,
    /// By part, the last settling that came by.
    seen: Vec<usize>,
    settlings: usize,
    work: usize,
}

impl<'n> Subsets<'n> {
    fn of(nfa: &'n Nfa) -> Subsets<'n> {
        let alphabet = Alphabet::telling(nfa.sets().iter().copied());
        let letters = nfa.sets().iter().map(|set| alphabet.letters_of(*set)).collect();
        Subsets {
            nfa,
            alphabet,
            letters,
            sets: Vec::new(),
            numbers: BTreeMap::new(),
            seen: vec![0; nfa.len()],
            settlings: 0,
            work: 0,
        }
    }

    /// Appends the row of the state that `set` is.
    fn follow(&mut self, set: &[usize], rows: &mut Vec<u16>) -> Result<(), TooLarge> {
        for targets in self.targets(set)? {
            let settled = self.settle(targets)?;
            rows.push(if settled.is_empty() { NOWHERE } else { self.number(settled)? });
        }
        Ok(())
    }

    /// By letter, where the steps of `set` lead.
    fn targets(&mut self, set: &[usize]) -> Result<Vec<Vec<usize>>, TooLarge> {
        let mut targets = vec![Vec::new(); self.alphabet.size()];
        self.spend(targets.len())?;
        for part in set {
            let Some(Part::Step { on, to }) = self.nfa.part(*part) else { continue };
            let letters = self.letters.get(*on).map_or(&[][..], Vec::as_slice);
            for letter in letters {
                targets.get_mut(usize::from(*letter)).into_iter().for_each(|list| list.push(*to));
            }
            let moves = letters.len();
            self.spend(moves)?;
        }
        Ok(targets)
    }

    /// Follows every fork from the `open` parts.
    fn settle(&mut self, mut open: Vec<usize>) -> Result<Set, TooLarge> {
        self.settlings += 1;
        let mut settled = Vec::new();
        while let Some(part) = open.pop() {
            self.spend(1)?;
            if !self.is_new(part) {
                continue;
            }
            match self.nfa.part(part) {
                Some(Part::Fork(ways)) => open.extend(ways),
                Some(_) => settled.push(part),
                None => {}
            }
        }
        sort(&mut settled);
        Ok(settled.into())
    }

    /// Whether this settling comes by `part` for the first time.
    fn is_new(&mut self, part: usize) -> bool {
        let settling = self.settlings;
        self.seen.get_mut(part).is_some_and(|seen| std::mem::replace(seen, settling) != settling)
    }

    /// The number of the state that `set` is, perhaps a new one.
    fn number(&mut self, set: Set) -> Result<u16, TooLarge> {
        if let Some(number) = self.numbers.get(&set) {
            return Ok(*number);
        }
        if self.sets.len() >= bounds::STATES {
            return Err(TooLarge);
        }
        let number = u16::try_from(self.sets.len()).map_err(|_| TooLarge)?;
        self.sets.push(Rc::clone(&set));
        self.numbers.insert(set, number);
        Ok(number)
    }

    fn spend(&mut self, moves: usize) -> Result<(), TooLarge> {
        self.work += moves;
        if self.work > bounds::WORK { Err(TooLarge) } else { Ok(()) }
    }
}

fn accepts(nfa: &Nfa, set: &[usize]) -> bool {
    set.iter().any(|part| matches!(nfa.part(*part), Some(Part::Accept)))
}

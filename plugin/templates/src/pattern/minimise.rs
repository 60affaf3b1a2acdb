//! The smallest automaton of a language, in the one order that makes it comparable.
//!
//! States that no input tells apart become one (Hopcroft's refinement), those from which nothing is
//! accepted vanish, the rest are numbered breadth first in the order of their bytes, and bytes that no
//! state tells apart become one letter. What is left depends on the language alone.

use std::collections::{BTreeMap, VecDeque};

use super::bytes::Alphabet;
use super::dfa::{Dfa, NOWHERE};
use crate::sort::sort;

impl Dfa {
    /// The canonical automaton of the same language.
    pub(super) fn minimised(&self) -> Dfa {
        Partition::refined(self).numbered(self).with_fewest_letters()
    }

    /// The same automaton, in which letters that lead to the same states everywhere are one.
    fn with_fewest_letters(&self) -> Dfa {
        let size = self.alphabet.size();
        let columns: Vec<Vec<u16>> = (0..size).map(|letter| self.column(letter)).collect();
        let alphabet = self.alphabet.regrouped(|letter, _| columns.get(usize::from(letter)));
        // New letters are numbered as their first byte comes, and so are the columns that stay.
        let mut firsts = BTreeMap::new();
        for byte in (0..=u8::MAX).rev() {
            firsts.insert(alphabet.letter(byte), usize::from(self.alphabet.letter(byte)));
        }
        let rows = self.next.chunks(size.max(1));
        let next = rows.flat_map(|row| firsts.values().filter_map(|old| row.get(*old).copied()));
        let next = next.collect();
        Dfa { alphabet, next, accepting: self.accepting.clone() }
    }

    fn column(&self, letter: usize) -> Vec<u16> {
        self.next.iter().skip(letter).step_by(self.alphabet.size()).copied().collect()
    }
}

/// States in blocks, so far not told apart within one. Beside the automaton's own there is one more state,
/// the sink, in which `NOWHERE` becomes a state like all others.
struct Partition {
    blocks: Vec<Vec<usize>>,
    block_of: Vec<usize>,
    /// Blocks and letters by which others may still have to be split.
    splitters: Vec<(usize, usize)>,
}

impl Partition {
    fn refined(dfa: &Dfa) -> Partition {
        let sources = Sources::of(dfa);
        let letters = dfa.alphabet.size();
        let mut partition = Partition::at_first(dfa);
        while let Some((block, letter)) = partition.splitters.pop() {
            for (split, hit) in partition.hits(&sources, block, letter) {
                partition.split(split, hit, letters);
            }
        }
        partition
    }

    /// Those that accept, and the others with the sink.
    fn at_first(dfa: &Dfa) -> Partition {
        let sink = dfa.states();
        let block_of: Vec<usize> =
            dfa.accepting.iter().map(|yes| usize::from(*yes)).chain([0]).collect();
        let (accepting, others) =
            (0..=sink).partition(|state| block_of.get(*state).is_some_and(|block| *block == 1));
        let letters = 0..dfa.alphabet.size();
        let splitters = letters.flat_map(|letter| [(0, letter), (1, letter)]).collect();
        Partition { blocks: vec![others, accepting], block_of, splitters }
    }

    /// By block, the states that `letter` leads into `block`.
    fn hits(&self, sources: &Sources, block: usize, letter: usize) -> BTreeMap<usize, Vec<usize>> {
        let mut hits: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for target in self.blocks.get(block).into_iter().flatten() {
            for source in sources.leading_to(*target, letter) {
                hits.entry(self.block(*source)).or_default().push(*source);
            }
        }
        hits
    }

    /// Makes a block of its own of the smaller of `hit` and what else is in `block`. Only the smaller has
    /// to split others, which is what keeps refinement from being quadratic.
    fn split(&mut self, block: usize, mut hit: Vec<usize>, letters: usize) {
        let Some(states) = self.blocks.get_mut(block) else { return };
        if hit.len() == states.len() {
            return;
        }
        sort(&mut hit);
        let mut others: Vec<usize> =
            states.iter().copied().filter(|state| hit.binary_search(state).is_err()).collect();
        if others.len() < hit.len() {
            std::mem::swap(&mut others, &mut hit);
        }
        *states = others;
        let new = self.blocks.len();
        for state in &hit {
            self.block_of.get_mut(*state).into_iter().for_each(|block| *block = new);
        }
        self.blocks.push(hit);
        self.splitters.extend((0..letters).map(|letter| (new, letter)));
    }

    fn block(&self, state: usize) -> usize {
        self.block_of.get(state).copied().unwrap_or_default()
    }

    /// The automaton whose states are the blocks, but for the sink's, breadth first.
    fn numbered(&self, dfa: &Dfa) -> Dfa {
        let sink = self.block(dfa.states());
        let mut order = Order::default();
        let (mut next, mut accepting) = (Vec::new(), Vec::new());
        order.number(self.block(0));
        while let Some(block) = order.open.pop_front() {
            // Any state of a block stands for all. The sink's own is open only where nothing is accepted.
            let state = self.blocks.get(block).and_then(|states| states.first()).copied();
            let state = state.unwrap_or(dfa.states());
            accepting.push(dfa.accepting.get(state).copied().unwrap_or(false));
            next.extend((0..dfa.alphabet.size()).map(|letter| {
                let target = self.block(target(dfa, state, letter));
                if target == sink { NOWHERE } else { order.number(target) }
            }));
        }
        let alphabet: Alphabet = dfa.alphabet.clone();
        Dfa { alphabet, next: next.into(), accepting: accepting.into() }
    }
}

/// Blocks in the order in which they are first reached.
#[derive(Default)]
struct Order {
    numbers: BTreeMap<usize, u16>,
    open: VecDeque<usize>,
}

impl Order {
    fn number(&mut self, block: usize) -> u16 {
        // There are no more blocks than states and the sink, and so far fewer than `NOWHERE`.
        let new = u16::try_from(self.numbers.len()).unwrap_or(NOWHERE);
        *self.numbers.entry(block).or_insert_with(|| {
            self.open.push_back(block);
            new
        })
    }
}

/// The automaton backwards: from which states a letter leads into a state. One list for all, because there
/// may be a hundred thousand cells, most of which nothing leads into.
struct Sources {
    /// Where the list of each cell begins in `states`, and behind them where the last one ends.
    begins: Vec<usize>,
    states: Vec<usize>,
    letters: usize,
}

impl Sources {
    fn of(dfa: &Dfa) -> Sources {
        let (sink, letters) = (dfa.states(), dfa.alphabet.size());
        let mut moves: Vec<(usize, usize)> = (0..=sink)
            .flat_map(|state| (0..letters).map(move |letter| (state, letter)))
            .map(|(state, letter)| (target(dfa, state, letter) * letters + letter, state))
            .collect();
        sort(&mut moves);
        let cells = 0..=(sink + 1) * letters;
        let begins = cells.map(|cell| moves.partition_point(|(into, _)| *into < cell)).collect();
        Sources { begins, states: moves.into_iter().map(|(_, state)| state).collect(), letters }
    }

    fn leading_to(&self, target: usize, letter: usize) -> &[usize] {
        let cell = target * self.letters + letter;
        let bound = |cell| self.begins.get(cell).copied().unwrap_or_default();
        self.states.get(bound(cell)..bound(cell + 1)).unwrap_or_default()
    }
}

/// Where `letter` leads from `state`, with the sink for nowhere.
fn target(dfa: &Dfa, state: usize, letter: usize) -> usize {
    let cell = (state < dfa.states()).then_some(state * dfa.alphabet.size() + letter);
    let next = cell.and_then(|cell| dfa.next.get(cell)).copied().unwrap_or(NOWHERE);
    if next == NOWHERE { dfa.states() } else { usize::from(next) }
}

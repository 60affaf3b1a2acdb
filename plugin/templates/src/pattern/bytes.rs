//! Sets of bytes, and the alphabet that an automaton makes of them.
//!
//! Not about characters: how those are spelt in bytes is the automaton's business.

use crate::sort::sort;
use std::collections::BTreeMap;

/// A set of byte values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ByteSet {
    /// 0 to 127, one bit each.
    ascii: u128,
    /// 128 to 255, one bit each.
    high: u128,
}

impl ByteSet {
    pub(super) const ASCII: ByteSet = ByteSet { ascii: u128::MAX, high: 0 };
    pub(super) const ALL: ByteSet = ByteSet { ascii: u128::MAX, high: u128::MAX };

    pub(super) fn one(byte: u8) -> ByteSet {
        let bit = 1 << (byte & 0x7f);
        if byte.is_ascii() {
            ByteSet { ascii: bit, high: 0 }
        } else {
            ByteSet { ascii: 0, high: bit }
        }
    }

    /// Every byte from `first` to `last`, both included.
    pub(super) fn range(first: u8, last: u8) -> ByteSet {
        (first..=last).map(ByteSet::one).fold(ByteSet::default(), ByteSet::or)
    }

    pub(super) fn or(self, other: ByteSet) -> ByteSet {
        ByteSet { ascii: self.ascii | other.ascii, high: self.high | other.high }
    }

    pub(super) fn and(self, other: ByteSet) -> ByteSet {
        ByteSet { ascii: self.ascii & other.ascii, high: self.high & other.high }
    }

    pub(super) fn without(self, other: ByteSet) -> ByteSet {
        ByteSet { ascii: self.ascii & !other.ascii, high: self.high & !other.high }
    }

    pub(super) fn holds(self, byte: u8) -> bool {
        self.and(ByteSet::one(byte)) != ByteSet::default()
    }

    pub(super) fn is_empty(self) -> bool {
        self == ByteSet::default()
    }
}

/// The byte values, gathered into letters: bytes that no set tells apart are one letter. Letters are
/// numbered in the order of their smallest byte, so that the same letters always get the same numbers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Alphabet {
    letter_of: [u8; 256],
    /// How many letters there are: 1 to 256.
    size: usize,
}

impl Alphabet {
    /// The coarsest alphabet that can tell each of `sets`.
    pub(super) fn telling(sets: impl IntoIterator<Item = ByteSet>) -> Alphabet {
        let whole = Alphabet { letter_of: [0; 256], size: 1 };
        sets.into_iter()
            .fold(whole, |letters, set| letters.regrouped(|letter, byte| (letter, set.holds(byte))))
    }

    /// The alphabet in which two bytes are one letter where `key`, given their letter and themselves,
    /// says the same of both.
    pub(super) fn regrouped<K: Ord>(&self, key: impl Fn(u8, u8) -> K) -> Alphabet {
        let mut numbers = BTreeMap::new();
        let mut letter_of = [0; 256];
        for (byte, (old, new)) in (0..=u8::MAX).zip(self.letter_of.iter().zip(&mut letter_of)) {
            // There are 256 bytes, so no more than 256 numbers, of which the last is 255.
            let number = u8::try_from(numbers.len()).unwrap_or(u8::MAX);
            *new = *numbers.entry(key(*old, byte)).or_insert(number);
        }
        Alphabet { letter_of, size: numbers.len() }
    }

    #[inline]
    pub(super) fn size(&self) -> usize {
        self.size
    }

    #[inline]
    pub(super) fn letter(&self, byte: u8) -> u8 {
        self.letter_of.get(usize::from(byte)).copied().unwrap_or_default()
    }

    /// The letters that `set` holds, ascending; for a set that the alphabet can tell.
    pub(super) fn letters_of(&self, set: ByteSet) -> Vec<u8> {
        let mut letters: Vec<u8> =
            (0..=u8::MAX).filter(|byte| set.holds(*byte)).map(|byte| self.letter(byte)).collect();
        sort(&mut letters);
        letters.dedup();
        letters
    }
}

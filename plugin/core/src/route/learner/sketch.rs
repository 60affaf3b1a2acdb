//! Which words pass most often under a collapsed parent: Space-Saving over hashes, with the error of
//! each counter kept. It knows no words, only their hashes, and never allocates.

use super::bounds::COUNTERS;

/// At most [`COUNTERS`] counters. The first `len` are in use.
///
/// Arrays beside each other, not an array of counters: the search over hashes is then a few vector
/// instructions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sketch {
    len: usize,
    hashes: [u32; COUNTERS],
    counts: [u32; COUNTERS],
    errors: [u32; COUNTERS],
}

/// One counter: the word was seen at most `count` times and at least `count - error` times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counter {
    pub(super) hash: u32,
    pub(super) count: u32,
    pub(super) error: u32,
}

impl Default for Sketch {
    fn default() -> Self {
        Self { len: 0, hashes: [0; COUNTERS], counts: [0; COUNTERS], errors: [0; COUNTERS] }
    }
}

impl Sketch {
    /// Counts a word, in place of the rarest one when there is no room.
    pub(super) fn add(&mut self, hash: u32, count: u32) {
        if let Some(at) = self.position(hash) {
            bump(&mut self.counts, at, count);
        } else if self.len < COUNTERS {
            self.push(Counter { hash, count, error: 0 });
        } else {
            self.replace_rarest(hash, count);
        }
    }

    /// Takes a counter over as it is, with what it may be wrong by.
    pub(super) fn merge(&mut self, counter: Counter) {
        self.add(counter.hash, counter.count);
        if let Some(at) = self.position(counter.hash) {
            bump(&mut self.errors, at, counter.error);
        }
    }

    /// Puts a counter behind the others, as it was encoded. The caller knows that it is a new word.
    pub(super) fn push(&mut self, counter: Counter) {
        if self.len < COUNTERS {
            self.put(self.len, counter);
            self.len += 1;
        }
    }

    /// How often a word was seen at least.
    pub(super) fn at_least(&self, hash: u32) -> u32 {
        let Some(at) = self.position(hash) else { return 0 };
        let count = self.counts.get(at).copied().unwrap_or(0);
        count.saturating_sub(self.errors.get(at).copied().unwrap_or(0))
    }

    /// Forgets a word, and says how often it was seen at least.
    pub(super) fn remove(&mut self, hash: u32) -> u32 {
        let seen = self.at_least(hash);
        self.keep(|counter| (counter.hash != hash).then_some(counter));
        seen
    }

    /// Divides all counts by a power of two. What comes to nothing leaves.
    pub(super) fn halve(&mut self, times: u32) {
        self.keep(|Counter { hash, count, error }| {
            let count = count.checked_shr(times).unwrap_or(0);
            let error = error.checked_shr(times).unwrap_or(0);
            (count > 0).then_some(Counter { hash, count, error })
        });
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.len = 0;
    }

    /// Words that are held.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// All counters in use, in their order.
    pub(super) fn counters(&self) -> impl Iterator<Item = Counter> {
        let numbers = self.counts.iter().zip(&self.errors);
        self.hashes.iter().zip(numbers).take(self.len).map(|(&hash, (&count, &error))| Counter {
            hash,
            count,
            error,
        })
    }

    fn position(&self, hash: u32) -> Option<usize> {
        // All of them are compared, used or not: a loop of fixed length without a way out is vector code.
        let mut found = COUNTERS;
        for (at, &one) in self.hashes.iter().enumerate() {
            if one == hash && at < self.len {
                found = at;
            }
        }
        (found < COUNTERS).then_some(found)
    }

    fn replace_rarest(&mut self, hash: u32, count: u32) {
        let rarest = self.counts.iter().copied().min().unwrap_or(0);
        let Some(at) = self.counts.iter().position(|&count| count == rarest) else { return };
        self.put(at, Counter { hash, count: rarest.saturating_add(count), error: rarest });
    }

    fn put(&mut self, at: usize, counter: Counter) {
        let numbers = self.counts.get_mut(at).zip(self.errors.get_mut(at));
        if let Some((hash, (count, error))) = self.hashes.get_mut(at).zip(numbers) {
            *hash = counter.hash;
            *count = counter.count;
            *error = counter.error;
        }
    }

    fn keep(&mut self, change: impl Fn(Counter) -> Option<Counter>) {
        let mut kept = Self::default();
        for counter in self.counters().filter_map(change) {
            kept.push(counter);
        }
        *self = kept;
    }
}

/// The hash of a word: the same on all workers and in all versions, for it is part of the state.
pub(super) fn hash(word: &[u8]) -> u32 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut state = (word.len() as u64).wrapping_mul(FACTOR);
    for piece in word.chunks(8) {
        let lane = match piece.first_chunk::<8>() {
            Some(full) => u64::from_le_bytes(*full),
            None => piece.iter().fold(0, |lane, &byte| lane << 8 | u64::from(byte)),
        };
        state = (state ^ lane).wrapping_mul(FACTOR);
        state ^= state >> 29;
    }
    u32::try_from(state.wrapping_mul(FACTOR) >> 32).unwrap_or(0)
}

fn bump(numbers: &mut [u32], at: usize, by: u32) {
    if let Some(number) = numbers.get_mut(at) {
        *number = number.saturating_add(by);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn a_counter_is_never_wrong_by_more_than_it_says(
            words in prop::collection::vec((0u32..200, 1u32..5), 0..600),
        ) {
            let mut sketch = Sketch::default();
            let mut truth = BTreeMap::new();
            for &(word, count) in &words {
                sketch.add(word, count);
                *truth.entry(word).or_insert(0u32) += count;
            }
            let total: u32 = truth.values().sum();
            for Counter { hash, count, error } in sketch.counters() {
                let seen = truth[&hash];
                prop_assert!(count >= seen && count - error <= seen);
            }
            for (&word, &seen) in &truth {
                let held = sketch.counters().any(|counter| counter.hash == word);
                prop_assert!(held || u64::from(seen) * COUNTERS as u64 <= u64::from(total));
            }
        }
    }

    #[test]
    fn halving_drops_what_comes_to_nothing() {
        let mut sketch = Sketch::default();
        sketch.add(1, 1);
        sketch.add(2, 9);
        sketch.halve(1);
        let left: Vec<_> = sketch.counters().collect();
        assert_eq!(left, [Counter { hash: 2, count: 4, error: 0 }]);
    }

    #[test]
    fn hashes_of_many_short_words_differ() {
        let mut hashes: Vec<u32> =
            (0..20_000).map(|n| hash(format!("post-{n}").as_bytes())).collect();
        hashes.sort_unstable();
        hashes.dedup();
        assert!(hashes.len() > 19_990, "{}", hashes.len());
    }
}

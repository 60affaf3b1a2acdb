//! Random numbers for identifiers: xoshiro256++.
//!
//! A host's own randomness costs a call per request, so a generator is seeded from it once. Its state
//! has 256 bits because each worker of each proxy of a fleet has one, and two that ever met would mint
//! the same identifiers from then on; with 64 bits that is a matter of months. Nothing here is a secret.

/// A seeded generator. The same seed gives the same numbers.
#[derive(Clone, Debug)]
pub struct Rng {
    state: [u64; 4],
}

impl Rng {
    /// A generator from 32 bytes of the host's randomness.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let mut state = [0; 4];
        for (word, bytes) in state.iter_mut().zip(seed.chunks_exact(8)) {
            *word = bytes.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte));
        }
        // All zeros is the one state that xoshiro never leaves.
        if state == [0; 4] {
            state = [0x9e37_79b9_7f4a_7c15, 0, 0, 0];
        }
        Self { state }
    }

    /// The next 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        let [a, b, c, d] = self.state;
        let result = a.wrapping_add(d).rotate_left(23).wrapping_add(a);
        let (c, d) = (c ^ a, d ^ b);
        self.state = [a ^ d, b ^ c, c ^ (b << 17), d.rotate_left(45)];
        result
    }

    /// Sixteen random bytes.
    pub fn next_16(&mut self) -> [u8; 16] {
        ((u128::from(self.next_u64()) << 64) | u128::from(self.next_u64())).to_be_bytes()
    }

    /// Eight random bytes.
    pub fn next_8(&mut self) -> [u8; 8] {
        self.next_u64().to_be_bytes()
    }
}

#[cfg(test)]
mod tests {
    use rand_xoshiro::Xoshiro256PlusPlus;
    use rand_xoshiro::rand_core::{Rng as _, SeedableRng as _};

    use super::*;

    #[test]
    fn agrees_with_the_reference_implementation() {
        let seed = std::array::from_fn(|index| u8::try_from(index * 7 + 1).unwrap());
        let mut ours = Rng::from_seed(seed);
        let mut reference = Xoshiro256PlusPlus::from_seed(seed);
        for draw in 0..10_000 {
            assert_eq!(ours.next_u64(), reference.next_u64(), "draw {draw}");
        }
    }

    #[test]
    fn leaves_a_seed_of_zeros() {
        let mut rng = Rng::from_seed([0; 32]);
        let draws: Vec<_> = (0..100).map(|_| rng.next_u64()).collect();
        assert!(draws.iter().skip(10).all(|&draw| draw != 0), "{draws:?}");
    }
}

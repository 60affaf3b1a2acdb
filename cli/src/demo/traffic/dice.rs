//! What chance decides, the same from run to run: made of a seed, and of names for the draws.

use sightline_core::Rng;

/// A client's own dice.
#[derive(Debug)]
pub(super) struct Dice(Rng);

impl Dice {
    /// Each number has dice of its own.
    pub(super) fn of(number: u64) -> Self {
        let mut seed = *b"sightline demo: one seed for all";
        for (byte, more) in seed.iter_mut().zip(number.to_le_bytes()) {
            *byte ^= more;
        }
        Self(Rng::from_seed(seed))
    }

    /// Less than this, which is not 0.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.0.next_u64() % limit
    }

    pub(super) fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most - least + 1)
    }

    /// True so many times out of a hundred.
    pub(super) fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }

    /// One of these, of which there is at least one.
    pub(super) fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        let limit = u64::try_from(from.len()).unwrap_or(u64::MAX);
        from[usize::try_from(self.below(limit)).unwrap_or_default()]
    }

    /// So many random bytes, two digits each.
    pub(super) fn hex(&mut self, bytes: usize) -> String {
        use std::fmt::Write as _;
        (0..bytes).fold(String::new(), |mut hex, _| {
            let _ = write!(hex, "{:02x}", self.below(256));
            hex
        })
    }

    /// A random UUID, version 4.
    pub(super) fn uuid(&mut self) -> String {
        let variant = self.pick(&["8", "9", "a", "b"]);
        let (a, b, c) = (self.hex(4), self.hex(2), self.hex(2));
        let (d, e) = (self.hex(2), self.hex(6));
        format!("{a}-{b}-4{}-{variant}{}-{e}", &c[1..], &d[1..])
    }

    /// A day of the last years.
    pub(super) fn day(&mut self) -> String {
        format!("202{}-{:02}-{:02}", self.between(4, 6), self.between(1, 12), self.between(1, 28))
    }
}

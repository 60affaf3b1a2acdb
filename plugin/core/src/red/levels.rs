//! What there is now, in one worker or in all: requests under way, and items that wait for a collector.

use super::Scheme;
use crate::otlp::Signal;
use crate::{Direction, Method};

/// Numbers that go up and down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Levels {
    numbers: [u32; Levels::COUNT],
    /// Those that ever were above zero, a bit for each: they are shown from then on.
    seen: u128,
}

/// Which of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level(u8);

impl Level {
    /// Requests under way.
    pub fn active(direction: Direction, method: Method, scheme: Scheme) -> Self {
        let place = (direction as usize * Method::COUNT + method as usize) * Scheme::COUNT
            + scheme as usize;
        Self(u8::try_from(place).unwrap_or(u8::MAX))
    }

    /// Items that wait, or are under way to a collector.
    pub fn waiting(signal: Signal) -> Self {
        Self(u8::try_from(Levels::ACTIVE + signal as usize).unwrap_or(u8::MAX))
    }
}

impl Levels {
    const ACTIVE: usize = 2 * Method::COUNT * Scheme::COUNT;
    const COUNT: usize = Self::ACTIVE + Signal::COUNT;

    /// One more.
    pub fn rise(&mut self, level: Level) {
        self.add(level, 1);
    }

    /// One less.
    pub fn fall(&mut self, level: Level) {
        self.set(level, self.of(level).saturating_sub(1));
    }

    /// So many more or less as there are now than `before`.
    pub fn change(&mut self, level: Level, before: u32, now: u32) {
        self.set(level, self.of(level).saturating_sub(before).saturating_add(now));
    }

    /// So many.
    fn set(&mut self, Level(level): Level, number: u32) {
        if let Some(place) = self.numbers.get_mut(usize::from(level)) {
            *place = number;
            self.seen |= u128::from(number > 0) << level;
        }
    }

    /// How many there are.
    pub fn of(&self, Level(level): Level) -> u32 {
        self.numbers.get(usize::from(level)).copied().unwrap_or(0)
    }

    /// Requests under way, of all kinds.
    pub fn active(&self) -> u64 {
        self.numbers.iter().take(Self::ACTIVE).copied().map(u64::from).sum()
    }

    /// Adds those of another worker.
    pub(super) fn add_all(&mut self, other: &Self) {
        for (level, number) in (0..).zip(other.numbers) {
            self.add(Level(level), number);
        }
        self.seen |= other.seen;
    }

    fn add(&mut self, level: Level, number: u32) {
        self.set(level, self.of(level).saturating_add(number));
    }

    /// Adds those that are written down, and takes them off the bytes.
    pub(super) fn read_on(&mut self, bytes: &mut &[u8]) -> Option<()> {
        let (&count, mut rest) = bytes.split_first()?;
        for _ in 0..count {
            let (&[level, a, b, c, d], behind) = rest.split_first_chunk()?;
            self.add(Level(level), u32::from_le_bytes([a, b, c, d]));
            self.seen |= 1_u128.checked_shl(level.into()).unwrap_or(0);
            rest = behind;
        }
        *bytes = rest;
        Some(())
    }

    /// Writes down those that are shown.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.push(u8::try_from(self.shown().count()).unwrap_or(u8::MAX));
        for (Level(level), number) in self.shown() {
            out.push(level);
            out.extend_from_slice(&number.to_le_bytes());
        }
    }

    fn shown(&self) -> impl Iterator<Item = (Level, u32)> {
        (0..)
            .zip(self.numbers)
            .filter(|(level, _)| self.seen >> level & 1 == 1)
            .map(|(level, number)| (Level(level), number))
    }

    /// How many of a kind there are, if it is shown.
    pub(super) fn shown_of(&self, Level(level): Level) -> Option<u64> {
        (self.seen >> level & 1 == 1).then(|| self.of(Level(level)).into())
    }
}

impl Default for Levels {
    fn default() -> Self {
        Self { numbers: [0; Self::COUNT], seen: 0 }
    }
}

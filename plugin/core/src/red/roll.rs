//! Which workers there are, and what each of them has under way.
//!
//! Each answers the roll at its tick. One that has not for some seconds is gone, and what it had under way with it.
//! The one that has been there for longest leads, of those that can: it does what is to be done once.

use super::Levels;
use crate::Monotonic;
use crate::route::Ledger;
use std::time::Duration;

/// A worker's place in the roll.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    id: u64,
}

/// What a worker says of itself.
#[derive(Clone, Copy, Debug)]
pub struct Word<'a> {
    /// What it has under way.
    pub levels: &'a Levels,
    /// Whether it could do what is to be done once: its configuration may not have it do so.
    pub can_lead: bool,
}

/// What came of answering.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// Whether this worker leads.
    pub leads: bool,
    /// Workers that were found to be gone.
    pub lost: u64,
    /// What the roll said before of this worker and of those that are gone: in place of that stands what it says now.
    pub before: Levels,
}

struct Entry<'a> {
    id: u64,
    at: Monotonic,
    can_lead: bool,
    levels: Levels,
    /// All of it, as it is written down.
    bytes: &'a [u8],
}

/// How long a worker may be silent. A tick comes every second, if no worker is stuck.
const SILENCE: Duration = Duration::from_secs(5);

impl Member {
    /// One of which no other worker has the number.
    pub fn new(id: u64) -> Self {
        Self { id }
    }

    /// Says that this worker is there. None if others were faster for too long: then nothing has changed.
    pub fn answer(self, word: Word<'_>, now: Monotonic, ledger: &mut dyn Ledger) -> Option<Answer> {
        self.enter(Some(word), now, ledger)
    }

    /// Says that this worker is there no longer.
    pub fn leave(self, now: Monotonic, ledger: &mut dyn Ledger) -> Option<Answer> {
        self.enter(None, now, ledger)
    }

    fn enter(
        self,
        word: Option<Word<'_>>,
        now: Monotonic,
        ledger: &mut dyn Ledger,
    ) -> Option<Answer> {
        let mut answer = Answer::default();
        let entered = ledger.agree(&mut |state| {
            answer = Answer::default();
            let mut next = Vec::with_capacity(state.len() + 64);
            let mut ours = word;
            let mut has_leader = false;
            for entry in entries(state) {
                if entry.id == self.id {
                    answer.before.add_all(&entry.levels);
                    answer.leads |= self.write(ours.take(), now, &mut next) && !has_leader;
                } else if now.since(entry.at) > SILENCE {
                    answer.before.add_all(&entry.levels);
                    answer.lost += 1;
                } else {
                    has_leader |= entry.can_lead;
                    next.extend_from_slice(entry.bytes);
                }
            }
            answer.leads |= self.write(ours, now, &mut next) && !has_leader;
            Some(next)
        });
        entered.then_some(answer)
    }

    /// Says whether there was something to be written, of one who could lead.
    fn write(self, word: Option<Word<'_>>, now: Monotonic, out: &mut Vec<u8>) -> bool {
        let Some(Word { levels, can_lead }) = word else { return false };
        out.extend_from_slice(&self.id.to_le_bytes());
        out.extend_from_slice(&now.0.to_le_bytes());
        out.push(can_lead.into());
        levels.write(out);
        can_lead
    }
}

/// What all workers of a roll have under way together, and how many they are.
pub fn call(state: &[u8]) -> (Levels, usize) {
    entries(state).fold((Levels::default(), 0), |(mut levels, count), entry| {
        levels.add_all(&entry.levels);
        (levels, count + 1)
    })
}

/// The entries of a roll. What does not follow the format ends them.
fn entries(mut state: &[u8]) -> impl Iterator<Item = Entry<'_>> {
    std::iter::from_fn(move || {
        let begin = state;
        let (id, rest) = begin.split_first_chunk()?;
        let (at, rest) = rest.split_first_chunk()?;
        let (&can_lead, mut rest) = rest.split_first()?;
        let mut levels = Levels::default();
        levels.read_on(&mut rest)?;
        state = rest;
        Some(Entry {
            id: u64::from_le_bytes(*id),
            at: Monotonic(u64::from_le_bytes(*at)),
            can_lead: can_lead != 0,
            levels,
            bytes: begin.get(..begin.len() - rest.len())?,
        })
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::red::{Level, Scheme};
    use crate::route::Alone;
    use crate::{Direction, Method};

    const GET: fn() -> Level = || Level::active(Direction::Inbound, Method::Get, Scheme::Http);

    fn busy(requests: u32) -> Levels {
        let mut levels = Levels::default();
        levels.change(GET(), 0, requests);
        levels
    }

    fn word(levels: &Levels) -> Word<'_> {
        Word { levels, can_lead: true }
    }

    fn at(seconds: u64) -> Monotonic {
        Monotonic(seconds * 1_000_000_000)
    }

    #[test]
    fn the_first_leads_until_it_leaves() {
        let mut roll = Alone::default();
        let (one, two) = (Member::new(1), Member::new(2));
        assert!(one.answer(word(&busy(3)), at(1), &mut roll).unwrap().leads);
        assert!(!two.answer(word(&busy(4)), at(1), &mut roll).unwrap().leads);
        let again = one.answer(word(&busy(5)), at(2), &mut roll).unwrap();
        assert!(again.leads && again.before == busy(3) && again.lost == 0);
        assert_eq!(call(&roll.state), (busy(9), 2));
        assert_eq!(one.leave(at(3), &mut roll).unwrap().before, busy(5));
        assert!(two.answer(word(&busy(4)), at(3), &mut roll).unwrap().leads);
        assert_eq!(call(&roll.state), (busy(4), 1));
    }

    #[test]
    fn one_that_is_silent_is_gone_once_and_comes_back_as_new() {
        let mut roll = Alone::default();
        let (one, two, three) = (Member::new(1), Member::new(2), Member::new(3));
        one.answer(word(&busy(3)), at(1), &mut roll).unwrap();
        two.answer(word(&busy(4)), at(5), &mut roll).unwrap();
        three.answer(word(&busy(0)), at(5), &mut roll).unwrap();
        let found = two.answer(word(&busy(4)), at(7), &mut roll).unwrap();
        assert!(found.leads && found.lost == 1 && found.before == busy(7));
        assert_eq!(three.answer(word(&busy(0)), at(7), &mut roll).unwrap().lost, 0);
        let back = one.answer(word(&busy(2)), at(8), &mut roll).unwrap();
        assert!(!back.leads && back.lost == 0 && back.before == busy(0));
        assert_eq!(call(&roll.state), (busy(6), 3));
    }

    #[test]
    fn one_that_cannot_lead_leaves_that_to_the_next() {
        let mut roll = Alone::default();
        let (one, two, three) = (Member::new(1), Member::new(2), Member::new(3));
        let levels = busy(1);
        let cannot = Word { levels: &levels, can_lead: false };
        assert!(!one.answer(cannot, at(1), &mut roll).unwrap().leads);
        assert!(two.answer(word(&levels), at(1), &mut roll).unwrap().leads);
        assert!(!three.answer(word(&levels), at(1), &mut roll).unwrap().leads);
        assert!(!one.answer(cannot, at(2), &mut roll).unwrap().leads);
        // Once it can, it has been there for longest.
        assert!(one.answer(word(&levels), at(2), &mut roll).unwrap().leads);
        assert!(!two.answer(word(&levels), at(2), &mut roll).unwrap().leads);
        assert_eq!(call(&roll.state), (busy(3), 3));
    }

    #[test]
    fn the_last_one_leaves_an_empty_roll() {
        let mut roll = Alone::default();
        Member::new(1).answer(word(&busy(1)), at(1), &mut roll).unwrap();
        Member::new(1).leave(at(1), &mut roll).unwrap();
        assert_eq!(roll.state, b"");
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_roll(state: Vec<u8>, now: u64) {
            let mut roll = Alone { state, hour: 0 };
            let member = Member::new(7);
            member.answer(word(&busy(1)), Monotonic(now), &mut roll).unwrap();
            prop_assert!(call(&roll.state).0.of(GET()) >= 1);
        }

        /// What Envoy was told adds up to what the roll says, whoever comes and goes.
        #[test]
        fn nothing_is_told_twice_or_forgotten(steps in proptest::collection::vec((0..4_u64, 0..9_u32, 0..4_u64, any::<bool>()), 0..60)) {
            let (mut roll, mut now, mut told) = (Alone::default(), 0, 0_i64);
            for (worker, requests, passed, leaves) in steps {
                now += passed;
                let member = Member::new(worker);
                let (answer, levels) = if leaves {
                    (member.leave(at(now), &mut roll), busy(0))
                } else {
                    (member.answer(word(&busy(requests)), at(now), &mut roll), busy(requests))
                };
                told += levels.active().cast_signed() - answer.unwrap().before.active().cast_signed();
                prop_assert_eq!(told, call(&roll.state).0.active().cast_signed());
            }
        }
    }
}

//! The roll of workers: any bytes as what others are said to have written, before one answers it and then leaves it.
//!
//! Whoever has answered stands in it with what it has under way, and no longer when it has left.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sightline_core::red::roll::{self, Member, Word};
use sightline_core::red::{Level, Levels, Scheme};
use sightline_core::route::Alone;
use sightline_core::{Direction, Method, Monotonic};

const NOW: Monotonic = Monotonic(3_600_000_000_000);

fuzz_target!(|state: &[u8]| {
    let level = Level::active(Direction::Inbound, Method::Get, Scheme::Http);
    let mut levels = Levels::default();
    levels.rise(level);
    let mut shared = Alone { state: state.to_vec(), ..Alone::default() };
    let ours = Member::new(u64::MAX);
    // Those that are gone, and what does not follow the format, go at once.
    let word = Word { levels: &levels, can_lead: true };
    let first = ours.answer(word, NOW, &mut shared).expect("nobody else writes");
    let (all, count) = roll::call(&shared.state);
    assert!(count > 0 && all.of(level) > 0, "{count} workers, {all:?}");
    assert!(shared.state.len() <= state.len() + 64, "{} bytes", shared.state.len());
    let again = ours.answer(word, NOW, &mut shared).expect("nobody else writes");
    assert_eq!((again.leads, again.lost, again.before), (first.leads, 0, levels));
    assert_eq!(roll::call(&shared.state), (all, count), "the second answer says the same");
    ours.leave(NOW, &mut shared).expect("nobody else writes");
    assert_eq!(roll::call(&shared.state).1, count - 1, "who has left is there no longer");
});

//! The learner's shared state: any bytes as what another worker is said to have written.
//!
//! The first byte is a count, so many bytes are what is done with the state, and the rest is the state. What
//! can be decoded must be within the bounds, come back the same from its own encoding, and bear whatever is
//! done with it. What cannot be decoded is the empty state.
//!
//! Honest workers are for the target `inference`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sightline_core::route::Shape;
use sightline_core::route::learner::{Learned, Limits};

/// What `learner` promises of a state.
const MOST_BYTES: usize = 1024 * 1024;

/// Paths to begin with; the state's own come after them.
const PATHS: [&str; 12] = [
    "/",
    "/a",
    "/b",
    "/a/1",
    "/a/b",
    "/a/c",
    "/a/d/e",
    "/a/f/e",
    "/a/{str}",
    "/a/{str}/e",
    "/x.y/~z-1/users",
    "/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q",
];

fuzz_target!(|input: &[u8]| {
    let Some((&count, rest)) = input.split_first() else { return };
    let Some((orders, state)) = rest.split_at_checked(count.into()) else { return };
    let limits = Limits {
        routes: usize::from(count & 63),
        children: (count & 64 != 0).then_some(usize::from(count & 7)),
    };
    let mut agreed = Learned::decode(state).unwrap_or_default();
    comes_back(&agreed);
    let mut paths: Vec<String> = PATHS.map(str::to_owned).into();
    paths.extend(agreed.routes().take(20).map(|(_, name)| name.to_owned()));
    let mut worker = agreed.clone();
    for &order in orders {
        let path = &paths[usize::from(order >> 3) % paths.len()];
        obey(order & 7, path, &mut agreed, &mut worker, limits);
    }
    comes_back(&agreed);
    let _ = agreed.suggest();
});

fn obey(order: u8, path: &str, agreed: &mut Learned, worker: &mut Learned, limits: Limits) {
    let shape = Shape::of(path.as_bytes());
    let parts = shape.parts();
    let active = agreed.summary().active;
    match order {
        0 | 1 => {
            let admitted = agreed.admit(parts, limits).ok();
            assert!(admitted.is_none() || admitted == agreed.find(parts), "{path:?} was admitted");
        }
        2 => {
            // Enough to make a word heavy.
            for _ in 0..40 {
                worker.count(parts);
            }
        }
        3 => {
            worker.count(parts);
        }
        4 => agreed.absorb(worker, limits),
        5 => worker.adopt(agreed.clone()),
        6 => agreed.settle(u32::try_from(path.len()).unwrap_or(0), limits),
        _ => {
            let steps = agreed.explain(parts);
            assert!(steps.len() <= parts.len(), "{steps:?} of {path:?}");
        }
    }
    for learned in [&*agreed, &*worker] {
        let found = learned.find(parts);
        assert!(found.is_none_or(|found| learned.name(found.route).is_some()), "{path:?}");
        assert!(learned.bytes() <= MOST_BYTES, "{} bytes", learned.bytes());
    }
    let now = agreed.summary().active;
    assert!(now <= active.max(limits.routes), "{now} routes after {active}, of {limits:?}");
}

/// Whether a state is the same after its encoding, in every respect that can be seen.
fn comes_back(learned: &Learned) {
    let mut encoded = Vec::new();
    learned.encode(&mut encoded);
    assert!(encoded.len() <= MOST_BYTES, "{} bytes", encoded.len());
    let again = Learned::decode(&encoded).expect("what was encoded can be decoded");
    assert_eq!(again.summary(), learned.summary());
    assert!(again.routes().eq(learned.routes()));
    let mut twice = Vec::new();
    again.encode(&mut twice);
    assert!(twice == encoded, "the encoding is another one the second time");
    assert_eq!(learned.routes().count(), learned.summary().active);
}

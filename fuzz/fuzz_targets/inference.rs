//! Typed inference and the learner: any bytes as paths, one a line, as two workers meet them.
//!
//! A shape is short, its words are what a metric can carry, and typing a route again changes nothing.
//! Whatever comes, the routes stay within the limit and the shared state within its bound, a path that was
//! known stays known for the worker that asks again, and when both have agreed they name every path alike.
//!
//! Bytes as shared state are for the target `learner`.

#![no_main]

use std::cell::RefCell;

use libfuzzer_sys::fuzz_target;
use sightline_core::route::learner::Limits;
use sightline_core::route::segment::{Kind, LONGEST_WORD, Part};
use sightline_core::route::shape::{MOST_PARTS, name};
use sightline_core::route::{Answer, Inference, Inferred, Ledger, Shape};

/// What `learner` promises of a state.
const MOST_BYTES: usize = 1024 * 1024;

/// Longer runs find nothing that shorter ones do not.
const MOST_PATHS: usize = 512;

/// The state that the workers share, and the hour.
#[derive(Default)]
struct Host {
    state: RefCell<Vec<u8>>,
    hour: u32,
}

impl Ledger for &Host {
    fn agree(&mut self, change: &mut dyn FnMut(&[u8]) -> Option<Vec<u8>>) -> bool {
        let next = change(&self.state.borrow());
        if let Some(next) = next {
            *self.state.borrow_mut() = next;
        }
        true
    }

    fn hour(&self) -> u32 {
        self.hour
    }
}

fuzz_target!(|input: &[u8]| {
    let mut paths = input.split(|&byte| byte == b'\n');
    let Some(&[routes, children, ..]) = paths.next() else { return };
    let limits = Limits {
        routes: usize::from(routes & 31) + 1,
        children: (children & 1 == 1).then_some(usize::from(children >> 1 & 15) + 1),
    };
    let mut host = Host { hour: 1, ..Host::default() };
    let mut workers = [(); 2].map(|()| Inference::new(Some(limits)));
    agree(&mut workers, &host);
    let mut seen = Vec::new();
    for path in paths.take(MOST_PATHS) {
        let (order, path) = path.split_first().map_or((0, path), |(order, path)| (*order, path));
        is_sound(&Shape::of(path));
        is_sound(&Shape::of_beginning(path));
        // An hour passes now and then.
        host.hour += u32::from(order & 0b1111 == 0b1111);
        let worker = &mut workers[usize::from(order & 1)];
        is_learned(worker, path, order, &host, limits);
        if order & 0b1100 == 0b1100 {
            agree(&mut workers, &host);
        }
        seen.push(path);
    }
    // What the second one has counted reaches the first one with its second turn.
    for _ in 0..2 {
        agree(&mut workers, &host);
    }
    for path in seen {
        let [one, other] = workers.each_mut().map(|worker| known(worker, path, &host));
        assert_eq!(one, other, "two workers name {path:?}");
    }
});

fn agree(workers: &mut [Inference], mut host: &Host) {
    for worker in workers {
        worker.agree(&mut host);
    }
}

fn is_sound(shape: &Shape<'_>) {
    let parts = shape.parts();
    assert!(parts.len() <= MOST_PARTS);
    for part in parts {
        let Part::Word(word) = part else { continue };
        assert!((1..=LONGEST_WORD).contains(&word.len()), "{word:?}");
        assert!(word.iter().all(u8::is_ascii_graphic) && !word.contains(&b'/'), "{word:?}");
    }
    let route = name(parts);
    assert_eq!(name(Shape::of(route.as_bytes()).parts()), route, "typed again");
    assert!(Kind::ALL.iter().all(|kind| parts.len() > 1 || route != kind.placeholder()));
}

fn is_learned(worker: &mut Inference, path: &[u8], order: u8, mut host: &Host, limits: Limits) {
    let answers = [Answer::Exists, Answer::Exists, Answer::ExistsIfFromApp, Answer::Nothing];
    let answer = answers[usize::from(order >> 4 & 0b11)];
    let from_app = order >> 6 & 1 == 1;
    let exists = answer == Answer::Exists || (answer == Answer::ExistsIfFromApp && from_app);
    let shape = Shape::of(path);
    let before = worker.counts();
    let was_known = known(worker, path, host).is_some();
    let inferred = worker.infer(&shape, answer, || from_app, &mut host);
    assert!(!was_known || matches!(inferred, Inferred::Known(_)), "{path:?} was known");
    if exists {
        assert_ne!(inferred, Inferred::Unmatched, "{path:?} exists");
    } else {
        assert_eq!(worker.counts(), before, "{path:?} may not exist");
    }
    if let Inferred::Known(_) = inferred {
        let name = worker.name(inferred).name;
        assert!(name.starts_with('/'), "{name:?} of {path:?}");
    }
    assert!(worker.counts().active <= limits.routes, "{:?} of {limits:?}", worker.counts());
    assert!(host.state.borrow().len() <= MOST_BYTES);
    assert!(worker.learned().bytes() <= MOST_BYTES);
}

/// The name of a path's route, if it has one, without any trace of the question.
fn known(worker: &mut Inference, path: &[u8], mut host: &Host) -> Option<String> {
    match worker.infer(&Shape::of(path), Answer::Nothing, || false, &mut host) {
        found @ Inferred::Known(_) => Some(worker.name(found).name.to_owned()),
        Inferred::Unmatched | Inferred::Overflow => None,
    }
}

//! Workers that agree through one place of bytes, in any order, against one worker that sees everything.

use super::*;

/// Shared data: bytes, and how often they were swapped.
#[derive(Default)]
struct Shared {
    bytes: Vec<u8>,
    version: u64,
}

#[derive(Default)]
struct Worker {
    own: Learned,
    /// Paths to be admitted at the next agreement.
    open: Vec<String>,
    /// What was worked out, and from which version.
    worked_out: Option<(Learned, u64)>,
}

impl Shared {
    fn state(&self) -> Learned {
        if self.version == 0 { Learned::default() } else { Learned::decode(&self.bytes).unwrap() }
    }
}

impl Worker {
    fn answer(&mut self, path: &str) {
        let known = self.own.find(&parts(path)).is_some();
        if !known || self.own.count(&parts(path)) == Attention::Promote {
            self.open.push(path.to_owned());
        }
    }

    fn work_out(&mut self, shared: &Shared) {
        let mut state = shared.state();
        state.absorb(&self.own, LIMITS);
        for path in &self.open {
            let _ = state.admit(&parts(path), LIMITS);
        }
        self.worked_out = Some((state, shared.version));
    }

    /// Swaps, unless somebody was faster.
    fn swap(&mut self, shared: &mut Shared) {
        let Some((state, version)) = self.worked_out.take() else { return };
        if version == shared.version {
            check(&state);
            shared.bytes = encoded(&state);
            shared.version += 1;
            self.own.adopt(shared.state());
            self.open.clear();
        }
    }

    fn agree(&mut self, shared: &mut Shared) {
        self.work_out(shared);
        self.swap(shared);
    }
}

const HEAVY: [&str; 5] = ["about", "archive", "feed", "search", "tags"];

/// 1,000 slugs and 5 words with 5 % of the hits each, and routes below some of them.
fn traffic() -> Vec<String> {
    let mut paths = Vec::new();
    for n in 0..1_000 {
        for _ in 0..6 {
            paths.push(format!("/blog/post-{n}"));
        }
        paths.push(format!("/blog/post-{n}/comments"));
    }
    for word in HEAVY {
        paths.extend((0..500).map(|_| format!("/blog/{word}")));
    }
    paths.extend((0..50).map(|_| "/users/{int}".to_owned()));
    paths
}

const EXPECTED: [&str; 8] = [
    "/blog/about",
    "/blog/archive",
    "/blog/feed",
    "/blog/search",
    "/blog/tags",
    "/blog/{str}",
    "/blog/{str}/comments",
    "/users/{int}",
];

/// Plays the traffic over workers; every step is decided by the seed.
fn play(paths: &[String], workers: usize, seed: u64) -> (Shared, Vec<Worker>) {
    let mut shared = Shared::default();
    let mut all: Vec<Worker> = (0..workers).map(|_| Worker::default()).collect();
    let mut random = seed | 1;
    for path in paths {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let worker = usize::try_from(random >> 40).unwrap() % workers;
        all[worker].answer(path);
        match (random >> 33) % 100 {
            0 => all[worker].work_out(&shared),
            1 | 2 => all[worker].swap(&mut shared),
            _ => {}
        }
    }
    // The first round shares what everybody knows, the second what follows from it.
    for _ in 0..2 {
        for worker in &mut all {
            worker.agree(&mut shared);
        }
    }
    for worker in &mut all {
        worker.own.adopt(shared.state());
    }
    (shared, all)
}

#[test]
fn a_thousand_slugs_and_five_heavy_words_end_alike_in_any_order() {
    let sorted = traffic();
    let reversed = sorted.iter().rev().cloned().collect();
    let mut orders = vec![("rare first", sorted.clone()), ("heavy first", reversed)];
    for seed in 0..8 {
        let mut paths = sorted.clone();
        shuffle(&mut paths, seed * 7_919);
        orders.push(("shuffled", paths));
    }
    for (seed, (order, paths)) in orders.iter().enumerate() {
        for workers in [1, 2, 4] {
            let (mut shared, mut all) = play(paths, workers, seed as u64 * 31 + workers as u64);
            // Only an answer can make a word leave {str}: hashes have no spelling.
            for word in HEAVY {
                all[0].answer(&format!("/blog/{word}"));
            }
            all[0].agree(&mut shared);
            let state = shared.state();
            let said = format!("{order}, order {seed}, {workers} workers");
            assert_eq!(routes(&state), BTreeSet::from(EXPECTED), "{said}");
        }
    }
}

#[test]
fn after_agreement_all_workers_find_the_same() {
    let mut paths = traffic();
    shuffle(&mut paths, 42);
    let (shared, workers) = play(&paths, 4, 99);
    let state = shared.state();
    for path in paths.iter().map(String::as_str).chain(["/blog/unseen", "/x", "/blog"]) {
        let expected = state.find(&parts(path));
        for worker in &workers {
            assert_eq!(worker.own.find(&parts(path)), expected, "{path}");
        }
    }
}

#[test]
fn what_a_worker_counted_before_it_heard_of_a_collapse_is_not_lost() {
    let mut shared = Shared::default();
    let (mut late, mut early) = (Worker::default(), Worker::default());
    (0..10).for_each(|n| late.answer(&format!("/blog/post-{n}")));
    late.agree(&mut shared);
    early.own.adopt(shared.state());
    (10..60).for_each(|n| early.answer(&format!("/blog/post-{n}")));
    early.agree(&mut shared);
    (0..25).for_each(|_| late.answer("/blog/post-3"));
    assert_eq!(late.own.summary().collapsed, 0);
    late.answer("/blog/post-3/edit");
    late.agree(&mut shared);
    // 25 of 85 hits were under a node that is no more: they make the word heavy.
    late.answer("/blog/post-3");
    late.agree(&mut shared);
    assert_eq!(route(&late.own, "/blog/post-3"), Some("/blog/post-3"));
}

#[test]
fn counts_of_a_worker_are_absorbed_once() {
    let mut shared = Shared::default();
    let mut worker = Worker::default();
    worker.answer("/a");
    worker.agree(&mut shared);
    (0..9).for_each(|_| worker.answer("/a"));
    worker.agree(&mut shared);
    worker.agree(&mut shared);
    let state = shared.state();
    let end = state.tree.walk(&parts("/a")).unwrap();
    assert_eq!(state.tree.node(end.id).unwrap().hits.agreed, 10);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_interleaving_of_any_paths_keeps_the_invariants_and_agrees(
        paths in prop::collection::vec(any_path(), 0..400),
        seed in any::<u64>(),
        workers in 1usize..5,
    ) {
        let (mut shared, mut all) = play(&paths, workers, seed);
        // A promoted word learns afresh what is below it, so some paths need another answer.
        for _ in 0..20 {
            let state = shared.state();
            let unknown: Vec<_> = paths.iter().filter(|path| route(&state, path).is_none()).collect();
            if unknown.is_empty() {
                break;
            }
            for path in unknown {
                all[0].answer(path);
            }
            all[0].agree(&mut shared);
        }
        for worker in &mut all {
        worker.own.adopt(shared.state());
    }
        let state = shared.state();
        check(&state);
        for path in &paths {
            prop_assert!(route(&state, path).is_some() || state.summary().refused > 0);
            prop_assert!(all.iter().all(|one| route(&one.own, path) == route(&state, path)));
        }
    }
}

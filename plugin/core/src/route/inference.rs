//! The routes of paths that no template matches: known once an answer has shown that the path exists,
//! and agreed upon by all workers of a host.

pub mod alone;

use super::learner::{Attention, Found, Full, Learned, Limits, Slot};
use super::router::{Router, Target};
use super::shape::Shape;
use super::{Route, Source};
use crate::Exchange;

/// What this worker knows of the routes of one service.
#[derive(Debug)]
pub struct Inference {
    learned: Learned,
    limits: Option<Limits>,
    /// The limit was met since the workers last agreed: until then no route is asked for.
    full: bool,
    counts: RouteCounts,
}

/// The state that all workers of a host share.
pub trait Ledger {
    /// Replaces the state by what `change` makes of it; none leaves it as it is. Asks again with what is
    /// there where another worker was faster. Says whether the state is now what `change` said last.
    fn agree(&mut self, change: &mut dyn FnMut(&[u8]) -> Option<Vec<u8>>) -> bool;

    /// The hour, counted from anywhere, the same for all workers.
    fn hour(&self) -> u32;
}

/// What an answer says of its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing: the path may not exist.
    Nothing,
    /// It exists, if the answer comes from the app itself.
    ExistsIfFromApp,
    /// It exists.
    Exists,
}

/// A route, as this worker knows it now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inferred {
    /// One of the routes that exist.
    Known(Found),
    /// None that exists.
    Unmatched,
    /// One that exists, past the limit.
    Overflow,
}

/// How many routes there are, for counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RouteCounts {
    /// Inferred routes that exist.
    pub active: usize,
    /// Parents whose rare children are one.
    pub collapsed: usize,
}

impl Inference {
    /// Knows nothing until it [agrees](Self::agree) with the others for the first time.
    pub fn new(limits: Option<Limits>) -> Self {
        Self { learned: Learned::default(), limits, full: false, counts: RouteCounts::default() }
    }

    /// The route of a request that is over, and how many routes there are now; none if it is to leave no
    /// trace. `is_from_app` is asked only where it matters.
    pub fn route_of<'a>(
        &'a mut self,
        exchange: &Exchange,
        router: &'a Router,
        is_from_app: impl FnOnce() -> bool,
        ledger: &mut impl Ledger,
    ) -> Option<(Route<'a>, RouteCounts)> {
        let route = match exchange.target() {
            Target::Ignored => return None,
            target @ Target::Template(_) => {
                Route { name: &router.rules(target)?.name, source: Source::Template }
            }
            Target::Open => {
                let path = exchange.shape();
                let inferred = self.infer(&path, exchange.answer(), is_from_app, ledger);
                self.name(inferred)
            }
        };
        Some((route, self.counts))
    }

    /// The route of a path that no template matches. `is_from_app` is asked only where it matters.
    pub fn infer(
        &mut self,
        path: &Shape<'_>,
        answer: Answer,
        is_from_app: impl FnOnce() -> bool,
        ledger: &mut impl Ledger,
    ) -> Inferred {
        let Some(limits) = self.limits else { return Inferred::Unmatched };
        let exists = || match answer {
            Answer::Nothing => false,
            Answer::ExistsIfFromApp => is_from_app(),
            Answer::Exists => true,
        };
        match self.learned.find(path.parts()) {
            Some(found) => Inferred::Known(if exists() {
                self.count(path, found, limits, ledger)
            } else {
                found
            }),
            None if !exists() => Inferred::Unmatched,
            None => self.admit(path, limits, ledger).map_or(Inferred::Overflow, Inferred::Known),
        }
    }

    /// Shares what was counted here, and takes over what others have. To be called every second or so.
    pub fn agree(&mut self, ledger: &mut impl Ledger) {
        let Some(limits) = self.limits else { return };
        self.full = false;
        let hour = ledger.hour();
        self.transact(ledger, |learned| {
            learned.settle(hour, limits);
            Ok(())
        });
    }

    /// The name and the source of a route.
    pub fn name(&self, inferred: Inferred) -> Route<'_> {
        match inferred {
            Inferred::Known(found) => self.known(found.route, found.collapsed),
            Inferred::Unmatched => Route::UNMATCHED,
            Inferred::Overflow => Route::OVERFLOW,
        }
    }

    /// How many routes there are.
    pub fn counts(&self) -> RouteCounts {
        self.counts
    }

    /// What has been learned, for explaining and suggesting.
    pub fn learned(&self) -> &Learned {
        &self.learned
    }

    fn known(&self, slot: Slot, collapsed: bool) -> Route<'_> {
        let source = if collapsed { Source::Learned } else { Source::Typed };
        self.learned.name(slot).map_or(Route::UNMATCHED, |name| Route { name, source })
    }

    fn count(
        &mut self,
        path: &Shape<'_>,
        found: Found,
        limits: Limits,
        ledger: &mut impl Ledger,
    ) -> Found {
        match self.learned.count(path.parts()) {
            Attention::None => found,
            Attention::Promote if self.full => found,
            Attention::Promote => self.admit(path, limits, ledger).unwrap_or(found),
        }
    }

    fn admit(
        &mut self,
        path: &Shape<'_>,
        limits: Limits,
        ledger: &mut impl Ledger,
    ) -> Result<Found, Full> {
        if self.full {
            return Err(Full);
        }
        let admitted = self.transact(ledger, |learned| learned.admit(path.parts(), limits));
        self.full = admitted.is_none();
        admitted.ok_or(Full)
    }

    /// Changes the agreed state, together with what was counted here since the last time.
    fn transact<T>(
        &mut self,
        ledger: &mut impl Ledger,
        mut change: impl FnMut(&mut Learned) -> Result<T, Full>,
    ) -> Option<T> {
        let limits = self.limits?;
        let mut outcome = None;
        let mut next = None;
        let agreed = ledger.agree(&mut |state| {
            // A state that cannot be read was written by another version, or by somebody else. What this
            // worker knows is as good as what is in it.
            let mut learned = match Learned::decode(state) {
                Some(mut learned) => {
                    learned.absorb(&self.learned, limits);
                    learned
                }
                None => self.learned.clone(),
            };
            outcome = change(&mut learned).ok();
            let mut encoded = Vec::with_capacity(state.len());
            learned.encode(&mut encoded);
            next = Some(learned);
            (encoded != state).then_some(encoded)
        });
        match next {
            Some(next) if agreed => {
                self.learned.adopt(next);
                let summary = self.learned.summary();
                self.counts = RouteCounts { active: summary.active, collapsed: summary.collapsed };
                outcome
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::rc::Rc;

    use super::alone::Alone;
    use super::*;
    use proptest::prelude::*;

    const LIMITS: Limits = Limits { routes: 4, children: Some(3) };

    fn infer(
        inference: &mut Inference,
        path: &str,
        answer: Answer,
        ledger: &mut impl Ledger,
    ) -> (String, Source) {
        let inferred = inference.infer(&Shape::of(path.as_bytes()), answer, || false, ledger);
        let Route { name, source } = inference.name(inferred);
        (name.to_owned(), source)
    }

    fn check(inference: &mut Inference, ledger: &mut impl Ledger, table: &[(&str, Answer, &str)]) {
        for (number, (path, answer, expected)) in table.iter().enumerate() {
            let (name, _) = infer(inference, path, *answer, ledger);
            assert_eq!(name, *expected, "{number}: {path}");
        }
    }

    #[test]
    fn a_route_is_known_once_an_answer_shows_that_it_exists() {
        check(
            &mut Inference::new(Some(LIMITS)),
            &mut Alone::default(),
            &[
                ("/users/7", Answer::Nothing, "_unmatched"),
                ("/users/7", Answer::ExistsIfFromApp, "_unmatched"),
                ("/users/7", Answer::Exists, "/users/{int}"),
                ("/users/8", Answer::Nothing, "/users/{int}"),
                ("/users", Answer::Nothing, "_unmatched"),
            ],
        );
    }

    #[test]
    fn where_nothing_is_to_be_inferred_nothing_is() {
        let table = [("/users/7", Answer::Exists, "_unmatched")];
        check(&mut Inference::new(None), &mut Alone::default(), &table);
    }

    #[test]
    fn past_the_limit_nobody_is_asked_until_the_workers_agree_again() {
        let asked = Rc::new(Cell::new(0));
        let mut ledger = Counting { inner: Alone::default(), asked: Rc::clone(&asked) };
        let limits = Limits { routes: 2, children: None };
        let mut inference = Inference::new(Some(limits));
        check(
            &mut inference,
            &mut ledger,
            &[
                ("/a", Answer::Exists, "/a"),
                ("/b", Answer::Exists, "/b"),
                ("/c", Answer::Exists, "_other"),
            ],
        );
        let before = asked.get();
        for _ in 0..100 {
            assert_eq!(
                infer(&mut inference, "/d", Answer::Exists, &mut ledger).1,
                Source::Overflow
            );
        }
        assert_eq!(asked.get(), before);
        inference.agree(&mut ledger);
        assert_eq!(infer(&mut inference, "/d", Answer::Exists, &mut ledger).1, Source::Overflow);
        assert_eq!(asked.get(), before + 2);
    }

    #[test]
    fn a_state_that_cannot_be_read_is_replaced_by_what_this_worker_knows() {
        let mut ledger = Alone::default();
        let mut inference = Inference::new(Some(LIMITS));
        infer(&mut inference, "/a", Answer::Exists, &mut ledger);
        for garbage in [&b"\xff\xff garbage"[..], &[], &[1], &[0; 100]] {
            ledger.state = garbage.to_vec();
            inference.agree(&mut ledger);
            assert_eq!(infer(&mut inference, "/a", Answer::Nothing, &mut ledger).0, "/a");
            let mut other = Inference::new(Some(LIMITS));
            other.agree(&mut ledger);
            assert_eq!(infer(&mut other, "/a", Answer::Nothing, &mut ledger).0, "/a");
        }
    }

    #[test]
    fn a_host_that_cannot_agree_leaves_what_is_known_as_it_is() {
        let mut inference = Inference::new(Some(LIMITS));
        infer(&mut inference, "/a", Answer::Exists, &mut Alone::default());
        check(
            &mut inference,
            &mut Nobody,
            &[("/a", Answer::Exists, "/a"), ("/b", Answer::Exists, "_other")],
        );
    }

    #[test]
    fn workers_know_of_each_other_what_they_have_agreed_on() {
        let state = Rc::new(RefCell::new(Alone::default()));
        let mut ledger = Shared(Rc::clone(&state));
        let mut workers = [Inference::new(Some(LIMITS)), Inference::new(Some(LIMITS))];
        infer(&mut workers[0], "/a/1", Answer::Exists, &mut ledger);
        assert_eq!(infer(&mut workers[1], "/a/2", Answer::Nothing, &mut ledger).0, "_unmatched");
        workers[1].agree(&mut ledger);
        assert_eq!(infer(&mut workers[1], "/a/2", Answer::Nothing, &mut ledger).0, "/a/{int}");
        // Both meet what is the fourth word: the parent collapses for both.
        for (worker, word) in [(0, "/x"), (1, "/y"), (0, "/z"), (1, "/v"), (0, "/w")] {
            infer(&mut workers[worker], word, Answer::Exists, &mut ledger);
        }
        for worker in &mut workers {
            worker.agree(&mut ledger);
            let collapsed = ("/{str}".to_owned(), Source::Learned);
            assert_eq!(infer(worker, "/never-seen", Answer::Nothing, &mut ledger), collapsed);
        }
        assert_eq!(workers[0].counts(), workers[1].counts());
    }

    proptest! {
        #[test]
        fn any_bytes_give_no_more_routes_than_the_limit(
            paths in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 1..120),
            routes in 1_usize..20,
        ) {
            let mut ledger = Alone::default();
            let mut inference = Inference::new(Some(Limits { routes, children: Some(5) }));
            for path in paths {
                let shape = Shape::of(&path);
                let inferred = inference.infer(&shape, Answer::Exists, || true, &mut ledger);
                prop_assert!(inference.name(inferred).name.is_ascii());
                prop_assert!(inference.counts().active <= routes);
            }
        }
    }

    struct Counting {
        inner: Alone,
        asked: Rc<Cell<usize>>,
    }

    impl Ledger for Counting {
        fn agree(&mut self, change: &mut dyn FnMut(&[u8]) -> Option<Vec<u8>>) -> bool {
            self.asked.set(self.asked.get() + 1);
            self.inner.agree(change)
        }

        fn hour(&self) -> u32 {
            0
        }
    }

    /// Two workers with one state.
    struct Shared(Rc<RefCell<Alone>>);

    impl Ledger for Shared {
        fn agree(&mut self, change: &mut dyn FnMut(&[u8]) -> Option<Vec<u8>>) -> bool {
            self.0.borrow_mut().agree(change)
        }

        fn hour(&self) -> u32 {
            0
        }
    }

    /// Others are always faster.
    struct Nobody;

    impl Ledger for Nobody {
        fn agree(&mut self, change: &mut dyn FnMut(&[u8]) -> Option<Vec<u8>>) -> bool {
            change(&[]);
            false
        }

        fn hour(&self) -> u32 {
            0
        }
    }
}

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

//! Who is on: what the clients, the app and the clusters of one run tell each other.
//!
//! The runner begins and ends requests, the servers report what arrives and are told when they may
//! answer.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::scenario::observed::Message;
use crate::scenario::{Answer, Bytes, Leaves, Request};

/// Shared by all that take part.
#[derive(Default)]
pub(super) struct Stage {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    parts: Vec<Part>,
    callouts: Vec<(String, Message)>,
    over: bool,
}

/// One request of the scenario.
struct Part {
    path: Bytes,
    answer: Answer,
    leaves: Option<Leaves>,
    /// What the app saw, once for each try.
    seen: Vec<Message>,
    /// How many of them are whole.
    whole: usize,
    /// Whether the app may answer.
    may_answer: bool,
    ended: bool,
}

/// Where a message that arrives is kept.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    /// A try of a request.
    Try(usize, usize),
    /// A call of a module.
    Callout(usize),
}

impl Stage {
    /// A request is about to be sent. Tells its number, counted from 0.
    pub(super) fn begin(&self, request: &Request) -> usize {
        let mut state = self.lock();
        state.parts.push(Part {
            path: request.path.clone(),
            answer: request.upstream.clone(),
            leaves: request.leaves,
            seen: Vec::new(),
            whole: 0,
            may_answer: false,
            ended: false,
        });
        state.parts.len() - 1
    }

    /// The app may answer this one.
    pub(super) fn let_answer(&self, number: usize) {
        self.lock().parts[number].may_answer = true;
        self.changed.notify_all();
    }

    /// This one is over: what arrives from now on is another's.
    pub(super) fn end(&self, number: usize) {
        let mut state = self.lock();
        state.parts[number].may_answer = true;
        state.parts[number].ended = true;
        drop(state);
        self.changed.notify_all();
    }

    /// The run is over: nobody waits any more.
    pub(super) fn close(&self) {
        self.lock().over = true;
        self.changed.notify_all();
    }

    /// Whether the app has this one, as much of it as it waits for.
    pub(super) fn has_arrived(&self, number: usize) -> bool {
        self.lock().parts[number].has_arrived()
    }

    /// The head of a request has arrived at the app. Tells whose it is and what it is answered; a
    /// request that belongs to none is a call of a module.
    pub(super) fn arrive_at_app(&self, message: Message) -> (Place, Answer, Option<Leaves>) {
        let mut state = self.lock();
        let Some(number) = state.whose(&message) else {
            drop(state);
            return (self.arrive_at("app", message), Answer::default(), None);
        };
        let part = &mut state.parts[number];
        part.seen.push(message);
        let place = Place::Try(number, part.seen.len() - 1);
        let told = (place, part.answer.clone(), part.leaves);
        drop(state);
        self.changed.notify_all();
        told
    }

    /// The head of a call has arrived at a cluster.
    pub(super) fn arrive_at(&self, cluster: &str, message: Message) -> Place {
        let mut state = self.lock();
        state.callouts.push((cluster.to_owned(), message));
        Place::Callout(state.callouts.len() - 1)
    }

    /// More of a message has come; `whole` if this was all.
    pub(super) fn update(&self, place: Place, message: Message, whole: bool) {
        let mut state = self.lock();
        match place {
            Place::Try(number, attempt) => {
                let part = &mut state.parts[number];
                part.seen[attempt] = message;
                part.whole += usize::from(whole);
            }
            Place::Callout(number) => state.callouts[number].1 = message,
        }
        drop(state);
        self.changed.notify_all();
    }

    /// Waits until what arrived here may be answered.
    pub(super) fn await_leave(&self, place: Place) {
        let Place::Try(number, _) = place else { return };
        let waits = |state: &mut State| !state.over && !state.parts[number].may_answer;
        drop(self.changed.wait_while(self.lock(), waits));
    }

    /// Waits until the app has this one, or for as long as `limit`.
    pub(super) fn wait_for_arrival(&self, number: usize, limit: Duration) {
        let waits = |state: &mut State| !state.parts[number].has_arrived();
        drop(self.changed.wait_timeout_while(self.lock(), limit, waits));
    }

    /// All that the app saw of this one.
    pub(super) fn seen(&self, number: usize) -> Vec<Message> {
        self.lock().parts[number].seen.clone()
    }

    /// All calls of modules.
    pub(super) fn callouts(&self) -> Vec<(String, Message)> {
        self.lock().callouts.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Part {
    fn has_arrived(&self) -> bool {
        self.whole > 0 || (self.answer.early && !self.seen.is_empty())
    }
}

impl State {
    /// Nothing on the wire says which request of the scenario this is, for the module would see it
    /// too. With several under way it is one with the same path, if there is one, and rather one
    /// that has not yet arrived.
    fn whose(&self, message: &Message) -> Option<usize> {
        let path = message.head.iter().find(|(name, _)| **name == *b":path").map(|(_, path)| path);
        let fit = |&number: &usize| {
            let part = &self.parts[number];
            (path != Some(&part.path), !part.seen.is_empty(), number)
        };
        (0..self.parts.len()).filter(|&number| !self.parts[number].ended).min_by_key(fit)
    }
}

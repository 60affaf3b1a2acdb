//! The names of routes and their numbers. It knows no tree.
//!
//! A name once given keeps its number for ever, also when the route has gone: an exchange may be in
//! flight with it, and a series in Envoy is never freed. So a name that comes back costs nothing.

use super::Limits;
use super::bounds::{NAME_BYTES, NAME_HOLDER, RESERVE, ROUTES};

/// The number of a name. It is never given to another name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot(pub(super) u16);

/// All names ever given.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    given: Vec<Name>,
    live: usize,
    bytes: usize,
}

#[derive(Clone, Debug)]
struct Name {
    text: Box<str>,
    live: bool,
}

impl Names {
    /// The number of a name for a new path, if the limits allow one more.
    pub(super) fn admit(&mut self, text: &str, limits: Limits) -> Option<Slot> {
        let known = self.given.iter().any(|name| *name.text == *text);
        let may = self.live < limits.routes && (known || !self.are_scarce(limits));
        may.then(|| self.give(text, limits, NAME_BYTES - NAME_BYTES / RESERVE)).flatten()
    }

    /// The number of a name for routes that a collapse has merged: it has freed at least as many.
    pub(super) fn replace(&mut self, text: &str, limits: Limits) -> Option<Slot> {
        self.give(text, limits, NAME_BYTES)
    }

    /// Ends a route. Its name stays known.
    pub(super) fn retire(&mut self, slot: Slot) {
        if let Some(name) = self.given.get_mut(usize::from(slot.0)) {
            self.live -= usize::from(name.live);
            name.live = false;
        }
    }

    /// Takes a name in as it was encoded.
    pub(super) fn push(&mut self, text: &str, live: bool) {
        self.bytes += text.len() + NAME_HOLDER;
        self.live += usize::from(live);
        self.given.push(Name { text: text.into(), live });
    }

    pub(super) fn text(&self, slot: Slot) -> Option<&str> {
        self.given.get(usize::from(slot.0)).map(|name| &*name.text)
    }

    /// Names of routes that exist.
    pub(super) fn live(&self) -> usize {
        self.live
    }

    /// Names that may still be given, as far as their number goes.
    pub(super) fn left(&self, limits: Limits) -> usize {
        (limits.routes.min(ROUTES) * 2).saturating_sub(self.given.len())
    }

    /// Whether only what is kept for collapses is left.
    pub(super) fn are_scarce(&self, limits: Limits) -> bool {
        self.left(limits) <= limits.routes / RESERVE
    }

    /// All names, with their numbers, and whether their routes exist.
    pub(super) fn all(&self) -> impl Iterator<Item = (Slot, &str, bool)> {
        (0u16..).zip(&self.given).map(|(at, name)| (Slot(at), &*name.text, name.live))
    }

    /// What they take, as it is bounded.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    fn give(&mut self, text: &str, limits: Limits, room: usize) -> Option<Slot> {
        if let Some((slot, name)) =
            (0u16..).zip(&mut self.given).find(|(_, one)| *one.text == *text)
        {
            self.live += usize::from(!name.live);
            name.live = true;
            return Some(Slot(slot));
        }
        if self.left(limits) == 0 || self.bytes + text.len() + NAME_HOLDER > room {
            return None;
        }
        let slot = u16::try_from(self.given.len()).ok()?;
        self.push(text, true);
        Some(Slot(slot))
    }
}

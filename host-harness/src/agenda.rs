//! What is going to happen, and when: the one queue that moves a host's time.
//!
//! Events of the same moment happen in the order in which they were put here, so a run with the same
//! seed is always the same run.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// Events by time, in nanoseconds of the monotonic clock.
#[derive(Debug)]
pub(crate) struct Agenda<E> {
    entries: BinaryHeap<Entry<E>>,
    next: u64,
}

#[derive(Debug)]
struct Entry<E> {
    at: u64,
    order: u64,
    event: E,
}

impl<E> Default for Agenda<E> {
    fn default() -> Self {
        Self { entries: BinaryHeap::new(), next: 0 }
    }
}

impl<E> Agenda<E> {
    pub(crate) fn put(&mut self, at: u64, event: E) {
        self.entries.push(Entry { at, order: self.next, event });
        self.next += 1;
    }

    /// When the first event is due.
    pub(crate) fn due(&self) -> Option<u64> {
        self.entries.peek().map(|entry| entry.at)
    }

    pub(crate) fn take(&mut self) -> Option<E> {
        self.entries.pop().map(|entry| entry.event)
    }
}

/// The heap has its greatest entry on top, and that is to be the earliest.
impl<E> Ord for Entry<E> {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.order).cmp(&(self.at, self.order))
    }
}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<E> Eq for Entry<E> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_comes_first_and_the_same_moment_in_order() {
        let mut agenda = Agenda::default();
        for (at, event) in [(5, "c"), (1, "a"), (5, "d"), (3, "b")] {
            agenda.put(at, event);
        }
        assert_eq!(agenda.due(), Some(1));
        let order: Vec<_> = std::iter::from_fn(|| agenda.take()).collect();
        assert_eq!(order, ["a", "b", "c", "d"]);
    }
}

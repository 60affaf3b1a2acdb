//! What was sent, told apart by whether there must be a log line for it.

use std::sync::atomic::{AtomicU64, Ordering};

/// What the clients sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// Answered with a request ID: the filter saw it, so there is a log line.
    pub answered: u64,
    /// Broken off, or refused before it was a request: there may be a line, or not.
    pub broken: u64,
    /// Health probes, which are left alone: there is none.
    pub probes: u64,
}

impl Sent {
    /// All of it.
    pub fn all(&self) -> u64 {
        self.answered + self.broken + self.probes
    }
}

/// The counters behind it, for many threads.
#[derive(Debug, Default)]
pub(super) struct Tally {
    answered: AtomicU64,
    broken: AtomicU64,
    probes: AtomicU64,
}

impl Tally {
    pub(super) fn answered(&self) {
        self.answered.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn broken(&self) {
        self.broken.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn probe(&self) {
        self.probes.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn sent(&self) -> Sent {
        Sent {
            answered: self.answered.load(Ordering::Relaxed),
            broken: self.broken.load(Ordering::Relaxed),
            probes: self.probes.load(Ordering::Relaxed),
        }
    }
}

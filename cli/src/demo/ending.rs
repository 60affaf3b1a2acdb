//! When the demo ends: once its time is over, or when somebody asks for it.

use std::io;
use std::time::{Duration, Instant};

use crate::up::signals::Signals;

/// The end to come.
pub(super) struct Ending {
    at: Option<Instant>,
    signals: Signals,
}

impl Ending {
    /// After so long, or when a signal asks for it.
    pub(super) fn after(limit: Option<Duration>) -> io::Result<Self> {
        let at = limit.and_then(|limit| Instant::now().checked_add(limit));
        Ok(Self { at, signals: Signals::listen()? })
    }

    /// Waits for it, no longer than this; true once it has come.
    pub(super) fn wait(&self, at_most: Duration) -> bool {
        let left = self.at.map(|at| at.saturating_duration_since(Instant::now()));
        if self.signals.within(left.unwrap_or(at_most).min(at_most)).is_some() {
            // Who asks twice does not want to wait.
            self.signals.end_at_once();
            return true;
        }
        left.is_some_and(|left| left <= at_most)
    }
}

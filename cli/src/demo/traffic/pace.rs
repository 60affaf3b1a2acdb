//! When the next request is due, for all clients together, and when it is time to go.

use std::f64::consts::TAU;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// From one wave to the next.
const WAVE: f64 = 20.0;

/// How much more, or less, at the top of a wave.
const SWELL: f64 = 0.3;

/// The steps of all clients.
#[derive(Debug)]
pub(super) struct Pace {
    rate: f64,
    begun: Instant,
    state: Mutex<State>,
    stopped: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// When the next request is due, since the beginning.
    next: Duration,
    is_stopped: bool,
}

impl Pace {
    /// So many a second.
    pub(super) fn of(rate: f64) -> Self {
        let (state, stopped) = (Mutex::default(), Condvar::new());
        Self { rate, begun: Instant::now(), state, stopped }
    }

    /// Waits for one's turn; false if it is time to go.
    pub(super) fn turn(&self) -> bool {
        let mut state = self.lock();
        // What was missed is not made up for: that would be a burst.
        let due = state.next.max(self.begun.elapsed());
        state.next = due + self.interval(due);
        !self.wait(state, due)
    }

    /// Waits for so long; true if it is time to go.
    pub(super) fn pause(&self, time: Duration) -> bool {
        self.wait(self.lock(), self.begun.elapsed() + time)
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.lock().is_stopped
    }

    /// It is time to go, for all.
    pub(super) fn stop(&self) {
        self.lock().is_stopped = true;
        self.stopped.notify_all();
    }

    fn interval(&self, at: Duration) -> Duration {
        let height = 1.0 + SWELL * (at.as_secs_f64() * TAU / WAVE).sin();
        Duration::from_secs_f64(1.0 / (self.rate * height))
    }

    fn wait(&self, state: MutexGuard<'_, State>, due: Duration) -> bool {
        let left = due.saturating_sub(self.begun.elapsed());
        let waited = self.stopped.wait_timeout_while(state, left, |state| !state.is_stopped);
        waited.unwrap_or_else(PoisonError::into_inner).0.is_stopped
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! The live view in the terminal, beside everything else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use super::Failed;
use crate::live::{self, Live};

/// The view under way. Dropped, the terminal is as it was before.
pub(super) struct Terminal {
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Terminal {
    pub(super) fn start(live: Live) -> Result<Self, Failed> {
        let ended = Arc::new(AtomicBool::new(false));
        let is_ended = Arc::clone(&ended);
        let show = move || {
            // It has put the terminal right by then; without it the session is left, as with `q`.
            let _ = live::terminal::run(&live, || is_ended.load(Ordering::Relaxed));
        };
        let thread = thread::Builder::new().name("terminal".to_owned()).spawn(show);
        let thread = thread.map_err(|error| Failed::System { what: "The view", error })?;
        Ok(Self { ended, thread: Some(thread) })
    }

    /// Whether the person has left it.
    pub(super) fn is_left(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

//! The signals that end a program, as they come.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use crate::leash::Signal;

/// All of them, from when this is made.
pub(crate) struct Signals {
    received: Receiver<Signal>,
    at_once: Arc<AtomicBool>,
}

impl Signals {
    /// From now on none of them ends this process.
    pub(crate) fn listen() -> io::Result<Self> {
        let at_once = Arc::new(AtomicBool::new(false));
        for signal in Signal::ALL {
            let code = 128 + signal.number();
            let number = signal.number();
            let flag = Arc::clone(&at_once);
            signal_hook::flag::register_conditional_shutdown(number, code, flag)?;
        }
        let numbers = Signal::ALL.map(Signal::number);
        let mut signals = signal_hook::iterator::Signals::new(numbers)?;
        let (send, received) = mpsc::channel();
        thread::Builder::new().name("signals".to_owned()).spawn(move || {
            for number in signals.forever() {
                let known = Signal::ALL.into_iter().find(|signal| signal.number() == number);
                if known.is_some_and(|signal| send.send(signal).is_err()) {
                    return;
                }
            }
        })?;
        Ok(Self { received, at_once })
    }

    /// The next, if it comes within this time.
    pub(crate) fn within(&self, time: Duration) -> Option<Signal> {
        self.received.recv_timeout(time).ok()
    }

    /// From now on each of them ends this process, with 128 and its number. What is on a leash goes too.
    pub(crate) fn end_at_once(&self) {
        self.at_once.store(true, Ordering::Relaxed);
    }
}

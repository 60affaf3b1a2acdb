//! What the guest said: the lines of its log, each with its level.
//!
//! Every line is kept, whatever level Envoy would print; the level is there for the test to judge.
//! Envoy's prefix (`wasm log <name> …`) is not here, because Envoy adds it, not the module.

use std::fmt;

/// How urgent a line is, in the ABI's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// 0
    Trace,
    /// 1
    Debug,
    /// 2, and what WASI's standard output becomes
    Info,
    /// 3
    Warn,
    /// 4, and what WASI's standard error becomes
    Error,
    /// 5
    Critical,
}

impl Level {
    pub(crate) fn from_abi(number: u32) -> Option<Self> {
        use Level::{Critical, Debug, Error, Info, Trace, Warn};
        [Trace, Debug, Info, Warn, Error, Critical]
            .into_iter()
            .find(|level| level.to_abi() == number)
    }

    pub(crate) fn to_abi(self) -> u32 {
        self as u32
    }
}

impl fmt::Display for Level {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Critical => "critical",
        })
    }
}

/// One line of the guest's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// How urgent the guest said it is.
    pub level: Level,
    /// What it said; bytes that are not UTF-8 are replaced.
    pub text: String,
    /// The thread it said it on: 0 is the main thread, then come the workers.
    pub thread: usize,
    /// For which plugin: its name (of a stream only), root id and VM id, each if there is one, with
    /// blanks between. That is what Envoy puts in front of the line.
    pub plugin: String,
}

impl fmt::Display for Line {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "[{}] {}", self.level, self.text)
    }
}

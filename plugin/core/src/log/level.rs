//! How bad a request was, as lines say it.

use crate::Outcome;

/// The level of a line, by the number that proxy-wasm has for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// It succeeded.
    Info = 2,
    /// The client made a mistake: 4xx.
    Warning = 3,
    /// 5xx, no response at all, or a gRPC status that is the server's fault.
    Error = 4,
}

impl Level {
    /// All of them.
    pub(super) const ALL: [Self; 3] = [Self::Info, Self::Warning, Self::Error];

    pub(crate) fn of(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Success => Self::Info,
            Outcome::ClientError => Self::Warning,
            Outcome::Failure => Self::Error,
        }
    }

    /// In a word.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

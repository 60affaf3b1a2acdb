//! Why an Envoy did not come up, in sentences.

use std::path::{Path, PathBuf};
use std::{error, fmt, io};

use super::reason::Reason;
use crate::leash::Silence;

/// Why an Envoy did not come up.
#[derive(Debug)]
pub enum StartError {
    /// A file or folder that is needed to start it could not be used.
    File {
        /// Which.
        path: PathBuf,
        /// And why.
        error: io::Error,
    },
    /// It ended, or did not get ready in time.
    Silent {
        /// Which of both.
        silence: Silence,
        /// What its log tells about it.
        reason: Reason,
    },
}

impl StartError {
    pub(super) fn file(path: &Path, error: io::Error) -> Self {
        Self::File { path: path.to_owned(), error }
    }

    pub(super) fn silent(silence: Silence, log: &str) -> Self {
        Self::Silent { silence, reason: Reason::of(log) }
    }

    /// What Envoy's log tells about it, if it was Envoy.
    pub fn reason(&self) -> Option<&Reason> {
        match self {
            Self::File { .. } => None,
            Self::Silent { reason, .. } => Some(reason),
        }
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, error } => {
                write!(out, "Envoy cannot start: {}: {error}", path.display())
            }
            Self::Silent { silence, reason } => {
                write!(out, "Envoy did not start ({silence}). {reason}")
            }
        }
    }
}

impl error::Error for StartError {}

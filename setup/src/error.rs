//! The one error of this crate: sentences for a person, who is the only one to act on them.

use std::fmt;
use std::io;
use std::path::Path;

/// What happened, with the value that it happened to, and what to do next.
#[derive(Debug)]
pub struct Error(String);

impl Error {
    pub(crate) fn new(sentences: impl Into<String>) -> Self {
        Self(sentences.into())
    }

    /// For a file or folder that could not be dealt with; `verb` is what was tried, as in "read".
    pub(crate) fn at(verb: &str, path: &Path, cause: &io::Error) -> Self {
        let path = path.display();
        Self(format!(
            "Could not {verb} {path}: {cause}. Check its permissions and the space on that disk."
        ))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

//! Templates worth pinning, out of access logs: what the filter would infer from the same requests, in the words
//! that a developer would choose.
//!
//! It reads logs of any length in bounded memory. Which routes there are is for the core's inference to
//! find; whether a template is right, only the developer knows.

mod choose;
mod entry;
mod gather;
mod json;
mod lines;
mod logfmt;
mod print;
mod text;

#[cfg(test)]
mod tests;

pub use choose::{LeftOut, Pinned, Suggestions};
pub use gather::Gathering;
pub use lines::{Log, Unreadable};

pub use super::template::template_of;

/// What to suggest of all that there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Routes with fewer requests are left out.
    pub min: u64,
    /// More different words than this beside each other become one parameter.
    pub distinct: usize,
}

impl Options {
    /// As the filter does it, without what was asked for once or twice.
    pub const DEFAULT: Self = Self { min: 3, distinct: 100 };
}

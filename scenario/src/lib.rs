//! Scenarios: a configuration, exchanges and expectations as data, and what came of them as text.
//!
//! A file is a list of them. [`load`] reads it, [`harness::play`] plays one on the harness, and what was
//! seen there is told as a [`Transcript`]. The tests do the same in a real Envoy, so that comparing two
//! hosts is comparing text.
//!
//! The format, key by key, is in [`mod@format`] and [`exchange`], the language for small modules in [`script`].
//! What module is *the filter* is for the caller to say.

mod bytes;
mod check;
pub mod exchange;
pub mod format;
pub mod harness;
mod load;
mod normalise;
pub mod observed;
pub mod script;
mod tell;
mod transcript;

pub use bytes::Bytes;
pub use exchange::{Answer, Fields, Informational, Leaves, Protocol, Request, Reset};
pub use format::{Scenario, Step};
pub use load::{LoadError, load, parse};
pub use observed::Observed;
pub use transcript::Transcript;

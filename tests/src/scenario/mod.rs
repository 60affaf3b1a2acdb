//! Scenarios: a configuration, exchanges and expectations as data, and what came of them as text.
//!
//! A file in `tests/scenarios/` is a list of them. [`load`] reads it, [`envoy::run`] runs one in a
//! real Envoy, and both that and the harness tell what they saw as a [`Transcript`], so that
//! comparing two hosts is comparing text.

mod bytes;
mod check;
pub mod envoy;
pub mod exchange;
pub mod format;
pub mod harness;
mod load;
mod normalise;
pub mod observed;
pub mod suite;
mod tell;
mod transcript;

pub use bytes::Bytes;
pub use exchange::{Answer, Fields, Informational, Leaves, Protocol, Request, Reset};
pub use format::{Scenario, Step};
pub use load::{LoadError, load, parse};
pub use observed::Observed;
pub use transcript::Transcript;

//! What telemetry means, apart from any host.
//!
//! The core is *sans I/O*: it is handed bytes, times and random numbers, and hands back decisions. It
//! reads no clock, opens nothing, logs nothing and knows no proxy, so every behaviour can be tested
//! natively, and the same code serves in Envoy, in the harness and in the command.
//!
//! One request is one [`Exchange`]: it begins with the request's head, hears of the response, and
//! finishes as an [`Observation`], the one record that every signal reads. What to do is in the
//! [`Plan`], compiled once from the configuration.

#![forbid(unsafe_code)]
#![deny(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::todo,
    clippy::unimplemented,
    clippy::unreachable,
    clippy::unwrap_used
)]

pub mod config;
mod exchange;
mod hash;
mod head;
pub mod identity;
pub mod log;
mod plan;
pub mod red;
mod rng;
pub mod route;
mod sampling;
mod sort;
mod time;

pub use exchange::{Edit, Exchange, Observation, Outcome};
pub use hash::Quick;
pub use head::{Method, Pair, RequestHead, ResponseHead};
pub use plan::{Place, Plan};
pub use rng::Rng;
pub use sampling::Sampler;
pub use time::{Moment, Monotonic, Wall};

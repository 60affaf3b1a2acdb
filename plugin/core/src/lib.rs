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

mod address;
mod captured;
pub mod config;
mod direction;
mod ending;
mod exchange;
mod grpc;
mod hash;
mod head;
mod hop;
pub mod identity;
pub mod log;
mod observation;
pub mod otlp;
mod percent;
mod place;
mod plan;
pub mod red;
mod redact;
mod rng;
pub mod route;
pub mod sampling;
mod time;
mod wire;

pub use direction::Direction;
pub use ending::{Flags, Witness};
pub use exchange::{Edit, Exchange};
pub use hash::Quick;
pub use head::{Pair, RequestHead, ResponseHead, number};
pub use hop::Tracing;
pub use observation::{ErrorType, Exported, Observation, Outcome, Stream};
pub use place::{Istio, Place};
pub use plan::{Endpoint, ExportPlan, MetricsPlan, OtlpMetrics, Plan};
pub use rng::Rng;
pub use sampling::Sampler;
pub use sightline_templates::Method;
pub use time::{Moment, Monotonic, Wall};

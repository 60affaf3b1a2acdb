//! What whole-system tests stand on: an Envoy with the filter, and somebody on either side of it.
//!
//! A test reads in a few lines:
//!
//! ```no_run
//! use sightline_tests::{Answer, Proxy, Request, Upstream};
//!
//! let upstream = Upstream::answering(|_| Answer::new(200).body("hi"));
//! let proxy = Proxy::start(|bootstrap| bootstrap.upstream(upstream.address()));
//! let answer = proxy.send(&Request::get("/").field("x-request-id", "abc"));
//! assert_eq!(answer.field("x-request-id"), Some("abc"));
//! assert_eq!(proxy.line_of("abc")["status"], 200);
//! ```
//!
//! Envoy is real, the apps are real, and everything runs on free ports in folders of its own, so tests
//! run side by side. The tests themselves are in `tests/`.

mod chromium;
mod collector;
mod command;
pub mod crash;
mod discovery;
mod endpoint;
pub mod http2;
mod load;
mod metrics;
mod outbound;
mod prometheus;
mod proxy;
pub mod scenario;
mod upstream;

pub use chromium::{Chromium, key};
pub use collector::{Collector, PointValue, ReceivedPoint, ReceivedRecord};
pub use command::command;
pub use discovery::Discovery;
pub use endpoint::Endpoint;
pub use load::Load;
pub use metrics::Samples;
pub use outbound::outbound;
pub use prometheus::{KeptExemplar, Labels, Prometheus, Target, promtool_check};
pub use proxy::Proxy;
pub use sightline_cli::bootstrap::{Bootstrap, Configuration};
pub use sightline_cli::http::{Message, Request};
pub use upstream::{Answer, Nobody, Upstream};

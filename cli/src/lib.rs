//! The library under the `sightline` command: Envoy and Python apps started and stopped, and
//! Envoy's configuration made from the one that users copy, for tests and for users.
//!
//! Whole-system tests and benches use it too. What a request's telemetry means is in
//! `sightline-core`, and how tools are obtained in `sightline-setup`; neither is here.

pub mod apps;
pub mod bootstrap;
pub mod check;
pub mod demo;
pub mod duration;
pub mod envoy;
pub mod generate;
mod harmless;
pub mod http;
pub mod leash;
pub mod lines;
pub mod live;
pub mod otlp;
pub mod program;
pub mod routes;
#[cfg(feature = "run")]
pub mod run;
pub mod session;
pub mod up;
pub mod wait;

/// What stands for standard input where a file is named.
pub const STDIN: &str = "-";

/// The filter, as Envoy loads it: the module that was built with this crate.
pub static FILTER: &[u8] = include_bytes!(env!("SIGHTLINE_WASM"));

/// This version, with the beginning of the filter's SHA-256 and its length.
pub const VERSION: &str = env!("SIGHTLINE_VERSION");

//! What must be there before anything runs: the wasm target, the finished filter, Envoy, Python,
//! Prometheus, jq, Chromium.
//!
//! Everything is set up into the checkout's `target/`, once, and reused; a process that finds it
//! there says nothing and goes on. This crate starts none of it: running Envoy, the apps or the
//! tests is for those who call it. It depends on almost nothing, because the build script of the
//! `sightline` command calls it too.

mod checkout;
pub mod chromium;
mod debian;
mod disk;
pub mod envoy;
mod error;
pub mod filter;
pub mod jq;
mod lock;
mod pip;
pub mod prometheus;
pub mod python;
mod run;
mod step;
pub mod target;

pub use checkout::Checkout;
pub use error::Error;

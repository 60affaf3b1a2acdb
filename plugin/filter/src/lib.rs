//! The proxy-wasm module that Envoy loads: callbacks into core calls, core answers into hostcalls.
//!
//! Nothing here decides what telemetry means, that is the core's; and nothing but `abi` knows how a
//! host is spoken to. No path through this crate panics, because a panic ends telemetry on its worker,
//! or traffic with it: what cannot be done is left out.

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

mod abi;
mod contexts;
mod counter;
mod endpoint;
mod exporters;
mod ledger;
mod meter;
mod request;
mod root;
mod shared;
mod stats;
mod stream;
mod teller;
mod tracer;
mod witness;

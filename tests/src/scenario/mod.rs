//! Scenarios, played in a real Envoy and compared with what the harness made of them.
//!
//! What a scenario is, and the player on the harness, are in `sightline-scenario`. A file in
//! `tests/scenarios/` is a list of them: [`suite`] runs them all.

pub mod envoy;
pub mod suite;

pub use sightline_scenario::{
    Answer, Bytes, Fields, Leaves, LoadError, Protocol, Request, Reset, Scenario, Step, Transcript,
    exchange, format, harness, load, observed, parse,
};

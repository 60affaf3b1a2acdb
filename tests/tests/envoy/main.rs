//! The filter in a real Envoy. The Envoy is the one that `SIGHTLINE_ENVOY` or `SIGHTLINE_ENVOY_VERSION`
//! names, else the newest supported.

mod access_log;
mod configuration;
mod demo;
mod differential;
mod failing_to_start;
mod fixture;
mod frameworks;
mod hostile_input;
mod request_id;
mod routes;
mod stats;
mod trace_context;

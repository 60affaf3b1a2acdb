//! The host, spoken to over bytes: the proxy-wasm ABI 0.2.1 as Envoy offers it.
//!
//! This is the only room with `unsafe` and `extern "C"`. What leaves it is safe and owned. It knows
//! nothing of telemetry.

#![allow(unsafe_code, reason = "the host is spoken to through pointers, and only here")]

mod exports;
mod host;
mod imports;
mod memory;
mod pairs;

pub(crate) use host::{
    MetricId, MetricKind, Side, apply, define_metric, environment_variable, fill_random,
    header_pairs, increment, is_from_upstream, log_error, log_warning, monotonic_now, node_cluster,
    now, plugin_configuration, record, set_filter_state, set_shared_data, shared_data, tick_every,
    wall_now,
};

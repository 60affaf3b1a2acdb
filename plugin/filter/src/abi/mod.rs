//! The host, spoken to over bytes: the proxy-wasm ABI 0.2.1 as Envoy offers it.
//!
//! This is the only room with `unsafe` and `extern "C"`. What leaves it is safe and owned. It knows
//! nothing of telemetry.

#![allow(unsafe_code, reason = "the host is spoken to through pointers, and only here")]

mod calls;
mod exports;
mod host;
mod imports;
mod memory;
mod pairs;
mod properties;

pub(crate) use calls::{
    CallError, Token, call_body, call_headers, compress, grpc_call, grpc_message, http_call,
};
pub(crate) use host::{
    HeaderMap, MetricId, MetricKind, Side, add, apply, define_metric, environment_variable,
    fill_random, header_pairs, log_error, log_line, log_warning, monotonic_now,
    plugin_configuration, record, request_header, send_local_response, set_filter_state,
    set_shared_data, shared_data, tick_every, wall_now,
};
pub(crate) use properties::{
    code_details, destination_port, is_from_upstream, listener_direction, node, protocol,
    request_size, response_flags, response_size, source_address, upstream_address,
};

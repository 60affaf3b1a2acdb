//! The filter in a real Envoy. The Envoy is the one that `SIGHTLINE_ENVOY` or `SIGHTLINE_ENVOY_VERSION`
//! names, else the newest supported.

mod access_log;
mod configuration;
mod correlation;
mod crash;
mod demo;
mod differential;
mod endpoint;
mod exactness;
mod export;
mod failing_to_start;
mod fixture;
mod frameworks;
mod generated;
mod hostile_input;
mod hostile_lines;
mod hostile_metrics;
mod log_ways;
mod metrics_export;
mod metrics_page;
mod opentelemetry_python;
mod prometheus;
mod request_id;
mod request_id_echo;
mod request_id_extension;
mod routes;
mod sampling;
mod secrets;
mod spans;
mod stats;
mod ten_thousand;
mod trace_context;
mod trace_modes;
mod trace_settings;
mod w3c;

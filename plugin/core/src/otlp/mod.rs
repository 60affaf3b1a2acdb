//! OTLP, `OpenTelemetry`'s protocol to a collector: what is written, what waits, and what an answer means.
//!
//! Bytes, times and answers are handed in and out. Who sends them is not decided here.
//!
//! The messages are written by hand: they are few and never read back here, and a generated encoder would
//! cost the module more than all of this.

mod attributes;
mod backoff;
mod exporter;
mod grpc_service;
mod gzip;
mod log_record;
mod metrics;
mod protobuf;
mod reply;
mod request;
mod resource;
mod retry_after;
mod span;

pub use exporter::{BatchId, Counts, Exporter, Limits};
pub use grpc_service::grpc_service;
pub use gzip::from_zlib;
pub use log_record::write_log_record;
pub use metrics::write_metrics;
pub use reply::{Reply, Verdict, of_grpc_message, of_grpc_status, of_http};
pub use request::{Envelope, Signal};
pub use resource::{InvalidAttributes, Resource, parse_resource_attributes};
pub use span::write_span;

pub(crate) use protobuf::write_varint;

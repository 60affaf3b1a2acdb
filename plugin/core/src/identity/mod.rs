//! Who a request is: its request ID and its place in a trace.
//!
//! Parsers here work at fixed offsets over bytes, allocate nothing, and say no to whatever is not
//! exactly right: what a client sends is passed on to the app and into logs.

mod hex;
mod ids;
mod request_id;
mod trace_context;
mod traceparent;

pub use ids::{SpanId, TraceId};
pub use request_id::{IdFormat, RequestId};
pub use trace_context::TraceContext;
pub use traceparent::{Flags, Invalid, Traceparent};

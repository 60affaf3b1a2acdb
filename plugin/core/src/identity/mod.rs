//! Who a request is: its request ID, its place in a trace, and what comes along with it.
//!
//! Parsers here work over bytes in place, allocate nothing for what they only pass on, and say no to
//! whatever is not exactly right: what a client sends is passed on to the app and into logs.

mod baggage;
pub(crate) mod hex;
mod ids;
mod request_id;
mod trace_context;
mod traceparent;
mod tracestate;

pub use baggage::read_baggage;
pub use ids::{SpanId, TraceId};
pub use request_id::{IdFormat, RequestId};
pub use trace_context::TraceContext;
pub use traceparent::{Flags, Invalid, Traceparent};
pub use tracestate::{InvalidState, Tracestate};

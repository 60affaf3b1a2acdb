//! The access log: one line for each finished request.

mod json;
mod line;

pub(crate) use json::is_unsafe;
pub use line::write_line;

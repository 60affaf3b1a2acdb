//! The access log: one line for each finished request.

mod json;
mod line;

pub use line::write_line;

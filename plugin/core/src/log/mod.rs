//! The access log: one line for each finished request.

mod field;
mod level;
mod line;
mod plan;
mod text;
mod writer;

pub use field::Field;
pub(crate) use field::Fields;
pub use level::Level;
pub use line::write_line;
pub use plan::LogPlan;
pub(crate) use text::is_unsafe;

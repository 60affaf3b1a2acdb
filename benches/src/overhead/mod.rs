//! What a request costs in a real Envoy, as CPU time of the whole process, so that it does not matter how
//! long anything waits, nor, nearly, what else the machine does.
//!
//! Which variants of Envoy are compared, the benches say. They are all started beforehand and take turns.

mod app;
mod cores;
mod load;
mod table;
mod variant;

pub use cores::Cores;
pub use table::Table;
pub use variant::{Path, Variant};

//! `sightline routes`: what one does about routes before, beside and after the filter.
//!
//! How a path comes to its route is the core's to decide; here it is asked and told.

pub mod explain;
pub mod import;
mod path;
pub mod suggest;
pub mod template;

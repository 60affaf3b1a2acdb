//! Templates: what a person writes for a route, and what that takes.
//!
//! A [template] is parsed once, when a configuration is read, and its expressions become
//! [patterns](pattern). All of that is work done before the first request, and it is a crate of its own
//! for that reason: it is compiled to be small, and the core, which serves requests, to be fast. The
//! few functions that requests do come by are marked `#[inline]`, so that they are compiled with the core.
//!
//! What this is not: matching a path against many templates. That is the core's.

#![forbid(unsafe_code)]
#![deny(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::todo,
    clippy::unimplemented,
    clippy::unreachable,
    clippy::unwrap_used
)]

mod method;
mod nearest;
pub mod pattern;
pub mod sort;
pub mod template;

pub use method::Method;
pub use nearest::nearest;

//! Rate, errors, duration: which series a request belongs to, and what a host's stat is called.

mod stats_name;

use crate::Method;

pub use stats_name::requests_total;

/// The label set that a request is counted under.
///
/// Bounded whatever clients send: eleven methods, and statuses below 1,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Series {
    /// The method, one of a closed set.
    pub method: Method,
    /// The status; 0 if none was sent.
    pub status: u16,
}

//! Rate, errors, duration: which series a request belongs to, and what a host's stat is called.

mod boundaries;
mod decimal;
pub mod family;
mod reading;
mod stats_name;

use crate::Method;
use crate::route::Number;

pub use boundaries::Boundaries;
pub use decimal::Decimal;
pub use family::{Family, Kind};
pub use reading::{Exemplar, FamilyReading, Histogram, Point, Reading, Value};
pub use stats_name::{
    ROUTES_ACTIVE, ROUTES_COLLAPSED, ROUTES_OVERFLOWED, dropped_total, export_batches_total,
    export_waiting, exported_total, requests_total, spans_total,
};

/// The label set that a request is counted under.
///
/// Bounded whatever clients send: eleven methods, statuses below 1,000, and routes that are configured or
/// within their limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Series {
    /// The method, one of a closed set.
    pub method: Method,
    /// The route.
    pub route: Number,
    /// The status; 0 if none was sent.
    pub status: u16,
}

//! Rate, errors, duration: what is counted, where, and how it is shown.
//!
//! A [recorder](Recorder) finds the series of a request and counts it in a worker's own part of the [sheet](Sheet),
//! to which all workers add now and then. The [roll] says which workers there are and what each has under way,
//! and [exemplars](Exemplars) which requests stand for others. A [snapshot](Snapshot) of the three becomes a
//! [reading](Reading): families and points, which the endpoint and OTLP write each in their way.

mod accept;
mod boundaries;
mod collect;
pub(crate) mod custom;
mod decimal;
mod exemplars;
pub mod family;
mod levels;
pub mod openmetrics;
mod reading;
mod recorder;
pub mod roll;
mod room;
mod row;
mod series;
mod sheet;
mod stats_name;

pub use accept::Format;
pub use boundaries::Boundaries;
pub use collect::{Before, Snapshot};
pub use custom::{Custom, Invalid, Sample};
pub use decimal::Decimal;
pub use exemplars::Exemplars;
pub use family::{Family, Kind};
pub use levels::{Level, Levels};
pub use reading::{Exemplar, FamilyReading, Histogram, Point, Reading, Value};
pub use recorder::{Counting, Recorder, SeriesId, SeriesName};
pub use series::{Scheme, Version};

pub use sheet::{RowId, Sheet};
pub use stats_name::{
    REQUESTS_ACTIVE, ROUTES_ACTIVE, ROUTES_COLLAPSED, ROUTES_OVERFLOWED, counter,
    duration_milliseconds, export_waiting, requests_total,
};

pub(crate) use series::Parts;

//! Metrics of a configuration's own.

use super::{Boundaries, Family};

/// One of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Custom {
    /// What it is.
    pub family: Family,
    /// Its boundaries, if it is a histogram.
    pub boundaries: Option<Boundaries>,
    /// What its rows are known by.
    pub identity: String,
}

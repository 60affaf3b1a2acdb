//! All that was counted, as it is shown at one moment: what the endpoint and OTLP write, each in its way.

use super::{Boundaries, Decimal, Family};
use crate::Wall;
use crate::identity::{SpanId, TraceId};

/// What is to be shown.
#[derive(Clone, Debug, Default)]
pub struct Reading<'a> {
    /// When counting began.
    pub began: Wall,
    /// Since when counters and histograms are counted: `began`, or where only what is new is told, the last time.
    pub since: Wall,
    /// When it was read.
    pub now: Wall,
    /// Families in the order in which they are shown, each once, none without points.
    pub families: Vec<FamilyReading<'a>>,
}

/// One family and its points.
#[derive(Clone, Debug)]
pub struct FamilyReading<'a> {
    /// What they have in common.
    pub family: &'a Family,
    /// One for each label set, none twice.
    pub points: Vec<Point<'a>>,
}

/// A label set and its value.
#[derive(Clone, Debug)]
pub struct Point<'a> {
    /// The values of the family's labels, in their order; empty where a point does not have the label.
    pub labels: Vec<&'a str>,
    /// What was counted.
    pub value: Value<'a>,
}

/// What was counted.
#[derive(Clone, Debug)]
pub enum Value<'a> {
    /// Of counters and levels.
    Number(Decimal),
    /// Of histograms.
    Histogram(Histogram<'a>),
}

/// How values are spread.
#[derive(Clone, Debug)]
pub struct Histogram<'a> {
    /// The boundaries of its buckets.
    pub boundaries: &'a Boundaries,
    /// How many values were in each bucket, one number for each. Not cumulative.
    pub counts: Vec<u64>,
    /// All values together.
    pub sum: Decimal,
    /// At most one for each bucket, in their order.
    pub exemplars: Vec<Exemplar>,
}

/// A request that stands for those of its bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exemplar {
    /// Which bucket it was in.
    pub bucket: usize,
    /// Its trace.
    pub trace_id: TraceId,
    /// Its span.
    pub span_id: SpanId,
    /// Its value.
    pub value: Decimal,
    /// When it was.
    pub at: Wall,
}

impl Histogram<'_> {
    /// How many values there were.
    pub fn count(&self) -> u64 {
        self.counts.iter().fold(0, |sum, count| sum.wrapping_add(*count))
    }
}

//! What was counted as metrics of OTLP, in pieces that a collector takes.
//!
//! What is new since the last time, and when to send it, is not decided here: a reading says all of it.

use super::protobuf::{Message, headed, write_head};
use crate::config::Temporality;
use crate::head::number;
use crate::red::{Exemplar, Family, Histogram, Kind, Point, Reading, Value};

/// Field numbers of `opentelemetry.proto.metrics.v1`. Those of most fields are below sixteen, so that a tag
/// takes one byte.
mod field {
    pub(super) const OF_SCOPE_METRICS: u32 = 2;
    pub(super) const NAME: u32 = 1;
    pub(super) const DESCRIPTION: u32 = 2;
    pub(super) const UNIT: u32 = 3;
    pub(super) const GAUGE: u32 = 5;
    pub(super) const SUM: u32 = 7;
    pub(super) const HISTOGRAM: u32 = 9;

    /// Of a gauge, a sum and a histogram alike.
    pub(super) const POINT: u32 = 1;
    pub(super) const TEMPORALITY: u32 = 2;
    pub(super) const IS_MONOTONIC: u32 = 3;

    /// Of all points, and of exemplars.
    pub(super) const START: u32 = 2;
    pub(super) const TIME: u32 = 3;
}

/// Writes a reading as metrics, and hands over one piece after the other: each is a number of items for an
/// envelope, and none is empty.
///
/// A piece is no longer than `longest`, unless it is of a single point that is. A metric whose points are in
/// several pieces is named in each.
pub fn write_metrics(
    reading: &Reading<'_>,
    temporality: Temporality,
    longest: usize,
    hand_over: &mut dyn FnMut(&[u8]),
) {
    let mut pieces = Pieces { longest, hand_over, piece: Vec::new(), points: Vec::new() };
    let mut written = Vec::new();
    for read in &reading.families {
        let frame = Frame::of(read.family, temporality);
        for point in &read.points {
            written.clear();
            write_point(reading, read.family, point, &mut written);
            pieces.add(&frame, &written);
        }
        pieces.close(&frame);
    }
    pieces.finish();
}

/// All of a metric that is no point.
struct Frame {
    /// The fields in front: its name, what it says, and its unit.
    head: Vec<u8>,
    /// The tag of the field with the points.
    tag: u8,
    /// The fields behind the points.
    tail: Vec<u8>,
}

/// What is about to be handed over.
struct Pieces<'a> {
    longest: usize,
    hand_over: &'a mut dyn FnMut(&[u8]),
    /// Whole metrics.
    piece: Vec<u8>,
    /// Points of one more metric.
    points: Vec<u8>,
}

impl Frame {
    fn of(family: &Family, temporality: Temporality) -> Self {
        let data = match family.kind {
            Kind::Counter | Kind::Amount | Kind::Level => field::SUM,
            Kind::Histogram => field::HISTOGRAM,
            Kind::Info => field::GAUGE,
        };
        let mut frame = Self { head: Vec::new(), tag: bytes_tag(data), tail: Vec::new() };
        write_names(family, &mut Message::new(&mut frame.head));
        write_kind(family.kind, temporality, &mut Message::new(&mut frame.tail));
        frame
    }

    /// How long the points are with all of this around them.
    fn around(&self, points: usize) -> usize {
        headed(self.inside(points))
    }

    fn inside(&self, points: usize) -> usize {
        self.head.len() + headed(points + self.tail.len())
    }

    fn wrap(&self, points: &[u8], out: &mut Vec<u8>) {
        write_head(bytes_tag(field::OF_SCOPE_METRICS), self.inside(points.len()), out);
        out.extend_from_slice(&self.head);
        write_head(self.tag, points.len() + self.tail.len(), out);
        out.extend_from_slice(points);
        out.extend_from_slice(&self.tail);
    }
}

impl Pieces<'_> {
    /// Adds a point of the metric that is open. What is there goes first if it does not fit.
    fn add(&mut self, frame: &Frame, point: &[u8]) {
        let points = self.points.len() + point.len();
        if self.piece.len() + frame.around(points) > self.longest {
            self.close(frame);
            self.finish();
        }
        self.points.extend_from_slice(point);
    }

    /// Ends the metric that is open.
    fn close(&mut self, frame: &Frame) {
        if !self.points.is_empty() {
            frame.wrap(&self.points, &mut self.piece);
            self.points.clear();
        }
    }

    fn finish(&mut self) {
        if !self.piece.is_empty() {
            (self.hand_over)(&self.piece);
            self.piece.clear();
        }
    }
}

fn bytes_tag(field: u32) -> u8 {
    field.to_le_bytes()[0] << 3 | 2
}

fn write_names(family: &Family, metric: &mut Message<'_>) {
    use field::{DESCRIPTION, NAME, UNIT};

    for (field, text) in [(NAME, &family.name), (DESCRIPTION, &family.about), (UNIT, &family.unit)]
    {
        if !text.is_empty() {
            metric.bytes(field, text.as_bytes());
        }
    }
}

/// What a metric says of all its points.
fn write_kind(kind: Kind, temporality: Temporality, data: &mut Message<'_>) {
    const DELTA: u64 = 1;
    const CUMULATIVE: u64 = 2;
    if kind == Kind::Info {
        return;
    }
    let is_new = temporality == Temporality::Delta && kind != Kind::Level;
    data.varint(field::TEMPORALITY, if is_new { DELTA } else { CUMULATIVE });
    if matches!(kind, Kind::Counter | Kind::Amount) {
        data.varint(field::IS_MONOTONIC, 1);
    }
}

/// Writes a point. One whose value is not of its family's kind cannot be said, and nothing is.
fn write_point(reading: &Reading<'_>, family: &Family, point: &Point<'_>, out: &mut Vec<u8>) {
    /// The attributes of a `NumberDataPoint` and of a `HistogramDataPoint`.
    const OF_NUMBER: u32 = 7;
    const OF_HISTOGRAM: u32 = 9;
    let is_histogram = matches!(point.value, Value::Histogram(_));
    if is_histogram != (family.kind == Kind::Histogram) {
        return;
    }
    let start = match family.kind {
        Kind::Counter | Kind::Amount | Kind::Histogram => reading.since,
        Kind::Level | Kind::Info => reading.began,
    };
    let mut batch = Message::new(out);
    let mut message = batch.message(field::POINT);
    message.fixed64(field::START, start.0);
    message.fixed64(field::TIME, reading.now.0);
    match &point.value {
        Value::Number(amount) if family.kind == Kind::Amount => message.double(4, amount.as_f64()),
        Value::Number(number) => message.sfixed64(6, whole(number.parts().0)),
        Value::Histogram(histogram) => write_histogram(histogram, &mut message),
    }
    let attribute = if is_histogram { OF_HISTOGRAM } else { OF_NUMBER };
    for (name, value) in family.labels.iter().zip(&point.labels) {
        write_attribute(attribute, name, value, &mut message);
    }
}

/// What of a `HistogramDataPoint` no other point has.
fn write_histogram(histogram: &Histogram<'_>, message: &mut Message<'_>) {
    message.fixed64(4, histogram.count());
    message.double(5, histogram.sum.as_f64());
    message.packed64(6, &mut histogram.counts.iter().copied());
    message.packed64(7, &mut histogram.boundaries.iter().map(|it| it.as_f64().to_bits()));
    for exemplar in &histogram.exemplars {
        write_exemplar(exemplar, &mut message.message(8));
    }
}

/// Which bucket it is of, its value says.
fn write_exemplar(exemplar: &Exemplar, message: &mut Message<'_>) {
    message.fixed64(2, exemplar.at.0);
    message.double(3, exemplar.value.as_f64());
    message.bytes(4, exemplar.span_id.as_bytes());
    message.bytes(5, exemplar.trace_id.as_bytes());
}

/// Only statuses are numbers.
fn write_attribute(field: u32, name: &str, value: &str, message: &mut Message<'_>) {
    if value.is_empty() {
        return;
    }
    let status = (name == "http.response.status_code").then(|| number::<u16>(value.as_bytes()));
    match status.flatten() {
        Some(status) => message.attribute_int(field, name, status.into()),
        None => message.attribute_text(field, name, value.as_bytes()),
    }
}

/// OTLP has a sign, and what we count has none.
fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;

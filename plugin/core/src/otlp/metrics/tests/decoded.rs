//! Metrics read back from their bytes, field by field, with nothing of the writer.

use crate::wire::{Field, next_field};

/// A `Metric`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Metric {
    pub(super) name: String,
    pub(super) about: String,
    pub(super) unit: String,
    /// The field number of a gauge, a sum or a histogram.
    pub(super) data: u64,
    pub(super) temporality: u64,
    pub(super) is_monotonic: bool,
    pub(super) points: Vec<Point>,
}

/// A `NumberDataPoint` or a `HistogramDataPoint`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Point {
    pub(super) start: u64,
    pub(super) time: u64,
    pub(super) value: Value,
    pub(super) attributes: Vec<(String, Attribute)>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Value {
    #[default]
    None,
    Int(i64),
    Double(f64),
    Histogram(Histogram),
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Histogram {
    pub(super) count: u64,
    pub(super) sum: f64,
    pub(super) counts: Vec<u64>,
    pub(super) bounds: Vec<f64>,
    pub(super) exemplars: Vec<Exemplar>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Exemplar {
    pub(super) time: u64,
    pub(super) value: f64,
    pub(super) span_id: Vec<u8>,
    pub(super) trace_id: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Attribute {
    Text(String),
    Int(u64),
}

/// The metrics of a piece.
pub(super) fn metrics(piece: &[u8]) -> Vec<Metric> {
    let fields = fields(piece);
    let metric = |(number, field): &(u64, Field<'_>)| match (number, field) {
        (2, Field::Bytes(metric)) => self::metric(metric),
        other => panic!("no metric: {other:?}"),
    };
    fields.iter().map(metric).collect()
}

fn metric(bytes: &[u8]) -> Metric {
    let mut metric = Metric::default();
    for (number, field) in fields(bytes) {
        let Field::Bytes(contents) = field else { panic!("{number}: {field:?}") };
        match number {
            1 => metric.name = text(contents),
            2 => metric.about = text(contents),
            3 => metric.unit = text(contents),
            5 | 7 | 9 => data(number, contents, &mut metric),
            _ => panic!("a metric has no field {number}"),
        }
    }
    metric
}

fn data(kind: u64, bytes: &[u8], metric: &mut Metric) {
    metric.data = kind;
    for field in fields(bytes) {
        match field {
            (1, Field::Bytes(point)) if kind == 9 => metric.points.push(histogram_point(point)),
            (1, Field::Bytes(point)) => metric.points.push(number_point(point)),
            (2, Field::Varint(temporality)) if kind != 5 => metric.temporality = temporality,
            (3, Field::Varint(it)) if kind == 7 => metric.is_monotonic = it == 1,
            other => panic!("{kind} has no field {other:?}"),
        }
    }
}

fn number_point(bytes: &[u8]) -> Point {
    let mut point = Point::default();
    for field in fields(bytes) {
        match field {
            (2, Field::Fixed64(start)) => point.start = u64::from_le_bytes(start),
            (3, Field::Fixed64(time)) => point.time = u64::from_le_bytes(time),
            (4, Field::Fixed64(value)) => point.value = Value::Double(f64::from_le_bytes(value)),
            (6, Field::Fixed64(value)) => point.value = Value::Int(i64::from_le_bytes(value)),
            (7, Field::Bytes(pair)) => point.attributes.push(attribute(pair)),
            other => panic!("a number has no field {other:?}"),
        }
    }
    point
}

fn histogram_point(bytes: &[u8]) -> Point {
    let (mut point, mut histogram) = (Point::default(), Histogram::default());
    for field in fields(bytes) {
        match field {
            (2, Field::Fixed64(start)) => point.start = u64::from_le_bytes(start),
            (3, Field::Fixed64(time)) => point.time = u64::from_le_bytes(time),
            (4, Field::Fixed64(count)) => histogram.count = u64::from_le_bytes(count),
            (5, Field::Fixed64(sum)) => histogram.sum = f64::from_le_bytes(sum),
            (6, Field::Bytes(counts)) => histogram.counts = packed(counts, u64::from_le_bytes),
            (7, Field::Bytes(bounds)) => histogram.bounds = packed(bounds, f64::from_le_bytes),
            (8, Field::Bytes(it)) => histogram.exemplars.push(exemplar(it)),
            (9, Field::Bytes(pair)) => point.attributes.push(attribute(pair)),
            other => panic!("a histogram has no field {other:?}"),
        }
    }
    Point { value: Value::Histogram(histogram), ..point }
}

fn exemplar(bytes: &[u8]) -> Exemplar {
    let mut exemplar = Exemplar::default();
    for field in fields(bytes) {
        match field {
            (2, Field::Fixed64(time)) => exemplar.time = u64::from_le_bytes(time),
            (3, Field::Fixed64(value)) => exemplar.value = f64::from_le_bytes(value),
            (4, Field::Bytes(id)) => exemplar.span_id = id.to_vec(),
            (5, Field::Bytes(id)) => exemplar.trace_id = id.to_vec(),
            other => panic!("an exemplar has no field {other:?}"),
        }
    }
    exemplar
}

fn attribute(bytes: &[u8]) -> (String, Attribute) {
    let [(1, Field::Bytes(key)), (2, Field::Bytes(any))] = fields(bytes)[..] else {
        panic!("no attribute: {bytes:?}")
    };
    let value = match fields(any)[..] {
        [(1, Field::Bytes(value))] => Attribute::Text(text(value)),
        [(3, Field::Varint(value))] => Attribute::Int(value),
        _ => panic!("no value: {any:?}"),
    };
    (text(key), value)
}

/// All fields, to the last byte.
fn fields(mut bytes: &[u8]) -> Vec<(u64, Field<'_>)> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        fields.push(next_field(&mut bytes).unwrap_or_else(|| panic!("no field: {bytes:?}")));
    }
    fields
}

fn packed<T>(bytes: &[u8], of: fn([u8; 8]) -> T) -> Vec<T> {
    let (words, rest) = bytes.as_chunks();
    assert!(rest.is_empty(), "{bytes:?}");
    words.iter().copied().map(of).collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

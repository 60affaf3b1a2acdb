//! The page that a scraper reads, in either of its two formats.
//!
//! Not the endpoint: which request gets it, and in which format, is said elsewhere.

mod edges;
mod labels;
mod names;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use super::{
    Decimal, Exemplar, Family, FamilyReading, Format, Histogram, Kind, Point, Reading, Value,
};
use crate::time::write_padded;
use edges::Edges;
use labels::{Labels, write_escaped};
use names::Names;

/// Writes the page behind what `out` holds: `target_info` with the resource's attributes, and all families.
pub fn write(
    reading: &Reading<'_>,
    resource: &[(String, String)],
    format: Format,
    out: &mut Vec<u8>,
) {
    if !resource.is_empty() {
        write_target(resource, format, out);
    }
    let families: Vec<Page<'_>> =
        reading.families.iter().map(|read| Page::new(read, format)).collect();
    // Once for all of it: a page may be of megabytes, and what it has grown out of stays with a worker.
    out.reserve(families.iter().map(Page::room).sum());
    for page in &families {
        page.write(out);
    }
    if format == Format::OpenMetrics {
        out.extend_from_slice(b"# EOF\n");
    }
}

/// What a family is called on the page, but for what its kind adds.
pub(crate) fn name_of(family: &Family) -> String {
    Names::of(family).family
}

/// What is known of the service, for joins: one more family that says something with its labels.
fn write_target(resource: &[(String, String)], format: Format, out: &mut Vec<u8>) {
    let family = Family {
        name: Cow::Borrowed("target_info"),
        kind: Kind::Info,
        unit: Cow::Borrowed(""),
        about: Cow::Borrowed("Target metadata"),
        labels: resource.iter().map(|(key, _)| Cow::Owned(key.clone())).collect(),
    };
    let labels = resource.iter().map(|(_, value)| value.as_str()).collect();
    let points = vec![Point { labels, value: Value::Number(Decimal::whole(1)) }];
    Page::new(&FamilyReading { family: &family, points }, format).write(out);
}

/// One family on its way to the page.
struct Page<'a> {
    family: &'a Family,
    points: &'a [Point<'a>],
    names: Names,
    labels: Labels,
    format: Format,
}

/// More than a bucket's line has besides name and labels: `_bucket{`, the boundary, the number.
const LINE: usize = 50;
/// As much as an exemplar has with a time of now and a value in nanoseconds.
const EXEMPLAR: usize = 105;

impl<'a> Page<'a> {
    fn new(read: &'a FamilyReading<'a>, format: Format) -> Self {
        let FamilyReading { family, points } = read;
        let keys: Vec<&str> = family.labels.iter().map(AsRef::as_ref).collect();
        Self { family, points, names: Names::of(family), labels: Labels::new(&keys), format }
    }

    /// How many bytes it takes, or a little more.
    fn room(&self) -> usize {
        let line = self.names.family.len() + self.labels.len() + LINE;
        let exemplar = if self.format == Format::OpenMetrics { EXEMPLAR } else { 0 };
        let points = self.points.iter().map(|point| {
            let line = line + point.labels.iter().map(|label| label.len()).sum::<usize>();
            match &point.value {
                Value::Number(_) => line,
                Value::Histogram(histogram) => {
                    (histogram.counts.len() + 2) * line + histogram.exemplars.len() * exemplar
                }
            }
        });
        points.sum::<usize>() + 4 * line + self.family.about.len()
    }

    fn write(&self, out: &mut Vec<u8>) {
        self.write_metadata(out);
        let (mut labels, mut edges) = (Vec::new(), Edges::default());
        for point in self.points {
            labels.clear();
            self.labels.write(&point.labels, &mut labels);
            match &point.value {
                Value::Number(number) => {
                    self.write_sample(self.names.suffix, &labels, *number, out);
                }
                Value::Histogram(histogram) => {
                    self.write_buckets(histogram, edges.of(histogram.boundaries), &labels, out);
                    self.write_sample("_sum", &labels, histogram.sum, out);
                    self.write_sample("_count", &labels, Decimal::whole(histogram.count()), out);
                }
            }
        }
    }

    /// Type, unit and help. In `OpenMetrics` they are the family's, in Prometheus' text the samples'.
    fn write_metadata(&self, out: &mut Vec<u8>) {
        let Names { family, unit, suffix } = &self.names;
        let openmetrics = self.format == Format::OpenMetrics;
        let suffix = if openmetrics { "" } else { suffix };
        let kind = match self.family.kind {
            Kind::Counter | Kind::Amount => "counter",
            Kind::Histogram => "histogram",
            Kind::Info if openmetrics => "info",
            Kind::Info | Kind::Level => "gauge",
        };
        let [family, suffix, unit] = [family, suffix, unit].map(str::as_bytes);
        put(&[b"# TYPE ", family, suffix, b" ", kind.as_bytes()], out);
        if openmetrics && !unit.is_empty() {
            put(&[b"\n# UNIT ", family, b" ", unit], out);
        }
        put(&[b"\n# HELP ", family, suffix, b" "], out);
        write_help(&self.family.about, self.format, out);
        out.push(b'\n');
    }

    fn write_sample(&self, suffix: &str, labels: &[u8], number: Decimal, out: &mut Vec<u8>) {
        let (open, close): (&[u8], &[u8]) =
            if labels.is_empty() { (b"", b"") } else { (b"{", b"}") };
        let family = self.names.family.as_bytes();
        put(&[family, suffix.as_bytes(), open, labels, close, b" "], out);
        number.write(out);
        out.push(b'\n');
    }

    /// A line for each boundary, which counts all values up to it.
    fn write_buckets(
        &self,
        histogram: &Histogram<'_>,
        edges: &[Vec<u8>],
        labels: &[u8],
        out: &mut Vec<u8>,
    ) {
        let comma: &[u8] = if labels.is_empty() { b"" } else { b"," };
        let start = [self.names.family.as_bytes(), b"_bucket{", labels, comma].concat();
        let mut exemplars = histogram.exemplars.iter().peekable();
        let mut total = 0_u64;
        for (bucket, (edge, count)) in edges.iter().zip(&histogram.counts).enumerate() {
            total = total.wrapping_add(*count);
            put(&[&start, edge], out);
            Decimal::whole(total).write(out);
            if let Some(exemplar) = exemplars.next_if(|exemplar| exemplar.bucket == bucket)
                && self.format == Format::OpenMetrics
            {
                write_exemplar(exemplar, out);
            }
            out.push(b'\n');
        }
    }
}

/// ` # {trace_id="…",span_id="…"} 0.25 1790000000.123`
fn write_exemplar(exemplar: &Exemplar, out: &mut Vec<u8>) {
    let (trace_id, span_id) = (exemplar.trace_id.to_hex(), exemplar.span_id.to_hex());
    put(&[b" # {trace_id=\"", &trace_id, b"\",span_id=\"", &span_id, b"\"} "], out);
    exemplar.value.write(out);
    out.push(b' ');
    let millis = exemplar.at.millis();
    Decimal::whole(millis / 1_000).write(out);
    out.push(b'.');
    write_padded(millis % 1_000, 3, out);
}

/// Prometheus' text has no escape for a quote where there are no quotes around.
fn write_help(about: &str, format: Format, out: &mut Vec<u8>) {
    let quote = if format == Format::Text { "\"" } else { "\\\"" };
    write_escaped(about, quote, out);
}

/// Appends all of it. Not inlined, because it is called in many places and the module is to be small.
#[inline(never)]
fn put(parts: &[&[u8]], out: &mut Vec<u8>) {
    for part in parts {
        out.extend_from_slice(part);
    }
}

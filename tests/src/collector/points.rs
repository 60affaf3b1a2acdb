//! What collectors know of metrics: every point by itself, with all that is said about it.

use std::collections::BTreeMap;
use std::sync::Arc;

use sightline_cli::otlp::Signal;
use sightline_cli::otlp::proto::collector::metrics::v1::ExportMetricsServiceRequest;
use sightline_cli::otlp::proto::common::v1::any_value::Value as Any;
use sightline_cli::otlp::proto::common::v1::{InstrumentationScope, KeyValue};
use sightline_cli::otlp::proto::metrics::v1::metric::Data;
use sightline_cli::otlp::proto::metrics::v1::number_data_point::Value as Number;
use sightline_cli::otlp::proto::metrics::v1::{
    AggregationTemporality, HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics,
};

/// A point of a metric, and where it came from.
#[derive(Clone, Debug, PartialEq)]
pub struct ReceivedPoint {
    /// The resource's attributes: texts as they are, whole numbers as text.
    pub resource: Arc<BTreeMap<String, String>>,
    /// Who wrote it.
    pub scope: Arc<InstrumentationScope>,
    /// The metric's name.
    pub name: String,
    /// What the metric says.
    pub about: String,
    /// The metric's unit.
    pub unit: String,
    /// Whether it is of all time, or of what is new; a gauge is neither.
    pub temporality: Option<AggregationTemporality>,
    /// Whether it is a sum that never goes down.
    pub is_monotonic: bool,
    /// Its attributes: texts as they are, whole numbers as text. [`Self::int`] tells them apart.
    pub attributes: BTreeMap<String, String>,
    /// Which of its attributes are whole numbers.
    ints: BTreeMap<String, i64>,
    /// Since when it is counted, in nanoseconds since the epoch.
    pub start: u64,
    /// When it was read, likewise.
    pub time: u64,
    /// What was counted.
    pub value: PointValue,
}

/// What was counted.
#[derive(Clone, Debug, PartialEq)]
pub enum PointValue {
    /// A whole number.
    Int(i64),
    /// A number with decimals.
    Double(f64),
    /// How values are spread: also its exemplars.
    Histogram(HistogramDataPoint),
}

impl ReceivedPoint {
    /// All points of an export's message, in their order.
    pub fn all_in(message: &[u8]) -> Vec<Self> {
        match Signal::metrics(message.to_vec().into()) {
            Ok(Signal::Metrics(request)) => points(&request),
            other => panic!("no metrics: {other:?}"),
        }
    }

    /// Whether it has at least these attributes. Whole numbers are compared as text.
    pub fn has(&self, attributes: &[(&str, &str)]) -> bool {
        attributes.iter().all(|(name, value)| self.text(name) == Some(value))
    }

    /// An attribute; a whole number as text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }

    /// An attribute that is a whole number.
    pub fn int(&self, name: &str) -> Option<i64> {
        self.ints.get(name).copied()
    }

    /// What it has of a histogram, if it is one.
    pub fn histogram(&self) -> Option<&HistogramDataPoint> {
        match &self.value {
            PointValue::Histogram(histogram) => Some(histogram),
            PointValue::Int(_) | PointValue::Double(_) => None,
        }
    }

    /// How many there were: of a histogram its values, of a counter or a level what it says.
    pub fn count(&self) -> Option<u64> {
        match &self.value {
            PointValue::Int(count) => u64::try_from(*count).ok(),
            PointValue::Double(_) => None,
            PointValue::Histogram(histogram) => Some(histogram.count),
        }
    }

    /// What its values add up to: of a histogram, or an amount.
    pub fn sum(&self) -> Option<f64> {
        match &self.value {
            PointValue::Int(_) => None,
            PointValue::Double(sum) => Some(*sum),
            PointValue::Histogram(histogram) => histogram.sum,
        }
    }

    /// It in one line, for a test that fails.
    pub(super) fn told(&self) -> String {
        let Self { name, attributes, start, time, .. } = self;
        let (count, sum) = (self.count(), self.sum());
        format!("{name} {attributes:?}: {count:?} {sum:?} from {start} to {time}")
    }

    /// Two points with the same identity say the same, and the later is right.
    fn identity(&self) -> (&BTreeMap<String, String>, &str, &BTreeMap<String, String>, u64) {
        (&self.resource, &self.name, &self.attributes, self.start)
    }
}

/// All points of an export, in their order.
pub(super) fn points(request: &ExportMetricsServiceRequest) -> Vec<ReceivedPoint> {
    request.resource_metrics.iter().flat_map(of_resource).collect()
}

/// What a backend adds up: of all points that tell of the same time, in the same series, the newest. A counter
/// that began anew counts beside what it was before, and of what is new every point counts once.
pub(super) fn newest(points: &[ReceivedPoint]) -> Vec<&ReceivedPoint> {
    let mut newest = BTreeMap::new();
    for point in points {
        let known = newest.entry(point.identity()).or_insert(point);
        if known.time <= point.time {
            *known = point;
        }
    }
    newest.into_values().collect()
}

fn of_resource(metrics: &ResourceMetrics) -> Vec<ReceivedPoint> {
    let attributes = metrics.resource.as_ref().map(|resource| resource.attributes.as_slice());
    let (resource, _) = attributes_of(attributes.unwrap_or_default());
    let resource = Arc::new(resource);
    let of_scope = metrics.scope_metrics.iter().flat_map(|scoped| {
        let scope = Arc::new(scoped.scope.clone().unwrap_or_default());
        let metrics = scoped.metrics.iter().flat_map(of_metric);
        metrics.map(move |point| ReceivedPoint { scope: Arc::clone(&scope), ..point })
    });
    of_scope.map(|point| ReceivedPoint { resource: Arc::clone(&resource), ..point }).collect()
}

fn of_metric(metric: &Metric) -> Vec<ReceivedPoint> {
    let bare = |attributes: &[KeyValue], start, time, value| {
        let (attributes, ints) = attributes_of(attributes);
        ReceivedPoint {
            resource: Arc::default(),
            scope: Arc::default(),
            name: metric.name.clone(),
            about: metric.description.clone(),
            unit: metric.unit.clone(),
            temporality: temporality(metric),
            is_monotonic: matches!(&metric.data, Some(Data::Sum(sum)) if sum.is_monotonic),
            attributes,
            ints,
            start,
            time,
            value,
        }
    };
    let number = |it: &NumberDataPoint| {
        let (start, time) = (it.start_time_unix_nano, it.time_unix_nano);
        bare(&it.attributes, start, time, number_of(it))
    };
    let histogram = |it: &HistogramDataPoint| {
        let (start, time) = (it.start_time_unix_nano, it.time_unix_nano);
        bare(&it.attributes, start, time, PointValue::Histogram(it.clone()))
    };
    match &metric.data {
        Some(Data::Gauge(gauge)) => gauge.data_points.iter().map(number).collect(),
        Some(Data::Sum(sum)) => sum.data_points.iter().map(number).collect(),
        Some(Data::Histogram(it)) => it.data_points.iter().map(histogram).collect(),
        other => panic!("{} is of a kind that nobody here sends: {other:?}", metric.name),
    }
}

fn temporality(metric: &Metric) -> Option<AggregationTemporality> {
    match &metric.data {
        Some(Data::Sum(sum)) => Some(sum.aggregation_temporality()),
        Some(Data::Histogram(histogram)) => Some(histogram.aggregation_temporality()),
        _ => None,
    }
}

fn number_of(point: &NumberDataPoint) -> PointValue {
    match point.value {
        Some(Number::AsInt(value)) => PointValue::Int(value),
        Some(Number::AsDouble(value)) => PointValue::Double(value),
        None => panic!("a point without a value: {point:?}"),
    }
}

/// All attributes as texts, and those again that are whole numbers. There are no others.
fn attributes_of(pairs: &[KeyValue]) -> (BTreeMap<String, String>, BTreeMap<String, i64>) {
    let (mut texts, mut ints) = (BTreeMap::new(), BTreeMap::new());
    for KeyValue { key, value, .. } in pairs {
        let text = match value.as_ref().and_then(|any| any.value.as_ref()) {
            Some(Any::StringValue(text)) => text.clone(),
            Some(Any::IntValue(int)) => {
                ints.insert(key.clone(), *int);
                int.to_string()
            }
            other => panic!("{key} is neither a text nor a whole number: {other:?}"),
        };
        assert_eq!(texts.insert(key.clone(), text), None, "{key} is there twice");
    }
    (texts, ints)
}

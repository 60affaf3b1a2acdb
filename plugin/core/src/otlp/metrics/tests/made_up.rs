//! Readings of any kind, and what has to arrive of them.

use proptest::collection::vec;
use proptest::prelude::*;

use super::decoded;
use crate::Wall;
use crate::config::Temporality;
use crate::identity::{SpanId, TraceId};
use crate::red::{
    Boundaries, Decimal, Exemplar, Family, FamilyReading, Histogram, Kind, Point, Reading, Value,
};

/// A reading that owns what it shows.
#[derive(Clone, Debug)]
pub(super) struct MadeUp {
    pub(super) began: u64,
    pub(super) since: u64,
    pub(super) now: u64,
    families: Vec<(Family, Boundaries, Vec<MadeUpPoint>)>,
}

#[derive(Clone, Debug)]
struct MadeUpPoint {
    labels: Vec<String>,
    whole: u64,
    nanos: u64,
    counts: Vec<u32>,
    exemplars: Vec<Exemplar>,
}

impl MadeUp {
    pub(super) fn any() -> impl Strategy<Value = Self> {
        (any::<[u64; 3]>(), vec(family(), 0..5)).prop_map(|([began, since, now], families)| {
            // Names are told apart by their place, so that a metric in two pieces is seen to be one.
            let families =
                families.into_iter().enumerate().map(|(at, (mut family, bounds, points))| {
                    family.name = format!("{}{at}", family.name).into();
                    (family, bounds, points)
                });
            Self { began, since, now, families: families.collect() }
        })
    }

    pub(super) fn reading(&self) -> Reading<'_> {
        let families = self.families.iter().map(|(family, boundaries, points)| FamilyReading {
            family,
            points: points.iter().map(|point| point.shown(family.kind, boundaries)).collect(),
        });
        let [began, since, now] = [self.began, self.since, self.now].map(Wall);
        Reading { began, since, now, families: families.collect() }
    }

    /// How many points there are.
    pub(super) fn count(&self) -> usize {
        self.families.iter().map(|(.., points)| points.len()).sum()
    }

    /// What arrives, with each metric in one piece.
    pub(super) fn expected(&self, temporality: Temporality) -> Vec<decoded::Metric> {
        let filled = self.families.iter().filter(|(.., points)| !points.is_empty());
        filled
            .map(|(family, bounds, points)| {
                let temporality = if temporality == Temporality::Delta { 1 } else { 2 };
                let (data, temporality, is_monotonic) = match family.kind {
                    Kind::Counter | Kind::Amount => (7, temporality, true),
                    Kind::Level => (7, 2, false),
                    Kind::Histogram => (9, temporality, false),
                    Kind::Info => (5, 0, false),
                };
                decoded::Metric {
                    name: family.name.to_string(),
                    about: family.about.to_string(),
                    unit: family.unit.to_string(),
                    data,
                    temporality,
                    is_monotonic,
                    points: points
                        .iter()
                        .map(|point| self.expected_point(family, bounds, point))
                        .collect(),
                }
            })
            .collect()
    }

    fn expected_point(
        &self,
        family: &Family,
        bounds: &Boundaries,
        point: &MadeUpPoint,
    ) -> decoded::Point {
        let is_of_now = matches!(family.kind, Kind::Level | Kind::Info);
        let pairs = family.labels.iter().zip(&point.labels).filter(|(_, value)| !value.is_empty());
        let attributes = pairs.map(|(name, value)| {
            let is_number = name == "http.response.status_code";
            let number = value.parse().ok().filter(|_| is_number).map(decoded::Attribute::Int);
            (name.to_string(), number.unwrap_or_else(|| decoded::Attribute::Text(value.clone())))
        });
        decoded::Point {
            start: if is_of_now { self.began } else { self.since },
            time: self.now,
            value: point.expected(family.kind, bounds),
            attributes: attributes.collect(),
        }
    }
}

impl MadeUpPoint {
    fn amount(&self) -> Decimal {
        Decimal::of_parts(self.whole, self.nanos)
    }

    fn shown<'a>(&'a self, kind: Kind, boundaries: &'a Boundaries) -> Point<'a> {
        let value = match kind {
            Kind::Histogram => Value::Histogram(Histogram {
                boundaries,
                counts: self.counts(boundaries),
                sum: self.amount(),
                exemplars: self.exemplars.clone(),
            }),
            Kind::Amount => Value::Number(self.amount()),
            Kind::Counter | Kind::Level | Kind::Info => Value::Number(Decimal::whole(self.whole)),
        };
        Point { labels: self.labels.iter().map(String::as_str).collect(), value }
    }

    fn counts(&self, boundaries: &Boundaries) -> Vec<u64> {
        self.counts.iter().map(|&count| count.into()).take(boundaries.buckets()).collect()
    }

    fn expected(&self, kind: Kind, boundaries: &Boundaries) -> decoded::Value {
        match kind {
            Kind::Counter | Kind::Level | Kind::Info => {
                decoded::Value::Int(self.whole.min(i64::MAX.unsigned_abs()).cast_signed())
            }
            Kind::Amount => decoded::Value::Double(self.amount().as_f64()),
            Kind::Histogram => decoded::Value::Histogram(decoded::Histogram {
                count: self.counts(boundaries).iter().sum(),
                sum: self.amount().as_f64(),
                counts: self.counts(boundaries),
                bounds: boundaries.iter().map(Decimal::as_f64).collect(),
                exemplars: self.exemplars.iter().map(expected_exemplar).collect(),
            }),
        }
    }
}

fn expected_exemplar(exemplar: &Exemplar) -> decoded::Exemplar {
    decoded::Exemplar {
        time: exemplar.at.0,
        value: exemplar.value.as_f64(),
        span_id: exemplar.span_id.as_bytes().to_vec(),
        trace_id: exemplar.trace_id.as_bytes().to_vec(),
    }
}

fn family() -> impl Strategy<Value = (Family, Boundaries, Vec<MadeUpPoint>)> {
    use Kind::{Amount, Counter, Histogram, Info, Level};
    let kind = prop::sample::select(vec![Counter, Amount, Level, Histogram, Info]);
    let labels =
        prop::sample::subsequence(vec!["http.route", "http.response.status_code", "é"], 0..=3);
    (kind, "[a-z.]{1,9}", "[a-z]{0,3}", "[ a-z]{0,200}", labels, boundaries(), vec(point(), 0..20))
        .prop_map(|(kind, name, unit, about, labels, boundaries, points)| {
            let labels = labels.into_iter().map(Into::into).collect::<Vec<_>>().into();
            let family =
                Family { name: name.into(), kind, unit: unit.into(), about: about.into(), labels };
            (family, boundaries, points)
        })
}

fn boundaries() -> impl Strategy<Value = Boundaries> {
    prop::collection::btree_set(1_u64.., 0..20).prop_map(|nanos| {
        let boundaries: Vec<_> = nanos.into_iter().map(Decimal::from_nanos).collect();
        Boundaries::new(&boundaries).unwrap()
    })
}

fn point() -> impl Strategy<Value = MadeUpPoint> {
    let labels = vec(prop_oneof!["", "200", "404", "[a-zé/]{1,30}"], 3);
    (labels, any::<u64>(), 0_u64..1_000_000_000, vec(any::<u32>(), 21), vec(exemplar(), 0..3))
        .prop_map(|(labels, whole, nanos, counts, exemplars)| MadeUpPoint {
            labels,
            whole,
            nanos,
            counts,
            exemplars,
        })
}

fn exemplar() -> impl Strategy<Value = Exemplar> {
    (1_u128.., 1_u64.., any::<u64>(), any::<u64>()).prop_map(|(trace, span, nanos, at)| Exemplar {
        bucket: 0,
        trace_id: TraceId::from_bytes(trace.to_be_bytes()).unwrap(),
        span_id: SpanId::from_bytes(span.to_be_bytes()).unwrap(),
        value: Decimal::from_nanos(nanos),
        at: Wall(at),
    })
}

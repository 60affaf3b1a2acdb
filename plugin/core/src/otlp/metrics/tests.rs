//! Metrics against the bytes of another writer, against what any reading says, and in pieces of any length.

mod decoded;
mod golden;
mod made_up;

use proptest::prelude::*;

use self::made_up::MadeUp;
use super::*;
use crate::Wall;
use crate::identity::{SpanId, TraceId};
use crate::red::family::{BUILD, DROPPED, SERVER_ACTIVE, SERVER_DURATION};
use crate::red::{Boundaries, Decimal, FamilyReading};

/// Longer than any piece.
const ALL: usize = 1 << 30;

fn decimal(text: &str) -> Decimal {
    Decimal::parse(text.as_bytes()).unwrap()
}

fn number<'a>(labels: &[&'a str], amount: &str) -> Point<'a> {
    Point { labels: labels.to_vec(), value: Value::Number(decimal(amount)) }
}

fn reading<'a>(family: &'a Family, points: Vec<Point<'a>>) -> Reading<'a> {
    Reading {
        began: Wall(1_000),
        since: Wall(2_000),
        now: Wall(3_000),
        families: vec![FamilyReading { family, points }],
    }
}

fn pieces(reading: &Reading<'_>, temporality: Temporality, longest: usize) -> Vec<Vec<u8>> {
    let mut pieces = Vec::new();
    write_metrics(reading, temporality, longest, &mut |piece| pieces.push(piece.to_vec()));
    pieces
}

fn hex(reading: &Reading<'_>, temporality: Temporality) -> String {
    let bytes = pieces(reading, temporality, ALL).concat();
    format!("{bytes:02x?}").replace(|other: char| !other.is_alphanumeric(), "")
}

fn histogram(boundaries: &Boundaries) -> Value<'_> {
    let exemplar = Exemplar {
        bucket: 2,
        trace_id: TraceId::from_bytes([1; 16]).unwrap(),
        span_id: SpanId::from_bytes([2; 8]).unwrap(),
        value: decimal("0.125"),
        at: Wall(2_500),
    };
    Value::Histogram(Histogram {
        boundaries,
        counts: vec![1, 2, 3],
        sum: decimal("0.75"),
        exemplars: vec![exemplar],
    })
}

#[test]
fn numbers_are_those_of_another_writer() {
    use Temporality::{Cumulative, Delta};

    let payments = Family {
        name: "sightline.custom.payments".into(),
        kind: Kind::Amount,
        unit: "EUR".into(),
        about: "Payments".into(),
        labels: vec![].into(),
    };
    let dropped = || {
        reading(&DROPPED, vec![number(&["traces", "expired"], "7"), number(&["metrics", ""], "0")])
    };
    let active = reading(&SERVER_ACTIVE, vec![number(&["GET", "http"], "3")]);
    for (name, reading, temporality, expected) in [
        ("a counter", dropped(), Cumulative, golden::COUNTER),
        ("a counter of what is new", dropped(), Delta, golden::NEWS),
        ("an amount", reading(&payments, vec![number(&[], "12.1")]), Cumulative, golden::AMOUNT),
        ("a level, of all time even so", active, Delta, golden::LEVEL),
        ("a version", reading(&BUILD, vec![number(&["0.1.0"], "1")]), Delta, golden::VERSION),
    ] {
        assert_eq!(hex(&reading, temporality), expected, "{name}");
    }
}

#[test]
fn a_histogram_is_that_of_another_writer() {
    let boundaries = Boundaries::new(&[decimal("0.005"), decimal("0.1")]).unwrap();
    let labels = vec!["GET", "http", "/users/{id}", "500", "500", "1.1"];
    let point = Point { labels, value: histogram(&boundaries) };
    let reading = reading(&SERVER_DURATION, vec![point]);
    assert_eq!(hex(&reading, Temporality::Delta), golden::HISTOGRAM);
}

#[test]
fn nothing_is_handed_over_where_nothing_can_be_said() {
    let boundaries = Boundaries::new(&[decimal("1"), decimal("2")]).unwrap();
    let spread = Point { labels: vec!["a", "b"], value: histogram(&boundaries) };
    for (name, reading) in [
        ("no families", Reading::default()),
        ("no points", reading(&DROPPED, vec![])),
        ("a histogram among counters", reading(&DROPPED, vec![spread])),
        ("a number among histograms", reading(&SERVER_DURATION, vec![number(&["GET"], "1")])),
    ] {
        for longest in [0, ALL] {
            assert!(pieces(&reading, Temporality::Delta, longest).is_empty(), "{name}, {longest}");
        }
    }
}

#[test]
fn a_piece_is_full_before_there_is_another() {
    let points = (0..3).map(|_| number(&["traces", "expired"], "7")).collect();
    let reading = reading(&DROPPED, points);
    let whole = pieces(&reading, Temporality::Cumulative, ALL).concat().len();
    let lengths = |longest| {
        let pieces = pieces(&reading, Temporality::Cumulative, longest);
        pieces.iter().map(|piece| decoded::metrics(piece)[0].points.len()).collect::<Vec<_>>()
    };
    assert_eq!(lengths(whole), [3]);
    assert_eq!(lengths(whole - 1), [2, 1]);
    assert_eq!(lengths(0), [1, 1, 1]);
}

/// Puts together again what the pieces have of one metric.
fn joined(pieces: &[Vec<u8>]) -> Vec<decoded::Metric> {
    let mut all: Vec<decoded::Metric> = Vec::new();
    for mut metric in pieces.iter().flat_map(|piece| decoded::metrics(piece)) {
        match all.last_mut().filter(|last| last.name == metric.name) {
            Some(last) => {
                let points = std::mem::take(&mut metric.points);
                assert_eq!(metric, decoded::Metric { points: vec![], ..last.clone() });
                last.points.extend(points);
            }
            None => all.push(metric),
        }
    }
    all
}

fn temporality() -> impl Strategy<Value = Temporality> {
    prop::sample::select(vec![Temporality::Cumulative, Temporality::Delta])
}

proptest! {
    #[test]
    fn every_number_arrives_in_pieces_of_any_length(
        made_up in MadeUp::any(), temporality in temporality(), longest in 0_usize..4_000,
    ) {
        let pieces = pieces(&made_up.reading(), temporality, longest);
        prop_assert_eq!(joined(&pieces), made_up.expected(temporality));
        for piece in &pieces {
            let points: usize = decoded::metrics(piece).iter().map(|metric| metric.points.len()).sum();
            prop_assert!(points > 0 && (points == 1 || piece.len() <= longest));
        }
        // A piece and the next are more than one could hold.
        let sizes: Vec<_> = pieces.iter().map(Vec::len).collect();
        prop_assert!(sizes.windows(2).all(|two| two[0] + two[1] > longest), "{:?}", sizes);
    }

    #[test]
    fn one_piece_is_enough_if_it_may_be_long(made_up in MadeUp::any(), temporality in temporality()) {
        let pieces = pieces(&made_up.reading(), temporality, ALL);
        prop_assert_eq!(pieces.len(), usize::from(made_up.count() > 0));
        let metrics = pieces.iter().flat_map(|piece| decoded::metrics(piece));
        prop_assert_eq!(metrics.collect::<Vec<_>>(), made_up.expected(temporality));
    }
}

//! A collector that is told how to answer, and what it remembers.

use sightline_cli::otlp::proto::metrics::v1::AggregationTemporality;
use sightline_core::Wall;
use sightline_core::config::Temporality;
use sightline_core::otlp::{Envelope, Resource, write_metrics};
use sightline_core::red::family::{SERVER_ACTIVE, SERVER_DURATION};
use sightline_core::red::{Boundaries, Decimal, FamilyReading, Histogram, Point, Reading, Value};

use super::*;
use crate::Request;

/// An `ExportTraceServiceRequest` with two spans, called a and b.
const TWO_SPANS: &[u8] = b"\x0a\x0c\x12\x0a\x12\x03\x2a\x01a\x12\x03\x2a\x01b";

fn send(collector: &Collector) -> Option<u16> {
    let request =
        Request::post("/v1/traces").field("content-type", "application/x-protobuf").body(TWO_SPANS);
    request.send(collector.address()).ok().map(|answer| answer.status())
}

fn names(spans: &[ReceivedSpan]) -> Vec<&str> {
    spans.iter().map(ReceivedSpan::name).collect()
}

#[test]
fn spans_count_only_when_the_reply_accepts_them() {
    let some = Reply::Partial { rejected: 1, message: "one too many".to_owned() };
    let script = [Reply::status(503), some, Reply::Reset, Reply::Accepted];
    let collector = Collector::that(move |number, _| script[number].clone());
    let answers: Vec<_> = (0..4).map(|_| send(&collector)).collect();
    assert_eq!(answers, [Some(503), Some(200), None, Some(200)]);
    assert_eq!(names(&collector.wait_for(3)), ["a", "a", "b"]);
    assert_eq!(collector.exports().len(), 4);
}

#[test]
fn it_is_killed_and_comes_back_with_all_that_it_knew() {
    let mut collector = Collector::start();
    assert_eq!(send(&collector), Some(200));
    collector.stop();
    assert_eq!(send(&collector), None);
    collector.restart();
    assert_eq!(send(&collector), Some(200));
    assert_eq!(names(&collector.wait_for(4)), ["a", "b", "a", "b"]);
}

/// An export as the filter writes it: five requests or so many more, and what they took.
fn metrics(since: u64, now: u64, count: u64, temporality: Temporality) -> Vec<u8> {
    let boundaries = Boundaries::new(&[Decimal::whole(1)]).unwrap();
    let point = |status, value| Point { labels: vec!["GET", "http", "/", status], value };
    let spread = |counts: [u64; 2]| {
        let (counts, sum) = (counts.to_vec(), Decimal::from_nanos(500_000_000));
        let exemplars = vec![];
        Value::Histogram(Histogram { boundaries: &boundaries, counts, sum, exemplars })
    };
    let points = vec![point("200", spread([count, 0])), point("500", spread([0, 1]))];
    let durations = FamilyReading { family: &SERVER_DURATION, points };
    let active = point("", Value::Number(Decimal::whole(count)));
    let active = FamilyReading { family: &SERVER_ACTIVE, points: vec![active] };
    let [began, since, now] = [1, since, now].map(Wall);
    let reading = Reading { began, since, now, families: vec![durations, active] };
    let (mut request, resource) = (Vec::new(), Resource::default());
    write_metrics(&reading, temporality, 1 << 20, &mut |items| {
        Envelope::new(&resource).wrap(items, &mut request);
    });
    request
}

fn send_metrics(collector: &Collector, body: &[u8]) {
    let request =
        Request::post("/v1/metrics").field("content-type", "application/x-protobuf").body(body);
    request.send(collector.address()).unwrap();
}

#[test]
fn a_point_is_read_with_all_that_is_said_of_it() {
    let collector = Collector::start();
    send_metrics(&collector, &metrics(2, 3, 5, Temporality::Delta));
    let point =
        collector.point_where("a failure", |it| it.has(&[("http.response.status_code", "500")]));
    assert_eq!((point.name.as_str(), point.unit.as_str()), ("http.server.request.duration", "s"));
    assert_eq!((point.start, point.time), (2, 3));
    assert_eq!(point.temporality, Some(AggregationTemporality::Delta));
    assert_eq!(point.int("http.response.status_code"), Some(500));
    assert_eq!((point.int("http.route"), point.text("http.route")), (None, Some("/")));
    let histogram = point.histogram().unwrap();
    assert_eq!((&*histogram.bucket_counts, &*histogram.explicit_bounds), (&[0, 1][..], &[1.0][..]));
    assert_eq!((point.count(), point.sum()), (Some(1), Some(0.5)));
    let active = collector.point_where("a level", |it| it.name == "http.server.active_requests");
    assert_eq!((active.count(), active.start, active.is_monotonic), (Some(5), 1, false));
    assert_eq!(active.temporality, Some(AggregationTemporality::Cumulative));
}

#[test]
fn counts_are_added_up_as_a_backend_does() {
    use Temporality::{Cumulative, Delta};

    let ok = [("http.response.status_code", "200")];
    for (name, exports, expected) in [
        ("all of it twice", vec![metrics(1, 2, 5, Cumulative), metrics(1, 3, 7, Cumulative)], 7),
        ("begun anew", vec![metrics(1, 2, 5, Cumulative), metrics(3, 4, 7, Cumulative)], 12),
        ("what is new", vec![metrics(1, 2, 5, Delta), metrics(2, 3, 7, Delta)], 12),
        ("an export that came twice", vec![metrics(1, 2, 5, Delta), metrics(1, 2, 5, Delta)], 5),
    ] {
        let collector = Collector::start();
        assert_eq!(collector.count_of("http.server.request.duration", &ok), None, "{name}");
        for export in &exports {
            send_metrics(&collector, export);
        }
        collector.wait_for_count("http.server.request.duration", &ok, expected);
        assert_eq!(
            collector.count_of("http.server.request.duration", &[("http.route", "/x")]),
            None
        );
    }
}

#[test]
fn points_count_only_when_the_reply_accepts_them() {
    let some = Reply::Partial { rejected: 2, message: "two too many".to_owned() };
    let script = [Reply::status(503), some];
    let collector = Collector::that(move |number, _| script[number].clone());
    for _ in 0..2 {
        send_metrics(&collector, &metrics(1, 2, 5, Temporality::Cumulative));
    }
    assert_eq!(collector.points().len(), 1);
    assert_eq!(collector.exports().len(), 2);
}

#[test]
fn a_span_is_found_by_what_it_is() {
    let collector = Collector::start();
    send(&collector);
    let span = collector.span_where("a span called b", |span| span.name() == "b");
    assert_eq!(span.name(), "b");
}

/// An `ExportLogsServiceRequest` with two records, whose bodies are a and b.
const TWO_RECORDS: &[u8] = b"\x0a\x10\x12\x0e\x12\x05\x2a\x03\x0a\x01a\x12\x05\x2a\x03\x0a\x01b";

#[test]
fn records_count_only_when_the_reply_accepts_them() {
    let some = Reply::Partial { rejected: 1, message: "one too many".to_owned() };
    let script = [Reply::status(503), some, Reply::Accepted];
    let collector = Collector::that(move |number, _| script[number].clone());
    for _ in 0..3 {
        let request = Request::post("/v1/logs").field("content-type", "application/x-protobuf");
        request.body(TWO_RECORDS).send(collector.address()).unwrap();
    }
    let bodies: Vec<_> = collector.records().iter().map(ReceivedRecord::body).collect();
    assert_eq!(bodies, ["a", "a", "b"]);
    let record = collector.record_where("a record that says b", |it| it.body() == "b");
    assert_eq!((record.trace_id_hex().as_str(), record.attributes.len()), ("", 0));
}

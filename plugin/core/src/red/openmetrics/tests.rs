//! Whole pages, and what any reading says when its page is read back.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::Wall;
use crate::identity::{SpanId, TraceId};
use crate::red::{Boundaries, family};

fn page(reading: &Reading<'_>, resource: &[(&str, &str)], format: Format) -> String {
    let resource: Vec<(String, String)> =
        resource.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect();
    let mut out = Vec::new();
    write(reading, &resource, format, &mut out);
    String::from_utf8(out).unwrap()
}

fn decimal(text: &str) -> Decimal {
    Decimal::parse(text.as_bytes()).unwrap()
}

fn number<'a>(labels: &[&'a str], number: &str) -> Point<'a> {
    Point { labels: labels.to_vec(), value: Value::Number(decimal(number)) }
}

fn custom(name: &str, kind: Kind, unit: &str, labels: &[&str]) -> Family {
    Family {
        name: Cow::Owned(name.to_owned()),
        kind,
        unit: Cow::Owned(unit.to_owned()),
        about: Cow::Borrowed("What \"we\" count\\earn\nby the day"),
        labels: labels.iter().map(|&label| Cow::Owned(label.to_owned())).collect(),
    }
}

fn exemplar(bucket: usize, value: &str) -> Exemplar {
    Exemplar {
        bucket,
        trace_id: TraceId::from_bytes([0xab; 16]).unwrap(),
        span_id: SpanId::from_bytes([0x0c; 8]).unwrap(),
        value: decimal(value),
        at: Wall(1_790_000_000_007_999_999),
    }
}

const RESOURCE: &[(&str, &str)] = &[
    ("service.name", "shop"),
    ("service.instance.id", "1"),
    ("host-name", ""),
    ("service-name", "s"),
];

/// A histogram, a level, an amount and an info.
fn small<'a>(boundaries: &'a Boundaries, paid: &'a Family) -> Reading<'a> {
    let histogram = |counts: &[u64], sum, exemplars| {
        let (counts, sum) = (counts.to_vec(), decimal(sum));
        Value::Histogram(Histogram { boundaries, counts, sum, exemplars })
    };
    let spread = vec![
        Point {
            labels: vec!["GET", "https", "/users/{id}", "200", "", "1.1"],
            value: histogram(
                &[1, 0, 2, 4],
                "71.300000001",
                vec![exemplar(0, "0.0041"), exemplar(3, "30")],
            ),
        },
        Point { labels: vec![""; 6], value: histogram(&[0, 0, 0, 1], "11", Vec::new()) },
    ];
    let families = vec![
        FamilyReading { family: &family::SERVER_DURATION, points: spread },
        FamilyReading {
            family: &family::SERVER_ACTIVE,
            points: vec![number(&["GET", "http"], "0")],
        },
        FamilyReading { family: paid, points: vec![number(&["a\"b"], "12.5"), number(&[""], "3")] },
        FamilyReading { family: &family::BUILD, points: vec![number(&["0.1.0"], "1")] },
    ];
    Reading { families, ..Reading::default() }
}

fn boundaries() -> Boundaries {
    Boundaries::new(&["0.005", "1", "10"].map(decimal)).unwrap()
}

#[test]
fn a_page_of_openmetrics() {
    let paid = custom("sightline.custom.paid", Kind::Amount, "EUR", &["card"]);
    let page = page(&small(&boundaries(), &paid), RESOURCE, Format::OpenMetrics);
    insta::assert_snapshot!(page, @r##"
    # TYPE target info
    # HELP target Target metadata
    target_info{service_name="s;shop",service_instance_id="1"} 1
    # TYPE http_server_request_duration_seconds histogram
    # UNIT http_server_request_duration_seconds seconds
    # HELP http_server_request_duration_seconds Duration of HTTP server requests
    http_server_request_duration_seconds_bucket{http_request_method="GET",url_scheme="https",http_route="/users/{id}",http_response_status_code="200",network_protocol_version="1.1",le="0.005"} 1 # {trace_id="abababababababababababababababab",span_id="0c0c0c0c0c0c0c0c"} 0.0041 1790000000.007
    http_server_request_duration_seconds_bucket{http_request_method="GET",url_scheme="https",http_route="/users/{id}",http_response_status_code="200",network_protocol_version="1.1",le="1.0"} 1
    http_server_request_duration_seconds_bucket{http_request_method="GET",url_scheme="https",http_route="/users/{id}",http_response_status_code="200",network_protocol_version="1.1",le="10.0"} 3
    http_server_request_duration_seconds_bucket{http_request_method="GET",url_scheme="https",http_route="/users/{id}",http_response_status_code="200",network_protocol_version="1.1",le="+Inf"} 7 # {trace_id="abababababababababababababababab",span_id="0c0c0c0c0c0c0c0c"} 30 1790000000.007
    http_server_request_duration_seconds_sum{http_request_method="GET",url_scheme="https",http_route="/users/{id}",http_response_status_code="200",network_protocol_version="1.1"} 71.300000001
    http_server_request_duration_seconds_count{http_request_method="GET",url_scheme="https",http_route="/users/{id}",http_response_status_code="200",network_protocol_version="1.1"} 7
    http_server_request_duration_seconds_bucket{le="0.005"} 0
    http_server_request_duration_seconds_bucket{le="1.0"} 0
    http_server_request_duration_seconds_bucket{le="10.0"} 0
    http_server_request_duration_seconds_bucket{le="+Inf"} 1
    http_server_request_duration_seconds_sum 11
    http_server_request_duration_seconds_count 1
    # TYPE http_server_active_requests gauge
    # HELP http_server_active_requests Number of active HTTP server requests
    http_server_active_requests{http_request_method="GET",url_scheme="http"} 0
    # TYPE sightline_custom_paid_EUR counter
    # UNIT sightline_custom_paid_EUR EUR
    # HELP sightline_custom_paid_EUR What \"we\" count\\earn\nby the day
    sightline_custom_paid_EUR_total{card="a\"b"} 12.5
    sightline_custom_paid_EUR_total 3
    # TYPE sightline_build info
    # HELP sightline_build The version of Sightline
    sightline_build_info{version="0.1.0"} 1
    # EOF
    "##);
}

#[test]
fn a_page_of_text() {
    let paid = custom("sightline.custom.paid", Kind::Amount, "EUR", &["card"]);
    let page = page(&small(&boundaries(), &paid), RESOURCE, Format::Text);
    insta::assert_snapshot!(page, @r##"
    # TYPE target_info gauge
    # HELP target_info Target metadata
    target_info{service_name="s;shop",service_instance_id="1"} 1
    # TYPE http_server_request_duration_seconds histogram
    # HELP http_server_request_duration_seconds Duration of HTTP server requests
    http_server_request_duration_seconds_bucket{http_request_method="GET",url_scheme="https",http_route="/users/{id}",http_response_status_code="200",network_protocol_version="1.1",le="0.005"} 1
    http_server_request_duration_seconds_bucket{http_request_method="GET",url_scheme="https",http_route="/users/{id}",http_response_status_code="200",network_protocol_version="1.1",le="1.0"} 1
    http_server_request_duration_seconds_bucket{http_request_method="GET",url_scheme="https",http_route="/users/{id}",http_response_status_code="200",network_protocol_version="1.1",le="10.0"} 3
    http_server_request_duration_seconds_bucket{http_request_method="GET",url_scheme="https",http_route="/users/{id}",http_response_status_code="200",network_protocol_version="1.1",le="+Inf"} 7
    http_server_request_duration_seconds_sum{http_request_method="GET",url_scheme="https",http_route="/users/{id}",http_response_status_code="200",network_protocol_version="1.1"} 71.300000001
    http_server_request_duration_seconds_count{http_request_method="GET",url_scheme="https",http_route="/users/{id}",http_response_status_code="200",network_protocol_version="1.1"} 7
    http_server_request_duration_seconds_bucket{le="0.005"} 0
    http_server_request_duration_seconds_bucket{le="1.0"} 0
    http_server_request_duration_seconds_bucket{le="10.0"} 0
    http_server_request_duration_seconds_bucket{le="+Inf"} 1
    http_server_request_duration_seconds_sum 11
    http_server_request_duration_seconds_count 1
    # TYPE http_server_active_requests gauge
    # HELP http_server_active_requests Number of active HTTP server requests
    http_server_active_requests{http_request_method="GET",url_scheme="http"} 0
    # TYPE sightline_custom_paid_EUR_total counter
    # HELP sightline_custom_paid_EUR_total What "we" count\\earn\nby the day
    sightline_custom_paid_EUR_total{card="a\"b"} 12.5
    sightline_custom_paid_EUR_total 3
    # TYPE sightline_build_info gauge
    # HELP sightline_build_info The version of Sightline
    sightline_build_info{version="0.1.0"} 1
    "##);
}

#[test]
fn nothing_counted_is_a_page_too() {
    let nothing = Reading::default();
    assert_eq!(page(&nothing, &[], Format::OpenMetrics), "# EOF\n");
    assert_eq!(page(&nothing, &[], Format::Text), "");
    let about = "target_info Target metadata";
    assert_eq!(
        page(&nothing, &[("a", "1")], Format::Text),
        format!("# TYPE target_info gauge\n# HELP {about}\ntarget_info{{a=\"1\"}} 1\n")
    );
}

#[test]
fn there_is_room_for_a_page_and_little_more() {
    let boundaries = boundaries();
    let routes: Vec<String> = (0..500).map(|route| format!("/api/{route}")).collect();
    let point = |route| Point {
        labels: vec!["GET", "https", route, "200", "", "1.1"],
        value: Value::Histogram(Histogram {
            boundaries: &boundaries,
            counts: vec![1_000; 4],
            sum: decimal("123456.123456789"),
            exemplars: (0..4).map(|bucket| exemplar(bucket, "0.123456789")).collect(),
        }),
    };
    let points = routes.iter().map(|route| point(route.as_str())).collect();
    let read = FamilyReading { family: &family::SERVER_DURATION, points };
    for format in [Format::OpenMetrics, Format::Text] {
        let mut out = Vec::new();
        let page = Page::new(&read, format);
        page.write(&mut out);
        let (room, length) = (page.room(), out.len());
        assert!(length <= room && room < length + length / 4, "{format:?}: {room} for {length}");
    }
}

/// A line that is no comment, as anybody would read it.
#[derive(Debug, PartialEq)]
struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: String,
    exemplar: Option<String>,
}

fn samples(page: &str) -> Vec<Sample> {
    let lines = page.strip_suffix('\n').unwrap_or(page).split('\n');
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(sample).collect()
}

fn sample(line: &str) -> Sample {
    let name_ends = line.find([' ', '{']).unwrap();
    let (name, mut rest) = line.split_at(name_ends);
    let mut labels = BTreeMap::new();
    while let Some(behind) = rest.strip_prefix(if labels.is_empty() { '{' } else { ',' }) {
        let (label, behind) = behind.split_once("=\"").unwrap();
        let (value, behind) = quoted(behind);
        assert!(labels.insert(label.to_owned(), value).is_none(), "{label} is there twice");
        rest = behind;
    }
    let rest = if labels.is_empty() { rest } else { rest.strip_prefix('}').unwrap() };
    let rest = rest.strip_prefix(' ').unwrap();
    let (value, exemplar) = match rest.split_once(" # ") {
        Some((value, exemplar)) => (value, Some(exemplar.to_owned())),
        None => (rest, None),
    };
    Sample { name: name.to_owned(), labels, value: value.to_owned(), exemplar }
}

/// The text up to its closing quote, and what is behind that.
fn quoted(text: &str) -> (String, &str) {
    let (mut value, mut characters) = (String::new(), text.chars());
    loop {
        match characters.next().unwrap() {
            '"' => return (value, characters.as_str()),
            '\\' => value.push(match characters.next().unwrap() {
                'n' => '\n',
                other => other,
            }),
            other => value.push(other),
        }
    }
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[\\\\\"\n\r{},=# ané]{0,12}"]
}

fn any_format() -> impl Strategy<Value = Format> {
    prop_oneof![Just(Format::Text), Just(Format::OpenMetrics)]
}

proptest! {
    #[test]
    fn labels_read_back_whatever_they_hold(
        rows in prop::collection::vec(([any_text(), any_text(), any_text()], any::<u64>()), 0..8),
        about in any_text(),
        format in any_format(),
    ) {
        let names = ["one", "two", "three"];
        let mut counted = custom("counted", Kind::Counter, "", &names);
        counted.about = Cow::Owned(about);
        let points = rows.iter().map(|(labels, count)| {
            let labels = labels.iter().map(String::as_str).collect();
            Point { labels, value: Value::Number(Decimal::whole(*count)) }
        });
        let read = FamilyReading { family: &counted, points: points.collect() };
        let page = page(&Reading { families: vec![read], ..Reading::default() }, &[], format);
        let expected = rows.iter().map(|(labels, count)| {
            let labels = names.iter().zip(labels).filter(|(_, value)| !value.is_empty());
            Sample {
                name: "counted_total".to_owned(),
                labels: labels.map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
                value: count.to_string(),
                exemplar: None,
            }
        });
        prop_assert_eq!(samples(&page), expected.collect::<Vec<_>>());
    }

    #[test]
    fn a_resource_with_any_names_has_each_label_once(
        resource in prop::collection::btree_map(any_text(), any_text(), 0..8),
        format in any_format(),
    ) {
        let pairs: Vec<_> = resource.iter().map(|(key, value)| (&**key, &**value)).collect();
        let samples = samples(&page(&Reading::default(), &pairs, format));
        prop_assert_eq!(samples.len(), usize::from(!resource.is_empty()));
        let shown: String = samples.iter().flat_map(|it| it.labels.values()).cloned().collect();
        for value in resource.values() {
            prop_assert!(shown.contains(value.as_str()), "{value:?}");
        }
        let is_legal = |it: char| it.is_ascii_alphanumeric() || it == '_';
        for name in samples.iter().flat_map(|it| it.labels.keys()) {
            prop_assert!(name.chars().all(is_legal), "{name}");
            prop_assert!(name.starts_with(|it: char| it.is_ascii_alphabetic() || it == '_'), "{name}");
        }
    }

    #[test]
    fn a_bucket_counts_all_that_are_not_above_it(
        edges in prop::collection::btree_set(1..40_000_000_u32, 0..20),
        values in prop::collection::vec(0..50_000_000_u32, 0..50),
        format in any_format(),
    ) {
        let whole = |number: &u32| Decimal::whole((*number).into());
        let boundaries = Boundaries::new(&edges.iter().map(whole).collect::<Vec<_>>()).unwrap();
        let mut counts = vec![0; boundaries.buckets()];
        for value in &values {
            counts[boundaries.bucket(whole(value))] += 1;
        }
        let sum: u64 = values.iter().copied().map(u64::from).sum();
        let exemplars = vec![exemplar(edges.len(), "1")];
        let histogram =
            Histogram { boundaries: &boundaries, counts, sum: Decimal::whole(sum), exemplars };
        let spread = custom("spread", Kind::Histogram, "", &[]);
        let points = vec![Point { labels: Vec::new(), value: Value::Histogram(histogram) }];
        let families = vec![FamilyReading { family: &spread, points }];
        let samples = samples(&page(&Reading { families, ..Reading::default() }, &[], format));
        let (buckets, rest) = samples.split_at(boundaries.buckets());
        let shown: Vec<f64> = buckets.iter().map(|it| it.labels["le"].parse().unwrap()).collect();
        let expected: Vec<f64> = edges.iter().map(|edge| (*edge).into()).chain([f64::INFINITY]).collect();
        prop_assert_eq!(&shown, &expected);
        for (bucket, edge) in buckets.iter().zip(shown) {
            let below = values.iter().filter(|value| f64::from(**value) <= edge).count();
            prop_assert_eq!(&bucket.value, &below.to_string(), "{}", edge);
            let has_one = edge.is_infinite() && format == Format::OpenMetrics;
            prop_assert_eq!(bucket.exemplar.is_some(), has_one);
        }
        let rest: Vec<_> = rest.iter().map(|it| (it.name.as_str(), it.value.clone())).collect();
        let count = values.len().to_string();
        prop_assert_eq!(rest, [("spread_sum", sum.to_string()), ("spread_count", count)]);
    }
}

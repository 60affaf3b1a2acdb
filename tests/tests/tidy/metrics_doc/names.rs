//! Every metric of the page, in all its spellings, and every label.

use std::collections::{BTreeMap, BTreeSet};

use sightline_core::Method;
use sightline_core::otlp::Signal;
use sightline_core::red::{
    self, Boundaries, Decimal, Family, FamilyReading, Format, Histogram, Kind, Point, Reading,
    Scheme, SeriesName, Value, Version, family, openmetrics,
};

use super::{PAGE, codes, first_code, rows, template};

/// All that there are, in the order of the page.
static FAMILIES: [Family; 16] = [
    family::SERVER_DURATION,
    family::CLIENT_DURATION,
    family::SERVER_ACTIVE,
    family::CLIENT_ACTIVE,
    family::FIRST_BYTE,
    family::STREAM_DURATION,
    family::SPANS,
    family::BATCHES,
    family::EXPORTED,
    family::DROPPED,
    family::WAITING,
    family::ROUTES,
    family::OVERFLOWED,
    family::LOST,
    family::INVALID,
    family::BUILD,
];

/// Those that are Envoy stats too: each is counted by `Meter::count` of the filter.
const COUNTED: [Family; 6] = [
    family::SPANS,
    family::BATCHES,
    family::EXPORTED,
    family::DROPPED,
    family::OVERFLOWED,
    family::LOST,
];

/// A page with one point of this family, each label with its own name as its value.
fn openmetrics(family: &Family) -> String {
    let value = match family.kind {
        Kind::Histogram => Value::Histogram(Histogram {
            boundaries: &Boundaries::REQUESTS,
            counts: vec![0; Boundaries::REQUESTS.buckets()],
            sum: Decimal::default(),
            exemplars: Vec::new(),
        }),
        _ => Value::Number(Decimal::whole(1)),
    };
    let labels = family.labels.iter().map(AsRef::as_ref).collect();
    let families = vec![FamilyReading { family, points: vec![Point { labels, value }] }];
    let mut out = Vec::new();
    openmetrics::write(
        &Reading { families, ..Reading::default() },
        &[],
        Format::OpenMetrics,
        &mut out,
    );
    String::from_utf8(out).unwrap()
}

/// The name of Prometheus and the type, as the page of a scraper says them.
fn shown(family: &Family) -> (String, String) {
    let page = openmetrics(family);
    let kind = page.lines().next().unwrap().rsplit_once(' ').unwrap().1.to_owned();
    let sample = page.lines().find(|line| !line.starts_with('#')).unwrap();
    let name = sample.split(['{', ' ']).next().unwrap();
    let name = if kind == "histogram" { name.strip_suffix("_bucket").unwrap() } else { name };
    (name.to_owned(), kind)
}

#[test]
fn the_families_of_the_page_are_those_that_there_are() {
    let rows = rows("metrics");
    let listed: Vec<_> = rows.iter().map(|row| first_code(&row[0])).collect();
    let known: Vec<_> = FAMILIES.iter().map(|family| family.name.as_ref()).collect();
    assert_eq!(listed, known, "left is {PAGE}");
    for (row, family) in rows.iter().zip(&FAMILIES) {
        let (name, kind) = shown(family);
        assert_eq!((first_code(&row[1]), row[2].as_str()), (&*name, &*kind), "{row:?}");
        assert_eq!(codes(&row[3]).first().copied().unwrap_or_default(), family.unit, "{row:?}");
        assert_eq!(codes(&row[4]), family.labels.iter().collect::<Vec<_>>(), "{row:?}");
    }
    // A family that is declared and not in the list above would be missed.
    let declared = crate::text("plugin/core/src/red/family.rs");
    let declared =
        declared.lines().filter(|line| line.starts_with("    ") && line.contains(" = \""));
    assert_eq!(declared.count(), FAMILIES.len(), "families that are declared");
}

/// The name of a stat without its labels, and the names of these.
fn taken_apart(stat: &str) -> (String, Vec<String>) {
    let mut parts: Vec<_> = stat.split(";.;").collect();
    let name = parts.pop().unwrap().to_owned();
    let labels = parts.iter().map(|part| part.split_once("=.=").unwrap().0.to_owned());
    (name, labels.collect())
}

/// All Envoy stats, with their types and labels.
fn stats() -> BTreeMap<String, (&'static str, Vec<String>)> {
    let request =
        SeriesName { method: Method::Get, route: "/".into(), status: 200, is_stream: false };
    let stream = SeriesName { is_stream: true, ..request.clone() };
    let waiting = red::export_waiting(Signal::Metrics);
    let mut stats = vec![
        ("counter", red::requests_total(&request)),
        ("histogram", red::duration_milliseconds(&request)),
        ("histogram", red::duration_milliseconds(&stream)),
        ("gauge", red::REQUESTS_ACTIVE.to_owned()),
        ("gauge", red::ROUTES_ACTIVE.to_owned()),
        ("gauge", red::ROUTES_COLLAPSED.to_owned()),
        ("counter", red::ROUTES_OVERFLOWED.to_owned()),
        ("gauge", waiting),
    ];
    for family in &COUNTED {
        let labels: Vec<_> = family.labels.iter().map(AsRef::as_ref).collect();
        stats.push(("counter", red::counter(family, &labels)));
    }
    let stats = stats.into_iter().map(|(kind, stat)| {
        let (name, labels) = taken_apart(&stat);
        (name, (kind, labels))
    });
    stats.collect()
}

#[test]
fn the_stats_of_the_page_are_those_that_there_are() {
    let (rows, known) = (rows("stats"), stats());
    let listed: BTreeSet<_> = rows.iter().map(|row| first_code(&row[0])).collect();
    assert_eq!(listed, known.keys().map(String::as_str).collect(), "left is {PAGE}");
    assert_eq!(listed.len(), rows.len(), "each once");
    let template = template();
    let tags = template["stats_config"]["stats_tags"].as_array().unwrap();
    for row in &rows {
        let (kind, labels) = &known[first_code(&row[0])];
        assert_eq!(
            (row[1].as_str(), codes(&row[2])),
            (*kind, labels.iter().map(String::as_str).collect()),
            "{row:?}"
        );
        for label in labels {
            assert!(tags.iter().any(|tag| tag["tag_name"] == **label), "no tag is made of {label}");
        }
    }
    for family in &COUNTED {
        assert_eq!(
            known[&shown(family).0].0,
            "counter",
            "one name for the stat and for Prometheus"
        );
    }
}

#[test]
fn a_request_without_a_status_is_a_zero_in_stats() {
    let name = SeriesName { method: Method::Get, route: "/".into(), status: 0, is_stream: false };
    assert!(red::requests_total(&name).contains("status_code=.=0;.;"));
    assert!(red::duration_milliseconds(&name).contains("status_class=.=0xx;.;"));
}

#[test]
fn every_label_is_on_the_page_with_the_values_that_it_has() {
    let rows = rows("labels");
    let listed: BTreeSet<_> = rows.iter().map(|row| first_code(&row[0])).collect();
    let known = FAMILIES.iter().flat_map(|family| family.labels.iter().map(AsRef::as_ref));
    assert_eq!(listed, known.collect(), "left is {PAGE}");
    let methods = Method::ALL.iter().map(|method| method.as_str());
    assert_eq!(values("http.request.method"), set(methods));
    assert_eq!(values("signal"), set(Signal::ALL.map(Signal::name)));
    let schemes = ["http", "https", "ftp", ""].map(|it| Scheme::from_bytes(it.as_bytes()).as_str());
    assert_eq!(values("url.scheme"), set(schemes));
    let protocols = ["HTTP/1.0", "HTTP/1.1", "HTTP/2", "HTTP/3", ""];
    let versions = protocols.map(|it| Version::from_bytes(it.as_bytes()).as_str());
    assert_eq!(values("network.protocol.version"), set(versions));
    let streams = super::rows("streams");
    assert_eq!(values("sightline.stream"), set(streams.iter().map(|row| first_code(&row[0]))));
    let outcomes = counted_as("SPANS").chain(counted_as("BATCHES"));
    assert_eq!(values("outcome"), set(outcomes.collect::<Vec<_>>().iter().map(String::as_str)));
    let reasons: Vec<_> = counted_as("DROPPED").collect();
    assert_eq!(values("reason"), set(reasons.iter().map(String::as_str)));
}

/// The values that the page gives a label.
pub(super) fn values(label: &str) -> BTreeSet<String> {
    let rows = rows("labels");
    let row = rows.iter().find(|row| first_code(&row[0]) == label).unwrap();
    set(codes(&row[1]))
}

/// An empty value is none.
fn set<'a>(values: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    values.into_iter().filter(|value| !value.is_empty()).map(str::to_owned).collect()
}

/// The last label of what exporters count in a family. These are written nowhere but where they are counted.
fn counted_as(family: &str) -> impl Iterator<Item = String> {
    let counts = crate::text("plugin/filter/src/exporters.rs");
    let begin = format!("count(&family::{family}, &[");
    let lines: Vec<_> = counts
        .lines()
        .filter_map(|line| line.trim().strip_prefix(&begin))
        .map(str::to_owned)
        .collect();
    assert!(!lines.is_empty(), "nobody counts {family}");
    lines.into_iter().map(|line| line.rsplit('"').nth(1).unwrap().to_owned())
}

/// What can be asked of Prometheus: names of samples, and the labels of each.
pub(super) fn samples() -> BTreeMap<String, BTreeSet<String>> {
    let mut samples = BTreeMap::new();
    let mut add = |name: &str, kind: &str, labels: BTreeSet<String>| {
        if kind == "histogram" {
            let buckets = labels.iter().cloned().chain(["le".to_owned()]).collect();
            samples.insert(format!("{name}_bucket"), buckets);
            samples.insert(format!("{name}_sum"), labels.clone());
            samples.insert(format!("{name}_count"), labels);
        } else {
            samples.insert(name.to_owned(), labels);
        }
    };
    for family in &FAMILIES {
        let (name, kind) = shown(family);
        add(&name, &kind, family.labels.iter().map(|label| label.replace('.', "_")).collect());
    }
    for (name, (kind, labels)) in stats() {
        // Those that are counted both ways have the same labels.
        add(&name, kind, labels.into_iter().collect());
    }
    samples
}

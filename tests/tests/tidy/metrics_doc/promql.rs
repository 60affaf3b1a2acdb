//! Queries of the page: each metric and each label that they name is one that there is.
//!
//! No parser of the language. It knows words from names, and what stands in braces and behind `by`.

use std::collections::{BTreeMap, BTreeSet};

use super::names::samples;
use super::{Item, PAGE, blocks, items, settings};
use sightline_core::red::{Decimal, FamilyReading, Format, Point, Reading, Value, openmetrics};
use sightline_core::{Place, Plan};

/// Words of the language that stand in queries of the page.
const WORDS: [&str; 10] =
    ["and", "histogram_quantile", "increase", "max", "on", "or", "rate", "sum", "topk", "vector"];

/// Words in front of labels in parentheses.
const BEFORE_LABELS: [&str; 4] = ["by", "group_left", "on", "without"];

/// What a query names.
#[derive(Debug, Default)]
struct Named {
    metrics: BTreeSet<String>,
    labels: BTreeSet<String>,
}

fn named(query: &str) -> Named {
    let mut named = Named::default();
    let mut rest = query;
    let mut word = "";
    while let Some(next) = rest.chars().next() {
        if next == '{' || next == '(' && BEFORE_LABELS.contains(&word) {
            let end = rest.find(['}', ')']).expect("what is opened is closed");
            named.labels.extend(labels(&rest[1..end]));
            rest = &rest[end..];
            word = "";
        } else if next == '[' {
            rest = &rest[rest.find(']').expect("what is opened is closed")..];
        } else if next.is_ascii_alphabetic() {
            let end = rest.find(|it: char| !it.is_ascii_alphanumeric() && it != '_');
            (word, rest) = rest.split_at(end.unwrap_or(rest.len()));
            if !WORDS.contains(&word) && !BEFORE_LABELS.contains(&word) {
                named.metrics.insert(word.to_owned());
            }
            rest = rest.trim_start();
            continue;
        }
        rest = &rest[next.len_utf8().min(rest.len())..];
    }
    named
}

/// The names in `a="b", c!="d"`, or in `a, b`.
fn labels(list: &str) -> impl Iterator<Item = String> {
    let parts = list.split(',').map(|part| part.split(['=', '!']).next().unwrap().trim());
    parts.filter(|name| !name.is_empty()).map(str::to_owned)
}

/// The custom metrics of the page, by their names in Prometheus.
fn custom() -> BTreeMap<String, BTreeSet<String>> {
    let plans =
        blocks("setting").into_iter().map(|said| Plan::new(&settings(&said), &Place::default()));
    let custom: Vec<_> = plans.flat_map(|plan| plan.metrics.custom).collect();
    let counters = custom.iter().filter(|custom| custom.boundaries.is_none());
    counters
        .map(|custom| {
            let family = &custom.family;
            let labels: Vec<_> = family.labels.iter().map(AsRef::as_ref).collect();
            let points = vec![Point { labels, value: Value::Number(Decimal::whole(1)) }];
            let families = vec![FamilyReading { family, points }];
            let mut page = Vec::new();
            openmetrics::write(
                &Reading { families, ..Reading::default() },
                &[],
                Format::Text,
                &mut page,
            );
            let page = String::from_utf8(page).unwrap();
            let sample = page.lines().find(|line| !line.starts_with('#')).unwrap();
            let name = sample.split(['{', ' ']).next().unwrap().to_owned();
            (name, family.labels.iter().map(ToString::to_string).collect())
        })
        .collect()
}

#[test]
fn every_query_of_the_page_asks_for_what_there_is() {
    let mut known = samples();
    known.extend(custom());
    // The resource, as far as it is configured, and what Prometheus adds to everything.
    known.insert("target_info".to_owned(), BTreeSet::from(["service_version".to_owned()]));
    let everywhere = ["instance", "job"];
    let mut checked = 0;
    for (_, item) in items() {
        let Item::Block(language, query) = item else { continue };
        if language != "promql" {
            continue;
        }
        let Named { metrics, labels } = named(&query);
        assert!(!metrics.is_empty(), "{PAGE}: nothing is asked for in {query}");
        let mut have: BTreeSet<&str> = everywhere.into();
        for metric in &metrics {
            let labels =
                known.get(metric).unwrap_or_else(|| panic!("{PAGE}: no {metric}: {query}"));
            have.extend(labels.iter().map(String::as_str));
        }
        for label in &labels {
            assert!(have.contains(label.as_str()), "{PAGE}: no label {label}: {query}");
        }
        checked += 1;
    }
    assert!(checked >= 25, "only {checked} queries were found");
}

#[test]
fn names_are_told_from_words() {
    let Named { metrics, labels } = named(
        "topk(3, sum by (le, a) (rate(some_bucket{b=\"x\", c!=\"}\"}[5m])) * on (d) group_left (e) other_info)\nor 0 * third",
    );
    assert_eq!(
        metrics.iter().map(String::as_str).collect::<Vec<_>>(),
        ["other_info", "some_bucket", "third"]
    );
    assert_eq!(
        labels.iter().map(String::as_str).collect::<Vec<_>>(),
        ["a", "b", "c", "d", "e", "le"]
    );
}

//! What requests add to custom metrics, from the configuration to the sample.

use proptest::prelude::*;

use super::*;
use crate::ending::tests::Nothing;
use crate::route::{Route, Scratch};
use crate::sampling::Budget;
use crate::{Exchange, Moment, Monotonic, Place, Plan, Rng, Tracing, Wall, config};

type Head<'a> = &'a [(&'a str, &'a [u8])];

/// A name, the heads of a request and its response, and the value.
type Row<'a> = (&'a str, Head<'a>, Head<'a>, Option<Result<&'a str, Invalid>>);

fn plan(custom: &str) -> Plan {
    let said = format!(
        r#"{{"routes": {{"templates": ["GET /carts/{{id}}", "PUT /carts/{{id}}", {{"path": "/pay", "name": "till"}}]}},
            "metrics": {{"custom": [{custom}]}}}}"#
    );
    Plan::new(&config::read(said.as_bytes()).unwrap(), &Place::default())
}

fn pairs(head: Head<'_>) -> Vec<Pair<'_>> {
    head.iter().map(|(name, value)| (name.as_bytes(), *value)).collect()
}

/// What the request adds to each custom metric: labels, choice and value, or that it is invalid.
fn samples(
    plan: &Plan,
    request: Head<'_>,
    response: Head<'_>,
) -> Vec<Option<Result<String, Invalid>>> {
    let now = Moment { wall: Wall(0), monotonic: Monotonic(0) };
    let (mut rng, mut scratch) = (Rng::from_seed([9; 32]), Scratch::default());
    let begin = pairs(request);
    let mut exchange =
        Exchange::begin(begin.iter().copied(), now, &mut rng, &mut scratch, plan, Tracing::Own);
    if !response.is_empty() {
        exchange.respond(pairs(response).into_iter(), Monotonic(1), plan);
    }
    let mut budget = Budget::default();
    let observation = exchange.finish(Monotonic(2), Route::UNMATCHED, plan, &mut budget, &Nothing);
    let shown = |sample: Sample<'_>| {
        let mut value = Vec::new();
        sample.value.write(&mut value);
        let value = String::from_utf8(value).unwrap();
        assert!(sample.choice < 1_000);
        format!("{} #{} {value}", sample.labels().join(","), sample.choice)
    };
    let custom = plan.metrics.custom.iter();
    custom.map(|custom| custom.sample(&observation).map(|sample| sample.map(shown))).collect()
}

fn sample(custom: &str, request: Head<'_>, response: Head<'_>) -> Option<Result<String, Invalid>> {
    samples(&plan(custom), request, response).into_iter().next().unwrap()
}

#[test]
fn a_metric_says_what_its_family_is() {
    let plan = plan(
        r#"{"name": "payments", "kind": "counter", "unit": "EUR", "labels": {"outcome": {"request_header": "a", "allow": ["b"]}}},
           {"name": "sizes", "kind": "histogram", "value": {"request_header": "a"}},
           {"name": "prices", "kind": "histogram", "value": {"request_header": "a"}, "buckets": [1]}"#,
    );
    let shown = |custom: &Custom| {
        let Family { name, kind, unit, labels, .. } = &custom.family;
        let buckets = custom.boundaries.as_ref().map(Boundaries::buckets);
        (name.to_string(), *kind, unit.to_string(), labels.join(","), buckets)
    };
    let row = |name: &str, kind, unit: &str, labels: &str, buckets| {
        (format!("sightline.custom.{name}"), kind, unit.to_owned(), labels.to_owned(), buckets)
    };
    let shown: Vec<_> = plan.metrics.custom.iter().map(shown).collect();
    let expected = [
        row("payments", Kind::Amount, "EUR", "outcome", None),
        row("sizes", Kind::Histogram, "", "", Some(15)),
        row("prices", Kind::Histogram, "", "", Some(2)),
    ];
    assert_eq!(shown, expected);
    let identities: Vec<_> = plan.metrics.custom.iter().map(|custom| &*custom.identity).collect();
    let expected = [
        "sightline.custom.payments counter EUR outcome",
        "sightline.custom.sizes histogram  ",
        "sightline.custom.prices histogram  ",
    ];
    assert_eq!(identities, expected);
}

#[test]
fn a_request_counts_if_route_and_method_are_those() {
    let custom = |also: &str| format!(r#"{{"name": "a", "kind": "counter"{also}}}"#);
    let table: [(&str, &str, &str, Option<&str>, bool); 14] = [
        ("any", "", "GET /x", None, true),
        ("any, but ignored", "", "GET /healthz", None, false),
        ("any, but a browser's question", "", "OPTIONS /carts/7", Some("PUT"), false),
        ("a plain OPTIONS", "", "OPTIONS /x", None, true),
        ("the route", r#", "route": "/pay""#, "POST /pay", None, true),
        ("by its name", r#", "route": "till""#, "POST /pay", None, true),
        ("another route", r#", "route": "till""#, "GET /carts/7", None, false),
        ("no route", r#", "route": "till""#, "GET /x", None, false),
        ("of both methods", r#", "route": "/carts/{id}""#, "PUT /carts/7", None, true),
        ("of one method", r#", "route": "GET /carts/{id}""#, "PUT /carts/7", None, false),
        ("the method", r#", "method": "PUT""#, "PUT /x", None, true),
        ("another method", r#", "method": "PUT""#, "GET /x", None, false),
        (
            "a question for the method",
            r#", "method": "PUT""#,
            "OPTIONS /carts/7",
            Some("PUT"),
            false,
        ),
        ("the question's own", r#", "method": "OPTIONS""#, "OPTIONS /carts/7", Some("PUT"), true),
    ];
    for (name, also, request, asked, counts) in table {
        let (method, path) = request.split_once(' ').unwrap();
        let mut head = vec![(":method", method.as_bytes()), (":path", path.as_bytes())];
        head.extend(asked.map(|asked| ("access-control-request-method", asked.as_bytes())));
        let found = sample(&custom(also), &head, &[]);
        assert_eq!(found, counts.then(|| Ok(" #0 1".to_owned())), "{name}");
    }
}

#[test]
fn a_value_is_read_from_its_header() {
    let of_response =
        r#"{"name": "a", "kind": "counter", "value": {"response_header": "X-Amount"}}"#;
    let long = [b"0.".as_slice(), &[b'1'; 1_022]].concat();
    let too_long = [long.as_slice(), b"1"].concat();
    let table: [Row<'_>; 16] = [
        ("there", &[], &[("x-amount", b"12.50")], Some(Ok("12.5"))),
        ("with blanks", &[], &[("x-amount", b" 3\t")], Some(Ok("3"))),
        ("nought", &[], &[("x-amount", b"0")], Some(Ok("0"))),
        ("not there", &[], &[(":status", b"200")], None),
        ("no response", &[], &[], None),
        ("on the other side", &[("x-amount", b"1")], &[(":status", b"200")], None),
        ("empty", &[], &[("x-amount", b"")], Some(Err(Invalid))),
        ("negative", &[], &[("x-amount", b"-1")], Some(Err(Invalid))),
        ("a word", &[], &[("x-amount", b"NaN")], Some(Err(Invalid))),
        ("no text", &[], &[("x-amount", b"\xff")], Some(Err(Invalid))),
        ("twice the same", &[], &[("x-amount", b"1.5"), ("x-amount", b"1.50")], Some(Ok("1.5"))),
        ("twice", &[], &[("x-amount", b"1"), ("x-amount", b"2")], Some(Err(Invalid))),
        (
            "back again",
            &[],
            &[("x-amount", b"1"), ("x-amount", b"2"), ("x-amount", b"1")],
            Some(Err(Invalid)),
        ),
        ("a word first", &[], &[("x-amount", b"a"), ("x-amount", b"2")], Some(Err(Invalid))),
        ("long", &[], &[("x-amount", &long)], Some(Ok("0.111111111"))),
        ("too long", &[], &[("x-amount", &too_long)], Some(Err(Invalid))),
    ];
    for (name, request, response, expected) in table {
        let expected = expected.map(|value| value.map(|value| format!(" #0 {value}")));
        assert_eq!(sample(of_response, request, response), expected, "{name}");
    }
    let of_request = of_response.replace("response_header", "request_header");
    assert_eq!(sample(&of_request, &[("x-amount", b"7")], &[]), Some(Ok(" #0 7".to_owned())));
    assert_eq!(sample(&of_request, &[], &[("x-amount", b"7")]), None);
}

#[test]
fn a_label_is_one_of_few_texts() {
    let custom = r#"{"name": "a", "kind": "counter", "labels": {
        "outcome": {"response_header": "x-outcome", "allow": ["good", "bad "]},
        "tier": {"request_header": "x-tier", "allow": ["1", "2", "3"]}}}"#;
    let table: [(&str, Head<'_>, Head<'_>, &str); 8] = [
        ("both", &[("x-tier", b"2")], &[("x-outcome", b"good")], "good,2 #1 1"),
        ("the last", &[("x-tier", b"3")], &[("x-outcome", b"bad")], "bad,3 #6 1"),
        ("neither", &[], &[], "other,other #11 1"),
        ("not allowed", &[("x-tier", b"4")], &[("x-outcome", b"good")], "good,other #3 1"),
        ("in capitals", &[("x-tier", b"1")], &[("x-outcome", b"GOOD")], "other,1 #8 1"),
        ("with blanks", &[("x-tier", b" 1\t")], &[("x-outcome", b" bad")], "bad,1 #4 1"),
        ("the first of two", &[("x-tier", b"1"), ("x-tier", b"2")], &[], "other,1 #8 1"),
        ("though it is other", &[("x-tier", b"9"), ("x-tier", b"2")], &[], "other,other #11 1"),
    ];
    for (name, request, response, expected) in table {
        assert_eq!(sample(custom, request, response), Some(Ok(expected.to_owned())), "{name}");
    }
}

#[test]
fn metrics_do_not_meddle_with_each_other() {
    let plan = plan(
        r#"{"name": "a", "kind": "counter", "route": "till"},
           {"name": "b", "kind": "counter", "value": {"request_header": "x-b"}},
           {"name": "c", "kind": "histogram", "value": {"request_header": "x-c"}}"#,
    );
    let found = samples(&plan, &[("x-b", b"2"), ("x-c", b"3")], &[]);
    assert_eq!(found, [None, Some(Ok(" #0 2".to_owned())), Some(Ok(" #0 3".to_owned()))]);
}

#[test]
fn a_label_set_has_a_number_of_its_own() {
    let texts = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
    let allow = format!("{texts:?}");
    let label =
        |name: &str| format!(r#""{name}": {{"request_header": "{name}", "allow": {allow}}}"#);
    let custom = format!(
        r#"{{"name": "a", "kind": "counter", "labels": {{{}, {}, {}}}}}"#,
        label("x"),
        label("y"),
        label("z")
    );
    let plan = plan(&custom);
    let mut found = std::collections::HashSet::new();
    let all = || texts.into_iter().chain(["?"]);
    for (x, y, z) in all().flat_map(|x| all().flat_map(move |y| all().map(move |z| (x, y, z)))) {
        let head = [("x", x.as_bytes()), ("y", y.as_bytes()), ("z", z.as_bytes())];
        let sample = samples(&plan, &head, &[]).into_iter().next().unwrap().unwrap().unwrap();
        let (_, choice) = sample.split_once('#').unwrap();
        found.insert(choice.to_owned());
    }
    assert_eq!(found.len(), 1_000);
}

proptest! {
    #[test]
    fn whatever_headers_say_is_a_sample_or_invalid(
        amounts in prop::collection::vec(prop_oneof!["[0-9.+-]{0,24}".prop_map(String::into_bytes), any::<Vec<u8>>()], 0..3),
        outcomes in prop::collection::vec(prop_oneof![Just(b" good".to_vec()), any::<Vec<u8>>()], 0..3),
    ) {
        let plan = plan(
            r#"{"name": "a", "kind": "histogram", "value": {"response_header": "x-amount"},
                "labels": {"outcome": {"response_header": "x-outcome", "allow": ["good"]}}}"#,
        );
        let amount = amounts.iter().map(|amount| ("x-amount", amount.as_slice()));
        let outcome = outcomes.iter().map(|outcome| ("x-outcome", outcome.as_slice()));
        let head: Vec<_> = amount.chain(outcome).collect();
        let found = samples(&plan, &[], &head).into_iter().next().unwrap();
        // What a reader would say who sees all headers at once.
        let read: Vec<_> = amounts.iter().map(|amount| Decimal::parse(amount)).collect();
        let is_good = outcomes.first().is_some_and(|first| first.trim_ascii() == b"good");
        let expected = read.first().map(|first| match first {
            Some(value) if read.iter().all(|other| other == first) => Ok(*value),
            _ => Err(Invalid),
        });
        let expected = expected.map(|value| value.map(|value| {
            let mut text = if is_good { b"good #0 ".to_vec() } else { b"other #1 ".to_vec() };
            value.write(&mut text);
            String::from_utf8(text).unwrap()
        }));
        prop_assert_eq!(found, expected);
    }
}

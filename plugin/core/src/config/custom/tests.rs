//! What a custom metric may say, and what each problem with one says.

use proptest::prelude::*;

use super::*;
use crate::config;
use crate::{Place, Plan};

const TEMPLATES: &str = r#"["GET /users/{id}", "POST /users/{id}", {"path": "POST /api/payments", "name": "payments"},
    {"path": "/api/refunds", "name": "payments"}]"#;

fn read(custom: &str) -> Result<Vec<CustomSettings>, String> {
    let said = format!(
        r#"{{"routes": {{"templates": {TEMPLATES}}}, "metrics": {{"custom": [{custom}]}}}}"#
    );
    let settings = config::read(said.as_bytes());
    settings.map(|settings| settings.metrics.custom.0).map_err(|problems| problems.to_string())
}

fn told<const ROWS: usize>(table: [(&str, &str); ROWS]) -> String {
    let told = table.map(|(name, said)| format!("{name}:\n{}", read(said).unwrap_err()));
    told.join("\n")
}

/// A counter that says this too.
fn counter(also: &str) -> String {
    format!(r#"{{"name": "a", "kind": "counter", {also}}}"#)
}

#[test]
fn the_example_of_the_contract_is_one() {
    let custom = read(
        r#"{"name": "payments", "kind": "histogram", "route": "/api/payments", "method": "post",
            "value": {"response_header": "X-Amount"}, "unit": "EUR", "buckets": [1, 10, 100],
            "labels": {"outcome": {"response_header": "x-payment-status", "allow": ["success", "declined", "error"]}}}"#,
    );
    let custom = custom.unwrap().into_iter().next().unwrap();
    assert_eq!(custom.name.as_ref().map(MetricName::as_str), Some("payments"));
    assert_eq!(custom.method, Some(OneMethod(Method::Post)));
    assert_eq!(custom.unit.as_ref().map(Unit::as_str), Some("EUR"));
    assert_eq!(custom.buckets.as_ref().map(|buckets| buckets.0.buckets()), Some(4));
    let source = custom.value.as_ref().unwrap().source().unwrap();
    assert!(source.is(config::Side::Response, b"x-amount"));
    let (name, label) = custom.labels.0.first().unwrap();
    assert_eq!((name.as_str(), label.allow.0.len()), ("outcome", 3));
}

#[test]
fn a_route_is_called_as_it_is_written_or_by_its_name() {
    let said = format!(r#"{{"routes": {{"templates": {TEMPLATES}}}}}"#);
    let entries = config::read(said.as_bytes()).unwrap().routes.keys.templates.0;
    for (called, templates) in [
        ("/users/{id}", vec![0, 1]),
        ("GET /users/{id}", vec![0]),
        (" GET  /users/{id}", vec![0]),
        ("get /users/{id}", vec![]),
        ("GET,POST /users/{id}", vec![]),
        ("PUT /users/{id}", vec![]),
        ("/users/{name}", vec![]),
        ("payments", vec![2, 3]),
        ("/api/payments", vec![2]),
        ("GET /api/refunds", vec![]),
        ("", vec![]),
    ] {
        let found = templates_called(&RouteName(called.to_owned()), &entries);
        assert_eq!(found, templates, "{called:?}");
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table, and what is said of each row")]
fn what_is_wrong_with_a_metric_is_named() {
    let said = told([
        ("nothing", "null"),
        ("a text", r#""payments""#),
        ("a slip", r#"{"name": "a", "kind": "countr", "rout": "/x"}"#),
        ("a name with capitals", r#"{"name": "Payments", "kind": "counter"}"#),
        ("a number as a name", r#"{"name": 7, "kind": "counter"}"#),
        ("an ending", r#"{"name": "payments_total", "kind": "counter"}"#),
        (
            "a name that is taken",
            r#"{"name": "a", "kind": "counter"}, {"name": "a", "kind": "counter"}"#,
        ),
        (
            "a name that is taken once the unit is behind it",
            r#"{"name": "a", "kind": "counter", "unit": "ms"}, {"name": "a_milliseconds", "kind": "counter"}"#,
        ),
        ("a histogram of nothing", r#"{"name": "a", "kind": "histogram"}"#),
        ("buckets of a counter", &counter(r#""buckets": [1]"#)),
        (
            "buckets that fall",
            r#"{"name": "a", "kind": "histogram", "value": {"response_header": "a"}, "buckets": [2, 1]}"#,
        ),
        ("a route that is none", &counter(r#""route": "/api/paymets""#)),
        ("a route far from any", &counter(r#""route": "/x""#)),
        ("a route of another method", &counter(r#""route": "PUT /users/{id}""#)),
        ("a method that is none", &counter(r#""method": "psot""#)),
        ("a unit that is none", &counter(r#""unit": "a b""#)),
        ("no unit", &counter(r#""unit": """#)),
        ("no header", &counter(r#""value": {}"#)),
        ("two headers", &counter(r#""value": {"request_header": "a", "response_header": "b"}"#)),
        ("a secret header", &counter(r#""value": {"request_header": "Cookie"}"#)),
        ("a header that is none", &counter(r#""value": {"request_header": ":path"}"#)),
        ("only a header", &counter(r#""value": "x-amount""#)),
    ]);
    insta::assert_snapshot!(said, @r#"
    nothing:
    metrics.custom[0].name: nothing stands here, expected a name of at most 64 lower-case letters, digits and _, which begins with a letter
    metrics.custom[0].kind: nothing stands here, expected counter or histogram
    a text:
    metrics.custom[0]: "payments" stands here, expected a map of name, kind, route, method, value, unit, buckets, labels
    a slip:
    metrics.custom[0].rout: no such key; known here: name, kind, route, method, value, unit, buckets, labels; did you mean `route`?
    metrics.custom[0].kind: "countr" stands here, expected counter or histogram; did you mean `counter`?
    a name with capitals:
    metrics.custom[0].name: "Payments" stands here, expected a name of at most 64 lower-case letters, digits and _, which begins with a letter
    a number as a name:
    metrics.custom[0].name: 7 stands here, expected a name of at most 64 lower-case letters, digits and _, which begins with a letter
    an ending:
    metrics.custom[0].name: "payments_total" stands here, expected a name without _total, which is put behind it where it belongs; did you mean `payments`?
    a name that is taken:
    metrics.custom[1].name: "a" stands here, expected another name: metrics.custom[0] has this one
    a name that is taken once the unit is behind it:
    metrics.custom[1].name: "a_milliseconds" stands here, expected another name: metrics.custom[0] has this one
    a histogram of nothing:
    metrics.custom[0].value: nothing stands here, expected the header that holds what a histogram is of
    buckets of a counter:
    metrics.custom[0].buckets: a list stands here beside kind: counter, which has no buckets; leave it out, or say kind: histogram
    buckets that fall:
    metrics.custom[0].buckets[1]: 1 stands here, expected more than the 2 in front of it
    a route that is none:
    metrics.custom[0].route: "/api/paymets" stands here, expected one of routes.templates, or its name; did you mean `/api/payments`?
    a route far from any:
    metrics.custom[0].route: "/x" stands here, expected one of routes.templates, or its name
    a route of another method:
    metrics.custom[0].route: "PUT /users/{id}" stands here, expected one of routes.templates, or its name; did you mean `/users/{id}`?
    a method that is none:
    metrics.custom[0].method: "psot" stands here, expected CONNECT, DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT, QUERY or TRACE; did you mean `post`?
    a unit that is none:
    metrics.custom[0].unit: "a b" stands here, expected a unit of 1 to 63 visible ASCII characters
    no unit:
    metrics.custom[0].unit: "" stands here, expected a unit of 1 to 63 visible ASCII characters
    no header:
    metrics.custom[0].value: nothing stands here, expected response_header or request_header
    two headers:
    metrics.custom[0].value: both response_header and request_header stand here, expected one of them
    a secret header:
    metrics.custom[0].value.request_header: "Cookie" stands here, expected the name of a header, but none of authorization, cookie, proxy-authorization, set-cookie, x-api-key
    a header that is none:
    metrics.custom[0].value.request_header: ":path" stands here, expected the name of a header, but none of authorization, cookie, proxy-authorization, set-cookie, x-api-key
    only a header:
    metrics.custom[0].value: "x-amount" stands here, expected a map of response_header, request_header
    "#);
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table, and what is said of each row")]
fn what_is_wrong_with_a_label_is_named() {
    let label = |name: &str, also: &str| {
        counter(&format!(r#""labels": {{"{name}": {{"response_header": "a", {also}}}}}"#))
    };
    let allow = r#""allow": ["b"]"#;
    let said = told([
        ("a list", &counter(r#""labels": ["a"]"#)),
        ("a name with capitals", &label("Outcome", allow)),
        ("Prometheus's own", &label("__name__", allow)),
        ("that of buckets", &label("le", allow)),
        ("a digit first", &label("1st", allow)),
        ("no name", &label("", allow)),
        (
            "a name said twice",
            &counter(
                r#""labels": {"a": {"request_header": "a", "allow": ["b"]}, "a": {"request_header": "a", "allow": ["b"]}}"#,
            ),
        ),
        ("nothing", &counter(r#""labels": {"a": null}"#)),
        ("a text", &counter(r#""labels": {"a": "x-outcome"}"#)),
        ("no header", &counter(r#""labels": {"a": {"allow": ["b"]}}"#)),
        ("two headers", &label("a", r#""request_header": "b", "allow": ["b"]"#)),
        (
            "a secret header",
            &counter(r#""labels": {"a": {"request_header": "x-api-key", "allow": ["b"]}}"#),
        ),
        ("nothing allowed", &label("a", r#""allow": []"#)),
        ("what is other", &label("a", r#""allow": ["b", " other"]"#)),
        ("a text said twice", &label("a", r#""allow": ["b", "c", "b "]"#)),
        ("a number", &label("a", r#""allow": [200]"#)),
    ]);
    insta::assert_snapshot!(said, @r#"
    a list:
    metrics.custom[0].labels: a list stands here, expected a map of names to maps with a header and what it may say
    a name with capitals:
    metrics.custom[0].labels.Outcome: expected a name of at most 64 lower-case letters, digits and _, without a digit or __ in front, and not le
    Prometheus's own:
    metrics.custom[0].labels.__name__: expected a name of at most 64 lower-case letters, digits and _, without a digit or __ in front, and not le
    that of buckets:
    metrics.custom[0].labels.le: expected a name of at most 64 lower-case letters, digits and _, without a digit or __ in front, and not le
    a digit first:
    metrics.custom[0].labels.1st: expected a name of at most 64 lower-case letters, digits and _, without a digit or __ in front, and not le
    no name:
    metrics.custom[0].labels.: expected a name of at most 64 lower-case letters, digits and _, without a digit or __ in front, and not le
    a name said twice:
    metrics.custom[0].labels.a: said twice; keep one
    nothing:
    metrics.custom[0].labels.a: nothing stands here, expected response_header or request_header
    metrics.custom[0].labels.a.allow: nothing stands here, expected a list of the texts that it may have
    a text:
    metrics.custom[0].labels.a: "x-outcome" stands here, expected a map of response_header, request_header, allow
    no header:
    metrics.custom[0].labels.a: nothing stands here, expected response_header or request_header
    two headers:
    metrics.custom[0].labels.a: both response_header and request_header stand here, expected one of them
    a secret header:
    metrics.custom[0].labels.a.request_header: "x-api-key" stands here, expected the name of a header, but none of authorization, cookie, proxy-authorization, set-cookie, x-api-key
    nothing allowed:
    metrics.custom[0].labels.a.allow: nothing stands here, expected a list of the texts that it may have
    what is other:
    metrics.custom[0].labels.a.allow[1]: "other" stands here, which is what all that is not listed becomes; leave it out
    a text said twice:
    metrics.custom[0].labels.a.allow[2]: said twice; keep one
    a number:
    metrics.custom[0].labels.a.allow[0]: 200 stands here, expected a text of 1 to 255 bytes on one line, without ;.;
    "#);
}

#[test]
fn there_are_bounds() {
    let texts = |count: usize| {
        let texts: Vec<_> = (0..count).map(|number| format!(r#""t{number}""#)).collect();
        format!(r#""allow": [{}]"#, texts.join(","))
    };
    let labels = |count: usize, allow: &str| {
        let labels: Vec<_> = (0..count)
            .map(|number| format!(r#""l{number}": {{"request_header": "a", {allow}}}"#))
            .collect();
        counter(&format!(r#""labels": {{{}}}"#, labels.join(",")))
    };
    let metrics = |count: usize| {
        let metrics =
            (0..count).map(|number| format!(r#"{{"name": "m{number}", "kind": "counter"}}"#));
        metrics.collect::<Vec<_>>().join(",")
    };
    let name = |length| format!(r#"{{"name": "{}", "kind": "counter"}}"#, "a".repeat(length));
    let unit = |length| counter(&format!(r#""unit": "{}""#, "u".repeat(length)));
    for (at_the_bound, past_it) in [
        (metrics(32), metrics(33)),
        (name(64), name(65)),
        (unit(63), unit(64)),
        (labels(8, r#""allow": ["b"]"#), labels(9, r#""allow": ["b"]"#)),
        (labels(1, &texts(100)), labels(1, &texts(101))),
        (labels(3, &texts(9)), labels(3, &texts(10))),
    ] {
        assert_eq!(read(&at_the_bound).err(), None);
        assert_eq!(read(&past_it).unwrap_err().lines().count(), 1, "{past_it}");
    }
    let many = [
        metrics(33),
        labels(9, r#""allow": ["b"]"#),
        labels(1, &texts(101)),
        labels(3, &texts(10)),
    ];
    let told: Vec<_> = many.iter().map(|said| read(said).unwrap_err()).collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    metrics.custom: 33 entries, expected at most 32
    metrics.custom[0].labels: 9 entries, expected at most 8
    metrics.custom[0].labels.l0.allow: 101 entries, expected at most 100
    metrics.custom[0].labels: these labels make 1331 series, expected at most 1000: fewer of them, or of the texts they may have
    "#);
}

#[test]
fn problems_with_templates_come_before_those_of_who_names_them() {
    let said = br#"{"routes": {"templates": ["/a/{"]}, "metrics": {"custom": [{"name": "a", "kind": "counter", "route": "/a/{b}"}]}}"#;
    let problems = config::read(said).unwrap_err();
    let paths: Vec<_> = problems.iter().map(|problem| problem.path.as_str()).collect();
    assert_eq!(paths, ["routes.templates[0]"]);
}

/// Values such as stand in configurations, and those that do not.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<f64>().prop_map(Value::Number),
        (0..200_u32).prop_map(|number| Value::Number(f64::from(number) / 8.0)),
        "[a-z_/{}. 0-9é]{0,12}".prop_map(Value::String),
        prop::sample::select(vec![
            "counter",
            "histogram",
            "a",
            "15s",
            "0.005",
            "/x",
            "GET",
            "other"
        ])
        .prop_map(|text| Value::String(text.to_owned())),
    ];
    let names = vec![
        "stats",
        "endpoint",
        "port",
        "path",
        "otlp",
        "interval",
        "temporality",
        "buckets",
        "custom",
        "name",
        "kind",
        "route",
        "method",
        "value",
        "response_header",
        "request_header",
        "unit",
        "labels",
        "allow",
        "le",
    ];
    leaf.prop_recursive(5, 60, 6, move |inner| {
        let entry = (prop::sample::select(names.clone()), inner.clone());
        let entry = entry.prop_map(|(name, value)| (name.to_owned(), value));
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::List),
            prop::collection::vec(entry, 0..6).prop_map(Value::Map),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_is_said_is_a_plan_or_problems(metrics in any_value(), custom in any_value(), labels in any_value()) {
        let map = |entries: Vec<(&str, Value)>| {
            Value::Map(entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
        };
        let text = |text: &str| Value::String(text.to_owned());
        let of_labels = map(vec![("name", text("a")), ("kind", text("counter")), ("labels", labels)]);
        for said in [metrics, map(vec![("custom", custom.clone())]), map(vec![("custom", Value::List(vec![custom, of_labels]))])] {
            match config::interpret(&map(vec![("metrics", said)])) {
                Ok(settings) => {
                    let plan = Plan::new(&settings, &Place::default());
                    prop_assert_eq!(plan.metrics.custom.len(), settings.metrics.custom.0.len());
                    prop_assert_eq!(plan.metrics.endpoint.is_some(), settings.metrics.endpoint.0.is_some());
                }
                Err(problems) => prop_assert!(problems.iter().all(|problem| problem.path.starts_with("metrics"))),
            }
        }
    }
}

//! A trace out of the filter's spans, the app's own and lines; and what a search tells of a request.

use super::*;

/// Depth, name, who made it, begin and duration of each span.
fn outline(waterfall: &Waterfall) -> Vec<(usize, &str, Origin, u64, u64)> {
    let outline = waterfall
        .spans
        .iter()
        .map(|span| (span.depth, span.name.as_str(), span.from, span.start_us, span.duration_us));
    outline.collect()
}

fn trace(store: &Store) -> Waterfall {
    store.trace(TRACE).unwrap()
}

#[test]
fn spans_of_all_programs_are_one_tree() {
    let mut store = store();
    let app = vec![
        span(4, 2, "SELECT", NOW + 5_000, 1_000),
        span(2, 1, "GET /a http", NOW + 1_000, 20_000),
        span(3, 2, "cache", NOW + 2_000, 1_000),
    ];
    store.spans(NOW, &exported("shop", "opentelemetry.instrumentation.fastapi", app));
    store.spans(NOW, &exported("shop", "sightline", vec![span(1, 0, "GET /a", NOW, 30_000)]));
    let line = Written::new("/b", NOW + 8_000, 2_000)
        .with("trace_id", TRACE)
        .with("span_id", "0000000000000009")
        .with("parent_span_id", "0000000000000002")
        .with("status", 500);
    take(&mut store, NOW, line.text().as_bytes());
    let exported_too = Written::new("/a", NOW + 30_000, 30_000)
        .with("trace_id", TRACE)
        .with("span_id", "0000000000000001");
    take(&mut store, NOW, exported_too.text().as_bytes());
    let waterfall = trace(&store);
    assert_eq!(
        outline(&waterfall),
        [
            (0, "GET /a", Origin::Sightline, 0, 30_000),
            (1, "GET /a http", Origin::App, 1_000, 20_000),
            (2, "cache", Origin::App, 2_000, 1_000),
            (2, "SELECT", Origin::App, 5_000, 1_000),
            (2, "GET /b", Origin::Line, 6_000, 2_000),
        ]
    );
    assert_eq!((waterfall.started_us, waterfall.duration_us), (NOW, 30_000));
    assert_eq!((waterfall.left_out, waterfall.requests.len()), (0, 2));
    assert!(waterfall.spans[4].error);
    assert_eq!(waterfall.spans[4].parent_span_id.as_deref(), Some("0000000000000002"));
    assert_eq!(
        waterfall.spans[1].attributes["otel.scope.name"],
        "opentelemetry.instrumentation.fastapi"
    );
}

#[test]
fn odd_parents_are_no_trouble() {
    for (name, spans, expected) in [
        ("its own parent", vec![(1, 1)], vec![(0, "1")]),
        ("a ring", vec![(1, 3), (2, 1), (3, 2)], vec![(0, "1"), (1, "2"), (2, "3")]),
        (
            "a ring below nothing, and a root",
            vec![(5, 0), (1, 2), (2, 1)],
            vec![(0, "5"), (0, "1"), (1, "2")],
        ),
        ("a parent that never came", vec![(2, 9), (3, 2)], vec![(0, "2"), (1, "3")]),
        ("twice", vec![(1, 0), (2, 1), (2, 1), (1, 0)], vec![(0, "1"), (1, "2")]),
        ("two roots", vec![(2, 0), (1, 0)], vec![(0, "1"), (0, "2")]),
        ("no ID", vec![(0, 1), (1, 0)], vec![(0, "1")]),
    ] {
        let mut store = store();
        let spans = spans
            .into_iter()
            .map(|(id, parent)| span(id, parent, &id.to_string(), NOW + u64::from(id), 5));
        let mut spans: Vec<_> = spans.collect();
        // Roots are told by when they begin.
        if name.contains("and a root") {
            spans[0].start_time_unix_nano = NOW * 1_000;
        }
        store.spans(NOW, &exported("shop", "app", spans));
        let waterfall = trace(&store);
        let told: Vec<_> =
            waterfall.spans.iter().map(|span| (span.depth, span.name.as_str())).collect();
        assert_eq!(told, expected, "{name}");
    }
}

#[test]
fn a_clock_that_is_behind_is_set_right() {
    let mut store = store();
    store.spans(NOW, &exported("shop", "sightline", vec![span(1, 0, "proxy", NOW, 10_000)]));
    let behind = NOW - 60 * SECOND;
    let app = vec![span(2, 1, "app", behind, 6_000), span(3, 2, "query", behind + 1_000, 2_000)];
    store.spans(NOW, &exported("shop", "app", app));
    let waterfall = trace(&store);
    assert_eq!(
        outline(&waterfall),
        [
            (0, "proxy", Origin::Sightline, 0, 10_000),
            (1, "app", Origin::App, 2_000, 6_000),
            (2, "query", Origin::App, 3_000, 2_000),
        ]
    );
    assert_eq!(waterfall.spans[2].shifted_us, 60 * SECOND + 2_000);
}

#[test]
fn times_that_cannot_be_are_replaced() {
    for (name, start, end) in [
        ("no time at all", 0, 0),
        ("the end of time", u64::MAX, u64::MAX),
        ("ends before it begins", NOW * 1_000, 1),
        ("for ever", NOW * 1_000, u64::MAX),
    ] {
        let mut store = store();
        let odd = Span {
            start_time_unix_nano: start,
            end_time_unix_nano: end,
            ..span(1, 0, "odd", 0, 0)
        };
        store.spans(NOW, &exported("shop", "app", vec![odd, span(2, 1, "even", NOW, 5)]));
        let waterfall = trace(&store);
        let day = 24 * 3_600 * SECOND;
        assert!(waterfall.duration_us <= day, "{name}: {}", waterfall.duration_us);
        assert!(waterfall.started_us.abs_diff(NOW) <= SECOND, "{name}: {}", waterfall.started_us);
    }
}

#[test]
fn a_large_trace_is_cut_and_says_so() {
    let mut store = store();
    let mut spans = Vec::new();
    for number in 0..1_000_u64 {
        let mut one = span(1, 0, &number.to_string(), NOW + number, 5);
        one.span_id = (number + 1).to_be_bytes().to_vec();
        one.parent_span_id = if number == 0 { Vec::new() } else { number.to_be_bytes().to_vec() };
        spans.push(one);
    }
    store.spans(NOW, &exported("shop", "app", spans));
    let waterfall = trace(&store);
    assert_eq!((waterfall.spans.len(), waterfall.left_out), (500, 500));
    assert_eq!(waterfall.spans[499].depth, 499);
}

#[test]
fn a_trace_of_nothing_but_lines_has_all_of_them() {
    let mut store = store();
    for number in 1..=60_u64 {
        let line = Written::new("/a", NOW + number * 10, 5)
            .with("trace_id", TRACE)
            .with("span_id", format!("{number:016x}"))
            .with("parent_span_id", format!("{:016x}", number - 1));
        take(&mut store, NOW, line.text().as_bytes());
    }
    let waterfall = trace(&store);
    assert_eq!((waterfall.spans.len(), waterfall.requests.len()), (60, 20));
    assert_eq!(waterfall.spans[59].depth, 59);
    assert_eq!(waterfall.spans[0].parent_span_id, None);
    assert_eq!(waterfall.requests[0].span_id, "0000000000000001");
}

#[test]
fn attributes_are_told_whatever_they_are() {
    let mut deep = Said::BoolValue(true);
    for _ in 0..40 {
        let values = vec![AnyValue { value: Some(deep) }];
        deep = Said::ArrayValue(crate::otlp::proto::common::v1::ArrayValue { values });
    }
    let mut store = store();
    let mut odd = span(1, 0, "odd", NOW, 1);
    odd.attributes = vec![
        attribute("text", Said::StringValue("\u{0}<b>\u{202e}".to_owned())),
        attribute("long", Said::StringValue("é".repeat(10_000))),
        attribute("huge", Said::IntValue(i64::MAX)),
        attribute("nan", Said::DoubleValue(f64::NAN)),
        attribute("bytes", Said::BytesValue(vec![0xff, 0])),
        attribute("deep", deep),
        KeyValue { key: "nothing".to_owned(), ..KeyValue::default() },
    ];
    store.spans(NOW, &exported("shop", "app", vec![odd]));
    let waterfall = trace(&store);
    let attributes = &waterfall.spans[0].attributes;
    assert_eq!(attributes["text"], "\u{0}<b>\u{202e}");
    assert_eq!(attributes["long"].as_str().unwrap().chars().count(), 513);
    assert_eq!(attributes["huge"], "9223372036854775807");
    assert_eq!(attributes["nan"], "NaN");
    assert_eq!(attributes["bytes"], "ff00");
    assert_eq!(attributes["deep"].to_string(), r#"[[[["…"]]]]"#);
    assert_eq!(attributes["nothing"], serde_json::Value::Null);
}

#[test]
fn a_search_tells_line_span_and_route_together() {
    let mut store =
        Store::new(NOW, vec![front(serde_json::json!({"routes": {"templates": ["/users/{id}"]}}))]);
    let line = Written::new("/users/{id}", NOW, 5_000)
        .with("path", "/users/7")
        .with("request_id", "req-42")
        .with("trace_id", TRACE)
        .with("span_id", "0000000000000001")
        .with("zebra", "kept as it is")
        .with("aardvark", 1);
    take(&mut store, NOW, line.text().as_bytes());
    store.spans(
        NOW,
        &exported("shop", "sightline", vec![span(1, 0, "GET /users/{id}", NOW - 5_000, 5_000)]),
    );
    let found = store.search("req-42");
    assert_eq!((found.query.as_str(), found.found.len(), found.more), ("req-42", 1, false));
    let one = &found.found[0];
    assert_eq!(one.request.path, "/users/7");
    assert_eq!(one.span.as_ref().unwrap().name, "GET /users/{id}");
    assert_eq!(one.span.as_ref().unwrap().start_us, 0);
    let told = serde_json::to_string(&found).unwrap();
    assert!(told.contains(&format!("\"line\":{}", line.text().trim())), "{told}");
    let last = one.explanation.last().unwrap();
    assert_eq!(last, "The route is /users/{id}, and route_source is template.");
}

#[test]
fn requests_are_found_by_what_people_paste() {
    let mut store = store();
    let line = Written::new("/a", NOW, 1).with("request_id", "Req-42é").with("trace_id", TRACE);
    take(&mut store, NOW, line.text().as_bytes());
    for (query, found) in [
        ("Req-42é", 1),
        ("Req-", 1),
        ("  Req-42é\n", 1),
        (TRACE, 1),
        (&TRACE.to_uppercase(), 1),
        (&TRACE[..4], 1),
        (&format!("00-{TRACE}-00f067aa0ba902b7-01"), 1),
        ("Req", 0),
        ("req-42é", 0),
        ("eq-42é", 0),
        (&TRACE[1..], 0),
        ("", 0),
        ("    ", 0),
        ("00-éééééééééééééééééééééééééé", 0),
        (&"x".repeat(100_000), 0),
    ] {
        assert_eq!(store.search(query).found.len(), found, "{query}");
    }
}

#[test]
fn routes_are_explained_with_what_lines_have_taught() {
    let mut store = store();
    let inferred = |path: &str, source: &str| {
        let route = if source == "typed" { "/orders/{int}" } else { "_unmatched" };
        Written::new(route, NOW, 1)
            .with("path", path)
            .with("route_source", source)
            .with("request_id", path)
            .text()
    };
    take(&mut store, NOW, inferred("/orders/1", "typed").as_bytes());
    take(&mut store, NOW, inferred("/nothing/1", "unmatched").as_bytes());
    let last = |id: &str| store.search(id).found[0].explanation.last().unwrap().clone();
    assert_eq!(last("/orders/1"), "The route is /orders/{int}, and route_source is typed.");
    assert_eq!(last("/nothing/1"), "The route is _unmatched, and route_source is unmatched.");
    let other = Written::new("/a", NOW, 1).with("service", "other").with("request_id", "other-1");
    take(&mut store, NOW, other.text().as_bytes());
    let explanation = store.search("other-1").found[0].explanation.clone();
    assert_eq!(explanation.len(), 1);
    assert!(explanation[0].contains("\"other\""), "{explanation:?}");
}

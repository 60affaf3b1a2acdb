//! What the store keeps, and how a span is read.

use super::*;

/// An export as `take` gets it.
fn export(request: ExportTraceServiceRequest) -> Export {
    Export {
        protocol: Protocol::Http,
        headers: Vec::new(),
        signal: Signal::Traces(request),
        message: Bytes::new(),
        bytes: 0,
        compressed: false,
    }
}

#[test]
fn the_store_keeps_the_newest_and_counts_them_all() {
    let store = Store::default();
    let many = export(spans(60_000));
    store.keep(&many, &Reply::Accepted);
    store.keep(&many, &Reply::Accepted);
    let kept = store.spans();
    assert_eq!((kept.len(), store.total()), (100_000, 120_000));
    assert_eq!((kept[0].name(), kept[99_999].name()), ("20000", "59999"));
}

#[test]
fn the_store_keeps_what_the_reply_accepts() {
    let partial = |rejected| Reply::Partial { rejected, message: String::new() };
    let second = Duration::from_secs(1);
    let rows = [
        (Reply::Accepted, 3, 3),
        (partial(0), 3, 3),
        (partial(1), 2, 2),
        (partial(9), 0, 0),
        (partial(-1), 3, 3),
        (Reply::status(204), 3, 0),
        (Reply::status(503), 0, 0),
        (Reply::Grpc(0, String::new()), 3, 3),
        (Reply::Grpc(14, String::new()), 0, 0),
        (Reply::Nonsense(vec![1]), 3, 3),
        (Reply::Silence, 0, 0),
        (Reply::Reset, 0, 0),
        (Reply::Accepted.after(second), 3, 3),
        (Reply::Reset.after(second), 0, 0),
    ];
    for (reply, over_http, over_grpc) in rows {
        for (protocol, wanted) in [(Protocol::Http, over_http), (Protocol::Grpc, over_grpc)] {
            let store = Store::default();
            store.keep(&Export { protocol, ..export(spans(3)) }, &reply);
            let names: Vec<_> = store.spans().iter().map(|span| span.name().to_owned()).collect();
            assert_eq!(names, ["0", "1", "2"][..wanted], "{reply:?} to {protocol:?}");
        }
    }
}

#[test]
fn a_span_is_read_by_the_names_of_its_attributes() {
    let list = ArrayValue { values: vec![AnyValue { value: Some(text("a")) }] };
    let span = Span {
        trace_id: (0..16).collect(),
        span_id: vec![0xab; 8],
        name: "GET /users/{id}".to_owned(),
        kind: SpanKind::Server.into(),
        attributes: vec![
            attribute("http.route", text("/users/{id}")),
            attribute("http.response.status_code", Value::IntValue(503)),
            attribute("kept", Value::BoolValue(true)),
            attribute("header", Value::ArrayValue(list)),
            KeyValue { key: "nothing".to_owned(), ..KeyValue::default() },
        ],
        status: Some(Status { code: StatusCode::Error.into(), ..Status::default() }),
        ..Span::default()
    };
    let child = Span { parent_span_id: span.span_id.clone(), ..Span::default() };
    let store = Store::default();
    store.keep(&export(request(vec![span, child])), &Reply::Accepted);
    let [span, child] = &store.spans()[..] else { panic!("two spans") };
    assert_eq!(span.trace_id_hex(), "000102030405060708090a0b0c0d0e0f");
    assert_eq!(span.span_id_hex(), "abababababababab");
    assert_eq!((span.kind(), span.status()), (SpanKind::Server, StatusCode::Error));
    assert_eq!(span.parent_hex(), None);
    assert_eq!(span.text("http.route"), Some("/users/{id}"));
    assert_eq!(span.int("http.response.status_code"), Some(503));
    assert_eq!(span.flag("kept"), Some(true));
    assert_eq!(span.texts("header"), Some(vec!["a"]));
    // Of another type is not there, and neither is one without a value.
    assert_eq!((span.int("http.route"), span.text("kept"), span.texts("kept")), (None, None, None));
    assert_eq!((span.attribute("nothing"), span.resource_text("http.route")), (None, None));
    assert_eq!(child.parent_hex().as_deref(), Some("abababababababab"));
    assert_eq!((child.kind(), child.status()), (SpanKind::Unspecified, StatusCode::Unset));
}

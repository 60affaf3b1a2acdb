//! What a configuration says of the trace beside the mode: callers that are not joined, responses that tell,
//! routes that are left out, directions.

use serde_json::{Value, json};
use sightline_cli::otlp::proto::trace::v1::span::SpanKind;
use sightline_tests::{
    Answer, Collector, Configuration, Message, Proxy, Request, Upstream, outbound,
};

use crate::trace_modes::{
    CALLER, CALLERS, Service, TRACE, Tracer, UNSAMPLED, VALID, few_routes, texts,
};

#[test]
fn restart_leaves_the_caller_a_link_and_passes_baggage() {
    let configuration = json!({"trace": {"mode": "own", "inbound": "restart"}});
    let service = Service::shaped(1, Tracer::None, configuration, |bootstrap| bootstrap);
    for (id, caller, flags) in [("sampled", VALID, 0x301), ("unsampled", UNSAMPLED, 0x300)] {
        let request = Request::get("/users/7").field("x-request-id", id).field("baggage", "k=v;p");
        let request = request.field("traceparent", caller).field("tracestate", "a=1,ot=th:8");
        service.proxy.send(&request);
        let [trace, span, sampled] = service.context(id).unwrap();
        assert_ne!(trace, TRACE, "{id}");
        assert_eq!(sampled, "03", "{id}: a trace of our own, by our ratio");
        assert_eq!(texts(&service.seen(id), "tracestate"), ["ot=th:0"], "{id}");
        assert_eq!(texts(&service.seen(id), "baggage"), ["k=v;p"], "{id}");
        let ours = service.ours.span_where(id, |it| it.text("sightline.request_id") == Some(id));
        assert_eq!(
            (ours.trace_id_hex(), ours.span_id_hex(), ours.parent_hex()),
            (trace, span, None)
        );
        let [link] = ours.span.links.as_slice() else { panic!("{ours:?}") };
        let number =
            |bytes: &[u8]| bytes.iter().fold(0, |number, it| number << 8 | u128::from(*it));
        assert_eq!(format!("{:032x}", number(&link.trace_id)), TRACE, "{id}");
        assert_eq!(format!("{:016x}", number(&link.span_id)), CALLER, "{id}");
        assert_eq!(link.flags, flags, "{id}: the caller's, and that it is remote");
        assert_eq!(service.proxy.line_of(id)["parent_span_id"], Value::Null, "{id}");
    }
    service.send("none", &[]);
    let ours = service.ours.span_where("it", |it| it.text("sightline.request_id") == Some("none"));
    assert_eq!(ours.span.links, []);
}

#[test]
fn the_response_tells_of_the_trace_where_it_is_asked_to() {
    let table: [(&str, &str, &[&str], &[&str]); 5] = [
        ("own", "none", &[], &["db;dur=5"]),
        ("own", "traceresponse", &["C"], &["db;dur=5"]),
        ("own", "server-timing", &[], &["db;dur=5", "traceparent;desc=\"C\""]),
        ("enrich", "traceresponse", &[], &["db;dur=5"]),
        ("off", "server-timing", &[], &["db;dur=5"]),
    ];
    for (mode, how, traceresponse, server_timing) in table {
        let configuration = json!({"trace": {"mode": mode, "response": how}});
        let service = Service::shaped(1, Tracer::None, configuration, few_routes);
        let answer = service.send("app", &[VALID]);
        told(&service, "app", &answer, traceresponse, server_timing);
        for (path, id) in [("/direct", "direct"), ("/nothing", "nothing")] {
            let answer = service.proxy.send(&Request::get(path).field("x-request-id", id));
            // No app was asked, so there is nothing but ours.
            told(&service, id, &answer, traceresponse, &server_timing[1..]);
        }
    }
}

/// What the headers of an answer must be, C standing for the context that the line has.
fn told(service: &Service, id: &str, answer: &Message, traceresponse: &[&str], timing: &[&str]) {
    let line = service.proxy.line_of(id);
    let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
    let context = format!("00-{}-{}-{}", text("trace_id"), text("span_id"), text("trace_flags"));
    let filled = |values: &[&str]| values.iter().map(|it| it.replace('C', &context)).collect();
    let expected: [Vec<String>; 2] = [filled(traceresponse), filled(timing)];
    assert_eq!(
        ["traceresponse", "server-timing"].map(|name| texts(answer, name)),
        expected,
        "{id}"
    );
}

#[test]
fn what_is_ignored_has_no_span_and_passes_the_context_on() {
    let configuration = json!({
        "trace": {"mode": "own"},
        "routes": {"templates": [{"path": "/users/{id}", "ignore": ["trace"]}], "ignore": ["/probe"]},
    });
    let service = Service::shaped(1, Tracer::None, configuration, |bootstrap| bootstrap);
    for (path, caller) in
        ["/users/7", "/probe"].into_iter().flat_map(|path| CALLERS.map(|caller| (path, caller)))
    {
        let (name, values) = caller;
        let id = format!("{}-{name}", &path[1..2]);
        let request = Request::get(path).field("x-request-id", &id).field("tracestate", "a=1");
        let request = values.iter().fold(request, |it, value| it.field("traceparent", value));
        service.proxy.send(&request);
        let [trace, span, flags] = service.context(&id).unwrap();
        let state = texts(&service.seen(&id), "tracestate");
        if let ("sampled" | "unsampled", [sent]) = (name, values) {
            assert_eq!(format!("00-{trace}-{span}-{flags}"), *sent, "{path}, {name}: untouched");
            assert_eq!(state, ["a=1"], "{path}, {name}: untouched");
        } else {
            assert!(trace != TRACE && span != CALLER, "{path}, {name}: {trace}-{span}");
            assert_eq!(flags, "02", "{path}, {name}: a context that is not sampled");
            assert_eq!(state, [""; 0], "{path}, {name}: it belonged to no trace");
        }
    }
    assert!(service.exports_nothing());
    // The others are there.
    service.proxy.send(&Request::get("/traced").field("x-request-id", "traced"));
    service.ours.wait_for(1);
    let lines = service.proxy.lines();
    assert!(lines.iter().all(|line| line["path"] != "/probe"), "{lines:#?}");
}

#[test]
fn listeners_with_one_configuration_have_spans_of_their_own_kinds() {
    let (app, ours) = (Upstream::answering(|_| Answer::new(200).body("hi")), Collector::start());
    let proxy = Proxy::start(|bootstrap| {
        let export = json!({"cluster": "collector", "interval": "100ms"});
        let configuration = json!({"sampling": {"ratio": 1}, "export": export});
        let bootstrap = bootstrap.configuration(Configuration::Struct(configuration));
        let bootstrap = bootstrap.upstream(app.address()).collector(ours.address(), false);
        outbound(bootstrap, app.address(), |bootstrap| bootstrap)
    });
    let table = [
        ("in", proxy.address(), SpanKind::Server),
        ("out", proxy.outbound_address(), SpanKind::Client),
        ("in again", proxy.address(), SpanKind::Server),
    ];
    for (agent, address, kind) in table {
        Request::get("/").field("user-agent", agent).send(address).unwrap();
        let span = ours.span_where(agent, |it| it.text("user_agent.original") == Some(agent));
        assert_eq!(span.kind(), kind, "{agent}");
    }
}

#[test]
fn spans_are_of_the_kind_that_configuration_or_listener_says() {
    let table = [
        ("auto", None, SpanKind::Server),
        ("auto", Some("INBOUND"), SpanKind::Server),
        ("auto", Some("OUTBOUND"), SpanKind::Client),
        ("inbound", Some("OUTBOUND"), SpanKind::Server),
        ("outbound", None, SpanKind::Client),
    ];
    for (said, listener, kind) in table {
        let service = Service::shaped(1, Tracer::None, json!({"direction": said}), |bootstrap| {
            bootstrap.patch(|document| {
                if let Some(direction) = listener {
                    document["static_resources"]["listeners"][0]["traffic_direction"] =
                        json!(direction);
                }
            })
        });
        for id in ["first", "second"] {
            service.send(id, &[]);
            let ours =
                service.ours.span_where(id, |it| it.text("sightline.request_id") == Some(id));
            assert_eq!(ours.kind(), kind, "{said}, {listener:?}");
        }
    }
}

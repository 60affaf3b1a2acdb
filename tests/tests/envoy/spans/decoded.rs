//! What we send, decoded by Python's `opentelemetry-proto`, which owes nothing to our own receiver: every
//! attribute has the name and the type of the semantic conventions, and there are no others.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::{Value, json};
use sightline_setup::{Checkout, python};
use sightline_tests::{Answer, Collector, Proxy, Request, Upstream};

use super::{exporting, span_of};

/// The attributes of spans, and their types. The first part is the conventions', the second our own.
const ATTRIBUTES: [(&str, &str); 24] = [
    ("client.address", "string"),
    ("error.type", "string"),
    ("http.request.method", "string"),
    ("http.request.method_original", "string"),
    ("http.response.status_code", "int"),
    ("http.route", "string"),
    ("network.peer.address", "string"),
    ("network.peer.port", "int"),
    ("network.protocol.version", "string"),
    ("rpc.method", "string"),
    ("rpc.response.status_code", "string"),
    ("rpc.system.name", "string"),
    ("server.address", "string"),
    ("server.port", "int"),
    ("url.full", "string"),
    ("url.path", "string"),
    ("url.query", "string"),
    ("url.scheme", "string"),
    ("url.template", "string"),
    ("user_agent.original", "string"),
    ("baggage.tenant", "string"),
    ("sightline.kept", "string"),
    ("sightline.request_id", "string"),
    ("sightline.route.source", "string"),
];

const RESOURCE: [(&str, &str); 5] = [
    ("service.name", "string"),
    ("service.instance.id", "string"),
    ("telemetry.distro.name", "string"),
    ("telemetry.distro.version", "string"),
    ("team", "string"),
];

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// Export requests as the Python package reads them.
fn decoded(messages: &[&[u8]]) -> Vec<Value> {
    let checkout = Checkout::find().unwrap();
    let python = python::interpreter(&checkout).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let mut decoded = Vec::new();
    for message in messages {
        let file = dir.path().join("export.bin");
        std::fs::write(&file, message).unwrap();
        let mut decode = Command::new(&python);
        decode.arg(checkout.root().join("tests/apps/decode_otlp.py")).arg("traces").arg(file);
        let output = decode.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let requests: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
        decoded.extend(requests);
    }
    decoded
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value[name].as_array().map_or(&[], Vec::as_slice)
}

/// Panics where an attribute has a name or a type that is not in the table.
fn assert_known(attributes: &Value, table: &[(&str, &str)]) {
    for (name, value) in attributes.as_object().unwrap() {
        let types: Vec<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
        let (_, expected) = table
            .iter()
            .find(|(known, _)| known == name)
            .unwrap_or_else(|| panic!("{name} is no name of the conventions: {value}"));
        assert_eq!(types, [*expected], "{name}");
    }
}

fn exported(direction: &str, protocol: &str) -> BTreeMap<String, Value> {
    let collector = Collector::start();
    let upstream = Upstream::answering(|request| match request.path() {
        "/shop.Cart/Add" => Answer::new(200)
            .field("content-type", "application/grpc")
            .field("grpc-status", "14")
            .body(""),
        "/users/7?a=b" => Answer::new(500).body("oh"),
        _ => Answer::new(200).body("hi"),
    });
    let more = json!({
        "direction": direction,
        "service": {"name": "shop", "attributes": {"team": "a"}},
        "routes": {"templates": ["/users/{id}"]},
        "trace": {"baggage": ["tenant"]},
    });
    let proxy = Proxy::start(|bootstrap| {
        exporting(bootstrap.upstream(upstream.address()), &collector, protocol, &more)
    });
    let unsampled = format!("00-{TRACE}-{PARENT}-02");
    let sampled = format!("00-{TRACE}-{PARENT}-01");
    let kept = Request::get("/users/7?a=b")
        .field("baggage", "tenant=acme")
        .field("traceparent", unsampled);
    let kept = kept.field("tracestate", "vendor=1,ot=th:f");
    let joined =
        Request::get("/users/8").field("user-agent", "curl/8").field("traceparent", sampled);
    let call = Request::post("/shop.Cart/Add").field("content-type", "application/grpc").body("");
    for (id, request) in [
        ("kept", kept),
        ("joined", joined.field("tracestate", "vendor=1")),
        ("method", Request::new("PROPFIND", "/pot").field("host", "shop.test:8080")),
        ("call", call),
    ] {
        proxy.send(&request.field("x-request-id", id));
        span_of(&collector, id);
    }
    let exports = collector.exports();
    let messages: Vec<&[u8]> = exports.iter().map(|export| export.message.as_ref()).collect();
    spans(&decoded(&messages))
}

/// All spans by their request IDs. What is around them is checked on the way.
fn spans(requests: &[Value]) -> BTreeMap<String, Value> {
    let mut spans = BTreeMap::new();
    for resource in requests.iter().flat_map(|request| list(request, "resource_spans")) {
        let attributes = &resource["resource"]["attributes"];
        assert_known(attributes, &RESOURCE);
        assert_eq!(attributes.as_object().unwrap().len(), RESOURCE.len(), "{attributes}");
        for scope in list(resource, "scope_spans") {
            assert_eq!(
                scope["scope"],
                json!({"name": "sightline", "version": env!("CARGO_PKG_VERSION")})
            );
            for span in list(scope, "spans") {
                let id = span["attributes"]["sightline.request_id"]["string"].as_str().unwrap();
                spans.insert(id.to_owned(), span.clone());
            }
        }
    }
    spans
}

#[test]
fn every_attribute_has_the_name_and_the_type_that_the_conventions_demand() {
    let mut seen: Vec<String> = Vec::new();
    for (direction, protocol, kind) in
        [("inbound", "http", "SPAN_KIND_SERVER"), ("outbound", "grpc", "SPAN_KIND_CLIENT")]
    {
        let spans = exported(direction, protocol);
        assert_eq!(spans.keys().collect::<Vec<_>>(), ["call", "joined", "kept", "method"]);
        for (id, span) in &spans {
            assert_eq!(span["kind"], kind, "{id}");
            assert_known(&span["attributes"], &ATTRIBUTES);
            seen.extend(span["attributes"].as_object().unwrap().keys().cloned());
            let lengths = ["trace_id", "span_id"].map(|it| span[it].as_str().unwrap().len());
            assert_eq!(lengths, [32, 16], "{id}");
            assert!(span["start_time_unix_nano"].as_u64() <= span["end_time_unix_nano"].as_u64());
            let known = [
                "attributes",
                "end_time_unix_nano",
                "flags",
                "kind",
                "name",
                "parent_span_id",
                "span_id",
                "start_time_unix_nano",
                "status",
                "trace_id",
                "trace_state",
            ];
            for field in span.as_object().unwrap().keys() {
                assert!(known.contains(&field.as_str()), "{id}: {field}");
            }
        }
        for (id, parent, flags, state) in [
            // Whose parent is known to be another process's; W3C's flags are below.
            ("joined", json!(PARENT), 0x301, json!("vendor=1")),
            ("kept", json!(PARENT), 0x302, json!("vendor=1")),
            ("method", Value::Null, 0x103, json!("ot=th:0")),
        ] {
            let span = &spans[id];
            let found = (&span["parent_span_id"], &span["flags"], &span["trace_state"]);
            assert_eq!(found, (&parent, &json!(flags), &state), "{direction}: {id}");
        }
        assert_eq!(spans["kept"]["status"], json!({"code": "STATUS_CODE_ERROR"}));
        assert_eq!(spans["joined"]["status"], Value::Null);
        for name in if direction == "inbound" { &SERVER[..] } else { &CLIENT[..] } {
            assert!(spans["method"]["attributes"][name].is_object(), "{direction} has {name}");
        }
    }
    for (name, _) in &ATTRIBUTES {
        assert!(seen.iter().any(|seen| seen == name), "{name} was never sent");
    }
}

/// What the conventions require of each.
const SERVER: [&str; 5] =
    ["http.request.method", "url.path", "url.scheme", "server.address", "server.port"];
const CLIENT: [&str; 4] = ["http.request.method", "url.full", "server.address", "server.port"];

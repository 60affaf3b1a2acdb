//! The access log by every way out: Envoy's own logger, Envoy's application log, and log records to a collector. What
//! one says of a request, all say.

mod apart;
mod fields;
mod place;
pub(crate) mod read;
mod sampling;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use sightline_cli::otlp::{Protocol, Signal};
use sightline_cli::wait;
use sightline_setup::{Checkout, python};
use sightline_tests::{
    Answer, Bootstrap, Collector, Configuration, Message, Nobody, Proxy, Request, Upstream,
};

use fields::{Facts, Said, of_line};

/// How long a line may take to be written.
const SOON: Duration = Duration::from_secs(20);

/// Everything that has a field of the line is there.
fn everything(format: &str, protocol: &str) -> Configuration {
    Configuration::Struct(json!({
        "service": {
            "name": "shop",
            "attributes": {"k8s.pod.name": "shop-1", "k8s.namespace.name": "prod"},
        },
        "sampling": {"ratio": 1},
        "routes": {"templates": ["/users/{id}"]},
        "trace": {"baggage": ["tenant"]},
        "access_log": {
            "property": true, "stdout": true, "otlp": true, "format": format, "success_ratio": 0.5,
            "request_headers": ["x-tenant"], "response_headers": ["x-answer"],
        },
        "export": {"cluster": "collector", "protocol": protocol, "interval": "100ms"},
    }))
}

fn answer(request: &Message) -> Answer {
    match request.path() {
        "/missing" => Answer::new(404).body("no"),
        "/silent" => Answer::silence(),
        "/begun" => Answer::new(200).chunked().chunk("a").then_reset(),
        "/events" => {
            let events = Answer::new(200).field("content-type", "text/event-stream");
            events.chunked().chunk("data: a\n\n").then_silence()
        }
        "/shop.Cart/Add" => {
            let call = Answer::new(200).field("content-type", "application/grpc");
            call.field("grpc-status", "14").body("")
        }
        _ => Answer::new(200).field("x-answer", "a \"b\"").body("hi"),
    }
}

/// One route to nobody, and one that Envoy answers itself.
fn routed(bootstrap: Bootstrap, nobody: SocketAddr) -> Bootstrap {
    let bootstrap = bootstrap
        .route(json!({"match": {"path": "/nobody"}, "route": {"cluster": "nobody"}}))
        .route(json!({"match": {"path": "/direct"}, "direct_response": {"status": 403}}));
    bootstrap.patch(|document| {
        let address = json!({"address": nobody.ip().to_string(), "port_value": nobody.port()});
        let endpoint = json!({"endpoint": {"address": {"socket_address": address}}});
        let clusters = document["static_resources"]["clusters"].as_array_mut().unwrap();
        clusters.push(json!({
            "name": "nobody", "type": "STATIC", "connect_timeout": "1s",
            "load_assignment": {"cluster_name": "nobody", "endpoints": [{"lb_endpoints": [endpoint]}]},
        }));
    })
}

/// The requests, each with its ID, and a trace whose lines are kept.
fn requests() -> Vec<(&'static str, Request)> {
    let call = Request::post("/shop.Cart/Add").field("content-type", "application/grpc").body("");
    let whole = Request::get("/users/7?a=b%20c&token=secret")
        .field("user-agent", "curl/8 \"x\" \u{202e}")
        .field("x-forwarded-for", "192.0.2.9, 198.51.100.7")
        .field("baggage", "tenant=a%20b,other=c")
        .field("x-tenant", "one")
        .field("x-tenant", "t=wo");
    let all = [
        ("whole", whole),
        ("missing", Request::get("/missing")),
        ("nobody", Request::get("/nobody")),
        ("direct", Request::get("/direct")),
        ("method", Request::new("PROPFIND", "/users/8")),
        ("call", call),
        ("begun", Request::get("/begun")),
        ("events", Request::get("/events")),
        ("silent", Request::get("/silent")),
    ];
    let traced = |(number, (id, request)): (usize, (&'static str, Request))| {
        let parent = format!("00-4bf92f3577b34da6a3fffffffffffff{number:x}-00f067aa0ba902b7-01");
        (id, request.field("x-request-id", id).field("traceparent", parent))
    };
    all.into_iter().enumerate().map(traced).collect()
}

/// Sends it; where the answer has no end, leaves when it has begun, or when the request is upstream.
fn play(id: &str, request: &Request, proxy: &Proxy, upstream: &Upstream) {
    match id {
        "events" | "silent" => {
            let stream = request.begin(proxy.address()).unwrap();
            let is_its = |seen: &Message| seen.field("x-request-id") == Some(id);
            wait::until("the request upstream", SOON, || {
                upstream.requests().iter().any(is_its).then_some(())
            })
            .unwrap();
            if id == "events" {
                stream.peek(&mut [0]).unwrap();
            }
        }
        // It is cut short on this side too.
        "begun" => _ = request.send(proxy.address()),
        _ => _ = proxy.send(request),
    }
}

/// So many lines of the access log, as soon as they are there.
fn access_log(proxy: &Proxy, count: usize) -> Vec<String> {
    let lines = || {
        let log = proxy.raw_access_log();
        let lines: Vec<_> = log.split_inclusive('\n').filter(|it| it.ends_with('\n')).collect();
        lines.into_iter().map(|line| line.trim_end_matches('\n').to_owned()).collect::<Vec<_>>()
    };
    wait::until("all lines", SOON, || Some(lines()).filter(|lines| lines.len() >= count))
        .unwrap_or_else(|late| panic!("{late}: {:#?}", lines()))
}

/// By request ID.
fn by_id(facts: impl IntoIterator<Item = Facts>) -> BTreeMap<String, Facts> {
    let mut by_id = BTreeMap::new();
    for facts in facts {
        let id = facts["request_id"].clone();
        assert_eq!(by_id.insert(id.clone(), facts), None, "{id} is there twice");
    }
    by_id
}

#[test]
fn every_way_out_says_the_same() {
    for (format, protocol) in [("json", "http"), ("ecs", "grpc"), ("logfmt", "http")] {
        let (collector, nobody) = (Collector::start(), Nobody::anywhere());
        let upstream = Upstream::answering(answer);
        let proxy = Proxy::start(|bootstrap| {
            let bootstrap = routed(bootstrap.upstream(upstream.address()), nobody.address());
            bootstrap
                .collector(collector.address(), protocol == "grpc")
                .configuration(everything(format, protocol))
        });
        let requests = requests();
        for (id, request) in &requests {
            play(id, request, &proxy, &upstream);
        }
        let lines = access_log(&proxy, requests.len());
        let told = by_id(lines.iter().map(|line| of_line(format, line)));
        assert_eq!(told.len(), requests.len(), "{format}: {told:#?}");

        let logged = read::application_log(&proxy, requests.len());
        for (level, line) in &logged {
            assert_eq!(&of_line(format, line)["level"], level, "{format}: {line}");
        }
        let mut logged: Vec<_> = logged.into_iter().map(|(_, line)| line).collect();
        let mut written = lines.clone();
        logged.sort();
        written.sort();
        assert_eq!(logged, written, "{format}: the two logs");

        let records: Vec<_> = requests.iter().map(|(id, _)| collector.record_of(id)).collect();
        assert_eq!(by_id(records.iter().map(|it| Said::of(it).facts())), told, "{format}");
        assert_eq!(collector.records().len(), requests.len(), "{format}");
        for record in &records {
            assert_eq!(
                (&*record.scope.name, record.record.dropped_attributes_count),
                ("sightline", 0)
            );
            assert!(record.record.observed_time_unix_nano >= record.record.time_unix_nano);
        }
        assert_eq!(by_id(decoded(&collector)), told, "{format}: as Python reads it");
        is_complete(&told);
        proxy.settles_at(9.0, "sightline_exported_total", &[("signal", "logs")]);
        let expected = if protocol == "grpc" { Protocol::Grpc } else { Protocol::Http };
        // The receiver knows signals by the path, or by the service.
        assert!(collector.exports().iter().all(|export| export.protocol == expected));
    }
}

/// The requests as a whole have every field, and each says what became of it.
fn is_complete(told: &BTreeMap<String, Facts>) {
    let fields: std::collections::BTreeSet<_> =
        told.values().flat_map(|facts| facts.keys().map(String::as_str)).collect();
    let within = ["headers.request.x-tenant", "headers.response.x-answer", "baggage.tenant"];
    assert!(within.iter().all(|field| fields.contains(field)), "{fields:?}");
    assert_eq!(fields.len(), 37, "{fields:?}");
    for (id, status, level, error, flags) in [
        ("whole", "200", "info", None, None),
        ("missing", "404", "warning", None, None),
        ("nobody", "503", "error", Some("upstream_connection_failure"), Some("UF")),
        ("direct", "403", "warning", None, None),
        ("method", "200", "info", None, None),
        ("call", "200", "error", Some("UNAVAILABLE"), None),
        ("begun", "200", "info", Some("upstream_protocol_error"), Some("UPE")),
        ("events", "200", "info", None, Some("DC")),
        ("silent", "0", "error", Some("downstream_connection_termination"), Some("DC")),
    ] {
        let facts = &told[id];
        let said = |field: &str| facts.get(field).map(String::as_str);
        assert_eq!(
            (said("status"), said("level")),
            (Some(status), Some(level)),
            "{id}: {facts:#?}"
        );
        // Which of its flags Envoy sets for a broken connection is its business.
        assert_eq!(said("error_type").is_some(), error.is_some(), "{id}: {facts:#?}");
        assert_eq!(said("flags").is_some(), flags.is_some(), "{id}: {facts:#?}");
        let is_kept = level == "info" && error.is_none();
        assert_eq!(said("success_ratio"), is_kept.then_some("0.500"), "{id}: {facts:#?}");
    }
    let whole = &told["whole"];
    assert_eq!(whole["headers.request.x-tenant"], "one, t=wo");
    assert_eq!(whole["query"], "a=b%20c&token=REDACTED");
}

/// All records of a collector, as OpenTelemetry's Python package reads them.
fn decoded(collector: &Collector) -> Vec<Facts> {
    let checkout = Checkout::find().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("exports.bin");
    let mut messages = Vec::new();
    for export in collector.exports().iter().filter(|it| matches!(it.signal, Signal::Logs(_))) {
        let mut length = export.message.len();
        while length >= 0x80 {
            messages.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
            length >>= 7;
        }
        messages.push(u8::try_from(length).unwrap());
        messages.extend_from_slice(&export.message);
    }
    std::fs::write(&file, messages).unwrap();
    let mut decode = Command::new(python::interpreter(&checkout).unwrap());
    decode.arg(checkout.root().join("tests/apps/decode_otlp.py"));
    let output = decode.args(["logs", "--delimited"]).arg(file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let requests: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut facts = Vec::new();
    for resource in requests.iter().flat_map(|request| list(&request["resource_logs"])) {
        for scope in list(&resource["scope_logs"]) {
            let records = list(&scope["log_records"]).into_iter();
            facts.extend(records.map(|it| Said::decoded(&resource["resource"], &it).facts()));
        }
    }
    facts
}

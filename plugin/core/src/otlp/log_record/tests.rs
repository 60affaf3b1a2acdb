//! Log records read back from their bytes: every field and attribute with its type, what goes when a field is left
//! out, and bytes that nobody vouches for.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::ending::tests::Everything;
use crate::head::Pair;
use crate::route::{Route, Scratch, Source};
use crate::sampling::Budget;
use crate::wire::{Field as Wire, next_field};
use crate::{Exchange, Istio, Moment, Monotonic, Place, Rng, Tracing, Wall, config};

const NOW: Moment = Moment { wall: Wall(1_800_000_000_123_456_789), monotonic: Monotonic(0) };
const USERS: Route<'_> = Route { name: "/users/{int}", source: Source::Typed };

const REQUEST: &[Pair<'_>] = &[
    (b":method", b"GET"),
    (b":scheme", b"http"),
    (b":authority", b"shop.test:8080"),
    (b":path", b"/users/7?token=secret&a=b"),
    (b"user-agent", b"curl/8"),
    (b"x-request-id", b"abc"),
    (b"x-forwarded-for", b"198.51.100.7"),
    (b"traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    (b"baggage", b"tenant=a%20b"),
    (b"x-tenant", b"one"),
    (b"x-tenant", b"two"),
];
const RESPONSE: &[Pair<'_>] = &[(b":status", b"200"), (b"server", b"uvicorn")];
const CALL: &[Pair<'_>] = &[
    (b":method", b"BREW"),
    (b":path", b"/shop.Cart/Add"),
    (b"content-type", b"application/grpc"),
    (b"x-request-id", b"abc"),
];
const CAPTURE: &str = r#""request_headers": ["x-tenant"], "response_headers": ["server"]"#;

/// One request from its head to its record.
struct Case<'a> {
    access_log: String,
    direction: Direction,
    request: &'a [Pair<'a>],
    response: Option<&'a [Pair<'a>]>,
    host: Everything,
}

impl<'a> Case<'a> {
    fn new(request: &'a [Pair<'a>], response: Option<&'a [Pair<'a>]>) -> Self {
        let access_log = CAPTURE.to_owned();
        let (direction, host) = (Direction::Inbound, Everything::default());
        Self { access_log, direction, request, response, host }
    }

    /// A request of which everything is known, and that went wrong in each way that has a field.
    fn whole(more: &str) -> Self {
        let flags = 1 << 6 | 1 << 15;
        let host = Everything { flags, details: b"upstream{cut short}".to_vec() };
        Self { access_log: format!("{CAPTURE}{more}"), host, ..Self::new(REQUEST, Some(RESPONSE)) }
    }

    fn plan(&self) -> Plan {
        let said = format!(
            r#"{{"service": {{"name": "shop"}}, "trace": {{"baggage": ["tenant"]}}, "access_log": {{{}}},
                "sampling": {{"ratio": 1}}, "export": {{"cluster": "c"}}}}"#,
            self.access_log
        );
        let istio = Istio { pod: Some("shop-1".to_owned()), ..Istio::default() };
        let place = Place { istio, namespace: Some("prod".to_owned()), ..Place::default() };
        Plan::new(&config::read(said.as_bytes()).unwrap(), &place)
    }

    /// The bytes of the record alone.
    fn written(&self) -> Vec<u8> {
        let (plan, mut rng, mut scratch) =
            (self.plan(), Rng::from_seed([3; 32]), Scratch::default());
        let request = self.request.iter().copied();
        let mut exchange =
            Exchange::begin(request, NOW, &mut rng, &mut scratch, &plan, Tracing::Own);
        if let Some(response) = self.response {
            exchange.respond(response.iter().copied(), Monotonic(1_500_000), &plan);
        }
        let (now, budget) = (Monotonic(2_000_999), &mut Budget::default());
        let observation = exchange.finish(now, USERS, &plan, budget, &self.host);
        let mut out = Vec::new();
        write_log_record(&observation, self.direction, &plan, &mut out);
        let mut rest = out.as_slice();
        let record = bytes(next_field(&mut rest), 2).to_vec();
        assert_eq!(rest, [0; 0], "one record and no more");
        record
    }

    fn shown(&self) -> Vec<String> {
        shown(&self.written())
    }
}

/// The fields of a record in their order, each as a line. Numbers of fields are those of the `.proto` file.
fn shown(mut record: &[u8]) -> Vec<String> {
    let mut lines = Vec::new();
    while !record.is_empty() {
        let before = record;
        let field = next_field(&mut record);
        let whole = before.strip_suffix(record).unwrap();
        lines.push(match field.unwrap() {
            (1, Wire::Fixed64(time)) => format!("time {}", u64::from_le_bytes(time)),
            (2, Wire::Varint(number)) => format!("severity {number}"),
            (3, Wire::Bytes(text)) => format!("severity_text {:?}", utf8(text)),
            (5, Wire::Bytes(body)) => format!("body {}", value(body)),
            (6, Wire::Bytes(pair)) => attribute(pair),
            // The reader passes over these, so their four bytes are taken from behind the tag.
            (8, Wire::Fixed32) => {
                format!("flags {:#x}", u32::from_le_bytes(*whole.last_chunk().unwrap()))
            }
            (9, Wire::Bytes(id)) => format!("trace_id {}", hex(id, 16)),
            (10, Wire::Bytes(id)) => format!("span_id {}", hex(id, 8)),
            (11, Wire::Fixed64(time)) => format!("observed {}", u64::from_le_bytes(time)),
            other => panic!("no field of a log record: {other:?}"),
        });
    }
    lines
}

fn attribute(mut pair: &[u8]) -> String {
    let key = utf8(bytes(next_field(&mut pair), 1));
    let shown = value(bytes(next_field(&mut pair), 2));
    assert!(pair.is_empty(), "{key}");
    format!("{key} = {shown}")
}

/// An `AnyValue`, in such a way that its type shows.
fn value(mut any: &[u8]) -> String {
    let shown = match next_field(&mut any).unwrap() {
        (1, Wire::Bytes(text)) => format!("{:?}", utf8(text)),
        (2, Wire::Varint(bit)) => ["false", "true"][usize::try_from(bit).unwrap()].to_owned(),
        (3, Wire::Varint(number)) => number.cast_signed().to_string(),
        (4, Wire::Fixed64(bits)) => format!("{:?}", f64::from_le_bytes(bits)),
        (5, Wire::Bytes(mut list)) => {
            let shown = value(bytes(next_field(&mut list), 1));
            assert!(list.is_empty());
            format!("[{shown}]")
        }
        other => panic!("no value that anybody here writes: {other:?}"),
    };
    assert!(any.is_empty(), "{shown}");
    shown
}

fn bytes(field: Option<(u64, Wire<'_>)>, number: u64) -> &[u8] {
    match field {
        Some((found, Wire::Bytes(bytes))) if found == number => bytes,
        other => panic!("no bytes with number {number}: {other:?}"),
    }
}

fn utf8(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap()
}

fn hex(id: &[u8], length: usize) -> String {
    assert_eq!(id.len(), length);
    id.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[test]
fn a_whole_record() {
    let shown = Case::new(REQUEST, Some(RESPONSE)).shown();
    insta::assert_snapshot!(shown.join("\n"), @r#"
    time 1800000000123456789
    observed 1800000000125457788
    severity 9
    severity_text "info"
    body "http_request"
    flags 0x1
    trace_id 4bf92f3577b34da6a3ce929d0e0e4736
    span_id 0606060606060606
    sightline.parent_span_id = "00f067aa0ba902b7"
    sightline.sampled = true
    http.request.method = "GET"
    http.response.status_code = 200
    network.protocol.version = "1.1"
    user_agent.original = "curl/8"
    http.route = "/users/{int}"
    url.path = "/users/7"
    url.scheme = "http"
    url.query = "token=REDACTED&a=b"
    server.address = "shop.test"
    server.port = 8080
    client.address = "198.51.100.7"
    sightline.request_id = "abc"
    sightline.route.source = "typed"
    baggage.tenant = "a b"
    sightline.duration_ms = 2.0
    sightline.ttfb_ms = 1.5
    http.request.body.size = 17
    http.response.body.size = 18
    sightline.upstream = "10.0.0.7:8000"
    http.request.header.x-tenant = ["one, two"]
    http.response.header.server = ["uvicorn"]
    "#);
}

#[test]
fn what_went_wrong_and_what_the_proxy_says_of_it() {
    insta::assert_snapshot!(Case::whole("").shown().join("\n"), @r#"
    time 1800000000123456789
    observed 1800000000125457788
    severity 9
    severity_text "info"
    body "http_request"
    flags 0x1
    trace_id 4bf92f3577b34da6a3ce929d0e0e4736
    span_id 0606060606060606
    sightline.parent_span_id = "00f067aa0ba902b7"
    sightline.sampled = true
    http.request.method = "GET"
    http.response.status_code = 200
    network.protocol.version = "1.1"
    user_agent.original = "curl/8"
    http.route = "/users/{int}"
    url.path = "/users/7"
    url.scheme = "http"
    url.query = "token=REDACTED&a=b"
    server.address = "shop.test"
    server.port = 8080
    client.address = "198.51.100.7"
    sightline.request_id = "abc"
    sightline.route.source = "typed"
    baggage.tenant = "a b"
    error.type = "upstream_connection_termination"
    sightline.duration_ms = 2.0
    sightline.ttfb_ms = 1.5
    http.request.body.size = 17
    http.response.body.size = 18
    sightline.upstream = "10.0.0.7:8000"
    sightline.flags = "UC,URX"
    sightline.details = "upstream{cut short}"
    http.request.header.x-tenant = ["one, two"]
    http.response.header.server = ["uvicorn"]
    "#);
}

#[test]
fn a_call_of_grpc_with_a_method_that_nobody_knows() {
    let response: &[Pair<'_>] = &[(b":status", b"200")];
    let host = Everything { flags: 0, details: b"why".to_vec() };
    let case = Case { host, ..Case::new(CALL, Some(response)) };
    insta::assert_snapshot!(case.shown().join("\n"), @r#"
    time 1800000000123456789
    observed 1800000000125457788
    severity 17
    severity_text "error"
    body "http_request"
    flags 0x3
    trace_id 06060606060606068484848484848484
    span_id 3030303030303030
    sightline.sampled = true
    http.request.method = "_OTHER"
    http.request.method_original = "BREW"
    http.response.status_code = 200
    network.protocol.version = "1.1"
    http.route = "/users/{int}"
    url.path = "/shop.Cart/Add"
    url.scheme = ""
    client.address = "192.0.2.1"
    rpc.system.name = "grpc"
    rpc.method = "shop.Cart/Add"
    rpc.response.status_code = "UNAVAILABLE"
    sightline.request_id = "abc"
    sightline.route.source = "typed"
    error.type = "UNAVAILABLE"
    sightline.duration_ms = 2.0
    sightline.ttfb_ms = 1.5
    http.request.body.size = 17
    http.response.body.size = 18
    sightline.stream = "grpc"
    sightline.upstream = "10.0.0.7:8000"
    sightline.details = "why"
    "#);
}

#[test]
fn for_a_client_the_other_end_is_the_server() {
    let outbound = Case { direction: Direction::Outbound, ..Case::new(REQUEST, Some(RESPONSE)) };
    let inbound: BTreeSet<_> = Case::new(REQUEST, Some(RESPONSE)).shown().into_iter().collect();
    let outbound: BTreeSet<_> = outbound.shown().into_iter().collect();
    let only = |one: &BTreeSet<String>, other: &BTreeSet<String>| {
        one.difference(other).cloned().collect::<Vec<_>>()
    };
    assert_eq!(
        only(&inbound, &outbound),
        [
            "client.address = \"198.51.100.7\"",
            "http.route = \"/users/{int}\"",
            "url.path = \"/users/7\"",
            "url.query = \"token=REDACTED&a=b\"",
            "url.scheme = \"http\"",
        ]
    );
    assert_eq!(
        only(&outbound, &inbound),
        [
            "url.full = \"http://shop.test:8080/users/7?token=REDACTED&a=b\"",
            "url.template = \"/users/{int}\"",
        ]
    );
}

#[test]
fn the_severity_goes_by_the_level() {
    for (status, flags, number, text) in [
        (Some("200"), 0, 9, "info"),
        (Some("302"), 0, 9, "info"),
        (Some("200"), 1 << 6, 9, "info"),
        (Some("404"), 0, 13, "warning"),
        (Some("500"), 0, 17, "error"),
        (Some("999"), 0, 17, "error"),
        (None, 0, 17, "error"),
    ] {
        let response = status.map(|status| [(b":status".as_slice(), status.as_bytes())]);
        let response = response.as_ref().map(<[Pair<'_>; 1]>::as_slice);
        let host = Everything { flags, ..Everything::default() };
        let record = Case { host, ..Case::new(REQUEST, response) }.shown();
        let expected = [format!("severity {number}"), format!("severity_text {text:?}")];
        assert!(expected.iter().all(|it| record.contains(it)), "{status:?}: {record:#?}");
        let status = status.map(|status| format!("http.response.status_code = {status}"));
        let found = record.iter().find(|it| it.starts_with("http.response.status_code"));
        assert_eq!(found, status.as_ref());
    }
}

#[test]
fn the_ratio_is_said_of_success_alone() {
    for (ratio, status, flags, expected) in [
        ("0.25", "200", 0, Some("sightline.success_ratio = 0.25")),
        ("0.25", "404", 0, None),
        ("0.25", "200", 1 << 6, None),
        ("1", "200", 0, None),
    ] {
        let response = [(b":status".as_slice(), status.as_bytes())];
        let access_log = format!(r#""success_ratio": {ratio}"#);
        let host = Everything { flags, ..Everything::default() };
        let case = Case { access_log, host, ..Case::new(REQUEST, Some(&response)) };
        let record = case.shown();
        let found = record.iter().find(|it| it.starts_with("sightline.success_ratio"));
        assert_eq!(found.map(String::as_str), expected, "{ratio} {status} {flags}");
    }
}

/// What goes with each field that is left out, by the beginning of its line. What the protocol itself asks for stays:
/// a time, and what belongs to the resource.
const DROPPED: [(Field, &[&str]); 33] = [
    (Field::Timestamp, &[]),
    (Field::Level, &["severity", "severity_text"]),
    (Field::Event, &["body"]),
    (Field::Service, &[]),
    (Field::ParentSpanId, &["sightline.parent_span_id"]),
    (Field::TraceFlags, &["flags"]),
    (Field::Sampled, &["sightline.sampled"]),
    (Field::Method, &["http.request.method"]),
    (Field::Scheme, &["url.scheme"]),
    (Field::Host, &["server.address", "server.port"]),
    (Field::Path, &["url.path"]),
    (Field::Query, &["url.query"]),
    (Field::Route, &["http.route"]),
    (Field::RouteSource, &["sightline.route.source"]),
    (Field::Status, &["http.response.status_code"]),
    (Field::ErrorType, &["error.type"]),
    (Field::Duration, &["sightline.duration_ms"]),
    (Field::ToFirstByte, &["sightline.ttfb_ms"]),
    (Field::Stream, &[]),
    (Field::GrpcStatus, &[]),
    (Field::RequestBytes, &["http.request.body.size"]),
    (Field::ResponseBytes, &["http.response.body.size"]),
    (Field::Protocol, &["network.protocol.version"]),
    (Field::ClientIp, &["client.address"]),
    (Field::UserAgent, &["user_agent.original"]),
    (Field::Upstream, &["sightline.upstream"]),
    (Field::Flags, &["sightline.flags"]),
    (Field::Details, &["sightline.details"]),
    (Field::Pod, &[]),
    (Field::Namespace, &[]),
    (Field::Headers, &["http.request.header.x-tenant", "http.response.header.server"]),
    (Field::Baggage, &["baggage.tenant"]),
    (Field::SuccessRatio, &[]),
];

/// The same of a call of gRPC, whose path is its method as well.
const DROPPED_OF_CALLS: [(Field, &[&str]); 5] = [
    (Field::Method, &["http.request.method", "http.request.method_original"]),
    (Field::Path, &["rpc.method", "url.path"]),
    (Field::Stream, &["sightline.stream"]),
    (Field::GrpcStatus, &["rpc.response.status_code", "rpc.system.name"]),
    (Field::ErrorType, &["error.type"]),
];

fn names(record: Vec<String>) -> Vec<String> {
    let name = |line: String| line.split(' ').next().unwrap_or_default().to_owned();
    let mut names: Vec<_> = record.into_iter().map(name).collect();
    names.sort();
    names
}

/// What is in the one and not in the other.
fn gone(all: Vec<String>, rest: Vec<String>) -> Vec<String> {
    let rest = names(rest);
    names(all).into_iter().filter(|name| !rest.contains(name)).collect()
}

#[test]
fn with_a_field_its_attributes_go_and_no_others() {
    assert_eq!(DROPPED.map(|(field, _)| field), Field::DROPPABLE);
    for (field, expected) in DROPPED {
        let left = Case::whole(&format!(r#", "drop": [{:?}]"#, field.name())).shown();
        assert_eq!(gone(Case::whole("").shown(), left), expected, "{field:?}");
    }
    let response: &[Pair<'_>] = &[(b":status", b"200")];
    let call = |drop: &str| {
        let access_log = format!(r#""drop": [{drop}]"#);
        Case { access_log, ..Case::new(CALL, Some(response)) }.shown()
    };
    for (field, expected) in DROPPED_OF_CALLS {
        let left = call(&format!("{:?}", field.name()));
        assert_eq!(gone(call(""), left), expected, "{field:?}");
    }
    let ratio = |drop: &str| {
        let access_log = format!(r#""success_ratio": 0.5, "drop": [{drop}]"#);
        Case { access_log, ..Case::new(REQUEST, Some(RESPONSE)) }.shown()
    };
    assert_eq!(gone(ratio(""), ratio("\"success_ratio\"")), ["sightline.success_ratio"]);
}

#[test]
fn without_any_field_the_ids_are_left() {
    let everything = Field::DROPPABLE_NAMES.map(|name| format!("{name:?}")).join(",");
    let left = names(Case::whole(&format!(r#", "drop": [{everything}]"#)).shown());
    assert_eq!(left, ["observed", "sightline.request_id", "span_id", "time", "trace_id"]);
}

#[test]
fn what_is_left_out_is_in_no_url_either() {
    for (field, gone) in
        [("host", "shop.test"), ("scheme", "http:"), ("query", "a=b"), ("path", "/users/7")]
    {
        let case = Case::whole(&format!(r#", "drop": [{field:?}]"#));
        let record = Case { direction: Direction::Outbound, ..case }.shown();
        assert!(!record.iter().any(|line| line.contains(gone)), "{field}: {record:#?}");
        // What is not left out is still told.
        let told = record.iter().filter(|line| line.starts_with("url.")).count();
        assert!(told >= 1, "{field}: {record:#?}");
    }
}

/// Anything that a client or an upstream may send.
fn hostile() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let text = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..40),
        ".{0,40}".prop_map(String::into_bytes),
        (1_000_usize..2_100).prop_map(|length| "ß".repeat(length).into_bytes()),
        (1_000_usize..2_100).prop_map(|length| b"\xff".repeat(length)),
    ];
    proptest::collection::vec(text, 11)
}

proptest! {
    #[test]
    fn any_bytes_give_a_record_that_every_collector_reads(
        values in hostile(),
        is_outbound in any::<bool>(),
    ) {
        let names: [&[u8]; 9] = [
            b":method", b":scheme", b":authority", b":path", b"user-agent", b"x-request-id", b"x-tenant",
            b"baggage", b"x-forwarded-host",
        ];
        let request: Vec<Pair<'_>> =
            names.into_iter().zip(values.iter().map(Vec::as_slice)).collect();
        let response: [Pair<'_>; 2] = [(b":status", &values[9]), (b"server", &values[10])];
        let direction = if is_outbound { Direction::Outbound } else { Direction::Inbound };
        let host = Everything { flags: 1 << 5, details: values[9].clone() };
        let case = Case { direction, host, ..Case::new(&request, Some(&response)) };
        // Reading it is the test: it fails at a text that is no UTF-8, and at a field that is none.
        let record = case.shown();
        let mut keys = names_of_attributes(&record);
        let count = keys.len();
        keys.dedup();
        prop_assert_eq!(keys.len(), count, "an attribute is there twice: {:#?}", record);
    }
}

fn names_of_attributes(record: &[String]) -> Vec<&str> {
    let mut keys: Vec<_> = record.iter().filter_map(|it| it.split(" = ").next()).collect();
    keys.sort_unstable();
    keys
}

//! Whole lines in all formats, and what may become of their fields.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::ending::tests::Everything;
use crate::head::Pair;
use crate::log::Field;
use crate::route::{Route, Scratch, Source};
use crate::sampling::Budget;
use crate::{Exchange, Istio, Moment, Monotonic, Place, Rng, Tracing, Wall, config};

const NOW: Moment = Moment { wall: Wall(1_800_000_000_123_456_789), monotonic: Monotonic(0) };

/// One request from its head to its line.
struct Case<'a> {
    access_log: &'a str,
    request: &'a [Pair<'a>],
    response: Option<&'a [Pair<'a>]>,
    host: Everything,
}

impl Case<'_> {
    /// The line, if there is one.
    fn line(&self) -> Option<String> {
        let said = format!(
            r#"{{"service": {{"name": "shop"}}, "trace": {{"baggage": ["tenant"]}}, "access_log": {}, "export": {{"cluster": "c"}}}}"#,
            self.access_log
        );
        let settings = config::read(said.as_bytes()).unwrap();
        let istio = Istio { pod: Some("shop-1".to_owned()), ..Istio::default() };
        let place = Place { istio, namespace: Some("prod".to_owned()), ..Place::default() };
        let plan = Plan::new(&settings, &place);
        let mut rng = Rng::from_seed([3; 32]);
        let (mut scratch, request) = (Scratch::default(), self.request.iter().copied());
        let mut exchange =
            Exchange::begin(request, NOW, &mut rng, &mut scratch, &plan, Tracing::Own);
        if let Some(response) = self.response {
            exchange.respond(response.iter().copied(), Monotonic(1_500_000), &plan);
        }
        let route = Route { name: "/users/{int}", source: Source::Typed };
        let now = Monotonic(2_000_999);
        let observation = exchange.finish(now, route, &plan, &mut Budget::default(), &self.host);
        let mut out = Vec::new();
        write_line(&observation, &plan, &mut out);
        observation.logged.then(|| String::from_utf8(out).unwrap())
    }
}

const REQUEST: &[Pair<'_>] = &[
    (b":method", b"GET"),
    (b":scheme", b"http"),
    (b":authority", b"shop.test:8080"),
    (b":path", b"/users/7?token=secret&a=b"),
    (b"user-agent", b"curl/8 \"x\""),
    (b"x-request-id", b"abc"),
    (b"x-forwarded-for", b"198.51.100.7"),
    (b"traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    (b"baggage", b"tenant=a%20b"),
    (b"x-tenant", b"one"),
    (b"cookie", b"session=secret"),
    (b"x-tenant", b"t=wo"),
];
const RESPONSE: &[Pair<'_>] = &[(b":status", b"200"), (b"server", b"uvicorn")];
const CAPTURE: &str =
    r#""request_headers": ["X-Tenant", "Cookie", "x-none"], "response_headers": ["server"]"#;

fn whole(format: &str) -> String {
    let access_log = format!(r#"{{"format": "{format}", {CAPTURE}}}"#);
    let (request, response) = (REQUEST, Some(RESPONSE));
    Case { access_log: &access_log, request, response, host: Everything::default() }.line().unwrap()
}

fn failed(format: &str) -> String {
    let access_log = format!(r#"{{"format": "{format}"}}"#);
    let host =
        Everything { flags: 1 << 5 | 1 << 15, details: b"upstream{connection refused}".to_vec() };
    Case { access_log: &access_log, request: &[], response: None, host }.line().unwrap()
}

#[test]
fn a_whole_line() {
    insta::assert_snapshot!(whole("json"), @r#"{"timestamp":"2027-01-15T08:00:00.123456Z","level":"info","event":"http_request","service":"shop","request_id":"abc","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","span_id":"0606060606060606","parent_span_id":"00f067aa0ba902b7","trace_flags":"01","sampled":true,"method":"GET","scheme":"http","host":"shop.test:8080","path":"/users/7","query":"token=REDACTED&a=b","route":"/users/{int}","route_source":"typed","status":200,"duration_ms":2.000,"ttfb_ms":1.500,"request_bytes":17,"response_bytes":18,"protocol":"HTTP/1.1","client_ip":"198.51.100.7","user_agent":"curl/8 \"x\"","upstream":"10.0.0.7:8000","pod":"shop-1","namespace":"prod","headers":{"request":{"x-tenant":"one, t=wo"},"response":{"server":"uvicorn"}},"baggage":{"tenant":"a b"}}"#);
    insta::assert_snapshot!(whole("ecs"), @r#"{"@timestamp":"2027-01-15T08:00:00.123456Z","log.level":"info","message":"http_request","ecs.version":"8.11.0","event.outcome":"success","service.name":"shop","http.request.id":"abc","trace.id":"4bf92f3577b34da6a3ce929d0e0e4736","span.id":"0606060606060606","parent.id":"00f067aa0ba902b7","sightline.trace_flags":"01","sightline.sampled":true,"http.request.method":"GET","url.scheme":"http","url.domain":"shop.test","url.port":8080,"url.path":"/users/7","url.query":"token=REDACTED&a=b","sightline.route":"/users/{int}","sightline.route_source":"typed","http.response.status_code":200,"event.duration":2000999,"sightline.ttfb_ms":1.500,"http.request.body.bytes":17,"http.response.body.bytes":18,"http.version":"1.1","client.ip":"198.51.100.7","user_agent.original":"curl/8 \"x\"","destination.address":"10.0.0.7:8000","orchestrator.resource.name":"shop-1","orchestrator.namespace":"prod","sightline.headers":{"request":{"x-tenant":"one, t=wo"},"response":{"server":"uvicorn"}},"sightline.baggage":{"tenant":"a b"}}"#);
    insta::assert_snapshot!(whole("logfmt"), @r#"timestamp=2027-01-15T08:00:00.123456Z level=info event=http_request service=shop request_id=abc trace_id=4bf92f3577b34da6a3ce929d0e0e4736 span_id=0606060606060606 parent_span_id=00f067aa0ba902b7 trace_flags=01 sampled=true method=GET scheme=http host=shop.test:8080 path=/users/7 query="token=REDACTED&a=b" route=/users/{int} route_source=typed status=200 duration_ms=2.000 ttfb_ms=1.500 request_bytes=17 response_bytes=18 protocol=HTTP/1.1 client_ip=198.51.100.7 user_agent="curl/8 \"x\"" upstream=10.0.0.7:8000 pod=shop-1 namespace=prod headers.request.x-tenant="one, t=wo" headers.response.server=uvicorn baggage.tenant="a b""#);
}

#[test]
fn nothing_was_reached_and_nothing_was_known() {
    insta::assert_snapshot!(failed("json"), @r#"{"timestamp":"2027-01-15T08:00:00.123456Z","level":"error","event":"http_request","service":"shop","request_id":"06060606-0606-4606-8484-848484848484","trace_id":"3030303030303030fffffffcfc7f9999","span_id":"17d7e42424246463","trace_flags":"03","sampled":true,"route":"/users/{int}","route_source":"typed","status":0,"error_type":"upstream_connection_failure","duration_ms":2.000,"request_bytes":17,"response_bytes":18,"protocol":"HTTP/1.1","client_ip":"192.0.2.1","upstream":"10.0.0.7:8000","flags":"UF,URX","details":"upstream{connection refused}","pod":"shop-1","namespace":"prod"}"#);
    insta::assert_snapshot!(failed("ecs"), @r#"{"@timestamp":"2027-01-15T08:00:00.123456Z","log.level":"error","message":"http_request","ecs.version":"8.11.0","event.outcome":"failure","service.name":"shop","http.request.id":"06060606-0606-4606-8484-848484848484","trace.id":"3030303030303030fffffffcfc7f9999","span.id":"17d7e42424246463","sightline.trace_flags":"03","sightline.sampled":true,"sightline.route":"/users/{int}","sightline.route_source":"typed","http.response.status_code":0,"error.type":"upstream_connection_failure","event.duration":2000999,"http.request.body.bytes":17,"http.response.body.bytes":18,"http.version":"1.1","client.ip":"192.0.2.1","destination.address":"10.0.0.7:8000","sightline.flags":"UF,URX","sightline.details":"upstream{connection refused}","orchestrator.resource.name":"shop-1","orchestrator.namespace":"prod"}"#);
    insta::assert_snapshot!(failed("logfmt"), @r#"timestamp=2027-01-15T08:00:00.123456Z level=error event=http_request service=shop request_id=06060606-0606-4606-8484-848484848484 trace_id=3030303030303030fffffffcfc7f9999 span_id=17d7e42424246463 trace_flags=03 sampled=true route=/users/{int} route_source=typed status=0 error_type=upstream_connection_failure duration_ms=2.000 request_bytes=17 response_bytes=18 protocol=HTTP/1.1 client_ip=192.0.2.1 upstream=10.0.0.7:8000 flags=UF,URX details="upstream{connection refused}" pod=shop-1 namespace=prod"#);
}

#[test]
fn fields_stand_in_the_order_in_which_they_are_declared() {
    let names = |field: Field| format!("\"{}\":", field.name());
    for line in [whole("json"), failed("json")] {
        let places: Vec<_> =
            Field::DROPPABLE.iter().filter_map(|&field| line.find(&names(field))).collect();
        assert!(places.is_sorted() && places.len() > 15, "{line}");
    }
}

#[test]
fn any_field_but_the_ids_can_be_dropped() {
    let line = |dropped: &str| {
        let access_log = format!(r#"{{"drop": [{dropped}], {CAPTURE}}}"#);
        let (request, response) = (REQUEST, Some(RESPONSE));
        let case = Case { access_log: &access_log, request, response, host: Everything::default() };
        let line = case.line().unwrap();
        serde_json::from_str::<BTreeMap<String, Value>>(&line).unwrap()
    };
    let all = line("");
    for name in Field::DROPPABLE_NAMES {
        let mut rest = all.clone();
        rest.remove(name);
        assert_eq!(line(&format!("{name:?}")), rest, "{name}");
    }
    let everything = Field::DROPPABLE_NAMES.map(|name| format!("{name:?}")).join(",");
    let left: Vec<_> = line(&everything).into_keys().collect();
    assert_eq!(left, ["request_id", "span_id", "trace_id"]);
}

#[test]
fn levels_follow_the_status_and_details_are_for_what_failed() {
    for (status, flags, level, has_details, flags_shown) in [
        ("200", 0, "info", false, None),
        ("302", 0, "info", false, None),
        ("404", 0, "warning", true, None),
        ("503", 1 << 1, "error", true, Some("UH")),
        ("200", 1 << 6, "info", true, Some("UC")),
        ("200", 1 << 9, "info", false, Some("DI")),
    ] {
        let response: &[Pair<'_>] = &[(b":status", status.as_bytes())];
        let host = Everything { flags, details: b"why".to_vec() };
        let case = Case { access_log: "{}", request: REQUEST, response: Some(response), host };
        let line: Value = serde_json::from_str(&case.line().unwrap()).unwrap();
        let found = (line["level"].as_str(), line["details"].is_string(), line["flags"].as_str());
        assert_eq!(found, (Some(level), has_details, flags_shown), "{status}");
    }
}

#[test]
fn lines_of_success_are_kept_by_trace_and_all_others_always() {
    let line = |ratio: &str, trace: &str, status: &str, flags| {
        let access_log = format!(r#"{{"success_ratio": {ratio}}}"#);
        let parent = format!("00-4bf92f3577b34da6a3{trace}-00f067aa0ba902b7-00");
        let request: &[Pair<'_>] = &[(b"traceparent", parent.as_bytes())];
        let response: &[Pair<'_>] = &[(b":status", status.as_bytes())];
        let host = Everything { flags, details: Vec::new() };
        let line = Case { access_log: &access_log, request, response: Some(response), host }.line();
        line.map(|line| serde_json::from_str::<Value>(&line).unwrap()["success_ratio"].clone())
    };
    let (high, low) = ("f0000000000000", "10000000000000");
    assert_eq!(line("0.25", high, "200", 0), Some(0.25.into()), "one of four");
    assert_eq!(line("0.25", low, "200", 0), None);
    assert_eq!(line("0.25", low, "404", 0), Some(Value::Null), "a failure stands for itself");
    assert_eq!(line("0.25", low, "503", 0), Some(Value::Null));
    assert_eq!(line("0.25", low, "200", 1 << 6), Some(Value::Null), "it was cut short");
    assert_eq!(line("0", high, "200", 0), None);
    assert_eq!(line("0.000000001", high, "500", 0), Some(Value::Null));
    assert_eq!(line("1", low, "200", 0), Some(Value::Null));
}

/// What can be put into a line from outside.
fn hostile() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let text = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..40),
        ".{0,40}".prop_map(String::into_bytes),
        "[\\PC\"\\\\=\r\n\t\u{1b}\u{202e}\u{2028} ]{0,40}".prop_map(String::into_bytes),
        (1_000_usize..2_100).prop_map(|length| "ß".repeat(length).into_bytes()),
    ];
    proptest::collection::vec(text, 9)
}

proptest! {
    #[test]
    fn anything_gives_one_line_in_every_format(values in hostile()) {
        let names: [&[u8]; 8] = [
            b":method", b":scheme", b":authority", b":path", b"user-agent", b"x-request-id", b"x-tenant", b"baggage",
        ];
        let request: Vec<Pair<'_>> =
            names.into_iter().zip(values.iter().map(Vec::as_slice)).collect();
        for format in ["json", "ecs", "logfmt"] {
            let access_log = format!(r#"{{"format": "{format}", {CAPTURE}}}"#);
            let host = Everything { flags: 1 << 3, details: values[8].clone() };
            let line = Case { access_log: &access_log, request: &request, response: None, host }.line().unwrap();
            prop_assert!(!line.chars().any(crate::log::is_unsafe), "{line:?}");
            if format == "logfmt" {
                prop_assert!(logfmt(&line).is_some(), "{line}");
                continue;
            }
            let read: BTreeMap<String, Value> = serde_json::from_str(&line).unwrap();
            prop_assert!(read.values().all(is_bounded), "{line}");
            let agent = String::from_utf8_lossy(&values[4]);
            // What stands before an @ may be taken for somebody's password, which is left out.
            let is_shown = (1..=LONGEST_VALUE).contains(&agent.len()) && !agent.contains('@');
            if format == "json" && is_shown {
                prop_assert_eq!(read["user_agent"].as_str(), Some(&*agent));
            }
        }
    }
}

fn is_bounded(value: &Value) -> bool {
    match value {
        Value::String(text) => text.len() <= LONGEST_PATH + '…'.len_utf8(),
        Value::Object(fields) => fields.values().all(is_bounded),
        _ => true,
    }
}

/// Reads a line of logfmt as its readers do; none if it is none.
fn logfmt(mut line: &str) -> Option<Vec<(String, String)>> {
    let mut fields = Vec::new();
    while !line.is_empty() {
        let (name, rest) = line.split_once('=')?;
        if name.is_empty() || name.contains(['"', ' ']) {
            return None;
        }
        let end = if rest.starts_with('"') {
            let mut texts = serde_json::Deserializer::from_str(rest).into_iter::<String>();
            texts.next()?.ok()?;
            texts.byte_offset()
        } else {
            rest.find(' ').unwrap_or(rest.len())
        };
        let (value, rest) = rest.split_at(end);
        if !value.starts_with('"') && value.contains('"') {
            return None;
        }
        fields.push((name.to_owned(), value.to_owned()));
        line = match rest.strip_prefix(' ') {
            Some(rest) if !rest.is_empty() => rest,
            None if rest.is_empty() => rest,
            Some(_) | None => return None,
        };
    }
    Some(fields)
}

#[test]
fn logfmt_quotes_what_would_not_stand_alone() {
    for (agent, shown) in [
        ("curl", "user_agent=curl"),
        ("a b", "user_agent=\"a b\""),
        ("a=b", "user_agent=\"a=b\""),
        ("a\"b", "user_agent=\"a\\\"b\""),
        ("ä", "user_agent=\"ä\""),
        ("a\tb", "user_agent=\"a\\tb\""),
    ] {
        let request: &[Pair<'_>] = &[(b"user-agent", agent.as_bytes())];
        let access_log = r#"{"format": "logfmt", "drop": ["timestamp"]}"#;
        let case =
            Case { access_log, request, response: Some(RESPONSE), host: Everything::default() };
        let line = case.line().unwrap();
        assert!(line.starts_with("level=info "), "{line}");
        assert!(line.contains(&format!(" {shown} upstream=")), "{line}");
    }
}

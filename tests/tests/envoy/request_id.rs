//! The request ID: kept, minted, passed on, echoed.

use std::collections::HashSet;

use serde_json::json;
use sightline_tests::{Answer, Configuration, Nobody, Proxy, Request, Upstream};

fn ok() -> Upstream {
    Upstream::answering(|_| Answer::new(200).body("hi"))
}

#[test]
fn a_valid_inbound_id_is_passed_on_byte_for_byte() {
    let upstream = ok();
    let proxy = Proxy::start(|bootstrap| bootstrap.upstream(upstream.address()));
    let longest = "x".repeat(128);
    // A UUID whose fourteenth digit Envoy's own extension would rewrite.
    for id in [
        "a",
        "Root=1-67891233-abcdef012345678912345678",
        "0d8b8c2a-91f3-9c1e-b0a6-2d1f3e4c5b6a",
        &longest,
    ] {
        let answer = proxy.send(&Request::get("/").field("X-Request-ID", id));
        assert_eq!(answer.all("x-request-id"), [id.as_bytes()]);
        assert_eq!(upstream.requests().last().unwrap().all("x-request-id"), [id.as_bytes()]);
        proxy.line_of(id);
    }
}

#[test]
fn whatever_is_not_safe_is_replaced() {
    let upstream = ok();
    let proxy = Proxy::start(|bootstrap| bootstrap.upstream(upstream.address()));
    let too_long = "x".repeat(129);
    let table: [(&str, &[&[u8]]); 9] = [
        ("none", &[]),
        ("empty", &[b""]),
        ("too long", &[too_long.as_bytes()]),
        ("a space", &[b"a b"]),
        ("a quote", &[b"a\"b"]),
        ("a semicolon", &[b"a;b"]),
        ("not ASCII", &["ä".as_bytes()]),
        ("not UTF-8", &[b"a\xff"]),
        ("two headers", &[b"one", b"two"]),
    ];
    for (name, ids) in table {
        let request =
            ids.iter().fold(Request::get("/"), |request, id| request.field("x-request-id", id));
        let answer = proxy.send(&request);
        let echoed = answer.field("x-request-id").unwrap_or_else(|| panic!("{name}: no echo"));
        assert_eq!(echoed.len(), 36, "{name}: {echoed}");
        assert_eq!(
            upstream.requests().last().unwrap().all("x-request-id"),
            [echoed.as_bytes()],
            "{name}"
        );
    }
}

#[test]
fn minted_ids_do_not_repeat() {
    let upstream = ok();
    let proxy = Proxy::start(|bootstrap| bootstrap.upstream(upstream.address()));
    let ids: HashSet<_> = (0..100)
        .map(|_| proxy.send(&Request::get("/")).field("x-request-id").unwrap().to_owned())
        .collect();
    assert_eq!(ids.len(), 100);
}

#[test]
fn envoys_own_answers_carry_it_too() {
    let nobody = Nobody::anywhere();
    let proxy = Proxy::start(|bootstrap| {
        bootstrap.upstream(nobody.address()).only_routes(vec![
            json!({"match": {"path": "/direct"}, "direct_response": {"status": 418, "body": {"inline_string": "tea"}}}),
            json!({"match": {"path": "/redirect"}, "redirect": {"path_redirect": "/"}}),
            json!({"match": {"path": "/no-upstream"}, "route": {"cluster": "app"}}),
            json!({"match": {"path": "/no-cluster"}, "route": {"cluster_header": "x-none"}}),
        ])
    });
    for (path, status) in [
        ("/direct", 418),
        ("/redirect", 301),
        ("/no-upstream", 503),
        ("/no-cluster", 503),
        ("/no-route", 404),
    ] {
        let answer = proxy.send(&Request::get(path).field("x-request-id", path));
        assert_eq!((answer.status(), answer.field("x-request-id")), (status, Some(path)));
        let line = proxy.line_of(path);
        assert_eq!(line["status"], status, "{line}");
        for field in ["trace_id", "span_id"] {
            assert!(line[field].is_string(), "{path}: no {field} in {line}");
        }
    }
}

#[test]
fn an_id_that_the_app_sets_itself_gives_way() {
    let upstream =
        Upstream::answering(|_| Answer::new(200).field("x-request-id", "the-apps").body(""));
    let proxy = Proxy::start(|bootstrap| bootstrap.upstream(upstream.address()));
    let answer = proxy.send(&Request::get("/").field("x-request-id", "the-clients"));
    assert_eq!(answer.all("x-request-id"), [b"the-clients"]);
}

#[test]
fn header_format_and_echo_are_as_configured() {
    let upstream = ok();
    let proxy = Proxy::start(|bootstrap| {
        bootstrap.upstream(upstream.address()).configuration(Configuration::Struct(json!({
            "request_id": {"header": "X-Correlation-ID", "inbound": "replace", "format": "uuid7", "echo": false}
        })))
    });
    let answer = proxy.send(&Request::get("/").field("x-correlation-id", "mine"));
    assert_eq!(answer.field("x-correlation-id"), None);
    let request = upstream.request();
    let id = request.field("x-correlation-id").unwrap();
    assert_eq!((id.len(), id.as_bytes()[14]), (36, b'7'), "{id}");
    proxy.line_of(id);
}

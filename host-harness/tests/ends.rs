//! How streams end before their time: time-outs, silence, resets, clients that go, modules that cut.

mod guest;

use std::time::Duration;

use guest::{configured, guest, loaded, on, outcome, said, word, world};
use sightline_host::{Host, Manager, Outcome, Plugin, Protocol, Request, Response};

const SECOND: Duration = Duration::from_secs(1);

/// Status and body that the client saw, whether they were whole, why, and Envoy's flags.
fn told(outcome: &Outcome) -> String {
    let client = outcome.client.as_ref().map_or("nothing".into(), |it| {
        let end = if it.whole { "" } else { ", cut" };
        format!("{} {}{end}", it.status().unwrap_or_default(), String::from_utf8_lossy(&it.body))
    });
    let flags = (0..64).filter(|bit| outcome.flags >> bit & 1 == 1).map(|bit| bit.to_string());
    let flags = flags.collect::<Vec<_>>().join("+");
    format!("{client} | {} | {flags}", outcome.details.as_deref().unwrap_or("-"))
}

/// Each request ends as it says, and the module is told of each end.
fn check(rows: &[(&str, Request, &str)]) {
    let body =
        on("log", &word("log")) + &on("done", &word("done")) + &on("delete", &word("delete"));
    for (name, request, expected) in rows {
        let outcome = outcome(&body, request.clone());
        assert_eq!(told(&outcome), *expected, "{name}");
        assert_eq!(said(&outcome), "log done delete", "{name}");
    }
}

#[test]
fn what_takes_too_long_is_ended() {
    let get = || Request::get("/");
    let begun = || Response::new(200).chunk("ab").every(SECOND);
    check(&[
        (
            "a route's time-out",
            get().answered(Response::silence()).timeout(SECOND),
            "504 upstream request timeout | response_timeout | 2",
        ),
        (
            "the same, by default",
            get().answered(Response::new(200).after(16 * SECOND)),
            "504 upstream request timeout | response_timeout | 2",
        ),
        (
            "none",
            get().answered(Response::new(200).after(16 * SECOND)).timeout(Duration::ZERO),
            "200  | via_upstream | ",
        ),
        (
            "a time-out after headers",
            get().answered(begun().then_silence()).timeout(2 * SECOND),
            "200 ab, cut | response_timeout | 2",
        ),
        (
            "silence",
            get().answered(Response::silence()).timeout(Duration::ZERO),
            "504 stream timeout | stream_idle_timeout | 16",
        ),
        (
            "silence after headers",
            get().answered(begun().then_silence()).timeout(Duration::ZERO),
            "200 ab, cut | stream_idle_timeout | 16",
        ),
        (
            "a request without an end",
            Request::new("POST", "/").chunk("a").unfinished(),
            "408 stream timeout | stream_idle_timeout | 16",
        ),
    ]);
}

#[test]
fn resets_and_clients_that_go_are_told_apart() {
    let get = || Request::get("/");
    let begun = || Response::new(200).chunk("ab").every(SECOND);
    check(&[
        (
            "a reset before headers",
            get().answered(Response::reset()),
            "503 upstream connect error or disconnect/reset before headers. reset reason: connection termination | upstream_reset_before_response_started{connection_termination} | 6",
        ),
        (
            "a reset of the last attempt",
            get().answered(Response::reset()).then_answered(Response::reset()),
            "503 upstream connect error or disconnect/reset before headers. retried and the latest reset reason: connection termination | upstream_reset_before_response_started{connection_termination} | 6+15",
        ),
        (
            "a reset of the first attempt",
            get().answered(Response::reset()).then_answered(Response::new(200)),
            "200  | via_upstream | ",
        ),
        (
            "a reset after headers",
            get().answered(begun().then_reset()),
            "200 ab, cut | upstream_reset_after_response_started{protocol_error} | 23",
        ),
        (
            "a client that goes",
            get().answered(Response::silence()).abandoned_after(SECOND),
            "nothing | downstream_remote_disconnect | 14",
        ),
        (
            "a client that goes in the middle",
            get().answered(begun().then_silence()).abandoned_after(2 * SECOND),
            "200 ab, cut | downstream_remote_disconnect | 14",
        ),
        (
            "a client of HTTP/2 that goes",
            get().protocol(Protocol::Http2).answered(Response::silence()).abandoned_after(SECOND),
            "nothing | http2.remote_reset | 28",
        ),
        ("a client that would have gone", get().abandoned_after(SECOND), "200  | via_upstream | "),
    ]);
}

#[test]
fn an_answer_that_comes_too_late_is_nobodys() {
    let mut host = configured(&on("response_headers", "(call $say (local.get $count))"));
    let late = Request::get("/").answered(Response::new(200).after(2 * SECOND)).timeout(SECOND);
    assert_eq!(host.request(late).unwrap().client.unwrap().status(), Some(504));
    host.advance(5 * SECOND).unwrap();
    // Only the time-out's own answer: its status, length and type.
    assert_eq!(guest::texts(&host), ["3"]);
}

#[test]
fn every_attempt_is_seen_by_the_application_and_one_answer_by_the_module() {
    let mut host = configured(&on("response_headers", "(call $say (local.get $count))"));
    let request = Request::get("/").answered(Response::new(503)).then_answered(Response::reset());
    let outcome = host.request(request.then_answered(Response::new(200))).unwrap();
    assert_eq!((outcome.earlier_attempts.len(), outcome.upstream.is_some()), (2, true));
    assert_eq!(said(&outcome), "2");
}

#[test]
fn the_idle_timer_begins_anew_with_every_piece() {
    let manager = Manager { idle_timeout: 3 * SECOND, ..Manager::default() };
    let mut host = Host::new(world().manager(manager), Plugin::new(&guest(""))).unwrap();
    let slow = Response::new(200).chunk("a").chunk("b").chunk("c").every(2 * SECOND);
    assert_eq!(
        told(&host.request(Request::get("/").answered(slow)).unwrap()),
        "200 abc | via_upstream | "
    );
    let slower = Response::new(200).chunk("a").every(4 * SECOND);
    let cut = host.request(Request::get("/").answered(slower)).unwrap();
    assert_eq!(told(&cut), "200 , cut | stream_idle_timeout | 16");
}

#[test]
fn a_module_cuts_a_stream() {
    let rows = [
        ("request_headers", 0, "nothing | wasm_close_stream | "),
        ("request_headers", 1, "nothing | wasm_close_stream | "),
        ("response_headers", 1, "nothing | via_upstream | "),
        ("response_body", 0, "200 , cut | via_upstream | "),
    ];
    for (callback, kind, expected) in rows {
        let body = on(callback, &format!("(call $say (call $close (i32.const {kind})))"))
            + &on("log", &word("log"))
            + &on("done", &word("done"))
            + &on("delete", &word("delete"));
        let outcome = outcome(&body, Request::get("/").answered(Response::new(200).chunk("a")));
        assert_eq!(told(&outcome), expected, "{kind} in {callback}");
        assert_eq!(said(&outcome), "0 log done delete", "{kind} in {callback}");
    }
}

#[test]
fn a_stream_is_let_go_or_cut_by_number() {
    let call = |call: &str, kind: u32| format!("(call $say (call ${call} (i32.const {kind})))");
    let rows = [
        ("let go", [2, 3, 4].map(|kind| call("continue", kind)).concat(), "0 12 2"),
        ("cut", [2, 3, 4].map(|kind| call("close", kind)).concat(), "0 0 2"),
    ];
    for (name, code, expected) in rows {
        let outcome = outcome(&on("request_headers", &code), Request::get("/"));
        assert_eq!(
            (said(&outcome).as_str(), outcome.client.unwrap().status()),
            (expected, Some(200)),
            "{name}"
        );
    }
    let in_a_root = [0, 1].map(|kind| call("continue", kind) + &call("close", kind)).concat();
    assert_eq!(guest::texts(&configured(&on("configure", &in_a_root))).join(" "), "0 0 0 0");
}

#[test]
fn a_stream_that_waits_is_cut_by_its_root() {
    let tick = "(drop (call $effective (i32.const 2))) (drop (call $close (i32.const 0)))";
    let body = on("request_headers", "(return (i32.const 1))")
        + &on("configure", "(drop (call $tick_period (i32.const 5)))")
        + &on("tick", tick);
    assert_eq!(told(&outcome(&body, Request::get("/"))), "nothing | wasm_close_stream | ");
}

#[test]
fn a_stream_that_is_over_is_not_known_any_more() {
    let tick = "(call $say (call $effective (i32.const 2)))";
    let body = on("configure", "(drop (call $tick_period (i32.const 5)))") + &on("tick", tick);
    let mut host = loaded(Plugin::new(&guest(&body)));
    host.request(Request::get("/").answered(Response::new(200).after(Duration::from_millis(7))))
        .unwrap();
    host.advance(Duration::from_millis(5)).unwrap();
    assert_eq!(guest::texts(&host), ["0", "2"]);
}

#[test]
fn closing_a_stream_after_its_end_crashes_envoy() {
    let failure = configured(&on("log", "(drop (call $close (i32.const 0)))"))
        .request(Request::get("/"))
        .unwrap_err();
    assert!(failure.to_string().starts_with("Envoy crashes"), "{failure}");
    // Letting it go on does nothing.
    let body =
        on("log", "(drop (call $continue (i32.const 0))) (drop (call $continue (i32.const 1)))");
    assert!(configured(&body).request(Request::get("/")).is_ok());
}

//! What becomes of traffic after a trap, by policy, and what a test can make go wrong.

mod guest;

use std::time::Duration;

use guest::{configured, guest, loaded, on, said, texts, texts_of, word, world};
use sightline_host::{Failure, Fault, Host, Message, Outcome, Plugin, Policy, Request, Response};

const SECOND: Duration = Duration::from_secs(1);
const POLICIES: [Policy; 3] = [Policy::FailClosed, Policy::FailOpen, Policy::FailReload];

/// Says the id of each stream at its headers, and traps there if the path is `/trap`.
fn trapping() -> String {
    let code = "(call $say (local.get $id))
        (drop (call $get (i32.const 0) ':path' (i32.const 0) (i32.const 4)))
        (if (i32.eq (i32.load (i32.const 4)) (i32.const 5)) (then unreachable))";
    on("request_headers", code) + &on("log", &word("log"))
}

fn failing(policy: Policy) -> Host {
    loaded(Plugin::new(&guest(&trapping())).policy(policy))
}

/// The status that the client saw, why, and what the module logged.
fn told(outcome: &Outcome) -> String {
    let status = outcome.client.as_ref().and_then(Message::status).unwrap_or_default();
    format!("{status} {} [{}]", outcome.details.as_deref().unwrap_or("-"), said(outcome))
}

fn run(host: &mut Host, path: &str) -> String {
    told(&host.request(Request::get(path)).unwrap_or_else(|failure| panic!("{failure}")))
}

#[test]
fn a_trap_costs_this_request_and_then_what_the_policy_says() {
    let rows = [
        (Policy::FailClosed, "503 wasm_fail_stream []"),
        (Policy::FailOpen, "200 via_upstream []"),
        (Policy::FailReload, "503 wasm_fail_stream []"),
    ];
    for (policy, later) in rows {
        let mut host = failing(policy);
        let live =
            host.begin(Request::get("/").answered(Response::new(200).after(SECOND))).unwrap();
        assert_eq!(run(&mut host, "/trap"), "503 wasm_fail_stream [3]", "{policy:?}");
        assert_eq!(host.traps().len(), 1, "{policy:?}");
        assert_eq!(run(&mut host, "/"), later, "{policy:?}");
        // The policy is for new requests; one that is under way fails at its next callback.
        let live = host.finish(live).unwrap();
        assert_eq!(told(&live), "503 wasm_fail_stream [2]", "{policy:?}");
    }
}

#[test]
fn a_vm_is_made_anew_a_second_after_it_was_made() {
    let mut host = failing(Policy::FailReload);
    let waits = "503 wasm_fail_stream []";
    // The wait is a second and up to half as much again.
    let rows = [
        ("it was just made", Duration::ZERO, "/trap", "503 wasm_fail_stream [2]"),
        ("too soon", Duration::from_millis(999), "/", waits),
        (
            "late enough, and ids begin anew",
            Duration::from_millis(501),
            "/",
            "200 via_upstream [2 log]",
        ),
        ("it goes on", Duration::ZERO, "/", "200 via_upstream [3 log]"),
        ("again", Duration::ZERO, "/trap", "503 wasm_fail_stream [4]"),
        ("too soon after it was made anew", Duration::from_millis(999), "/", waits),
        ("late enough again", Duration::from_millis(501), "/", "200 via_upstream [2 log]"),
        ("a trap long after it was made", 9 * SECOND, "/trap", "503 wasm_fail_stream [3]"),
        ("is made up for at once", Duration::ZERO, "/", "200 via_upstream [2 log]"),
    ];
    for (name, wait, path, expected) in rows {
        host.advance(wait).unwrap();
        assert_eq!(run(&mut host, path), expected, "{name}");
    }
}

#[test]
fn only_the_thread_that_failed_is_made_anew() {
    let body = trapping() + &on("configure", &word("configure"));
    let mut host = loaded(Plugin::new(&guest(&body)).policy(Policy::FailReload));
    run(&mut host, "/trap");
    host.advance(2 * SECOND).unwrap();
    run(&mut host, "/");
    assert_eq!(texts_of(&host, 0), ["configure"; 2]);
    assert_eq!(texts(&host), ["configure", "2", "configure", "2", "log"]);
}

#[test]
fn a_new_configuration_ends_a_failure() {
    for policy in POLICIES {
        let mut host = failing(policy);
        run(&mut host, "/trap");
        let plugin = Plugin::new(&guest(&trapping())).policy(policy).configuration("new");
        host.replace(host.plugin(), plugin).unwrap();
        assert_eq!(run(&mut host, "/"), "200 via_upstream [2 log]", "{policy:?}");
    }
}

#[test]
fn a_trap_shows_where_the_stream_stands() {
    let rows = [
        ("proxy_on_context_create", "503 wasm_fail_stream", false),
        ("proxy_on_request_headers", "503 wasm_fail_stream", false),
        ("proxy_on_request_body", "503 wasm_fail_stream", false),
        ("proxy_on_request_trailers", "503 wasm_fail_stream", true),
        ("proxy_on_response_headers", "503 wasm_fail_stream", true),
        ("proxy_on_response_body", "200, cut wasm_fail_stream", true),
        ("proxy_on_response_trailers", "200, cut wasm_fail_stream", true),
        ("proxy_on_log", "200 via_upstream", true),
        ("proxy_on_done", "200 via_upstream", true),
        ("proxy_on_delete", "200 via_upstream", true),
    ];
    let body: String = guest::OF_STREAMS.iter().map(|name| on(name, &word(name))).collect();
    for (export, expected, reached) in rows {
        let mut host = loaded(Plugin::new(&guest(&body)).policy(Policy::FailClosed));
        host.fault(Fault::trap(export));
        let response = Response::new(200).chunk("r").trailer("x-r", "1").early();
        let request = Request::new("POST", "/").chunk("b").trailer("x-t", "1").answered(response);
        let outcome = host.request(request).unwrap_or_else(|failure| panic!("{export}: {failure}"));
        let client = outcome.client.as_ref().unwrap();
        let cut = if client.whole { "" } else { ", cut" };
        let told = format!(
            "{}{cut} {}",
            client.status().unwrap_or_default(),
            outcome.details.as_deref().unwrap_or_default()
        );
        assert_eq!((told.as_str(), outcome.upstream.is_some()), (expected, reached), "{export}");
        assert_eq!((host.traps().len(), host.traps()[0].entry), (1, export));
        // The module is not entered again, not even for the log.
        let last =
            outcome.log.last().map(|line| format!("proxy_on_{}", line.text)).unwrap_or_default();
        assert_ne!(last, export);
        let place =
            |name: &str| guest::OF_STREAMS.iter().position(|it| format!("proxy_on_{it}") == name);
        assert!(place(&last) < place(export), "{export}: {last} came after it");
    }
}

#[test]
fn the_answer_to_a_failure_is_bare() {
    let mut host = failing(Policy::FailClosed);
    let client = host.request(Request::get("/trap")).unwrap().client.unwrap();
    let expected =
        ":status: 503\ndate: Thu, 01 Jan 2026 00:00:00 GMT\nserver: envoy\ncontent-length: 0\n";
    assert_eq!(client.headers.to_string(), expected);
    let grpc = Request::new("POST", "/a.B/C").header("content-type", "application/grpc");
    let client = host.request(grpc).unwrap().client.unwrap();
    assert_eq!(
        (client.status(), client.get("grpc-status"), client.get("grpc-message")),
        (Some(200), Some(&b"14"[..]), None)
    );
}

#[test]
fn what_a_module_asked_for_before_it_trapped_is_done_after_the_failure() {
    let body = on(
        "request_headers",
        "(drop (call $respond (i32.const 200) 'mine' 'b' '' (i32.const -1))) unreachable",
    );
    let mut host = loaded(Plugin::new(&guest(&body)).policy(Policy::FailClosed));
    let outcome = host.request(Request::get("/")).unwrap();
    assert_eq!(told(&outcome), "503 mine []");
    assert!(outcome.client.unwrap().body.is_empty());
}

#[test]
fn a_request_that_waits_for_a_failed_vm_waits_until_its_client_goes() {
    let body = trapping() + &on("request_body", "(return (i32.const 1))");
    let mut host = loaded(Plugin::new(&guest(&body)).policy(Policy::FailClosed));
    let waiting = Request::new("POST", "/").chunk("a").abandoned_after(9 * SECOND);
    let waiting = host.begin(waiting).unwrap();
    run(&mut host, "/trap");
    let outcome = host.finish(waiting).unwrap();
    assert_eq!(
        (told(&outcome).as_str(), outcome.client),
        ("0 downstream_remote_disconnect [2]", None)
    );
}

#[test]
fn a_trap_on_the_main_thread_is_the_main_threads() {
    let body = on("configure", "(drop (call $tick_period (i32.const 5)))")
        + &on("tick", &word("tick"))
        + &on("request_headers", &word("request"));
    let mut host = loaded(Plugin::new(&guest(&body)).policy(Policy::FailClosed));
    // The main thread's timer was set first.
    host.fault(Fault::trap("proxy_on_tick"));
    host.advance(Duration::from_millis(10)).unwrap();
    assert_eq!((texts_of(&host, 0).len(), texts(&host).len()), (0, 2));
    assert_eq!(run(&mut host, "/"), "200 via_upstream [request]");
}

#[test]
fn a_hostcall_answers_what_a_test_wants_at_the_nth_time() {
    let read =
        "(call $say (call $get (i32.const 0) ':path' (i32.const 0) (i32.const 4)))".repeat(4);
    let body = on("request_headers", &read);
    let rows = [
        ("never", None, "0 0 0 0"),
        ("the first time", Some(Fault::answer("proxy_get_header_map_value", 2)), "2 0 0 0"),
        (
            "the third time",
            Some(Fault::answer("proxy_get_header_map_value", 10).nth(3)),
            "0 0 10 0",
        ),
        ("twice", Some(Fault::answer("proxy_get_header_map_value", 1).nth(2).times(2)), "0 1 1 0"),
        ("for ever", Some(Fault::answer("proxy_get_header_map_value", 7).for_ever()), "7 7 7 7"),
        ("another", Some(Fault::answer("proxy_get_header_map_pairs", 7).for_ever()), "0 0 0 0"),
    ];
    for (name, fault, expected) in rows {
        let mut host = configured(&body);
        if let Some(fault) = fault {
            host.fault(fault);
        }
        assert_eq!(said(&host.request(Request::get("/")).unwrap()), expected, "{name}");
    }
}

#[test]
fn a_module_that_asks_for_memory_gets_none() {
    let grow = "(call $say (memory.grow (i32.const 1)))".repeat(2);
    let body = on("request_headers", &grow);
    let mut host = configured(&body);
    host.fault(Fault::no_memory());
    assert_eq!(said(&host.request(Request::get("/")).unwrap()), "4294967295 1");
}

#[test]
fn a_fault_while_a_plugin_loads_keeps_it_from_loading() {
    let body = on("vm_start", "") + &on("configure", "");
    for (export, nth) in [("proxy_on_vm_start", 1), ("proxy_on_configure", 1)] {
        let mut host = Host::empty(world());
        host.fault(Fault::trap(export).nth(nth));
        let failure = host.load(Plugin::new(&guest(&body)).policy(Policy::FailOpen)).unwrap_err();
        assert!(matches!(failure, Failure::Trapped(_)), "{export}: {failure}");
    }
}

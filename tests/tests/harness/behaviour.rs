//! What the filter does, where it needs no Envoy to tell.

use std::collections::HashSet;
use std::time::Duration;

use sightline_host::{Failure, Host, Request, Response, World};

use crate::{filter, filter_in, line, plugin};

#[test]
fn times_in_the_line_are_those_of_the_clocks() {
    let mut host = filter("");
    let response = Response::new(200)
        .after(Duration::from_micros(2_500))
        .chunk("a")
        .every(Duration::from_millis(40));
    let outcome = host.request(Request::get("/").answered(response)).unwrap();
    let line = line(&outcome);
    assert_eq!((line["ttfb_ms"].as_f64(), line["duration_ms"].as_f64()), (Some(2.5), Some(42.5)));
}

#[test]
fn the_same_seed_gives_the_same_ids_and_another_gives_others() {
    let ids = |seed| {
        let mut host = filter_in(World::seeded(seed), "");
        let outcome = host.request(Request::get("/")).unwrap();
        ["request_id", "trace_id", "span_id"]
            .map(|field| line(&outcome)[field].as_str().unwrap().to_owned())
    };
    assert_eq!(ids(1), ids(1));
    assert!(ids(1).iter().zip(ids(2)).all(|(one, other)| *one != other));
}

#[test]
fn two_runs_cost_the_same_to_the_last_instruction() {
    let cost = || {
        let mut host = filter("");
        let outcome = host.request(Request::get("/").header("x-a", "1")).unwrap();
        outcome.budget.report() + &host.budget().report()
    };
    assert_eq!(cost(), cost());
    assert!(cost().contains("estimated CPU in Envoy"), "{}", cost());
}

#[test]
fn many_requests_leave_nothing_in_memory_and_no_id_comes_twice() {
    let mut host = filter("");
    let mut ids = HashSet::new();
    let mut serve = |host: &mut Host, count: u32| {
        for number in 0..count {
            let request =
                Request::new("GET", format!("/{number}")).header("user-agent", "x".repeat(500));
            let outcome = host.request(request).unwrap();
            let id = outcome.client.unwrap().get("x-request-id").unwrap().to_vec();
            assert!(ids.insert(id), "request {number} has an ID that was given before");
        }
    };
    serve(&mut host, 1_000);
    let settled = host.memory_bytes();
    serve(&mut host, 20_000);
    assert_eq!(host.memory_bytes(), settled, "memory grows with requests");
}

#[test]
fn several_configurations_live_side_by_side_in_one_vm() {
    let mut host = filter(r#"{"service": {"name": "first"}}"#);
    assert_eq!(line(&host.request(Request::get("/")).unwrap())["service"], "first");
    let second = host.load(plugin(r#"{"service": {"name": "second"}}"#)).unwrap();
    let through_second = Request::get("/").through(second);
    assert_eq!(line(&host.request(through_second).unwrap())["service"], "second");
    assert_eq!(line(&host.request(Request::get("/")).unwrap())["service"], "first");
}

#[test]
fn a_refused_configuration_leaves_the_one_that_works() {
    let mut host = filter(r#"{"service": {"name": "works"}}"#);
    let refused = host.replace(host.plugin(), plugin(r#"{"servce": {}}"#)).unwrap_err();
    let Failure::Refused { log, .. } = refused else { panic!("{refused}") };
    assert_eq!(
        log.iter().map(|line| line.text.as_str()).collect::<Vec<_>>(),
        ["sightline: configuration refused: servce: no such key; known here: direction, service, \
          request_id, trace, sampling, routes, metrics, access_log, client_ip, export, publish; did you mean `service`?"]
    );
    assert_eq!(line(&host.request(Request::get("/")).unwrap())["service"], "works");
}

#[test]
fn hostile_bytes_pass_through_and_trap_nothing() {
    let mut host = filter("");
    let every_byte: Vec<u8> = (0..=255).collect();
    let huge = vec![b'x'; 1 << 20];
    for value in [&every_byte[..], &huge, b"", b"\0", b"\xed\xa0\x80"] {
        for name in [
            ":path",
            ":authority",
            ":method",
            "user-agent",
            "x-request-id",
            "traceparent",
            "tracestate",
        ] {
            let request = Request::get("/").without(name).header(name, value).header(name, value);
            let response = Response::new(200).header("x", value).header(":status", value);
            let outcome = host.request(request.answered(response)).unwrap();
            let line = line(&outcome);
            assert_eq!(line["trace_id"].as_str().unwrap().len(), 32, "{name}: {line}");
            let state = &outcome.state["wasm.sightline_log"];
            assert!(
                state.len() < 8_192 && !state.contains(&b'\n'),
                "{name}: {} bytes",
                state.len()
            );
        }
    }
    assert_eq!(host.log().len(), 0, "{:?}", host.log());
}

#[test]
fn a_request_without_any_header_has_a_line_too() {
    let mut host = filter("");
    let nothing = [":method", ":path", ":authority", ":scheme"]
        .into_iter()
        .fold(Request::get("/"), Request::without);
    let outcome = host.request(nothing.answered_before_us(Response::new(400))).unwrap();
    assert_eq!(line(&outcome)["status"], 400);
}

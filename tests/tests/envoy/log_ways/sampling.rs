//! Which lines are kept: of success a part, by trace, on every hop the same; of failure all.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde_json::{Value, json};
use sightline_cli::wait;
use sightline_tests::{Answer, Configuration, Message, Proxy, Request, Upstream, outbound};

use super::SOON;

const TRACES: usize = 400;
const FAILURES: usize = 20;

/// What an app passes on: its own business, and the trace.
const PASSED: &[&str] = &["traceparent", "tracestate", "x-fail"];

/// Whether a quarter of all traces has this one: the right-most 56 bits of its ID are its randomness.
fn is_of_the_quarter(trace_id: &str) -> bool {
    u64::from_str_radix(&trace_id[18..], 16).unwrap() >= 3 << 54
}

fn quarter() -> Configuration {
    Configuration::Struct(json!({"access_log": {"success_ratio": 0.25}}))
}

fn trace_of(request: &Message) -> String {
    request.field("traceparent").unwrap()[3..35].to_owned()
}

#[test]
fn the_lines_of_a_trace_are_kept_on_every_hop_or_on_none() {
    let stock = Upstream::answering(|request| {
        Answer::new(if request.field("x-fail").is_some() { 500 } else { 200 }).body("")
    });
    let whom: Arc<OnceLock<SocketAddr>> = Arc::default();
    let known = Arc::clone(&whom);
    let shop = Upstream::calling(1, PASSED, move || *known.get().unwrap());
    let proxy = Proxy::start(|bootstrap| {
        let inbound = bootstrap.upstream(shop.address()).configuration(quarter());
        outbound(inbound, stock.address(), |bootstrap| bootstrap)
    });
    whom.set(proxy.outbound_address()).unwrap();
    for _ in 0..TRACES {
        assert_eq!(proxy.send(&Request::get("/buy")).status(), 200);
    }
    for _ in 0..FAILURES {
        assert_eq!(proxy.send(&Request::get("/buy").field("x-fail", "yes")).status(), 500);
    }
    let (calls, fails): (Vec<_>, Vec<_>) =
        stock.requests().into_iter().partition(|it| it.field("x-fail").is_none());
    let kept: Vec<_> =
        calls.iter().map(trace_of).filter(|trace| is_of_the_quarter(trace)).collect();
    // Five standard deviations around a quarter of 400.
    assert!((57..=143).contains(&kept.len()), "{}", kept.len());
    let expected = kept.iter().map(|trace| (trace.clone(), (2, 200, json!(0.25))));
    let failed = fails.iter().map(trace_of).map(|trace| (trace, (2, 500, Value::Null)));
    let expected: BTreeMap<_, _> = expected.chain(failed).collect();
    assert_eq!(expected.len(), kept.len() + FAILURES);

    let count = expected.len() * 2;
    wait::until("all lines", SOON, || (proxy.lines().len() >= count).then_some(())).unwrap();
    let mut found: BTreeMap<String, (usize, u64, Value)> = BTreeMap::new();
    for line in proxy.lines() {
        let trace = line["trace_id"].as_str().unwrap().to_owned();
        let (status, ratio) = (line["status"].as_u64().unwrap(), line["success_ratio"].clone());
        let lines = found.entry(trace).or_insert((0, status, ratio.clone()));
        lines.0 += 1;
        assert_eq!((lines.1, &lines.2), (status, &ratio), "the lines of one trace: {line}");
    }
    assert_eq!(found, expected);
}

/// At a quarter, and just below it.
const HIGH: &str = "c0000000000000";
const LOW: &str = "bfffffffffffff";

/// Paths, whose first part says what the route has for `log` and whose last what becomes of them; the randomness of
/// the trace; and whether there is a line.
const ROUTES: [(&str, &str, bool); 16] = [
    ("/any/200", HIGH, true),
    ("/any/200", LOW, false),
    ("/any/404", LOW, true),
    ("/any/503", LOW, true),
    ("/any/cut", LOW, true),
    ("/all/200", HIGH, true),
    ("/all/404", LOW, true),
    ("/all/cut", LOW, true),
    ("/errors/200", HIGH, false),
    ("/errors/404", LOW, true),
    ("/errors/500", LOW, true),
    ("/errors/cut", LOW, true),
    ("/none/200", HIGH, false),
    ("/none/500", HIGH, false),
    ("/none/cut", HIGH, false),
    // What comes last has a line, so that all others have been written when it has.
    ("/any/500", HIGH, true),
];

fn routed() -> Configuration {
    Configuration::Struct(json!({
        "access_log": {"success_ratio": 0.25},
        "routes": {"templates": [
            {"path": "/all/{x}", "log": "all"},
            {"path": "/errors/{x}", "log": "errors"},
            {"path": "/none/{x}", "log": "none"},
        ]},
    }))
}

fn as_its_path_says(request: &Message) -> Answer {
    let last = request.path().rsplit('/').next().unwrap_or_default();
    match last.parse() {
        Ok(status) => Answer::new(status).body(""),
        Err(_) => {
            let begun = Answer::new(200).chunked().chunk("a");
            begun.pause(Duration::from_millis(20)).then_reset()
        }
    }
}

#[test]
fn a_route_says_which_of_its_lines_there_are_and_failures_stand_for_themselves() {
    let upstream = Upstream::answering(as_its_path_says);
    let proxy =
        Proxy::start(|bootstrap| bootstrap.configuration(routed()).upstream(upstream.address()));
    for (number, (path, randomness, _)) in ROUTES.into_iter().enumerate() {
        let parent = format!("00-4bf92f3577b34da6a3{randomness}-00f067aa0ba902b7-00");
        let request = Request::get(path).field("x-request-id", format!("id-{number}"));
        // Some are cut short on this side too.
        let _ = request.field("traceparent", parent).send(proxy.address());
    }
    for number in (0..ROUTES.len()).filter(|&number| ROUTES[number].2) {
        proxy.line_of(&format!("id-{number}"));
    }
    let lines = proxy.lines();
    for (number, (path, randomness, is_there)) in ROUTES.into_iter().enumerate() {
        let line = lines.iter().find(|line| line["request_id"] == format!("id-{number}"));
        assert_eq!(line.is_some(), is_there, "{path} {randomness}: {line:?}");
        let Some(line) = line else { continue };
        let expected = if path.ends_with("/200") { json!(0.25) } else { Value::Null };
        assert_eq!(line["success_ratio"], expected, "{line}");
        let has_failed = path.ends_with("/cut") || path.contains("/50");
        assert_eq!(line["error_type"].is_string(), has_failed, "{line}");
    }
}

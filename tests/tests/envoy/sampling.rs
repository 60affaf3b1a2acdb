//! Which spans reach a collector, and what the headers upstream say of it.
//!
//! That ratios are hit and nest over many trace IDs is tested in the core, with a seed. Here it is what
//! the configuration makes of routes and callers, and the rules that decide when a request is over.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use insta::assert_snapshot;
use serde_json::{Value, json};
use sightline_cli::wait;
use sightline_tests::{
    Answer, Bootstrap, Collector, Configuration, Message, Nobody, Proxy, Request, Upstream,
    outbound,
};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
/// The right-most 14 digits are the randomness: just below a half.
const LOW: &str = "4bf92f3577b34da6a37fffffffffffff";
/// A half.
const HIGH: &str = "4bf92f3577b34da6a380000000000000";

/// How long a filter that exports every 100 ms may be watched before it is clear that nothing comes.
const A_WHILE: Duration = Duration::from_secs(1);

struct Service {
    proxy: Proxy,
    app: Upstream,
    collector: Collector,
}

impl Service {
    /// An app that answers as its paths say, with this configuration.
    fn start(configuration: Value) -> Self {
        Self::shaped(configuration, |bootstrap| bootstrap)
    }

    fn shaped(configuration: Value, shape: impl FnOnce(Bootstrap) -> Bootstrap) -> Self {
        let app = Upstream::answering(|request| match request.path() {
            "/fails" => Answer::new(500).body("no"),
            "/resets" => Answer::reset(),
            "/not-there" => Answer::new(404).body("no"),
            "/slow" | "/slow-by-nature" | "/slow-for-its-kind" => {
                Answer::new(200).pause(Duration::from_millis(200)).body("at last")
            }
            _ => Answer::new(200).body("hi"),
        });
        let collector = Collector::start();
        let proxy = Proxy::start(|bootstrap| {
            let bootstrap = bootstrap.upstream(app.address()).collector(collector.address(), false);
            shape(bootstrap.configuration(exporting(configuration)))
        });
        Self { proxy, app, collector }
    }

    fn send(&self, request: &Request, id: &str) -> Message {
        self.proxy.send(&request.clone().field("x-request-id", id))
    }

    fn seen(&self, id: &str) -> Message {
        let seen = self.app.requests().into_iter().find(|it| it.field("x-request-id") == Some(id));
        seen.unwrap_or_else(|| panic!("{id} did not arrive"))
    }

    /// The flags that the app was handed, and the tracestate.
    fn told(&self, id: &str) -> (String, String) {
        let seen = self.seen(id);
        let flags = seen.field("traceparent").unwrap().rsplit('-').next().unwrap().to_owned();
        let states: Vec<_> =
            seen.all("tracestate").into_iter().map(String::from_utf8_lossy).collect();
        (flags, if states.is_empty() { "none".to_owned() } else { states.join(" + ") })
    }
}

/// The same, and all spans go to the collector soon.
fn exporting(mut configuration: Value) -> Configuration {
    configuration["export"] = json!({"cluster": "collector", "interval": "100ms"});
    Configuration::Struct(configuration)
}

/// The randomness of a trace ID: its right-most 56 bits.
fn randomness(trace_id: &str) -> u64 {
    u64::from_str_radix(&trace_id[18..], 16).unwrap()
}

#[test]
fn a_trace_is_sampled_if_its_randomness_reaches_the_threshold() {
    let service = Service::start(json!({"sampling": {"ratio": 0.5, "keep_errors": false}}));
    for number in 0..200 {
        service.send(&Request::get("/"), &format!("id-{number}"));
    }
    let mut sampled = 0;
    for number in 0..200 {
        let id = format!("id-{number}");
        let line = service.proxy.line_of(&id);
        let keeps = randomness(line["trace_id"].as_str().unwrap()) >= 1 << 55;
        let (flags, state) = service.told(&id);
        let expected = if keeps { ("03", "ot=th:8") } else { ("02", "none") };
        assert_eq!((&*flags, &*state), expected, "{line}");
        assert_eq!((&line["trace_flags"], &line["sampled"]), (&json!(flags), &json!(keeps)));
        sampled += usize::from(keeps);
    }
    // Five standard deviations around a half.
    assert!((65..=135).contains(&sampled), "{sampled}");
    let spans = service.collector.wait_for(sampled);
    assert!(spans.iter().all(|span| span.span.trace_state == "ot=th:8"), "{spans:#?}");
}

#[test]
fn a_route_has_a_ratio_of_its_own_for_a_method() {
    let service = Service::start(json!({
        "sampling": {"ratio": 0.5},
        "routes": {"templates": [
            {"path": "GET /things/{id}", "sample": 0},
            {"path": "POST,PUT /things/{id}", "sample": 1},
        ]},
    }));
    let table = [("GET", "02", "none"), ("POST", "03", "ot=th:0"), ("PUT", "03", "ot=th:0")];
    for (method, flags, state) in table {
        for number in 0..10 {
            let id = format!("{method}-{number}");
            service.send(&Request::new(method, "/things/7").body(""), &id);
            assert_eq!(service.told(&id), (flags.to_owned(), state.to_owned()), "{id}");
            assert_eq!(service.proxy.line_of(&id)["sampled"], flags == "03", "{id}");
        }
    }
    assert_eq!(service.collector.wait_for(20).len(), 20);
}

/// Traces and what callers say of them: their trace, the flags, and the tracestate.
const CALLERS: [(&str, &str, &str); 10] = [
    (HIGH, "01", "a=1"),
    (HIGH, "00", "a=1"),
    (HIGH, "03", "a=1,ot=th:0,b=2"),
    (HIGH, "01", "a=1,ot=th:8,b=2"),
    (LOW, "01", "a=1,ot=th:8,b=2"),
    (LOW, "00", "a=1,ot=th:8,b=2"),
    (LOW, "00", "a=1,ot=rv:90000000000000,b=2"),
    (HIGH, "01", "a=1,ot=rv:70000000000000;th:4,b=2"),
    (HIGH, "01", "a=1,ot=x:y;rv:70000000000000;th:8,b=2"),
    (HIGH, "01", "a=1,ot=TH:8,b=2"),
];

fn table(parent: &str) -> String {
    // Where it is respected, the ratio must not matter.
    let ratio = if parent == "ignore" { 0.5 } else { 0.0 };
    let service = Service::start(json!({"sampling": {"ratio": ratio, "parent": parent}}));
    let rows = CALLERS.iter().enumerate().map(|(number, (trace, flags, state))| {
        let id = format!("id-{number}");
        let parent = format!("00-{trace}-00f067aa0ba902b7-{flags}");
        let request = Request::get("/").field("traceparent", parent).field("tracestate", state);
        service.send(&request, &id);
        let (told, kept) = service.told(&id);
        let sampled = service.proxy.line_of(&id)["sampled"] == true;
        assert_eq!(sampled, told == "01" || told == "03", "{id}");
        let which = if *trace == LOW { "low " } else { "high" };
        format!("{which} {flags} {state:<37} | {told} {kept}")
    });
    rows.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_respected_caller_decides_and_its_threshold_stays_if_it_is_true() {
    assert_snapshot!(table("respect"), @"
    high 01 a=1                                   | 01 a=1
    high 00 a=1                                   | 00 a=1
    high 03 a=1,ot=th:0,b=2                       | 03 a=1,ot=th:0,b=2
    high 01 a=1,ot=th:8,b=2                       | 01 a=1,ot=th:8,b=2
    low  01 a=1,ot=th:8,b=2                       | 01 a=1,b=2
    low  00 a=1,ot=th:8,b=2                       | 00 a=1,ot=th:8,b=2
    low  00 a=1,ot=rv:90000000000000,b=2          | 00 a=1,ot=rv:90000000000000,b=2
    high 01 a=1,ot=rv:70000000000000;th:4,b=2     | 01 a=1,ot=rv:70000000000000;th:4,b=2
    high 01 a=1,ot=x:y;rv:70000000000000;th:8,b=2 | 01 ot=x:y;rv:70000000000000,a=1,b=2
    high 01 a=1,ot=TH:8,b=2                       | 01 a=1,b=2
    ");
}

#[test]
fn an_ignored_caller_changes_nothing_but_the_randomness() {
    assert_snapshot!(table("ignore"), @"
    high 01 a=1                                   | 01 ot=th:8,a=1
    high 00 a=1                                   | 01 ot=th:8,a=1
    high 03 a=1,ot=th:0,b=2                       | 03 ot=th:8,a=1,b=2
    high 01 a=1,ot=th:8,b=2                       | 01 a=1,ot=th:8,b=2
    low  01 a=1,ot=th:8,b=2                       | 00 a=1,b=2
    low  00 a=1,ot=th:8,b=2                       | 00 a=1,b=2
    low  00 a=1,ot=rv:90000000000000,b=2          | 01 ot=th:8;rv:90000000000000,a=1,b=2
    high 01 a=1,ot=rv:70000000000000;th:4,b=2     | 00 ot=rv:70000000000000,a=1,b=2
    high 01 a=1,ot=x:y;rv:70000000000000;th:8,b=2 | 00 ot=x:y;rv:70000000000000,a=1,b=2
    high 01 a=1,ot=TH:8,b=2                       | 01 ot=th:8,a=1,b=2
    ");
}

/// What a request is sampled by, as its span says, when it comes in an unsampled trace or starts one.
fn kept(service: &Service, path: &str) -> Option<&'static str> {
    let start = Request::get(path);
    let join = start
        .clone()
        .field("traceparent", format!("00-{TRACE}-00f067aa0ba902b7-00"))
        .field("tracestate", "a=1,ot=rv:10000000000000;th:8,b=2");
    let table = [
        ("start", start, "02", "none", ""),
        ("join", join, "00", "a=1,ot=rv:10000000000000;th:8,b=2", "ot=rv:10000000000000,a=1,b=2"),
    ];
    let reasons = table.map(|(name, request, flags, upstream, exported)| {
        let id = format!("{name}{}", path.replace('/', "-"));
        service.send(&request, &id);
        assert_eq!(service.told(&id), (flags.to_owned(), upstream.to_owned()), "{id}");
        let line = service.proxy.line_of(&id);
        assert_eq!(line["trace_flags"], flags, "{id}");
        if line["sampled"] == false {
            return None;
        }
        let is_it = |text: Option<&str>| text == Some(&*id);
        let span =
            service.collector.span_where(&id, |span| is_it(span.text("sightline.request_id")));
        assert_eq!(span.span.trace_state, exported, "{id}: no probability is claimed");
        assert_eq!(span.span.flags & 0xff, u32::from_str_radix(flags, 16).unwrap(), "{id}");
        Some(match span.text("sightline.kept") {
            Some("error") => "error",
            Some("slow") => "slow",
            other => panic!("{id} was kept by {other:?}"),
        })
    });
    assert_eq!(reasons[0], reasons[1], "{path}");
    reasons[0]
}

#[test]
fn failed_and_slow_requests_are_kept_and_say_so() {
    let routes = json!({"templates": [
        {"path": "/slow-by-nature", "slow": "30s"},
        {"path": "/slow-for-its-kind", "slow": "100ms"},
    ]});
    let nothing = json!({"ratio": 0, "keep_errors": false});
    let errors = json!({"ratio": 0});
    let slow = json!({"ratio": 0, "keep_errors": false, "keep_slower_than": "150ms"});
    let both = json!({"ratio": 0, "keep_slower_than": "150ms"});
    let (no, error, late) = (None, Some("error"), Some("slow"));
    let table = [
        ("nothing", nothing, [no, no, no, no, late]),
        ("errors", errors, [error, error, no, no, late]),
        ("slow ones", slow, [no, no, late, no, late]),
        ("both", both, [error, error, late, no, late]),
    ];
    for (name, sampling, expected) in table {
        let service = Service::start(json!({"sampling": sampling, "routes": routes}));
        let paths = ["/fails", "/resets", "/slow", "/slow-by-nature", "/slow-for-its-kind"];
        assert_eq!(paths.map(|path| kept(&service, path)), expected, "{name}");
        assert_eq!(["/fine", "/not-there"].map(|path| kept(&service, path)), [None; 2], "{name}");
    }
}

#[test]
fn a_request_that_finds_no_app_is_kept_as_failed() {
    let (nobody, collector) = (Nobody::anywhere(), Collector::start());
    let proxy = Proxy::start(|bootstrap| {
        let bootstrap = bootstrap.upstream(nobody.address()).collector(collector.address(), false);
        bootstrap.configuration(exporting(json!({"sampling": {"ratio": 0}})))
    });
    assert_eq!(proxy.send(&Request::get("/").field("x-request-id", "abc")).status(), 503);
    let [span] = collector.wait_for(1).try_into().unwrap();
    assert_eq!(span.text("sightline.kept"), Some("error"));
    assert_eq!((span.span.trace_state.as_str(), span.span.flags), ("", 0x102));
    let line = proxy.line_of("abc");
    assert_eq!((&line["sampled"], &line["trace_flags"]), (&json!(true), &json!("02")));
}

#[test]
fn a_sampled_trace_is_not_marked_as_kept() {
    let service = Service::start(json!({"sampling": {"ratio": 1}}));
    service.send(&Request::get("/fails"), "fails");
    let [span] = service.collector.wait_for(1).try_into().unwrap();
    assert_eq!(span.attribute("sightline.kept"), None);
    assert_eq!(span.span.trace_state, "ot=th:0");
}

/// How many of 200 failures are kept, and how long they took.
fn failures(per_second: u32) -> (Service, usize, Duration) {
    let sampling = json!({"ratio": 0, "per_second": per_second});
    let service = Service::start(json!({"sampling": sampling}));
    let began = Instant::now();
    for number in 0..200 {
        service.send(&Request::get("/fails"), &format!("id-{number}"));
    }
    let took = began.elapsed();
    service.proxy.line_of("id-199");
    let lines = service.proxy.lines();
    assert_eq!(lines.len(), 200);
    let kept = lines.iter().filter(|line| line["sampled"] == true).count();
    (service, kept, took)
}

#[test]
fn no_more_failures_are_kept_than_the_bound_allows() {
    let (service, kept, took) = failures(5);
    let seconds = usize::try_from(took.as_secs()).unwrap() + 1;
    assert!((5..=5 * seconds).contains(&kept), "{kept} in {took:?}");
    service.collector.wait_for(kept);
    let more =
        wait::until("another span", A_WHILE, || service.collector.spans().get(kept).cloned());
    assert!(more.is_err(), "{more:?}");
}

#[test]
fn without_a_bound_all_failures_are_kept() {
    let (service, kept, _) = failures(0);
    assert_eq!(kept, 200);
    let spans = service.collector.wait_for(200);
    assert!(spans.iter().all(|span| span.text("sightline.kept") == Some("error")));
}

/// The flags and tracestates of so many requests, behind an inbound listener and an outbound one with
/// these ratios. The outbound one decides anew.
fn two_hops(inbound: f64, outbounds: f64) -> Vec<[String; 4]> {
    let sampling = |ratio: f64| {
        let sampling = json!({"ratio": ratio, "parent": "ignore"});
        Configuration::Struct(json!({"sampling": sampling}))
    };
    let called = Upstream::answering(|_| Answer::new(200).body("hi"));
    let whom = Arc::new(OnceLock::<SocketAddr>::new());
    let app = Upstream::calling(1, &["traceparent", "tracestate"], {
        let whom = Arc::clone(&whom);
        move || *whom.get().expect("requests come after the proxy has started")
    });
    let proxy = Proxy::start(|bootstrap| {
        let bootstrap = bootstrap.upstream(app.address()).configuration(sampling(inbound));
        outbound(bootstrap, called.address(), |it| it.configuration(sampling(outbounds)))
    });
    whom.set(proxy.outbound_address()).expect("nobody else sets it");
    for _ in 0..100 {
        assert_eq!(proxy.send(&Request::get("/")).status(), 200);
    }
    let text = |message: &Message, name| message.field(name).unwrap_or("none").to_owned();
    let told = |message| [text(message, "traceparent"), text(message, "tracestate")];
    let (app, called) = (app.requests(), called.requests());
    assert_eq!((app.len(), called.len()), (100, 100));
    let pairs = app.iter().zip(&called).map(|(app, called)| (told(app), told(called)));
    pairs.map(|([a, b], [c, d])| [a, b, c, d]).collect()
}

#[test]
fn what_a_smaller_ratio_keeps_a_larger_one_keeps_too() {
    for (inbound, outbounds) in [((0.5, "8"), (0.25, "c")), ((0.25, "c"), (0.5, "8"))] {
        let mut counts = [0; 2];
        for hops in two_hops(inbound.0, outbounds.0) {
            let [before, before_state, after, after_state] = &hops;
            assert_eq!(before[3..35], after[3..35], "one trace: {hops:?}");
            let kept = [before, after].map(|context| context.ends_with("-03"));
            let states = [(before_state, inbound.1), (after_state, outbounds.1)];
            for (kept, (state, threshold)) in kept.into_iter().zip(states) {
                let expected = if kept { format!("ot=th:{threshold}") } else { "none".to_owned() };
                assert_eq!(*state, expected, "{hops:?}");
            }
            let [smaller, larger] = if inbound.0 < outbounds.0 { kept } else { [kept[1], kept[0]] };
            assert!(larger || !smaller, "{hops:?}");
            counts = [counts[0] + usize::from(smaller), counts[1] + usize::from(larger)];
        }
        // Five standard deviations around 25 and 50: neither is trivially so.
        assert!((4..=46).contains(&counts[0]) && (25..=75).contains(&counts[1]), "{counts:?}");
    }
}

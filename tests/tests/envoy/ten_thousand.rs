//! Ten thousand requests, two workers, a collector that fails at random and is killed, and configurations
//! that are replaced under way. In the end every span is accounted for.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use sightline_cli::otlp::{ReceivedSpan, Reply};
use sightline_cli::wait;
use sightline_tests::{
    Answer, Bootstrap, Collector, Configuration, Discovery, Proxy, Request, Samples, Upstream,
};

const REQUESTS: usize = 10_000;
const WORKERS: u32 = 2;
const CLIENTS: usize = 4;
const SPANS: &str = "sightline_spans_total";
const EXPORTED: &str = "sightline_exported_total";
const DROPPED: &str = "sightline_dropped_total";

#[test]
fn every_span_is_accounted_for_over_http() {
    run("http");
}

#[test]
fn every_span_is_accounted_for_over_grpc() {
    run("grpc");
}

fn run(protocol: &'static str) {
    let app = Upstream::answering(|request| match request.path() {
        "/broken" => Answer::new(500).body("no"),
        "/slow" => Answer::new(200).pause(Duration::from_millis(300)).body("well"),
        _ => Answer::new(200).body("hi"),
    });
    let mut collector = Collector::that(|number, _| moody(number));
    let mut discovery = Discovery::new(WORKERS);
    let shape = |bootstrap: Bootstrap| {
        let first = Configuration::Struct(configuration(protocol, &json!({})));
        let bootstrap = bootstrap.upstream(app.address()).configuration(first);
        discovery.put_into(bootstrap.collector(collector.address(), protocol == "grpc"))
    };
    let proxy = Proxy::with_workers(WORKERS, shape);
    let sent = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| drive(&proxy, &sent));
        }
        scope.spawn(|| {
            let replace =
                |change: Value| discovery.replace(&proxy, &configuration(protocol, &change));
            disturb(&replace, &mut collector, &sent);
        });
    });
    let lines = wait::until("all lines", Duration::from_secs(20), || {
        let count = proxy.raw_access_log().lines().count();
        (count >= REQUESTS).then(|| proxy.lines())
    });
    assert_all_accounted(&proxy, &collector, &lines.unwrap());
}

/// Fails about every third time, in all ways after which a batch is sent again.
fn moody(number: usize) -> Reply {
    match number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 60 {
        0 => Reply::status(503),
        1 => Reply::Reset,
        2 => Reply::Status(429, vec![("retry-after".to_owned(), "1".to_owned())]),
        3 => Reply::status(502),
        4 => Reply::Accepted.after(Duration::from_millis(100)),
        _ => Reply::Accepted,
    }
}

fn drive(proxy: &Proxy, sent: &AtomicUsize) {
    let address = proxy.address();
    loop {
        let number = sent.fetch_add(1, Ordering::SeqCst);
        if number >= REQUESTS {
            return;
        }
        let path = match number {
            _ if number % 10 == 3 => "/broken",
            _ if number % 500 == 7 => "/slow",
            _ => "/users/7",
        };
        let answer = Request::get(path).send(address);
        assert!(answer.is_ok(), "request {number}: {answer:?}");
    }
}

/// What happens when so much has been sent.
fn disturb(replace: &dyn Fn(Value), collector: &mut Collector, sent: &AtomicUsize) {
    let after = |part: usize| {
        let enough = || (sent.load(Ordering::SeqCst) >= part).then_some(());
        wait::until("requests", Duration::from_mins(1), enough).unwrap();
    };
    after(REQUESTS / 5);
    // Sends to the same place, so what waits stays where it is.
    replace(json!({"request_id": {"format": "uuid7"}}));
    after(REQUESTS * 2 / 5);
    collector.stop();
    after(REQUESTS * 3 / 5);
    // Another exporter, while the first has a full queue.
    replace(json!({"queue": 500}));
    after(REQUESTS * 4 / 5);
    collector.restart();
}

fn configuration(protocol: &str, change: &Value) -> Value {
    let queue = change.get("queue").cloned().unwrap_or(json!(400));
    let request_id = change.get("request_id").cloned().unwrap_or(json!({}));
    json!({
        "request_id": request_id,
        "sampling": {"ratio": 0.5, "per_second": 0, "keep_slower_than": "250ms"},
        "export": {
            "cluster": "collector", "protocol": protocol, "interval": "300ms", "batch": 100, "queue": queue,
            "timeout": "2s",
        },
    })
}

fn assert_all_accounted(proxy: &Proxy, collector: &Collector, lines: &[Value]) {
    assert_eq!(lines.len(), REQUESTS);
    let stats = settled(proxy);
    let dropped = |reason| count(&stats, DROPPED, &[("reason", reason)]);
    assert_eq!([dropped("rejected"), dropped("expired")], [0, 0]);
    // The run is worth something only if all of it happened.
    assert!(dropped("queue_full") > 0, "the queue was never full");
    for (name, outcome) in [
        ("sightline_export_batches_total", "failed"),
        (SPANS, "kept_error"),
        (SPANS, "kept_slow"),
        (SPANS, "unsampled"),
    ] {
        assert!(count(&stats, name, &[("outcome", outcome)]) > 0, "{name} {outcome}");
    }
    let held: HashSet<_> = collector.spans().iter().map(ReceivedSpan::span_id_hex).collect();
    let sampled = lines.iter().filter(|line| line["sampled"] == true);
    let told: HashSet<_> = sampled.map(|line| text(line, "span_id")).collect();
    assert_eq!(told.len(), count(&stats, EXPORTED, &[]));
    let alone: Vec<_> = told.symmetric_difference(&held).collect();
    assert!(alone.is_empty(), "{} lines and spans stand alone: {alone:?}", alone.len());
    for name in ["trace_id", "span_id", "request_id"] {
        let distinct: HashSet<_> = lines.iter().map(|line| text(line, name)).collect();
        assert_eq!(distinct.len(), REQUESTS, "{name}");
    }
    let warnings =
        proxy.log().lines().filter(|line| line.contains("sightline: export of traces to")).count();
    assert!(warnings <= 2, "one a minute\n{}", proxy.log());
}

/// The stats once nothing waits: all requests are counted, and what was offered is exported or dropped.
fn settled(proxy: &Proxy) -> Samples {
    let look = || {
        let stats = proxy.stats();
        let all = count(&stats, SPANS, &[]);
        let offered = all - count(&stats, SPANS, &[("outcome", "unsampled")]);
        let gone = count(&stats, EXPORTED, &[]) + count(&stats, DROPPED, &[]);
        let waiting = count(&stats, "sightline_export_waiting", &[]);
        (all == REQUESTS && waiting == 0 && offered == gone).then_some(stats)
    };
    let stats = wait::until("the last span", Duration::from_mins(2), look);
    stats.unwrap_or_else(|late| panic!("{late}:\n{}", proxy.admin("/stats?filter=sightline")))
}

fn count(stats: &Samples, name: &str, labels: &[(&str, &str)]) -> usize {
    let value = stats.sum(name, labels).unwrap_or(0.0);
    format!("{value}").parse().expect("a count is a whole number")
}

fn text(line: &Value, name: &str) -> String {
    line[name].as_str().unwrap().to_owned()
}

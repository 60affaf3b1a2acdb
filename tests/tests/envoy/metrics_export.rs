//! What was counted on its way to a real collector, as all workers of an Envoy tell it through one of them.

use std::collections::{BTreeSet, VecDeque};
use std::net::TcpStream;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sightline_cli::otlp::{Export, Reply, Signal};
use sightline_cli::wait;
use sightline_setup::{Checkout, python};
use sightline_tests::crash::{Crashing, crash};
use sightline_tests::{
    Answer, Bootstrap, Collector, Configuration, Discovery, Nobody, Proxy, ReceivedPoint, Request,
    Upstream, outbound,
};

const DURATION: &str = "http.server.request.duration";
const BATCHES: &str = "sightline_export_batches_total";
const WORKERS: u32 = 4;
const SOON: Duration = Duration::from_secs(30);

fn telling(protocol: &str, compression: &str, temporality: &str) -> Value {
    json!({
        "service": {"name": "shop"},
        "sampling": {"ratio": 1},
        "export": {
            "cluster": "collector", "protocol": protocol, "compression": compression,
            "interval": "200ms", "timeout": "1500ms",
        },
        "metrics": {"otlp": {"interval": "1s", "temporality": temporality}},
    })
}

fn app() -> Upstream {
    Upstream::answering(|request| match request.path() {
        "/broken" => Answer::new(500).body("oh"),
        _ => Answer::new(200).body("hi"),
    })
}

/// An Envoy with some workers before an app, and this configuration.
fn shop(app: &Upstream, collector: &Collector, configuration: &Value) -> Proxy {
    Proxy::with_workers(WORKERS, |bootstrap| shaped(bootstrap, app, collector, configuration))
}

fn shaped(bootstrap: Bootstrap, app: &Upstream, collector: &Collector, with: &Value) -> Bootstrap {
    let http2 = with["export"]["protocol"] == "grpc";
    let bootstrap = bootstrap.upstream(app.address()).collector(collector.address(), http2);
    bootstrap.configuration(Configuration::Struct(with.clone()))
}

/// Each over a connection of its own, so that all workers get some. One in five fails. Hands back how many came to
/// the app: where a worker has just crashed, Envoy says 503.
fn send(proxy: &Proxy, requests: u64) -> u64 {
    let path = |number| if number % 5 == 4 { "/broken" } else { "/users/7" };
    let statuses = (0..requests).map(|number| proxy.send(&Request::get(path(number))).status());
    statuses.filter(|status| *status != 503).count() as u64
}

fn pass(time: Duration) {
    let began = Instant::now();
    wait::until("some time", SOON, || (began.elapsed() > time).then_some(())).unwrap();
}

/// The start and the time of each export's points of things that happened, for each that was taken.
fn times(collector: &Collector) -> Vec<(u64, u64)> {
    let points = collector.points();
    let happened = points.iter().filter(|it| it.is_monotonic || it.histogram().is_some());
    let mut times: Vec<_> = happened.map(|it| (it.start, it.time)).collect();
    times.dedup();
    assert!(times.iter().all(|(start, time)| start < time), "{times:?}");
    times
}

fn assert_in_order(collector: &Collector, temporality: &str, what: &str) {
    let times = times(collector);
    let is_next = |pair: &[(u64, u64)]| match temporality {
        "delta" => pair[1].0 == pair[0].1,
        _ => pair[1].0 == pair[0].0 && pair[0].1 < pair[1].1,
    };
    assert!(times.len() > 1 && times.windows(2).all(is_next), "{what}: {times:?}");
}

fn metrics(collector: &Collector) -> Vec<Arc<Export>> {
    let mut exports = collector.exports();
    exports.retain(|export| matches!(export.signal, Signal::Metrics(_)));
    exports
}

#[test]
fn all_that_all_workers_counted_is_told_once_at_every_interval() {
    for (protocol, compression) in [("http", "none"), ("http", "gzip"), ("grpc", "none")] {
        for temporality in ["cumulative", "delta"] {
            let what = format!("{protocol} {compression} {temporality}");
            let (app, collector) = (app(), Collector::start());
            let proxy = shop(&app, &collector, &telling(protocol, compression, temporality));
            let began = Instant::now();
            let mut sent = 0;
            for _ in 0..3 {
                sent += send(&proxy, 200);
                collector.wait_for_count(DURATION, &[], sent);
            }
            let failed = [("http.response.status_code", "500"), ("error.type", "500")];
            assert_eq!(collector.count_of(DURATION, &failed), Some(sent / 5), "{what}");
            pass(Duration::from_millis(1_500));
            assert_eq!(collector.count_of(DURATION, &[]), Some(sent), "{what}");
            assert_in_order(&collector, temporality, &what);
            let exports = metrics(&collector);
            assert!(exports.len() as u64 <= began.elapsed().as_secs() + 1, "{what}");
            assert!(exports.iter().all(|it| it.compressed == (compression == "gzip")), "{what}");
            decode(&exports);
            let sampled = collector.count_of("sightline.spans", &[("outcome", "sampled")]);
            assert_eq!(sampled, Some(sent), "{what}");
            collector.point_where("how many are under way", |point| {
                point.name == "http.server.active_requests" && !point.is_monotonic
            });
        }
    }
}

/// Panics where `OpenTelemetry`'s own Python classes find something that should not be.
fn decode(exports: &[Arc<Export>]) {
    let checkout = Checkout::find().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let script = checkout.root().join("tests/apps/decode_otlp.py");
    for export in exports {
        let file = dir.path().join("export.bin");
        std::fs::write(&file, &export.message).unwrap();
        let mut decode = Command::new(python::interpreter(&checkout).unwrap());
        let output = decode.arg(&script).arg("metrics").arg(file).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let requests: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
        assert!(!requests[0]["resource_metrics"][0]["scope_metrics"].is_null(), "{requests:?}");
    }
}

#[test]
fn whatever_the_collector_does_nothing_is_lost_or_told_twice() {
    for (protocol, temporality) in [("http", "delta"), ("grpc", "delta"), ("http", "cumulative")] {
        let what = format!("{protocol} {temporality}");
        let replies: Arc<Mutex<VecDeque<Reply>>> = Arc::default();
        let queue = Arc::clone(&replies);
        let mut collector = Collector::that(move |_, export| match &export.signal {
            Signal::Metrics(_) => queue.lock().unwrap().pop_front().unwrap_or(Reply::Accepted),
            _ => Reply::Accepted,
        });
        let app = app();
        let proxy = shop(&app, &collector, &telling(protocol, "none", temporality));
        let mut sent = 0;
        for reply in [
            Reply::status(400),
            Reply::status(503),
            Reply::Silence,
            Reply::Reset,
            Reply::Accepted.after(Duration::from_millis(700)),
        ] {
            replies.lock().unwrap().push_back(reply);
            sent += send(&proxy, 100);
            let used = || replies.lock().unwrap().is_empty().then_some(());
            wait::until("a reply to be used", SOON, used).unwrap();
        }
        collector.wait_for_count(DURATION, &[], sent);
        // Where it stops between two exports, no answer gets lost.
        let told = metrics(&collector).len();
        let next = || (metrics(&collector).len() > told).then_some(());
        wait::until("the next export", SOON, next).unwrap();
        pass(Duration::from_millis(200));
        collector.stop();
        sent += send(&proxy, 100);
        let failed = || {
            let labels = [("signal", "metrics"), ("outcome", "failed")];
            (proxy.stats().sum(BATCHES, &labels) >= Some(4.0)).then_some(())
        };
        wait::until("exports to fail", SOON, failed).unwrap();
        sent += send(&proxy, 100);
        collector.restart();
        collector.wait_for_count(DURATION, &[], sent);
        pass(Duration::from_secs(3));
        assert_eq!(collector.count_of(DURATION, &[]), Some(sent), "{what}");
        assert_in_order(&collector, temporality, &what);
        let rejected = [("signal", "metrics"), ("reason", "rejected")];
        let dropped = proxy.stats().sum("sightline_dropped_total", &rejected);
        assert!(dropped >= Some(1.0), "{what}: {dropped:?}");
    }
}

#[test]
fn over_reloads_it_goes_on() {
    for temporality in ["cumulative", "delta"] {
        let (app, collector) = (app(), Collector::start());
        let mut discovery = Discovery::new(WORKERS);
        let mut configuration = telling("http", "none", temporality);
        let proxy = Proxy::with_workers(WORKERS, |bootstrap| {
            discovery.put_into(shaped(bootstrap, &app, &collector, &configuration))
        });
        let mut sent = 0;
        for format in ["uuid7", "uuid4", "uuid7"] {
            sent += send(&proxy, 100);
            configuration["request_id"] = json!({"format": format});
            thread::scope(|scope| {
                let sending = scope.spawn(|| send(&proxy, 200));
                discovery.replace(&proxy, &configuration);
                sent += sending.join().unwrap();
            });
        }
        sent += send(&proxy, 100);
        collector.wait_for_count(DURATION, &[], sent);
        pass(Duration::from_secs(2));
        assert_eq!(collector.count_of(DURATION, &[]), Some(sent), "{temporality}");
        assert_in_order(&collector, temporality, temporality);
    }
}

#[test]
fn after_a_crash_of_a_worker_it_goes_on_and_never_down() {
    const OLD_ENOUGH: Duration = Duration::from_secs(2);
    for temporality in ["cumulative", "delta"] {
        let (app, collector, crashing) = (app(), Collector::start(), Crashing::new());
        let configuration = telling("http", "none", temporality);
        let proxy = Proxy::with_workers(WORKERS, |bootstrap| {
            let bootstrap = shaped(bootstrap, &app, &collector, &configuration);
            crashing.put_into(bootstrap, "FAIL_RELOAD")
        });
        let mut sent = send(&proxy, 200);
        collector.wait_for_count(DURATION, &[], sent);
        pass(OLD_ENOUGH);
        // Each connection is another worker's, more or less. One that crashes twice is not made anew at once.
        for _ in 0..WORKERS {
            let mut connection = TcpStream::connect(proxy.address()).unwrap();
            assert_eq!(crash(&mut connection).unwrap().status(), 503, "{temporality}");
        }
        sent += send(&proxy, 200);
        let others = [("http.request.method", "GET")];
        collector.wait_for_count(DURATION, &others, sent);
        pass(Duration::from_secs(7));
        assert_eq!(collector.count_of(DURATION, &others), Some(sent), "{temporality}");
        let lost = collector.count_of("sightline.workers.lost", &[]);
        assert!(lost.is_some_and(|lost| (1..=4).contains(&lost)), "{temporality}: {lost:?}");
        assert_in_order(&collector, temporality, temporality);
    }
}

#[test]
fn a_process_that_is_started_again_begins_anew() {
    let (app, collector) = (app(), Collector::start());
    let mut sent = 0;
    for _ in 0..2 {
        let proxy = shop(&app, &collector, &telling("http", "none", "cumulative"));
        sent += send(&proxy, 40);
        collector.wait_for_count(DURATION, &[], sent);
    }
    let mut points = collector.points();
    points.retain(|point| point.name == DURATION);
    let began =
        |point: &ReceivedPoint| (point.resource["service.instance.id"].clone(), point.start);
    let processes: BTreeSet<_> = points.iter().map(began).collect();
    let ids: BTreeSet<_> = processes.iter().map(|(id, _)| id).collect();
    assert_eq!((processes.len(), ids.len()), (2, 2), "{processes:?}");
}

#[test]
fn through_the_same_proxy_exports_are_no_requests() {
    for temporality in ["cumulative", "delta"] {
        let (app, collector, front) = (app(), Collector::start(), Nobody::anywhere());
        let configuration = telling("http", "none", temporality);
        let proxy = Proxy::with_workers(WORKERS, |bootstrap| {
            let bootstrap = bootstrap.upstream(app.address()).collector(front.address(), false);
            let with = Configuration::Struct(configuration.clone());
            let bootstrap = bootstrap.configuration(with);
            outbound(bootstrap, collector.address(), |bootstrap| bootstrap).patch(|document| {
                let listener = &mut document["static_resources"]["listeners"][1];
                listener["address"]["socket_address"]["port_value"] = json!(front.address().port());
            })
        });
        let sent = send(&proxy, 50);
        collector.wait_for_count(DURATION, &[], sent);
        pass(Duration::from_secs(4));
        assert_eq!(collector.count_of(DURATION, &[]), Some(sent), "{temporality}");
        let calls = collector.count_of("http.client.request.duration", &[]);
        assert_eq!(calls, None, "{temporality}: no export is a request");
        assert_eq!(proxy.lines().len() as u64, sent, "{temporality}");
        assert_in_order(&collector, temporality, temporality);
        decode(&metrics(&collector)[..1]);
    }
}

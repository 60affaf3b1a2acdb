//! What was counted on its way to a collector: who tells it, since when it was counted, and that nothing gets lost
//! or is told twice, whatever collectors and workers do.

mod backend;
mod pieces;
mod workers;

use std::collections::BTreeSet;
use std::time::Duration;

use backend::{Backend, Does};
use sightline_cli::otlp::proto::metrics::v1::AggregationTemporality;
use sightline_host::{Host, Request, Response, World};
use sightline_tests::{PointValue, ReceivedPoint};

use crate::{filter_in, line};

const PROTOCOLS: [&str; 2] = ["http", "grpc"];
const DURATION: &str = "http.server.request.duration";
const INTERVAL: Duration = Duration::from_secs(10);
const WORKERS: usize = 4;

/// Metrics go every ten seconds, and every request has its span exported.
fn telling(protocol: &str, temporality: &str) -> String {
    format!(
        r#"{{"service": {{"name": "shop"}}, "sampling": {{"ratio": 1}},
             "export": {{"cluster": "collector", "protocol": "{protocol}", "timeout": "2s"}},
             "metrics": {{"otlp": {{"interval": "10s", "temporality": "{temporality}"}}}}}}"#
    )
}

fn world(backend: &Backend) -> World {
    World::seeded(7).workers(WORKERS).cluster("collector", backend.cluster())
}

/// A shop with some workers, and its collector.
fn shop(protocol: &'static str, temporality: &str) -> (Host, Backend) {
    let backend = Backend::new(protocol);
    (filter_in(world(&backend), &telling(protocol, temporality)), backend)
}

/// So many requests to each worker; one in four fails.
fn serve(host: &mut Host, requests: usize) -> u64 {
    for number in 0..requests * WORKERS {
        let status = if number % 4 == 3 { 503 } else { 200 };
        let request = Request::get(format!("/users/{number}")).answered(Response::new(status));
        host.request(request.on_worker(number % WORKERS)).unwrap();
    }
    (requests * WORKERS) as u64
}

fn pass(host: &mut Host, time: Duration) {
    host.advance(time).unwrap();
}

fn counted(host: &Host, name: &str, labels: &str) -> u64 {
    let name = format!("signal=.=metrics;.;{labels}{name}");
    host.stats().counter(&name).or_else(|| host.stats().gauge(&name)).unwrap_or(0)
}

fn batches(host: &Host, outcome: &str) -> u64 {
    counted(host, "sightline_export_batches_total", &format!("outcome=.={outcome};.;"))
}

fn dropped(host: &Host, reason: &str) -> u64 {
    counted(host, "sightline_dropped_total", &format!("reason=.={reason};.;"))
}

/// The start and the time of each request's points of things that happened. Within a request they are the same.
fn times(backend: &Backend) -> Vec<(u64, u64)> {
    let of_request = |points: &Vec<ReceivedPoint>| {
        let times: BTreeSet<_> = points
            .iter()
            .filter(|it| it.is_monotonic || it.histogram().is_some())
            .map(|it| (it.start, it.time))
            .collect();
        assert_eq!(times.len(), 1, "{times:?}");
        *times.first().unwrap()
    };
    backend.taken().iter().map(of_request).collect()
}

/// Every point ends after it begins, and of all time there is but one beginning.
fn assert_of_all_time(backend: &Backend, what: &str) {
    let times = times(backend);
    assert!(times.iter().all(|(start, time)| *start == times[0].0 && start < time), "{what}");
    assert!(times.is_sorted_by_key(|(_, time)| *time), "{what}: {times:?}");
}

/// What is new begins where what was told before has ended.
fn assert_without_gap(backend: &Backend, what: &str) {
    let times = times(backend);
    assert!(times.iter().all(|(start, time)| start < time), "{what}: {times:?}");
    assert!(times.windows(2).all(|pair| pair[0].1 == pair[1].0), "{what}: {times:?}");
}

#[test]
fn one_worker_tells_of_all_at_every_interval() {
    for protocol in PROTOCOLS {
        let (mut host, backend) = shop(protocol, "cumulative");
        let mut sent = 0;
        for round in 1..=4 {
            sent += serve(&mut host, 3);
            pass(&mut host, INTERVAL + Duration::from_secs(1));
            assert_eq!(backend.last(DURATION), sent, "{protocol}");
            assert_eq!(backend.taken().len(), round, "{protocol}: it is told once");
        }
        assert_of_all_time(&backend, protocol);
        assert_eq!(batches(&host, "ok"), 4, "{protocol}: {}", host.stats());
        assert_eq!(counted(&host, "sightline_exported_total", ""), 4, "{protocol}");
        assert_eq!(counted(&host, "sightline_export_waiting", ""), 0, "{protocol}");
    }
}

/// What a collector does for a while, and how often what it was sent in vain is counted.
struct Row {
    name: &'static str,
    script: Vec<Does>,
    failed: u64,
    rejected: u64,
    /// Whether an answer got lost, so that what it was to is told twice.
    may_repeat: bool,
}

fn row(name: &'static str, script: Vec<Does>, failed: u64, rejected: u64) -> Row {
    Row { name, script, failed, rejected, may_repeat: false }
}

fn rows() -> Vec<Row> {
    vec![
        row("it takes all", vec![], 0, 0),
        row("it leaves out a point, and says so", vec![Does::TakeInPart], 0, 1),
        row("it does not like one", vec![Does::Refuse], 0, 1),
        row("it does not like three", vec![Does::Refuse; 3], 0, 3),
        row("it is busy", vec![Does::Fail], 1, 0),
        row("it is busy for long", vec![Does::Fail; 6], 6, 0),
        row("it resets", vec![Does::Reset], 1, 0),
        row("it hangs", vec![Does::Hang; 2], 2, 0),
        row(
            "all of it",
            vec![Does::Fail, Does::Refuse, Does::Take, Does::Hang, Does::Refuse],
            2,
            2,
        ),
        Row { may_repeat: true, ..row("its answer gets lost", vec![Does::TakeInSilence], 1, 0) },
    ]
}

#[test]
fn whatever_the_collector_does_what_it_took_adds_up() {
    for protocol in PROTOCOLS {
        for Row { name, script, failed, rejected, may_repeat } in rows() {
            for temporality in ["cumulative", "delta"] {
                let what = format!("{protocol} {temporality}: {name}");
                let (mut host, backend) = shop(protocol, temporality);
                let mut sent = serve(&mut host, 2);
                pass(&mut host, INTERVAL + Duration::from_secs(2));
                backend.script(script.clone());
                let during = serve(&mut host, 1);
                sent += during;
                for _ in 0..30 {
                    sent += serve(&mut host, 1);
                    pass(&mut host, Duration::from_secs(5));
                }
                pass(&mut host, INTERVAL * 3);
                if temporality == "cumulative" {
                    assert_eq!(backend.last(DURATION), sent, "{what}");
                    assert_of_all_time(&backend, &what);
                } else if may_repeat {
                    assert!(backend.sum(DURATION) > sent, "{what}");
                    assert!(backend.sum(DURATION) <= 2 * sent, "{what}");
                } else {
                    assert_eq!(backend.sum(DURATION), sent, "{what}");
                    assert_without_gap(&backend, &what);
                }
                assert_eq!(batches(&host, "failed"), failed, "{what}: {}", host.stats());
                assert_eq!(dropped(&host, "rejected"), rejected, "{what}: {}", host.stats());
                assert_eq!(dropped(&host, "expired"), 0, "{what}");
                assert_eq!(counted(&host, "sightline_export_waiting", ""), 0, "{what}");
            }
        }
    }
}

#[test]
fn a_collector_that_is_away_for_a_quarter_of_an_hour_costs_no_memory_and_hears_all_of_it() {
    for (temporality, does) in
        [("cumulative", Does::Fail), ("delta", Does::Reset), ("delta", Does::Hang)]
    {
        let (mut host, backend) = shop("http", temporality);
        let mut sent = serve(&mut host, 5);
        pass(&mut host, INTERVAL * 3);
        backend.does(does);
        let mut minutes = |host: &mut Host, minutes: usize| {
            for _ in 0..minutes * 6 {
                sent += serve(host, 5);
                pass(host, INTERVAL);
            }
            host.memory_bytes()
        };
        let settled = minutes(&mut host, 6);
        let grown = minutes(&mut host, 9);
        assert_eq!(grown, settled, "{temporality} {does:?}");
        assert_eq!(counted(&host, "sightline_export_waiting", ""), 1, "{temporality} {does:?}");
        // Each reading is tried for five minutes.
        assert!((2..=3).contains(&dropped(&host, "expired")), "{}", host.stats());
        assert!(batches(&host, "failed") > 10, "{}", host.stats());
        backend.does(Does::Take);
        pass(&mut host, Duration::from_secs(90));
        let heard =
            if temporality == "delta" { backend.sum(DURATION) } else { backend.last(DURATION) };
        assert_eq!(heard, sent, "{temporality} {does:?}");
        assert_eq!(counted(&host, "sightline_export_waiting", ""), 0, "{temporality} {does:?}");
        let spans = "signal=.=traces;.;sightline_exported_total";
        assert_eq!(host.stats().counter(spans), Some(sent), "spans go their own way");
    }
}

#[test]
fn no_point_ends_before_it_begins_whoever_sets_the_clock() {
    const HOUR: u64 = 3_600_000_000_000;
    for temporality in ["cumulative", "delta"] {
        for (name, back) in
            [("an hour", HOUR), ("to where an export was", 11_000_000_000), ("forth", 0)]
        {
            let what = format!("{temporality}: {name}");
            let (mut host, backend) = shop("http", temporality);
            let mut sent = 0;
            for round in 0..6 {
                sent += serve(&mut host, 1);
                pass(&mut host, INTERVAL + Duration::from_secs(1));
                let wall = host.world().wall();
                let set = if back == 0 { wall + HOUR } else { wall - back };
                if round == 2 {
                    host.world_mut().set_wall(set);
                }
            }
            let times = times(&backend);
            assert_eq!(times.len(), 6, "{what}");
            assert!(times.iter().all(|(start, time)| start < time), "{what}: {times:?}");
            let heard =
                if temporality == "delta" { backend.sum(DURATION) } else { backend.last(DURATION) };
            assert_eq!(heard, sent, "{what}");
        }
    }
}

#[test]
fn exemplars_are_told_once_and_are_of_spans_that_were_exported() {
    for temporality in ["cumulative", "delta"] {
        let (mut host, backend) = shop("http", temporality);
        let mut traces = BTreeSet::new();
        for round in 0..3 {
            for status in [200, 503] {
                let request = Request::get("/users/7").answered(Response::new(status));
                let outcome = host.request(request.on_worker(round)).unwrap();
                let trace = line(&outcome)["trace_id"].as_str().unwrap().to_owned();
                traces.insert(u128::from_str_radix(&trace, 16).unwrap());
            }
            let unsampled = Request::get("/users/8")
                .header("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00");
            host.request(unsampled.on_worker(round)).unwrap();
            if round == 1 {
                backend.script([Does::Refuse]);
            }
            pass(&mut host, INTERVAL * 2 + Duration::from_secs(1));
        }
        pass(&mut host, INTERVAL * 2);
        let told: Vec<_> = backend
            .points(DURATION)
            .iter()
            .flat_map(|point| point.histogram().unwrap().exemplars.clone())
            .map(|exemplar| u128::from_be_bytes(exemplar.trace_id.try_into().unwrap()))
            .collect();
        assert_eq!(told.len(), traces.len(), "{temporality}: each once");
        assert_eq!(told.into_iter().collect::<BTreeSet<_>>(), traces, "{temporality}");
    }
}

#[test]
fn our_own_health_is_told_and_levels_go_up_and_down() {
    for (temporality, sums) in [
        ("cumulative", AggregationTemporality::Cumulative),
        ("delta", AggregationTemporality::Delta),
    ] {
        let (mut host, backend) = shop("http", temporality);
        serve(&mut host, 1);
        backend.script([Does::Refuse]);
        let waiting = Request::get("/wait").answered(Response::silence()).timeout(INTERVAL * 9);
        host.begin(waiting.on_worker(2)).unwrap();
        pass(&mut host, INTERVAL * 3);
        let find = |name: &str, attributes: &[(&str, &str)]| {
            let mut points = backend.points(name);
            points.retain(|point| point.has(attributes));
            points.pop().unwrap_or_else(|| panic!("{temporality}: {name} {attributes:?}"))
        };
        for (name, attributes) in [
            ("sightline.spans", &[("outcome", "sampled")][..]),
            ("sightline.export.batches", &[("signal", "traces"), ("outcome", "ok")]),
            ("sightline.export.batches", &[("signal", "metrics"), ("outcome", "rejected")]),
            ("sightline.dropped", &[("signal", "metrics"), ("reason", "rejected")]),
        ] {
            let point = find(name, attributes);
            assert!(point.is_monotonic && point.temporality == Some(sums), "{point:?}");
        }
        for (name, attributes, value) in [
            ("http.server.active_requests", &[("http.request.method", "GET")][..], 1),
            ("sightline.export.waiting", &[("signal", "metrics")], 0),
            ("sightline.routes", &[("route_source", "typed")], 1),
        ] {
            let point = find(name, attributes);
            assert!(!point.is_monotonic, "{point:?}");
            assert_eq!(point.temporality, Some(AggregationTemporality::Cumulative), "{point:?}");
            assert_eq!(point.value, PointValue::Int(value), "{point:?}");
        }
        assert_eq!(find("sightline.build_info", &[]).temporality, None, "it is a gauge");
    }
}

#[test]
fn the_request_that_tells_it_leaves_no_trace_and_is_not_counted() {
    let (mut host, backend) = shop("http", "cumulative");
    let sent = serve(&mut host, 1);
    pass(&mut host, INTERVAL * 2);
    let is_ours =
        |call: &&sightline_host::Callout| call.request.get(":path") == Some(b"/v1/metrics");
    let headers = host.callouts().iter().find(is_ours).unwrap().request.headers.clone();
    // It comes back to where it was sent from.
    let own = headers
        .iter()
        .filter(|(name, _)| !name.starts_with(b":"))
        .fold(Request::new("POST", "/v1/metrics"), |own, (name, value)| {
            own.header(String::from_utf8_lossy(name).as_ref(), value)
        });
    let outcome = host.request(own).unwrap();
    assert!(outcome.state.is_empty(), "no line");
    pass(&mut host, INTERVAL * 2);
    assert_eq!(backend.last(DURATION), sent);
    assert_eq!(host.stats().counter("signal=.=traces;.;sightline_exported_total"), Some(sent));
}

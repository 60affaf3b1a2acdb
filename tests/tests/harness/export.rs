//! What becomes of spans on their way to a collector, to the millisecond: when batches go, what each
//! answer does, and what is left when roots come and go.

use std::collections::BTreeSet;
use std::time::Duration;

use sightline_host::{Callout, Cluster, Fault, Host, Outcome, Request, Response, Stat, World};

use crate::{filter_in, line, plugin};

/// How often a root with an exporter looks what is due.
const TICK: Duration = Duration::from_millis(200);

const SAMPLED: &str = "outcome=.=sampled;.;sightline_spans_total";
const OK: &str = "signal=.=traces;.;outcome=.=ok;.;sightline_export_batches_total";
const REFUSED: &str = "signal=.=traces;.;outcome=.=rejected;.;sightline_export_batches_total";
const FAILED: &str = "signal=.=traces;.;outcome=.=failed;.;sightline_export_batches_total";
const EXPORTED: &str = "signal=.=traces;.;sightline_exported_total";
const QUEUE_FULL: &str = "signal=.=traces;.;reason=.=queue_full;.;sightline_dropped_total";
const REJECTED: &str = "signal=.=traces;.;reason=.=rejected;.;sightline_dropped_total";
const EXPIRED: &str = "signal=.=traces;.;reason=.=expired;.;sightline_dropped_total";
const WAITING: &str = "signal=.=traces;.;sightline_export_waiting";

/// A configuration under which every request has its span exported, with more said of the export.
fn exporting(more: &str) -> String {
    format!(
        r#"{{"sampling": {{"ratio": 1}}, "export": {{"cluster": "collector", "interval": "1s"{more}}}}}"#
    )
}

fn host(cluster: Cluster, more: &str) -> Host {
    filter_in(World::seeded(7).cluster("collector", cluster), &exporting(more))
}

fn accepting() -> Cluster {
    Cluster::answering(Response::new(200))
}

fn serve(host: &mut Host, requests: usize) -> Vec<Outcome> {
    (0..requests).map(|_| host.request(Request::get("/")).unwrap()).collect()
}

fn pass(host: &mut Host, time: Duration) {
    host.advance(time).unwrap();
}

/// Each span says its request's ID once.
fn spans(call: &Callout) -> usize {
    let name = b"sightline.request_id";
    call.request.body.windows(name.len()).filter(|window| window == name).count()
}

fn sizes(host: &Host) -> Vec<usize> {
    host.callouts().iter().map(spans).collect()
}

fn counted(host: &Host, name: &str) -> u64 {
    host.stats().counter(name).or_else(|| host.stats().gauge(name)).unwrap_or(0)
}

/// All that was to be exported is accounted for.
fn assert_balanced(host: &Host, what: &str) {
    let sum = |names: &[&str]| names.iter().map(|name| counted(host, name)).sum::<u64>();
    let ends = [EXPORTED, QUEUE_FULL, REJECTED, EXPIRED, WAITING];
    let kept = ["error", "slow"].map(|why| format!("outcome=.=kept_{why};.;sightline_spans_total"));
    let offered = sum(&[SAMPLED, &kept[0], &kept[1]]);
    assert_eq!(offered, sum(&ends), "{what}: {}", host.stats());
}

#[test]
fn a_partial_batch_waits_for_its_interval_and_a_full_one_for_the_next_tick() {
    let mut host = host(accepting(), r#", "batch": 3"#);
    serve(&mut host, 2);
    pass(&mut host, Duration::from_millis(900));
    assert_eq!(sizes(&host), [0; 0], "the interval is not over");
    pass(&mut host, Duration::from_millis(100) + TICK);
    assert_eq!(sizes(&host), [2]);
    serve(&mut host, 7);
    pass(&mut host, TICK);
    assert_eq!(sizes(&host), [2, 3, 3], "what is full goes, and the rest waits on");
    pass(&mut host, Duration::from_secs(2));
    assert_eq!(sizes(&host), [2, 3, 3, 1]);
    assert_eq!([counted(&host, EXPORTED), counted(&host, OK), counted(&host, WAITING)], [9, 4, 0]);
    assert_balanced(&host, "in the end");
}

/// What comes of a span in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Taken,
    /// The batch was taken, but not the span.
    LeftOut,
    Refused,
}

/// A name, what the collector does, whether the batch fails by it and is sent again, and what comes of its
/// one span when the collector is well again.
type Row = (&'static str, Cluster, bool, End);

fn rows(protocol: &str) -> Vec<Row> {
    let grpc = protocol == "grpc";
    let answer = |http: u16, grpc_status: u32| {
        Cluster::answering(if grpc { Response::grpc(grpc_status) } else { Response::new(http) })
    };
    let taken = |message: &[u8]| Cluster::answering(taking(protocol, message));
    let kind = if grpc { "application/grpc" } else { "application/x-protobuf" };
    let begun = Response::new(200).header("content-type", kind).chunk("\0");
    // Envoy calls it internal when a call breaks off that was being answered. So does a collector that has
    // a fault, and OTLP forbids to try that again.
    let broken = if grpc { (false, End::Refused) } else { (true, End::Taken) };
    vec![
        ("it takes all", taken(b""), false, End::Taken),
        ("it takes none, and says so", taken(b"\x0a\x02\x08\x01"), false, End::LeftOut),
        ("it rejects more than there were", taken(b"\x0a\x02\x08\x7f"), false, End::LeftOut),
        ("it talks nonsense", taken(b"<html>"), false, End::Taken),
        ("it is busy", answer(503, 14), true, End::Taken),
        ("it does not like us", answer(400, 3), false, End::Refused),
        ("it has a fault", answer(500, 13), false, End::Refused),
        ("a page", Cluster::answering(Response::new(502).body("<html>")), true, End::Taken),
        ("it resets", Cluster::answering(Response::reset()), true, End::Taken),
        (
            "it resets in the middle",
            Cluster::answering(begun.clone().then_reset()),
            broken.0,
            broken.1,
        ),
        ("it says nothing", Cluster::answering(Response::silence()), true, End::Taken),
        ("it stops in the middle", Cluster::answering(begun.then_silence()), broken.0, broken.1),
        (
            "it is slow",
            Cluster::answering(taking(protocol, b"").after(Duration::from_millis(900))),
            false,
            End::Taken,
        ),
        ("it refuses connections", Cluster::refusing(), true, End::Taken),
        ("it has no host, which the call itself says", Cluster::empty(), true, End::Taken),
    ]
}

/// The answer of a collector that takes a batch.
fn taking(protocol: &str, message: &[u8]) -> Response {
    match protocol {
        "grpc" => Response::grpc_message(0, message),
        _ => Response::new(200).body(message),
    }
}

/// From now on the collector is well.
fn mend(host: &mut Host, protocol: &str) {
    let well = Cluster::answering(taking(protocol, b""));
    let world = host.world_mut();
    *world = world.clone().cluster("collector", well);
}

#[test]
fn each_answer_has_its_consequence() {
    for protocol in ["http", "grpc"] {
        for (name, cluster, fails, end) in rows(protocol) {
            let more = format!(r#", "protocol": "{protocol}", "timeout": "1s""#);
            let mut host = host(cluster, &more);
            serve(&mut host, 1);
            // The interval, the timeout, and what the ticks add.
            pass(&mut host, Duration::from_millis(2_400));
            let what = format!("{protocol}: {name}: {}", host.stats());
            assert_balanced(&host, &what);
            assert_eq!(counted(&host, FAILED) > 0, fails, "{what}");
            assert_eq!(counted(&host, WAITING), u64::from(fails), "{what}");
            mend(&mut host, protocol);
            pass(&mut host, Duration::from_secs(10));
            let what = format!("{protocol}: {name}: {}", host.stats());
            assert_eq!(counted(&host, EXPORTED), u64::from(end == End::Taken), "{what}");
            assert_eq!(counted(&host, REJECTED), u64::from(end != End::Taken), "{what}");
            assert_eq!(counted(&host, REFUSED), u64::from(end == End::Refused), "{what}");
            assert_eq!(counted(&host, OK), u64::from(end != End::Refused), "{what}");
            assert_eq!(counted(&host, WAITING), 0, "{what}");
            assert_balanced(&host, &what);
        }
    }
}

#[test]
fn a_cluster_that_is_not_there_costs_one_warning_a_minute_and_may_come_later() {
    for protocol in ["http", "grpc"] {
        let more = format!(r#", "protocol": "{protocol}""#);
        let mut host = filter_in(World::seeded(7).workers(2), &exporting(&more));
        for worker in [0, 1].into_iter().cycle().take(60) {
            host.request(Request::get("/").on_worker(worker)).unwrap();
            pass(&mut host, Duration::from_secs(1));
        }
        let warnings =
            host.log().iter().filter(|line| line.text.contains("export of traces to collector"));
        assert_eq!(warnings.count(), 1, "{protocol}: {:#?}", host.log());
        assert_balanced(&host, protocol);
        mend(&mut host, protocol);
        pass(&mut host, Duration::from_mins(1));
        assert_eq!(counted(&host, EXPORTED), 60, "{protocol}: {}", host.stats());
    }
}

#[test]
fn whatever_the_call_itself_says_nothing_is_lost() {
    for protocol in ["http", "grpc"] {
        for status in [1, 2, 3, 4, 7, 8, 10, 12, u32::MAX] {
            let mut host = host(accepting(), &format!(r#", "protocol": "{protocol}""#));
            let call = format!("proxy_{protocol}_call");
            host.fault(Fault::answer(&call, status).times(2));
            serve(&mut host, 1);
            pass(&mut host, Duration::from_millis(1_400));
            let what = format!("{protocol} {status}: {}", host.stats());
            assert_eq!([counted(&host, FAILED), counted(&host, WAITING)], [1, 1], "{what}");
            assert_balanced(&host, &what);
        }
    }
}

#[test]
fn where_nothing_can_be_compressed_it_goes_as_it_is() {
    for (name, can, encoding) in [("it can", true, Some("gzip")), ("it cannot", false, None)] {
        let mut host = host(accepting(), r#", "compression": "gzip""#);
        if !can {
            host.fault(Fault::answer("proxy_call_foreign_function", 1).for_ever());
        }
        serve(&mut host, 1);
        pass(&mut host, Duration::from_secs(2));
        let call = host.callouts().last().unwrap();
        assert_eq!(call.request.get("content-encoding"), encoding.map(str::as_bytes), "{name}");
        assert_eq!(call.request.body.starts_with(b"\x1f\x8b"), can, "{name}");
        assert_eq!(counted(&host, EXPORTED), 1, "{name}");
    }
}

#[test]
fn what_a_root_had_under_way_when_it_ended_another_sends_again() {
    let world = World::seeded(7).cluster("collector", Cluster::answering(Response::silence()));
    let mut host = filter_in(world.drain(Duration::ZERO), &exporting(r#", "timeout": "1h""#));
    serve(&mut host, 3);
    pass(&mut host, Duration::from_secs(2));
    assert_eq!(sizes(&host), [3], "under way");
    let first = host.plugin();
    host.load(plugin(&exporting(r#", "timeout": "1h""#)).name("another")).unwrap();
    pass(&mut host, Duration::from_secs(2));
    assert_eq!(sizes(&host), [3], "still");
    host.remove(first).unwrap();
    pass(&mut host, TICK * 2);
    assert_eq!(sizes(&host), [3, 3], "it was the same exporter");
    assert_eq!(host.callouts()[0].request.body, host.callouts()[1].request.body);
    assert_eq!(counted(&host, FAILED), 0, "that tells nothing about the collector");
    assert_balanced(&host, "in the end");
}

#[test]
fn a_configuration_with_another_collector_leaves_the_old_one_what_it_is_due() {
    for drain in [Duration::ZERO, Duration::from_mins(10)] {
        let world = World::seeded(7).cluster("collector", accepting());
        let world = world.cluster("other", accepting()).drain(drain);
        let mut host = filter_in(world, &exporting(""));
        serve(&mut host, 3);
        let other = exporting("").replace(r#""collector""#, r#""other""#);
        host.replace(host.plugin(), plugin(&other)).unwrap();
        serve(&mut host, 2);
        pass(&mut host, Duration::from_secs(2));
        let mut calls: Vec<_> =
            host.callouts().iter().map(|call| (call.cluster.as_str(), spans(call))).collect();
        calls.sort_unstable();
        assert_eq!(calls, [("collector", 3), ("other", 2)], "{drain:?}");
        assert_eq!(counted(&host, WAITING), 0, "{drain:?}");
        assert_balanced(&host, "in the end");
    }
}

#[test]
fn a_configuration_without_an_export_sends_what_the_one_before_it_left() {
    let world = World::seeded(7).cluster("collector", accepting()).drain(Duration::ZERO);
    let mut host = filter_in(world, &exporting(""));
    serve(&mut host, 3);
    host.replace(host.plugin(), plugin("")).unwrap();
    pass(&mut host, Duration::from_secs(4));
    assert_eq!((sizes(&host), counted(&host, EXPORTED)), (vec![3], 3));
    assert_balanced(&host, "in the end");
}

#[test]
fn what_nobody_is_left_to_send_is_counted() {
    let world = World::seeded(7).cluster("collector", accepting()).drain(Duration::ZERO);
    let mut host = filter_in(world, &exporting(""));
    serve(&mut host, 3);
    pass(&mut host, Duration::from_secs(1));
    assert_eq!(counted(&host, WAITING), 3);
    host.remove(host.plugin()).unwrap();
    pass(&mut host, Duration::from_secs(2));
    assert_eq!(counted(&host, WAITING), 0, "{}", host.stats());
    assert_balanced(&host, "in the end");
}

#[test]
fn an_exporters_own_request_leaves_no_trace_whatever_is_configured() {
    for (name, more, answer) in [
        ("as usual", "", Response::new(200)),
        ("parents do not count", r#", "parent": "ignore""#, Response::new(200)),
        ("it failed", "", Response::new(503)),
    ] {
        for inbound in ["trust", "restart"] {
            let configuration = format!(
                r#"{{"sampling": {{"ratio": 1{more}}}, "trace": {{"inbound": "{inbound}"}},
                     "export": {{"cluster": "collector", "interval": "1s"}}}}"#
            );
            let world = World::seeded(7).cluster("collector", accepting());
            let mut host = filter_in(world, &configuration);
            serve(&mut host, 1);
            pass(&mut host, Duration::from_secs(2));
            let headers = host.callouts()[0].request.headers.clone();
            // It comes back to where it was sent from.
            let own =
                headers.iter().fold(Request::new("POST", "/v1/traces"), |own, (name, value)| {
                    if name.starts_with(b":") {
                        own
                    } else {
                        own.header(String::from_utf8_lossy(name).as_ref(), value)
                    }
                });
            let outcome = host.request(own.answered(answer.clone())).unwrap();
            assert!(outcome.state.is_empty(), "{name}, {inbound}: no line");
            assert_eq!(outcome.budget.hostcalls("proxy_increment_metric"), 0, "{name}, {inbound}");
            pass(&mut host, Duration::from_secs(5));
            assert_eq!(sizes(&host), [1], "{name}, {inbound}");
        }
    }
}

#[test]
fn a_process_has_one_instance_whatever_worker_and_configuration() {
    let world = World::seeded(7).cluster("collector", accepting()).workers(3);
    let mut host = filter_in(world, &exporting(""));
    let round = |host: &mut Host| {
        for worker in 0..3 {
            host.request(Request::get("/").on_worker(worker)).unwrap();
        }
        pass(host, Duration::from_secs(2));
    };
    round(&mut host);
    host.replace(host.plugin(), plugin(&exporting(r#", "queue": 7"#))).unwrap();
    round(&mut host);
    let instances: BTreeSet<_> = host.callouts().iter().map(instance).collect();
    assert_eq!((host.callouts().len(), instances.len()), (6, 1), "{instances:?}");
    let world = World::seeded(8).cluster("collector", accepting());
    let mut another = filter_in(world, &exporting(""));
    serve(&mut another, 1);
    pass(&mut another, Duration::from_secs(2));
    assert!(!instances.contains(&instance(&another.callouts()[0])), "another process");
}

/// The UUID behind the attribute's name and the four bytes of its value's tags and lengths.
fn instance(call: &Callout) -> String {
    let name = b"service.instance.id";
    let body = &call.request.body;
    let at = body.windows(name.len()).position(|window| window == name).unwrap() + name.len() + 4;
    String::from_utf8(body[at..at + 36].to_vec()).unwrap()
}

#[test]
fn lines_follow_a_wall_clock_that_is_set() {
    const HOUR: u64 = 3_600_000_000_000;
    for export in [exporting(""), "{}".to_owned()] {
        let mut host = filter_in(World::seeded(7).cluster("collector", accepting()), &export);
        let hour = |host: &mut Host| {
            let line = line(&host.request(Request::get("/")).unwrap());
            line["timestamp"].as_str().unwrap()[..14].to_owned()
        };
        assert_eq!(hour(&mut host), "2026-01-01T00:");
        let ahead = host.world().wall() + 5 * HOUR;
        host.world_mut().set_wall(ahead);
        pass(&mut host, Duration::from_millis(1_300));
        assert_eq!(hour(&mut host), "2026-01-01T05:");
        let back = host.world().wall() - 3 * HOUR;
        host.world_mut().set_wall(back);
        pass(&mut host, Duration::from_millis(1_300));
        assert_eq!(hour(&mut host), "2026-01-01T02:");
    }
}

#[test]
fn without_an_export_ticks_are_rare_and_nothing_is_counted_of_one() {
    let mut host = filter_in(World::seeded(7), r#"{"sampling": {"ratio": 1}}"#);
    let failing = Request::get("/").answered(Response::new(500));
    host.request(failing).unwrap();
    let before = host.budget().entries("proxy_on_tick");
    pass(&mut host, Duration::from_secs(10));
    // The main thread and one worker.
    assert_eq!(host.budget().entries("proxy_on_tick") - before, 20);
    let ours = ["sightline_export", "sightline_spans", "sightline_dropped"];
    let named = |(name, _): &(String, Stat)| ours.iter().any(|ours| name.contains(ours));
    assert!(!host.stats().all().iter().any(named), "{}", host.stats());
}

#[test]
fn a_dead_collector_costs_no_memory_beyond_the_queue() {
    for cluster in [Cluster::refusing(), Cluster::answering(Response::silence())] {
        let mut host = host(cluster, "");
        let mut flood = |rounds: u32| {
            for _ in 0..rounds {
                for _ in 0..1_000 {
                    let request = Request::get("/users/7").header("user-agent", "x".repeat(500));
                    host.request(request).unwrap();
                }
                pass(&mut host, Duration::from_secs(1));
            }
            assert_balanced(&host, "all the time");
            assert!(counted(&host, WAITING) <= 2_048);
            host.memory_bytes()
        };
        let settled = flood(10);
        assert_eq!(flood(20), settled, "memory grows with what is dropped");
    }
}

#[test]
fn a_flood_of_what_cannot_be_sent_is_told_by_the_lines() {
    let mut host = host(Cluster::refusing(), r#", "queue": 50, "batch": 20"#);
    let outcomes = serve(&mut host, 80);
    let sampled: Vec<_> = outcomes.iter().map(|it| line(it)["sampled"] == true).collect();
    assert_eq!(sampled.iter().filter(|sampled| **sampled).count(), 50);
    assert!(sampled.iter().take(50).all(|sampled| *sampled), "the newest are dropped");
    pass(&mut host, Duration::from_secs(3));
    assert_eq!([counted(&host, WAITING), counted(&host, QUEUE_FULL)], [50, 30]);
    assert_balanced(&host, "in the end");
}

#[test]
fn a_batch_that_was_tried_for_too_long_is_counted_as_such() {
    let mut host = host(Cluster::refusing(), "");
    serve(&mut host, 3);
    pass(&mut host, Duration::from_mins(5));
    assert_eq!([counted(&host, WAITING), counted(&host, EXPIRED)], [3, 0]);
    pass(&mut host, Duration::from_secs(40));
    assert_eq!([counted(&host, WAITING), counted(&host, EXPIRED)], [0, 3]);
    assert_balanced(&host, "in the end");
}

#[test]
fn two_roots_of_a_vm_hear_each_of_its_own_collector() {
    let world = World::seeded(7).cluster("collector", accepting());
    let world = world.cluster("other", Cluster::answering(Response::new(400)));
    let mut host = filter_in(world, &exporting(""));
    let other = exporting("").replace(r#""collector""#, r#""other""#);
    let second = host.load(plugin(&other)).unwrap();
    serve(&mut host, 2);
    host.request(Request::get("/").through(second)).unwrap();
    pass(&mut host, Duration::from_secs(3));
    assert_eq!([counted(&host, EXPORTED), counted(&host, REJECTED)], [2, 1]);
    assert_balanced(&host, "in the end");
}

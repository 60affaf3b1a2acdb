//! Which worker tells, when workers and configurations come and go.

use std::collections::BTreeSet;
use std::time::Duration;

use sightline_host::{Callout, Direction, Fault, Host, Policy, World};

use super::backend::{Backend, Does};
use super::*;
use crate::{as_deployed, plugin};

fn heard(backend: &Backend, temporality: &str) -> u64 {
    if temporality == "delta" { backend.sum(DURATION) } else { backend.last(DURATION) }
}

/// The threads that told, in their order.
fn threads(host: &Host) -> Vec<usize> {
    let is_ours = |call: &&Callout| call.request.get(":path") == Some(b"/v1/metrics");
    let mut threads: Vec<_> = host.callouts().iter().filter(is_ours).map(|it| it.thread).collect();
    threads.dedup();
    threads
}

fn assert_in_order(backend: &Backend, temporality: &str, what: &str) {
    if temporality == "delta" {
        assert_without_gap(backend, what);
    } else {
        assert_of_all_time(backend, what);
    }
}

#[test]
fn when_the_one_that_tells_is_lost_another_goes_on() {
    for temporality in ["cumulative", "delta"] {
        let backend = Backend::new("http");
        let world = world(&backend).manager(as_deployed());
        let plugin = plugin(&telling("http", temporality)).policy(Policy::FailReload);
        let mut host = Host::new(world, plugin).unwrap();
        let mut sent = serve(&mut host, 3);
        // It is lost as soon as it has an answer.
        pass(&mut host, INTERVAL * 2 + Duration::from_millis(300));
        // The main thread's is the first, and has no requests.
        assert_eq!(threads(&host), [0], "{temporality}");
        host.fault(Fault::trap("proxy_on_tick"));
        for lost in [None, Some(0), Some(1)] {
            if let Some(worker) = lost {
                pass(&mut host, Duration::from_secs(1));
                host.lose_worker(worker).unwrap();
            }
            sent += serve(&mut host, 2);
            let before = backend.taken().len();
            pass(&mut host, INTERVAL + Duration::from_secs(8));
            assert!(backend.taken().len() > before, "{temporality}: {lost:?}");
            assert_eq!(heard(&backend, temporality), sent, "{temporality}: {lost:?}");
        }
        assert_in_order(&backend, temporality, temporality);
        assert!(threads(&host).len() >= 3, "{temporality}: {:?}", threads(&host));
    }
}

#[test]
fn a_new_configuration_goes_on_where_the_old_one_was() {
    for (drain, new_vm) in [(0, false), (600, false), (0, true), (600, true)] {
        for temporality in ["cumulative", "delta"] {
            let what = format!("{temporality}, drained for {drain} s, another VM: {new_vm}");
            let backend = Backend::new("http");
            let world = world(&backend).drain(Duration::from_secs(drain));
            let mut host = filter_in(world, &telling("http", temporality));
            let mut sent = 0;
            for round in 0..5 {
                sent += serve(&mut host, 2);
                pass(&mut host, Duration::from_secs(23));
                let changed =
                    telling("http", temporality).replace("10s", ["10s", "11s"][round % 2]);
                let next = if new_vm {
                    plugin(&changed).vm_configuration(round.to_string())
                } else {
                    plugin(&changed)
                };
                sent += serve(&mut host, 1);
                host.replace(host.plugin(), next).unwrap();
            }
            pass(&mut host, INTERVAL * 4);
            assert_eq!(heard(&backend, temporality), sent, "{what}");
            assert_in_order(&backend, temporality, &what);
        }
    }
}

#[test]
fn two_listeners_of_a_service_are_told_of_once() {
    for temporality in ["cumulative", "delta"] {
        for protocol in PROTOCOLS {
            let backend = Backend::new(protocol);
            let inbound = plugin(&telling(protocol, temporality)).direction(Direction::Inbound);
            let world = world(&backend).manager(as_deployed());
            let mut host = Host::new(world, inbound).unwrap();
            let outbound = plugin(&telling(protocol, temporality)).direction(Direction::Outbound);
            let outbound = host.load(outbound).unwrap();
            let what = format!("{protocol} {temporality}");
            let mut sent = 0;
            for _ in 0..4 {
                sent += serve(&mut host, 2);
                host.request(Request::get("/orders").through(outbound)).unwrap();
                pass(&mut host, INTERVAL + Duration::from_secs(1));
            }
            pass(&mut host, INTERVAL);
            assert_eq!(heard(&backend, temporality), sent, "{what}");
            let calls = backend.points("http.client.request.duration");
            let calls: Vec<_> = calls.iter().map(|it| it.count().unwrap()).collect();
            let expected =
                if temporality == "delta" { &[1, 1, 1, 1][..] } else { &[1, 2, 3, 4, 4] };
            assert_eq!(calls, expected, "{what}");
            assert_eq!(backend.taken().len(), 5, "{what}");
            assert_in_order(&backend, temporality, &what);
            // The one that told is gone, and the other goes on.
            host.remove(outbound).unwrap();
            sent += serve(&mut host, 2);
            pass(&mut host, INTERVAL * 2);
            assert_eq!(heard(&backend, temporality), sent, "{what}");
            assert_in_order(&backend, temporality, &what);
        }
    }
}

#[test]
fn a_collector_that_is_replaced_is_not_waited_for() {
    for temporality in ["cumulative", "delta"] {
        let (dead, alive) = (Backend::new("http"), Backend::new("http"));
        dead.does(Does::Fail);
        let world = world(&dead).cluster("other", alive.cluster()).drain(Duration::ZERO);
        let mut host = filter_in(world, &telling("http", temporality));
        let sent = serve(&mut host, 2);
        pass(&mut host, INTERVAL * 3);
        let other = telling("http", temporality).replace(r#""collector""#, r#""other""#);
        host.replace(host.plugin(), plugin(&other)).unwrap();
        pass(&mut host, INTERVAL + Duration::from_secs(5));
        assert_eq!(heard(&alive, temporality), sent, "{temporality}");
        dead.does(Does::Take);
        pass(&mut host, INTERVAL * 6);
        assert_eq!(heard(&dead, temporality), 0, "{temporality}: what was given up is not told");
    }
}

#[test]
fn one_that_is_stuck_and_comes_back_does_not_tell_what_another_has_told() {
    let (mut host, backend) = shop("http", "delta");
    let mut sent = serve(&mut host, 2);
    pass(&mut host, INTERVAL * 2 + Duration::from_secs(3));
    backend.does(Does::Fail);
    sent += serve(&mut host, 2);
    pass(&mut host, INTERVAL);
    assert_eq!(counted(&host, "sightline_export_waiting", ""), 1);
    // Five ticks a second, of five threads: only the main thread's are missed.
    for _ in 0..40 {
        host.fault(Fault::miss_tick());
        pass(&mut host, Duration::from_millis(200));
    }
    backend.does(Does::Take);
    sent += serve(&mut host, 2);
    pass(&mut host, INTERVAL * 6);
    assert_eq!(threads(&host), [0, 1], "another took over");
    assert_eq!(backend.sum(DURATION), sent);
    assert_without_gap(&backend, "a stuck leader");
}

#[test]
fn without_the_key_it_ends() {
    for drain in [Duration::ZERO, Duration::from_secs(30)] {
        let backend = Backend::new("http");
        let mut host = filter_in(world(&backend).drain(drain), &telling("http", "cumulative"));
        serve(&mut host, 2);
        pass(&mut host, INTERVAL * 2);
        let without = r#"{"service": {"name": "shop"}, "export": {"cluster": "collector"}}"#;
        host.replace(host.plugin(), plugin(without)).unwrap();
        pass(&mut host, drain + Duration::from_secs(2));
        let told = backend.taken().len();
        assert!(told > 0, "{drain:?}");
        serve(&mut host, 2);
        pass(&mut host, INTERVAL * 5);
        assert_eq!(backend.taken().len(), told, "{drain:?}");
    }
}

#[test]
fn another_process_begins_anew() {
    let mut seen = BTreeSet::new();
    for seed in [7, 8] {
        let backend = Backend::new("http");
        let mut world = World::seeded(seed).cluster("collector", backend.cluster());
        world.set_wall(world.wall() + seed);
        let mut host = filter_in(world, &telling("http", "cumulative"));
        host.request(Request::get("/")).unwrap();
        pass(&mut host, INTERVAL * 3);
        assert_of_all_time(&backend, "of one process");
        for point in backend.points(DURATION) {
            assert_eq!(point.count(), Some(1));
            seen.insert((point.resource["service.instance.id"].clone(), point.start));
        }
    }
    assert_eq!(seen.len(), 2, "{seen:?}");
}

//! One page for all workers: what one has counted the others show, and nobody takes it with them.

use std::collections::BTreeMap;
use std::time::Duration;

use sightline_core::Rng;
use sightline_host::{Host, Module, Plugin, Request, Response, World};
use sightline_tests::Samples;

use super::{ACTIVE, COUNT, LOST, TICK, configuration, scrape, serve, shop, whole};
use crate::{filter_in, plugin};

const WORKERS: usize = 4;
const STEP: Duration = Duration::from_millis(100);
const GAUGE: &str = "sightline_http_requests_active";

#[test]
fn what_a_worker_counts_it_shows_at_once_and_the_others_within_a_tick() {
    let mut host = shop("", "");
    for worker in 0..WORKERS {
        serve(&mut host, worker, 4);
    }
    for worker in 0..WORKERS {
        let own = whole(&scrape(&mut host, worker), COUNT, &[]);
        assert_eq!(own, 4 * (worker as u64 + 1), "what a page shows is shared by then");
    }
    serve(&mut host, 2, 8);
    host.advance(TICK).unwrap();
    for worker in 0..WORKERS {
        let page = scrape(&mut host, worker);
        assert_eq!(whole(&page, COUNT, &[]), 24, "worker {worker}");
        let failed = [("http_response_status_code", "503"), ("error_type", "503")];
        assert_eq!(whole(&page, COUNT, &failed), 6, "worker {worker}");
    }
}

#[test]
fn whatever_replaces_a_configuration_counts_on() {
    let other_vm = |said: &str| {
        let module = Module::new(sightline_cli::FILTER).unwrap();
        Plugin::new(&module).configuration(said).vm_configuration("new")
    };
    let ids = configuration("", r#", "request_id": {"format": "uuid7"}"#);
    let buckets = configuration(r#", "buckets": [0.5, 1]"#, "");
    let none = configuration(r#", "buckets": []"#, "");
    for drain in [Duration::ZERO, Duration::from_secs(3)] {
        let world = World::seeded(7).workers(WORKERS).drain(drain);
        let mut host = filter_in(world, &configuration("", ""));
        let mut expected = 0;
        for (name, next, buckets) in [
            ("another format of IDs", plugin(&ids), 15),
            ("other buckets", plugin(&buckets), 3),
            ("no boundaries", plugin(&none), 1),
            ("another VM", other_vm(&configuration("", "")), 15),
            ("back again", plugin(&configuration("", "")), 15),
        ] {
            for worker in 0..WORKERS {
                serve(&mut host, worker, 5);
                expected += 5;
            }
            // Some of these end only under what comes next.
            let slow = Response::new(200).after(TICK);
            let begun = host.begin(Request::get("/slow").answered(slow)).unwrap();
            host.replace(host.plugin(), next).unwrap();
            let ended = host.finish(begun).unwrap();
            assert!(ended.client.is_some(), "{name}");
            expected += 1;
            host.advance(TICK * 2).unwrap();
            for worker in 0..WORKERS {
                let page = scrape(&mut host, worker);
                assert_eq!(whole(&page, COUNT, &[]), expected, "{name} on {worker}, {drain:?}");
                assert_eq!(whole(&page, ACTIVE, &[]), 0, "{name}");
                let users = page.series("http_server_request_duration_seconds_bucket");
                let lines: BTreeMap<_, usize> =
                    users.into_iter().fold(BTreeMap::new(), |mut lines, (mut labels, _)| {
                        labels.remove("le");
                        *lines.entry(labels).or_default() += 1;
                        lines
                    });
                assert!(lines.values().all(|it| *it == buckets), "{name}: {lines:?}");
                let all =
                    whole(&page, "http_server_request_duration_seconds_bucket", &[("le", "+Inf")]);
                assert_eq!(all, expected, "{name}");
            }
        }
        assert_eq!(whole(&scrape(&mut host, 0), LOST, &[]), 0);
    }
}

#[test]
fn a_lost_worker_takes_with_it_what_it_counted_since_its_last_tick_and_no_more() {
    let mut host = shop("", "");
    for worker in 0..WORKERS {
        serve(&mut host, worker, 10);
    }
    host.advance(TICK).unwrap();
    host.lose_worker(1).unwrap();
    assert_eq!(whole(&scrape(&mut host, 0), COUNT, &[]), 40, "right after its tick");
    serve(&mut host, 1, 3);
    serve(&mut host, 2, 3);
    host.lose_worker(1).unwrap();
    host.advance(TICK * 8).unwrap();
    for worker in 0..WORKERS {
        let page = scrape(&mut host, worker);
        assert_eq!(whole(&page, COUNT, &[]), 43);
        assert!((1..=2).contains(&whole(&page, LOST, &[])), "{}", whole(&page, LOST, &[]));
    }
    host.advance(TICK * 20).unwrap();
    let once = whole(&scrape(&mut host, 3), LOST, &[]);
    host.advance(TICK * 20).unwrap();
    assert_eq!(whole(&scrape(&mut host, 2), LOST, &[]), once, "nobody is lost twice");
    assert_eq!(host.stats().counter(LOST), Some(once));
}

#[test]
fn active_requests_are_those_under_way_and_none_in_the_end() {
    let mut host = shop("", "");
    let hang = |worker| Request::new("PUT", "/a").answered(Response::silence()).on_worker(worker);
    let waits = |host: &mut Host, worker| {
        let request = hang(worker).timeout(TICK * 60).abandoned_after(TICK * 50);
        host.begin(request).unwrap()
    };
    let mut under_way: Vec<_> = [0, 1, 1, 1, 3].map(|it| waits(&mut host, it)).into();
    host.advance(TICK).unwrap();
    let labels = [("http_request_method", "PUT"), ("url_scheme", "http")];
    for worker in 0..WORKERS {
        let page = scrape(&mut host, worker);
        assert_eq!((whole(&page, ACTIVE, &labels), whole(&page, ACTIVE, &[])), (5, 5));
    }
    assert_eq!(host.stats().gauge(GAUGE), Some(5));
    host.lose_worker(1).unwrap();
    host.advance(TICK * 8).unwrap();
    let page = scrape(&mut host, 0);
    assert_eq!((whole(&page, ACTIVE, &labels), whole(&page, LOST, &[])), (2, 1));
    assert_eq!(host.stats().gauge(GAUGE), Some(2));
    // The one is left by its client, the other ends with its configuration.
    under_way.push(waits(&mut host, 2));
    host.replace(host.plugin(), plugin(&configuration(r#", "exemplars": false"#, ""))).unwrap();
    host.advance(TICK * 70).unwrap();
    for worker in 0..WORKERS {
        let page = scrape(&mut host, worker);
        assert_eq!(page.sum(ACTIVE, &labels), Some(0.0), "it is shown, and 0");
    }
    assert_eq!(host.stats().gauge(GAUGE), Some(0));
    assert_eq!(under_way.into_iter().filter_map(|it| host.outcome(it)).count(), 6);
}

/// All samples that never go down, by name and labels.
fn counters(page: &Samples) -> BTreeMap<String, f64> {
    let mut counters = BTreeMap::new();
    for name in page.names_with("") {
        let grows = ["_total", "_count", "_sum"].iter().any(|ending| name.ends_with(ending));
        for (labels, value) in page.series(name).into_iter().filter(|_| grows) {
            let twice = counters.insert(format!("{name} {labels:?}"), value);
            assert!(twice.is_none(), "{name} {labels:?} is there twice");
        }
    }
    counters
}

/// A run of random steps, and what it should have come to.
struct Run {
    host: Host,
    rng: Rng,
    /// When each request was answered, by worker.
    served: [Vec<u64>; WORKERS],
    requests: u64,
    /// How many may have been lost at most.
    lost: u64,
    shown: BTreeMap<String, f64>,
    configurations: Vec<String>,
}

impl Run {
    fn new(seed: u8) -> Self {
        let configurations = [
            configuration("", ""),
            configuration(r#", "buckets": [0.001, 1, 2]"#, ""),
            configuration(r#", "buckets": [], "exemplars": false"#, ""),
            configuration("", r#", "routes": {"templates": ["/users/{id}"]}"#),
        ];
        let drain = if seed.is_multiple_of(2) { Duration::ZERO } else { TICK * 2 };
        let world = World::seeded(seed.into()).workers(WORKERS).drain(drain);
        let host = filter_in(world, &configurations[0]);
        let served = [const { Vec::new() }; WORKERS];
        let rng = Rng::from_seed([seed; 32]);
        Self {
            host,
            rng,
            served,
            requests: 0,
            lost: 0,
            shown: BTreeMap::new(),
            configurations: configurations.into(),
        }
    }

    fn below(&mut self, bound: usize) -> usize {
        let number = u64::from_le_bytes(self.rng.next_8());
        usize::try_from(number % bound as u64).unwrap()
    }

    fn step(&mut self) {
        let worker = self.below(WORKERS);
        match self.below(20) {
            0 => self.lose(worker),
            1 => {
                let next = self.below(self.configurations.len());
                let next = plugin(&self.configurations[next]);
                self.host.replace(self.host.plugin(), next).unwrap();
            }
            2..5 => self.host.advance(STEP * 7).unwrap(),
            _ => (0..self.below(6)).for_each(|_| self.serve(worker)),
        }
        self.host.advance(STEP).unwrap();
        self.look(worker);
    }

    fn serve(&mut self, worker: usize) {
        let path = format!("/users/{}", self.below(9));
        let request = Request::get(path).on_worker(worker);
        let request = match self.below(5) {
            0 => request.answered(Response::new(503)),
            1 => request.answered(Response::reset()),
            2 => request.answered(Response::silence()).abandoned_after(STEP / 10),
            _ => request,
        };
        self.host.request(request).unwrap();
        self.served[worker].push(self.host.world().monotonic());
        self.requests += 1;
    }

    fn lose(&mut self, worker: usize) {
        self.host.lose_worker(worker).unwrap();
        // A root that was replaced without a pause shares at the next tick of the one that came after it.
        let last = u64::try_from((TICK * 2).as_nanos()).unwrap();
        let recent = self.host.world().monotonic() - last;
        let served = std::mem::take(&mut self.served[worker]);
        self.lost += served.iter().filter(|at| **at > recent).count() as u64;
    }

    /// A page of this worker, on which nothing is less than it was on the last one.
    fn look(&mut self, worker: usize) -> u64 {
        let page = scrape(&mut self.host, worker);
        let shown = counters(&page);
        for (series, before) in &self.shown {
            let now = shown.get(series).copied();
            assert!(now.is_some_and(|now| now >= *before), "{series}: {before}, then {now:?}");
        }
        self.shown = shown;
        let counted = whole(&page, COUNT, &[]);
        assert!(counted <= self.requests, "{counted} of {}", self.requests);
        counted
    }
}

#[test]
fn no_count_ever_goes_down_and_only_lost_workers_lose_any() {
    for seed in 0..8 {
        let mut run = Run::new(seed);
        for _ in 0..120 {
            run.step();
        }
        run.host.advance(TICK * 8).unwrap();
        for worker in 0..WORKERS {
            let counted = run.look(worker);
            let (requests, lost) = (run.requests, run.lost);
            assert!(counted + lost >= requests, "{seed}: {counted} of {requests}, {lost} lost");
            let page = scrape(&mut run.host, worker);
            assert_eq!(whole(&page, ACTIVE, &[]), 0, "{seed}");
        }
    }
}

#[test]
fn without_a_loss_every_request_is_counted_once() {
    let mut run = Run::new(3);
    for number in 0..400 {
        let worker = run.below(WORKERS);
        run.serve(worker);
        if number % 50 == 49 {
            let next = plugin(&run.configurations[number / 50 % 4]);
            run.host.replace(run.host.plugin(), next).unwrap();
        }
    }
    run.host.advance(TICK * 2).unwrap();
    assert_eq!(run.look(0), 400);
}

//! Metrics: what it takes to count a request, to share what was counted, and to show all of it.
//!
//! *2,000 series* are 200 routes with five methods and two statuses each. Beside their durations there are then 1,000
//! times to the first byte: 3,000 histograms in all.

use std::alloc::System;
use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Bencher, Criterion, criterion_group, criterion_main};
use sightline_benches::allocations::{self, COUNTED};
use sightline_benches::{REQUEST, RESPONSE, Silent};
use sightline_cli::FILTER;
use sightline_core::config::Temporality;
use sightline_core::red::{Counting, Exemplars, Format, Recorder, Sheet, Snapshot, openmetrics};
use sightline_core::route::{Ledger, Route, Scratch, Source};
use sightline_core::sampling::Budget;
use sightline_core::{
    Direction, Exchange, Moment, Monotonic, Observation, Pair, Place, Plan, Rng, Tracing, Wall,
    config, otlp,
};
use sightline_host::{Host, Module, Plugin, Request, Response, World};
use stats_alloc::StatsAlloc;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = COUNTED;

const ROUTES: usize = 200;
const METHODS: [&str; 5] = ["DELETE", "GET", "PATCH", "POST", "PUT"];
const STATUSES: [&str; 2] = ["200", "404"];
const WORKERS: usize = 4;
const NOW: Wall = Wall(1_790_000_000_000_000_000);
/// As the filter sends it.
const LONGEST: usize = 128 * 1024;
const HOST: Silent = Silent { protocol: Some(b"HTTP/1.1") };

/// With room for all series.
const CONFIGURATION: &str = r#"{
    "service": {"name": "shop"},
    "direction": "inbound",
    "routes": {"limit": 1000},
    "metrics": {"endpoint": {"port": 10000}},
    "export": {"cluster": "collector"}
}"#;

/// A host's shared value, which hands out copies.
#[derive(Default)]
struct Shared(Vec<u8>);

impl Ledger for Shared {
    fn agree(&mut self, change: &mut dyn FnMut(&[u8]) -> Option<Vec<u8>>) -> bool {
        let copy = self.0.clone();
        if let Some(next) = change(&copy) {
            self.0.clone_from(&next);
        }
        true
    }

    fn hour(&self) -> u32 {
        0
    }
}

/// What one worker counts with.
struct Worker {
    plan: Plan,
    recorder: Recorder,
    sheet: Sheet,
    exemplars: Exemplars,
}

impl Worker {
    fn new() -> Self {
        let settings = config::read(CONFIGURATION.as_bytes()).expect("the configuration works");
        let plan = Plan::new(&settings, &Place::default());
        let recorder = Recorder::new(&plan.metrics);
        Self { plan, recorder, sheet: Sheet::default(), exemplars: Exemplars::default() }
    }

    fn record(&mut self, observation: &Observation<'_>, shared: &mut Shared) {
        let exemplars = Some(&mut self.exemplars);
        let mut counting = Counting { sheet: &mut self.sheet, exemplars, ledger: shared, now: NOW };
        black_box(self.recorder.record(observation, Direction::Inbound, &mut counting));
    }

    fn share(&mut self, shared: &mut Shared) {
        assert!(self.sheet.agree(NOW, shared), "nobody else writes");
    }
}

/// Requests that are over, but for their routes.
struct Traffic {
    exchanges: Vec<Exchange>,
    routes: Vec<String>,
    plan: Plan,
}

impl Traffic {
    fn new(headers: &[Pair<'static>]) -> Self {
        let plan = Worker::new().plan;
        let kinds = METHODS.iter().flat_map(|method| STATUSES.map(|status| (*method, status)));
        let exchanges = kinds.map(|(method, status)| exchange(headers, method, status, &plan));
        let routes = (0..ROUTES).map(|route| format!("/api/v1/customers/{{id}}/orders-{route}"));
        Self { exchanges: exchanges.collect(), routes: routes.collect(), plan }
    }

    fn observation<'a>(&'a self, exchange: &'a Exchange, route: &'a str) -> Observation<'a> {
        let route = Route { name: route, source: Source::Template };
        exchange.finish(Monotonic(2_000_000), route, &self.plan, &mut Budget::default(), &HOST)
    }

    /// One request of each series.
    fn of_all_series(&self) -> impl Iterator<Item = Observation<'_>> {
        self.routes.iter().flat_map(|route| {
            self.exchanges.iter().map(|exchange| self.observation(exchange, route))
        })
    }
}

fn exchange(
    headers: &[Pair<'static>],
    method: &'static str,
    status: &'static str,
    plan: &Plan,
) -> Exchange {
    let head = headers.iter().map(|&(name, value)| match name {
        b":method" => (name, method.as_bytes()),
        _ => (name, value),
    });
    let response = RESPONSE.into_iter().map(|(name, value)| match name {
        b":status" => (name, status.as_bytes()),
        _ => (name, value),
    });
    let (mut rng, mut scratch) = (Rng::from_seed([7; 32]), Scratch::default());
    let began = Moment { wall: NOW, monotonic: Monotonic(0) };
    let mut exchange = Exchange::begin(head, began, &mut rng, &mut scratch, plan, Tracing::Own);
    exchange.respond(response, Monotonic(1_000_000), plan);
    exchange
}

/// Its trace is sampled, so that it can stand for others.
fn sampled() -> Traffic {
    Traffic::new(&REQUEST)
}

fn unsampled() -> Traffic {
    let headers: Vec<_> = REQUEST.into_iter().filter(|(name, _)| *name != b"traceparent").collect();
    Traffic::new(&headers)
}

fn record(c: &mut Criterion) {
    for (name, traffic) in [("record", unsampled()), ("record with an exemplar", sampled())] {
        let (mut worker, mut shared) = (Worker::new(), Shared::default());
        let observation = traffic.observation(&traffic.exchanges[0], &traffic.routes[0]);
        worker.record(&observation, &mut shared);
        let again = allocations::during(|| worker.record(&observation, &mut shared));
        assert_eq!(again, 0, "a series that is known takes no memory");
        c.bench_function(&format!("metrics/{name}"), |bencher| {
            bencher.iter(|| worker.record(black_box(&observation), &mut shared));
        });
    }
    let (mut worker, mut shared) = (Worker::new(), Shared::default());
    let traffic = unsampled();
    let all: Vec<_> = traffic.of_all_series().collect();
    // In an order that no cache expects.
    let all: Vec<_> = (0..all.len()).map(|at| &all[at * 389 % all.len()]).collect();
    for observation in &all {
        worker.record(observation, &mut shared);
    }
    let mut next = all.iter().cycle();
    c.bench_function("metrics/record one of 2,000 series", |bencher| {
        bencher.iter(|| worker.record(next.next().expect("it goes round"), &mut shared));
    });
}

fn snapshot(c: &mut Criterion) {
    let traffic = unsampled();
    let all: Vec<_> = traffic.of_all_series().collect();
    let (mut worker, mut shared) = (Worker::new(), Shared::default());
    let count = |worker: &mut Worker, shared: &mut Shared| {
        for observation in &all {
            worker.record(observation, shared);
        }
    };
    count(&mut worker, &mut shared);
    worker.share(&mut shared);
    println!("the sheet of 2,000 series: {} bytes", shared.0.len());
    let timed = |rounds, worker: &mut Worker, shared: &mut Shared| {
        let mut time = Duration::ZERO;
        for _ in 0..rounds {
            count(worker, shared);
            let start = Instant::now();
            worker.share(shared);
            time += start.elapsed();
        }
        time
    };
    c.bench_function("metrics/snapshot_2000", |bencher: &mut Bencher<'_>| {
        bencher.iter_custom(|rounds| timed(rounds, &mut worker, &mut shared));
    });
}

fn shown(c: &mut Criterion) {
    let traffic = sampled();
    let (mut worker, mut shared) = (Worker::new(), Shared::default());
    let mut exemplars = Shared::default();
    traffic.of_all_series().for_each(|observation| worker.record(&observation, &mut shared));
    worker.share(&mut shared);
    worker.exemplars.agree(&worker.sheet, &mut exemplars);
    let snapshot = Snapshot {
        sheet: &shared.0,
        roll: &[],
        exemplars: &exemplars.0,
        boundaries: &worker.plan.metrics.boundaries,
        custom: &[],
        routes: &[],
        exemplars_after: Wall(0),
        now: NOW,
    };
    for (name, format) in
        [("scrape_2000 as OpenMetrics", Format::OpenMetrics), ("scrape_2000 as text", Format::Text)]
    {
        let page = || {
            let mut page = Vec::new();
            openmetrics::write(&black_box(snapshot).read(), &[], format, &mut page);
            page
        };
        println!("{name}: {} bytes", page().len());
        c.bench_function(&format!("metrics/{name}"), |bencher| bencher.iter(page));
    }
    c.bench_function("metrics/collect_2000", |bencher| bencher.iter(|| black_box(snapshot).read()));
    c.bench_function("metrics/otlp_2000", |bencher| {
        bencher.iter(|| {
            let (reading, mut bytes) = (black_box(snapshot).read(), 0);
            let mut hand_over = |piece: &[u8]| bytes += piece.len();
            otlp::write_metrics(&reading, Temporality::Cumulative, LONGEST, &mut hand_over);
            bytes
        });
    });
}

/// The finished filter, in four workers that have counted 2,000 series.
fn in_the_harness(c: &mut Criterion) {
    let module = Module::new(FILTER).expect("the finished filter is a proxy-wasm module");
    let templates: Vec<String> = (0..ROUTES).map(|route| format!("\"/v{route}/{{id}}\"")).collect();
    let configuration = format!(
        r#"{{"routes": {{"limit": 1000, "templates": [{}]}}, "metrics": {{"endpoint": {{"port": 10000}}}}}}"#,
        templates.join(", ")
    );
    let plugin = Plugin::new(&module).configuration(configuration);
    let mut host =
        Host::new(World::seeded(7).workers(WORKERS), plugin).expect("the configuration works");
    let kinds = METHODS.len() * 2;
    for number in 0..ROUTES * kinds {
        let status = if number % 2 == 0 { 200 } else { 409 };
        let path = format!("/v{}/7", number / kinds);
        let request = Request::new(METHODS[number / 2 % METHODS.len()], path);
        let request = request.answered(Response::new(status)).on_worker(number % WORKERS);
        host.request(request).expect("the filter works");
    }
    host.advance(Duration::from_secs(2)).expect("the filter works");
    let outcome = host.request(Request::get("/metrics")).expect("the filter works");
    let page = outcome.client.expect("it is answered").body;
    let durations = b"http_server_request_duration_seconds_count{";
    let series = page.windows(durations.len()).filter(|it| it == durations).count();
    println!(
        "a page in the harness: {series} series, {} bytes, fuel {}, memory of five VMs {} bytes",
        page.len(),
        outcome.budget.fuel(),
        host.memory_bytes()
    );
    c.bench_function("metrics/scrape_2000 in the harness", |bencher| {
        bencher.iter(|| host.request(Request::get("/metrics")).expect("the filter works"));
    });
}

/// What the module's own instructions take for the second request of a series.
fn fuel(_: &mut Criterion) {
    let module = Module::new(FILTER).expect("the finished filter is a proxy-wasm module");
    for (name, metrics) in [
        ("nothing", r#""stats": false"#),
        ("stats", r#""stats": true"#),
        ("the endpoint", r#""stats": false, "endpoint": {"port": 10000}"#),
        ("stats and the endpoint", r#""endpoint": {"port": 10000}"#),
    ] {
        let configuration = format!(r#"{{"metrics": {{{metrics}}}}}"#);
        let plugin = Plugin::new(&module).configuration(configuration);
        let mut host = Host::new(World::seeded(7), plugin).expect("the configuration works");
        let mut fuel = 0;
        for _ in 0..3 {
            let outcome = host.request(Request::get("/users/42")).expect("the filter works");
            fuel = outcome.budget.fuel();
        }
        println!("fuel of a request with {name}: {fuel}");
    }
}

criterion_group!(benches, fuel, record, snapshot, shown, in_the_harness);
criterion_main!(benches);

//! The line, natively: what it takes to write it, beside `serde_json` writing a record of the same fields.
//!
//! Both are handed what they write: ours an observation, from which it makes texts of times, IDs and an address;
//! `serde_json` a record that has them as texts already.

use std::alloc::System;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use serde::{Deserialize, Serialize};
use sightline_benches::allocations::{self, COUNTED};
use sightline_benches::report::{Report, Unit};
use sightline_benches::rounds::{self, Contender};
use sightline_benches::{CHROME, RESPONSE};
use sightline_core::route::{Route, Scratch, Source};
use sightline_core::sampling::Budget;
use sightline_core::{
    Exchange, Moment, Monotonic, Observation, Pair, Place, Plan, Rng, Tracing, Wall, Witness,
    config, log,
};
use stats_alloc::StatsAlloc;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = COUNTED;

const ROUTE: Route<'static> = Route { name: "/api/v1/users/{id}/orders", source: Source::Template };

/// A host that knows all that there is to know of a request that an app has answered.
struct Envoy;

impl Witness for Envoy {
    fn peer(&self) -> Option<Box<[u8]>> {
        Some(b"203.0.113.7:51544".as_slice().into())
    }

    fn protocol(&self) -> Option<Box<[u8]>> {
        Some(b"HTTP/1.1".as_slice().into())
    }

    fn upstream(&self) -> Option<Box<[u8]>> {
        Some(b"127.0.0.1:8000".as_slice().into())
    }

    fn request_bytes(&self) -> Option<u64> {
        Some(0)
    }

    fn response_bytes(&self) -> Option<u64> {
        Some(431)
    }
}

/// The default line, as somebody would write it who had all of it ready.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Record<'a> {
    timestamp: &'a str,
    level: &'a str,
    event: &'a str,
    service: &'a str,
    request_id: &'a str,
    trace_id: &'a str,
    span_id: &'a str,
    parent_span_id: &'a str,
    trace_flags: &'a str,
    sampled: bool,
    method: &'a str,
    scheme: &'a str,
    host: &'a str,
    path: &'a str,
    query: &'a str,
    route: &'a str,
    route_source: &'a str,
    status: u16,
    duration_ms: f64,
    ttfb_ms: f64,
    request_bytes: u64,
    response_bytes: u64,
    protocol: &'a str,
    client_ip: &'a str,
    user_agent: &'a str,
    upstream: &'a str,
}

/// A request that is over, with the configuration that says how its line is written.
struct Request {
    plan: Plan,
    exchange: Exchange,
}

impl Request {
    fn new(format: &str, headers: &[Pair<'static>]) -> Self {
        let configuration =
            format!(r#"{{"service": {{"name": "shop"}}, "access_log": {{"format": "{format}"}}}}"#);
        let settings = config::read(configuration.as_bytes()).expect("the configuration works");
        let plan = Plan::new(&settings, &Place::default());
        let (mut rng, mut scratch) = (Rng::from_seed([7; 32]), Scratch::default());
        let began =
            Moment { wall: Wall(1_790_000_000_123_456_789), monotonic: Monotonic::default() };
        // Envoy says who connects, as its configuration asks it to.
        let client: Pair<'_> = (b"x-forwarded-for", b"203.0.113.7");
        let head = headers.iter().copied().chain([client]);
        let mut exchange =
            Exchange::begin(head, began, &mut rng, &mut scratch, &plan, Tracing::Own);
        exchange.respond(RESPONSE.into_iter(), Monotonic(11_987_000), &plan);
        Self { plan, exchange }
    }

    fn observation(&self) -> Observation<'_> {
        let now = Monotonic(12_345_000);
        self.exchange.finish(now, ROUTE, &self.plan, &mut Budget::default(), &Envoy)
    }
}

fn ours(c: &mut Criterion) {
    // A browser that sends what JSON must escape, in an otherwise equal request.
    let quoting = CHROME.map(|(name, value)| match name {
        b"user-agent" => (name, b"Mozilla/5.0 \"X11; Linux x86_64\" AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 \xc3\xa9".as_slice()),
        _ => (name, value),
    });
    for (name, format, headers) in [
        ("json", "json", CHROME),
        ("ecs", "ecs", CHROME),
        ("logfmt", "logfmt", CHROME),
        ("json, one value escaped", "json", quoting),
    ] {
        let request = Request::new(format, &headers);
        let observation = request.observation();
        let mut line = Vec::new();
        let mut write = || {
            line.clear();
            log::write_line(black_box(&observation), &request.plan, &mut line);
            black_box(line.len())
        };
        let length = write();
        let again = allocations::during(|| _ = write());
        assert_eq!(again, 0, "a second line fits where the first was");
        c.bench_function(&format!("log/the default line as {name}, {length} bytes"), |bencher| {
            bencher.iter(&mut write);
        });
    }
}

fn serde_json(c: &mut Criterion) {
    let request = Request::new("json", &CHROME);
    let mut line = Vec::new();
    log::write_line(&request.observation(), &request.plan, &mut line);
    let record: Record<'_> = serde_json::from_slice(&line).expect("it has these fields only");
    let mut out = Vec::new();
    let mut write = || {
        out.clear();
        serde_json::to_writer(&mut out, black_box(&record)).expect("it is written to memory");
        black_box(out.len())
    };
    write();
    c.bench_function("log/serde_json writes the same", |bencher| bencher.iter(&mut write));
    assert_eq!(String::from_utf8_lossy(&out), String::from_utf8_lossy(&line));
}

/// What was promised, with both in turns, because the times above are of a machine that may be busy.
fn promised(_: &mut Criterion) {
    const LINES: usize = 100;
    let request = Request::new("json", &CHROME);
    let (observation, plan) = (request.observation(), &request.plan);
    let (mut line, mut out) = (Vec::new(), Vec::new());
    log::write_line(&observation, plan, &mut line);
    let text = line.clone();
    let record: Record<'_> = serde_json::from_slice(&text).expect("it has these fields only");
    let ours = Contender::new(LINES, || {
        for _ in 0..LINES {
            line.clear();
            log::write_line(black_box(&observation), plan, &mut line);
            black_box(&line);
        }
    });
    let theirs = Contender::new(LINES, || {
        for _ in 0..LINES {
            out.clear();
            serde_json::to_writer(&mut out, black_box(&record)).expect("it is written to memory");
            black_box(&out);
        }
    });
    let [ours, theirs] = rounds::take(2_001, [ours, theirs]);
    let mut report = Report::default();
    report.promised("the default line", ours.time(), Unit::Nanoseconds, 400.0);
    report.found("serde_json writes the same", theirs.time(), Unit::Nanoseconds);
    report.found("the ratio", ours.ratio_to(&theirs), Unit::Times);
    print!("{report}");
}

criterion_group!(benches, promised, ours, serde_json);
criterion_main!(benches);

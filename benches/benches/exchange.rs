//! The core's work for one request, natively: no host, so no hostcalls.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use sightline_benches::{REQUEST, RESPONSE, Silent};
use sightline_core::identity::{Traceparent, Tracestate};
use sightline_core::route::{Route, Scratch};
use sightline_core::sampling::Budget;
use sightline_core::{
    Direction, Exchange, Moment, Monotonic, Observation, Place, Plan, Rng, Tracing, config, log,
    otlp,
};

fn plan() -> Plan {
    let settings = config::read(b"").expect("an empty configuration works");
    Plan::new(&settings, &Place::default())
}

/// What one worker has, and a host that has nothing to say.
struct Worker {
    plan: Plan,
    rng: Rng,
    scratch: Scratch,
    budget: Budget,
}

impl Worker {
    fn new() -> Self {
        let rng = Rng::from_seed([7; 32]);
        Self { plan: plan(), rng, scratch: Scratch::default(), budget: Budget::default() }
    }

    fn begin(&mut self) -> Exchange {
        let Self { plan, rng, scratch, .. } = self;
        let head = black_box(REQUEST).into_iter();
        Exchange::begin(head, Moment::default(), rng, scratch, plan, Tracing::Own)
    }

    fn finish<'a>(&mut self, exchange: &'a Exchange) -> Observation<'a> {
        let now = Monotonic(2_000_000);
        exchange.finish(now, Route::UNMATCHED, &self.plan, &mut self.budget, &Silent::default())
    }
}

fn whole_exchange(c: &mut Criterion) {
    let mut worker = Worker::new();
    let mut line = Vec::new();
    c.bench_function("exchange/from head to line", |bencher| {
        bencher.iter(|| {
            let mut exchange = worker.begin();
            exchange.edit_request(&worker.plan, |edit| _ = black_box(edit));
            exchange.respond(black_box(RESPONSE).into_iter(), Monotonic(1_000_000), &worker.plan);
            exchange.edit_response(&worker.plan, |edit| _ = black_box(edit));
            line.clear();
            let observation = worker.finish(&exchange);
            log::write_line(&observation, &worker.plan, &mut line);
            black_box(line.len())
        });
    });
}

fn parts(c: &mut Criterion) {
    let mut worker = Worker::new();
    c.bench_function("exchange/begin", |bencher| bencher.iter(|| worker.begin()));
    let exchange = worker.begin();
    let observation = worker.finish(&exchange);
    let mut out = Vec::new();
    c.bench_function("log/write the line", |bencher| {
        bencher.iter(|| {
            out.clear();
            log::write_line(black_box(&observation), &worker.plan, &mut out);
        });
    });
    c.bench_function("otlp/write the span", |bencher| {
        bencher.iter(|| {
            out.clear();
            otlp::write_span(black_box(&observation), Direction::Inbound, &worker.plan, &mut out);
        });
    });
    let header = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".as_slice();
    c.bench_function("identity/read and write a traceparent", |bencher| {
        bencher.iter(|| Traceparent::parse(black_box(header)).map(Traceparent::to_header));
    });
}

fn context(c: &mut Criterion) {
    let parent = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03".as_slice();
    let state = b"ot=th:c,congo=t61rcWkgMzE,rojo=00f067aa0ba902b7".as_slice();
    let mut out = Vec::new();
    c.bench_function("identity/read a tracestate", |bencher| {
        bencher.iter(|| Tracestate::parse(black_box(state)).is_ok());
    });
    let read = Tracestate::parse(state).expect("it is valid");
    c.bench_function("identity/write a tracestate", |bencher| {
        bencher.iter(|| {
            out.clear();
            black_box(&read).write_with(b"ot", black_box(Some(b"th:8")), &mut out);
            black_box(out.len())
        });
    });
    c.bench_function("identity/read and write a whole trace context", |bencher| {
        bencher.iter(|| {
            let parent = Traceparent::parse(black_box(parent)).map(Traceparent::to_header);
            out.clear();
            if let Ok(state) = Tracestate::parse(black_box(state)) {
                state.write_with(b"ot", black_box(Some(b"th:8")), &mut out);
            }
            (parent, black_box(out.len()))
        });
    });
}

criterion_group!(benches, whole_exchange, parts, context);
criterion_main!(benches);

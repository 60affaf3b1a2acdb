//! The core's work for one request, natively: no host, so no hostcalls.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use sightline_benches::{REQUEST, RESPONSE};
use sightline_core::identity::{Traceparent, Tracestate};
use sightline_core::route::{Route, Scratch};
use sightline_core::{Exchange, Moment, Monotonic, Place, Plan, Rng, config, log};

fn plan() -> Plan {
    let settings = config::read(b"").expect("an empty configuration works");
    Plan::new(&settings, &Place::default())
}

fn whole_exchange(c: &mut Criterion) {
    let plan = plan();
    let mut rng = Rng::from_seed([7; 32]);
    let mut scratch = Scratch::default();
    let mut line = Vec::new();
    c.bench_function("exchange/from head to line", |bencher| {
        bencher.iter(|| {
            let head = black_box(REQUEST).into_iter();
            let mut exchange =
                Exchange::begin(head, Moment::default(), &mut rng, &mut scratch, &plan);
            exchange.edit_request(&plan, |edit| _ = black_box(edit));
            exchange.respond(black_box(RESPONSE).into_iter(), Monotonic(1_000_000));
            exchange.edit_response(&plan, |edit| _ = black_box(edit));
            line.clear();
            log::write_line(
                &exchange.finish(Monotonic(2_000_000), Route::UNMATCHED),
                &plan,
                &mut line,
            );
            black_box(line.len())
        });
    });
}

fn parts(c: &mut Criterion) {
    let plan = plan();
    let mut rng = Rng::from_seed([7; 32]);
    let mut scratch = Scratch::default();
    c.bench_function("exchange/begin", |bencher| {
        bencher.iter(|| {
            Exchange::begin(
                black_box(REQUEST).into_iter(),
                Moment::default(),
                &mut rng,
                &mut scratch,
                &plan,
            )
        });
    });
    let exchange =
        Exchange::begin(REQUEST.into_iter(), Moment::default(), &mut rng, &mut scratch, &plan);
    let observation = exchange.finish(Monotonic(2_000_000), Route::UNMATCHED);
    let mut line = Vec::new();
    c.bench_function("log/write the line", |bencher| {
        bencher.iter(|| {
            line.clear();
            log::write_line(black_box(&observation), &plan, &mut line);
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

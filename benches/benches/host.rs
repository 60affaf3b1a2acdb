//! The harness itself: whole requests through the finished filter, and the start of an instance.
//!
//! What this takes says nothing about Envoy, where crossings cost more; it says how many tests fit
//! into a minute.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sightline_benches::{REQUEST, RESPONSE};
use sightline_cli::FILTER;
use sightline_host::{Host, Module, Plugin, Request, Response, World};

fn module() -> Module {
    Module::new(FILTER).expect("the finished filter is a proxy-wasm module")
}

fn host(world: World) -> Host {
    Host::new(world, Plugin::new(&module())).expect("an empty configuration works")
}

/// The request and the response of the other benches, as a test would write them.
fn exchange() -> Request {
    let request = REQUEST.into_iter().filter(|(name, _)| !name.starts_with(b":"));
    let request =
        request.fold(Request::get("/users/42"), |it, (name, value)| it.header(name, value));
    let response = RESPONSE.into_iter().filter(|(name, _)| !name.starts_with(b":"));
    let response = response.fold(Response::new(200), |it, (name, value)| it.header(name, value));
    request.answered(response)
}

fn requests(c: &mut Criterion) {
    let mut group = c.benchmark_group("host");
    group.throughput(Throughput::Elements(1));
    for (name, request) in
        [("a bare request", Request::get("/users/42")), ("a request with headers", exchange())]
    {
        let mut host = host(World::seeded(7));
        let outcome = host.request(request.clone()).expect("the filter works");
        assert!(outcome.state.contains_key("wasm.sightline_log"), "the filter left no line");
        group.bench_function(name, |bencher| {
            bencher.iter(|| host.request(black_box(request.clone())).expect("the filter works"));
        });
    }
    group.finish();
}

fn starts(c: &mut Criterion) {
    module();
    c.bench_function("host/a process with one worker", |bencher| {
        bencher.iter(|| host(black_box(World::seeded(7))));
    });
    c.bench_function("host/a process with nine workers", |bencher| {
        bencher.iter(|| host(black_box(World::seeded(7).workers(9))));
    });
}

criterion_group!(benches, requests, starts);
criterion_main!(benches);

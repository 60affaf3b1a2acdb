//! What was counted, as the endpoint shows it: by all workers, whatever becomes of one of them.

use std::time::Duration;

use sightline_host::{Host, Outcome, Request, Response, World};
use sightline_tests::Samples;

use crate::filter_in;

const TICK: Duration = Duration::from_secs(1);

/// The harness listens there.
const ENDPOINT: &str = r#""endpoint": {"port": 10000}"#;

fn configuration(metrics: &str, more: &str) -> String {
    format!(r#"{{"service": {{"name": "shop"}}, "metrics": {{{metrics}}}{more}}}"#)
}

/// Four workers that show what they count.
fn shop(more: &str) -> Host {
    filter_in(World::seeded(7).workers(4), &configuration(ENDPOINT, more))
}

fn serve(host: &mut Host, worker: usize, requests: usize) {
    for number in 0..requests {
        let status = if number % 4 == 3 { 503 } else { 200 };
        let request = Request::get(format!("/users/{number}")).answered(Response::new(status));
        host.request(request.on_worker(worker)).unwrap();
    }
}

fn scrape(host: &mut Host, worker: usize) -> Samples {
    let outcome = host.request(Request::get("/metrics").on_worker(worker)).unwrap();
    Samples::parse(page(&outcome))
}

fn page(outcome: &Outcome) -> String {
    String::from_utf8(outcome.client.as_ref().unwrap().body.clone()).unwrap()
}

const COUNT: &str = "http_server_request_duration_seconds_count";

#[test]
fn tmp() {
    let mut host = shop("");
    serve(&mut host, 0, 4);
    host.advance(TICK).unwrap();
    let outcome = host.request(Request::get("/metrics").on_worker(1)).unwrap();
    println!("{}", page(&outcome));
    println!("{}", outcome.budget);
}

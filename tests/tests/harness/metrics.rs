//! What was counted, as the endpoint shows it: by all workers, whatever becomes of one of them.

mod endpoint;
mod kinds;
mod workers;

use std::time::Duration;

use sightline_host::{Host, Outcome, Request, Response, World};
use sightline_tests::Samples;

use crate::filter_in;

const TICK: Duration = Duration::from_secs(1);

const COUNT: &str = "http_server_request_duration_seconds_count";
const ACTIVE: &str = "http_server_active_requests";
const LOST: &str = "sightline_workers_lost_total";

/// The harness listens on this port.
fn configuration(metrics: &str, more: &str) -> String {
    format!(
        r#"{{"service": {{"name": "shop"}}, "metrics": {{"endpoint": {{"port": 10000}}{metrics}}}{more}}}"#
    )
}

/// Four workers that show what they count.
fn shop(metrics: &str, more: &str) -> Host {
    filter_in(World::seeded(7).workers(4), &configuration(metrics, more))
}

/// Requests of which every fourth fails.
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
    let answer = outcome.client.as_ref().expect("a scrape is answered");
    assert_eq!(answer.status(), Some(200));
    String::from_utf8(answer.body.clone()).unwrap()
}

/// A number that is a whole one; 0 if it is not there.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked before")]
fn whole(samples: &Samples, name: &str, labels: &[(&str, &str)]) -> u64 {
    let value = samples.sum(name, labels).unwrap_or(0.0);
    assert!(value >= 0.0 && value.fract() == 0.0, "{name} {labels:?} is {value}");
    value as u64
}

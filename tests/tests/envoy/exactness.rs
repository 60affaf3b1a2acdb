//! Nothing is missed and nothing counted twice: what the filter counts, what its lines tell and what Envoy
//! itself counts agree, for traffic of all sorts over four workers, whatever happens to those.
//!
//! Envoy's `downstream_rq_total` counts each request that it began to read. `downstream_rq_completed`, the sum
//! of its counts by class, lacks those to which no status was sent, since their client went or Envoy gave up;
//! the filter counts these, as status 0. Neither knows whether a request is one that the filter ignores, so the app counts those.

use std::collections::BTreeMap;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::json;
use sightline_cli::wait;
use sightline_core::Method;
use sightline_tests::crash::{Crashing, crash};
use sightline_tests::{Bootstrap, Discovery, Load, Proxy, Samples};

const WORKERS: u32 = 4;
const CLIENTS: usize = 16;
const REQUESTS: &str = "sightline_http_requests_total";
const TOTAL: &str = "envoy_http_downstream_rq_total";
const CLASSES: &str = "envoy_http_downstream_rq_xx";
const CONNECTIONS: &str = "envoy_http_downstream_cx_total";
const CONNECTED: &str = "envoy_http_downstream_cx_active";
/// Those that Envoy gives up before it has read their heads, because too many answers before theirs have not
/// left yet. No filter sees them, and their client sends them again.
const FLOODED: &str = "envoy_http1_response_flood";
const RELOADED: &str = "envoy_wasm_sightline_vm_reload_success";
const INBOUND: [(&str, &str); 1] = [("envoy_http_conn_manager_prefix", "inbound")];
/// A client has one request under way over HTTP/1, and rarely more than this over HTTP/2.
const MOST_UNDER_WAY: usize = CLIENTS * 8;
const SOON: Duration = Duration::from_secs(30);

/// What of a line is compared.
#[derive(Deserialize)]
struct Line {
    /// None if there was no head that could be read.
    method: Option<String>,
    route: String,
    status: u16,
}

/// How many lines there are for each method, route and status.
struct Lines(BTreeMap<(String, String, u16), usize>);

impl Lines {
    fn of(log: &str) -> Self {
        let mut lines = BTreeMap::new();
        for line in log.lines() {
            let line: Line =
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            let method = Method::from_bytes(line.method.unwrap_or_default().as_bytes()).as_str();
            *lines.entry((method.to_owned(), line.route, line.status)).or_default() += 1;
        }
        Self(lines)
    }

    fn count(&self) -> usize {
        self.0.values().sum()
    }

    /// The series of the counter are those of the lines, each with as many.
    fn assert_equal_to(&self, stats: &Samples) {
        for ((method, route, status), count) in &self.0 {
            let labels = [
                ("http_request_method", method.as_str()),
                ("http_route", route),
                ("http_response_status_code", &status.to_string()),
            ];
            assert_eq!(whole(stats, REQUESTS, &labels), *count, "{labels:?}");
        }
        assert_eq!(whole(stats, REQUESTS, &[]), self.count());
    }

    /// How many answers there were of each class, from 1xx to 5xx.
    fn classes(&self) -> [usize; 5] {
        [1, 2, 3, 4, 5].map(|class| {
            let of_class = self.0.iter().filter(|((.., status), _)| status / 100 == class);
            of_class.map(|(_, count)| count).sum()
        })
    }

    /// The run is worth something only if all of it happened.
    fn assert_of_all_sorts(&self) {
        for (method, route, status) in [
            ("GET", "/users/{int}", 200),
            ("POST", "/orders", 201),
            ("HEAD", "/users/{int}", 200),
            ("GET", "/unchanged", 304),
            ("GET", "_unmatched", 404),
            ("GET", "/broken", 500),
            ("GET", "/flaky", 200),
            ("GET", "/flaky/always", 503),
            ("GET", "/halfway", 200),
            ("GET", "/events", 200),
            ("GET", "/endless-events", 200),
            ("GET", "_unmatched", 0),
            ("GET", "_unmatched", 101),
            ("GET", "_unmatched", 410),
            ("GET", "_unmatched", 503),
            ("GET", "_unmatched", 504),
            ("POST", "/shop.Cart/Fail", 200),
            ("_OTHER", "/orders/{int}", 200),
            ("_OTHER", "_unmatched", 400),
            ("_OTHER", "_unmatched", 431),
        ] {
            let series = (method.to_owned(), route.to_owned(), status);
            assert!(self.0.contains_key(&series), "no {series:?} in {:#?}", self.0);
        }
    }
}

fn whole(stats: &Samples, name: &str, labels: &[(&str, &str)]) -> usize {
    let value = stats.sum(name, labels).unwrap_or(0.0);
    format!("{value}").parse().expect("a count is a whole number")
}

/// How many requests Envoy says that filters saw.
fn seen(stats: &Samples) -> usize {
    whole(stats, TOTAL, &INBOUND) - whole(stats, FLOODED, &[])
}

/// How many answers Envoy counted of each class, from 1xx to 5xx.
fn classes(stats: &Samples) -> [usize; 5] {
    ["1", "2", "3", "4", "5"]
        .map(|class| whole(stats, CLASSES, &[INBOUND[0], ("envoy_response_code_class", class)]))
}

/// Envoy's stats once it has seen all connections, and they have ended.
fn at_rest(proxy: &Proxy, load: &Load) -> Samples {
    let is_at_rest = |stats: &Samples| {
        whole(stats, CONNECTIONS, &INBOUND) >= load.connections()
            && whole(stats, CONNECTED, &INBOUND) == 0
    };
    let look = || Some(proxy.stats()).filter(is_at_rest);
    wait::until("all requests to end", SOON, look).unwrap_or_else(|late| panic!("{late}"))
}

/// The lines, once there are so many or more.
fn lines(proxy: &Proxy, expected: usize) -> Lines {
    let look = || Some(proxy.raw_access_log()).filter(|log| log.lines().count() >= expected);
    Lines::of(&wait::until("the last line", SOON, look).unwrap_or_else(|late| panic!("{late}")))
}

#[test]
fn every_request_is_counted_once_whatever_becomes_of_it_and_over_two_reloads() {
    const MANY: usize = 200_000;
    let load = Load::new(MANY);
    let mut discovery = Discovery::new(WORKERS);
    let shape = |bootstrap: Bootstrap| discovery.put_into(load.shape(bootstrap));
    let proxy = Proxy::with_workers(WORKERS, shape);
    thread::scope(|scope| {
        scope.spawn(|| load.run(proxy.address(), CLIENTS));
        load.wait_for(MANY / 3);
        discovery.replace(&proxy, &json!({"request_id": {"format": "uuid7"}}));
        load.wait_for(MANY * 2 / 3);
        discovery.replace(&proxy, &json!({"trace": {"mode": "off"}}));
    });
    let stats = at_rest(&proxy, &load);
    let seen = seen(&stats);
    assert!(seen >= MANY, "{seen}");
    let lines = lines(&proxy, seen - load.ignored());
    assert_eq!(lines.count(), seen - load.ignored());
    lines.assert_equal_to(&stats);
    lines.assert_of_all_sorts();
    let mut told = lines.classes();
    // Those that are ignored are answered with 200.
    told[1] += load.ignored();
    assert_eq!(classes(&stats), told);
}

#[test]
fn a_crash_of_a_worker_loses_what_it_had_under_way_and_no_more() {
    const MANY: usize = 40_000;
    /// More than Envoy waits before it makes a VM anew, counted from when that was last done.
    const OLD_ENOUGH: Duration = Duration::from_secs(2);
    let load = Load::new(MANY);
    let crashing = Crashing::new();
    let shape = |bootstrap| crashing.put_into(load.shape(bootstrap), "FAIL_RELOAD");
    let proxy = Proxy::with_workers(WORKERS, shape);
    let began = Instant::now();
    thread::scope(|scope| {
        scope.spawn(|| load.run(proxy.address(), CLIENTS));
        load.wait_for(MANY / 2);
        let is_old = || (began.elapsed() > OLD_ENOUGH).then_some(());
        wait::until("the VMs to be old enough", SOON, is_old).unwrap();
        let mut connection = TcpStream::connect(proxy.address()).unwrap();
        assert_eq!(crash(&mut connection).unwrap().status(), 503);
    });
    let stats = at_rest(&proxy, &load);
    assert_eq!(whole(&stats, RELOADED, &[]), 1, "{}", proxy.log());
    let seen = seen(&stats) - load.ignored();
    let counted = whole(&stats, REQUESTS, &[]);
    // The request at which it crashed is one of them.
    assert!((1..=MOST_UNDER_WAY).contains(&(seen - counted)), "{seen} seen, {counted} counted");
    let lines = lines(&proxy, counted);
    assert_eq!(lines.count(), counted);
    lines.assert_equal_to(&stats);
}

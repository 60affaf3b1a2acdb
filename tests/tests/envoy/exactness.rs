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
use serde_json::{Value, json};
use sightline_cli::wait;
use sightline_core::Method;
use sightline_tests::crash::{Crashing, crash};
use sightline_tests::{Bootstrap, Configuration, Discovery, Endpoint, Load, Proxy, Samples};

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
/// How old what a worker has not shared can be, with a little on top.
const TICK: Duration = Duration::from_millis(1_500);
const SOON: Duration = Duration::from_secs(30);

/// What of a line is compared.
#[derive(Deserialize)]
struct Line {
    timestamp: String,
    /// None if there was no head that could be read.
    method: Option<String>,
    route: String,
    status: u16,
    duration_ms: f64,
    ttfb_ms: Option<f64>,
    stream: Option<String>,
}

/// A method, a route, and a status.
type Key = (String, String, u16);

/// The lines of each method, route and status.
struct Lines(BTreeMap<Key, Vec<Line>>);

impl Lines {
    fn of(log: &str) -> Self {
        let mut lines: BTreeMap<Key, Vec<Line>> = BTreeMap::new();
        for line in log.lines() {
            let line: Line =
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            let method = line.method.clone().unwrap_or_default();
            let method = Method::from_bytes(method.as_bytes()).as_str();
            let key = (method.to_owned(), line.route.clone(), line.status);
            lines.entry(key).or_default().push(line);
        }
        Self(lines)
    }

    fn count(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }

    /// The series of the counter are those of the lines, each with as many.
    fn assert_equal_to(&self, stats: &Samples) {
        for ((method, route, status), lines) in &self.0 {
            let labels = [
                ("http_request_method", method.as_str()),
                ("http_route", route),
                ("http_response_status_code", &status.to_string()),
            ];
            assert_eq!(whole(stats, REQUESTS, &labels), lines.len(), "{labels:?}");
        }
        assert_eq!(whole(stats, REQUESTS, &[]), self.count());
    }

    /// The histograms of the endpoint are those that the lines make: as many, as long together, and as many in each
    /// bucket.
    fn assert_shown_by(&self, page: &Samples) {
        let durations = |is_stream: bool| {
            self.times(|line| (line.stream.is_some() == is_stream).then_some(line.duration_ms))
        };
        assert_spread(
            &durations(false),
            &Spread::all(page, "http_server_request_duration_seconds"),
        );
        assert_spread(
            &durations(true),
            &Spread::all(page, "sightline_http_stream_duration_seconds"),
        );
        let of_route = |times: BTreeMap<Key, Vec<f64>>| {
            times.into_iter().fold(BTreeMap::new(), |mut all, ((method, route, _), times)| {
                all.entry((method, route, 0)).or_insert_with(Vec::new).extend(times);
                all
            })
        };
        let first_bytes = of_route(self.times(|line| line.ttfb_ms));
        assert_spread(
            &first_bytes,
            &Spread::all(page, "sightline_http_time_to_first_byte_seconds"),
        );
    }

    fn times(&self, time: impl Fn(&Line) -> Option<f64>) -> BTreeMap<Key, Vec<f64>> {
        let times = |lines: &[Line]| lines.iter().filter_map(&time).collect::<Vec<_>>();
        let all = self.0.iter().map(|(key, lines)| (key.clone(), times(lines)));
        all.filter(|(_, times)| !times.is_empty()).collect()
    }

    /// The most requests that began within this time.
    fn most_within(&self, time: Duration) -> usize {
        let mut began: Vec<_> =
            self.0.values().flatten().map(|line| second_of_day(&line.timestamp)).collect();
        began.sort_unstable_by(f64::total_cmp);
        let within = |at: &f64| began.partition_point(|it| *it <= at + time.as_secs_f64());
        began.iter().enumerate().map(|(first, at)| within(at) - first).max().unwrap_or(0)
    }

    /// How many answers there were of each class, from 1xx to 5xx.
    fn classes(&self) -> [usize; 5] {
        [1, 2, 3, 4, 5].map(|class| {
            let of_class = self.0.iter().filter(|((.., status), _)| status / 100 == class);
            of_class.map(|(_, lines)| lines.len()).sum()
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
            assert!(self.0.contains_key(&series), "no {series:?} in {:#?}", self.0.keys());
        }
    }
}

/// `2026-11-21T08:25:00.000042Z`. No test is run over midnight.
fn second_of_day(timestamp: &str) -> f64 {
    let time = timestamp.split_once('T').expect("a line has a time").1.trim_end_matches('Z');
    time.split(':').fold(0.0, |sum, part| sum * 60.0 + part.parse::<f64>().expect("a number"))
}

/// How the values of a histogram are spread, over all labels but method, route and status.
#[derive(Default)]
struct Spread {
    count: f64,
    sum: f64,
    /// How many there are up to each boundary.
    buckets: BTreeMap<String, f64>,
}

impl Spread {
    fn all(page: &Samples, name: &str) -> BTreeMap<Key, Self> {
        let mut all: BTreeMap<Key, Self> = BTreeMap::new();
        for what in ["_count", "_sum", "_bucket"] {
            for (mut labels, value) in page.series(&format!("{name}{what}")) {
                let mut take = |label: &str| labels.remove(label).unwrap_or_default();
                let status = take("http_response_status_code").parse().unwrap_or(0);
                let key = (take("http_request_method"), take("http_route"), status);
                let spread = all.entry(key).or_default();
                match what {
                    "_count" => spread.count += value,
                    "_sum" => spread.sum += value,
                    _ => *spread.buckets.entry(take("le")).or_default() += value,
                }
            }
        }
        all
    }
}

/// Lines have whole microseconds, so a time is up to one longer than its line says.
fn assert_spread(times: &BTreeMap<Key, Vec<f64>>, shown: &BTreeMap<Key, Spread>) {
    const MICROSECOND: f64 = 0.000_001;
    assert_eq!(times.keys().collect::<Vec<_>>(), shown.keys().collect::<Vec<_>>());
    for (key, times) in times {
        let Spread { count, sum, buckets } = &shown[key];
        let number = |count: usize| f64::from(u32::try_from(count).expect("not that many"));
        assert!((count - number(times.len())).abs() < 0.5, "{key:?}: {count}");
        let told = times.iter().sum::<f64>() / 1_000.0;
        let more = sum - told;
        assert!(
            (-MICROSECOND..number(times.len()) * MICROSECOND).contains(&more),
            "{key:?}: {sum} {told}"
        );
        for (boundary, within) in buckets {
            let boundary =
                boundary.trim_start_matches('+').parse::<f64>().expect("a number") * 1_000.0;
            let below = |limit: f64| number(times.iter().filter(|time| **time < limit).count());
            let (least, most) = (below(boundary - 0.000_5), below(boundary + 0.000_5));
            assert!((least..=most).contains(within), "{key:?} up to {boundary} ms: {within}");
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
    wait::until("all requests to end", SOON, look).unwrap_or_else(|late| {
        let stats = proxy.stats();
        let number = |name| whole(&stats, name, &INBOUND);
        panic!(
            "{late}: {} of {} connections seen, {} still there",
            number(CONNECTIONS),
            load.connections(),
            number(CONNECTED)
        )
    })
}

/// What the endpoint shows once all workers have shared what they know: at least so many requests.
fn shown(endpoint: &Endpoint, least: usize) -> Samples {
    let is_shown = |page: &Samples| shown_requests(page) >= least && idle(page);
    let look = || Some(endpoint.scrape()).filter(is_shown);
    wait::until("all requests to be shown", SOON, look).unwrap_or_else(|late| panic!("{late}"))
}

fn shown_requests(page: &Samples) -> usize {
    whole(page, "http_server_request_duration_seconds_count", &[])
        + whole(page, "sightline_http_stream_duration_seconds_count", &[])
}

/// Whether nothing is under way, as far as the page says.
fn idle(page: &Samples) -> bool {
    page.series("http_server_active_requests").iter().all(|(_, active)| *active == 0.0)
}

/// Nothing is under way, as the page and Envoy's gauge say.
fn assert_idle(proxy: &Proxy, page: &Samples) {
    assert!(!page.series("http_server_active_requests").is_empty() && idle(page));
    let gauge = || proxy.stats().sum("sightline_http_requests_active", &[]);
    let settled = || (gauge() == Some(0.0)).then_some(());
    wait::until("the gauge to be back", SOON, settled)
        .unwrap_or_else(|late| panic!("{late}: {:?}", gauge()));
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
    let endpoint = Endpoint::anywhere();
    let configured = |mut more: Value| {
        more["metrics"] = json!({"endpoint": endpoint.configuration()});
        more
    };
    let shape = |bootstrap: Bootstrap| {
        let first = Configuration::Struct(configured(json!({})));
        discovery.put_into(endpoint.put_into(load.shape(bootstrap).configuration(first)))
    };
    let proxy = Proxy::with_workers(WORKERS, shape);
    thread::scope(|scope| {
        scope.spawn(|| load.run(proxy.address(), CLIENTS));
        load.wait_for(MANY / 3);
        discovery.replace(&proxy, &configured(json!({"request_id": {"format": "uuid7"}})));
        load.wait_for(MANY * 2 / 3);
        discovery.replace(&proxy, &configured(json!({"trace": {"mode": "off"}})));
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
    let page = shown(&endpoint, lines.count());
    lines.assert_shown_by(&page);
    assert_idle(&proxy, &page);
}

#[test]
fn a_crash_of_a_worker_loses_what_it_had_under_way_and_no_more() {
    const MANY: usize = 40_000;
    /// More than Envoy waits before it makes a VM anew, counted from when that was last done.
    const OLD_ENOUGH: Duration = Duration::from_secs(2);
    let load = Load::new(MANY);
    let crashing = Crashing::new();
    let endpoint = Endpoint::anywhere();
    let shape = |bootstrap| {
        let configured = json!({"metrics": {"endpoint": endpoint.configuration()}});
        let bootstrap = load.shape(bootstrap).configuration(Configuration::Struct(configured));
        endpoint.put_into(crashing.put_into(bootstrap, "FAIL_RELOAD"))
    };
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
    // What the worker had not shared yet is lost, and that is counted.
    let page = shown(&endpoint, counted - lines.most_within(TICK));
    let lost = counted - shown_requests(&page);
    println!("{lost} of {counted} were lost with what a worker had not shared");
    assert_eq!(whole(&page, "sightline_workers_lost_total", &[]), 1);
    assert_idle(&proxy, &page);
}

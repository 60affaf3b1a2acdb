//! Requests that are made to fill memory: whatever they say, there are no more series than the plan allows, and each
//! request is in one of them.

use std::collections::BTreeMap;
use std::env;
use std::time::Duration;

use sightline_core::{Method, Rng};
use sightline_host::{Cluster, Host, Message, Outcome, Protocol, Request, Response, Stat, World};
use sightline_tests::Samples;

use crate::filter_in;

/// How many requests each test sends, where it is to be another number. Two million take some minutes in a release build.
const REQUESTS: &str = "SIGHTLINE_HOSTILE_REQUESTS";
/// Enough that all series there may be are there.
const FEW: usize = 30_000;

const WORKERS: usize = 4;
const TICK: Duration = Duration::from_secs(1);
/// How long a client waits where nobody answers.
const PATIENCE: Duration = Duration::from_micros(100);
const REQUESTS_A_TICK: usize = 1_000;

/// As `Plan` has it for a configuration that says nothing of routes: as many with routes, and as many without.
const SERIES: usize = 2 * 2_000;
/// Series without method and status, and the filter's own.
const FEW_MORE: usize = 150;
/// The most bytes of a row: its labels, its boundaries, and its numbers.
const LONGEST_ROW: usize = 600;
/// The most memory of a VM, pages being written included.
const MEMORY: usize = 32 << 20;
/// What memory may grow by when all series are there: it is not returned, and is never quite without holes.
const HOLES: usize = 2 << 20;

const DURATIONS: [&str; 2] =
    ["http_server_request_duration_seconds_count", "sightline_http_stream_duration_seconds_count"];
const FIRST_BYTE: &str = "sightline_http_time_to_first_byte_seconds_count";
const TOTAL: &str = "sightline_http_requests_total";

/// How many requests there were with each method and status.
type Counts = BTreeMap<(String, u16), usize>;

const SHOWN: &str = r#"{
    "service": {"name": "shop"},
    "sampling": {"ratio": 0.02},
    "export": {"cluster": "collector"},
    "metrics": {
        "endpoint": {"port": 10000},
        "otlp": {},
        "custom": [
            {"name": "paid", "kind": "counter", "value": {"response_header": "x-paid"}, "labels": {
                "currency": {"request_header": "x-currency", "allow": ["EUR", "USD"]},
                "plan": {"response_header": "x-plan", "allow": ["free", "pro"]}
            }},
            {"name": "items", "kind": "histogram", "value": {"request_header": "x-items"}, "buckets": [1, 10]}
        ]
    }
}"#;

const STATS_ALONE: &str = r#"{"service": {"name": "shop"}}"#;

/// Somebody who makes up requests, and an app that answers as they want it to.
struct Attacker {
    rng: Rng,
    statuses: Vec<u16>,
}

/// Statuses that applications send.
const USUAL: [u16; 24] = [
    200, 201, 202, 204, 206, 301, 302, 303, 304, 307, 400, 401, 403, 404, 405, 409, 410, 422, 429,
    500, 502, 503, 504, 599,
];

impl Attacker {
    fn new(statuses: Vec<u16>) -> Self {
        Self { rng: Rng::from_seed([9; 32]), statuses }
    }

    fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap();
        usize::try_from(self.rng.next_u64() % bound).unwrap()
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        (0..self.below(most)).map(|_| self.rng.next_8()[0]).collect()
    }

    fn word(&mut self) -> String {
        let letters = 1 + self.below(9);
        (0..letters).map(|_| char::from(b'a' + self.rng.next_8()[0] % 26)).collect()
    }

    /// A request, and the method that it is to be counted under.
    fn request(&mut self) -> (Method, Request) {
        let protocols = [Protocol::Http11, Protocol::Http11, Protocol::Http2, Protocol::Http3];
        let method = self.method();
        let mut request = Request::new(&method, self.path())
            .authority(self.host())
            .protocol(self.one_of(&protocols));
        for _ in 0..self.below(4) {
            let (name, value) = self.request_header();
            request = request.without(name).header(name, value);
        }
        let request = request.answered(self.response()).abandoned_after(PATIENCE);
        (Method::from_bytes(method.as_bytes()), request)
    }

    fn method(&mut self) -> String {
        match self.below(20) {
            0 => self.word(),
            1 => self.word().to_uppercase(),
            _ => self.one_of(&Method::ALL).as_str().to_owned(),
        }
    }

    fn host(&mut self) -> Vec<u8> {
        if self.below(20) == 0 { self.bytes(40) } else { self.word().into_bytes() }
    }

    fn path(&mut self) -> Vec<u8> {
        let mut path = Vec::new();
        match self.below(40) {
            0 => path = self.bytes(300),
            1 => path.extend_from_slice(b"*"),
            2..=9 => path.extend(format!("/users/{}", self.rng.next_u64()).bytes()),
            10 => path.extend("/long".repeat(self.below(900)).bytes()),
            11..=19 => path.extend(format!("/a/{}?{}", self.word(), self.word()).bytes()),
            _ => {
                for _ in 0..=self.below(6) {
                    path.extend(format!("/{}", self.word()).bytes());
                }
            }
        }
        path
    }

    fn request_header(&mut self) -> (&'static str, Vec<u8>) {
        match self.below(9) {
            0 => ("content-type", b"application/grpc".to_vec()),
            1 => ("x-currency", self.word().to_uppercase().into_bytes()),
            2 => ("x-currency", b"EUR".to_vec()),
            3 => ("x-items", self.number()),
            4 => (":scheme", self.word().into_bytes()),
            5 => ("upgrade", self.one_of(&["websocket", "h2c", "\0"]).as_bytes().to_vec()),
            6 => ("traceparent", format!("00-{:032x}-{:016x}-01", self.below(99), 7).into_bytes()),
            7 => ("x-request-id", self.bytes(200)),
            _ => ("user-agent", self.bytes(200)),
        }
    }

    fn response(&mut self) -> Response {
        let response = match self.below(40) {
            0 => return Response::reset(),
            1 => return Response::silence(),
            2 => Response::new(101),
            3 => Response::grpc(u32::try_from(self.below(40)).unwrap()),
            _ => {
                let place = self.below(self.statuses.len());
                Response::new(self.statuses[place])
            }
        };
        match self.below(12) {
            0 => response.header("content-type", "text/event-stream"),
            1 => response.header("x-paid", self.number()).header("x-plan", self.word()),
            2 => response.header("x-paid", "0.25").header("x-plan", "pro"),
            3 => response.header("grpc-status", self.bytes(8)),
            4 => response.header("content-type", self.bytes(30)),
            _ => response,
        }
    }

    fn number(&mut self) -> Vec<u8> {
        match self.below(4) {
            0 => self.bytes(30),
            1 => b"999999999999999999999.999999999999".to_vec(),
            _ => format!("{}.{}", self.below(1 << 40), self.below(1_000)).into_bytes(),
        }
    }
}

/// An attack under way.
struct Attack {
    host: Host,
    attacker: Attacker,
    sent: Counts,
    number: usize,
}

impl Attack {
    fn new(configuration: &str, statuses: Vec<u16>) -> Self {
        let world = World::seeded(7)
            .workers(WORKERS)
            .cluster("collector", Cluster::answering(Response::new(200)));
        let host = filter_in(world, configuration);
        Self { host, attacker: Attacker::new(statuses), sent: Counts::new(), number: 0 }
    }

    fn send(&mut self, requests: usize) {
        for _ in 0..requests {
            let (method, request) = self.attacker.request();
            let outcome = self.host.request(request.on_worker(self.number % WORKERS)).unwrap();
            // Some of them Envoy answers before any filter is made.
            if outcome.budget.entries("proxy_on_context_create") > 0 {
                *self.sent.entry(counted_as(method, &outcome)).or_default() += 1;
            }
            self.number += 1;
            if self.number.is_multiple_of(REQUESTS_A_TICK) {
                self.host.advance(TICK).unwrap();
            }
        }
        self.host.advance(TICK).unwrap();
    }

    fn page(&mut self) -> Samples {
        let outcome = self.host.request(Request::get("/metrics")).unwrap();
        Samples::parse(String::from_utf8(outcome.client.unwrap().body).unwrap())
    }

    fn assert_bounded(&self) {
        for (key, most) in [
            ("metrics/1", (SERIES + FEW_MORE) * LONGEST_ROW),
            ("exemplars/1", 8 + 2_000 * 49),
            ("workers/1", 2_048),
            // The time of the last telling.
            ("told/1", 8),
            ("routes", 1 << 20),
        ] {
            let value = self.host.shared_data("", format!("sightline.{key}.shop"));
            let size = value.map_or(0, |(value, _)| value.len());
            assert!(size <= most, "{key} takes {size} bytes");
        }
        let stats = self.host.stats().all().len();
        // A counter and a histogram for each series.
        assert!(stats <= 2 * SERIES + FEW_MORE, "{stats} stats");
        let memory = self.host.memory_bytes();
        assert!(memory <= MEMORY * self.host.vm_count(), "{memory} bytes");
        assert_eq!(self.host.traps().len(), 0);
    }

    /// Sends all of them, and looks at what they have left.
    fn run(&mut self) {
        let (first, rest) = (requests() * 2 / 3, requests() / 3);
        self.send(first);
        let full = self.host.memory_bytes();
        self.send(rest);
        let memory = self.host.memory_bytes();
        self.assert_bounded();
        assert!(memory <= full + HOLES * WORKERS, "{full} bytes have become {memory}");
        let Self { host, number, .. } = self;
        let stats = host.stats().all().len();
        println!("{number} requests: {memory} bytes of memory after {full}, {stats} stats");
    }
}

/// A head that Envoy cannot read has no method.
fn counted_as(method: Method, outcome: &Outcome) -> (String, u16) {
    let is_unread = outcome.details.as_ref().is_some_and(|it| it.starts_with("http1."));
    let method = if is_unread { Method::Other } else { method };
    let status = outcome.client.as_ref().and_then(Message::status);
    (method.as_str().to_owned(), status.unwrap_or(0))
}

/// As a page has them.
fn on_page(page: &Samples) -> Counts {
    let mut counts = Counts::new();
    for (labels, value) in DURATIONS.iter().flat_map(|name| page.series(name)) {
        let status = labels.get("http_response_status_code");
        let status = status.map_or(0, |it| it.parse().expect("a status is a number"));
        let count = format!("{value}").parse::<usize>().expect("a count is a whole number");
        *counts.entry((labels["http_request_method"].clone(), status)).or_default() += count;
    }
    counts
}

/// As Envoy's stats have them.
fn in_stats(host: &Host) -> Counts {
    let mut counts = Counts::new();
    for (name, stat) in host.stats().all() {
        let Some(tags) = name.strip_suffix(TOTAL) else { continue };
        let value = |tag: &str| {
            let (_, rest) = tags.split_once(tag).expect("it has a name and this tag");
            rest.split_once(";.;").expect("a tag has an end").0
        };
        let status = value("http_response_status_code=.=").parse().expect("a status is a number");
        let Stat::Counter(count) = stat else { panic!("{name} is no counter") };
        let method = value("http_request_method=.=").to_owned();
        *counts.entry((method, status)).or_default() += usize::try_from(count).unwrap();
    }
    counts
}

fn requests() -> usize {
    let said = env::var(REQUESTS).ok();
    said.map_or(FEW, |said| said.parse().expect("it is a number of requests"))
}

#[test]
fn past_the_limit_of_series_method_and_status_stay() {
    let mut attack = Attack::new(SHOWN, USUAL.to_vec());
    attack.run();
    let page = attack.page();
    let series = |name: &str| page.series(name).len();
    let all = series(DURATIONS[0]) + series(DURATIONS[1]) + series(FIRST_BYTE);
    assert!((SERIES / 2..=SERIES + FEW_MORE).contains(&all), "{all} series");
    assert!(page.sum("sightline_series_overflowed_total", &[]) > Some(0.0));
    assert_eq!(on_page(&page), attack.sent);
    assert_eq!(in_stats(&attack.host), attack.sent);
    attack.assert_bounded();
}

#[test]
fn where_every_status_is_provoked_all_requests_are_still_counted() {
    let mut attack = Attack::new(SHOWN, (100..1_000).collect());
    attack.run();
    let page = attack.page();
    let sent: usize = attack.sent.values().sum();
    let others = ("_OTHER".to_owned(), 0);
    for counts in [on_page(&page), in_stats(&attack.host)] {
        assert_eq!(counts.values().sum::<usize>(), sent);
        for (key, count) in counts.iter().filter(|(key, _)| **key != others) {
            assert!(count <= &attack.sent[key], "{key:?} is counted {count} times");
        }
    }
    attack.assert_bounded();
}

#[test]
fn stats_alone_are_bounded_too() {
    let mut attack = Attack::new(STATS_ALONE, USUAL.to_vec());
    attack.run();
    assert_eq!(in_stats(&attack.host), attack.sent);
}

/// Spans would end with the first of them, for good.
#[test]
fn a_request_that_never_passes_us_does_not_show_another_tracer() {
    let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let asks = |path| Request::get(path).header("traceparent", traceparent);
    for (name, request) in [
        ("answered before us", asks("/").answered_before_us(Response::new(401))),
        ("no host", asks("/").without(":authority")),
        ("a scrape", asks("/metrics")),
    ] {
        let mut host = filter_in(World::seeded(7), SHOWN);
        host.request(request).unwrap();
        let next = host.request(asks("/")).unwrap();
        let sent = next.upstream.unwrap().get("traceparent").unwrap().to_vec();
        assert_eq!((sent != traceparent.as_bytes(), host.log().len()), (true, 0), "{name}");
    }
}

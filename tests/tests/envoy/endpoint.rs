//! The filter answers scrapes in a real Envoy: on one port, for all workers, whatever becomes of one of them.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sightline_cli::wait;
use sightline_tests::crash::{Crashing, crash};
use sightline_tests::{
    Answer, Bootstrap, Collector, Configuration, Discovery, Endpoint, Message, Proxy, Request,
    Samples, Upstream, outbound,
};

const COUNT: &str = "http_server_request_duration_seconds_count";
const ACTIVE: &str = "http_server_active_requests";
const LOST: &str = "sightline_workers_lost_total";
const GAUGE: &str = "sightline_http_requests_active";
const MILLIS: &str = "sightline_http_request_duration_milliseconds_count";
const STREAMS: &str = "sightline_http_stream_duration_seconds_count";
const FIRST: &str = "sightline_http_time_to_first_byte_seconds_count";
const STATS: &str = "sightline_http_requests_total";
const SOON: Duration = Duration::from_secs(30);

/// What the filter is told: the endpoint, and more of `metrics`, and more beside it.
fn configuration(endpoint: &Endpoint, metrics: &Value, more: &Value) -> Value {
    let mut said =
        json!({"service": {"name": "shop"}, "metrics": {"endpoint": endpoint.configuration()}});
    let add = |to: &mut Value, more: &Value| {
        let more = more.as_object().into_iter().flatten();
        more.for_each(|(key, value)| to[key] = value.clone());
    };
    add(&mut said["metrics"], metrics);
    add(&mut said, more);
    said
}

fn shaped(bootstrap: Bootstrap, said: &Value, upstream: SocketAddr) -> Bootstrap {
    bootstrap.upstream(upstream).configuration(Configuration::Struct(said.clone()))
}

/// An app that says 503 below `/broken`, and nothing below `/silent`.
fn app() -> Upstream {
    Upstream::answering(|request| match request.path() {
        path if path.starts_with("/broken") => Answer::new(503).body("no"),
        path if path.starts_with("/silent") => Answer::silence(),
        _ => Answer::new(200).field("x-app", "here").body("hi"),
    })
}

fn whole(samples: &Samples, name: &str, labels: &[(&str, &str)]) -> usize {
    let value = samples.sum(name, labels).unwrap_or(0.0);
    format!("{value}").parse().expect("a count is a whole number")
}

/// Waits until a page says so, which it has to go on saying.
fn comes_to(endpoint: &Endpoint, expected: usize, name: &str, labels: &[(&str, &str)]) {
    let now = || whole(&endpoint.scrape(), name, labels);
    let reached = wait::until(name, SOON, || (now() == expected).then_some(()));
    let all = endpoint.scrape().series(name);
    assert!(reached.is_ok(), "{name} {labels:?} is {}, not {expected}: {all:#?}", now());
}

#[test]
fn it_answers_on_its_port_and_nowhere_else() {
    let upstream = app();
    let endpoint = Endpoint::anywhere();
    let said = configuration(&endpoint, &json!({}), &json!({"routes": {"ignore": []}}));
    let proxy =
        Proxy::start(|bootstrap| endpoint.put_into(shaped(bootstrap, &said, upstream.address())));
    let ask = |request: &Request| request.field_mine().send(endpoint.address()).unwrap();
    for path in ["/metrics", "/metrics?a=/b?c"] {
        let page = ask(&Request::get(path));
        assert_eq!(page.status(), 200, "{path}");
        assert_eq!(page.field("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
        assert_eq!(page.field("cache-control"), Some("no-store"));
        assert_eq!(page.field("x-request-id"), Some("mine"));
        let head = ask(&Request::new("HEAD", path));
        let names = ["content-length", "content-type", "cache-control", "x-request-id"];
        assert_eq!(names.map(|name| head.field(name)), names.map(|name| page.field(name)));
        assert_eq!(page.field("content-length"), Some(page.body.len().to_string().as_str()));
    }
    let openmetrics =
        ask(&Request::get("/metrics").field("accept", "application/openmetrics-text"));
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!(openmetrics.field("content-type"), Some(kind));
    assert!(openmetrics.text().ends_with("\n# EOF\n"));
    // Nobody else answers on that listener.
    for request in
        [Request::get("/metrics/"), Request::post("/metrics").body("a"), Request::get("/")]
    {
        assert_eq!(ask(&request).status(), 404, "{request:?}");
    }
    assert!(upstream.requests().is_empty());
    for method in ["GET", "HEAD", "POST"] {
        let answer = proxy.send(&Request::new(method, "/metrics?x=1").field_mine());
        assert_eq!((answer.status(), answer.field("x-app")), (200, Some("here")));
        assert_eq!(answer.all("x-request-id"), [b"mine"]);
        let seen = upstream.requests().pop().unwrap();
        assert_eq!((seen.method(), seen.path()), (method, "/metrics?x=1"));
        assert_eq!(seen.all("x-request-id"), [b"mine"]);
        assert!(seen.field("traceparent").is_some(), "{seen:?}");
    }
    // The three on the endpoint's listener that were no scrapes, and these three.
    proxy.settles_at(6.0, STATS, &[]);
}

/// A short hand for the field that tells that an ID goes through.
trait Mine {
    fn field_mine(&self) -> Request;
}

impl Mine for Request {
    fn field_mine(&self) -> Request {
        self.clone().field("x-request-id", "mine")
    }
}

#[test]
fn a_scrape_may_come_over_http_2_and_leaves_no_trace() {
    let upstream = app();
    let endpoint = Endpoint::anywhere();
    let said = configuration(&endpoint, &json!({}), &json!({"routes": {"ignore": []}}));
    // Envoy itself asks over HTTP/2 where a request for this path leads.
    let to_endpoint = json!({
        "match": {"path": "/over-http2"},
        "route": {"cluster": "collector", "prefix_rewrite": "/metrics"},
    });
    let proxy = Proxy::start(|bootstrap| {
        let bootstrap = shaped(bootstrap, &said, upstream.address());
        let mut bootstrap = endpoint.put_into(bootstrap).collector(endpoint.address(), true);
        let mut log = Value::Null;
        bootstrap = bootstrap.patch(|document| {
            // Also its listener has the log, to see that there is no line of a scrape.
            let manager = "/filter_chains/0/filters/0/typed_config/access_log";
            let listeners = document.pointer_mut("/static_resources/listeners").unwrap();
            log.clone_from(listeners[0].pointer(manager).unwrap());
            *listeners[1].pointer_mut(manager).unwrap() = log;
        });
        bootstrap.route(to_endpoint)
    });
    for _ in 0..5 {
        endpoint.scrape();
    }
    let page = proxy.send(&Request::get("/over-http2").field("x-request-id", "h2"));
    assert_eq!(page.status(), 200, "{}", page.text());
    assert!(page.text().contains("sightline_build_info"), "{}", page.text());
    proxy.line_of("h2");
    comes_to(&endpoint, 1, COUNT, &[]);
    proxy.settles_at(1.0, STATS, &[]);
    let of_ours: Vec<_> = proxy.lines().iter().map(|line| line["path"].clone()).collect();
    assert_eq!(of_ours, ["/over-http2"], "scrapes have no line");
    let page = endpoint.scrape();
    assert_eq!(page.sum(ACTIVE, &[]), Some(0.0));
    let over = page.series(COUNT);
    assert_eq!(over[0].0["network_protocol_version"], "1.1", "{over:?}");
}

/// Requests over so many connections side by side, so that all workers get some.
fn load(address: SocketAddr, clients: usize, requests: usize) {
    thread::scope(|scope| {
        for client in 0..clients {
            scope.spawn(move || {
                for number in 0..requests {
                    let path = if number % 10 == 9 { "/broken" } else { "/users/7" };
                    let request = Request::get(format!("{path}?{client}"));
                    request.send(address).unwrap_or_else(|error| panic!("{error}"));
                }
            });
        }
    });
}

/// Where the app's clients connect, if its listener is not the first that Envoy has.
fn app_listener(proxy: &Proxy) -> SocketAddr {
    let look = || {
        let said: Value = serde_json::from_str(&proxy.admin("/listeners?format=json")).ok()?;
        let mut all = said["listener_statuses"].as_array()?.iter();
        let ours = all.find(|listener| listener["name"] != "metrics")?;
        let port = ours.pointer("/local_address/socket_address/port_value")?.as_u64()?;
        Some(SocketAddr::from(([127, 0, 0, 1], u16::try_from(port).ok()?)))
    };
    wait::until("the app's listener", SOON, look).unwrap()
}

#[test]
fn all_workers_are_on_every_page_also_after_reloads() {
    const EACH: usize = 400;
    let upstream = app();
    let endpoint = Endpoint::anywhere();
    let mut discovery = Discovery::new(4);
    let said = configuration(&endpoint, &json!({}), &json!({}));
    let proxy = Proxy::with_workers(4, |bootstrap| {
        let bootstrap = endpoint.put_into(shaped(bootstrap, &said, upstream.address()));
        discovery.put_into(bootstrap)
    });
    let (app, mut before) = (app_listener(&proxy), 0);
    for (round, metrics) in [
        (1, json!({})),
        (2, json!({"buckets": [0.5, 5]})),
        (3, json!({"buckets": [], "exemplars": false})),
    ] {
        if round > 1 {
            discovery.replace(&proxy, &configuration(&endpoint, &metrics, &json!({})));
        }
        thread::scope(|scope| {
            let done = scope.spawn(|| load(app, 8, EACH / 8));
            while !done.is_finished() {
                let now = whole(&endpoint.scrape(), COUNT, &[]);
                assert!(now >= before, "{before}, then {now}");
                before = now;
            }
        });
        comes_to(&endpoint, EACH * round, COUNT, &[]);
        let failed = [("http_response_status_code", "503"), ("error_type", "503")];
        comes_to(&endpoint, EACH * round / 10, COUNT, &failed);
        // Whichever worker answers.
        for _ in 0..16 {
            assert_eq!(whole(&endpoint.scrape(), COUNT, &[]), EACH * round);
        }
        proxy.settles_at(f64::from(u16::try_from(EACH * round).unwrap()), STATS, &[]);
    }
    let page = endpoint.scrape();
    let all = [("le", "+Inf")];
    assert_eq!(whole(&page, "http_server_request_duration_seconds_bucket", &all), EACH * 3);
    assert_eq!((whole(&page, LOST, &[]), whole(&page, ACTIVE, &[])), (0, 0));
}

#[test]
fn a_worker_that_crashes_is_counted_and_what_it_had_under_way_is_not_active_for_ever() {
    const SERVED: usize = 200;
    let upstream = app();
    let endpoint = Endpoint::anywhere();
    let crashing = Crashing::new();
    let said = configuration(&endpoint, &json!({}), &json!({}));
    let began = Instant::now();
    let proxy = Proxy::with_workers(2, |bootstrap| {
        let bootstrap = shaped(bootstrap, &said, upstream.address());
        endpoint.put_into(crashing.put_into(bootstrap, "FAIL_RELOAD"))
    });
    load(proxy.address(), 4, SERVED / 4);
    let waiting: Vec<_> =
        (0..12).map(|_| Request::get("/silent").begin(proxy.address()).unwrap()).collect();
    comes_to(&endpoint, SERVED, COUNT, &[]);
    comes_to(&endpoint, 12, ACTIVE, &[]);
    proxy.settles_at(12.0, GAUGE, &[]);
    // A VM that is younger is not made anew.
    let is_old = || (began.elapsed() > Duration::from_secs(2)).then_some(());
    wait::until("the VMs to be old enough", SOON, is_old).unwrap();
    let mut connection = TcpStream::connect(proxy.address()).unwrap();
    assert_eq!(crash(&mut connection).unwrap().status(), 503);
    // It takes a request to make it anew, and until then it answers with 503; which worker gets a request, the
    // kernel says.
    let is_missed = || {
        let page = Request::get("/metrics").send(endpoint.address()).unwrap();
        let lost = Samples::parse(page.text()).sum(LOST, &[]);
        (lost == Some(1.0)).then_some(())
    };
    wait::until("the crashed worker to be missed", SOON, is_missed).unwrap();
    let is_well = || {
        let mut pages = (0..20).map(|_| Request::get("/metrics").send(endpoint.address()).unwrap());
        pages.all(|page| page.status() == 200).then_some(())
    };
    wait::until("all workers to be well", SOON, is_well).unwrap();
    drop(waiting);
    comes_to(&endpoint, 0, ACTIVE, &[]);
    let gauge = || (whole(&proxy.stats(), GAUGE, &[]) == 0).then_some(());
    wait::until("no request to be active", SOON, gauge).unwrap();
    assert_eq!(whole(&endpoint.scrape(), LOST, &[]), 1);
    assert!(whole(&endpoint.scrape(), COUNT, &[]) >= SERVED);
}

#[test]
fn envoys_stats_count_what_is_active_and_milliseconds_by_class() {
    let upstream = app();
    let endpoint = Endpoint::anywhere();
    let templates = json!({"routes": {"templates": ["/{what}"]}});
    let said = configuration(&endpoint, &json!({}), &templates);
    let proxy =
        Proxy::start(|bootstrap| endpoint.put_into(shaped(bootstrap, &said, upstream.address())));
    let hanging =
        ["/silent", "/silent"].map(|path| Request::get(path).begin(proxy.address()).unwrap());
    proxy.settles_at(2.0, GAUGE, &[]);
    comes_to(&endpoint, 2, ACTIVE, &[("http_request_method", "GET"), ("url_scheme", "http")]);
    drop(hanging);
    for path in ["/users", "/users", "/broken"] {
        proxy.send(&Request::get(path));
    }
    let none = || (proxy.stats().sum(GAUGE, &[]) == Some(0.0)).then_some(());
    wait::until("no request to be active", SOON, none).unwrap();
    comes_to(&endpoint, 0, ACTIVE, &[]);
    for (class, count) in [("2xx", 2.0), ("5xx", 1.0), ("0xx", 2.0)] {
        let labels = [
            ("http_request_method", "GET"),
            ("http_route", "/{what}"),
            ("http_response_status_class", class),
        ];
        proxy.settles_at(count, MILLIS, &labels);
    }
    let gone = [("error_type", "downstream_connection_termination")];
    comes_to(&endpoint, 2, COUNT, &gone);
}

/// Asks for an upgrade over its own connection, and waits until it is there.
pub(crate) fn upgrade(address: SocketAddr) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .write_all(b"GET /socket HTTP/1.1\r\nhost: shop\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n")
        .unwrap();
    stream.read_exact(&mut [0; 12]).unwrap();
}

#[test]
fn streams_are_apart_and_the_first_byte_is_that_of_all() {
    let upstream = Upstream::answering(|request: &Message| match request.path() {
        "/socket" => {
            let head = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
            Answer::raw(head).then_silence()
        }
        "/events" => {
            let events = Answer::new(200).field("content-type", "text/event-stream").chunked();
            events
                .chunk("data: a\n\n")
                .pause(Duration::from_millis(600))
                .chunk("data: b\n\n")
                .last_chunk()
        }
        "/call" => Answer::new(200)
            .field("content-type", "application/grpc")
            .field("grpc-status", "14")
            .body(""),
        _ => Answer::new(200).body("hi"),
    });
    let endpoint = Endpoint::anywhere();
    let templates = json!({"routes": {"templates": ["/{what}"]}});
    let said = configuration(&endpoint, &json!({}), &templates);
    let proxy =
        Proxy::start(|bootstrap| endpoint.put_into(shaped(bootstrap, &said, upstream.address())));
    upgrade(proxy.address());
    proxy.send(&Request::get("/events"));
    proxy
        .send(&Request::post("/call").field("content-type", "application/grpc").body("\0\0\0\0\0"));
    proxy.send(&Request::get("/plain"));
    comes_to(&endpoint, 3, STREAMS, &[]);
    let page = endpoint.scrape();
    for (stream, status, error) in
        [("websocket", "101", None), ("sse", "200", None), ("grpc", "200", Some("UNAVAILABLE"))]
    {
        let labels = [("sightline_stream", stream), ("http_response_status_code", status)];
        let error = error.map(|error| ("error_type", error));
        let labels: Vec<_> = labels.into_iter().chain(error).collect();
        assert_eq!(whole(&page, STREAMS, &labels), 1, "{labels:?}");
    }
    assert_eq!(whole(&page, COUNT, &[]), 1);
    assert_eq!(whole(&page, "sightline_http_time_to_first_byte_seconds_count", &[]), 4);
    let events = [("sightline_stream", "sse")];
    let took = page.sum("sightline_http_stream_duration_seconds_sum", &events).unwrap();
    assert!((0.6..30.0).contains(&took), "{took}");
    proxy.settles_at(3.0, "sightline_http_stream_duration_milliseconds_count", &[]);
    proxy.settles_at(1.0, "sightline_http_request_duration_milliseconds_count", &[]);
}

#[test]
fn exemplars_name_traces_that_the_collector_has() {
    for (exemplars, ratio) in [(true, 1.0), (false, 1.0), (true, 0.0)] {
        let (upstream, collector, endpoint) = (app(), Collector::start(), Endpoint::anywhere());
        let more = json!({"sampling": {"ratio": ratio, "keep_errors": false},
            "export": {"cluster": "collector", "interval": "1s"}});
        let said = configuration(&endpoint, &json!({"exemplars": exemplars}), &more);
        let proxy = Proxy::start(|bootstrap| {
            let bootstrap = shaped(bootstrap, &said, upstream.address());
            endpoint.put_into(bootstrap).collector(collector.address(), false)
        });
        for number in 0..6 {
            proxy.send(&Request::get(format!("/users/{number}")));
        }
        comes_to(&endpoint, 6, COUNT, &[]);
        let ask = Request::get("/metrics").field("accept", "application/openmetrics-text");
        let page = ask.send(endpoint.address()).unwrap().text();
        let ids = |name: &str| -> Vec<String> {
            let before = format!("{name}=\"");
            let all = page.split(&before).skip(1);
            all.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
        };
        let (traces, spans) = (ids("trace_id"), ids("span_id"));
        assert_eq!(traces.is_empty(), !exemplars || ratio < 0.5, "{exemplars} {ratio}: {page}");
        for (trace, span) in traces.iter().zip(&spans) {
            let found =
                collector.span_where("that of an exemplar", |it| it.trace_id_hex() == *trace);
            assert_eq!(found.span_id_hex(), *span);
        }
    }
}

#[test]
fn both_listeners_of_a_sidecar_are_on_one_page() {
    let (upstream, endpoint) = (app(), Endpoint::anywhere());
    let said = configuration(&endpoint, &json!({}), &json!({}));
    let proxy = Proxy::start(|bootstrap| {
        let bootstrap = shaped(bootstrap, &said, upstream.address());
        endpoint.put_into(outbound(bootstrap, upstream.address(), |it| it))
    });
    for (address, requests) in [(proxy.address(), 3), (proxy.outbound_address(), 5)] {
        load(address, 1, requests);
    }
    comes_to(&endpoint, 3, COUNT, &[]);
    comes_to(&endpoint, 5, "http_client_request_duration_seconds_count", &[("url_scheme", "http")]);
    let page = endpoint.scrape();
    assert_eq!(whole(&page, FIRST, &[("sightline_direction", "outbound")]), 5);
    assert_eq!(whole(&page, FIRST, &[]), 8);
    assert_eq!(page.sum("http_client_active_requests", &[]), Some(0.0));
}

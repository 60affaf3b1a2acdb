//! What is counted of requests of every kind, under which names: the pages and Envoy's stats.

use std::time::Duration;

use sightline_host::{Cluster, Direction, Host, Outcome, Request, Response, Stat, World};
use sightline_tests::Samples;

use super::{COUNT, TICK, configuration, page, scrape, shop, whole};
use crate::{filter_in, line, plugin};

const STREAMS: &str = "sightline_http_stream_duration_seconds_count";
const FIRST: &str = "sightline_http_time_to_first_byte_seconds_count";

fn send(host: &mut Host, request: Request) -> Outcome {
    host.request(request).unwrap()
}

/// A page in `OpenMetrics`, with what only that has.
fn openmetrics(host: &mut Host) -> String {
    let request = Request::get("/metrics").header("accept", "application/openmetrics-text");
    page(&send(host, request))
}

#[test]
fn streams_are_counted_apart_and_the_first_byte_of_all() {
    let mut host = shop("", r#", "routes": {"templates": ["/{kind}"]}"#);
    let events = || {
        let events = Response::new(200).header("content-type", "text/event-stream");
        events.chunk("data: 1\n\n").pause(TICK * 20).chunk("data: 2\n\n")
    };
    let grpc = || Request::new("POST", "/grpc").header("content-type", "application/grpc+proto");
    let slow_call = Response::new(200)
        .header("content-type", "application/grpc")
        .chunk("\0\0\0\0\0")
        .pause(TICK * 40)
        .chunk("\0\0\0\0\0")
        .trailer("grpc-status", "14");
    for request in [
        Request::get("/socket").upgrade("websocket").answered(Response::new(101)),
        Request::get("/events").answered(events()),
        // A client that leaves events has had enough, and nothing failed.
        Request::get("/events").answered(events().then_silence()).abandoned_after(TICK),
        grpc().answered(Response::grpc_message(0, b"one")),
        grpc().answered(slow_call),
        Request::get("/plain").answered(Response::new(200).after(TICK)),
        Request::get("/plain").answered(Response::silence()).abandoned_after(TICK),
        Request::get("/refused").upgrade("websocket").answered(Response::new(403)),
    ] {
        send(&mut host, request.timeout(Duration::ZERO));
    }
    let page = scrape(&mut host, 0);
    let told = |name: &str| {
        let mut told: Vec<_> = page.series(name).into_iter().collect();
        told.retain(|(_, value)| *value > 0.0);
        let text = |(labels, value): (std::collections::BTreeMap<_, _>, f64)| {
            let text = |name: &str| labels.get(name).map_or("-", String::as_str).to_owned();
            let labels =
                ["http_route", "http_response_status_code", "error_type", "sightline_stream"];
            format!("{} {value}", labels.map(text).join(" "))
        };
        told.into_iter().map(text).collect::<Vec<_>>()
    };
    assert_eq!(
        told(STREAMS),
        [
            "/{kind} 101 - websocket 1",
            "/{kind} 200 - sse 2",
            "/{kind} 200 - grpc 1",
            "/{kind} 200 UNAVAILABLE grpc 1",
        ]
    );
    assert_eq!(
        told(COUNT),
        [
            "/{kind} 200 - - 1",
            "/{kind} - downstream_connection_termination - 1",
            "/{kind} 403 - - 1",
        ]
    );
    assert_eq!(whole(&page, FIRST, &[]), 7);
    let sums = page.sum("sightline_http_stream_duration_seconds_sum", &[]).unwrap();
    assert!((61.0..62.0).contains(&sums), "{sums}");
    let long = [("sightline_stream", "sse"), ("le", "30.0")];
    assert_eq!(whole(&page, "sightline_http_stream_duration_seconds_bucket", &long), 2);
}

#[test]
fn envoys_stats_have_their_names_and_milliseconds() {
    let mut host = filter_in(World::seeded(7), r#"{"routes": {"templates": ["/users/{id}"]}}"#);
    let after = |millis| Response::new(200).after(Duration::from_micros(millis));
    for request in [
        Request::get("/users/1").answered(after(999)),
        Request::get("/users/2").answered(after(41_500)),
        Request::new("PUT", "/users/3").answered(Response::new(204)),
        Request::new("BREW", "/users/4").answered(Response::new(503)),
        Request::get("/users/5").answered(Response::silence()).abandoned_after(TICK),
        Request::get("/users/6")
            .answered(Response::new(200).header("content-type", "text/event-stream")),
        // No telemetry at all.
        Request::get("/healthz"),
    ] {
        send(&mut host, request);
    }
    host.advance(TICK).unwrap();
    let mut told: Vec<_> = host.stats().all();
    told.retain(|(name, _)| name.contains("http"));
    let told: Vec<_> = told
        .into_iter()
        .map(|(name, stat)| match stat {
            Stat::Counter(number) => format!("{name} {number}"),
            Stat::Gauge(number) => format!("{name} = {number}"),
            Stat::Histogram(samples) => format!("{name} {samples:?}"),
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    http_request_method=.=GET;.;http_route=.=/users/{id};.;http_response_status_code=.=0;.;sightline_http_requests_total 1
    http_request_method=.=GET;.;http_route=.=/users/{id};.;http_response_status_code=.=200;.;sightline_http_requests_total 3
    http_request_method=.=PUT;.;http_route=.=/users/{id};.;http_response_status_code=.=204;.;sightline_http_requests_total 1
    http_request_method=.=_OTHER;.;http_route=.=/users/{id};.;http_response_status_code=.=503;.;sightline_http_requests_total 1
    sightline_http_requests_active = 0
    http_request_method=.=GET;.;http_route=.=/users/{id};.;http_response_status_class=.=0xx;.;sightline_http_request_duration_milliseconds [1000]
    http_request_method=.=GET;.;http_route=.=/users/{id};.;http_response_status_class=.=2xx;.;sightline_http_request_duration_milliseconds [0, 41]
    http_request_method=.=GET;.;http_route=.=/users/{id};.;http_response_status_class=.=2xx;.;sightline_http_stream_duration_milliseconds [0]
    http_request_method=.=PUT;.;http_route=.=/users/{id};.;http_response_status_class=.=2xx;.;sightline_http_request_duration_milliseconds [0]
    http_request_method=.=_OTHER;.;http_route=.=/users/{id};.;http_response_status_class=.=5xx;.;sightline_http_request_duration_milliseconds [0]
    "#);
}

const CUSTOM: &str = r#", "custom": [
    {"name": "payments", "kind": "counter", "route": "/api/payments", "method": "POST", "unit": "EUR",
     "value": {"response_header": "x-amount"},
     "labels": {"outcome": {"response_header": "x-payment-status", "allow": ["success", "declined"]}}},
    {"name": "sizes", "kind": "histogram", "value": {"request_header": "x-size"}, "buckets": [1, 10.5], "unit": "By"},
    {"name": "orders", "kind": "counter", "route": "till"}]"#;
const TEMPLATES: &str =
    r#", "routes": {"templates": ["/api/payments", {"path": "/orders/{id}", "name": "till"}]}"#;

#[test]
fn headers_become_figures_of_the_business() {
    let mut host = shop(CUSTOM, TEMPLATES);
    let pay = |amount: &str, outcome: &str| {
        let response = Response::new(200).header("x-amount", amount);
        Request::new("POST", "/api/payments").answered(response.header("x-payment-status", outcome))
    };
    let requests = [
        pay("12.5", "success"),
        pay("0.000000001", "success"),
        pay("7", "declined"),
        pay("1", "stolen\"\n"),
        pay("-3", "success"),
        pay("1e3", "success"),
        pay("NaN", "success"),
        // Neither its route nor its method.
        Request::get("/api/payments").answered(Response::new(200).header("x-amount", "100")),
        Request::new("POST", "/other").answered(Response::new(200).header("x-amount", "100")),
        Request::get("/orders/7").header("x-size", "1"),
        Request::get("/orders/8").header("x-size", "10.75"),
        Request::get("/orders/9").header("x-size", "1").header("x-size", "2"),
    ];
    for (number, request) in requests.into_iter().enumerate() {
        send(&mut host, request.on_worker(number % 4));
    }
    host.advance(TICK).unwrap();
    let text = openmetrics(&mut host);
    let shown = |line: &&str| line.contains("_custom_") || line.contains("invalid_values");
    let custom: Vec<_> = text.lines().filter(shown).collect();
    insta::assert_snapshot!(custom.join("\n"), @r#"
    # TYPE sightline_invalid_values counter
    # HELP sightline_invalid_values Values of custom metrics that are no amounts
    sightline_invalid_values_total{metric="sightline.custom.payments"} 3
    sightline_invalid_values_total{metric="sightline.custom.sizes"} 1
    # TYPE sightline_custom_payments_EUR counter
    # UNIT sightline_custom_payments_EUR EUR
    # HELP sightline_custom_payments_EUR Custom metric, as the configuration has it
    sightline_custom_payments_EUR_total{outcome="success"} 12.500000001
    sightline_custom_payments_EUR_total{outcome="declined"} 7
    sightline_custom_payments_EUR_total{outcome="other"} 1
    # TYPE sightline_custom_sizes_bytes histogram
    # UNIT sightline_custom_sizes_bytes bytes
    # HELP sightline_custom_sizes_bytes Custom metric, as the configuration has it
    sightline_custom_sizes_bytes_bucket{le="1.0"} 1
    sightline_custom_sizes_bytes_bucket{le="10.5"} 1
    sightline_custom_sizes_bytes_bucket{le="+Inf"} 2
    sightline_custom_sizes_bytes_sum 11.75
    sightline_custom_sizes_bytes_count 2
    # TYPE sightline_custom_orders counter
    # HELP sightline_custom_orders Custom metric, as the configuration has it
    sightline_custom_orders_total 3
    "#);
}

fn exporting(ratio: &str, metrics: &str) -> Host {
    let more = format!(
        r#", "sampling": {{"ratio": {ratio}}}, "export": {{"cluster": "collector"}}, "routes": {{"templates": ["/{{a}}"]}}"#
    );
    let cluster = Cluster::answering(Response::new(200));
    let world = World::seeded(7).workers(4).cluster("collector", cluster);
    filter_in(world, &configuration(metrics, &more))
}

/// The trace IDs of exemplars, in the order of the page.
fn exemplars(page: &str) -> Vec<String> {
    let ids =
        page.lines().filter_map(|line| line.split_once(" # {trace_id=\"")?.1.split('"').next());
    ids.map(str::to_owned).collect()
}

#[test]
fn exemplars_are_requests_whose_spans_are_exported() {
    for (name, ratio, metrics, expected) in [
        ("all", "1", "", [true, true]),
        ("none but errors", "0", "", [false, true]),
        ("they are not wanted", "1", r#", "exemplars": false"#, [false, false]),
    ] {
        let mut host = exporting(ratio, metrics);
        let ids = [200, 503].map(|status| {
            let request = Request::get("/a").answered(Response::new(status)).on_worker(1);
            line(&send(&mut host, request))["trace_id"].as_str().unwrap().to_owned()
        });
        host.advance(TICK).unwrap();
        let page = openmetrics(&mut host);
        let shown = exemplars(&page);
        assert_eq!(ids.map(|id| shown.contains(&id)), expected, "{name}: {page}");
        let text = super::page(&send(&mut host, Request::get("/metrics")));
        assert!(!text.contains("trace_id"), "{name}: the text of Prometheus has none");
    }
}

#[test]
fn without_an_exporter_there_are_no_exemplars() {
    let mut host = shop("", r#", "sampling": {"ratio": 1}"#);
    send(&mut host, Request::get("/a").answered(Response::new(503)));
    assert_eq!(exemplars(&openmetrics(&mut host)), [""; 0]);
}

#[test]
fn the_newest_of_each_bucket_stands_for_it() {
    let mut host = exporting("1", "");
    let mut ask = |millis, worker| {
        let response = Response::new(200).after(Duration::from_millis(millis));
        let outcome = send(&mut host, Request::get("/a").answered(response).on_worker(worker));
        line(&outcome)["trace_id"].as_str().unwrap().to_owned()
    };
    ask(6, 0);
    let (fast, slow) = (ask(7, 1), ask(300, 2));
    host.advance(TICK).unwrap();
    let page = openmetrics(&mut host);
    let buckets: Vec<_> = page
        .lines()
        .filter(|line| line.starts_with("http_server_request_duration_seconds_bucket"))
        .filter(|line| line.contains(" # {"))
        .collect();
    assert_eq!(buckets.len(), 2, "{page}");
    for (bucket, id, value) in [(buckets[0], fast, "0.007"), (buckets[1], slow, "0.3")] {
        assert!(bucket.contains(&format!("trace_id=\"{id}\"")), "{bucket}");
        assert!(bucket.contains(&format!("}} {value} 17")), "{bucket}");
    }
}

#[test]
fn one_configuration_counts_both_ways_each_under_its_name() {
    let said = configuration(CUSTOM, TEMPLATES);
    let mut host = Host::empty(World::seeded(7).workers(4).manager(crate::as_deployed()));
    let inbound = host.load(plugin(&said).direction(Direction::Inbound)).unwrap();
    let outbound = host.load(plugin(&said).direction(Direction::Outbound)).unwrap();
    for (way, worker, times) in [(inbound, 0, 3), (outbound, 1, 2), (outbound, 2, 2)] {
        for _ in 0..times {
            send(&mut host, Request::get("/orders/7").through(way).on_worker(worker));
        }
    }
    let waits = Request::get("/a").answered(Response::silence()).through(outbound);
    let waits = host.begin(waits.abandoned_after(TICK * 3)).unwrap();
    host.advance(TICK).unwrap();
    for way in [inbound, outbound] {
        let outcome = send(&mut host, Request::get("/metrics").through(way).on_worker(3));
        let page = Samples::parse(page(&outcome));
        assert_eq!(whole(&page, COUNT, &[]), 3);
        assert_eq!(whole(&page, "http_client_request_duration_seconds_count", &[]), 4);
        assert_eq!(whole(&page, "http_client_active_requests", &[("url_scheme", "http")]), 1);
        assert_eq!(whole(&page, "http_server_active_requests", &[]), 0);
        assert_eq!(whole(&page, FIRST, &[("sightline_direction", "outbound")]), 4);
        assert_eq!(whole(&page, FIRST, &[]), 7);
    }
    assert!(host.finish(waits).is_ok());
}

#[test]
fn series_have_a_bound_and_past_it_method_and_status_stay() {
    /// What a service of few routes has room for.
    const LIMIT: usize = 2_000;
    const METHODS: [&str; 9] =
        ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "QUERY"];
    let mut host = shop("", r#", "routes": {"templates": ["/a", "/b"], "limit": 1}"#);
    let (mut requests, mut settled) = (0_u64, 0);
    for round in 0..2 {
        for (number, method) in METHODS.iter().cycle().enumerate().take(5_400) {
            let status = u16::try_from(200 + number / 9 % 300).unwrap();
            let path = if number < 2_700 { "/a" } else { "/b" };
            let request = Request::new(method, path).answered(Response::new(status));
            send(&mut host, request.on_worker(number % 4));
            requests += 1;
        }
        host.advance(TICK).unwrap();
        let memory = host.memory_bytes();
        assert!(round == 0 || memory == settled, "memory grows with requests");
        settled = memory;
    }
    let page = scrape(&mut host, 0);
    let series = page.series(COUNT);
    assert!((LIMIT..=2 * LIMIT + 1).contains(&series.len()), "{}", series.len());
    let other = series.iter().filter(|(labels, _)| labels["http_route"] == "_other");
    let (mut with_status, mut without) = (0, 0);
    for (labels, _) in other {
        match labels.get("http_response_status_code") {
            Some(_) => with_status += 1,
            None => without += 1,
        }
    }
    assert!(with_status > 1_000 && without == 1, "{with_status}, {without}");
    assert_eq!(whole(&page, COUNT, &[]), requests);
    let overflowed = whole(&page, "sightline_series_overflowed_total", &[]);
    let in_other = whole(&page, COUNT, &[("http_route", "_other")]);
    assert_eq!(overflowed, in_other);
}

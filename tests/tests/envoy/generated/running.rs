//! What was written, at work: its limits act and are logged, old clients are served, nothing is changed on the way, and
//! scrapes are answered on their port alone.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::json;
use sightline_cli::wait;
use sightline_tests::{Answer, Collector, Endpoint, Request, Samples, Upstream};

use super::{start, start_changed};

const SOON: Duration = Duration::from_secs(20);
const MOST_CONNECTIONS: &str =
    "/overload_manager/resource_monitors/0/typed_config/max_active_downstream_connections";
const ASKED: &str = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
const COUNT: &str = "http_server_request_duration_seconds_count";

fn app() -> Upstream {
    Upstream::answering(|_| Answer::new(200).body("the app's own"))
}

/// Where metrics are asked for, and a configuration that says so behind what more it says.
fn with_endpoint(more: &str) -> (SocketAddr, String) {
    let port = Endpoint::anywhere().address().port();
    let configuration = format!("{more}metrics: {{ endpoint: {{ port: {port} }} }}\n");
    (SocketAddr::from(([127, 0, 0, 1], port)), configuration)
}

#[test]
fn scrapes_are_answered_on_their_port_and_nowhere_else() {
    for (name, more) in [
        ("as a Struct", "service: { name: &sightline shop }\n"),
        ("as a StringValue", "service: { name: shop }\nroutes: { limit: 1_000 }\n"),
    ] {
        let (scrapes, configuration) = with_endpoint(more);
        let app = app();
        let proxy = start(&configuration, &app, None);
        for id in 0..5 {
            assert_eq!(proxy.send(&Request::get(format!("/users/{id}"))).status(), 200, "{name}");
        }
        let page = || Samples::parse(Request::get("/metrics").send(scrapes).unwrap().text());
        let counted = || page().sum(COUNT, &[("http_route", "/users/{int}")]).unwrap_or(0.0);
        wait::until(name, SOON, || (counted() > 4.5).then_some(())).unwrap();
        let elsewhere = proxy.send(&Request::get("/metrics"));
        assert_eq!(elsewhere.text(), "the app's own", "{name}");
        let besides = Request::get("/users/1").send(scrapes).unwrap();
        assert_eq!((besides.status(), besides.text().as_str()), (404, ""), "{name}");
        let labels = [("http_route", "/users/{int}"), ("http_response_status_code", "200")];
        proxy.settles_at(5.0, "sightline_http_requests_total", &labels);
    }
}

#[test]
fn every_stat_of_ours_has_its_labels_taken_out_of_its_name() {
    let (app, collector) = (app(), Collector::start());
    let (_, endpoint) =
        with_endpoint("sampling: { ratio: 1 }\nexport: { cluster: otel, interval: 200ms }\n");
    let proxy = start(&endpoint, &app, Some(&collector.address().into()));
    proxy.send(&Request::get("/users/1"));
    collector.wait_for(1);
    let names = || -> BTreeSet<String> {
        let page = proxy.admin("/stats/prometheus");
        let ours = page.lines().filter(|line| line.starts_with("sightline"));
        let names = ours.map(|line| line.split(['{', ' ']).next().unwrap().to_owned());
        // It is there or not, as something has waited when Envoy looked.
        names.filter(|name| name != "sightline_export_waiting").collect()
    };
    let all = [
        "sightline_export_batches_total",
        "sightline_exported_total",
        "sightline_http_request_duration_milliseconds_bucket",
        "sightline_http_request_duration_milliseconds_count",
        "sightline_http_request_duration_milliseconds_sum",
        "sightline_http_requests_active",
        "sightline_http_requests_total",
        "sightline_routes_active",
        "sightline_routes_collapsed",
        "sightline_spans_total",
    ];
    // One whose labels are left in has another name.
    let told = wait::until("all stats", SOON, || names().iter().eq(all).then_some(()));
    assert!(told.is_ok(), "{:?}", names());
}

#[test]
fn heads_past_the_limits_are_refused_with_a_line() {
    let app = app();
    let proxy = start("", &app, None);
    let long = |request: Request| request.field("x-long", "x".repeat(61 * 1_024));
    let many = |request| (0..101).fold(request, |it: Request, n| it.field(format!("x-{n}"), "a"));
    for (name, request) in
        [("too long", long(Request::get("/"))), ("too many", many(Request::get("/")))]
    {
        let before = proxy.lines().len();
        assert_eq!(proxy.send(&request).status(), 431, "{name}");
        let line = wait::until(name, SOON, || proxy.lines().into_iter().nth(before)).unwrap();
        assert_eq!(line["status"], 431, "{name}: {line}");
    }
    assert_eq!(app.requests().len(), 0);
}

/// All that comes for these bytes until the connection ends; nothing if it ends at once.
fn raw(to: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    let mut answer = Vec::new();
    // One that is turned away may be reset under way.
    let _ = stream.write_all(request.as_bytes()).and_then(|()| stream.read_to_end(&mut answer));
    String::from_utf8(answer).unwrap()
}

#[test]
fn old_clients_are_served() {
    let app = app();
    let proxy = start("", &app, None);
    for (host, expected) in [("", "localhost"), ("host: shop.test\r\n", "shop.test")] {
        let request = format!("GET /old HTTP/1.0\r\n{host}x-request-id: old-{expected}\r\n\r\n");
        let answer = raw(proxy.address(), &request);
        assert!(answer.starts_with("HTTP/1.0 200 OK\r\n"), "{expected}: {answer}");
        assert!(answer.ends_with("the app's own"), "{expected}: {answer}");
        assert_eq!(app.requests().last().unwrap().field("host"), Some(expected));
        let line = proxy.line_of(&format!("old-{expected}"));
        assert_eq!(line["protocol"], "HTTP/1.0", "{line}");
    }
}

#[test]
fn paths_and_headers_reach_the_app_as_they_were_sent() {
    let app = app();
    let proxy = start("", &app, None);
    for path in ["/a/../b", "//a//b/", "/a%2Fb/%2e%2e/c", "/a\\b"] {
        proxy.send(&Request::get(path).field("x_user", "1"));
        let request = app.requests().pop().unwrap();
        assert_eq!((request.path(), request.field("x_user")), (path, Some("1")));
    }
}

#[test]
fn past_the_limit_of_connections_only_clients_are_turned_away() {
    let (scrapes, configuration) = with_endpoint("");
    let app = app();
    let proxy = start_changed(&configuration, &app, None, |document| {
        *document.pointer_mut(MOST_CONNECTIONS).unwrap() = json!(1);
    });
    let held = TcpStream::connect(proxy.address()).unwrap();
    let ask = || raw(proxy.address(), ASKED);
    wait::until("a client to be turned away", SOON, || ask().is_empty().then_some(())).unwrap();
    assert_eq!(Request::get("/metrics").send(scrapes).unwrap().status(), 200);
    assert!(proxy.admin("/ready").contains("LIVE"));
    drop(held);
    let served = || ask().starts_with("HTTP/1.1 200").then_some(());
    wait::until("the next to be served", SOON, served).unwrap();
}

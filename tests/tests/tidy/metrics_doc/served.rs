//! What the filter itself makes of the page's examples, on the harness.

use std::collections::BTreeSet;

use sightline_cli::FILTER;
use sightline_core::red::{Boundaries, Decimal};
use sightline_host::{Host, Manager, Module, Plugin, Request, Response, World};

use super::names::{samples, values};
use super::{Item, PAGE, codes, first_code, items, rows};

/// Where the harness listens.
const PORT: u16 = 10_000;

/// A host with the filter under this configuration. The endpoint is where the harness listens.
fn host(yaml: &str) -> Host {
    let mut said = super::tree(yaml);
    if let Some(port) = said.pointer_mut("/metrics/endpoint/port") {
        *port = PORT.into();
    }
    let module = Module::new(FILTER).unwrap();
    let plugin = Plugin::new(&module).configuration(said.to_string());
    let manager = Manager { upgrades: vec!["websocket".into()], ..Manager::default() };
    Host::new(World::seeded(7).manager(manager), plugin).unwrap()
}

/// `GET /users/1` and headers, as cells have them.
fn request(cell: &str) -> Request {
    let codes = codes(cell);
    let (method, path) = codes[0].split_once(' ').unwrap();
    let headers = codes[1..].iter().map(|header| header.split_once(": ").unwrap());
    headers.fold(Request::new(method, path), |it, (name, value)| it.header(name, value))
}

/// `200` and headers.
fn response(cell: &str) -> Response {
    let codes = codes(cell);
    let headers = codes[1..].iter().map(|header| header.split_once(": ").unwrap());
    let response = Response::new(codes[0].parse().unwrap());
    headers.fold(response, |it, (name, value)| it.header(name, value))
}

fn scrape(host: &mut Host) -> String {
    let outcome = host.request(Request::get("/metrics")).unwrap();
    String::from_utf8(outcome.client.unwrap().body).unwrap()
}

#[test]
fn every_sample_of_the_page_comes_out_of_the_requests_before_it() {
    let mut setting: Option<Host> = None;
    let mut checked = 0;
    for (marker, item) in items() {
        match (marker, item) {
            (Some("setting"), Item::Block(_, yaml)) => setting = Some(host(&yaml)),
            (Some("requests"), Item::Table(rows)) => {
                for row in rows {
                    let request = request(&row[0]).answered(response(&row[1]));
                    setting.as_mut().unwrap().request(request).unwrap();
                }
            }
            (Some("page"), Item::Block(_, samples)) => {
                let page = scrape(setting.as_mut().unwrap());
                for sample in samples.lines() {
                    assert!(
                        page.lines().any(|line| line == sample),
                        "{PAGE}: no {sample} in\n{page}"
                    );
                    checked += 1;
                }
            }
            _ => {}
        }
    }
    assert!(checked >= 14, "only {checked} samples were found");
}

#[test]
fn every_name_that_is_served_is_on_the_page() {
    let mut host = host("{metrics: {endpoint: {port: 1}}, export: {cluster: otel}}");
    for request in [
        Request::get("/a").answered(Response::new(200)),
        Request::get("/b").answered(Response::new(200).header("content-type", "text/event-stream")),
    ] {
        host.request(request).unwrap();
    }
    host.advance(std::time::Duration::from_secs(2)).unwrap();
    let (page, known) = (scrape(&mut host), samples());
    let mut checked = 0;
    for line in page.lines().filter(|line| !line.starts_with('#')) {
        let name = line.split(['{', ' ']).next().unwrap();
        assert!(known.contains_key(name) || name == "target_info", "{PAGE}: no {name}");
        checked += 1;
    }
    assert!(checked > 20, "only {checked} samples were served");
    let sources = page.split("route_source=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
    assert_eq!(sources.map(str::to_owned).collect::<BTreeSet<_>>(), values("route_source"));
}

#[test]
fn every_stream_of_the_page_is_one() {
    let mut host = host("{metrics: {endpoint: {port: 1}}}");
    for row in rows("streams") {
        let kind = first_code(&row[0]);
        let header = codes(&row[1]).first().and_then(|header| header.split_once(": "));
        let request = match (kind, header) {
            ("websocket", None) => {
                Request::get("/s").upgrade("websocket").answered(Response::new(101))
            }
            ("sse", Some((name, value))) => {
                Request::get("/s").answered(Response::new(200).header(name, value))
            }
            ("grpc", Some((name, value))) => {
                Request::new("POST", "/s").header(name, value).answered(Response::grpc(0))
            }
            other => panic!("{PAGE}: {other:?}"),
        };
        host.request(request).unwrap();
        let page = scrape(&mut host);
        let label = format!("sightline_stream=\"{kind}\"");
        let counted = page.lines().any(|line| {
            line.starts_with("sightline_http_stream_duration_seconds_count")
                && line.contains(&label)
        });
        assert!(counted, "{row:?}\n{page}");
        assert!(!page.contains("http_server_request_duration_seconds_count"), "{row:?}\n{page}");
    }
    let edges: Vec<_> = Boundaries::STREAMS.iter().map(Decimal::parts).collect();
    assert_eq!(
        (edges[0], edges[edges.len() - 1]),
        ((0, 10_000_000), (86_400, 0)),
        "10 ms to a day"
    );
}

#[test]
fn every_price_of_the_page_is_what_is_paid() {
    let rows = rows("cost");
    assert!(rows.len() >= 4, "{rows:?}");
    for row in rows {
        // What a line asks for is its own price.
        let metrics = first_code(&row[0]);
        let mut host = host(&format!("metrics: {metrics}\naccess_log: {{property: false}}"));
        let mut price = || {
            // By the second request every series is there.
            let budget = host.request(Request::get("/")).unwrap().budget;
            let counting = ["proxy_increment_metric", "proxy_record_metric"];
            let counting: u64 = counting.iter().map(|call| budget.hostcalls(call)).sum();
            [counting, budget.hostcalls("proxy_get_property")]
        };
        let (_, paid) = (price(), price());
        assert_eq!(row[1..], paid.map(|calls| calls.to_string()), "{PAGE}: {row:?}");
    }
}

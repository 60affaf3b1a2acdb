//! The listener of docs/metrics.md, pasted into the template: it shows what the app's own listener counted, and
//! nothing else is to be had there. Its queries, asked of a real Prometheus.
//!
//! That queries name only what there is, is tested where no Envoy is needed.

use std::net::SocketAddr;

use serde_json::{Value, json};
use sightline_setup::Checkout;
use sightline_tests::{Answer, Endpoint, Prometheus, Proxy, Request, Samples, Upstream};

const LISTENERS: &str = "/static_resources/listeners";
const FILTER: &str = "/filter_chains/0/filters/0/typed_config/http_filters/0/typed_config/config";

fn page() -> String {
    let page = Checkout::find().unwrap().root().join("docs/metrics.md");
    std::fs::read_to_string(page).unwrap()
}

/// As the page has it, behind its comment.
fn listener_of_the_page() -> Value {
    let page = page();
    let block = page.split("<!-- checked: listener -->\n```yaml\n").nth(1).unwrap();
    let listeners: Value = serde_saphyr::from_str(block.split("```").next().unwrap()).unwrap();
    listeners["listeners"][0].clone()
}

/// Adds the listener, and has both filters say the same.
fn paste(document: &mut Value, address: SocketAddr) {
    let mut listener = listener_of_the_page();
    let configuration = &mut listener.pointer_mut(FILTER).unwrap()["configuration"];
    configuration["value"]["metrics"]["endpoint"]["port"] = json!(address.port());
    let configuration = configuration.clone();
    listener["address"]["socket_address"] =
        json!({"address": address.ip(), "port_value": address.port()});
    let listeners = document.pointer_mut(LISTENERS).unwrap().as_array_mut().unwrap();
    let apps = listeners[0].pointer_mut(FILTER).unwrap();
    apps["configuration"] = configuration;
    let vm = apps["vm_config"].clone();
    listener.pointer_mut(FILTER).unwrap()["vm_config"] = vm;
    listeners.push(listener);
}

#[test]
fn the_listener_of_the_page_shows_what_the_apps_listener_counted() {
    let app = Upstream::answering(|_| Answer::new(200).body("the app's own"));
    let endpoint = Endpoint::anywhere().address();
    let proxy = Proxy::with_workers(2, |bootstrap| {
        bootstrap.upstream(app.address()).patch(|document| paste(document, endpoint))
    });
    for number in 0..20 {
        proxy.send(&Request::get(format!("/users/{number}")));
    }
    let scrape = || Request::get("/metrics").send(endpoint).unwrap();
    let counted = || {
        let samples = Samples::parse(scrape().text());
        let labels = [("http_route", "/users/{int}")];
        samples.sum("http_server_request_duration_seconds_count", &labels).unwrap_or(0.0)
    };
    let soon = std::time::Duration::from_secs(10);
    sightline_cli::wait::until("all requests", soon, || (counted() >= 20.0).then_some(())).unwrap();
    assert!((counted() - 20.0).abs() < 0.5, "{}", counted());
    for (name, request, status, body) in [
        ("another path", Request::get("/"), 404, ""),
        ("another method", Request::post("/metrics"), 404, ""),
    ] {
        let answer = request.send(endpoint).unwrap();
        assert_eq!((answer.status(), answer.text().as_str()), (status, body), "{name}");
    }
    let on_the_apps_port = proxy.send(&Request::get("/metrics"));
    assert_eq!(on_the_apps_port.text(), "the app's own");
}

#[test]
fn the_queries_of_the_page_are_answered_by_a_real_prometheus() {
    let app = Upstream::answering(|_| Answer::new(503).body("no"));
    let endpoint = Endpoint::anywhere().address();
    let proxy = Proxy::start(|bootstrap| {
        bootstrap.upstream(app.address()).patch(|document| paste(document, endpoint))
    });
    let prometheus = Prometheus::start(&[
        ("shop", endpoint, "/metrics"),
        ("envoy", proxy.admin_address(), "/stats/prometheus"),
    ]);
    prometheus.has_scraped_all();
    proxy.send(&Request::get("/orders"));
    let page = page();
    let queries = page.split("```promql\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    // Each that is no query ends the test; what there is to be found depends on the time that has passed.
    let mut asked = 0;
    for query in queries {
        prometheus.query(query);
        asked += 1;
    }
    assert!(asked >= 25, "only {asked} queries were found");
    let failed = "sum(http_server_request_duration_seconds_count{error_type!=\"\"})";
    prometheus.wait_for(failed, |found| found.iter().any(|(_, value)| *value > 0.5));
}

//! A real Prometheus scrapes what this project shows.

use serde_json::json;
use sightline_tests::{
    Answer, Configuration, Prometheus, Proxy, Request, Upstream, promtool_check,
};

#[test]
fn envoys_own_page_is_scraped_with_requests_by_route() {
    let upstream = Upstream::answering(|request| match request.path() {
        "/orders/9" => Answer::new(404).body(""),
        _ => Answer::new(200).body("hi"),
    });
    let templates = json!({"routes": {"templates": ["/users/{id}", "/orders/{id}"]}});
    let proxy = Proxy::start(|bootstrap| {
        bootstrap.upstream(upstream.address()).configuration(Configuration::Struct(templates))
    });
    for path in ["/users/1", "/users/2", "/users/3", "/orders/9"] {
        proxy.send(&Request::get(path));
    }
    let prometheus = Prometheus::start(&[("envoy", proxy.admin_address(), "/stats/prometheus")]);
    prometheus.has_scraped_all();
    let by_route = "sum by (http_route, http_response_status_code) (sightline_http_requests_total)";
    let found = prometheus.wait_for(by_route, |found| found.len() == 2);
    let mut told: Vec<_> = found
        .iter()
        .map(|(labels, value)| {
            (labels["http_route"].as_str(), labels["http_response_status_code"].as_str(), *value)
        })
        .collect();
    told.sort_by(|a, b| a.0.cmp(b.0));
    assert_eq!(told, [("/orders/{id}", "404", 1.0), ("/users/{id}", "200", 3.0)]);
}

#[test]
fn a_target_that_cannot_be_scraped_says_why() {
    let upstream = Upstream::answering(|_| Answer::new(200).body("this is no metric\n"));
    let prometheus = Prometheus::start(&[("app", upstream.address(), "/metrics")]);
    prometheus.wait_for("up{job=\"app\"}", |found| found.iter().any(|(_, value)| *value < 0.5));
    let targets = prometheus.targets();
    assert_eq!(targets[0].health, "down");
    assert!(targets[0].last_error.contains("parsing"), "{targets:?}");
}

#[test]
fn exemplars_are_kept_with_their_series() {
    const PAGE: &str = "# TYPE calls counter\n\
                        calls_total{route=\"/\"} 3 # {trace_id=\"abc\"} 0.25\n# EOF\n";
    let upstream = Upstream::answering(|_| {
        let media = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        Answer::new(200).field("content-type", media).body(PAGE)
    });
    let prometheus = Prometheus::start(&[("app", upstream.address(), "/metrics")]);
    prometheus.wait_for("calls_total", |found| found.iter().any(|(_, value)| *value > 2.5));
    let exemplars = prometheus.exemplars("calls_total");
    assert_eq!(exemplars.len(), 1, "{exemplars:?}");
    assert_eq!(exemplars[0].series["route"], "/");
    assert_eq!(exemplars[0].labels["trace_id"], "abc");
    assert!((exemplars[0].value - 0.25).abs() < f64::EPSILON);
}

#[test]
fn promtool_has_its_say() {
    let table = [
        ("sound", "# HELP a_total A.\n# TYPE a_total counter\na_total{b=\"c\"} 1\n", None),
        ("a counter's name", "# HELP a A.\n# TYPE a counter\na 1\n", Some("_total")),
        ("no help", "# TYPE a_total counter\na_total 1\n", Some("help")),
        ("broken", "a{ 1\n", Some("parsing error")),
    ];
    for (name, text, expected) in table {
        let said = promtool_check(text);
        match expected {
            None => assert_eq!(said, Ok(()), "{name}"),
            Some(part) => {
                assert!(said.as_ref().is_err_and(|said| said.contains(part)), "{name}: {said:?}");
            }
        }
    }
}

//! A real Prometheus scrapes what this project shows.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use sightline_cli::wait;
use sightline_tests::{
    Answer, Collector, Configuration, Endpoint, Labels, Message, Prometheus, Proxy, Request,
    Samples, Upstream, outbound, promtool_check,
};

use crate::endpoint::upgrade;

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

/// Requests that a dashboard is to show: so many of each, one after the other.
fn ask(proxy: &Proxy, requests: &[(&str, &str, usize)]) {
    for (method, path, times) in requests {
        for _ in 0..*times {
            proxy.send(&Request::new(method, path));
        }
    }
}

/// What a query gives by route, once there is something for each of these routes.
fn by_route(prometheus: &Prometheus, promql: &str, routes: usize) -> BTreeMap<String, f64> {
    let is_there = |found: &[(Labels, f64)]| {
        found.len() == routes && found.iter().all(|(_, value)| !value.is_nan())
    };
    let found = prometheus.wait_for(promql, is_there);
    found
        .into_iter()
        .map(|(mut labels, value)| (labels.remove("http_route").unwrap(), value))
        .collect()
}

#[track_caller]
fn assert_near(found: f64, expected: f64, what: &str) {
    assert!((found - expected).abs() <= expected.abs() * 1e-6, "{what}: {found}, not {expected}");
}

const COUNT: &str = "http_server_request_duration_seconds_count";

/// A service with three routes, of which one is slow and one has errors, and who asks for what.
struct Shop {
    _upstream: Upstream,
    _proxy: Proxy,
    prometheus: Prometheus,
}

/// What is asked for once before Prometheus looks, and three times behind.
const ASKED: [(&str, &str, usize); 5] = [
    ("GET", "/users/1", 6),
    ("DELETE", "/users/1", 2),
    ("GET", "/orders/1", 3),
    ("GET", "/orders/0", 1),
    ("GET", "/reports/1", 1),
];

impl Shop {
    fn start() -> Self {
        let upstream = Upstream::answering(|request| match (request.method(), request.path()) {
            ("DELETE", _) => Answer::new(503).body("no"),
            (_, "/reports/1") => Answer::new(200).pause(Duration::from_millis(600)).body("hi"),
            (_, "/orders/0") => Answer::new(404).body("none"),
            _ => Answer::new(200).body("hi"),
        });
        let endpoint = Endpoint::anywhere();
        let said = json!({
            "service": {"name": "shop", "environment": "test"},
            "metrics": {"endpoint": endpoint.configuration(), "buckets": [0.25, 0.5, 2, 20]},
            "routes": {"templates": ["/users/{id}", "/orders/{id}", "/reports/{id}"]},
        });
        let proxy = Proxy::with_workers(4, |bootstrap| {
            let bootstrap = bootstrap.upstream(upstream.address());
            endpoint.put_into(bootstrap.configuration(Configuration::Struct(said)))
        });
        let prometheus = scraped(&proxy, &endpoint);
        Self { _upstream: upstream, _proxy: proxy, prometheus }
    }
}

/// A rate is of what has grown, so each series has to be there before; and Prometheus guesses when a series began
/// by how much it has grown since, so all grow alike.
fn scraped(proxy: &Proxy, endpoint: &Endpoint) -> Prometheus {
    ask(proxy, &ASKED);
    let is_shared = || (endpoint.scrape().sum(COUNT, &[]) == Some(13.0)).then_some(());
    wait::until("all workers to have shared", Duration::from_secs(20), is_shared).unwrap();
    let prometheus = Prometheus::start(&[("shop", endpoint.address(), "/metrics")]);
    prometheus.has_scraped_all();
    let sum = format!("sum({COUNT})");
    prometheus.wait_for(&sum, |found| found.iter().any(|it| it.1 > 12.5));
    (0..3).for_each(|_| ask(proxy, &ASKED));
    prometheus.wait_for(&sum, |found| found.iter().any(|it| it.1 > 51.5));
    prometheus
}

#[test]
fn dashboards_get_rate_errors_and_durations_by_route() {
    let shop = Shop::start();
    assert_rates(&shop.prometheus);
    assert_durations(&shop.prometheus);
    assert_labels(&shop.prometheus);
}

fn assert_rates(prometheus: &Prometheus) {
    let total = by_route(prometheus, &format!("sum by (http_route) ({COUNT})"), 3);
    let total: Vec<_> = total.iter().map(|(route, number)| (route.as_str(), *number)).collect();
    assert_eq!(total, [("/orders/{id}", 16.0), ("/reports/{id}", 4.0), ("/users/{id}", 32.0)]);
    let rates = by_route(prometheus, &format!("sum by (http_route) (rate({COUNT}[2m]))"), 3);
    let reports = rates["/reports/{id}"];
    assert!(reports > 0.0, "{rates:?}");
    assert_near(rates["/users/{id}"] / reports, 8.0, "the rate of users to that of reports");
    assert_near(rates["/orders/{id}"] / reports, 4.0, "the rate of orders to that of reports");
    let errors = format!(
        "sum by (http_route) (rate({COUNT}{{http_response_status_code=~\"5..\"}}[2m])) \
         / sum by (http_route) (rate({COUNT}[2m]))"
    );
    assert_near(by_route(prometheus, &errors, 1)["/users/{id}"], 0.25, "errors of users");
    let top = prometheus.query(&format!("topk(1, sum by (http_route) (rate({COUNT}[2m])))"));
    assert_eq!(top[0].0["http_route"], "/users/{id}", "{top:?}");
}

fn assert_durations(prometheus: &Prometheus) {
    for quantile in ["0.5", "0.95", "0.99"] {
        let promql = format!(
            "histogram_quantile({quantile}, sum by (http_route, le) \
             (rate(http_server_request_duration_seconds_bucket[2m])))"
        );
        let found = by_route(prometheus, &promql, 3);
        let slow = found["/reports/{id}"];
        // All of them are in the bucket from half a second to two.
        assert_near(slow, 0.5 + 1.5 * quantile.parse::<f64>().unwrap(), quantile);
        // The others are fast, as far as the machine lets them.
        assert!(found["/users/{id}"] < slow, "{quantile}: {found:?}");
    }
    let mean = format!(
        "sum by (http_route) (http_server_request_duration_seconds_sum) / sum by (http_route) ({COUNT})"
    );
    let mean = by_route(prometheus, &mean, 3);
    assert!((0.6..2.0).contains(&mean["/reports/{id}"]), "{mean:?}");
}

fn assert_labels(prometheus: &Prometheus) {
    let errors = format!("sum by (error_type, http_request_method) ({COUNT}{{error_type!=\"\"}})");
    let errors = prometheus.query(&errors);
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert_eq!((errors[0].0["error_type"].as_str(), errors[0].1), ("503", 8.0));
    assert_eq!(errors[0].0["http_request_method"], "DELETE");
    let of_service = prometheus.query(&format!(
        "sum by (service_name, deployment_environment_name, http_response_status_code) ({COUNT} \
         * on (job, instance) group_left (service_name, deployment_environment_name) target_info)"
    ));
    let mut told: Vec<_> = of_service
        .iter()
        .map(|(labels, value)| {
            assert_eq!(labels["service_name"], "shop");
            assert_eq!(labels["deployment_environment_name"], "test");
            (labels["http_response_status_code"].as_str(), *value)
        })
        .collect();
    told.sort_by(|a, b| a.0.cmp(b.0));
    assert_eq!(told, [("200", 40.0), ("404", 4.0), ("503", 8.0)]);
    let schemes = prometheus.query(&format!("sum by (url_scheme) ({COUNT})"));
    assert_eq!((schemes.len(), schemes[0].0["url_scheme"].as_str()), (1, "http"));
    let active = prometheus.query("http_server_active_requests{http_request_method=\"GET\"}");
    assert_eq!(active.iter().map(|(_, value)| *value).collect::<Vec<_>>(), [0.0]);
}

/// Names that have to be escaped, or that somebody forgets to.
const HOSTILE: [&str; 5] =
    ["with \"quotes\"", r"back\slash\n and \", "höhe/日本 🦀", "{a=\"b\"} 1 # {", "le"];

#[test]
fn labels_are_in_prometheus_as_they_were_whatever_they_hold() {
    let upstream = Upstream::answering(|_| Answer::new(200).body("hi"));
    let endpoint = Endpoint::anywhere();
    let templates: Vec<_> = HOSTILE
        .iter()
        .enumerate()
        .map(|(number, name)| json!({"path": format!("/{number}"), "name": name}))
        .collect();
    let said = json!({
        "service": {"name": HOSTILE[0], "attributes": {"a.b": HOSTILE[1], "ünï code": HOSTILE[2], "le": "x", "9": "nine"}},
        "metrics": {"endpoint": endpoint.configuration()},
        "routes": {"templates": templates},
    });
    let proxy = Proxy::start(|bootstrap| {
        let bootstrap = bootstrap.upstream(upstream.address());
        endpoint.put_into(bootstrap.configuration(Configuration::Struct(said)))
    });
    for number in 0..HOSTILE.len() {
        proxy.send(&Request::get(format!("/{number}")));
    }
    let prometheus = Prometheus::start(&[("shop", endpoint.address(), "/metrics")]);
    prometheus.has_scraped_all();
    let found = prometheus.wait_for(COUNT, |found| found.len() == HOSTILE.len());
    let mut routes: Vec<_> =
        found.iter().map(|(labels, _)| labels["http_route"].as_str()).collect();
    let mut expected = HOSTILE;
    routes.sort_unstable();
    expected.sort_unstable();
    assert_eq!(routes, expected);
    let target = &prometheus.query("target_info")[0].0;
    assert_eq!((target["service_name"].as_str(), target["a_b"].as_str()), (HOSTILE[0], HOSTILE[1]));
    assert!(target.values().any(|value| value == HOSTILE[2]), "{target:?}");
}

/// All families that there are, by a sample of each.
const FAMILIES: [&str; 17] = [
    "http_server_request_duration_seconds_bucket",
    "http_client_request_duration_seconds_bucket",
    "http_server_active_requests",
    "http_client_active_requests",
    "sightline_http_time_to_first_byte_seconds_count",
    "sightline_http_stream_duration_seconds_count",
    "sightline_spans_total",
    "sightline_export_batches_total",
    "sightline_exported_total",
    "sightline_export_waiting",
    "sightline_routes",
    "sightline_invalid_values_total",
    "sightline_custom_paid_EUR_total",
    "sightline_custom_amounts_EUR_bucket",
    "sightline_custom_hits_total",
    "sightline_build_info",
    "target_info",
];

/// What the upstream does for each path.
fn of_all_sorts(request: &Message) -> Answer {
    match request.path() {
        "/socket" => {
            let head = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
            Answer::raw(head).then_silence()
        }
        "/events" => {
            Answer::new(200).field("content-type", "text/event-stream").body("data: a\n\n")
        }
        "/call" => {
            let call = Answer::new(200).field("content-type", "application/grpc");
            call.field("grpc-status", "13").body("")
        }
        "/reset" => Answer::reset(),
        "/silent" => Answer::silence(),
        "/broken" => Answer::new(500).body("oh"),
        "/missing/9" => Answer::new(404).body("no"),
        _ => Answer::new(200).field("x-amount", "12.5").field("x-kind", "card").body("hi"),
    }
}

/// A configuration with everything that is shown.
fn with_everything(endpoint: &Endpoint) -> Value {
    let amount = json!({"response_header": "x-amount"});
    json!({
        "service": {"name": "shop", "attributes": {"9": "\"\\"}},
        "sampling": {"ratio": 1},
        "export": {"cluster": "collector", "interval": "1s"},
        "metrics": {"endpoint": endpoint.configuration(), "otlp": {"interval": "1s"}, "custom": [
            {"name": "paid", "kind": "counter", "unit": "EUR", "value": amount,
             "labels": {"kind": {"response_header": "x-kind", "allow": ["card"]}}},
            {"name": "amounts", "kind": "histogram", "value": amount, "buckets": [1, 10], "unit": "EUR"},
            {"name": "hits", "kind": "counter"},
            {"name": "bad", "kind": "counter", "value": {"request_header": "x-bad"}},
        ]},
    })
}

/// One request of each sort, on either listener.
fn ask_for_all_sorts(proxy: &Proxy) {
    for path in ["/a/1", "/missing/9", "/broken", "/reset", "/silent", "/events"] {
        proxy.send(&Request::get(path).field("x-bad", "-1"));
        let _ = Request::post(path).send(proxy.outbound_address());
    }
    proxy
        .send(&Request::post("/call").field("content-type", "application/grpc").body("\0\0\0\0\0"));
    upgrade(proxy.address());
}

/// The endpoint's page once it has all families, and the four streams.
fn page_with_all(endpoint: &Endpoint) -> String {
    let page = || Request::get("/metrics").send(endpoint.address()).unwrap().text();
    let has_all = || {
        let page = page();
        let samples = Samples::parse(page.clone());
        let there = FAMILIES.iter().all(|name| samples.sum(name, &[]).is_some());
        let streams = samples.sum("sightline_http_stream_duration_seconds_count", &[]);
        (there && streams == Some(4.0)).then_some(page)
    };
    let found = wait::until("all families", Duration::from_secs(20), has_all);
    found.unwrap_or_else(|late| panic!("{late}: {}", page()))
}

#[test]
fn promtool_has_nothing_to_say_against_a_page_with_all_there_is() {
    let upstream = Upstream::answering(of_all_sorts);
    let (endpoint, collector) = (Endpoint::anywhere(), Collector::start());
    let said = with_everything(&endpoint);
    let proxy = Proxy::start(|bootstrap| {
        let bootstrap = bootstrap.upstream(upstream.address());
        let bootstrap = bootstrap.configuration(Configuration::Struct(said));
        let short =
            json!({"match": {"path": "/silent"}, "route": {"cluster": "app", "timeout": "0.2s"}});
        let bootstrap = outbound(bootstrap.route(short), upstream.address(), |it| it);
        endpoint.put_into(bootstrap).collector(collector.address(), false)
    });
    ask_for_all_sorts(&proxy);
    let page = page_with_all(&endpoint);
    assert_eq!(promtool_check(&page), Ok(()), "{page}");
    // What promtool does not read, Prometheus does.
    let prometheus = Prometheus::start(&[("shop", endpoint.address(), "/metrics")]);
    prometheus.has_scraped_all();
    let paid =
        prometheus.wait_for("sum(sightline_custom_paid_EUR_total)", |found| !found.is_empty());
    assert_near(paid[0].1, 2.0 * 12.5, "one paid on either listener");
}

#[test]
fn exemplars_of_the_endpoint_are_kept_and_lead_to_spans() {
    let upstream = Upstream::answering(|_| Answer::new(200).body("hi"));
    let (endpoint, collector) = (Endpoint::anywhere(), Collector::start());
    let said = json!({
        "sampling": {"ratio": 1},
        "export": {"cluster": "collector", "interval": "1s"},
        "metrics": {"endpoint": endpoint.configuration()},
        "routes": {"templates": ["/users/{id}"]},
    });
    let proxy = Proxy::start(|bootstrap| {
        let bootstrap = bootstrap.upstream(upstream.address());
        let bootstrap = bootstrap.configuration(Configuration::Struct(said));
        endpoint.put_into(bootstrap).collector(collector.address(), false)
    });
    let prometheus = Prometheus::start(&[("shop", endpoint.address(), "/metrics")]);
    for number in 0..5 {
        proxy.send(&Request::get(format!("/users/{number}")));
    }
    let buckets = "http_server_request_duration_seconds_bucket";
    let look = || Some(prometheus.exemplars(buckets)).filter(|kept| !kept.is_empty());
    let kept = wait::until("exemplars", Duration::from_secs(30), look).unwrap();
    for exemplar in kept {
        assert_eq!(exemplar.series["http_route"], "/users/{id}");
        let trace = &exemplar.labels["trace_id"];
        let span =
            collector.span_where("that of an exemplar", |span| span.trace_id_hex() == *trace);
        assert_eq!(span.span_id_hex(), exemplar.labels["span_id"]);
        assert!(exemplar.value > 0.0, "{exemplar:?}");
    }
}

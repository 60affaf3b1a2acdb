//! Requests counted as Envoy stats.

use sightline_tests::{Answer, Proxy, Request, Upstream};

#[test]
fn requests_are_counted_by_method_and_status() {
    let upstream =
        Upstream::answering(|request| match request.first_line.split(|&it| it == b' ').nth(1) {
            Some(b"/missing") => Answer::new(404).body(""),
            _ => Answer::new(200).body("hi"),
        });
    let proxy = Proxy::start(|bootstrap| bootstrap.upstream(upstream.address()));
    for (method, path, times) in
        [("GET", "/", 3), ("POST", "/", 2), ("GET", "/missing", 1), ("DELETE", "/missing", 1)]
    {
        for _ in 0..times {
            proxy.send(&Request::new(method, path));
        }
    }
    for (method, status, count) in
        [("GET", "200", 3.0), ("POST", "200", 2.0), ("GET", "404", 1.0), ("DELETE", "404", 1.0)]
    {
        let labels = [("http_request_method", method), ("http_response_status_code", status)];
        proxy.settles_at(count, "sightline_http_requests_total", &labels);
    }
    // The template's stats_tags have taken the labels out of the name.
    assert_eq!(
        proxy.stats().names_with("sightline_http"),
        [
            "sightline_http_request_duration_milliseconds_bucket",
            "sightline_http_request_duration_milliseconds_count",
            "sightline_http_request_duration_milliseconds_sum",
            "sightline_http_requests_active",
            "sightline_http_requests_total",
        ]
    );
    proxy.settles_at(7.0, "sightline_http_requests_total", &[]);
    proxy.settles_at(
        7.0,
        "envoy_http_downstream_rq_completed",
        &[("envoy_http_conn_manager_prefix", "inbound")],
    );
}

#[test]
fn all_workers_count_into_the_same_stat() {
    let upstream = Upstream::answering(|_| Answer::new(200).body("hi"));
    let proxy = Proxy::with_workers(2, |bootstrap| bootstrap.upstream(upstream.address()));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..50).for_each(|_| drop(proxy.send(&Request::get("/")))));
        }
    });
    proxy.settles_at(
        200.0,
        "sightline_http_requests_total",
        &[("http_response_status_code", "200")],
    );
    let ids: std::collections::HashSet<_> =
        proxy.lines().iter().map(|line| line["request_id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids.len(), proxy.lines().len(), "no two workers mint the same ID");
}

//! Which route a request belongs to, in the log line and in the stats.

use std::time::Duration;

use serde_json::{Value, json};
use sightline_cli::wait;
use sightline_tests::{Answer, Configuration, Nobody, Proxy, Request, Upstream};

/// An app that answers as its paths say: `/missing...` and `/gone...` are not there, `/broken...` fails.
fn app() -> Upstream {
    Upstream::answering(|request| {
        let path = request.first_line.split(|&it| it == b' ').nth(1).unwrap_or_default();
        let last = path.rsplit(|&it| it == b'/').next().unwrap_or_default();
        match last {
            _ if last.starts_with(b"missing") => Answer::new(404).body(""),
            _ if last.starts_with(b"broken") => Answer::new(500).body(""),
            _ if last.starts_with(b"moved") => Answer::new(307).body(""),
            _ => Answer::new(200).body("hi"),
        }
    })
}

fn proxy(upstream: &Upstream, said: Value) -> Proxy {
    Proxy::start(|bootstrap| {
        bootstrap.upstream(upstream.address()).configuration(Configuration::Struct(said))
    })
}

/// The route and its source of a request sent now.
fn route_of(proxy: &Proxy, request: &Request, id: &str) -> (String, String) {
    proxy.send(&request.clone().field("x-request-id", id));
    let line = proxy.line_of(id);
    let text = |field: &str| line[field].as_str().unwrap_or_default().to_owned();
    (text("route"), text("route_source"))
}

/// Sends requests one after the other, and compares the route and the source of each.
fn check(proxy: &Proxy, table: &[(&str, &str, &str, &str)]) {
    for (number, (method, path, route, source)) in table.iter().enumerate() {
        let found = route_of(proxy, &Request::new(method, path), &format!("check-{number}"));
        assert_eq!(found, ((*route).to_owned(), (*source).to_owned()), "{number}: {method} {path}");
    }
}

#[test]
fn the_templates_of_the_contract() {
    let upstream = app();
    let proxy = proxy(
        &upstream,
        json!({"routes": {"templates": [
            "/users/{id}",
            "GET /orders/<int:order_id>/items",
            "/files/{rest:path}",
            {"path": "POST /api/payments", "name": "payments", "sample": 1.0, "slow": "2s",
             "log": "errors", "ignore": ["trace"]},
            {"path": "/reset/{token}", "secret": ["token"]},
        ]}}),
    );
    check(
        &proxy,
        &[
            ("GET", "/users/1001?a=b", "/users/{id}", "template"),
            ("DELETE", "/users/me/", "/users/{id}", "template"),
            ("GET", "/users/missing", "/users/{id}", "template"),
            ("GET", "/orders/7/items", "/orders/<int:order_id>/items", "template"),
            ("HEAD", "/orders/7/items", "/orders/<int:order_id>/items", "template"),
            ("POST", "/orders/7/items", "/orders/{int}/items", "typed"),
            ("GET", "/orders/seven/items", "/orders/seven/items", "typed"),
            ("GET", "/files/a/b%2Fc.txt", "/files/{rest:path}", "template"),
            ("GET", "/reset/abc", "/reset/{token}", "template"),
            ("POST", "/api/payments/missing", "_unmatched", "unmatched"),
        ],
    );
    // The value of a secret is in no signal.
    assert_eq!(proxy.line_of("check-8")["path"], "/reset/REDACTED");
    // A payment that succeeds has no line, and a failing one has.
    proxy.send(&Request::new("POST", "/api/payments").field("x-request-id", "paid"));
    let labels = [("http_route", "payments"), ("http_response_status_code", "200")];
    proxy.settles_at(1.0, "sightline_http_requests_total", &labels);
    assert!(!proxy.raw_access_log().contains("\"paid\""), "{}", proxy.raw_access_log());
    proxy.settles_at(3.0, "sightline_http_requests_total", &[("http_route", "/users/{id}")]);
}

#[test]
fn a_path_becomes_a_route_when_the_app_has_answered_for_it() {
    let upstream = app();
    let proxy = proxy(&upstream, json!({}));
    let preflight = Request::new("OPTIONS", "/cors")
        .field("origin", "https://shop.test")
        .field("access-control-request-method", "PUT");
    assert_eq!(route_of(&proxy, &preflight, "preflight").0, "_unmatched");
    check(
        &proxy,
        &[
            ("GET", "/wp-admin/missing", "_unmatched", "unmatched"),
            ("GET", "/shop/carts/42", "/shop/carts/{int}", "typed"),
            ("GET", "/shop/broken", "/shop/broken", "typed"),
            ("GET", "/shop/moved", "/shop/moved", "typed"),
            ("GET", "/shop//carts/43/", "/shop/carts/{int}", "typed"),
            ("GET", "/a%20b", "/{str}", "typed"),
            ("GET", "/", "/", "typed"),
        ],
    );
    proxy.settles_at(2.0, "sightline_http_requests_total", &[("http_route", "/shop/carts/{int}")]);
}

#[test]
fn what_is_known_stays_known_when_the_app_denies_it() {
    let there = std::sync::atomic::AtomicBool::new(true);
    let upstream = Upstream::answering(move |_| {
        let first = there.swap(false, std::sync::atomic::Ordering::Relaxed);
        Answer::new(if first { 200 } else { 404 }).body("")
    });
    let proxy = proxy(&upstream, json!({}));
    check(
        &proxy,
        &[
            ("GET", "/users/1", "/users/{int}", "typed"),
            ("GET", "/users/2", "/users/{int}", "typed"),
            ("GET", "/users/bob", "_unmatched", "unmatched"),
        ],
    );
}

#[test]
fn what_envoy_answers_by_itself_makes_no_route() {
    let nobody = Nobody::anywhere();
    let proxy = Proxy::start(|bootstrap| bootstrap.upstream(nobody.address()));
    check(
        &proxy,
        &[
            ("GET", "/users/1", "_unmatched", "unmatched"),
            ("GET", "/users/2", "_unmatched", "unmatched"),
        ],
    );
    assert_eq!(proxy.line_of("check-0")["status"], 503);
}

#[test]
fn past_the_limit_only_the_route_is_lost() {
    let upstream = app();
    let proxy = proxy(&upstream, json!({"routes": {"limit": 3}}));
    check(
        &proxy,
        &[
            ("GET", "/a", "/a", "typed"),
            ("GET", "/b/1", "/b/{int}", "typed"),
            ("GET", "/c", "/c", "typed"),
            ("GET", "/d", "_other", "overflow"),
            ("POST", "/e/broken", "_other", "overflow"),
            ("GET", "/f/missing", "_unmatched", "unmatched"),
            ("GET", "/b/2", "/b/{int}", "typed"),
        ],
    );
    for (method, status) in [("GET", "200"), ("POST", "500")] {
        let labels = [
            ("http_route", "_other"),
            ("http_request_method", method),
            ("http_response_status_code", status),
        ];
        proxy.settles_at(1.0, "sightline_http_requests_total", &labels);
    }
    proxy.settles_at(2.0, "sightline_routes_overflowed_total", &[]);
    proxy.settles_at(3.0, "sightline_routes_active", &[]);
}

#[test]
fn a_scanner_makes_no_route() {
    let upstream = Upstream::answering(|_| Answer::new(404).body(""));
    let proxy = proxy(&upstream, json!({}));
    for number in 0..120 {
        proxy
            .send(&Request::get(format!("/{}/{number:x}.php?x={number}", "ab".repeat(number % 7))));
    }
    proxy.settles_at(120.0, "sightline_http_requests_total", &[("http_route", "_unmatched")]);
    proxy.settles_at(0.0, "sightline_routes_active", &[]);
}

/// Words that vary are learned, and all workers come to the same routes.
#[test]
fn too_many_words_beside_each_other_become_one_on_all_workers() {
    let upstream = app();
    let proxy = Proxy::with_workers(4, |bootstrap| bootstrap.upstream(upstream.address()));
    let slug = |number: usize| {
        let letter = |n: usize| char::from(b'a' + u8::try_from(n % 26).unwrap_or(0));
        format!("/blog/on-{}{}{}", letter(number), letter(number / 26), letter(number / 7))
    };
    for number in 0..130 {
        proxy.send(&Request::get(slug(number)));
    }
    let settled = || {
        // Each connection goes to some worker.
        let routes: Vec<_> = (0..12)
            .map(|try_| {
                route_of(
                    &proxy,
                    &Request::get(slug(200 + try_)),
                    &format!("late-{try_}-{}", proxy.lines().len()),
                )
            })
            .collect();
        let same =
            routes.iter().all(|route| *route == ("/blog/{str}".to_owned(), "learned".to_owned()));
        same.then_some(())
    };
    wait::until("all workers to agree", Duration::from_secs(10), settled).unwrap();
    let mut routes: Vec<String> = proxy
        .lines()
        .iter()
        .map(|line| line["route"].as_str().unwrap_or_default().to_owned())
        .collect();
    routes.sort_unstable();
    routes.dedup();
    assert!(routes.len() <= 101, "100 words and what they became: {routes:?}");
    proxy.settles_at(1.0, "sightline_routes_collapsed", &[]);
}

#[test]
fn what_is_ignored_leaves_no_trace_but_its_id() {
    let upstream = app();
    let proxy = proxy(&upstream, json!({}));
    let answer = proxy.send(&Request::get("/healthz").field("x-request-id", "probe"));
    assert_eq!(answer.field("x-request-id"), Some("probe"));
    let seen = upstream.request();
    assert_eq!(seen.field("x-request-id"), Some("probe"));
    assert!(
        seen.field("traceparent").is_some_and(|it| it.ends_with("-02")),
        "passed on, not sampled"
    );
    proxy.send(&Request::get("/healthzz").field("x-request-id", "no-probe"));
    proxy.line_of("no-probe");
    assert_eq!(proxy.lines().len(), 1, "{}", proxy.raw_access_log());
    proxy.settles_at(1.0, "sightline_http_requests_total", &[]);
}

#[test]
fn single_routes_are_left_out_of_signals() {
    let upstream = app();
    let proxy = proxy(
        &upstream,
        json!({"sampling": {"ratio": 0}, "routes": {"templates": [
            {"path": "/uncounted", "ignore": ["metrics"]},
            {"path": "/unlogged", "log": "none"},
            {"path": "/unlogged-too", "ignore": ["log"]},
            {"path": "/kept", "sample": 1},
        ]}}),
    );
    for path in ["/uncounted", "/unlogged", "/unlogged-too", "/kept"] {
        proxy.send(&Request::get(path).field("x-request-id", path.trim_start_matches('/')));
    }
    assert_eq!(proxy.line_of("kept")["trace_flags"], "03");
    assert_eq!(proxy.line_of("uncounted")["trace_flags"], "02");
    assert_eq!(proxy.lines().len(), 2);
    proxy.settles_at(3.0, "sightline_http_requests_total", &[]);
    proxy.settles_at(0.0, "sightline_http_requests_total", &[("http_route", "/uncounted")]);
}

#[test]
fn a_template_that_is_none_is_refused_where_it_is_wrong() {
    let said = json!({"routes": {"templates": ["/users/<itn:id>", "/a/{x}", "/a/{y}"]}});
    let error = Proxy::try_start(|bootstrap| bootstrap.configuration(Configuration::Struct(said)))
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default();
    for part in
        ["routes.templates[0]", "at character 9", "unknown converter `itn`", "did you mean `int`?"]
    {
        assert!(error.contains(part), "{part} is not in {error}");
    }
}

#[test]
fn a_template_that_is_never_reached_is_told() {
    let upstream = app();
    let proxy = proxy(
        &upstream,
        json!({"routes": {"precedence": "declared", "templates": ["/a/{x}", "/a/{y}"]}}),
    );
    check(&proxy, &[("GET", "/a/1", "/a/{x}", "template")]);
    assert!(
        proxy.log().contains("routes.templates[1]: \"/a/{y}\" is never reached"),
        "{}",
        proxy.log()
    );
}

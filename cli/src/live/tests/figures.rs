//! Figures are exact, and those that are not are as near as they say.

use proptest::prelude::*;

use super::*;

#[test]
fn a_route_has_its_figures() {
    let mut store = store();
    for (route, ended, duration, status) in [
        ("/a", NOW - 3 * SECOND, 10_000, 200),
        ("/a", NOW - 2 * SECOND, 20_000, 404),
        ("/a", NOW - 2 * SECOND, 2 * SECOND, 503),
        ("/b", NOW - 59 * SECOND, 1_000, 200),
        ("/b", NOW - 90 * SECOND, 1_000, 0),
    ] {
        let line = Written::new(route, ended, duration).with("status", status);
        take(&mut store, NOW, line.text().as_bytes());
    }
    let snapshot = store.snapshot(NOW);
    let totals = &snapshot.totals;
    assert_eq!((totals.requests, totals.errors), (5, 2));
    assert_eq!((totals.rate, totals.error_ratio), (0.3, 0.25));
    assert_eq!(totals.spark.len(), 60);
    assert_eq!(totals.spark[55..], [0, 0, 1, 2, 0]);
    assert_eq!(totals.spark_errors[55..], [0, 0, 0, 1, 0]);
    assert_eq!(totals.spark[1], 1);
    let [a, b] = &snapshot.routes[..] else { panic!("{:?}", snapshot.routes) };
    assert_eq!(
        (a.route.as_str(), a.told.requests, a.told.errors, a.source),
        ("/a", 3, 1, "template")
    );
    assert_eq!(a.in_flight.to_string(), "0.203");
    assert!((a.told.p50_ms.unwrap() - 20.0).abs() < 0.4, "{:?}", a.told.p50_ms);
    assert!((a.told.p99_ms.unwrap() - 2_000.0).abs() < 40.0, "{:?}", a.told.p99_ms);
    assert_eq!((b.told.requests, b.told.errors, b.told.error_ratio), (2, 1, 0.0));
    let later = store.snapshot(NOW + 70 * SECOND);
    assert_eq!((later.totals.rate, later.totals.p50_ms, later.totals.requests), (0.0, None, 5));
}

#[test]
fn a_line_that_stands_for_many_counts_as_many() {
    let mut store = store();
    for _ in 0..10 {
        let line = Written::new("/a", NOW - SECOND, 5_000).with("success_ratio", 0.1);
        take(&mut store, NOW, line.text().as_bytes());
    }
    let failed = Written::new("/a", NOW - SECOND, 50).with("status", 500);
    take(&mut store, NOW, failed.text().as_bytes());
    let totals = store.snapshot(NOW).totals;
    assert_eq!((totals.requests, totals.errors, totals.rate), (101, 1, 10.1));
    assert!((totals.error_ratio - 1.0 / 101.0).abs() < 1e-6);
    assert!((totals.p50_ms.unwrap() - 5.0).abs() < 0.1);
}

#[test]
fn streams_are_counted_and_slow_nothing_down() {
    let mut store = store();
    let stream = Written::new("/events", NOW - SECOND, 30 * SECOND).with("stream", "sse");
    take(&mut store, NOW, stream.text().as_bytes());
    let snapshot = store.snapshot(NOW);
    assert_eq!((snapshot.totals.requests, snapshot.totals.p99_ms), (1, None));
    assert_eq!(snapshot.slowest, []);
    assert_eq!(snapshot.recent[0].stream.as_deref(), Some("sse"));
    assert_eq!(snapshot.routes[0].in_flight.to_string(), "0.9");
}

#[test]
fn methods_that_are_none_are_one_row() {
    let mut store = store();
    for method in ["BREW", "get", "", "\u{0}"] {
        let line = Written::new("_unmatched", NOW, 1).with("method", method);
        take(&mut store, NOW, line.text().as_bytes());
    }
    let routes = store.snapshot(NOW).routes;
    assert_eq!((routes.len(), routes[0].method, routes[0].told.requests), (1, "_OTHER", 4));
}

#[test]
fn the_rate_of_the_first_seconds_is_over_those() {
    for (age, rate) in [(0, "6"), (1, "6"), (3, "2"), (60, "0.6")] {
        let mut store = Store::new(NOW - age * SECOND, Vec::new());
        for _ in 0..6 {
            take(&mut store, NOW, Written::new("/", NOW - SECOND, 1).text().as_bytes());
        }
        assert_eq!(store.snapshot(NOW).totals.rate.to_string(), rate, "after {age} s");
    }
}

#[test]
fn inferred_routes_are_listed_with_what_would_be_written_for_them() {
    let mut store = store();
    for (method, path, route, source) in [
        ("GET", "/orders/17", "/orders/{int}", "typed"),
        ("PUT", "/orders/18", "/orders/{int}", "typed"),
        ("GET", "/tags/new", "/tags/{str}", "learned"),
        ("GET", "/cart", "/cart", "typed"),
        ("GET", "/a:b", "/a:b", "typed"),
        ("GET", "/users/1", "/users/{id}", "template"),
        ("GET", "/wp-login.php", "_unmatched", "unmatched"),
        ("GET", "/too/many", "_other", "overflow"),
    ] {
        let line = Written::new(route, NOW, 1)
            .with("method", method)
            .with("path", path)
            .with("route_source", source);
        take(&mut store, NOW, line.text().as_bytes());
    }
    let inferred = store.snapshot(NOW).inferred;
    let told: Vec<_> = inferred
        .iter()
        .map(|it| {
            (it.route.as_str(), it.template.as_str(), it.source, it.requests, it.example.as_str())
        })
        .collect();
    assert_eq!(
        told,
        [
            ("/orders/{int}", "/orders/{order_id:int}", "typed", 2, "/orders/17"),
            ("/tags/{str}", "/tags/{tag_id}", "learned", 1, "/tags/new"),
            ("/cart", "/cart", "typed", 1, "/cart"),
        ]
    );
}

#[test]
fn the_slowest_are_those_of_five_minutes() {
    let mut store = store();
    let minute = 60 * SECOND;
    for number in 0..2_000_u64 {
        let now = NOW + number * SECOND / 5;
        let line = Written::new("/a", now, 1_000 + number % 1_000 * 100);
        take(&mut store, now, line.with("request_id", number.to_string()).text().as_bytes());
    }
    let now = NOW + 2_000 * SECOND / 5;
    let slowest = store.snapshot(now).slowest;
    let wanted = [1_999, 999, 1_998, 998, 1_997].map(|number: u32| number.to_string());
    let ids: Vec<_> = slowest.iter().map(|it| it.request_id.clone()).collect();
    assert_eq!(ids[..5], wanted);
    assert_eq!(ids.len(), 20);
    let rest: Vec<_> = store.snapshot(now + 3 * minute).slowest;
    assert!(rest.iter().all(|it| it.request_id.parse::<u32>().unwrap() > 1_000), "{rest:?}");
    assert_eq!(store.snapshot(now + 6 * minute).slowest, []);
}

#[test]
fn what_is_no_line_of_a_request_is_counted_and_told() {
    let mut store = store();
    store.not_shown(3);
    take(&mut store, NOW, b"[2026-11-21 09:15:02.104][1][warning][wasm] a word\n");
    take(&mut store, NOW, b"{\"event\":\"order 7\"}\n");
    let long = Written::new("/a", NOW, 1).with("user_agent", "x".repeat(20_000));
    take(&mut store, NOW, long.text().as_bytes());
    let snapshot = store.snapshot(NOW);
    assert_eq!(
        (snapshot.totals.requests, snapshot.dropped.lines, snapshot.recent.len()),
        (1, 6, 0)
    );
    assert_eq!(
        snapshot.dropped.reason.as_deref(),
        Some(
            "1 line of Envoy's is no JSON. 1 line is not of a request. \
             1 line is too long to be kept, and only counted. \
             3 lines came too fast to be printed, and are here all the same."
        )
    );
}

#[test]
fn requests_under_way_are_those_that_were_told_last() {
    let mut store = store();
    assert_eq!(store.snapshot(NOW).services[0].in_flight, None);
    store.in_flight("shop", 3);
    store.in_flight("shop", 2);
    store.in_flight("nobody", 9);
    let services = store.snapshot(NOW).services;
    assert_eq!((services.len(), services[0].in_flight), (1, Some(2)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn figures_agree_with_a_list_of_all_requests(
        requests in proptest::collection::vec(
            (0_u64..120_000, 0_u64..5_000_000, 0_usize..3, prop::sample::select(vec![200, 404, 500])),
            1..120,
        ),
    ) {
        let mut requests = requests;
        requests.sort_unstable();
        let mut store = store();
        for &(at, duration, route, status) in &requests {
            let now = NOW + at * 1_000;
            let line = Written::new(["/a", "/b", "/c"][route], now, duration).with("status", status);
            take(&mut store, now, line.text().as_bytes());
        }
        let now = NOW + requests.last().unwrap().0 * 1_000;
        for told in store.snapshot(now).routes {
            let of_route = |it: &&(u64, u64, usize, i32)| ["/a", "/b", "/c"][it.2] == told.route;
            let all: Vec<_> = requests.iter().filter(of_route).collect();
            prop_assert_eq!(told.told.requests, all.len() as u64);
            prop_assert_eq!(told.told.errors, all.iter().filter(|it| it.3 == 500).count() as u64);
            // Steps of ten seconds, six of them with the one under way.
            let step = |at: u64| (NOW + at * 1_000) / (10 * SECOND);
            let newest = now / (10 * SECOND);
            let mut durations: Vec<_> =
                all.iter().filter(|it| step(it.0) + 6 > newest).map(|it| it.1).collect();
            durations.sort_unstable();
            for (part, told) in [(50, told.told.p50_ms), (95, told.told.p95_ms), (99, told.told.p99_ms)] {
                let rank = (durations.len() * part).div_ceil(100);
                let exact = rank.checked_sub(1).map(|at| durations[at]);
                #[expect(clippy::cast_precision_loss, reason = "small")]
                let exact = exact.map(|us| us as f64 / 1e3);
                match (told, exact) {
                    (Some(told), Some(exact)) => {
                        prop_assert!((told - exact).abs() <= exact * 0.016 + 0.001, "{} {}", told, exact);
                    }
                    (told, exact) => prop_assert_eq!(told, exact),
                }
            }
        }
    }
}

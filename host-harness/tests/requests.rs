//! The life of a stream: which callbacks come in which order, which maps are there, and what comes
//! of it.

mod guest;

use std::time::Duration;

use guest::{configured, guest, on, outcome, said, texts, word, world};
use sightline_host::{Host, Message, Outcome, Plugin, Protocol, Request, Response, Route};

/// Long enough for a module that holds a request up to be noticed.
const A_WHILE: Duration = Duration::from_secs(1);

/// A request whose client goes away before the application has said anything.
fn abandoned() -> Request {
    Request::get("/").answered(Response::silence()).abandoned_after(A_WHILE)
}

#[test]
fn every_way_a_request_can_go_has_its_callbacks() {
    let rows: [(&str, Request, &str); 5] = [
        ("proxied", Request::get("/"), "create request response log done delete"),
        (
            "proxied over HTTP/3",
            Request::get("/").protocol(Protocol::Http3),
            "create request response done delete",
        ),
        (
            "answered by the router",
            Request::get("/").route(Route::NoHost),
            "create request response log done delete",
        ),
        (
            "answered before us",
            Request::get("/").answered_before_us(Response::new(401)),
            "create log done delete",
        ),
        ("abandoned", abandoned(), "create request log done delete"),
    ];
    let body = on("context_create", &format!("(if (local.get $root) (then {}))", word("create")))
        + &on("request_headers", &word("request"))
        + &on("response_headers", &word("response"))
        + &on("log", &word("log"))
        + &on("done", &word("done"))
        + &on("delete", &word("delete"));
    for (name, request, expected) in rows {
        assert_eq!(said(&outcome(&body, request)), expected, "{name}");
    }
}

#[test]
fn callbacks_are_told_how_many_headers_there_are_and_whether_the_stream_ends() {
    let say = "(call $say (local.get $count)) (call $say (local.get $end))";
    let body = on("request_headers", say) + &on("response_headers", say);
    let with_body = Response::new(200).body("b");
    let post = Request::new("POST", "/").body("a");
    // Envoy adds x-forwarded-proto to the one and x-envoy-upstream-service-time to the other.
    let rows = [
        ("no bodies", Request::get("/").answered(Response::new(204)), "5 1 2 1"),
        ("bodies", post.answered(with_body.clone()), "6 0 3 0"),
        ("a body that HEAD leaves out", Request::new("HEAD", "/").answered(with_body), "5 1 3 1"),
        ("more headers", Request::get("/").header("a", "1").header("a", "2"), "7 1 2 1"),
        (
            "trailers alone",
            Request::get("/").trailer("a", "1").answered(Response::new(200).trailer("a", "1")),
            "5 0 2 0",
        ),
    ];
    for (name, request, expected) in rows {
        assert_eq!(said(&outcome(&body, request)), expected, "{name}");
    }
}

#[test]
fn upstream_and_client_see_what_the_module_made_of_the_headers() {
    let body = on("request_headers", "(drop (call $add (i32.const 0) 'X-Asked' 'yes'))")
        + &on("response_headers", "(drop (call $replace (i32.const 2) 'x-by' 'us'))");
    let response = || Response::new(200).header("x-by", "them");
    let seen = |outcome: &Outcome| {
        let text = |message: &Option<Message>, name: &str| {
            let value = message.as_ref().map(|it| it.get(name).unwrap_or(b"none").to_vec());
            value.map_or("nothing".into(), |value| String::from_utf8(value).unwrap())
        };
        format!("{} {}", text(&outcome.upstream, "x-asked"), text(&outcome.client, "x-by"))
    };
    let rows = [
        ("proxied", Request::get("/").answered(response()), "yes us"),
        ("by the router", Request::get("/").route(Route::Missing), "nothing us"),
        ("before us", Request::get("/").answered_before_us(response()), "nothing them"),
        ("abandoned", abandoned(), "yes nothing"),
    ];
    for (name, request, expected) in rows {
        assert_eq!(seen(&outcome(&body, request)), expected, "{name}");
    }
}

#[test]
fn a_module_that_pauses_holds_the_stream_up_until_the_client_goes() {
    let body = |callback| on(callback, "(return (i32.const 1))") + &on("log", &word("log"));
    let request = || Request::get("/").abandoned_after(A_WHILE);
    for (callback, went_up) in [("request_headers", false), ("response_headers", true)] {
        let outcome = outcome(&body(callback), request());
        assert_eq!(outcome.upstream.is_some(), went_up, "{callback}");
        assert_eq!((said(&outcome), &outcome.client), ("log".into(), &None), "{callback}");
        assert_eq!(outcome.details.as_deref(), Some("downstream_remote_disconnect"), "{callback}");
    }
}

#[test]
fn requests_go_on_side_by_side() {
    let say = "(call $say (local.get $id))";
    let body = on("request_headers", say) + &on("response_headers", say);
    let mut host = configured(&body);
    let slow = Response::new(200).after(A_WHILE);
    let first = host.begin(Request::get("/1").answered(slow.clone())).unwrap();
    host.advance(A_WHILE / 2).unwrap();
    let second = host.begin(Request::get("/2").answered(slow)).unwrap();
    assert!(host.outcome(first).is_none());
    assert_eq!(said(&host.finish(second).unwrap()), "3 3");
    assert_eq!(said(&host.outcome(first).unwrap()), "2 2");
    assert_eq!(texts(&host), ["2", "3", "2", "3"]);
    assert!(host.outcome(first).is_none(), "an outcome is told once");
}

/// Says the status of reading, of pairs and their length, of size, and of changing, for both maps.
const TOUCH_MAPS: &str = "
    (i32.store (i32.const 12) (i32.const 0))
    (call $say (call $get (i32.const 0) ':path' (i32.const 0) (i32.const 4)))
    (call $say (call $pairs (i32.const 0) (i32.const 8) (i32.const 12)))
    (call $say (i32.ne (i32.load (i32.const 12)) (i32.const 0)))
    (call $say (call $size (i32.const 0) (i32.const 0)))
    (call $say (call $add (i32.const 0) 'x' 'y'))
    (call $say (call $get (i32.const 2) ':status' (i32.const 0) (i32.const 4)))
    (call $say (call $pairs (i32.const 2) (i32.const 8) (i32.const 12)))
    (call $say (i32.ne (i32.load (i32.const 12)) (i32.const 0)))
    (call $say (call $size (i32.const 2) (i32.const 0)))
    (call $say (call $remove (i32.const 2) 'x'))";

#[test]
fn which_maps_are_there_depends_on_the_callback() {
    // For the request's map, then the response's: read, pairs, pairs are there, size, change.
    let rows = [
        ("context_create", "2 0 0 2 2 2 0 0 2 2"),
        ("request_headers", "0 0 1 0 0 2 0 0 2 2"),
        ("response_headers", "2 0 0 2 2 0 0 1 0 0"),
        ("log", "0 0 1 2 2 0 0 1 2 2"),
        ("done", "2 0 0 2 2 2 0 0 2 2"),
        ("delete", "2 0 0 2 2 2 0 0 2 2"),
    ];
    for (callback, expected) in rows {
        let outcome = outcome(&on(callback, TOUCH_MAPS), Request::get("/"));
        assert_eq!(said(&outcome), expected, "{callback}");
    }
}

#[test]
fn the_map_at_which_a_module_pauses_is_its_to_the_end() {
    let rows = [
        ("request_headers", "log", "0 0 1 0 0 1 0 0 2 2"),
        ("request_headers", "done", "0 0 1 0 0 2 0 0 2 2"),
        ("response_headers", "log", "0 0 1 2 2 0 0 1 0 0"),
        ("response_headers", "done", "2 0 0 2 2 0 0 1 0 0"),
    ];
    for (pause, callback, expected) in rows {
        let body = on(pause, "(return (i32.const 1))") + &on(callback, TOUCH_MAPS);
        let outcome = outcome(&body, Request::get("/").abandoned_after(A_WHILE));
        assert_eq!(said(&outcome), expected, "{callback} after {pause}");
    }
}

#[test]
fn a_root_has_no_maps() {
    assert_eq!(texts(&configured(&on("configure", TOUCH_MAPS))).join(" "), "2 0 0 2 2 2 0 0 2 2");
}

#[test]
fn a_response_that_never_came_is_not_found_in_the_log() {
    let body =
        on("log", "(call $say (call $get (i32.const 2) ':status' (i32.const 0) (i32.const 4)))");
    let rows = [
        ("abandoned", abandoned(), "1"),
        ("answered before us", Request::get("/").answered_before_us(Response::new(401)), "0"),
    ];
    for (name, request, expected) in rows {
        assert_eq!(said(&outcome(&body, request)), expected, "{name}");
    }
}

#[test]
fn the_log_sees_the_headers_as_they_left() {
    let body = on("request_headers", "(drop (call $replace (i32.const 0) ':path' '/changed'))")
        + &on(
            "log",
            "(drop (call $get (i32.const 0) ':path' (i32.const 0) (i32.const 4))) (call $show)",
        );
    assert_eq!(said(&outcome(&body, Request::get("/"))), "/changed");
}

#[test]
fn the_clocks_go_on_by_what_the_request_takes_and_no_more() {
    let say = "(drop (call $clock (i32.const 1) (i64.const 0) (i32.const 0))) (call $say64 (i64.load (i32.const 0)))";
    let body = on("request_headers", say) + &on("response_headers", say) + &on("log", say);
    let after = Duration::from_nanos(5);
    let response = Response::new(200).after(after).chunk("a").every(Duration::from_nanos(7));
    let mut host = configured(&body);
    let start = host.world().monotonic();
    let outcome = host.request(Request::get("/").answered(response)).unwrap();
    assert_eq!(said(&outcome), format!("{start} {} {}", start + 5, start + 12));
    assert_eq!(host.world().monotonic(), start + 12);
}

#[test]
fn an_outcome_is_stable_text() {
    let body =
        on("request_headers", "(drop (call $pairs (i32.const 0) (i32.const 0) (i32.const 4)))")
            + &on("response_headers", "(drop (call $remove (i32.const 2) 'x-c'))")
            + &on("log", "(drop (call $set_property 'line' '{}'))");
    let response = Response::new(200).header("x-c", "them").header("x-a", "1");
    let outcome = outcome(&body, Request::get("/users/1").header("x-b", "2").answered(response));
    let expected = "\
upstream saw
  :authority: app.test
  :path: /users/1
  :method: GET
  :scheme: http
  x-b: 2
  x-forwarded-proto: http
  x-envoy-expected-rq-timeout-ms: 15000
client saw
  :status: 200
  x-a: 1
  x-envoy-upstream-service-time: 0
  date: Thu, 01 Jan 2026 00:00:00 GMT
  server: envoy
  content-length: 0
wasm.line = {}
entries
  malloc 1
  proxy_on_log 1
  proxy_on_request_headers 1
  proxy_on_response_headers 1
hostcalls
  proxy_get_header_map_pairs 1
  proxy_remove_header_map_value 1
  proxy_set_property 1
bytes to the module 149, from it 9
allocations for the host 1, 141 bytes
";
    assert_eq!(outcome.to_string(), expected);
}

#[test]
fn the_budget_of_a_request_is_its_own() {
    let mut host = configured(&on("log", "(drop (call $now (i32.const 0)))"));
    for _ in 0..3 {
        let budget = host.request(Request::get("/")).unwrap().budget;
        assert_eq!(budget.hostcalls("proxy_get_current_time_nanoseconds"), 1);
    }
    assert_eq!(host.budget().hostcalls("proxy_get_current_time_nanoseconds"), 3);
}

#[test]
fn two_runs_cost_the_same() {
    let body =
        on("request_headers", "(drop (call $pairs (i32.const 0) (i32.const 0) (i32.const 4)))");
    let run = || outcome(&body, Request::get("/").header("x-a", "1")).budget;
    assert_eq!(run(), run());
    assert!(run().fuel() > 0 && run().memory() == 65_536, "{}", run().report());
}

#[test]
fn stats_are_the_whole_processs() {
    let body = on("configure", "(drop (call $define (i32.const 0) 'requests' (i32.const 100)))")
        + &on("log", "(drop (call $increment (i32.load (i32.const 100)) (i64.const 1)))");
    let mut host = Host::new(world().workers(2), Plugin::new(&guest(&body))).unwrap();
    for worker in 0..2 {
        host.request(Request::get("/").on_worker(worker)).unwrap();
    }
    assert_eq!(host.stats().counter("requests"), Some(2));
}

#[test]
fn a_request_that_was_answered_before_us_is_over_when_the_module_first_hears_of_it() {
    let property =
        |path: &str| format!("(call $say (call $property '{path}' (i32.const 0) (i32.const 4)))");
    let code = property("request\\00duration") + &property("response\\00code");
    let body = on("context_create", &format!("(if (local.get $root) (then {code}))"));
    let denied = Request::get("/").answered_before_us(Response::new(401));
    assert_eq!(said(&outcome(&body, denied)), "0 0");
}

#[test]
fn the_applications_time_begins_with_the_end_of_the_request() {
    let slow = |request: Request| {
        let milliseconds = Duration::from_millis;
        request
            .chunk("a")
            .chunk("b")
            .every(milliseconds(10))
            .answered(Response::new(200).after(milliseconds(5)))
    };
    let early = Request::new("POST", "/").chunk("a").unfinished();
    let rows = [
        ("a request that takes its time", slow(Request::new("POST", "/")), Some("5")),
        ("a request without a body", Request::get("/"), Some("0")),
        ("an answer before its end", early.answered(Response::new(200).early()), None),
    ];
    for (name, request, expected) in rows {
        let client = outcome("", request).client.unwrap();
        let taken = client.get("x-envoy-upstream-service-time");
        assert_eq!(taken, expected.map(str::as_bytes), "{name}");
    }
}

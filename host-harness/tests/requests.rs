//! The life of a stream: which callbacks come in which order, which maps are there, and what comes
//! of it.

mod guest;

use std::time::Duration;

use guest::{configured, on, outcome, said, texts};
use sightline_host::{HeaderMap, Outcome, Pause, Request, Response, Stats, Vm, World};

#[test]
fn every_way_a_request_can_go_has_its_callbacks() {
    let rows: [(&str, Request, &str); 4] = [
        ("proxied", Request::get("/"), "create request response log done delete"),
        (
            "answered by the router",
            Request::get("/").answered_by_router(Response::new(503)),
            "create request response log done delete",
        ),
        (
            "answered before us",
            Request::get("/").answered_before_us(Response::new(401)),
            "create log done delete",
        ),
        (
            "abandoned",
            Request::get("/").abandoned_after(Duration::ZERO),
            "create request log done delete",
        ),
    ];
    let says = |word: &str| format!("(drop (call $log (i32.const 2) '{word}'))");
    let body = on("context_create", &format!("(if (local.get $root) (then {}))", says("create")))
        + &on("request_headers", &says("request"))
        + &on("response_headers", &says("response"))
        + &on("log", &says("log"))
        + &on("done", &says("done"))
        + &on("delete", &says("delete"));
    for (name, request, expected) in rows {
        assert_eq!(said(&outcome(&body, request)), expected, "{name}");
    }
}

#[test]
fn callbacks_are_told_how_many_headers_there_are_and_whether_the_stream_ends() {
    let say = "(call $say (local.get 1)) (call $say (local.get 2))";
    let body = on("request_headers", say) + &on("response_headers", say);
    let rows = [
        ("no bodies", Request::get("/").answered(Response::new(204).without_body()), "4 1 1 1"),
        ("bodies", Request::new("POST", "/").with_body().answered(Response::new(200)), "4 0 1 0"),
        ("more headers", Request::get("/").header("a", "1").header("a", "2"), "6 1 1 0"),
    ];
    for (name, request, expected) in rows {
        assert_eq!(said(&outcome(&body, request)), expected, "{name}");
    }
}

#[test]
fn upstream_and_client_see_what_the_module_made_of_the_headers() {
    let body = on("request_headers", "(drop (call $add (i32.const 0) 'X-Asked' 'yes'))")
        + &on("response_headers", "(drop (call $replace (i32.const 2) 'server' 'us'))");
    let response = || Response::new(200).header("server", "them");
    let seen = |outcome: &Outcome| {
        let text = |map: &Option<HeaderMap>, name: &str| {
            let value = map.as_ref().map(|map| map.get(name).unwrap_or(b"none").to_vec());
            value.map_or("nothing".into(), |value| String::from_utf8(value).unwrap())
        };
        format!("{} {}", text(&outcome.upstream, "x-asked"), text(&outcome.client, "server"))
    };
    let rows = [
        ("proxied", Request::get("/").answered(response()), "yes us"),
        ("by the router", Request::get("/").answered_by_router(response()), "nothing us"),
        ("before us", Request::get("/").answered_before_us(response()), "nothing them"),
        ("abandoned", Request::get("/").abandoned_after(Duration::ZERO), "yes nothing"),
    ];
    for (name, request, expected) in rows {
        assert_eq!(seen(&outcome(&body, request)), expected, "{name}");
    }
}

#[test]
fn a_module_that_pauses_holds_the_stream_up_until_the_client_goes() {
    let log = on("log", "(drop (call $log (i32.const 2) 'log'))");
    let paused =
        |callback| outcome(&(on(callback, "(return (i32.const 1))") + &log), Request::get("/"));
    let request = paused("request_headers");
    assert_eq!((request.pause, request.upstream.is_some()), (Some(Pause::Request), false));
    assert_eq!((said(&request), request.client), ("log".into(), None));
    let response = paused("response_headers");
    assert_eq!((response.pause, response.upstream.is_some()), (Some(Pause::Response), true));
    assert_eq!((said(&response), response.client), ("log".into(), None));
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
        let outcome = outcome(&body, Request::get("/"));
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
        ("abandoned", Request::get("/").abandoned_after(Duration::ZERO), "1"),
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
    let response =
        Response::new(200).after(Duration::from_nanos(5)).lasting(Duration::from_nanos(7));
    let mut vm = configured(&body);
    let start = vm.world().monotonic();
    let outcome = vm.request(Request::get("/").answered(response)).unwrap();
    assert_eq!(said(&outcome), format!("{start} {} {}", start + 5, start + 12));
    assert_eq!(vm.world().monotonic(), start + 12);
}

#[test]
fn an_outcome_is_stable_text() {
    let body = on("request_headers", "(drop (call $pairs (i32.const 0) (i32.const 0) (i32.const 4)))")
        + &on("response_headers", "(drop (call $remove (i32.const 2) 'server'))")
        + &on(
            "log",
            "(drop (call $set_property 'line' '{}'))
             (drop (call $http_call (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
               (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))",
        );
    let response = Response::new(200).header("server", "them").header("x-a", "1");
    let outcome = outcome(&body, Request::get("/users/1").header("x-b", "2").answered(response));
    let expected = "\
upstream saw
  :authority: app.test
  :path: /users/1
  :method: GET
  :scheme: http
  x-b: 2
client saw
  :status: 200
  x-a: 1
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
unimplemented
  proxy_http_call 1
";
    assert_eq!(outcome.to_string(), expected);
    assert_eq!(outcome.budget.unimplemented("proxy_http_call"), 1);
}

#[test]
fn the_budget_of_a_request_is_its_own() {
    let mut vm = configured(&on("log", "(drop (call $now (i32.const 0)))"));
    for _ in 0..3 {
        assert_eq!(
            vm.request(Request::get("/"))
                .unwrap()
                .budget
                .hostcalls("proxy_get_current_time_nanoseconds"),
            1
        );
    }
    assert_eq!(vm.budget().hostcalls("proxy_get_current_time_nanoseconds"), 3);
}

#[test]
fn stats_are_the_whole_processs() {
    let body = on("configure", "(drop (call $define (i32.const 0) 'requests' (i32.const 100)))")
        + &on("log", "(drop (call $increment (i32.load (i32.const 100)) (i64.const 1)))");
    let module = guest::guest(&body);
    let stats = Stats::default();
    for seed in 0..2 {
        let mut vm = Vm::new(&module, World::seeded(seed).sharing(&stats)).unwrap();
        vm.configure(sightline_host::Plugin::new("")).unwrap();
        vm.request(Request::get("/")).unwrap();
    }
    assert_eq!(stats.counter("requests"), Some(2));
}

#[test]
fn a_request_that_was_answered_before_us_is_over_when_the_module_first_hears_of_it() {
    let property =
        |path: &str| format!("(call $say (call $property '{path}' (i32.const 0) (i32.const 4)))");
    let code = property("request\\00duration") + &property("response\\00code");
    let mut vm = configured(&on("context_create", &code));
    let before = vm.log().len();
    vm.request(Request::get("/").answered_before_us(Response::new(401))).unwrap();
    assert_eq!(texts(&vm)[before..], ["0", "0"]);
}

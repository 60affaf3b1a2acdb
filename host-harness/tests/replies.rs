//! Answers that do not come from the application as they are: a module's own, Envoy's own, early
//! ones, and those before the answer.

mod guest;

use std::time::Duration;

use guest::{configured, guest, loaded, on, outcome, said, word, world};
use sightline_host::{
    Failure, Host, Manager, Message, Outcome, Plugin, Protocol, Request, Response, Route,
};

/// A module's own answer.
const TEAPOT: &str = "(drop (call $respond (i32.const 418) 'why so' 'tea' '' (i32.const -1)))";

/// The same, and it says the status of the call.
const SAID_TEAPOT: &str =
    "(call $say (call $respond (i32.const 418) 'why so' 'tea' '' (i32.const -1)))";

/// What the client saw, without the headers that every response has.
fn seen(outcome: &Outcome) -> String {
    let Some(client) = &outcome.client else { return "nothing".into() };
    let common = ["date", "server", "x-envoy-upstream-service-time"];
    let headers =
        client.headers.iter().filter(|(name, _)| !common.iter().any(|it| it.as_bytes() == *name));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers = headers.map(|(name, value)| format!("{}: {}", text(name), text(value)));
    let end = if client.whole { "" } else { " cut" };
    format!("{} | {}{end}", headers.collect::<Vec<_>>().join(", "), text(&client.body))
}

fn details(outcome: &Outcome) -> &str {
    outcome.details.as_deref().unwrap_or("-")
}

/// A POST whose request and response have every piece that there is.
fn full() -> Request {
    let response = Response::new(200).chunk("r").trailer("x-r", "1");
    Request::new("POST", "/").chunk("b").trailer("x-t", "1").answered(response)
}

/// Says each callback's name, and answers in one of them.
fn answering_in(callback: &str, code: &str) -> String {
    let callbacks = &guest::OF_STREAMS[1..];
    let each = |name: &&str| on(name, &(word(name) + if *name == callback { code } else { "" }));
    let create = if callback == "context_create" { code } else { "" };
    callbacks.iter().map(each).collect::<String>()
        + &on("context_create", &format!("(if (local.get $root) (then {create}))"))
}

#[test]
fn a_module_answers_by_itself_in_every_callback() {
    const TEA: &str = ":status: 418, content-length: 3, content-type: text/plain | tea";
    const TEA_AND_CLOSE: &str =
        ":status: 418, content-length: 3, content-type: text/plain, connection: close | tea";
    let rows = [
        (
            "context_create",
            TEA_AND_CLOSE,
            "request_headers response_headers response_body log done delete",
        ),
        (
            "request_headers",
            TEA_AND_CLOSE,
            "request_headers response_headers response_body log done delete",
        ),
        (
            "request_body",
            TEA_AND_CLOSE,
            "request_headers request_body response_headers response_body log done delete",
        ),
        (
            "request_trailers",
            TEA,
            "request_headers request_body request_trailers response_headers response_body log done delete",
        ),
        (
            "response_headers",
            TEA,
            "request_headers request_body request_trailers response_headers log done delete",
        ),
        (
            "response_body",
            ":status: 200 |  cut",
            "request_headers request_body request_trailers response_headers response_body log done delete",
        ),
        (
            "response_trailers",
            ":status: 200 | r cut",
            "request_headers request_body request_trailers response_headers response_body response_trailers log done delete",
        ),
    ];
    for (callback, client, callbacks) in rows {
        let outcome = outcome(&answering_in(callback, TEAPOT), full());
        assert_eq!(seen(&outcome), client, "{callback}");
        assert_eq!(details(&outcome), "why_so", "{callback}");
        assert_eq!(said(&outcome), callbacks, "{callback}");
    }
}

#[test]
fn an_answer_after_the_end_crashes_envoy() {
    for callback in ["log", "done"] {
        let failure = configured(&answering_in(callback, TEAPOT)).request(full()).unwrap_err();
        assert!(matches!(failure, Failure::WouldCrash(_)), "{callback}: {failure}");
    }
}

#[test]
fn a_root_answers_nothing() {
    assert_eq!(guest::texts(&configured(&on("configure", SAID_TEAPOT))), ["0"]);
}

#[test]
fn a_stream_that_waits_is_answered_by_its_root() {
    let tick = format!(
        "(drop (call $tick_period (i32.const 0))) (drop (call $effective (i32.const 2))) {TEAPOT}"
    );
    let rows = [
        ("at its headers", on("request_headers", "(return (i32.const 1))"), "418", "none"),
        ("at its response", on("response_headers", "(return (i32.const 1))"), "418", "one"),
    ];
    for (name, pause, status, upstream) in rows {
        let body = pause
            + &on("configure", "(drop (call $tick_period (i32.const 5)))")
            + &on("tick", &tick);
        let outcome = outcome(&body, Request::get("/"));
        assert_eq!(
            outcome.client.as_ref().unwrap().get(":status"),
            Some(status.as_bytes()),
            "{name}"
        );
        assert_eq!(outcome.upstream.is_some(), upstream == "one", "{name}");
    }
}

#[test]
fn an_answer_is_rendered_as_envoy_renders_it() {
    let json = "\\02\\00\\00\\00\\0c\\00\\00\\00\\10\\00\\00\\00\\03\\00\\00\\00\\01\\00\\00\\00content-type\\00application/json\\00x-a\\001\\00";
    let respond = |status: u32, body: &str, headers: &str| {
        format!(
            "(drop (call $respond (i32.const {status}) 'd' '{body}' '{headers}' (i32.const -1)))"
        )
    };
    let get = || Request::get("/");
    let rows = [
        (
            "a body",
            get(),
            respond(200, "b", ""),
            ":status: 200, content-length: 1, content-type: text/plain | b",
        ),
        ("no body", get(), respond(403, "", ""), ":status: 403, content-length: 0 | "),
        (
            "headers",
            get(),
            respond(200, "{}", json),
            ":status: 200, content-type: application/json, x-a: 1, content-length: 2 | {}",
        ),
        (
            "headers without a body",
            get(),
            respond(200, "", json),
            ":status: 200, x-a: 1, content-length: 0 | ",
        ),
        (
            "HEAD",
            Request::new("HEAD", "/"),
            respond(200, "b", ""),
            ":status: 200, content-length: 1, content-type: text/plain | ",
        ),
        (
            "a status that is none",
            get(),
            respond(99_999, "", ""),
            ":status: 34463, content-length: 0 | ",
        ),
    ];
    for (name, request, respond, expected) in rows {
        assert_eq!(seen(&outcome(&on("request_headers", &respond), request)), expected, "{name}");
    }
}

#[test]
fn grpc_is_answered_in_its_own_way() {
    let ask =
        |content_type: &str| Request::new("POST", "/a.B/C").header("content-type", content_type);
    let answered = |status: u32, body: &str, grpc: i32, content_type: &str| {
        let respond = format!(
            "(drop (call $respond (i32.const {status}) 'd' '{body}' '' (i32.const {grpc})))"
        );
        outcome(&on("request_headers", &respond), ask(content_type))
    };
    let rows = [
        (200, 2),
        (400, 13),
        (401, 16),
        (403, 7),
        (404, 12),
        (429, 14),
        (418, 2),
        (500, 2),
        (502, 14),
        (503, 14),
        (504, 14),
    ];
    for (status, grpc) in rows {
        let outcome = answered(status, "", -1, "application/grpc");
        let expected = format!(":status: 200, content-type: application/grpc, grpc-status: {grpc}");
        assert!(seen(&outcome).starts_with(&expected), "{status}: {}", seen(&outcome));
    }
    let message = answered(500, "a%b\\0a\\e9", 5, "application/grpc+proto").client.unwrap();
    assert_eq!(message.get("grpc-status"), Some(&b"5"[..]));
    assert_eq!(message.get("grpc-message"), Some(&b"a%25b%0A%E9"[..]));
    assert!(message.body.is_empty());
    assert!(
        seen(&answered(403, "b", 17, "application/grpc")).contains("grpc-status: 7"),
        "17 is no status"
    );
    assert!(seen(&answered(403, "b", 5, "application/grpcx")).starts_with(":status: 403"));
}

#[test]
fn of_two_answers_the_first_counts_and_the_details_of_the_second() {
    let second = "(drop (call $respond (i32.const 200) 'later' 'coffee' '' (i32.const -1)))";
    let outcome = outcome(&on("request_headers", &format!("{TEAPOT} {second}")), Request::get("/"));
    assert!(
        seen(&outcome).starts_with(":status: 418") && seen(&outcome).ends_with("| tea"),
        "{}",
        seen(&outcome)
    );
    assert_eq!(details(&outcome), "later");
}

#[test]
fn a_module_changes_an_answer_of_its_own() {
    let body = on("request_headers", TEAPOT)
        + &on("response_headers", "(drop (call $replace (i32.const 2) ':status' '200'))")
        + &on(
            "response_body",
            "(drop (call $set_buffer (i32.const 1) (i32.const 0) (i32.const -1) 'tee'))",
        );
    let expected = ":status: 200, content-length: 3, content-type: text/plain | tee";
    assert_eq!(seen(&outcome(&body, Request::get("/"))), expected);
}

#[test]
fn envoy_answers_by_itself_through_the_module() {
    let get = || Request::get("/");
    let rows = [
        ("no route", Route::Missing, ":status: 404, content-length: 0 | ", "route_not_found", 8),
        (
            "no cluster",
            Route::MissingCluster,
            ":status: 503, content-length: 0 | ",
            "cluster_not_found",
            24,
        ),
        (
            "no host",
            Route::NoHost,
            ":status: 503, content-length: 19, content-type: text/plain | no healthy upstream",
            "no_healthy_upstream",
            1,
        ),
        (
            "refused",
            Route::Refused,
            ":status: 503, content-length: 98, content-type: text/plain | upstream connect error or disconnect/reset before headers. reset reason: remote connection failure",
            "upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error:_Connection_refused}",
            5,
        ),
        (
            "direct",
            Route::Direct(418, b"tea".to_vec()),
            ":status: 418, content-length: 3, content-type: text/plain | tea",
            "direct_response",
            64,
        ),
        (
            "redirect",
            Route::Redirect("http://b.test/".into()),
            ":status: 301, location: http://b.test/, content-length: 0 | ",
            "direct_response",
            64,
        ),
    ];
    let body = on("response_headers", &word("response"));
    for (name, route, client, why, flag) in rows {
        let outcome = outcome(&body, get().route(route));
        assert_eq!((seen(&outcome).as_str(), details(&outcome)), (client, why), "{name}");
        let flags = if flag < 64 { 1 << flag } else { 0 };
        assert_eq!((outcome.flags, said(&outcome).as_str()), (flags, "response"), "{name}");
        assert!(outcome.upstream.is_none(), "{name}");
    }
}

#[test]
fn what_a_module_breaks_envoy_answers() {
    let rows = [
        (
            "no path",
            on("request_headers", "(drop (call $remove (i32.const 0) ':path'))"),
            "404",
            "route_not_found",
        ),
        (
            "no method",
            on("request_headers", "(drop (call $remove (i32.const 0) ':method'))"),
            "503",
            "filter_removed_required_request_headers{missing_required_header:_:method}",
        ),
        (
            "a line's end in a header",
            on("request_headers", "(drop (call $add (i32.const 0) 'x-bad' 'a\\0d\\0ab'))"),
            "503",
            "filter_removed_required_request_headers{invalid_header_value_for:_x-bad}",
        ),
        (
            "no status",
            on("response_headers", "(drop (call $remove (i32.const 2) ':status'))"),
            "502",
            "filter_removed_required_response_headers{missing_required_header:_:status}",
        ),
    ];
    for (name, body, status, why) in rows {
        let outcome = outcome(&body, Request::get("/"));
        let client = outcome.client.as_ref().unwrap();
        assert_eq!(
            (client.get(":status"), details(&outcome)),
            (Some(status.as_bytes()), why),
            "{name}"
        );
    }
}

#[test]
fn answers_before_the_answer_are_not_the_modules() {
    let body = on("response_headers", "(call $say (local.get $count))");
    let request =
        Request::get("/").answered(Response::new(200).informational(103, &[("link", "</a>")]));
    let rows = [("by default", false, 0), ("where they are let through", true, 1)];
    for (name, proxy_100_continue, count) in rows {
        let manager = Manager { proxy_100_continue, ..Manager::default() };
        let mut host = Host::new(world().manager(manager), Plugin::new(&guest(&body))).unwrap();
        let outcome = host.request(request.clone()).unwrap();
        assert_eq!((said(&outcome).as_str(), outcome.informational.len()), ("2", count), "{name}");
        assert_eq!(outcome.client.unwrap().status(), Some(200), "{name}");
    }
}

#[test]
fn an_early_answer_does_not_wait_for_the_request() {
    let body = ["request_headers", "request_body", "response_headers", "response_body", "log"]
        .map(|name| on(name, &word(name)))
        .concat();
    let request = Request::new("POST", "/").chunk("a").every(Duration::from_secs(1));
    let early = outcome(&body, request.answered(Response::new(413).body("no").early()));
    assert_eq!(said(&early), "request_headers response_headers response_body response_body log");
    assert_eq!(seen(&early), ":status: 413, content-length: 2, connection: close | no");
    assert!(early.upstream.is_some_and(|it| !it.whole));
}

#[test]
fn a_client_may_change_to_another_protocol() {
    let body = ["request_headers", "response_headers"]
        .map(|name| on(name, &format!("{} (call $say (local.get $end))", word(name))))
        .concat()
        + &["request_body", "response_body"]
            .map(|name| {
                let kind = u32::from(name == "response_body");
                on(
                    name,
                    &format!(
                        "{} (call $say (local.get $end)) (call $show_buffer (i32.const {kind}))",
                        word(name)
                    ),
                )
            })
            .concat()
        + &on("log", &word("log"));
    let manager = Manager {
        upgrades: vec!["websocket".into()],
        generate_request_id: false,
        ..Manager::default()
    };
    let switched =
        Response::new(101).header("upgrade", "websocket").header("connection", "upgrade");
    let request =
        Request::get("/").upgrade("websocket").chunk("ping").every(Duration::from_secs(1));
    let request =
        request.answered(switched.chunk("pong").every(Duration::from_secs(2)).then_reset());
    let mut host = Host::new(world().manager(manager), Plugin::new(&guest(&body))).unwrap();
    let outcome = host.request(request.clone()).unwrap();
    assert_eq!(
        said(&outcome),
        "request_headers 0 request_body 0  response_headers 0 response_body 0  request_body 0 ping response_body 0 pong response_body 0  log"
    );
    assert_eq!(seen(&outcome), ":status: 101, upgrade: websocket, connection: upgrade | pong cut");
    assert_eq!(outcome.upstream.as_ref().map(|it| it.body.as_slice()), Some(&b"ping"[..]));
    assert_eq!(details(&outcome), "upstream_reset_after_response_started{connection_termination}");
    let refused = loaded(Plugin::new(&guest(&body))).request(request).unwrap();
    assert_eq!(seen(&refused), ":status: 403, connection: close, content-length: 0 | ");
    assert_eq!((said(&refused).as_str(), details(&refused)), ("log", "upgrade_failed"));
}

#[test]
fn http_2_has_no_connections_to_close() {
    let body = on("request_headers", TEAPOT);
    let request = Request::new("POST", "/").chunk("a").protocol(Protocol::Http2);
    let client: Option<Message> = outcome(&body, request).client;
    assert_eq!(client.unwrap().get("connection"), None);
}

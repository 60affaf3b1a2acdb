//! The server, over a real socket.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread;

use serde_json::Value;

use super::*;
use crate::http::{Message, Request};
use crate::otlp::{Export, Protocol, Signal};

/// A server, and what it shows.
fn server() -> (Live, Server) {
    let live = Live::new(vec![front(serde_json::json!({}))]);
    let server = Server::start(live.clone(), SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    (live, server)
}

fn get(server: &Server, path: &str) -> Message {
    Request::get(path).send(server.address()).unwrap()
}

fn json(answer: &Message) -> Value {
    assert_eq!(answer.field("content-type"), Some("application/json"));
    serde_json::from_slice(&answer.body).unwrap()
}

/// A request that has just ended.
fn just_now(route: &str) -> Written {
    let mut written =
        Written::new(route, NOW, 3_000).with("trace_id", TRACE).with("request_id", "req-42");
    // Without it, it ended when it came.
    written.0.retain(|(name, _)| *name != "timestamp");
    written.with("span_id", "0000000000000001")
}

#[test]
fn the_page_comes_in_parts_that_nobody_else_can_read() {
    let (_live, server) = server();
    for (path, content_type) in [
        ("/", "text/html; charset=utf-8"),
        ("/?theme=dark", "text/html; charset=utf-8"),
        ("/live.css", "text/css; charset=utf-8"),
        ("/live.js", "text/javascript; charset=utf-8"),
        ("/favicon.svg", "image/svg+xml"),
        ("/drawer.js", "text/javascript; charset=utf-8"),
        ("/api/live", "application/json"),
    ] {
        let answer = get(&server, path);
        assert_eq!(
            (answer.status(), answer.field("content-type")),
            (200, Some(content_type)),
            "{path}"
        );
        assert!(!answer.body.is_empty(), "{path}");
        assert!(
            answer.field("content-security-policy").unwrap().starts_with("default-src 'self';")
        );
        assert_eq!(answer.field("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.field("cache-control"), Some("no-store"), "{path}");
        assert_eq!(answer.field("access-control-allow-origin"), None, "{path}");
    }
}

#[test]
fn figures_have_the_form_that_the_page_reads() {
    let (live, server) = server();
    live.line(just_now("/a").text().as_bytes());
    live.in_flight("shop", 3);
    let told = json(&get(&server, "/api/live"));
    assert_eq!(
        told["services"],
        serde_json::json!([{"name": "shop", "listen": "http://127.0.0.1:8080", "app": "127.0.0.1:8000", "in_flight": 3}])
    );
    assert!(told["now_ms"].as_u64() >= told["started_ms"].as_u64());
    assert_eq!(told["dropped"], serde_json::json!({"lines": 0, "spans": 0, "reason": null}));
    assert_eq!((&told["totals"]["requests"], &told["totals"]["errors"]), (&1.into(), &0.into()));
    let route = told["routes"][0].as_object().unwrap();
    for name in [
        "service",
        "method",
        "route",
        "source",
        "requests",
        "errors",
        "rate",
        "error_ratio",
        "p50_ms",
        "p95_ms",
        "p99_ms",
        "in_flight",
        "spark",
        "spark_errors",
    ] {
        assert!(route.contains_key(name), "{name}");
    }
    assert_eq!((route["spark"].as_array().unwrap().len(), &route["requests"]), (60, &1.into()));
    let request = told["recent"][0].as_object().unwrap();
    let names: Vec<_> = request.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "duration_ms",
            "error_type",
            "flags",
            "method",
            "path",
            "request_id",
            "route",
            "route_source",
            "service",
            "span_id",
            "started_ms",
            "status",
            "stream",
            "trace_id",
            "ttfb_ms"
        ]
    );
    assert_eq!((&request["status"], &request["duration_ms"]), (&200.into(), &3.0.into()));
    for list in ["slowest", "failed", "inferred"] {
        assert!(told[list].is_array(), "{list}");
    }
}

#[test]
fn traces_and_searches_are_answered() {
    let (live, server) = server();
    live.line(just_now("/a").text().as_bytes());
    let app = exported("shop", "app", vec![span(2, 1, "app", now_us(), 5)]);
    live.spans(&Export {
        protocol: Protocol::Http,
        headers: Vec::new(),
        signal: Signal::Traces(app),
        message: Vec::new().into(),
        bytes: 0,
        compressed: false,
    });
    let waterfall = json(&get(&server, &format!("/api/trace/{TRACE}")));
    assert_eq!(waterfall["trace_id"], TRACE);
    assert_eq!(waterfall["spans"][0]["from"], "line");
    assert_eq!(waterfall["spans"][0]["parent_span_id"], Value::Null);
    assert_eq!(
        (&waterfall["spans"][1]["from"], &waterfall["spans"][1]["depth"]),
        (&"app".into(), &1.into())
    );
    let found = json(&get(&server, "/api/search?q=req%2D42"));
    assert_eq!((&found["query"], &found["more"]), (&"req-42".into(), &false.into()));
    assert_eq!(found["found"][0]["line"]["event"], "http_request");
    assert_eq!(found["found"][0]["span"], Value::Null);
    assert!(!found["found"][0]["explanation"].as_array().unwrap().is_empty());
    assert_eq!(json(&get(&server, "/api/search"))["found"], serde_json::json!([]));
}

#[test]
fn what_is_not_there_is_404() {
    let (_live, server) = server();
    let unknown = "/api/trace/00000000000000000000000000000001";
    for path in [
        "/nothing",
        "/api",
        "/api/live/",
        "/api/trace/",
        "/api/trace/nonsense",
        unknown,
        "/../live.css",
        "/%2e",
        "//",
    ] {
        let answer = get(&server, path);
        assert_eq!(answer.status(), 404, "{path}");
        assert!(json(&answer)["error"].is_string(), "{path}");
    }
}

#[test]
fn only_looking_is_allowed_and_only_from_here() {
    let (_live, server) = server();
    let here = server.address();
    for (name, request, status) in [
        ("HEAD", Request::new("HEAD", "/"), 200),
        ("POST", Request::post("/api/live").body("x"), 405),
        ("OPTIONS", Request::new("OPTIONS", "*"), 405),
        ("by name", Request::get("/").field("host", "localhost:1"), 200),
        ("another's name", Request::get("/").field("host", "rebind.example:80"), 421),
        (
            "another's name for the figures",
            Request::get("/api/live").field("host", "evil.example"),
            421,
        ),
        ("no name", Request::get("/").field("host", ""), 421),
        (
            "two names",
            Request::get("/").field("host", "localhost").field("host", "evil.example"),
            421,
        ),
        ("a URL of another", Request::get("http://evil.example/").field("host", "localhost"), 421),
        ("a URL of ours", Request::get("http://localhost/"), 200),
    ] {
        let answer = request.send(here).unwrap();
        assert_eq!(answer.status(), status, "{name}");
        let allowed = if status == 405 { Some("GET, HEAD") } else { None };
        assert_eq!(answer.field("allow"), allowed, "{name}");
    }
}

#[test]
fn a_head_without_end_is_refused() {
    let (_live, server) = server();
    let long =
        Request::get("/api/search?q=".to_owned() + &"x".repeat(200_000)).send(server.address());
    assert!(long.is_err() || long.is_ok_and(|answer| answer.status() >= 400));
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.write_all(b"\xff\x00\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 400"));
    assert_eq!(get(&server, "/").status(), 200);
}

#[test]
fn it_is_served_on_loopback_only() {
    let address = SocketAddr::from(([0, 0, 0, 0], 8_090));
    let refused = Server::start(Live::new(Vec::new()), address).unwrap_err().to_string();
    assert!(refused.contains("use 127.0.0.1:8090 instead of 0.0.0.0:8090"), "{refused}");
}

#[test]
fn a_server_that_is_dropped_is_gone() {
    let (_live, server) = server();
    let address = server.address();
    let mut open = TcpStream::connect(address).unwrap();
    drop(server);
    assert_eq!(open.read(&mut [0]).unwrap_or(0), 0);
    assert!(Request::get("/").send(address).is_err());
}

#[test]
fn many_pages_poll_while_lines_come() {
    let (live, server) = server();
    let line = just_now("/a").text();
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| (0..5_000).for_each(|_| live.line(line.as_bytes())));
        }
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..20 {
                    assert!(json(&get(&server, "/api/live"))["totals"]["requests"].is_u64());
                }
            });
        }
    });
    assert_eq!(live.snapshot().totals.requests, 10_000);
}

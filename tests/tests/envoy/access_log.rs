//! One line for each request, whatever became of it.

use std::time::Duration;

use serde_json::{Value, json};
use sightline_tests::{Answer, Proxy, Request, Upstream};

/// The line has what every line has, and times that make sense.
#[track_caller]
fn assert_whole(line: &Value, status: u16, level: &str) {
    assert_eq!((&line["status"], &line["level"]), (&json!(status), &json!(level)), "{line}");
    let length = |field: &str| line[field].as_str().unwrap_or_default().len();
    let lengths = ["timestamp", "trace_id", "span_id", "trace_flags"].map(length);
    assert_eq!(lengths, [27, 32, 16, 2], "{line}");
    assert!(length("request_id") > 0 && line["event"] == "http_request", "{line}");
    let (duration, first_byte) = (line["duration_ms"].as_f64().unwrap(), line["ttfb_ms"].as_f64());
    assert!((0.0..60_000.0).contains(&duration), "{line}");
    assert!(first_byte.is_none_or(|first_byte| first_byte <= duration), "{line}");
}

#[test]
fn an_answer_that_takes_its_time() {
    let upstream = Upstream::answering(|_| {
        let slow = Answer::new(200).pause(Duration::from_millis(60)).chunked().chunk("a");
        slow.pause(Duration::from_millis(60)).chunk("b").last_chunk()
    });
    let proxy = Proxy::start(|bootstrap| bootstrap.upstream(upstream.address()));
    let answer = proxy.send(&Request::get("/slow").field("x-request-id", "slow"));
    assert_eq!(answer.text(), "ab");
    let line = proxy.line_of("slow");
    assert_whole(&line, 200, "info");
    let (duration, first_byte) =
        (line["duration_ms"].as_f64().unwrap(), line["ttfb_ms"].as_f64().unwrap());
    // Both pauses are after the arrival, so a busy machine can only make these longer.
    assert!(first_byte >= 60.0 && duration >= 120.0 && duration > first_byte, "{line}");
    let fields: Vec<_> = line.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(fields.len(), 18, "{fields:?}");
    assert_eq!(
        ["method", "scheme", "path"].map(|field| line[field].as_str().unwrap()),
        ["GET", "http", "/slow"]
    );
    assert_eq!(line["host"], proxy.address().to_string());
}

#[test]
fn an_upstream_that_resets() {
    for (name, answer, status, level) in [
        ("before its headers", Answer::reset(), 503, "error"),
        (
            "after them",
            Answer::new(200).chunked().chunk("a").pause(Duration::from_millis(100)).then_reset(),
            200,
            "info",
        ),
    ] {
        let upstream = Upstream::answering(move |_| answer.clone());
        let proxy = Proxy::start(|bootstrap| bootstrap.upstream(upstream.address()));
        // The second one is cut short on the client's side too.
        let _ = Request::get("/").field("x-request-id", "reset").send(proxy.address());
        let line = proxy.line_of("reset");
        assert_whole(&line, status, level);
        assert!(line["ttfb_ms"].is_number(), "{name}: {line}");
    }
}

#[test]
fn an_upstream_that_stays_silent() {
    let upstream = Upstream::answering(|_| Answer::silence());
    let proxy = Proxy::start(|bootstrap| {
        bootstrap.upstream(upstream.address()).route(json!({
            "match": {"path": "/silent"}, "route": {"cluster": "app", "timeout": "0.2s"}
        }))
    });
    let answer = proxy.send(&Request::get("/silent").field("x-request-id", "silent"));
    assert_eq!((answer.status(), answer.field("x-request-id")), (504, Some("silent")));
    assert_whole(&proxy.line_of("silent"), 504, "error");
}

#[test]
fn a_client_that_goes_away() {
    for (name, answer, status, level) in [
        ("before the answer", Answer::silence(), 0, "error"),
        ("within it", Answer::new(200).chunked().chunk("a").then_silence(), 200, "info"),
    ] {
        let upstream = Upstream::answering(move |_| answer.clone());
        let proxy = Proxy::start(|bootstrap| bootstrap.upstream(upstream.address()));
        let stream =
            Request::get("/").field("x-request-id", "gone").begin(proxy.address()).unwrap();
        sightline_cli::wait::until("the request upstream", Duration::from_secs(10), || {
            (!upstream.requests().is_empty()).then_some(())
        })
        .unwrap();
        if status != 0 {
            // The head is there when its first byte is.
            stream.peek(&mut [0]).unwrap();
        }
        drop(stream);
        let line = proxy.line_of("gone");
        assert_whole(&line, status, level);
        assert_eq!(line["ttfb_ms"].is_number(), status != 0, "{name}: {line}");
    }
}

#[test]
fn a_filter_before_us_that_answers() {
    let upstream = Upstream::answering(|_| Answer::new(200).body("hi"));
    let proxy = Proxy::start(|bootstrap| {
        bootstrap.upstream(upstream.address()).filter_before(json!({
            "name": "deny",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
                "rules": {"action": "ALLOW", "policies": {}},
            },
        }))
    });
    let answer = proxy.send(&Request::get("/secret").field("x-request-id", "denied"));
    // Our response callback is not called then, so there is nobody to echo the ID; the line has it.
    assert_eq!((answer.status(), answer.field("x-request-id")), (403, None));
    let line = proxy.line_of("denied");
    assert_whole(&line, 403, "warning");
    assert_eq!(line["path"], "/secret", "{line}");
    proxy.settles_at(1.0, "sightline_http_requests_total", &[("http_response_status_code", "403")]);
}

#[test]
fn a_request_that_envoy_itself_refuses() {
    let proxy = Proxy::start(|bootstrap| bootstrap);
    let huge = "x".repeat(100_000);
    let answer = proxy.send(&Request::get("/").field("x-huge", huge));
    assert_eq!(answer.status(), 431);
    let line = proxy.line_where("the line", |line| line["status"] == 431);
    assert_whole(&line, 431, "warning");
}

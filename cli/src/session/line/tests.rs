//! Lines for people: what is in them, and how they fit a terminal.

use serde_json::{Value, json};

use super::*;

const WIDE: Style = Style { colour: false, width: Some(120), service: None };

fn line() -> Value {
    json!({
        "timestamp": "2026-11-21T12:01:07.104117Z",
        "service": "shop",
        "request_id": "5417998a-6f3b-4a55-9f5e-0c8a4f1b7d21",
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "method": "GET",
        "path": "/users/1001",
        "route": "/users/{id}",
        "status": 200,
        "duration_ms": 3.104,
    })
}

fn with(changes: &Value) -> Value {
    let mut line = line();
    for (key, value) in changes.as_object().unwrap() {
        line[key] = value.clone();
    }
    line
}

fn shown(line: &Value, style: Style) -> String {
    let mut out = Vec::new();
    write(line.to_string().as_bytes(), style, &mut out);
    let text = String::from_utf8(out).unwrap();
    assert_eq!(text.matches('\n').count(), 1, "{text}");
    text.trim_end().to_owned()
}

#[test]
fn a_line_has_its_columns() {
    let (plain, several) = (Style { width: None, ..WIDE }, Style { service: Some(8), ..WIDE });
    for (name, changes, style, expected) in [
        (
            "usual",
            json!({}),
            WIDE,
            "12:01:07  200  GET     /users/{id}                     3.1 ms  req 5417998a  trace 4bf92f35  (/users/1001)",
        ),
        (
            "into a file",
            json!({}),
            plain,
            "12:01:07  200  GET     /users/{id}                        3.1 ms  req 5417998a  trace 4bf92f35  (/users/1001)",
        ),
        (
            "one of several services",
            json!({"path": "/users/{id}"}),
            several,
            "12:01:07  200  shop      GET     /users/{id}                3.1 ms  req 5417998a  trace 4bf92f35",
        ),
        (
            "80 columns",
            json!({}),
            Style { width: Some(80), ..WIDE },
            "12:01:07  200  GET     /users/{id}         3.1 ms  req 5417998a  (/users/1001)",
        ),
        (
            "narrow",
            json!({}),
            Style { width: Some(40), ..WIDE },
            "12:01:07  200  GET     /users/…   3.1 ms",
        ),
        (
            "failed",
            json!({"status": 503, "error_type": "upstream_connection_failure", "flags": "UF,URX"}),
            plain,
            "12:01:07  503  GET     /users/{id}                        3.1 ms  req 5417998a  trace 4bf92f35  UF,URX  upstream_connection_failure  (/users/1001)",
        ),
        (
            "failed in the app",
            json!({"status": 500, "error_type": "500"}),
            plain,
            "12:01:07  500  GET     /users/{id}                        3.1 ms  req 5417998a  trace 4bf92f35  (/users/1001)",
        ),
        (
            "no answer, and slow",
            json!({"status": 0, "duration_ms": 30_000, "query": "a=1", "flags": "DC"}),
            plain,
            "---  GET     /users/{id}                        30.0 s  req 5417998a  trace 4bf92f35  DC  slow  (/users/1001?a=1)",
        ),
        (
            "a stream",
            json!({"duration_ms": 30_000, "stream": "sse", "path": "/users/{id}"}),
            plain,
            "30.0 s  req 5417998a  trace 4bf92f35  sse",
        ),
    ] {
        let shown = shown(&with(&changes), style);
        assert!(shown.ends_with(expected), "{name}:\n{shown}\n{expected}");
    }
}

#[test]
fn it_never_gets_wider_than_the_terminal() {
    let long = "/喫茶/\u{1b}[31m".repeat(100);
    let changes = json!({"path": long, "route": long, "service": long, "query": long,
        "error_type": long, "flags": long, "method": long, "request_id": long, "timestamp": long});
    for width in 0..200 {
        for service in [None, Some(14)] {
            let style = Style { width: Some(width), service, ..WIDE };
            let shown = shown(&with(&changes), style);
            assert!(text::width(&shown) <= width, "{width}: {shown}");
            assert!(!shown.contains('\u{1b}'), "{shown:?}");
        }
    }
}

#[test]
fn colours_say_how_it_went() {
    for (status, colour) in
        [(200, "32"), (101, "32"), (302, "36"), (404, "33"), (500, "31"), (0, "31")]
    {
        let style = Style { colour: true, ..WIDE };
        let shown = shown(&with(&json!({"status": status})), style);
        assert!(shown.contains(&format!("\x1b[{colour}m")), "{status}: {shown:?}");
        assert!(shown.ends_with("\x1b[0m"), "{shown:?}");
    }
}

#[test]
fn what_is_no_line_of_ours_is_shown_and_safe() {
    for (line, expected) in [
        (&b"\x1b[2Jplain\n"[..], "\\u{1b}[2Jplain\n"),
        (b"\xff\n", "\u{fffd}\n"),
        (b"-\n", "-\n"),
        (b"{\"status\": \"none\"}\n", "{\"status\": \"none\"}\n"),
        (b"\n", "\n"),
    ] {
        let mut out = Vec::new();
        write(line, WIDE, &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}

#[test]
fn a_line_with_nothing_in_it_is_shown() {
    assert_eq!(
        shown(&json!({}), WIDE).trim(),
        format!("---{:40}  0.0 ms  req {:8}  trace", "", "")
    );
}

#[test]
fn a_duration_has_the_digits_that_anybody_reads() {
    for (milliseconds, expected) in [
        (0.04, "0.0 ms"),
        (3.12, "3.1 ms"),
        (12.34, "12 ms"),
        (999.4, "999 ms"),
        (1_234.0, "1.23 s"),
        (12_345.0, "12.3 s"),
        (1_234_567.0, "1235 s"),
    ] {
        assert_eq!(duration(milliseconds), expected);
    }
}

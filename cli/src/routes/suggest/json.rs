//! Lines of JSON: ours, in both its dialects, and those that people have written formats for.

use serde_json::{Map, Value};

use super::entry::{Entry, Found, is_method, status};
use super::text;

/// Names of fields, the usual ones first. A point leads into a map, where there is one.
const METHOD: [&str; 7] = [
    "method",
    "http.request.method",
    "request_method",
    "request.method",
    "http_method",
    "RequestMethod",
    "verb",
];
const TARGET: [&str; 9] = [
    "path",
    "url.path",
    "uri",
    "request_uri",
    "request.uri",
    "request_path",
    "RequestPath",
    "url.original",
    "url",
];
const STATUS: [&str; 6] = [
    "status",
    "http.response.status_code",
    "response_code",
    "status_code",
    "DownstreamStatus",
    "code",
];
const SOURCE: [&str; 2] = ["route_source", "sightline.route_source"];
const FLAGS: [&str; 3] = ["flags", "sightline.flags", "response_flags"];

/// The request of such a line, with whatever a collector has put in front of it.
pub(super) fn entry(line: &str) -> Option<Entry<'static>> {
    let (start, end) = (line.find('{')?, line.rfind('}')?);
    let Value::Object(map) = serde_json::from_str(line.get(start..=end)?).ok()? else {
        return None;
    };
    of_fields(&map).or_else(|| wrapped(&map))
}

fn of_fields(map: &Map<String, Value>) -> Option<Entry<'static>> {
    let request = map.get("request").and_then(Value::as_str).and_then(text::request_line);
    let (method, target) = match request {
        Some((method, target)) => (method, target),
        None => (text_of(map, &METHOD)?, text_of(map, &TARGET)?),
    };
    is_method(method).then(|| Entry {
        method: method.to_owned().into(),
        target: target.to_owned().into(),
        status: STATUS.iter().find_map(|name| field(map, name)).and_then(status_of),
        found: text_of(map, &SOURCE).map(Found::of).unwrap_or_default(),
        flagged: text_of(map, &FLAGS).is_some_and(|flags| !matches!(flags, "" | "-")),
    })
}

/// A line within a field: Docker's, and those of collectors.
fn wrapped(map: &Map<String, Value>) -> Option<Entry<'static>> {
    let line = ["log", "message", "msg"].iter().find_map(|name| map.get(*name)?.as_str())?;
    let inner = serde_json::from_str::<Value>(line.trim()).ok();
    match inner.as_ref().and_then(Value::as_object) {
        Some(map) => of_fields(map),
        None => text::entry(line).map(text::owned),
    }
}

fn text_of<'a>(map: &'a Map<String, Value>, names: &[&str]) -> Option<&'a str> {
    names.iter().find_map(|name| field(map, name)?.as_str())
}

fn field<'a>(map: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    map.get(name).or_else(|| {
        let (outer, inner) = name.split_once('.')?;
        field(map.get(outer)?.as_object()?, inner)
    })
}

fn status_of(value: &Value) -> Option<u16> {
    match value {
        Value::Number(number) => status(&number.to_string()),
        Value::String(text) => status(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Method, target, status, what the filter made of it, and whether Envoy had something to say.
    type Said = (&'static str, &'static str, Option<u16>, Found, bool);

    const LINES: &[(&str, &str, Option<Said>)] = &[
        (
            "ours",
            r#"{"timestamp":"t","event":"http_request","method":"GET","path":"/users/7","route":"/users/{id}","route_source":"template","status":200}"#,
            Some(("GET", "/users/7", Some(200), Found::Template, false)),
        ),
        (
            "ours, failed",
            r#"{"method":"GET","path":"/users/7","route_source":"overflow","status":503,"flags":"UF"}"#,
            Some(("GET", "/users/7", Some(503), Found::Unsaid, true)),
        ),
        (
            "ours for Elastic",
            r#"{"http.request.method":"PUT","url.path":"/a","sightline.route_source":"unmatched","http.response.status_code":404}"#,
            Some(("PUT", "/a", Some(404), Found::Unmatched, false)),
        ),
        (
            "Elastic, nested",
            r#"{"http":{"request":{"method":"PUT"},"response":{"status_code":200}},"url":{"path":"/a"}}"#,
            Some(("PUT", "/a", Some(200), Found::Unsaid, false)),
        ),
        (
            "Istio",
            r#"{"method":"GET","path":"/a?b","response_code":"200","response_flags":"-"}"#,
            Some(("GET", "/a?b", Some(200), Found::Unsaid, false)),
        ),
        (
            "nginx",
            r#"{"request":"GET /a HTTP/1.1","status":"304"}"#,
            Some(("GET", "/a", Some(304), Found::Unsaid, false)),
        ),
        (
            "Caddy",
            r#"{"request":{"method":"GET","uri":"/a"},"status":200}"#,
            Some(("GET", "/a", Some(200), Found::Unsaid, false)),
        ),
        (
            "Docker, text",
            r#"{"log":"INFO:     1.2.3.4:5 - \"GET /a HTTP/1.1\" 200 OK\n","stream":"stdout"}"#,
            Some(("GET", "/a", Some(200), Found::Unsaid, false)),
        ),
        (
            "Docker, JSON",
            r#"{"log":"{\"method\":\"GET\",\"path\":\"/a\",\"status\":200}\n","stream":"stdout"}"#,
            Some(("GET", "/a", Some(200), Found::Unsaid, false)),
        ),
        (
            "a prefix",
            r#"2026-11-22T02:00:00Z stdout F {"method":"GET","path":"/a","status":200}"#,
            Some(("GET", "/a", Some(200), Found::Unsaid, false)),
        ),
        (
            "no answer",
            r#"{"method":"GET","path":"/a","status":0}"#,
            Some(("GET", "/a", Some(0), Found::Unsaid, false)),
        ),
        (
            "odd kinds",
            r#"{"method":"GET","path":"/a","status":[200]}"#,
            Some(("GET", "/a", None, Found::Unsaid, false)),
        ),
        ("no path", r#"{"method":"GET","path":7}"#, None),
        ("a word of the app", r#"{"message":"hello"}"#, None),
        ("a list", r#"[{"method":"GET"}]"#, None),
        ("cut", r#"{"method":"GET","path":"/a"#, None),
        ("the wrong way round", "}{", None),
    ];

    #[test]
    fn maps_in_maps_without_end_are_no_request() {
        assert_eq!(entry(&"{\"log\":".repeat(5_000)), None);
        let deep = ["{\"log\":".repeat(5_000), "}".repeat(5_000)].concat();
        assert_eq!(entry(&deep), None);
    }

    #[test]
    fn fields_are_found_under_their_usual_names() {
        for (name, line, expected) in LINES {
            let read = entry(line);
            let read =
                read.as_ref().map(|it| (&*it.method, &*it.target, it.status, it.found, it.flagged));
            assert_eq!(read, *expected, "{name}");
        }
    }
}

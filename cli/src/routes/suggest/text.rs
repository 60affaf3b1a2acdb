//! Lines with the request in quotes and its status behind: those of Envoy, nginx, Apache, gunicorn, uvicorn,
//! Django's and Flask's own servers, and whatever is derived from them.

use std::borrow::Cow;

use super::entry::{Entry, Found, is_method, status};

/// The request of such a line.
pub(super) fn entry(line: &str) -> Option<Entry<'_>> {
    match without_colours(line) {
        Cow::Borrowed(line) => find(line),
        Cow::Owned(line) => find(&line).map(owned),
    }
}

/// The request in a request line, `GET /users/1 HTTP/1.1`.
pub(super) fn request_line(text: &str) -> Option<(&str, &str)> {
    let (method, rest) = text.split_once(' ')?;
    let target = match rest.rsplit_once(' ') {
        Some((target, protocol)) if is_protocol(protocol) => target,
        _ => rest,
    };
    (is_method(method) && !target.is_empty()).then_some((method, target))
}

fn find(line: &str) -> Option<Entry<'_>> {
    let opened = line.match_indices('"').map(|(quote, _)| &line[quote + 1..]);
    opened.filter(|rest| rest.starts_with(|first: char| first.is_ascii_uppercase())).find_map(
        |rest| {
            let (request, behind) = closed(rest)?;
            let (method, target) = request_line(request)?;
            let mut fields = behind.split_ascii_whitespace();
            Some(Entry {
                method: method.into(),
                target: target.into(),
                status: fields.next().and_then(status),
                found: Found::Unsaid,
                flagged: line.starts_with('[') && fields.next().is_some_and(is_flags),
            })
        },
    )
}

/// What is in the quotes, and what stands behind them: a status, so that a quote within is none.
fn closed(rest: &str) -> Option<(&str, &str)> {
    let has_status = |behind: &str| {
        let first = behind.split_ascii_whitespace().next().unwrap_or_default();
        behind.starts_with(' ') && (first == "-" || status(first).is_some())
    };
    rest.match_indices('"')
        .map(|(quote, _)| (&rest[..quote], &rest[quote + 1..]))
        .find(|(_, behind)| has_status(behind))
}

/// `HTTP/1.1`, and `1.1` or `2` as Hypercorn has it.
fn is_protocol(text: &str) -> bool {
    text.starts_with("HTTP/") || matches!(text, "1.0" | "1.1" | "2" | "3")
}

/// Envoy's flags, such as `UF,URX`. Where it has none it writes `-`.
fn is_flags(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b',')
}

/// The line without what colours it on a terminal.
fn without_colours(line: &str) -> Cow<'_, str> {
    if !line.contains('\u{1b}') {
        return Cow::Borrowed(line);
    }
    let mut plain = String::with_capacity(line.len());
    let mut pieces = line.split("\u{1b}[");
    plain.extend(pieces.next());
    for piece in pieces {
        let end =
            piece.find(|it: char| it.is_ascii_alphabetic()).map_or(piece.len(), |end| end + 1);
        plain.push_str(&piece[end..]);
    }
    Cow::Owned(plain)
}

/// The same, apart from its line.
pub(super) fn owned(entry: Entry<'_>) -> Entry<'static> {
    Entry {
        method: entry.method.into_owned().into(),
        target: entry.target.into_owned().into(),
        status: entry.status,
        found: entry.found,
        flagged: entry.flagged,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(line: &str) -> String {
        entry(line).map_or_else(
            || "none".to_owned(),
            |it| {
                let flagged = if it.flagged { " flagged" } else { "" };
                format!("{} {} {:?}{flagged}", it.method, it.target, it.status)
            },
        )
    }

    const LINES: &[(&str, &str, &str)] = &[
        (
            "Envoy",
            r#"[2026-04-15T20:17:00.310Z] "POST /api/v1/locations?a=b HTTP/2" 204 - 154 0 226 100 "10.0.35.28" "nsq2http" "cc21d9b0-cf5c-432b-8c7e-98aeb7988cd2" "locations" "tcp://10.0.2.1:80""#,
            "POST /api/v1/locations?a=b Some(204)",
        ),
        (
            "Envoy without an upstream",
            r#"[2026-04-15T20:17:00.310Z] "GET /a HTTP/1.1" 503 UF,URX 0 91 1 - "-" "-" "x" "h" "-""#,
            "GET /a Some(503) flagged",
        ),
        (
            "Envoy without a response",
            r#"[2026-04-15T20:17:00.310Z] "GET /a HTTP/1.1" 0 DC 0 0 1 - "-" "-" "x" "h" "-""#,
            "GET /a Some(0) flagged",
        ),
        (
            "Istio",
            r#"[2026-11-25T21:26:18.409Z] "GET /status/418 HTTP/1.1" 418 - via_upstream - "-" 0 135 4 4 "-" "curl/7.73" "84961386" "httpbin:8000" "127.0.0.1:80""#,
            "GET /status/418 Some(418)",
        ),
        (
            "nginx",
            r#"192.0.2.7 - ann [10/Oct/2026:13:55:36 -0700] "GET /users/1001?tab=a HTTP/1.1" 200 2326 "https://shop.example/" "Mozilla/5.0 (X11)""#,
            "GET /users/1001?tab=a Some(200)",
        ),
        (
            "Apache, virtual hosts",
            r#"shop.example:80 192.0.2.7 - - [10/Oct/2026:13:55:36 -0700] "HEAD / HTTP/1.0" 301 - "-" "-""#,
            "HEAD / Some(301)",
        ),
        (
            "gunicorn",
            r#"127.0.0.1 - - [22/Nov/2026:02:00:00 +0000] "PATCH /carts/9 HTTP/1.1" 500 0 "-" "curl/8""#,
            "PATCH /carts/9 Some(500)",
        ),
        (
            "uvicorn",
            r#"INFO:     127.0.0.1:52930 - "GET /users/1 HTTP/1.1" 200 OK"#,
            "GET /users/1 Some(200)",
        ),
        (
            "uvicorn in colours",
            "\u{1b}[32mINFO\u{1b}[0m:     127.0.0.1:52930 - \"\u{1b}[1mGET /users/1 HTTP/1.1\u{1b}[0m\" \u{1b}[31m404 Not Found\u{1b}[0m",
            "GET /users/1 Some(404)",
        ),
        (
            "hypercorn",
            r#"[2026-11-22 02:00:00 +0000] [7] [INFO] 127.0.0.1:4 - - [22/Nov/2026:02:00:00 +0000] "GET /a 2" 200 2 "-" "h2""#,
            "GET /a Some(200)",
        ),
        (
            "Django",
            r#"[22/Nov/2026 02:00:00] "GET /admin/ HTTP/1.1" 302 0"#,
            "GET /admin/ Some(302)",
        ),
        (
            "Flask",
            r#"127.0.0.1 - - [22/Nov/2026 02:00:00] "GET /a HTTP/1.1" 200 -"#,
            "GET /a Some(200)",
        ),
        (
            "a container's name in front",
            r#"web-1  | INFO:     10.0.0.1:5 - "DELETE /a/1 HTTP/1.1" 204 No Content"#,
            "DELETE /a/1 Some(204)",
        ),
        (
            "a quote in the path",
            r#"1.2.3.4 - - [-] "GET /a\"b" HTTP/1.1" 404 0 "-" "-""#,
            r#"GET /a\"b" Some(404)"#,
        ),
        (
            "a blank in the path",
            r#"1.2.3.4 - - [-] "GET /a b HTTP/1.1" 404 0 "-" "-""#,
            "GET /a b Some(404)",
        ),
        ("no protocol", r#"1.2.3.4 - - [-] "GET /old" 400 0 "-" "-""#, "GET /old Some(400)"),
        ("no status", r#"1.2.3.4 - - [-] "GET /a HTTP/1.1" - 0"#, "GET /a None"),
        (
            "a request in the user agent",
            r#"1.2.3.4 - - [-] "GET /a HTTP/1.1" 200 5 "-" "GET /b HTTP/1.1" 200"#,
            "GET /a Some(200)",
        ),
        ("a broken client", r#"1.2.3.4 - - [-] "\x16\x03\x01" 400 157 "-" "-""#, "none"),
        ("nothing sent", r#"1.2.3.4 - - [-] "-" 400 0 "-" "-""#, "none"),
        ("a word of the app", r#"INFO: said "GET OUT" and left"#, "none"),
        ("an unclosed quote", r#"1.2.3.4 - - [-] "GET /a HTTP/1.1"#, "none"),
        ("quotes", r#""""""""""#, "none"),
        ("an end in the middle of a colour", "\u{1b}[", "none"),
    ];

    #[test]
    fn a_request_in_quotes_with_a_status_behind_is_read() {
        for (name, line, expected) in LINES {
            assert_eq!(told(line), *expected, "{name}");
        }
    }
}

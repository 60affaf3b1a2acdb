//! Bytes that nobody should send. Traffic goes on, and telemetry with it.

use sightline_tests::{Answer, Proxy, Request, Upstream};

#[test]
fn bytes_that_are_not_utf_8_harm_nothing() {
    let upstream = Upstream::answering(|_| {
        Answer::new(200)
            .field("x-answer", b"\xff\xfe caf\xe9")
            .field("server", b"\xc3\x28")
            .body(b"\xff\x00")
    });
    let proxy = Proxy::start(|bootstrap| bootstrap.upstream(upstream.address()));
    let answer = proxy.send(
        &Request::get("/")
            .field("x-request-id", "bytes")
            .field("x-any", b"\xff\xfe caf\xe9")
            .field("user-agent", b"\xf0\x28\x8c\x28 \xe2\x80\xae end"),
    );
    assert_eq!((answer.status(), answer.body.as_slice()), (200, b"\xff\x00".as_slice()));
    assert_eq!(answer.all("x-answer"), [b"\xff\xfe caf\xe9"]);
    assert_eq!(upstream.request().all("x-any"), [b"\xff\xfe caf\xe9"]);

    let line = proxy.line_of("bytes");
    assert_eq!(line["user_agent"], "\u{fffd}(\u{fffd}( \u{202e} end");
    assert!(
        proxy.raw_access_log().contains("\\u202e"),
        "a change of direction is escaped in the line"
    );
}

#[test]
fn huge_and_many_headers_are_passed_on_and_cut_in_the_line() {
    let upstream = Upstream::answering(|_| Answer::new(200).body("hi"));
    let proxy = Proxy::start(|bootstrap| bootstrap.upstream(upstream.address()));
    let long = "ä".repeat(5_000);
    let path = format!("/{}", "p".repeat(5_000));
    let mut request = Request::get(&path).field("x-request-id", "huge").field("user-agent", &long);
    for number in 0..90 {
        request = request.field(format!("x-{number}"), "y".repeat(200));
    }
    assert_eq!(proxy.send(&request).status(), 200);
    let seen = upstream.request();
    assert_eq!(seen.field("user-agent"), Some(long.as_str()));
    let numbered = |number| seen.field(&format!("x-{number}")).map(str::len);
    assert!((0..90).all(|number| numbered(number) == Some(200)), "{:?}", seen.fields);

    let line = proxy.line_of("huge");
    assert_eq!(line["user_agent"], format!("{}…", "ä".repeat(512)));
    assert_eq!(line["path"], format!("{}…", &path[..2_048]));
}

#[test]
fn a_method_that_nobody_knows_is_no_label() {
    let upstream = Upstream::answering(|_| Answer::new(200).body("hi"));
    let proxy = Proxy::start(|bootstrap| bootstrap.upstream(upstream.address()));
    for method in ["BREW", "FETCH", "get"] {
        // Envoy knows only so many methods itself, and may refuse the rest.
        let _ = Request::new(method, "/").field("x-request-id", method).send(proxy.address());
        proxy.send(&Request::get("/").field("x-request-id", format!("after-{method}")));
        proxy.line_of(&format!("after-{method}"));
    }
    let stats = proxy.stats();
    let labelled =
        |method| stats.sum("sightline_http_requests_total", &[("http_request_method", method)]);
    assert_eq!(labelled("GET"), Some(3.0));
    for method in ["BREW", "FETCH", "get"] {
        assert_eq!(labelled(method), None, "{method}");
    }
}

#[test]
fn the_query_and_its_secrets_stay_out_of_the_line() {
    let upstream = Upstream::answering(|_| Answer::new(200).body("hi"));
    let proxy = Proxy::start(|bootstrap| bootstrap.upstream(upstream.address()));
    proxy.send(&Request::get("/reset?token=s3cret#s3cret").field("x-request-id", "secret"));
    assert_eq!(proxy.line_of("secret")["path"], "/reset");
    assert!(!proxy.raw_access_log().contains("s3cret"));
}

#[test]
fn what_is_no_http_at_all_does_no_harm() {
    use std::io::{Read as _, Write as _};

    let upstream = Upstream::answering(|_| Answer::new(200).body("hi"));
    let proxy = Proxy::start(|bootstrap| bootstrap.upstream(upstream.address()));
    let garbage: [&[u8]; 5] = [
        b"\x16\x03\x01\x02\x00\x01",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nx\xff: 1\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\r\n\r\n\r\n\0\0\0",
    ];
    for bytes in garbage {
        let mut stream = std::net::TcpStream::connect(proxy.address()).unwrap();
        let _ = stream.write_all(bytes);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let _ = stream.read_to_end(&mut Vec::new());
    }
    assert_eq!(proxy.send(&Request::get("/").field("x-request-id", "after")).status(), 200);
    proxy.line_of("after");
}

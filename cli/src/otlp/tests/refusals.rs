//! Requests that are none, and what their senders are told.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use super::*;

#[test]
fn what_is_wrong_over_http_is_refused_with_a_sentence() {
    let (receiver, exports) = saying(Reply::Accepted);
    let long = vec![0; LONGEST + 1];
    let zipped = |bytes: &[u8]| post("/v1/traces").field("content-encoding", "gzip").body(bytes);
    let json = Request::post("/v1/traces").field("content-type", "application/json").body("{}");
    let brotli = post("/v1/traces").field("content-encoding", "br").body("");
    let cut = &gzip(&spans(9).encode_to_vec())[..30];
    let rows = [
        ("an unknown path", post("/v1/profiles").body(""), 404, "nothing takes OTLP at /v1/prof"),
        ("a query is none", post("/v1/traces?a=/v1/logs").body("\x07"), 400, "cannot be read"),
        ("a GET", Request::get("/v1/traces"), 405, "OTLP comes in a POST"),
        ("JSON", json, 415, "application/x-protobuf or over gRPC, not as application/json"),
        ("no content type", Request::post("/v1/traces").body(""), 415, "needs a content-type"),
        ("brotli", brotli, 415, "compressed by gzip, not by br"),
        ("no protobuf", post("/v1/traces").body("nonsense"), 400, "cannot be read"),
        ("no gzip", zipped(b"this is no gzip"), 400, "cannot be read: invalid gzip header"),
        ("gzip of nothing", zipped(b""), 400, "cannot be read"),
        ("a gzip that is cut", zipped(cut), 400, "cannot be read"),
        ("something behind the gzip", zipped(&[&gzip(b"")[..], b"!"].concat()), 400, "be read"),
        ("a body too long", post("/v1/traces").body(&long), 413, "longer than 16 MiB"),
        ("a bomb", zipped(&gzip(&long)), 413, "longer than 16 MiB, plain or compressed"),
    ];
    for (name, request, wanted, sentence) in rows {
        let answer = request.send(receiver.address()).unwrap_or_else(|e| panic!("{name}: {e}"));
        let body = String::from_utf8_lossy(&answer.body);
        assert_eq!(answer.status(), wanted, "{name}: {body}");
        assert!(body.contains(sentence), "{name}: {body}");
    }
    assert_eq!(*exports.lock().unwrap(), []);
}

#[test]
fn whoever_sends_protobuf_is_refused_in_protobuf() {
    let (receiver, _) = saying(Reply::Accepted);
    let answer = post("/v1/logs").body("nonsense").send(receiver.address()).unwrap();
    let error = http::Status::decode(&answer.body[..]).unwrap();
    assert_eq!(error.code, 3);
    assert!(error.message.starts_with("the message cannot be read: "), "{}", error.message);
    let get = Request::get("/v1/logs").send(receiver.address()).unwrap();
    assert_eq!(get.field("allow"), Some("POST"));
}

#[test]
fn what_is_wrong_over_grpc_is_refused_with_a_code() {
    let (receiver, exports) = saying(Reply::Accepted);
    let bomb = frame(1, &gzip(&vec![0; LONGEST + 1]));
    let two = [frame(0, b""), frame(0, b"")].concat();
    let rows = [
        (
            "an unknown method",
            "/a.B/C",
            "gzip",
            frame(0, b""),
            "12",
            "nothing takes OTLP at /a.B/C",
        ),
        ("no message", TRACES, "gzip", Vec::new(), "3", "ends before its message"),
        ("half a message", TRACES, "gzip", frame(0, b"abc")[..6].to_vec(), "3", "3 bytes, and 1"),
        ("two messages", TRACES, "gzip", two, "3", "it says 0 bytes, and 5 came"),
        ("an unknown flag", TRACES, "gzip", frame(2, b""), "3", "first byte is 2"),
        ("no protobuf", TRACES, "gzip", frame(0, b"nonsense"), "3", "cannot be read"),
        ("no gzip", TRACES, "gzip", frame(1, b"this is no gzip"), "3", "invalid gzip header"),
        ("compressed somehow", TRACES, "identity", frame(1, b""), "3", "no field says how"),
        ("snappy", TRACES, "snappy", frame(1, b""), "12", "by gzip, not by snappy"),
        ("too long", TRACES, "gzip", frame(0, &vec![0; LONGEST + 1]), "8", "longer than 16 MiB"),
        ("a bomb", TRACES, "gzip", bomb, "8", "longer than 16 MiB"),
    ];
    for (name, path, encoding, body, code, sentence) in rows {
        let fields = [("content-type", "application/grpc"), ("grpc-encoding", encoding)];
        let seen = http2(receiver.address(), path, &fields, body).unwrap();
        assert_eq!((seen.status, seen.code()), (200, Some(code)), "{name}: {seen:?}");
        let message = seen.field("grpc-message").unwrap_or_default();
        assert!(message.contains(sentence), "{name}: {message}");
    }
    assert_eq!(*exports.lock().unwrap(), []);
}

#[test]
fn grpc_needs_http2_and_protobuf() {
    let (receiver, _) = saying(Reply::Accepted);
    let old = Request::post(TRACES).field("content-type", "application/grpc").body([0; 5]);
    assert_eq!(old.send(receiver.address()).unwrap().status(), 505);
    let json = [("content-type", "application/grpc+json")];
    let seen = http2(receiver.address(), TRACES, &json, vec![0; 5]).unwrap();
    assert_eq!((seen.status, seen.code()), (404, None));
}

#[test]
fn bytes_that_are_no_http_end_their_connection_alone() {
    let (receiver, _) = saying(Reply::Accepted);
    for garbage in [&b"\0\xff\x16\x03\x01"[..], b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nrubbish rubbish"]
    {
        let mut stream = TcpStream::connect(receiver.address()).unwrap();
        stream.write_all(garbage).unwrap();
        stream.write_all(&[b'x'; 100]).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        let mut answer = Vec::new();
        // It ends, cleanly or not.
        let end = stream.read_to_end(&mut answer).map_err(|error| error.kind());
        assert!(matches!(end, Ok(_) | Err(io::ErrorKind::ConnectionReset)), "{end:?}");
    }
    assert_eq!(post("/v1/traces").body("").send(receiver.address()).unwrap().status(), 200);
}

//! What each reply looks like to an exporter.

use std::io::Read as _;
use std::time::Instant;

use super::*;

#[test]
fn each_reply_is_what_an_http_exporter_sees() {
    let some = Reply::Partial { rejected: 3, message: "too old".to_owned() };
    let later = Reply::Status(503, vec![("retry-after".to_owned(), "7".to_owned())]);
    let impossible = Reply::Status(200, vec![("a b".to_owned(), String::new())]);
    let rows: [(Reply, u16, &[u8]); 8] = [
        (Reply::Accepted, 200, b""),
        (some, 200, b"\x0a\x0b\x08\x03\x12\x07too old"),
        (later, 503, b""),
        (Reply::Grpc(0, "fine".to_owned()), 200, b""),
        (Reply::Grpc(14, "busy".to_owned()), 503, b"\x08\x0e\x12\x04busy"),
        (Reply::Grpc(8, String::new()), 429, b"\x08\x08"),
        (Reply::Nonsense(b"<html>".to_vec()), 200, b"<html>"),
        (impossible, 500, b"no such answer can be sent: invalid HTTP header name\n"),
    ];
    for (reply, wanted, body) in rows {
        let (receiver, _) = saying(reply.clone());
        let answer = post("/v1/traces").body("").send(receiver.address()).unwrap();
        assert_eq!((answer.status(), &answer.body[..]), (wanted, body), "{reply:?}");
        let after = answer.field("retry-after");
        assert_eq!(after, (wanted == 503 && body.is_empty()).then_some("7"), "{reply:?}");
    }
}

#[test]
fn each_reply_is_what_a_grpc_exporter_sees() {
    let some = Reply::Partial { rejected: 3, message: "too old".to_owned() };
    let partial = frame(0, b"\x0a\x0b\x08\x03\x12\x07too old");
    let busy = Reply::Grpc(14, "100 % b\u{fc}sy\n".to_owned());
    let rows = [
        (Reply::Accepted, 200, Some("0"), frame(0, b""), None),
        (some, 200, Some("0"), partial, None),
        (Reply::status(503), 503, None, Vec::new(), None),
        (busy, 200, Some("14"), Vec::new(), Some("100 %25 b%C3%BCsy%0A")),
        (Reply::Nonsense(b"<html>".to_vec()), 200, Some("0"), frame(0, b"<html>"), None),
    ];
    for (reply, status, code, body, message) in rows {
        let (receiver, _) = saying(reply.clone());
        let seen = grpc(receiver.address(), TRACES, frame(0, b"")).unwrap();
        assert_eq!((seen.status, seen.code(), &seen.body), (status, code, &body), "{reply:?}");
        assert_eq!(seen.field("grpc-message"), message, "{reply:?}");
    }
}

#[test]
fn a_reset_is_one_on_the_wire() {
    let (receiver, _) = saying(Reply::Reset);
    let mut stream = post("/v1/traces").body("").begin(receiver.address()).unwrap();
    let error = stream.read(&mut [0; 9]).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    grpc(receiver.address(), TRACES, frame(0, b"")).unwrap_err();
}

#[test]
fn silence_lasts_until_the_exporter_gives_up_and_holds_up_nobody_else() {
    let (receiver, exports) = saying(Reply::Silence);
    let mut stream = post("/v1/traces").body("").begin(receiver.address()).unwrap();
    wait::until("the export", SOON, || exports.lock().unwrap().pop()).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let error = stream.read(&mut [0; 9]).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    assert_eq!(post("/elsewhere").body("").send(receiver.address()).unwrap().status(), 404);
    // Dropped, it ends even that.
    drop(receiver);
    stream.set_read_timeout(Some(SOON)).unwrap();
    assert_eq!(stream.read(&mut [0; 9]).unwrap(), 0);
}

#[test]
fn a_reply_can_come_later() {
    let wait = Duration::from_millis(40);
    let (receiver, _) = saying(Reply::status(429).after(wait).after(wait));
    let begin = Instant::now();
    let answer = post("/v1/traces").body("").send(receiver.address()).unwrap();
    assert_eq!(answer.status(), 429);
    assert!(begin.elapsed() >= 2 * wait, "{:?}", begin.elapsed());
}

//! What the other tests rely on without looking.

use std::io::{ErrorKind, Read as _};
use std::net::TcpStream;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use sightline_cli::wait;
use sightline_tests::{Answer, Proxy, Request, Upstream};

#[test]
fn a_test_that_panics_leaves_no_envoy_behind() {
    let (tell, told) = mpsc::channel();
    let panicked = thread::spawn(move || {
        let proxy = Proxy::start(|bootstrap| bootstrap);
        tell.send(proxy.address()).unwrap();
        panic!("as this test wants it");
    });
    let address = told.recv().unwrap();
    assert!(panicked.join().is_err());
    wait::until("Envoy to be gone", Duration::from_secs(10), || TcpStream::connect(address).err())
        .unwrap();
}

#[test]
fn an_upstream_resets_and_ends_as_it_is_told() {
    let ended = |answer: Answer| {
        let upstream = Upstream::answering(move |_| answer.clone());
        let mut connection = Request::get("/").begin(upstream.address()).unwrap();
        let mut read = Vec::new();
        let end = connection.read_to_end(&mut read).map_err(|error| error.kind());
        (end.map(|_| ()), String::from_utf8(read).unwrap())
    };
    assert_eq!(ended(Answer::reset()), (Err(ErrorKind::ConnectionReset), String::new()));
    let (end, read) =
        ended(Answer::new(200).body("hi").pause(Duration::from_millis(50)).then_reset());
    assert_eq!(end, Err(ErrorKind::ConnectionReset));
    assert!(read.ends_with("\r\n\r\nhi"), "{read:?}");
}

#[test]
fn proxies_and_upstreams_do_not_disturb_each_other() {
    let pairs: Vec<_> = (200..204_u16)
        .map(|status| {
            let upstream = Upstream::answering(move |_| Answer::new(status).body(""));
            let proxy = Proxy::start(|bootstrap| bootstrap.upstream(upstream.address()));
            (status, upstream, proxy)
        })
        .collect();
    for (status, upstream, proxy) in &pairs {
        assert_eq!(proxy.send(&Request::get("/").field("x-request-id", "mine")).status(), *status);
        assert_eq!(upstream.request().field("x-request-id"), Some("mine"));
        assert_eq!(proxy.line_of("mine")["status"], *status);
        assert_eq!(proxy.lines().len(), 1);
    }
}

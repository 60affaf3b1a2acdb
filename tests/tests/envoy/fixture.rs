//! What the other tests rely on without looking.

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

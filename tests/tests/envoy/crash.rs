//! A worker's VM crashes and is made anew: what was counted stays counted.

use std::io::{BufReader, Write as _};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::mpsc;
use std::time::Duration;

use sightline_cli::wait;
use sightline_tests::crash::{Crashing, crash};
use sightline_tests::{Answer, Message, Proxy, Request, Upstream};

const REQUESTS: &str = "sightline_http_requests_total";
const RELOADED: &str = "envoy_wasm_sightline_vm_reload_success";
/// Longer than Envoy lets a VM be reloaded after the last time.
const SOON: Duration = Duration::from_secs(20);

/// One request over a connection that stays open.
fn ask(connection: &mut TcpStream, path: &str) -> Message {
    write!(connection, "GET {path} HTTP/1.1\r\nhost: app\r\n\r\n").unwrap();
    Message::read_response(&mut BufReader::new(connection)).unwrap()
}

#[test]
fn a_worker_that_crashed_answers_again_and_counts_on() {
    let (came, has_come) = mpsc::channel();
    let (answer_it, may_answer) = mpsc::channel();
    let may_answer = Mutex::new(may_answer);
    let upstream = Upstream::answering(move |request| {
        if request.path() == "/slow" {
            came.send(()).unwrap();
            may_answer.lock().unwrap().recv().unwrap();
        }
        Answer::new(200).body("hi")
    });
    let crashing = Crashing::new();
    let proxy = Proxy::start(|bootstrap| {
        crashing.put_into(bootstrap.upstream(upstream.address()), "FAIL_RELOAD")
    });
    for _ in 0..3 {
        assert_eq!(proxy.send(&Request::get("/")).status(), 200);
    }
    proxy.settles_at(3.0, REQUESTS, &[]);

    let under_way = Request::get("/slow").begin(proxy.address()).unwrap();
    has_come.recv_timeout(SOON).unwrap();
    let mut connection = TcpStream::connect(proxy.address()).unwrap();
    assert_eq!(ask(&mut connection, "/").status(), 200);
    let crashed = crash(&mut connection).unwrap();
    assert_eq!((crashed.status(), crashed.text().as_str()), (503, ""));
    answer_it.send(()).unwrap();
    assert_eq!(Message::read_response(&mut BufReader::new(under_way)).unwrap().status(), 503);
    let logged = || proxy.log().contains("proxy_on_request_trailers failed").then_some(());
    wait::until("the crash in the log", SOON, logged).unwrap();

    let again = || (proxy.send(&Request::get("/")).status() == 200).then_some(());
    wait::until("the worker to answer again", SOON, again).unwrap();
    for _ in 0..5 {
        assert_eq!(proxy.send(&Request::get("/")).status(), 200);
    }
    // Three, one, the one that was answered again, five: those of the VM that was lost are not among them.
    proxy.settles_at(10.0, REQUESTS, &[]);
    proxy.settles_at(10.0, REQUESTS, &[("http_response_status_code", "200")]);
    let written = || (proxy.raw_access_log().lines().count() >= 10).then(|| proxy.lines());
    assert_eq!(wait::until("the lines", SOON, written).unwrap().len(), 10);
    assert_eq!(proxy.stats().sum(RELOADED, &[]), Some(1.0));
}

//! How it ends, and what it leaves behind: nothing.

use std::io::Read as _;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;

use sightline_cli::leash::Signal;
use sightline_tests::Request;

use super::fixture::{Running, free, gone};

/// An app as a person starts it. It says on its stderr what signal it gets, and ends with 40 and its number.
fn app(port: u16) -> Vec<String> {
    let script = format!(
        "import http.server, os, signal, sys
def end(number, frame):
    print('got signal', number, file=sys.stderr, flush=True)
    os._exit(40 + number)
for number in (1, 2, 3, 15):
    signal.signal(number, end)
print('stdin', len(sys.stdin.read()), flush=True)
http.server.HTTPServer(('127.0.0.1', {port}), http.server.SimpleHTTPRequestHandler).serve_forever()"
    );
    ["--", "python3", "-c", &script].map(str::to_owned).to_vec()
}

fn start(arguments: &[String]) -> Running {
    Running::start(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

/// With an app of its own, that listens.
fn ready() -> (Running, SocketAddr) {
    let address = free();
    let arguments = [vec!["--app".to_owned(), address.to_string()], app(address.port())].concat();
    let mut up = start(&arguments);
    up.says("Ready after ");
    (up, address)
}

#[test]
fn each_signal_is_passed_on_and_the_apps_exit_code_returned() {
    for signal in Signal::ALL {
        let (mut up, app) = ready();
        assert_eq!(up.send(&Request::get("/")).status(), 200);
        let front = up.address();
        up.signal(signal);
        let code = 40 + signal.number();
        assert_eq!(up.ended().code(), Some(code), "{signal:?}: {}", up.said());
        let said = up.said();
        assert_eq!(said.matches("got signal").count(), 1, "once: {said}");
        assert!(said.contains("stdin 0\n"), "what the app prints is seen: {said}");
        gone(app);
        gone(front);
        let mut lines = String::new();
        up.stdout().read_to_string(&mut lines).unwrap();
        assert_eq!(lines.lines().count(), 1, "{lines}");
    }
}

#[test]
fn an_app_that_ends_by_itself_ends_it_with_its_exit_code() {
    for (script, code, told) in [
        ("exit 7", 7, "sh ended, exit status: 7, before anything listened on "),
        ("exit 0", 0, "sh ended, exit status: 0, before anything listened on "),
        ("kill -s KILL $$", 137, "sh ended, signal: 9 (SIGKILL), before "),
    ] {
        let mut up = Running::start(&["--app", &free().to_string(), "--", "sh", "-c", script]);
        assert_eq!(up.ended().code(), Some(code), "{script}: {}", up.said());
        assert!(up.said().contains(told), "{script}: {}", up.said());
    }
}

#[test]
fn a_second_signal_kills_an_app_that_does_not_listen() {
    let script = "trap '' INT; echo \"deaf $$.\" >&2; while :; do sleep 1; done";
    let mut up = Running::start(&["--app", &free().to_string(), "--", "sh", "-c", script]);
    let address = up.address();
    up.says("deaf ");
    let said = up.said();
    let (_, process) = said.split_once("deaf ").unwrap();
    let process = process.split_once('.').unwrap().0.to_owned();
    up.signal(Signal::Interrupt);
    up.signal(Signal::Interrupt);
    assert_eq!(up.ended().code(), Some(137), "{}", up.said());
    assert!(up.said().contains("sh has not ended by itself"), "{}", up.said());
    assert!(!Path::new("/proc").join(process).exists());
    gone(address);
}

#[test]
fn an_envoy_that_dies_ends_it_with_1_and_the_reason() {
    let (mut up, app) = ready();
    kill(up.envoy());
    assert_eq!(up.ended().code(), Some(1), "{}", up.said());
    let said = up.said();
    for part in ["Envoy ended by itself, signal: 9 (SIGKILL)", "All of its log: ", "/envoy.log"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    gone(app);
}

#[test]
fn killed_it_leaves_nothing_behind() {
    let (mut up, app) = ready();
    let front = up.address();
    for address in [front, app] {
        TcpStream::connect(address).unwrap();
    }
    kill(up.id());
    gone(app);
    gone(front);
}

#[test]
fn it_ends_when_nobody_reads_its_lines_any_more() {
    let (mut up, app) = ready();
    drop(up.stdout());
    let front = up.address();
    // Each is a line that cannot be printed; the first may fail already, or the last before it ended.
    for _ in 0..100 {
        if Request::get("/").send(front).is_err() {
            break;
        }
    }
    assert_eq!(up.ended().code(), Some(42), "as at Ctrl-C: {}", up.said());
    gone(app);
}

fn kill(process: u32) {
    let killed = Command::new("kill").args(["-s", "KILL", &process.to_string()]).status().unwrap();
    assert!(killed.success());
}

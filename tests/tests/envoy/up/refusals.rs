//! What cannot work, or does not yet, is told in a sentence with what to do.

use std::fs;
use std::net::TcpListener;

use sightline_cli::leash::Signal;
use sightline_tests::{Answer, Nobody, Request, Upstream};

use super::fixture::{Running, up};

#[test]
fn an_address_that_is_taken_is_told_with_who_has_it() {
    let held = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = held.local_addr().unwrap().to_string();
    let own = format!(", process {})", std::process::id());
    for (flag, others) in [
        ("--listen", &["--otlp", "127.0.0.1:0", "--view", "none"][..]),
        ("--otlp", &["--listen", "127.0.0.1:0", "--view", "none"]),
        ("--page", &["--listen", "127.0.0.1:0", "--otlp", "127.0.0.1:0"]),
    ] {
        let arguments =
            [others, &[flag, taken.as_str()], &["--", "touch", "/dev/null/no"]].concat();
        let output = up(&arguments);
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{told}");
        for part in [format!("{taken} is taken by another program (").as_str(), &own, flag] {
            assert!(told.contains(part), "{part}: {told}");
        }
        assert!(!told.contains("touch"), "nothing was started: {told}");
    }
}

#[test]
fn a_wrong_configuration_is_told_with_every_problem() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("wrong.yaml");
    fs::write(&file, "servce: { name: shop }\nsampling: { ratio: 2 }\n").unwrap();
    let output = up(&["--config", file.to_str().unwrap()]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    for part in ["servce", "service", "sampling.ratio"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(output.stdout.is_empty());
}

#[test]
fn what_cannot_be_meant_is_told() {
    for (arguments, code, told) in [
        (&["--config", "/no/such.yaml"][..], 2, "/no/such.yaml"),
        (&["--listen", "127.0.0.1:8000"], 2, "--app is where Envoy is to listen"),
        (&["--listen", "127.0.0.1:9", "--page", "127.0.0.1:9"], 2, "--listen and --page are both"),
        (&["--page", "0.0.0.0:80"], 2, "loopback"),
        (&["--page", "127.0.0.1:80", "--view", "none"], 2, "--page is for --view page"),
        (&["--view", "tui"], 2, "--view tui needs a terminal"),
        (&["--service", ""], 2, "expected a name"),
        (&["--app", "8000"], 2, "`8000` is no host and port"),
        (&["--", "no-such-program"], 127, "`no-such-program` is no program"),
        (&["--listen", "192.0.2.1:8080", "--view", "none"], 1, "no address of this machine"),
    ] {
        let output = up(arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {stderr}");
        assert!(stderr.contains(told), "{arguments:?}: {stderr}");
    }
}

#[test]
fn an_app_that_does_not_answer_yet_is_told_and_waited_for() {
    let nobody = Nobody::anywhere();
    let app = nobody.address();
    let mut up = Running::start(&["--app", &app.to_string()]);
    up.says(&format!("Nothing listens on {app} yet: start your app there."));
    assert_eq!(up.send(&Request::get("/")).status(), 503);
    drop(nobody);
    let listener = TcpListener::bind(app).unwrap();
    up.says(&format!("Something listens on {app} now."));
    drop(listener);
    let out = up.finish();
    assert!(out.contains("  503  GET  ") && out.contains("upstream_connection"), "{out}");
}

#[test]
fn an_app_that_was_there_before_is_ready_at_once() {
    let app = Upstream::answering(|_| Answer::new(200).body("hi"));
    let mut up = Running::start(&[
        "--app",
        &app.address().to_string(),
        "--page",
        "127.0.0.1:0",
        "--view",
        "page",
    ]);
    up.says("Ready after ");
    assert!(up.said().contains("Live view: http://127.0.0.1:"), "{}", up.said());
    assert!(!up.said().contains("Nothing listens"), "{}", up.said());
    up.signal(Signal::Interrupt);
    assert_eq!(up.ended().code(), Some(0));
}

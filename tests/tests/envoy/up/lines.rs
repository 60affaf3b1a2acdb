//! Requests go through, and each has its line.

use std::collections::HashSet;
use std::fs;
use std::io::{self, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::thread;

use serde_json::json as value;
use sightline_cli::leash::Signal;
use sightline_tests::{Answer, Message, Request, Upstream};

use super::fixture::{Running, json, next};

fn app() -> Upstream {
    Upstream::answering(|request| match request.path() {
        path if path.starts_with("/boom") => Answer::new(500).body("no"),
        _ => Answer::new(200).body("hi"),
    })
}

#[test]
fn lines_for_people_come_at_once() {
    let app = app();
    let mut up = Running::start(&["--app", &app.address().to_string(), "--service", "shop"]);
    up.says("shop behind it on");
    let mut out = up.stdout();
    let answer = up.send(&Request::get("/users/1001").field("x-request-id", "req-4242"));
    assert_eq!((answer.status(), answer.text().as_str()), (200, "hi"));
    let line = next(&mut out);
    for part in ["  200  GET  ", "/users/{int}", " ms  req req-4242  trace ", "  (/users/1001)\n"] {
        assert!(line.contains(part), "{part}: {line}");
    }
    assert!(!line.contains('\u{1b}'), "no colours into a pipe: {line:?}");
    up.send(&Request::get("/boom?a=%1b%5b31m"));
    let line = next(&mut out);
    assert!(line.contains("  500  GET  ") && line.ends_with("  (/boom?a=%1b%5b31m)\n"), "{line}");
    up.says("Ready after ");
    up.signal(Signal::Interrupt);
    assert_eq!(up.ended().code(), Some(0), "{}", up.said());
}

#[test]
fn raw_lines_are_the_filters() {
    let app = app();
    let mut up = Running::start(&["--app", &app.address().to_string(), "--output", "json"]);
    for path in ["/users/7", "/boom", "/\u{7f}%ff"] {
        up.send(&Request::get(path).field("user-agent", b"\xff\"\n".as_slice().trim_ascii()));
    }
    let lines = json(&up.finish());
    assert_eq!(lines.len(), 3);
    for line in &lines {
        for field in ["request_id", "trace_id", "span_id", "route", "status"] {
            assert!(!line[field].is_null(), "no {field} in {line}");
        }
        assert_eq!(line["sampled"], true, "every trace is kept: {line}");
    }
}

#[test]
fn the_configuration_acts_and_what_does_not_is_told() {
    let app = app();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("sightline.yaml");
    let configuration = "service: { name: till }\nroutes: { templates: [ '/users/{id}' ] }\n\
                         access_log: { format: ecs }\nexport: { cluster: otel }\n";
    fs::write(&file, configuration).unwrap();
    let app = app.address().to_string();
    let file = file.to_str().unwrap();
    let mut up = Running::start(&["--app", &app, "--config", file, "--output", "json"]);
    up.send(&Request::get("/users/7"));
    let lines = json(&up.finish());
    assert_eq!(
        (&lines[0]["service"], &lines[0]["route"]),
        (&value!("till"), &value!("/users/{id}"))
    );
    for told in ["access_log.format: \"ecs\" does not act here", "not to the cluster \"otel\""] {
        assert!(up.said().contains(told), "{told}: {}", up.said());
    }
}

/// Envoy's pipe, ours and the reader's are all smaller than what there is to be said.
#[test]
fn a_slow_reader_misses_no_raw_line() {
    let app = app();
    let mut up = Running::start(&["--app", &app.address().to_string(), "--output", "json"]);
    let address = up.address();
    up.says("Ready after ");
    send_many(address, &up);
    up.signal(Signal::Interrupt);
    // Nothing was read before.
    let mut out = String::new();
    up.stdout().read_to_string(&mut out).unwrap();
    let lines = json(&out);
    let ids: HashSet<&str> = lines.iter().filter_map(|line| line["request_id"].as_str()).collect();
    assert_eq!((lines.len(), ids.len()), (MANY, MANY));
    assert_eq!(up.ended().code(), Some(0), "{}", up.said());
}

#[test]
fn a_slow_reader_of_lines_for_people_is_told_how_many_it_misses() {
    let app = app();
    let mut up = Running::start(&["--app", &app.address().to_string()]);
    let address = up.address();
    up.says("Ready after ");
    send_many(address, &up);
    up.signal(Signal::Interrupt);
    let mut out = String::new();
    up.stdout().read_to_string(&mut out).unwrap();
    let missed = |line: &str| {
        let number = line.strip_prefix("… ")?.split(' ').next()?.replace(',', "");
        number.parse::<usize>().ok()
    };
    let (shown, missed) = out.lines().fold((0, 0), |(shown, all), line| match missed(line) {
        Some(missed) => (shown, all + missed),
        None => (shown + 1, all),
    });
    assert_eq!(shown + missed, MANY);
    assert!(shown > 0 && missed > 0, "{shown} shown, {missed} missed");
}

const MANY: usize = 20_000;
const CLIENTS: usize = 4;
/// As many as a client sends before it reads.
const BATCH: usize = 50;

fn send_many(address: SocketAddr, up: &Running) {
    let sent = thread::scope(|scope| {
        let clients = [(); CLIENTS].map(|()| scope.spawn(|| send_some(address, MANY / CLIENTS)));
        clients.into_iter().try_for_each(|client| client.join().unwrap())
    });
    sent.unwrap_or_else(|error| panic!("{error}: {}", up.said()));
}

fn send_some(address: SocketAddr, number: usize) -> io::Result<()> {
    let mut client = TcpStream::connect(address)?;
    let mut answers = BufReader::new(client.try_clone()?);
    let batch = "GET /users/7 HTTP/1.1\r\nhost: shop\r\n\r\n".repeat(BATCH);
    for _ in 0..number / BATCH {
        client.write_all(batch.as_bytes())?;
        for _ in 0..BATCH {
            assert_eq!(Message::read_response(&mut answers)?.status(), 200);
        }
    }
    Ok(())
}

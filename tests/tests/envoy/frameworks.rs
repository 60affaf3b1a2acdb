//! Unmodified Python apps behind Envoy: what the app sees, and what the client gets.

use std::net::SocketAddr;

use sightline_cli::apps::{App, Framework};
use sightline_setup::{Checkout, python};
use sightline_tests::{Message, Nobody, Proxy, Request};
use tempfile::TempDir;

struct Service {
    proxy: Proxy,
    app: App,
    _dir: TempDir,
}

fn service(framework: Framework) -> Service {
    let checkout = Checkout::find().unwrap();
    let python = python::interpreter(&checkout).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let app = App::start(framework, &python, dir.path()).unwrap_or_else(|error| panic!("{error}"));
    let proxy = Proxy::start(|bootstrap| bootstrap.upstream(app.address()));
    Service { proxy, app, _dir: dir }
}

/// What the app says that it was sent.
fn seen_by_app(answer: &Message, name: &str) -> Vec<String> {
    let pairs: Vec<(String, String)> = serde_json::from_slice(&answer.body).unwrap();
    pairs.into_iter().filter(|(field, _)| field == name).map(|(_, value)| value).collect()
}

fn id_and_trace_reach_the_app_and_the_client(service: &Service) {
    let answer = service.proxy.send(&Request::get("/headers"));
    assert_eq!(answer.status(), 200);
    let echoed = answer.field("x-request-id").expect("the client gets the ID").to_owned();
    assert_eq!(seen_by_app(&answer, "x-request-id"), [echoed.as_str()]);

    let line = service.proxy.line_of(&echoed);
    let text = |field: &str| line[field].as_str().unwrap().to_owned();
    let traceparent =
        format!("00-{}-{}-{}", text("trace_id"), text("span_id"), text("trace_flags"));
    assert_eq!(seen_by_app(&answer, "traceparent"), [traceparent]);
}

fn every_status_carries_the_clients_id(service: &Service) {
    for (method, path, status) in [
        ("GET", "/", 200),
        ("POST", "/orders", 201),
        ("GET", "/users/7", 200),
        ("GET", "/users/404", 404),
        ("GET", "/nowhere", 404),
        ("GET", "/boom", 500),
        ("HEAD", "/nowhere", 404),
    ] {
        let id = format!("of{}-{status}", path.replace('/', "-"));
        let answer = service.proxy.send(&Request::new(method, path).field("x-request-id", &id));
        assert_eq!(answer.status(), status, "{method} {path}: {}", answer.text());
        assert_eq!(answer.all("x-request-id"), [id.as_bytes()], "{method} {path}");
        let line = service
            .proxy
            .line_where(path, |line| line["request_id"] == id && line["method"] == method);
        assert_eq!(line["status"], status, "{line}");
        assert_eq!(line["path"], path, "{line}");
    }
}

/// The server goes away with its workers, and Envoy answers in its stead.
fn without_the_app_the_client_still_gets_its_id(service: Service) {
    let Service { proxy, app, _dir } = service;
    let address: SocketAddr = app.address();
    drop(app);
    // Would fail if a worker were left behind.
    let _nobody = Nobody::at(address);
    let answer = proxy.send(&Request::get("/").field("x-request-id", "orphan"));
    assert_eq!((answer.status(), answer.field("x-request-id")), (503, Some("orphan")));
    assert_eq!(proxy.line_of("orphan")["level"], "error");
}

fn everything_holds_for(framework: Framework) {
    let service = service(framework);
    id_and_trace_reach_the_app_and_the_client(&service);
    every_status_carries_the_clients_id(&service);
    without_the_app_the_client_still_gets_its_id(service);
}

#[test]
fn fastapi_on_uvicorn() {
    everything_holds_for(Framework::FastApi);
}

#[test]
fn flask_on_prefork_gunicorn() {
    everything_holds_for(Framework::Flask);
}

#[test]
fn django_on_prefork_gunicorn() {
    everything_holds_for(Framework::Django);
}

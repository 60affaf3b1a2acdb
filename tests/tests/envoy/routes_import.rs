//! `sightline routes import` there and back: an app is asked for its routes, and then serves behind an Envoy that has
//! them. Each request has the route that the app's framework names, and none is inferred.

mod apps;
mod table;

use serde_json::Value;
use sightline_cli::routes::import::{Block, Framework, Openapi};
use sightline_tests::{Configuration, Proxy, Request};

use self::apps::{App, block_of};
use self::table::{DJANGO, FASTAPI, FLASK, OPENAPI, Row};

/// An app behind an Envoy with the routes of a block, as the command prints them.
fn proxy(app: &App, block: &Block) -> Proxy {
    let said: Value = serde_saphyr::from_str(&block.yaml()).unwrap();
    Proxy::start(|bootstrap| {
        bootstrap.upstream(app.address()).configuration(Configuration::Struct(said))
    })
}

/// Sends each request, and compares what the app and what the line say of its route.
fn hold(app: &App, block: &Block, rows: &[Row]) {
    let proxy = proxy(app, block);
    let mut named = 0;
    for (number, Row { method, path, route }) in rows.iter().enumerate() {
        let id = format!("row-{number}");
        let answer = proxy.send(&Request::new(method, path).field("x-request-id", &id));
        let line = proxy.line_of(&id);
        let found = (line["route"].as_str(), line["route_source"].as_str());
        assert_eq!(found, (Some(*route), Some("template")), "{method} {path}: {line}");
        assert!(answer.status() < 404 || answer.status() == 422, "{method} {path}: {line}");
        if let Some(said) = answer.field("x-route") {
            let said = apps::in_any_language(said);
            assert_eq!(said, *route, "{method} {path}: what the framework says");
            named += 1;
        }
    }
    assert!(rows.len() >= 25 && named * 10 >= rows.len() * 7, "{named} of {}", rows.len());
}

#[test]
fn every_request_to_fastapi_has_its_route() {
    let app = App::start(Framework::Fastapi);
    let block = block_of(Framework::Fastapi, "routes_fastapi:app");
    assert_eq!(block.left_out().count(), 0, "{}", block.summary());
    hold(&app, &block, &FASTAPI);
}

#[test]
fn every_request_to_flask_has_its_route() {
    let app = App::start(Framework::Flask);
    let block = block_of(Framework::Flask, "routes_flask:create_app('test')");
    assert_eq!(block.left_out().count(), 0, "{}", block.summary());
    hold(&app, &block, &FLASK);
}

#[test]
fn every_request_to_django_has_its_route() {
    let app = App::start(Framework::Django);
    let block = block_of(Framework::Django, "routes_django");
    assert_eq!(block.left_out().count(), 0, "{}", block.summary());
    hold(&app, &block, &DJANGO);
}

/// What `FastAPI` says of itself, in the version that it writes and in the one before.
#[test]
fn every_request_to_what_an_openapi_document_names_has_its_route() {
    let app = App::start(Framework::Fastapi);
    let document = Request::get("/openapi.json").send(app.address()).unwrap().text();
    assert!(document.contains("\"openapi\":\"3.1"), "{document}");
    let openapi = Openapi { prefix: None, rests: vec!["repo".to_owned()] };
    for version in ["3.1.0", "3.0.3"] {
        let mut document: Value = serde_json::from_str(&document).unwrap();
        document["openapi"] = Value::from(version);
        let block = openapi.import("openapi.json", &document.to_string()).unwrap();
        hold(&app, &block, &OPENAPI);
    }
}

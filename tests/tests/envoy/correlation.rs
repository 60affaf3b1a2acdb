//! One ID from the client's header to the answer, the line, the span, and what an app logs, with what the page on
//! the access log gives its users: the code here is that of the page.

mod jq;
mod page;
mod shop;

use std::collections::BTreeSet;
use std::thread;

use serde_json::{Value, json};
use sightline_tests::Request;

use shop::Shop;

const JSON: &str = "logging.json";
/// A caller's, and the trace in it.
const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

fn ids(of: &Value) -> [Value; 3] {
    ["request_id", "trace_id", "span_id"].map(|name| of[name].clone())
}

/// An order that was sent, under the name by which the app knows it, and its line.
struct Order {
    name: String,
    line: Value,
}

impl Order {
    /// Its line has the ID that the client is told.
    fn send(shop: &Shop, kind: &str, name: &str, fields: &[(&str, &str)]) -> Self {
        let name = format!("{kind}-{name}");
        let mut request = Request::get(format!("/{kind}/{name}"));
        for (field, value) in fields {
            request = request.field(field, value);
        }
        let answer = shop.proxy.send(&request);
        assert_eq!(answer.status(), 200, "{name}: {}", answer.text());
        let line = shop.proxy.line_of(answer.field("x-request-id").unwrap());
        Self { name, line }
    }

    /// The span and all records say the same of it as its line.
    fn is_one(&self, shop: &Shop) {
        let Self { name, line } = self;
        let id = line["request_id"].as_str().unwrap();
        let span = shop.span_of(id);
        assert_eq!(line["trace_id"], span.trace_id_hex(), "{name}");
        assert_eq!(line["span_id"], span.span_id_hex(), "{name}");
        for record in shop.records_of(name) {
            assert_eq!(ids(&record), ids(line), "{name}: {record:#}");
            assert_eq!(record["level"], "info", "{record:#}");
        }
    }
}

fn whoever_names_the_request(shop: &Shop, kinds: &[&str]) {
    let mut orders = Vec::new();
    for kind in kinds {
        let minted = Order::send(shop, kind, "minted", &[]);
        assert_ne!(minted.line["trace_id"], TRACE);
        let named = Order::send(shop, kind, "named", &[("x-request-id", &format!("{kind}-42"))]);
        assert_eq!(named.line["request_id"], format!("{kind}-42"));
        let joined = Order::send(shop, kind, "joined", &[("traceparent", TRACEPARENT)]);
        assert_eq!(joined.line["trace_id"], TRACE);
        orders.extend([minted, named, joined]);
    }
    // After all were sent, because spans come in batches.
    for order in &orders {
        order.is_one(shop);
    }
}

/// Each has its own, though a server has several under way.
fn many_at_once(shop: &Shop) {
    let names: Vec<_> = (0..8).map(|number| format!("at-once-{number}")).collect();
    thread::scope(|scope| {
        for name in &names {
            let request = Request::get(format!("/orders/{name}")).field("x-request-id", name);
            scope.spawn(move || shop.proxy.send(&request));
        }
    });
    for name in &names {
        for record in shop.records_of(name) {
            assert_eq!(record["request_id"], name.as_str(), "{record:#}");
        }
    }
}

fn a_failure_with_its_traceback(shop: &Shop) {
    let answer = shop.proxy.send(&Request::get("/boom/xyzzy").field("x-request-id", "failed"));
    assert_eq!((answer.status(), answer.field("x-request-id")), (500, Some("failed")));
    let raised = |record: &Value| {
        record["exception"].as_str().is_some_and(|it| it.contains("RuntimeError: xyzzy"))
    };
    let record = &shop.records_where(1, raised)[0];
    assert_eq!(ids(record), ids(&shop.proxy.line_of("failed")), "{record:#}");
    assert_eq!(record["level"], "error", "{record:#}");
}

/// Before there was a request, and for one that came without IDs after many that had some.
fn nothing_is_made_up(shop: &Shop) {
    shop.send_to_the_app(&Request::get("/orders/direct"));
    let mut records = shop.records_of("direct");
    let began = |record: &Value| record["event"].as_str().unwrap_or_default().contains("http://");
    records.extend(shop.records_where(1, began));
    for record in records {
        assert_eq!(ids(&record), [const { Value::Null }; 3], "{record:#}");
    }
}

/// `kinds` of views: in the event loop or the server's thread, in a thread of a pool, and one that answers in parts.
fn everything_holds_for(file: &str, command: &str, kinds: &[&str]) -> Shop {
    let shop = Shop::start(file, command, JSON);
    whoever_names_the_request(&shop, kinds);
    many_at_once(&shop);
    a_failure_with_its_traceback(&shop);
    nothing_is_made_up(&shop);
    shop
}

fn a_record_is_as_the_page_shows_it(shop: &Shop) {
    let request = Request::get("/orders/7").field("x-request-id", "req-42");
    shop.proxy.send(&request.field("traceparent", TRACEPARENT));
    let records = shop.records_of("7");
    let [record, of_structlog] = records.as_slice() else { panic!("{records:?}") };
    let shown: Value = serde_json::from_str(&page::block("record")).unwrap();
    let fields = |record: &Value| -> BTreeSet<String> {
        record.as_object().unwrap().keys().cloned().collect()
    };
    assert_eq!(fields(record), fields(&shown));
    for same in ["level", "logger", "event", "request_id", "trace_id"] {
        assert_eq!(record[same], shown[same], "{same}");
    }
    let time = record["timestamp"].as_str().unwrap();
    assert!(time.len() == 27 && time.ends_with('Z'), "not as in the line: {time}");
    assert_eq!((&of_structlog["event"], &of_structlog["level"]), (&json!("order"), &json!("info")));
}

/// Its one thread has had many requests when it says that it ends, which belongs to none of them.
#[test]
fn flask_on_gunicorn() {
    let command = page::block("start wsgi");
    let mut shop = everything_holds_for("shop_flask.py", &command, &["orders", "parts"]);
    a_record_is_as_the_page_shows_it(&shop);
    shop.end();
    let exiting =
        |record: &Value| record["event"].as_str().unwrap_or_default().starts_with("Worker exiting");
    assert_eq!(ids(&shop.records_where(1, exiting)[0]), [const { Value::Null }; 3]);
}

#[test]
fn django_on_gunicorn_with_threads() {
    let command = format!("{} --threads 4", page::block("start wsgi"));
    everything_holds_for("shop_django.py", &command, &["orders", "parts"]);
}

#[test]
fn fastapi_on_uvicorn() {
    let command = page::block("start asgi");
    everything_holds_for("shop_fastapi.py", &command, &["orders", "threads", "parts"]);
}

#[test]
fn django_on_uvicorn() {
    let command = page::block("start asgi").replace("shop:app", "shop:asgi");
    everything_holds_for("shop_django.py", &command, &["orders", "parts"]);
}

#[test]
fn text_has_the_ids_where_its_format_says() {
    let shop = Shop::start("shop_flask.py", &page::block("start wsgi"), "text");
    shop.proxy.send(&Request::get("/orders/7").field("x-request-id", "req-42"));
    let line = shop.proxy.line_of("req-42");
    let trace = line["trace_id"].as_str().unwrap();
    let log = shop.log();
    assert!(log.contains(&format!("\nINFO [req-42 {trace}] order 7\n")), "{log}");
    assert!(log.contains("\nINFO [- -] Booting worker"), "{log}");
}

#[test]
fn gunicorns_own_access_log_needs_no_code() {
    let shop = Shop::start("shop_flask.py", &page::block("gunicorn's own"), JSON);
    shop.proxy.send(&Request::get("/orders/7").field("x-request-id", "req-42"));
    let line = shop.proxy.line_of("req-42");
    let part = |name: &str| line[name].as_str().unwrap().to_owned();
    let [trace, span, flags] = ["trace_id", "span_id", "trace_flags"].map(part);
    let said = format!("GET /orders/7 200 request_id=req-42 traceparent=00-{trace}-{span}-{flags}");
    let look = || shop.log().lines().any(|line| line == said).then_some(());
    sightline_cli::wait::until(&said, shop::SOON, look).unwrap_or_else(|late| panic!("{late}"));
}

//! What the page has for jq, on real lines.

use std::fs;
use std::net::SocketAddr;
use std::process::Command;

use serde_json::{Value, json};
use sightline_setup::{Checkout, jq};
use sightline_tests::{Answer, Configuration, Message, Proxy, Request, Upstream};
use tempfile::TempDir;

use super::{TRACE, TRACEPARENT, page};

/// Two services that have answered a few requests.
struct Logs {
    lines: Vec<Value>,
    dir: TempDir,
}

fn answer(request: &Message) -> Answer {
    match request.path() {
        "/boom" | "/down/1" | "/down/2" => Answer::new(500).body("no"),
        "/events" => {
            Answer::new(200).field("content-type", "text/event-stream").body("data: a\n\n")
        }
        "/absent" => Answer::new(404).body("none"),
        _ => Answer::new(200).body("yes"),
    }
}

fn service(name: &str, upstream: SocketAddr) -> Proxy {
    Proxy::start(|bootstrap| {
        let configuration = json!({
            "service": {"name": name},
            "routes": {"templates": ["/orders/{id}", "/down/{id}", "/boom", "/events", "/absent"]},
        });
        bootstrap.upstream(upstream).configuration(Configuration::Struct(configuration))
    })
}

impl Logs {
    fn make() -> Self {
        let upstream = Upstream::answering(answer);
        let [shop, stock] = ["shop", "stock"].map(|name| service(name, upstream.address()));
        let of_the_page = Request::get("/orders/7").field("traceparent", TRACEPARENT);
        shop.send(&of_the_page.field("x-request-id", "req-42"));
        let line = shop.line_of("req-42");
        // As the app passes it on.
        let passed_on = format!("00-{TRACE}-{}-01", line["span_id"].as_str().unwrap());
        stock.send(&Request::get("/orders/8").field("traceparent", passed_on));
        stock.line_where("the line of stock", |line| line["trace_id"] == TRACE);
        for path in ["/boom", "/down/1", "/down/2", "/events", "/absent"] {
            shop.send(&Request::get(path));
        }
        for number in 0..30 {
            shop.send(&Request::get(format!("/orders/{number}")));
        }
        shop.send(&Request::get("/").field("x-request-id", "last"));
        shop.line_of("last");
        let dir = tempfile::tempdir().unwrap();
        for (file, text) in [
            ("access.log", format!("not a line\n{}", shop.raw_access_log())),
            ("stock.log", stock.raw_access_log()),
            ("app.log", format!("{}\nTraceback:\n", page::block("record"))),
        ] {
            fs::write(dir.path().join(file), text).unwrap();
        }
        Self { lines: shop.lines(), dir }
    }

    /// What the command of the page with this comment prints.
    fn ask(&self, marker: &str) -> String {
        let jq = jq::find(&Checkout::find().unwrap()).unwrap_or_else(|error| panic!("{error}"));
        let mut shell = Command::new("sh");
        jq.offer_to(&mut shell).args(["-c", &page::block(marker)]);
        let said = shell.current_dir(self.dir.path()).output().unwrap();
        assert!(said.status.success(), "{marker}: {}", String::from_utf8_lossy(&said.stderr));
        String::from_utf8(said.stdout).unwrap()
    }

    fn ask_for_json(&self, marker: &str) -> Vec<Value> {
        self.ask(marker).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The line of the page's request at the shop's.
    fn of_the_page(&self) -> &Value {
        self.lines.iter().find(|line| line["request_id"] == "req-42").unwrap()
    }

    /// In the order in which they stand in the log.
    fn durations(&self, route: &str) -> Vec<f64> {
        let its = self.lines.iter().filter(|line| line["route"] == route);
        its.map(|line| line["duration_ms"].as_f64().unwrap()).collect()
    }
}

fn errors_are_counted_by_route(logs: &Logs) {
    assert_eq!(
        logs.ask_for_json("jq errors"),
        [
            json!({"route": "/down/{id}", "errors": 2, "why": ["500"]}),
            json!({"route": "/boom", "errors": 1, "why": ["500"]}),
        ]
    );
}

fn the_slowest_of_each_route_are_told(logs: &Logs) {
    let told = logs.ask_for_json("jq p95");
    let routes: Vec<_> = told.iter().map(|row| row["route"].as_str().unwrap()).collect();
    assert_eq!(routes, ["/", "/absent", "/boom", "/down/{id}", "/orders/{id}"]);
    for row in &told {
        let mut durations = logs.durations(row["route"].as_str().unwrap());
        durations.sort_by(f64::total_cmp);
        // All but one in twenty take no longer.
        let longer = durations.len() / 20;
        assert_eq!(row["p95_ms"], durations[durations.len() - 1 - longer], "{row}");
        assert_eq!(row["requests"], durations.len(), "{row}");
    }
}

fn one_request_is_found_in_both_logs(logs: &Logs) {
    let record: Value = serde_json::from_str(&page::block("record")).unwrap();
    assert_eq!(logs.ask_for_json("jq request"), [&record, logs.of_the_page()].map(Value::clone));
}

fn one_trace_is_found_at_all_services(logs: &Logs) {
    let told = logs.ask("jq trace");
    let rows: Vec<Vec<_>> = told.lines().map(|line| line.split('\t').collect()).collect();
    let of_the_page = logs.of_the_page();
    let duration = of_the_page["duration_ms"].to_string();
    let [record, shop, stock] = rows.as_slice() else { panic!("{told}") };
    assert_eq!(record[1..], ["info", "shop", "order 7", "", "", ""]);
    let began = of_the_page["timestamp"].as_str().unwrap();
    assert_eq!(
        *shop,
        [began, "info", "shop", "http_request", "/orders/{id}", "200", duration.as_str()]
    );
    assert_eq!(stock[1..6], ["info", "stock", "http_request", "/orders/{id}", "200"]);
}

#[test]
fn every_command_for_jq_finds_what_it_is_for() {
    let logs = Logs::make();
    errors_are_counted_by_route(&logs);
    the_slowest_of_each_route_are_told(&logs);
    one_request_is_found_in_both_logs(&logs);
    one_trace_is_found_at_all_services(&logs);
}

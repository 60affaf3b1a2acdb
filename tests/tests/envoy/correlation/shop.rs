//! A Python app that logs, behind Envoy, started by the commands and with the files of the page.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use sightline_cli::leash::Leash;
use sightline_cli::otlp::ReceivedSpan;
use sightline_cli::wait;
use sightline_setup::{Checkout, python};
use sightline_tests::{Collector, Configuration, Message, Proxy, Request};
use tempfile::TempDir;

use super::page;

pub(super) const SOON: Duration = Duration::from_mins(1);
const LOG: &str = "app.log";

/// What the servers need to be told beside what the page says, so that tests run side by side.
const GUNICORN: &str = "--bind 127.0.0.1:0 --no-control-socket";
const UVICORN: &str = "--host 127.0.0.1 --port 0";

/// A running app with an Envoy in front of it, and a collector behind that.
pub(super) struct Shop {
    pub(super) proxy: Proxy,
    collector: Collector,
    app: SocketAddr,
    /// Until it is ended.
    leash: Option<Leash>,
    // After the leash, so that the folder goes when nobody writes into it any more.
    dir: TempDir,
}

impl Shop {
    /// Starts the app of this file with this command, and with this part of the page as `logging.json`.
    pub(super) fn start(file: &str, command: &str, logging: &str) -> Self {
        let checkout = Checkout::find().unwrap();
        let python = python::interpreter(&checkout).unwrap();
        let app = fs::read_to_string(checkout.root().join("tests/apps").join(file)).unwrap();
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("correlate.py", page::block("correlate.py")),
            ("logging.json", page::block(logging)),
            ("shop.py", format!("{}\n{app}", page::block("structlog"))),
        ] {
            fs::write(dir.path().join(name), text).unwrap();
        }
        let mut leash = launch(command, python.parent().unwrap(), dir.path());
        let look = || listening_at(&log(dir.path())).filter(|&app| answers(app));
        let app = leash.until("the app to answer", SOON, look);
        let app = app.unwrap_or_else(|silence| panic!("{silence}\n{}", log(dir.path())));
        let collector = Collector::start();
        let proxy = Proxy::start(|bootstrap| {
            bootstrap.upstream(app).collector(collector.address(), false).configuration(
                Configuration::Struct(json!({
                    "sampling": {"ratio": 1},
                    "export": {"cluster": "collector", "interval": "200ms"},
                })),
            )
        });
        Self { proxy, collector, app, leash: Some(leash), dir }
    }

    /// All that it and its server have printed.
    pub(super) fn log(&self) -> String {
        log(self.dir.path())
    }

    /// All that it has logged in JSON. Two may stand on one line: threads that `print` write a line and its end by itself.
    fn records(&self) -> Vec<Value> {
        let log = self.log();
        let records =
            |line| serde_json::Deserializer::from_str(line).into_iter().map_while(Result::ok);
        log.lines().flat_map(records).collect()
    }

    /// So many records that are so, once there are as many; and no more.
    pub(super) fn records_where(&self, count: usize, is_so: impl Fn(&Value) -> bool) -> Vec<Value> {
        let look = || {
            let mut records = self.records();
            records.retain(&is_so);
            (records.len() >= count).then_some(records)
        };
        let records = wait::until("records", SOON, look);
        let records = records.unwrap_or_else(|late| panic!("{late}: {}", self.log()));
        assert_eq!(records.len(), count, "{records:#?}");
        records
    }

    /// The two records of the order with this name: of the standard library and of structlog, or of two parts.
    pub(super) fn records_of(&self, name: &str) -> Vec<Value> {
        self.records_where(2, |record| {
            let event = record["event"].as_str().unwrap_or_default();
            event == format!("order {name}") || event == "order" && record["name"] == name
        })
    }

    /// The span of the request with this ID, as soon as it has come.
    pub(super) fn span_of(&self, id: &str) -> ReceivedSpan {
        let is_its = |span: &ReceivedSpan| span.text("sightline.request_id") == Some(id);
        self.collector.span_where(&format!("the span of {id}"), is_its)
    }

    /// Asks the app to end, and waits until it has.
    pub(super) fn end(&mut self) {
        self.leash.take().unwrap().stop(SOON).unwrap();
    }

    /// Past the proxy.
    pub(super) fn send_to_the_app(&self, request: &Request) -> Message {
        request.send(self.app).unwrap()
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- the app's log ---\n{}", self.log());
        }
    }
}

fn launch(command: &str, programs: &Path, dir: &Path) -> Leash {
    let options = if command.contains("gunicorn") { GUNICORN } else { UVICORN };
    let output = File::create(dir.join(LOG)).unwrap();
    let errors = output.try_clone().unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}:{path}", std::path::absolute(programs).unwrap().display());
    let started = Leash::start(Path::new("sh"), |shell| {
        shell
            .args(["-c", &format!("exec env {command} {options}")])
            .current_dir(dir)
            .env("PATH", path)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("OTEL_SDK_DISABLED", "true")
            .stdout(output)
            .stderr(errors);
    });
    started.unwrap()
}

fn log(dir: &Path) -> String {
    fs::read_to_string(dir.join(LOG)).unwrap_or_default()
}

/// Both servers say it, in whatever format.
fn listening_at(log: &str) -> Option<SocketAddr> {
    let whole = log.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    let mut addresses = whole.filter_map(|line| Some(line.split_once("http://")?.1));
    addresses.find_map(|after| after.split([' ', '"', '\n']).next()?.parse().ok())
}

fn answers(app: SocketAddr) -> bool {
    Request::get("/").send(app).is_ok()
}

//! An app that is itself under OpenTelemetry's automatic instrumentation, behind the filter: what the
//! Python SDK takes from the headers that we send, and where its spans hang.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use sightline_cli::apps::{App, Framework};
use sightline_cli::otlp::Signal;
use sightline_cli::wait;
use sightline_setup::{Checkout, python};
use sightline_tests::{Collector, Configuration, Proxy, Request};
use tempfile::TempDir;

/// What a caller sends that has sampled its trace.
const CALLER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

const SOON: Duration = Duration::from_secs(20);

struct Service {
    proxy: Proxy,
    collector: Collector,
    python: PathBuf,
    dir: TempDir,
    _app: App,
}

impl Service {
    fn start(ratio: u8) -> Self {
        let python = python::interpreter(&Checkout::find().unwrap()).unwrap();
        let collector = Collector::start();
        let dir = tempfile::tempdir().unwrap();
        let app =
            App::start_instrumented(Framework::FastApi, &python, dir.path(), collector.address());
        let app = app.unwrap_or_else(|error| panic!("{error}"));
        let proxy = Proxy::start(|bootstrap| {
            let configuration = Configuration::Struct(json!({"sampling": {"ratio": ratio}}));
            bootstrap.upstream(app.address()).configuration(configuration)
        });
        Self { proxy, collector, python, dir, _app: app }
    }

    /// Sends it, and gives the line that tells of it.
    fn pass(&self, id: &str, request: Request) -> Value {
        self.proxy.send(&request.field("x-request-id", id));
        self.proxy.line_of(id)
    }

    /// The spans of this trace that have come so far, as the Python package reads them.
    fn spans_of(&self, trace: &str) -> Vec<Value> {
        let exports = self.collector.exports();
        let traces = exports.iter().filter(|export| matches!(export.signal, Signal::Traces(_)));
        let mut decoded = self.decode(traces.map(|export| export.message.as_ref()));
        for name in ["resource_spans", "scope_spans", "spans"] {
            decoded = decoded.iter().flat_map(|it| list(&it[name])).collect();
        }
        decoded.retain(|span| span["trace_id"] == trace);
        decoded
    }

    /// Export requests, decoded all at once, because each start of Python takes a while.
    fn decode<'e>(&self, exports: impl Iterator<Item = &'e [u8]>) -> Vec<Value> {
        let file = self.dir.path().join("exports.bin");
        std::fs::write(&file, exports.flat_map(delimited).collect::<Vec<_>>()).unwrap();
        let script = Checkout::find().unwrap().root().join("tests/apps/decode_otlp.py");
        let mut decode = Command::new(&self.python);
        let decoded =
            decode.arg(script).args(["traces", "--delimited"]).arg(file).output().unwrap();
        assert!(decoded.status.success(), "{}", String::from_utf8_lossy(&decoded.stderr));
        serde_json::from_slice(&decoded.stdout).unwrap()
    }

    /// The app's own server spans in this trace, once there is one.
    fn server_spans_of(&self, trace: &str) -> Vec<Value> {
        wait::until("the app's span", SOON, || {
            let spans = self.spans_of(trace).into_iter();
            let servers: Vec<_> = spans.filter(|span| span["kind"] == "SPAN_KIND_SERVER").collect();
            (!servers.is_empty()).then_some(servers)
        })
        .unwrap_or_else(|error| panic!("{error}"))
    }
}

/// A message behind its length, as a varint.
fn delimited(message: &[u8]) -> Vec<u8> {
    let (mut length, mut bytes) = (message.len(), Vec::new());
    while length > 0x7f {
        let [low, ..] = length.to_le_bytes();
        bytes.push(low | 0x80);
        length >>= 7;
    }
    let [last, ..] = length.to_le_bytes();
    bytes.push(last);
    bytes.extend(message);
    bytes
}

/// An empty one where there is none: fields that are not set are left out.
fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

#[test]
fn the_span_of_an_instrumented_app_hangs_under_ours_in_one_trace() {
    let service = Service::start(1);
    for (id, request) in [
        ("a-trace-of-ours", Request::get("/users/7")),
        ("a-trace-of-the-caller", Request::get("/users/7").field("traceparent", CALLER)),
    ] {
        let line = service.pass(id, request);
        let servers = service.server_spans_of(line["trace_id"].as_str().unwrap());
        let [server] = servers.as_slice() else { panic!("{id}: not one span: {servers:#?}") };
        assert_eq!(server["parent_span_id"], line["span_id"], "{id}: {server:#}");
        assert_eq!(server["attributes"]["http.route"], json!({"string": "/users/{user_id}"}));
        // Bit 8 says that it is known whose the parent is, bit 9 that it is another process's.
        let flags = server["flags"].as_u64().unwrap();
        assert_eq!(flags & 0x300, 0x300, "{id}: {flags:#x}");
    }
}

#[test]
fn an_instrumented_app_takes_our_word_for_what_is_not_sampled() {
    let service = Service::start(0);
    let dropped = service.pass("dropped", Request::get("/users/7"));
    // Whatever is sampled later comes later.
    let kept = service.pass("kept", Request::get("/users/7").field("traceparent", CALLER));
    service.server_spans_of(kept["trace_id"].as_str().unwrap());
    assert_eq!(service.spans_of(dropped["trace_id"].as_str().unwrap()), [Value::Null; 0]);
}

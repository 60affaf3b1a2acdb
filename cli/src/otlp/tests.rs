//! What a receiver takes, as clients see it, and the clients.

mod refusals;
mod replies;
mod store;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Mutex;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::{BodyExt as _, Full};
use hyper::HeaderMap;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};

use super::proto::common::v1::any_value::Value;
use super::proto::common::v1::{AnyValue, ArrayValue, InstrumentationScope, KeyValue};
use super::proto::resource::v1::Resource;
use super::proto::trace::v1::span::SpanKind;
use super::proto::trace::v1::status::StatusCode;
use super::proto::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use super::*;
use crate::http::Request;
use crate::wait;

const TRACES: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const LOGS: &str = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
const METRICS: &str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";

const SOON: Duration = Duration::from_secs(30);

fn here() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// A receiver that always says the same, and what it was asked.
fn saying(reply: Reply) -> (Receiver, Arc<Mutex<Vec<Export>>>) {
    let exports: Arc<Mutex<Vec<Export>>> = Arc::default();
    let seen = Arc::clone(&exports);
    let take = move |export| {
        seen.lock().unwrap().push(export);
        reply.clone()
    };
    (Receiver::start(here(), take).unwrap(), exports)
}

fn attribute(key: &str, value: Value) -> KeyValue {
    let value = Some(AnyValue { value: Some(value) });
    KeyValue { key: key.to_owned(), value, ..KeyValue::default() }
}

fn text(text: &str) -> Value {
    Value::StringValue(text.to_owned())
}

fn span(name: &str) -> Span {
    Span { name: name.to_owned(), ..Span::default() }
}

fn request(spans: Vec<Span>) -> ExportTraceServiceRequest {
    let attributes = vec![attribute("service.name", text("shop"))];
    let resource = Some(Resource { attributes, ..Resource::default() });
    let scope = InstrumentationScope { name: "sightline".to_owned(), ..Default::default() };
    let scope_spans = vec![ScopeSpans { scope: Some(scope), spans, ..ScopeSpans::default() }];
    let resource_spans = vec![ResourceSpans { resource, scope_spans, ..ResourceSpans::default() }];
    ExportTraceServiceRequest { resource_spans }
}

fn spans(count: usize) -> ExportTraceServiceRequest {
    request((0..count).map(|number| span(&number.to_string())).collect())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn post(path: &str) -> Request {
    Request::post(path).field("content-type", "application/x-protobuf")
}

/// A message as gRPC frames it.
fn frame(flag: u8, message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[flag], &length[..], message].concat()
}

/// What an HTTP/2 client gets to see.
#[derive(Debug)]
struct Seen {
    status: u16,
    head: HeaderMap,
    body: Vec<u8>,
    trailers: HeaderMap,
}

impl Seen {
    /// gRPC's status, from wherever it stands.
    fn code(&self) -> Option<&str> {
        let value = self.head.get("grpc-status").or_else(|| self.trailers.get("grpc-status"));
        value.and_then(|value| value.to_str().ok())
    }

    fn field(&self, name: &str) -> Option<&str> {
        self.head.get(name).and_then(|value| value.to_str().ok())
    }
}

/// One POST over HTTP/2, on a connection of its own.
fn http2(
    to: SocketAddr,
    path: &str,
    fields: &[(&str, &str)],
    body: Vec<u8>,
) -> Result<Seen, hyper::Error> {
    let runtime = runtime::Builder::new_current_thread().enable_io().build().unwrap();
    runtime.block_on(async {
        let stream = tokio::net::TcpStream::connect(to).await.unwrap();
        let (mut sender, connection) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let mut request = hyper::Request::post(format!("http://{to}{path}"));
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let response =
            sender.send_request(request.body(Full::new(Bytes::from(body))).unwrap()).await?;
        let (head, body) = response.into_parts();
        let body = body.collect().await?;
        let trailers = body.trailers().cloned().unwrap_or_default();
        let body = body.to_bytes().to_vec();
        Ok(Seen { status: head.status.as_u16(), head: head.headers, body, trailers })
    })
}

fn grpc(to: SocketAddr, path: &str, body: Vec<u8>) -> Result<Seen, hyper::Error> {
    http2(to, path, &[("content-type", "application/grpc"), ("te", "trailers")], body)
}

#[test]
fn http_is_taken_plain_and_compressed_over_both_versions() {
    let (receiver, exports) = saying(Reply::Accepted);
    let plain = spans(2).encode_to_vec();
    let packed = gzip(&plain);
    let to = receiver.address();
    let one = post("/v1/traces").field("x-key", b"\xff").body(&plain).send(to).unwrap();
    let two = post("/v1/traces").field("content-encoding", "gzip").body(&packed).send(to).unwrap();
    assert_eq!([one.status(), two.status()], [200, 200]);
    assert_eq!(one.field("content-type"), Some("application/x-protobuf"));
    assert_eq!(one.body, b"");
    let fields = [("content-type", "Application/X-Protobuf; v=1"), ("content-encoding", "gzip")];
    assert_eq!(http2(to, "/v1/traces", &fields, packed.clone()).unwrap().status, 200);

    let exports = exports.lock().unwrap();
    let lengths: Vec<_> = exports.iter().map(|export| (export.bytes, export.compressed)).collect();
    assert_eq!(lengths, [(plain.len(), false), (packed.len(), true), (packed.len(), true)]);
    for export in exports.iter() {
        assert_eq!(export.protocol, Protocol::Http);
        assert_eq!(export.signal, Signal::Traces(spans(2)));
        assert_eq!(export.message, plain);
    }
    assert!(exports[0].headers.contains(&("x-key".to_owned(), b"\xff".to_vec())));
    assert_eq!(exports[1].header("content-encoding"), Some("gzip"));
}

#[test]
fn grpc_is_taken_plain_and_compressed() {
    let (receiver, exports) = saying(Reply::Accepted);
    let plain = spans(2).encode_to_vec();
    let packed = gzip(&plain);
    let to = receiver.address();
    let one = grpc(to, TRACES, frame(0, &plain)).unwrap();
    let fields = [("content-type", "application/grpc+proto"), ("grpc-encoding", "gzip")];
    let two = http2(to, TRACES, &fields, frame(1, &packed)).unwrap();
    // A call that may compress need not.
    let three = http2(to, TRACES, &fields, frame(0, &plain)).unwrap();
    for seen in [one, two, three] {
        assert_eq!((seen.status, seen.field("content-type")), (200, Some("application/grpc")));
        assert_eq!(seen.body, [0; 5]);
        assert_eq!(seen.trailers["grpc-status"], "0");
    }
    let exports = exports.lock().unwrap();
    let lengths: Vec<_> = exports.iter().map(|export| (export.bytes, export.compressed)).collect();
    assert_eq!(lengths, [(plain.len(), false), (packed.len(), true), (plain.len(), false)]);
    for export in exports.iter() {
        assert_eq!(export.protocol, Protocol::Grpc);
        assert_eq!(export.signal, Signal::Traces(spans(2)));
        assert_eq!(export.message, plain);
    }
}

#[test]
fn each_signal_has_its_path_and_nothing_is_a_valid_request() {
    let (receiver, exports) = saying(Reply::Accepted);
    let to = receiver.address();
    for path in ["/v1/traces", "/v1/logs", "/v1/metrics"] {
        assert_eq!(post(path).body("").send(to).unwrap().status(), 200, "{path}");
    }
    for path in [TRACES, LOGS, METRICS] {
        assert_eq!(grpc(to, path, frame(0, b"")).unwrap().code(), Some("0"), "{path}");
    }
    let signals = [
        Signal::Traces(ExportTraceServiceRequest::default()),
        Signal::Logs(ExportLogsServiceRequest::default()),
        Signal::Metrics(ExportMetricsServiceRequest::default()),
    ];
    let seen: Vec<_> = exports.lock().unwrap().iter().map(|seen| seen.signal.clone()).collect();
    assert_eq!(seen, [signals.clone(), signals].concat());
}

#[test]
fn a_stopped_receiver_refuses_and_another_can_have_its_port() {
    let (first, _) = saying(Reply::Accepted);
    let address = first.address();
    // A connection that was open does not keep the port.
    let mut open = TcpStream::connect(address).unwrap();
    assert_eq!(post("/v1/traces").body("").send(address).unwrap().status(), 200);
    drop(first);
    assert_eq!(open.read(&mut [0; 9]).unwrap_or(0), 0);
    let refused = TcpStream::connect(address).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    let second = Receiver::start(address, |_| Reply::Accepted).unwrap();
    assert_eq!(second.address(), address);
    assert_eq!(post("/v1/traces").body("").send(address).unwrap().status(), 200);
}

#[test]
fn a_port_that_is_taken_is_an_error() {
    let (receiver, _) = saying(Reply::Accepted);
    let error = Receiver::start(receiver.address(), |_| Reply::Accepted).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
}

#[test]
fn two_clients_at_once_lose_nothing() {
    let (receiver, store) = Receiver::collecting(here()).unwrap();
    let to = receiver.address();
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..50 {
                let body = request(vec![span("http"); 3]).encode_to_vec();
                assert_eq!(post("/v1/traces").body(body).send(to).unwrap().status(), 200);
            }
        });
        scope.spawn(|| {
            for _ in 0..50 {
                let body = frame(0, &request(vec![span("grpc"); 2]).encode_to_vec());
                assert_eq!(grpc(to, TRACES, body).unwrap().code(), Some("0"));
            }
        });
    });
    let spans = store.spans();
    let called = |name| spans.iter().filter(|span| span.name() == name).count();
    assert_eq!((called("http"), called("grpc"), store.total()), (150, 100, 250));
}

#[test]
fn ten_thousand_spans_come_in_their_order() {
    let (receiver, store) = Receiver::collecting(here()).unwrap();
    let sent = spans(10_000);
    let body = frame(1, &gzip(&sent.encode_to_vec()));
    let fields = [("content-type", "application/grpc"), ("grpc-encoding", "gzip")];
    http2(receiver.address(), TRACES, &fields, body).unwrap();
    let kept = store.spans();
    assert_eq!(kept.len(), 10_000);
    for (number, span) in kept.iter().enumerate() {
        assert_eq!(span.name(), number.to_string());
        assert_eq!(span.resource_text("service.name"), Some("shop"));
        assert_eq!(span.scope.name, "sightline");
    }
}

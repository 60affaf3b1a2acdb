//! An OTLP receiver: takes what exporters send, decodes it, and answers as it is told.
//!
//! Tests stand it behind the filter, and the live view reads from it. It speaks OTLP over HTTP with
//! protobuf and over gRPC, both on one port, over HTTP/1.1 and over HTTP/2 without TLS. It is no
//! collector: it stores nothing beyond a bounded [`Store`], passes nothing on, checks nobody's
//! credentials, and takes no JSON.

mod body;
mod grpc;
mod http;
mod refusal;
mod reply;
mod serve;
mod store;
#[cfg(test)]
mod tests;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use hyper::body::Bytes;
use prost::{DecodeError, Message as _};
use proto::collector::logs::v1::ExportLogsServiceRequest;
use proto::collector::metrics::v1::ExportMetricsServiceRequest;
use proto::collector::trace::v1::ExportTraceServiceRequest;
use tokio::runtime::{self, Runtime};
use tokio::sync::oneshot;

pub use opentelemetry_proto::tonic as proto;
pub use reply::Reply;
pub use store::{ReceivedSpan, Store};

/// The longest message that is taken, as it comes and once more when it is decompressed.
pub const LONGEST: usize = 16 << 20;

/// A running receiver. Dropped, it stops listening and closes every connection.
#[derive(Debug)]
pub struct Receiver {
    address: SocketAddr,
    /// Dropped to tell the thread to stop.
    running: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// One request of an exporter.
#[derive(Clone, Debug, PartialEq)]
pub struct Export {
    /// How it came.
    pub protocol: Protocol,
    /// The header fields in lower case; those of one name are in their order.
    pub headers: Vec<(String, Vec<u8>)>,
    /// What it says.
    pub signal: Signal,
    /// The message that `signal` was decoded from, for whoever wants to decode it another way.
    pub message: Bytes,
    /// How long the message was on the wire, compressed if it was.
    pub bytes: usize,
    /// Whether the message was compressed.
    pub compressed: bool,
}

/// How an export comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Protobuf in a POST.
    Http,
    /// A unary gRPC call.
    Grpc,
}

/// What an export is of.
#[derive(Clone, Debug, PartialEq)]
pub enum Signal {
    /// Spans.
    Traces(ExportTraceServiceRequest),
    /// Log records.
    Logs(ExportLogsServiceRequest),
    /// Metrics.
    Metrics(ExportMetricsServiceRequest),
}

impl Receiver {
    /// Listens at `address`, where port 0 is any free one, and asks `take` how to answer each export.
    ///
    /// `take` runs on the receiver's only thread, so everybody waits for it.
    pub fn start(
        address: SocketAddr,
        take: impl Fn(Export) -> Reply + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
        let (running, stopped) = oneshot::channel();
        let thread = thread::Builder::new()
            .name("otlp-receiver".to_owned())
            .spawn(move || run(&runtime, listener, Arc::new(take), stopped))?;
        Ok(Self { address, running: Some(running), thread: Some(thread) })
    }

    /// One that accepts everything, and keeps the spans.
    pub fn collecting(address: SocketAddr) -> io::Result<(Self, Store)> {
        let store = Store::default();
        let kept = store.clone();
        let receiver = Self::start(address, move |export| {
            kept.keep(&export, &Reply::Accepted);
            Reply::Accepted
        })?;
        Ok((receiver, store))
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.running.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Export {
    /// A header field's first value, as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(known, _)| known.as_str() == name)?;
        str::from_utf8(value).ok()
    }
}

impl Signal {
    fn traces(message: Bytes) -> Result<Self, DecodeError> {
        ExportTraceServiceRequest::decode(message).map(Self::Traces)
    }

    fn logs(message: Bytes) -> Result<Self, DecodeError> {
        ExportLogsServiceRequest::decode(message).map(Self::Logs)
    }

    /// What a message says of metrics.
    pub fn metrics(message: Bytes) -> Result<Self, DecodeError> {
        ExportMetricsServiceRequest::decode(message).map(Self::Metrics)
    }
}

/// Serves until `stopped`. The caller drops the runtime then, and with it every connection.
fn run(
    runtime: &Runtime,
    listener: TcpListener,
    take: Arc<serve::Take>,
    stopped: oneshot::Receiver<()>,
) {
    runtime.spawn(serve::accept(listener, take));
    // An error is what it ends with: the sender is dropped without a word.
    let _ = runtime.block_on(stopped);
}

//! One request to a collector, over HTTP or gRPC.

use sightline_core::config::Protocol;
use sightline_core::identity::{Flags, SpanId, TraceId, Traceparent};
use sightline_core::otlp::{self, Signal};
use sightline_core::{ExportPlan, Pair, Rng};

use crate::abi::{self, CallError, Token};

/// All but the body.
pub(crate) struct Request<'a> {
    plan: &'a ExportPlan,
    signal: Signal,
    traceparent: [u8; 55],
}

const USER_AGENT: &str = concat!("sightline/", env!("CARGO_PKG_VERSION"));

impl<'a> Request<'a> {
    /// Marked as part of a trace that is not sampled, so that no proxy on the way makes spans of what carries
    /// spans; and by its parent, so that this one leaves it alone whatever is configured.
    pub(crate) fn new(plan: &'a ExportPlan, signal: Signal, rng: &mut Rng) -> Self {
        let traceparent = Traceparent {
            trace_id: TraceId::mint(rng),
            span_id: plan.exporter.unwrap_or_else(|| SpanId::mint(rng)),
            flags: Flags::default(),
        };
        Self { plan, signal, traceparent: traceparent.to_header() }
    }

    /// Hands it to the host.
    pub(crate) fn send(&self, message: &[u8]) -> Result<Token, CallError> {
        match self.plan.protocol {
            Protocol::Http => self.send_http(message),
            Protocol::Grpc => self.send_grpc(message),
        }
    }

    fn send_http(&self, message: &[u8]) -> Result<Token, CallError> {
        let path = [&self.plan.path_prefix, self.signal.path()].concat();
        let gzip = self.plan.gzip.then(|| otlp::from_zlib(&abi::compress(message)?, message));
        let gzip = gzip.flatten();
        let mut headers: Vec<Pair<'_>> = vec![
            (b":method", b"POST"),
            (b":path", path.as_bytes()),
            (b":authority", self.authority().as_bytes()),
            (b"content-type", b"application/x-protobuf"),
            (b"user-agent", USER_AGENT.as_bytes()),
        ];
        if gzip.is_some() {
            headers.push((b"content-encoding", b"gzip"));
        }
        self.add_common(&mut headers);
        let body = gzip.as_deref().unwrap_or(message);
        abi::http_call(&self.plan.cluster, &headers, body, self.plan.timeout)
    }

    fn send_grpc(&self, message: &[u8]) -> Result<Token, CallError> {
        let mut metadata = Vec::new();
        self.add_common(&mut metadata);
        let method = (self.signal.service(), Signal::METHOD);
        let target = otlp::grpc_service(&self.plan.cluster, self.authority());
        abi::grpc_call(&target, method, &metadata, message, self.plan.timeout)
    }

    fn add_common<'b>(&'b self, headers: &mut Vec<Pair<'b>>) {
        headers.push((b"traceparent", &self.traceparent));
        for (name, value) in self.plan.headers.iter().filter(|(name, _)| name != "host") {
            headers.push((name.as_bytes(), value.as_bytes()));
        }
    }

    /// Whom the collector is asked as: `host` among the headers, else the cluster.
    fn authority(&self) -> &str {
        let host = self.plan.headers.iter().find(|(name, _)| name == "host");
        host.map_or(&self.plan.cluster, |(_, host)| host)
    }
}

//! Every key there is: its name, its type, its default, and what it is for.
//!
//! docs/configuration.md is generated from here.

use super::choice::choice;
use super::section::section;
use super::{
    AccessLog, Attributes, Export, HeaderName, List, Metrics, Period, Problem, Ratio,
    RouteSettings, Text, Token, Whole,
};
use crate::identity::IdFormat;

section! {
    /// The whole configuration.
    pub struct Settings {
        /// Which side of the service the proxy stands on. `inbound`: requests come to the service, and their spans are those
        /// of a server. `outbound`: the service sends them, and their spans are those of a client. `auto`: as the listener's
        /// `traffic_direction` says, inbound if it says nothing.
        direction: DirectionSetting = DirectionSetting::Auto,
        /// What runs behind the proxy.
        service: Service = Service::default(),
        /// The ID that names one request everywhere.
        request_id: RequestIdSettings = RequestIdSettings::default(),
        /// The place of each request in a trace.
        trace: Trace = Trace::default(),
        /// Which traces are kept.
        sampling: Sampling = Sampling::default(),
        /// How paths become routes.
        routes: RouteSettings = RouteSettings::default(),
        /// What is counted, and where it is shown.
        metrics: Metrics = Metrics::default(),
        /// One line for each request.
        access_log: AccessLog = AccessLog::default(),
        /// Who sent a request.
        client_ip: ClientIp = ClientIp::default(),
        /// Where telemetry is sent over OTLP.
        export: Export = Export::default(),
        /// What is also set as filter state `wasm.sightline_route` and so on, for Envoy's own loggers and for
        /// native metrics of Istio: `route`, `request_id`, `trace_id`, `span_id`.
        publish: List<Published> = List::default(),
    }
}

impl Settings {
    /// What is allowed and yet hardly wanted.
    pub fn warnings(&self) -> Vec<Problem> {
        let mut warnings = self.routes.warnings();
        warnings.extend(self.access_log.warnings());
        warnings
    }
}

choice! {
    /// Which side of the service the proxy stands on.
    pub enum DirectionSetting {
        /// Requests come to the service.
        Inbound = "inbound",
        /// The service sends them.
        Outbound = "outbound",
        /// As the listener says.
        Auto = "auto",
    }
}

choice! {
    /// What can be published as filter state of its own.
    pub enum Published {
        /// The route.
        Route = "route",
        /// The request ID.
        RequestId = "request_id",
        /// The trace ID.
        TraceId = "trace_id",
        /// The span ID.
        SpanId = "span_id",
    }
}

section! {
    /// What runs behind the proxy.
    pub struct Service {
        /// The service's name in every signal. Unset: `OTEL_SERVICE_NAME` in the VM's environment, else `service.name`
        /// in its `OTEL_RESOURCE_ATTRIBUTES`, else what Istio's node metadata says (the canonical name or the `app` label),
        /// else the node's cluster, else `unknown_service`.
        name: Option<Text> = None,
        /// The group of services that it belongs to: `service.namespace`.
        namespace: Option<Text> = None,
        /// Its version: `service.version`.
        version: Option<Text> = None,
        /// Where it is deployed, such as `production`: `deployment.environment.name`.
        environment: Option<Text> = None,
        /// Further attributes of the resource in what is exported. `OTEL_RESOURCE_ATTRIBUTES` in the VM's environment and
        /// Istio's node metadata (pod, namespace, workload) fill in what is not said here.
        attributes: Attributes = Attributes::default(),
    }
}

section! {
    /// The ID that names one request everywhere.
    pub struct RequestIdSettings {
        /// The header that carries it, from the client, to the app and back.
        header: HeaderName = HeaderName::X_REQUEST_ID,
        /// `keep` passes a valid inbound ID on byte for byte; `replace` always mints.
        inbound: Inbound = Inbound::Keep,
        /// What a minted one looks like.
        format: IdFormat = IdFormat::Uuid4,
        /// Whether every response carries it back, those of the proxy itself included.
        echo: bool = true,
    }
}

choice! {
    /// What becomes of a caller's request ID.
    pub enum Inbound {
        /// A valid one is passed on unchanged.
        Keep = "keep",
        /// It is always replaced.
        Replace = "replace",
    }
}

section! {
    /// The place of each request in a trace.
    pub struct Trace {
        /// `own`: a span of ours stands between the caller's and the app's. `enrich`: another tracer in this proxy writes the
        /// trace context; ours writes none, exports no span, and takes the IDs in the log line from what went upstream.
        /// `auto`: as `own`, until such a tracer is noticed. `off`: trace context passes untouched.
        mode: Mode = Mode::Auto,
        /// `trust` joins the caller's trace; `restart` starts a new one, and the caller's context becomes a link of the span.
        inbound: InboundTrace = InboundTrace::Trust,
        /// Whether the response says where in which trace the request was: as W3C `traceresponse`, or as an entry
        /// `traceparent` of `server-timing`, which browsers show.
        response: TraceResponse = TraceResponse::None,
        /// Keys of W3C Baggage whose values are copied to span attributes (`baggage.KEY`) and into the log line. Baggage itself
        /// always passes untouched.
        baggage: List<Token> = List::default(),
    }
}

choice! {
    /// Who writes the trace context.
    pub enum Mode {
        /// We do.
        Own = "own",
        /// Another tracer of this proxy does.
        Enrich = "enrich",
        /// We do, until another tracer is noticed.
        Auto = "auto",
        /// Nobody.
        Off = "off",
    }
}

choice! {
    /// What becomes of a caller's trace.
    pub enum InboundTrace {
        /// It is joined.
        Trust = "trust",
        /// A new one is started, linked to it.
        Restart = "restart",
    }
}

choice! {
    /// How the response says where in which trace its request was.
    pub enum TraceResponse {
        /// It does not.
        None = "none",
        /// In W3C `traceresponse`.
        Header = "traceresponse",
        /// In an entry of `server-timing`.
        ServerTiming = "server-timing",
    }
}

section! {
    /// Which traces are kept.
    pub struct Sampling {
        /// The part of the traces starting here that is sampled: consistently, so that hops with the same ratio keep the same
        /// traces.
        ratio: Ratio = Ratio::percent(5),
        /// `respect`: a trace that comes with a caller keeps the caller's decision. `ignore`: it is decided here, by ratio.
        parent: Parent = Parent::Respect,
        /// Whether the span of a request that failed (5xx, or no response) is exported whatever the sampler said.
        keep_errors: bool = true,
        /// Whether the span of a request that took longer is exported whatever the sampler said. Unset: none is.
        keep_slower_than: Option<Period> = None,
        /// At most so many spans are kept by these two rules in a second, in each worker of Envoy; 0: no bound.
        per_second: Whole<0, 1_000_000> = Whole::nearest(100),
    }
}

choice! {
    /// Whether a caller's decision on sampling stands.
    pub enum Parent {
        /// It does.
        Respect = "respect",
        /// It does not.
        Ignore = "ignore",
    }
}

section! {
    /// Who sent a request.
    pub struct ClientIp {
        /// How many entries of `x-forwarded-for` to skip from the right, because proxies that you trust have added them. Where
        /// there is none left, the address of the connection counts.
        trusted_hops: Whole<0, 100> = Whole::nearest(0),
    }
}

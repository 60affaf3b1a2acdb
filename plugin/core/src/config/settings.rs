//! Every key there is: its name, its type, its default, and what it is for.
//!
//! docs/configuration.md is generated from here.

use super::choice::choice;
use super::section::section;
use super::{HeaderName, List, Problem, Ratio, RouteSettings, Text};
use crate::identity::IdFormat;

section! {
    /// The whole configuration.
    pub struct Settings {
        /// What runs behind the proxy.
        service: Service = Service::default(),
        /// The ID that names one request everywhere.
        request_id: RequestIdSettings = RequestIdSettings::default(),
        /// Which traces are kept.
        sampling: Sampling = Sampling::default(),
        /// How paths become routes.
        routes: RouteSettings = RouteSettings::default(),
        /// What is counted.
        metrics: Metrics = Metrics::default(),
        /// One line for each request.
        access_log: AccessLog = AccessLog::default(),
        /// What is also set as filter state `wasm.sightline_route` and so on, for Envoy's own loggers and for
        /// native metrics of Istio: `route`, `request_id`, `trace_id`, `span_id`.
        publish: List<Published> = List::default(),
    }
}

impl Settings {
    /// What is allowed and yet hardly wanted.
    pub fn warnings(&self) -> Vec<Problem> {
        self.routes.warnings()
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
        /// The service's name in every signal. Unset: `OTEL_SERVICE_NAME` in the VM's environment, else
        /// the node's cluster, else `unknown_service`.
        name: Option<Text> = None,
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
    /// Which traces are kept.
    pub struct Sampling {
        /// The part of the traces starting here that is marked as sampled. A trace that comes with a
        /// caller keeps the caller's mark.
        ratio: Ratio = Ratio::percent(5),
    }
}

section! {
    /// What is counted.
    pub struct Metrics {
        /// Whether requests are counted as Envoy stats.
        stats: bool = true,
    }
}

section! {
    /// One line for each request.
    pub struct AccessLog {
        /// Whether the line is set as filter state `wasm.sightline_log`, where Envoy's own loggers find
        /// it as `%FILTER_STATE(wasm.sightline_log:PLAIN)%`.
        property: bool = true,
    }
}

//! The configuration compiled: all that can be decided before the first request.

use std::rc::Rc;
use std::time::Duration;

use crate::Sampler;
use crate::config::{
    Compression, Export, Inbound, InboundTrace, Mode, Parent, Period, Protocol, Published,
    Settings, Text, TraceResponse,
};
use crate::direction::Direction;
use crate::identity::{IdFormat, SpanId};
use crate::otlp::{Envelope, InvalidAttributes, Limits, Resource, Signal};
use crate::place::Place;
use crate::redact::Redaction;
use crate::route::{Router, Target};
use crate::sampling::KeepRules;

/// What to do with each request. Made once for a configuration, and never changed.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Which side of the service we are on; none: the listener knows.
    pub direction: Option<Direction>,
    /// The service's name, as every signal says it.
    pub service: String,
    /// The header of the request ID, in lower case.
    pub request_id_header: Vec<u8>,
    /// Whether a valid inbound request ID is kept.
    pub keeps_inbound_id: bool,
    /// What a minted request ID looks like.
    pub id_format: IdFormat,
    /// Whether responses carry the request ID.
    pub echoes_id: bool,
    /// What becomes of the trace context.
    pub trace: TracePlan,
    /// Which spans are exported.
    pub sampling: SamplingPlan,
    /// Which route a request belongs to.
    pub router: Router,
    /// What is counted, and how it is shown.
    pub metrics: MetricsPlan,
    /// Whether the access-log line is handed to the host.
    pub sets_log_property: bool,
    /// What is kept out of lines and spans.
    pub redaction: Redaction,
    /// How many entries of `x-forwarded-for` are proxies that are trusted.
    pub trusted_hops: usize,
    /// What is the same for all that is exported.
    pub resource: Resource,
    /// Where telemetry is sent, if it is.
    pub export: Option<Rc<ExportPlan>>,
    /// The parent of whatever exporters of this process send. A request that has it is theirs, on its way
    /// through the proxy once more.
    pub exporter: Option<SpanId>,
    /// What else is handed to the host, each by itself.
    pub published: Vec<Published>,
    /// What is wrong with the environment's word on the resource.
    pub invalid_attributes: Option<InvalidAttributes>,
}

/// What becomes of the trace context.
#[derive(Clone, Debug)]
pub struct TracePlan {
    /// Who writes it.
    pub mode: Mode,
    /// Whether a caller's trace is not joined.
    pub restarts: bool,
    /// How the response tells of it.
    pub response: TraceResponse,
    /// Keys of baggage that spans and lines show.
    pub baggage: Vec<String>,
}

/// Which spans are exported.
#[derive(Clone, Debug)]
pub struct SamplingPlan {
    /// Decides for traces that start here, and for all where a caller's decision does not count.
    pub sampler: Sampler,
    /// Whether a caller's decision does not count.
    pub ignores_parent: bool,
    /// Which spans are kept though their trace is not.
    pub keep: KeepRules,
}

/// TEMPORARY
#[derive(Clone, Debug)]
pub struct MetricsPlan {
    /// a
    pub stats: bool,
    /// a
    pub endpoint: Option<Endpoint>,
    /// a
    pub otlp: Option<OtlpMetrics>,
    /// a
    pub boundaries: crate::red::Boundaries,
    /// a
    pub exemplars: bool,
    /// a
    pub custom: Vec<crate::red::Custom>,
    /// a
    pub series_limit: usize,
}
/// a
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// a
    pub port: u16,
    /// a
    pub path: Vec<u8>,
}
/// a
#[derive(Clone, Debug)]
pub struct OtlpMetrics {
    /// a
    pub interval: Duration,
    /// a
    pub temporality: crate::otlp::Temporality,
}
impl MetricsPlan {
    fn new(settings: &crate::config::Metrics) -> Self {
        Self {
            stats: settings.stats,
            endpoint: None,
            otlp: None,
            boundaries: crate::red::Boundaries::STREAMS,
            exemplars: true,
            custom: vec![],
            series_limit: 2000,
        }
    }
    /// a
    pub fn records(&self) -> bool {
        self.stats || self.is_shown()
    }
    /// Whether anybody is shown more than Envoy stats.
    pub fn is_shown(&self) -> bool {
        self.endpoint.is_some() || self.otlp.is_some()
    }
}

/// Where spans are sent, and what is around them. What is equal can be sent together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportPlan {
    /// The host's name for the collector.
    pub cluster: String,
    /// How it is spoken to.
    pub protocol: Protocol,
    /// What stands before the path of a signal.
    pub path_prefix: String,
    /// Headers of each request, with lower-case names.
    pub headers: Vec<(String, String)>,
    /// How long the collector may take.
    pub timeout: Duration,
    /// Whether requests are compressed.
    pub gzip: bool,
    /// How much may wait.
    pub limits: Limits,
    /// What is around each batch.
    pub envelope: Envelope,
    /// The parent that requests name, if it is said; then they are known again.
    pub exporter: Option<SpanId>,
}

impl Plan {
    /// Compiles the settings for a place.
    pub fn new(settings: &Settings, place: &Place) -> Self {
        let (service, resource, invalid_attributes) = place.identify(&settings.service);
        let sampling = &settings.sampling;
        Self {
            direction: Direction::said(settings.direction),
            service,
            request_id_header: settings.request_id.header.as_bytes().to_vec(),
            keeps_inbound_id: settings.request_id.inbound == Inbound::Keep,
            id_format: settings.request_id.format,
            echoes_id: settings.request_id.echo,
            trace: TracePlan {
                mode: settings.trace.mode,
                restarts: settings.trace.inbound == InboundTrace::Restart,
                response: settings.trace.response,
                baggage: settings
                    .trace
                    .baggage
                    .0
                    .iter()
                    .map(|key| key.as_str().to_owned())
                    .collect(),
            },
            sampling: SamplingPlan {
                sampler: Sampler::with_ratio(sampling.ratio.as_f64()),
                ignores_parent: sampling.parent == Parent::Ignore,
                keep: KeepRules {
                    errors: sampling.keep_errors,
                    slower_than: sampling.keep_slower_than.map(Period::as_duration),
                    per_second: sampling.per_second.as_u32(),
                },
            },
            router: Router::new(&settings.routes),
            metrics: MetricsPlan::new(&settings.metrics),
            sets_log_property: settings.access_log.property,
            redaction: Redaction::new(&settings.access_log.redact),
            trusted_hops: settings.client_ip.trusted_hops.as_usize(),
            export: ExportPlan::new(&settings.export, &resource, place.exporter).map(Rc::new),
            resource,
            exporter: place.exporter,
            published: settings.publish.0.clone(),
            invalid_attributes,
        }
    }

    /// Decides for traces that start with a request that has this target.
    pub(crate) fn sampler(&self, target: Target) -> Sampler {
        let route = self.router.rules(target).and_then(|rules| rules.sampler);
        route.unwrap_or(self.sampling.sampler)
    }
}

impl ExportPlan {
    /// How much of a signal may wait. Metrics are told in pieces, all of one reading before the next.
    pub fn limits_of(&self, signal: Signal) -> Limits {
        const PIECES: usize = 1_000;
        match signal {
            Signal::Traces => self.limits,
            Signal::Metrics => Limits { queue: PIECES, batch: 1, interval: Duration::ZERO },
        }
    }

    fn new(settings: &Export, resource: &Resource, exporter: Option<SpanId>) -> Option<Self> {
        Some(Self {
            cluster: settings.cluster.as_ref().map(Text::as_str)?.to_owned(),
            protocol: settings.protocol,
            path_prefix: settings.path_prefix.as_str().to_owned(),
            headers: settings.headers.0.clone(),
            timeout: settings.timeout.as_duration(),
            gzip: settings.compression == Compression::Gzip,
            limits: Limits {
                queue: settings.queue.as_usize(),
                batch: settings.batch.as_usize(),
                interval: settings.interval.as_duration(),
            },
            envelope: Envelope::new(resource),
            exporter,
        })
    }
}

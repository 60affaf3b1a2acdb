//! The configuration compiled: all that can be decided before the first request.

use std::rc::Rc;
use std::time::Duration;

use crate::Sampler;
use crate::config::{
    Compression, EndpointSettings, Export, Inbound, InboundTrace, Metrics, Mode, OtlpSettings,
    Parent, Period, Protocol, Published, RouteSettings, Settings, Temporality, Text, TraceResponse,
};
use crate::direction::Direction;
use crate::identity::{IdFormat, SpanId};
use crate::log::{Field, LogPlan};
use crate::otlp::{Envelope, InvalidAttributes, Limits, Resource, Signal};
use crate::place::Place;
use crate::red::{Boundaries, Custom};
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
    /// Where lines go, and what is in them.
    pub log: LogPlan,
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

/// What is counted, and where it is shown.
#[derive(Clone, Debug)]
pub struct MetricsPlan {
    /// Whether requests are counted as Envoy stats.
    pub stats: bool,
    /// Where scrapes are answered, if they are.
    pub endpoint: Option<Endpoint>,
    /// How metrics are sent, if they are.
    pub otlp: Option<OtlpMetrics>,
    /// The boundaries of the buckets of histograms that have none of their own.
    pub boundaries: Boundaries,
    /// Whether histograms name traces.
    pub exemplars: bool,
    /// Figures taken from headers.
    pub custom: Vec<Custom>,
    /// How many series there may be.
    pub series_limit: usize,
}

/// Where scrapes are answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The port of the listener.
    pub port: u16,
    /// The path, without a query.
    pub path: Vec<u8>,
}

/// How metrics are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OtlpMetrics {
    /// How often.
    pub interval: Duration,
    /// Since when what is sent was counted.
    pub temporality: Temporality,
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
    #[inline(never)]
    pub fn new(settings: &Settings, place: &Place) -> Self {
        let (service, resource, invalid_attributes) = place.identify(&settings.service);
        let redaction = Redaction::new(&settings.access_log.redact);
        let sampling = &settings.sampling;
        Self {
            direction: Direction::said(settings.direction),
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
            metrics: MetricsPlan::new(&settings.metrics, &settings.routes),
            log: LogPlan::new(&settings.access_log, &redaction, &service, &resource),
            service,
            redaction,
            trusted_hops: settings.client_ip.trusted_hops.as_usize(),
            export: ExportPlan::new(&settings.export, &resource, place.exporter).map(Rc::new),
            resource,
            exporter: place.exporter,
            published: settings.publish.0.clone(),
            invalid_attributes,
        }
    }

    /// Whether anybody is shown who the client was.
    pub(crate) fn shows_client(&self) -> bool {
        self.export.is_some() || self.log.is_on() && self.log.fields.contains(Field::ClientIp)
    }

    /// Decides for traces that start with a request that has this target.
    pub(crate) fn sampler(&self, target: Target) -> Sampler {
        let route = self.router.rules(target).and_then(|rules| rules.sampler);
        route.unwrap_or(self.sampling.sampler)
    }
}

impl MetricsPlan {
    /// The series that a route is given on average: a few methods with a few statuses each.
    const SERIES_A_ROUTE: usize = 10;
    /// Room for services of few routes that are asked in many ways.
    const LEAST_SERIES: usize = 2_000;
    /// What a scrape, and the memory of a worker, can bear.
    const MOST_SERIES: usize = 20_000;

    fn new(settings: &Metrics, routes: &RouteSettings) -> Self {
        Self {
            stats: settings.stats,
            endpoint: settings.endpoint.as_ref().and_then(Endpoint::new),
            otlp: settings.otlp.as_ref().map(OtlpMetrics::new),
            boundaries: settings.buckets.0.clone(),
            exemplars: settings.exemplars,
            custom: Custom::all(settings, &routes.keys.templates.0),
            series_limit: Self::series_limit(routes),
        }
    }

    /// Whether requests are counted at all.
    pub fn records(&self) -> bool {
        self.stats || self.is_shown()
    }

    /// Whether anybody is shown more than Envoy stats.
    pub fn is_shown(&self) -> bool {
        self.endpoint.is_some() || self.otlp.is_some()
    }

    /// How many series there may be with so many routes, configured and inferred.
    fn series_limit(routes: &RouteSettings) -> usize {
        let routes = routes.keys.limit.as_usize().saturating_add(routes.keys.templates.0.len());
        let series = routes.saturating_mul(Self::SERIES_A_ROUTE);
        series.clamp(Self::LEAST_SERIES, Self::MOST_SERIES)
    }
}

impl Endpoint {
    /// None without a port, which no configuration that was read is.
    fn new(settings: &EndpointSettings) -> Option<Self> {
        let port = u16::try_from(settings.port?.as_u32()).ok()?;
        Some(Self { port, path: settings.path.as_str().as_bytes().to_vec() })
    }
}

impl OtlpMetrics {
    fn new(settings: &OtlpSettings) -> Self {
        Self { interval: settings.interval.as_duration(), temporality: settings.temporality }
    }
}

impl ExportPlan {
    /// How much of a signal may wait. Metrics are told in pieces, all of one reading before the next.
    pub fn limits_of(&self, signal: Signal) -> Limits {
        const PIECES: usize = 1_000;
        match signal {
            Signal::Traces | Signal::Logs => self.limits,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    fn metrics(said: &str) -> MetricsPlan {
        Plan::new(&config::read(said.as_bytes()).unwrap(), &Place::default()).metrics
    }

    #[test]
    fn requests_are_counted_if_it_is_shown_anywhere() {
        for (said, records) in [
            ("", true),
            (r#""stats": false"#, false),
            (r#""stats": false, "exemplars": true, "custom": []"#, false),
            (r#""stats": false, "endpoint": {"port": 1}"#, true),
            (r#""stats": false, "otlp": {}"#, true),
        ] {
            let said = format!(r#"{{"metrics": {{{said}}}, "export": {{"cluster": "a"}}}}"#);
            assert_eq!(metrics(&said).records(), records, "{said}");
        }
    }

    #[test]
    fn what_is_said_is_planned() {
        let plan = metrics(
            r#"{"metrics": {"endpoint": {"port": 65535, "path": "/a"}, "otlp": {"interval": "1s", "temporality": "delta"},
                "buckets": [1], "exemplars": false}, "export": {"cluster": "a"}}"#,
        );
        assert_eq!(plan.endpoint, Some(Endpoint { port: 65_535, path: b"/a".to_vec() }));
        let interval = Duration::from_secs(1);
        let otlp = OtlpMetrics { interval, temporality: Temporality::Delta };
        assert_eq!((plan.otlp, plan.boundaries.buckets(), plan.exemplars), (Some(otlp), 2, false));
    }

    #[test]
    fn there_are_ten_series_for_a_route_within_bounds() {
        for (said, limit) in [
            ("{}", 2_000),
            (r#"{"routes": {"templates": ["/a", "/b"]}}"#, 2_020),
            (r#"{"routes": {"limit": 1}}"#, 2_000),
            (r#"{"routes": {"limit": 1999}}"#, 19_990),
            (r#"{"routes": {"limit": 10000}}"#, 20_000),
        ] {
            assert_eq!(metrics(said).series_limit, limit, "{said}");
        }
    }
}

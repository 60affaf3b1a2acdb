//! What is counted, and the ways in which it is shown.

use std::time::Duration;

use super::choice::choice;
use super::section::section;
use super::{
    Buckets, CustomSettings, Leaf, List, Optional, Path, Period, Problem, Settings, Value, Whole,
    told_of,
};
use crate::red::custom::page_name;

section! {
    /// What is counted, and where it is shown.
    pub struct Metrics {
        /// Whether requests are counted as Envoy stats.
        stats: bool = true,
        /// Where the filter itself answers whoever asks for metrics, as Prometheus text or `OpenMetrics`: on the listeners with
        /// this port, and nowhere else. Unset: nowhere.
        endpoint: Optional<EndpointSettings> = Optional::default(),
        /// How metrics are sent to `export.cluster`. Unset: they are not.
        otlp: Optional<OtlpSettings> = Optional::default(),
        /// The upper boundaries of the buckets of all histograms that have none of their own, in seconds where they are of
        /// durations. An empty list leaves one bucket for all values.
        buckets: Buckets = Buckets::default(),
        /// Whether histograms name a trace for each bucket, where one is sampled.
        exemplars: bool = true,
        /// Figures of the business, taken from headers.
        custom: List<CustomSettings> = List::default(),
    }
}

section! {
    /// Where the filter answers whoever asks for metrics.
    pub struct EndpointSettings {
        /// The port of the listener. It must be said.
        port: Option<Whole<1, 65_535>> = None,
        /// The path there.
        path: EndpointPath = EndpointPath("/metrics".to_owned()),
    }
}

section! {
    /// How metrics are sent over OTLP.
    pub struct OtlpSettings {
        /// How often.
        interval: Interval = Interval(Period::of(Duration::from_secs(15))),
        /// `cumulative`: what was counted since the beginning. `delta`: what was counted since they were last sent.
        temporality: Temporality = Temporality::Cumulative,
    }
}

choice! {
    /// Since when what is sent was counted.
    pub enum Temporality {
        /// Since the beginning.
        Cumulative = "cumulative",
        /// Since it was last sent.
        Delta = "delta",
    }
}

/// A path without a query. Invariant: a slash first, and visible ASCII.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointPath(String);

/// How often something is done that costs more than a tick should. Invariant: a second or longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval(Period);

impl EndpointPath {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Interval {
    /// As a duration.
    pub fn as_duration(self) -> Duration {
        self.0.as_duration()
    }
}

/// What is missing, and what does not go together with other sections.
pub(super) fn check(settings: &Settings, problems: &mut Vec<Problem>) {
    let Metrics { endpoint, otlp, custom, .. } = &settings.metrics;
    let metrics = Path::Key(&Path::Root, "metrics");
    if let Some(endpoint) = endpoint.as_ref() {
        let at = Path::Key(&metrics, "endpoint");
        let port = Whole::<1, 65_535>::takes();
        super::require(endpoint.port.is_some(), &Path::Key(&at, "port"), &port, problems);
    }
    if otlp.as_ref().is_some()
        && settings.export.cluster.is_none()
        && !told_of("export.cluster", problems)
    {
        let message =
            "a map stands here, but export.cluster names no collector; expected both, or null here";
        problems.push(Problem::new("metrics.otlp", message));
    }
    check_custom(&custom.0, settings, &Path::Key(&metrics, "custom"), problems);
}

fn check_custom(
    custom: &[CustomSettings],
    settings: &Settings,
    at: &Path<'_>,
    problems: &mut Vec<Problem>,
) {
    if custom.len() > CustomSettings::MOST {
        let message =
            format!("{} entries, expected at most {}", custom.len(), CustomSettings::MOST);
        problems.push(Problem::new(at, message));
        return;
    }
    let has_templates = !told_of("routes", problems);
    for (number, one) in custom.iter().enumerate() {
        let here = Path::Entry(at, number);
        // With its unit, which is part of the name that Prometheus sees.
        let shown = page_name(one);
        let same = |other: &CustomSettings| {
            one.name.is_some() && other.name == one.name
                || shown.is_some() && page_name(other) == shown
        };
        if let Some(earlier) = custom.iter().take(number).position(same) {
            let message = format!(
                "{:?} stands here, expected another name: {at}[{earlier}] has this one",
                one.name.show()
            );
            problems.push(Problem::new(Path::Key(&here, "name"), message));
        }
        one.check_headers(&settings.access_log.redact.headers.0, &here, problems);
        // What is wrong with the templates comes first.
        if has_templates {
            one.check_route(&settings.routes.keys.templates.0, &here, problems);
        }
    }
}

impl Leaf for EndpointPath {
    fn takes() -> String {
        "a path such as /metrics, of at most 255 visible ASCII characters without ? and #"
            .to_owned()
    }

    fn parse(said: &Value) -> Option<Self> {
        let Value::String(path) = said else { return None };
        let is_path = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#');
        let fits = path.starts_with('/') && path.bytes().all(is_path) && path.len() <= 255;
        fits.then(|| Self(path.clone()))
    }

    fn show(&self) -> String {
        self.0.clone()
    }
}

impl Leaf for Interval {
    fn takes() -> String {
        "a time span such as 15s or 1m, of a second at least and a day at most".to_owned()
    }

    fn parse(said: &Value) -> Option<Self> {
        let period = Period::parse(said)?;
        (period.as_duration() >= Duration::from_secs(1)).then_some(Self(period))
    }

    fn show(&self) -> String {
        self.0.show()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    fn problems(said: &str) -> String {
        config::read(said.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn nothing_said_shows_metrics_as_stats_alone() {
        for said in [
            "{}",
            r#"{"metrics": {"endpoint": null, "otlp": null, "buckets": null, "custom": []}}"#,
        ] {
            let metrics = config::read(said.as_bytes()).unwrap().metrics;
            assert_eq!(metrics, Metrics::default(), "{said}");
            assert!(metrics.stats && metrics.exemplars && metrics.custom.0.is_empty());
            assert_eq!((metrics.endpoint.0, metrics.otlp.0), (None, None));
        }
    }

    #[test]
    fn sections_that_are_said_have_defaults() {
        let said = br#"{"metrics": {"endpoint": {"port": "9464"}, "otlp": {}, "buckets": [], "exemplars": false},
            "export": {"cluster": "collector"}}"#;
        let metrics = config::read(said).unwrap().metrics;
        let endpoint = metrics.endpoint.0.unwrap();
        assert_eq!((endpoint.port.unwrap().as_u32(), endpoint.path.as_str()), (9_464, "/metrics"));
        let otlp = metrics.otlp.0.unwrap();
        assert_eq!(otlp.interval.as_duration(), Duration::from_secs(15));
        assert_eq!(otlp.temporality, Temporality::Cumulative);
        assert_eq!(metrics.buckets.0.buckets(), 1);
        assert!(!metrics.exemplars);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let table = [
            ("no port", r#"{"metrics": {"endpoint": {}}}"#),
            ("not a port", r#"{"metrics": {"endpoint": {"port": 0}}}"#),
            ("past the last port", r#"{"metrics": {"endpoint": {"port": 65536}}}"#),
            ("only a port", r#"{"metrics": {"endpoint": 9464}}"#),
            ("no path", r#"{"metrics": {"endpoint": {"port": 1, "path": "metrics"}}}"#),
            ("a query", r#"{"metrics": {"endpoint": {"port": 1, "path": "/a?b"}}}"#),
            ("a slip", r#"{"metrics": {"endpoint": {"prot": 1}}}"#),
            ("no collector", r#"{"metrics": {"otlp": {}}}"#),
            ("a wrong collector", r#"{"metrics": {"otlp": {}}, "export": {"cluster": 7}}"#),
            (
                "too often",
                r#"{"metrics": {"otlp": {"interval": "999ms", "temporality": "detla"}}, "export": {"cluster": "a"}}"#,
            ),
            ("buckets", r#"{"metrics": {"buckets": [1, 1]}}"#),
            ("custom", r#"{"metrics": {"custom": {"name": "payments"}}}"#),
            (
                "headers kept out of lines",
                r#"{"access_log": {"redact": {"headers": ["X-Session"]}}, "metrics": {"custom": [{"name": "a", "kind": "counter",
                    "value": {"response_header": "x-session"}, "labels": {"b": {"request_header": "x-sessioN", "allow": ["c"]}}}]}}"#,
            ),
        ];
        let told = table.map(|(name, said)| format!("{name}:\n{}", problems(said)));
        insta::assert_snapshot!(told.join("\n"), @r#"
        no port:
        metrics.endpoint.port: nothing stands here, expected a whole number from 1 to 65535
        not a port:
        metrics.endpoint.port: 0 stands here, expected a whole number from 1 to 65535
        past the last port:
        metrics.endpoint.port: 65536 stands here, expected a whole number from 1 to 65535
        only a port:
        metrics.endpoint: 9464 stands here, expected a map of port, path
        no path:
        metrics.endpoint.path: "metrics" stands here, expected a path such as /metrics, of at most 255 visible ASCII characters without ? and #
        a query:
        metrics.endpoint.path: "/a?b" stands here, expected a path such as /metrics, of at most 255 visible ASCII characters without ? and #
        a slip:
        metrics.endpoint.prot: no such key; known here: port, path; did you mean `port`?
        metrics.endpoint.port: nothing stands here, expected a whole number from 1 to 65535
        no collector:
        metrics.otlp: a map stands here, but export.cluster names no collector; expected both, or null here
        a wrong collector:
        export.cluster: 7 stands here, expected a text of 1 to 255 bytes on one line, without ;.;
        too often:
        metrics.otlp.interval: "999ms" stands here, expected a time span such as 15s or 1m, of a second at least and a day at most
        metrics.otlp.temporality: "detla" stands here, expected cumulative or delta; did you mean `delta`?
        buckets:
        metrics.buckets[1]: 1 stands here, expected more than the 1 in front of it
        custom:
        metrics.custom: a map stands here, expected a list of at most 32 maps with a name, a kind and what else it takes
        headers kept out of lines:
        metrics.custom[0].value: "x-session" stands here, which access_log.redact.headers keeps secret; expected another header
        metrics.custom[0].labels.b: "x-session" stands here, which access_log.redact.headers keeps secret; expected another header
        "#);
    }
}

//! The configuration: *said* (bytes from a host) → *meant* ([`Settings`]) → [`Plan`](crate::Plan).
//!
//! Each key is declared once, in [`settings`](Settings): its name, type, default and documentation.
//! From that one place come the parser, the reference in the docs, and the names that a mistyped key
//! is compared with. A wrong configuration is refused whole, with every problem named.

mod access_log;
mod buckets;
mod choice;
mod custom;
mod export;
mod header;
mod json;
mod labels;
mod leaf;
mod list;
mod maps;
mod metrics;
mod optional;
mod problem;
mod protobuf;
mod reference;
mod routes;
#[cfg(not(target_family = "wasm"))]
mod schema;
mod section;
mod settings;
mod templates;
mod value;

pub use access_log::{AccessLog, Droppable, LogFormat, Redact, RedactedAddress};
pub use buckets::Buckets;
pub use custom::{CustomKind, CustomSettings, MetricName, OneMethod, RouteName, Unit};
pub use export::{Compression, Export, PathPrefix, Protocol};
pub use header::{HeaderSource, ValueSettings};
pub use labels::{LabelSettings, Labels};
pub use leaf::{HeaderName, Leaf, Period, Ratio, Text, Token, Whole};
pub use list::{Entry, List};
pub use maps::{Attributes, Headers};
pub use metrics::{EndpointPath, EndpointSettings, Interval, Metrics, OtlpSettings, Temporality};
pub use optional::Optional;
pub use problem::{Problem, Problems};
pub use reference::reference;
pub use routes::{Infer, RouteSettings, Routes};
#[cfg(not(target_family = "wasm"))]
pub use schema::schema;
pub use section::{Described, Key, Path, Setting};
pub use settings::{
    ClientIp, DirectionSetting, Inbound, InboundTrace, Mode, Parent, Published, RequestIdSettings,
    Sampling, Service, Settings, Trace, TraceResponse,
};
pub use templates::{OneRoute, ParameterName, RouteEntry, Signal, WhichLines, Written};
pub use value::{Unreadable, Value};

pub(crate) use choice::{choice, name_of, one_of};
pub(crate) use custom::templates_called;
pub(crate) use header::{Side, Source};
pub(crate) use leaf::read as read_leaf;
use problem::{require, told_of};
pub(crate) use sightline_templates::nearest;

/// Reads a configuration as Envoy hands it over: JSON text, a serialized `google.protobuf.Struct`, or
/// nothing at all.
#[inline(never)]
pub fn read(bytes: &[u8]) -> Result<Settings, Problems> {
    let said =
        Value::from_bytes(bytes).map_err(|unreadable| Problems::from(vec![unreadable.into()]))?;
    interpret(&said)
}

/// Gives what was said its meaning, or every problem with it.
pub fn interpret(said: &Value) -> Result<Settings, Problems> {
    let mut settings = Settings::default();
    let mut problems = Vec::new();
    settings.set(said, &Path::Root, &mut problems);
    problems.extend(settings.export.conflicts());
    metrics::check(&settings, &mut problems);
    AccessLog::check(&settings, &mut problems);
    if problems.is_empty() { Ok(settings) } else { Err(problems.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(json: &str) -> Vec<String> {
        read(json.as_bytes()).unwrap_err().iter().map(Problem::to_string).collect()
    }

    #[test]
    fn nothing_said_means_the_defaults() {
        for said in ["", " \n", "{}", "null", r#"{"request_id": null}"#, r#"{"request_id": {}}"#] {
            assert_eq!(read(said.as_bytes()), Ok(Settings::default()), "{said:?}");
        }
    }

    #[test]
    fn what_is_said_is_meant() {
        let settings = read(
            br#"{"service": {"name": "shop"}, "request_id": {"header": "X-Correlation-ID", "inbound": "replace",
                 "format": "uuid7", "echo": false}, "sampling": {"ratio": 1}, "metrics": {"stats": false}}"#,
        )
        .unwrap();
        assert_eq!(settings.service.name.as_ref().map(Text::as_str), Some("shop"));
        assert_eq!(settings.request_id.header.as_bytes(), b"x-correlation-id");
        assert_eq!(settings.request_id.inbound, Inbound::Replace);
        assert!(
            !settings.request_id.echo && !settings.metrics.stats && settings.access_log.property
        );
        assert_eq!(settings.sampling.ratio, Ratio::new(1.0).unwrap());
    }

    #[test]
    fn every_problem_is_named_at_once() {
        let said = r#"{"request_id": {"formt": "uuid4", "inbound": "kepp", "echo": "yes", "header": "traceparent"},
            "sampling": {"ratio": 1.5}, "metrics": [], "acces_log": {}, "service": {"name": 7}}"#;
        insta::assert_snapshot!(problems(said).join("\n"), @r#"
        acces_log: no such key; known here: direction, service, request_id, trace, sampling, routes, metrics, access_log, client_ip, export, publish; did you mean `access_log`?
        request_id.formt: no such key; known here: header, inbound, format, echo; did you mean `format`?
        request_id.inbound: "kepp" stands here, expected keep or replace; did you mean `keep`?
        request_id.echo: "yes" stands here, expected true or false
        request_id.header: "traceparent" stands here, expected the name of a header, but none of authorization, baggage, connection, content-length, content-type, cookie, host, set-cookie, te, traceparent, tracestate, transfer-encoding
        sampling.ratio: 1.5 stands here, expected a number from 0 to 1
        metrics: a list stands here, expected a map of stats, endpoint, otlp, buckets, exemplars, custom
        service.name: 7 stands here, expected a text of 1 to 255 bytes on one line, without ;.;
        "#);
    }

    #[test]
    fn a_key_said_twice_is_a_problem() {
        let said = r#"{"metrics": {"stats": true, "stats": false}}"#;
        insta::assert_snapshot!(problems(said).join("\n"), @"metrics.stats: said twice; keep one");
    }

    #[test]
    fn what_cannot_be_read_is_one_problem() {
        let deep = "[".repeat(5_000);
        let table: [(&str, &[u8]); 7] = [
            ("a text", b"\"hello\""),
            ("a list", b"[1]"),
            ("broken JSON", b"{\"a\": }"),
            ("YAML", b"request_id:\n  echo: true\n"),
            ("not UTF-8", b"{\"\xff\": 1}"),
            ("binary", b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
            ("too deep", deep.as_bytes()),
        ];
        for (name, bytes) in table {
            let problems = read(bytes).unwrap_err();
            assert_eq!(problems.iter().count(), 1, "{name}: {problems}");
        }
    }
}

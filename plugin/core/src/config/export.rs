//! Where telemetry is sent over OTLP, and how much of it may wait.

use std::time::Duration;

use super::choice::choice;
use super::section::section;
use super::{Headers, Leaf, Period, Problem, Text, Value, Whole};

section! {
    /// Where telemetry is sent over OTLP, and how much of it may wait.
    pub struct Export {
        /// The Envoy cluster of an OTLP collector. Unset: nothing is sent.
        cluster: Option<Text> = None,
        /// `http`: protobuf over HTTP, to `/v1/traces`. `grpc`: the cluster must speak HTTP/2.
        protocol: Protocol = Protocol::Http,
        /// What stands before `/v1/traces`, for collectors behind a path of their own.
        path_prefix: PathPrefix = PathPrefix::default(),
        /// Headers of each request to the collector, such as the key of a tenant. `host` names the collector where it goes by
        /// that; otherwise it is the cluster's name.
        headers: Headers = Headers::default(),
        /// How long the collector may take to answer.
        timeout: Period = Period::of(Duration::from_secs(10)),
        /// Whether what is sent is compressed. Over gRPC Envoy sends messages as they are, so there it must be `none`.
        compression: Compression = Compression::None,
        /// How many spans may wait, in each worker of Envoy, those under way included. Past it the newest is dropped and
        /// counted.
        queue: Whole<1, 100_000> = Whole::nearest(2_048),
        /// How many are sent together.
        batch: Whole<1, 10_000> = Whole::nearest(512),
        /// How long one waits at most for others to be sent together with.
        interval: Period = Period::of(Duration::from_secs(5)),
    }
}

choice! {
    /// How a collector is spoken to.
    pub enum Protocol {
        /// Protobuf over HTTP.
        Http = "http",
        /// gRPC.
        Grpc = "grpc",
    }
}

choice! {
    /// What is done to make messages smaller.
    pub enum Compression {
        /// Nothing.
        None = "none",
        /// gzip.
        Gzip = "gzip",
    }
}

/// The beginning of a path. Invariant: empty, or from a slash up to, and without, the next one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PathPrefix(String);

impl Export {
    /// What cannot go together.
    pub(super) fn conflicts(&self) -> Option<Problem> {
        let both = self.protocol == Protocol::Grpc && self.compression == Compression::Gzip;
        both.then(|| {
            Problem::new(
                "export.compression",
                "gzip stands here beside export.protocol: grpc, where Envoy sends messages as they are; \
                 expected compression: none, or protocol: http",
            )
        })
    }
}

impl PathPrefix {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Leaf for PathPrefix {
    fn takes() -> String {
        "a path such as /otlp, of at most 255 visible ASCII characters, or an empty text".to_owned()
    }

    fn parse(said: &Value) -> Option<Self> {
        let Value::String(text) = said else { return None };
        let path = text.strip_suffix('/').unwrap_or(text);
        let visible =
            path.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#'));
        let fits = (path.is_empty() || path.starts_with('/')) && visible && path.len() <= 255;
        fits.then(|| Self(path.to_owned()))
    }

    fn show(&self) -> String {
        format!("{:?}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_a_path_without_its_end() {
        for (text, prefix) in [
            ("", Some("")),
            ("/", Some("")),
            ("/otlp", Some("/otlp")),
            ("/a/b/", Some("/a/b")),
            ("otlp", None),
            ("/a b", None),
            ("/a?b", None),
            ("/ä", None),
        ] {
            let read = PathPrefix::parse(&Value::String(text.to_owned()));
            assert_eq!(read.as_ref().map(PathPrefix::as_str), prefix, "{text:?}");
        }
    }

    #[test]
    fn gzip_and_grpc_do_not_go_together() {
        let said = br#"{"export": {"protocol": "grpc", "compression": "gzip"}}"#;
        let problems = crate::config::read(said).unwrap_err();
        let paths: Vec<_> = problems.iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(paths, ["export.compression"]);
    }
}

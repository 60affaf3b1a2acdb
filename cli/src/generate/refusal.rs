//! Why nothing was generated, in sentences that say what to do.

use std::net::IpAddr;
use std::{error, fmt};

use super::Endpoint;
use super::bootstrap::Listening;
use crate::check::Refused;

/// Why nothing was generated.
#[derive(Debug)]
pub enum Refusal {
    /// There is no configuration to generate from.
    Configuration(Refused),
    /// `export.cluster` has the name of the application's cluster.
    ClusterTaken(String),
    /// A collector was given, and nothing is exported.
    NothingExported(Endpoint),
    /// An address for scrapes was given, and no endpoint for them is configured.
    NoEndpoint(IpAddr),
    /// What this flag names is where Envoy itself listens.
    Loop(&'static str, Listening),
    /// Envoy is to listen twice on one port.
    SamePort(Listening, Listening),
}

impl Refusal {
    /// What the command ends with: 1 where what was said is wrong, 2 where it cannot be read.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Configuration(refused) => refused.exit_code(),
            _ => 1,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Configuration(refused) => refused.fmt(f),
            Self::ClusterTaken(name) => write!(
                f,
                "export.cluster: \"{name}\" stands here, which is the application's cluster. \
                 Take another name, such as otel-collector."
            ),
            Self::NothingExported(collector) => write!(
                f,
                "--otlp {collector}: the configuration exports nothing. Add to it:\n  \
                 export: {{ cluster: otel-collector }}"
            ),
            Self::NoEndpoint(address) => write!(
                f,
                "--metrics {address}: the configuration has no endpoint for metrics. Add to it:\n  \
                 metrics: {{ endpoint: {{ port: 9464 }} }}"
            ),
            Self::Loop(flag, Listening { said_by, address }) => write!(
                f,
                "{flag} is where Envoy is to listen, {address} by {said_by}, so it would call itself. \
                 Give one of them another port."
            ),
            Self::SamePort(one, other) => write!(
                f,
                "Envoy is to listen on {} by {} and on {} by {}. Give one of them another port.",
                one.address, one.said_by, other.address, other.said_by
            ),
        }
    }
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        Self::Configuration(refused)
    }
}

impl error::Error for Refusal {}

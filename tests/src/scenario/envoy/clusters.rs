//! The clusters besides `app`: those that callouts can reach, those that cannot serve, and the ways
//! of the translators.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::{Value, json};

use super::places;
use super::server::{Role, Server};
use super::shape::{Stand, address, enable_trailers};
use super::stage::Stage;
use super::translators;
use crate::Nobody;
use crate::scenario::format::{Bad, Cluster};
use crate::scenario::{Reset, Scenario};

/// Where the endpoints of the callouts' clusters are.
pub(super) struct Endpoints {
    by_cluster: BTreeMap<String, Endpoint>,
    refusing: Nobody,
}

/// Where calls of a cluster go.
enum Endpoint {
    /// A server that speaks for itself.
    Direct(Server),
    /// A server that is told in HTTP/1.1 what is said to it in HTTP/2.
    Translated(Server),
    Refusing,
    Missing,
}

impl Endpoints {
    /// Starts what has to listen.
    pub(super) fn start(scenario: &Scenario, stage: &Arc<Stage>) -> io::Result<Self> {
        let endpoints = scenario
            .clusters
            .iter()
            .map(|(name, cluster)| Ok((name.clone(), Endpoint::start(name, cluster, stage)?)));
        Ok(Self { by_cluster: endpoints.collect::<io::Result<_>>()?, refusing: Nobody::anywhere() })
    }

    /// All port numbers.
    pub(super) fn ports(&self) -> Vec<u16> {
        let servers = self.by_cluster.values().filter_map(|endpoint| match endpoint {
            Endpoint::Direct(server) | Endpoint::Translated(server) => Some(server.address()),
            Endpoint::Refusing | Endpoint::Missing => None,
        });
        servers.chain([self.refusing.address()]).map(|address| address.port()).collect()
    }

    /// The clusters whose endpoint hears HTTP/1.1 from a translator, with its address.
    pub(super) fn translated(&self) -> impl Iterator<Item = (&str, SocketAddr)> {
        self.by_cluster.iter().filter_map(|(name, endpoint)| match endpoint {
            Endpoint::Translated(server) => Some((name.as_str(), server.address())),
            _ => None,
        })
    }

    fn address(&self, name: &str, stand: &Stand) -> Option<SocketAddr> {
        match &self.by_cluster[name] {
            Endpoint::Direct(server) => Some(server.address()),
            Endpoint::Translated(_) => Some(stand.places.of(&places::back_translator(name))),
            Endpoint::Refusing => Some(self.refusing.address()),
            Endpoint::Missing => None,
        }
    }
}

impl Endpoint {
    fn start(name: &str, cluster: &Cluster, stage: &Arc<Stage>) -> io::Result<Self> {
        let Some(answer) = cluster.conduct() else {
            return Ok(if cluster.empty { Self::Missing } else { Self::Refusing });
        };
        // A translator would answer by itself where its server does not.
        let role = match (cluster.http2, answer.silent, answer.reset) {
            (true, true, _) => Role::Mute,
            (true, _, Some(Reset::Before)) => Role::Resetting,
            (true, ..) => {
                let role = Role::Translated(name.to_owned(), answer);
                return Server::start(role, stage).map(Self::Translated);
            }
            (false, ..) => Role::Cluster(name.to_owned(), answer),
        };
        Server::start(role, stage).map(Self::Direct)
    }
}

/// The cluster that cannot serve for this reason.
pub(super) fn name_of_bad(bad: Bad) -> &'static str {
    match bad {
        Bad::Refuse => "refuse",
        Bad::Empty => "empty",
    }
}

/// All of them.
pub(super) fn all(scenario: &Scenario, stand: &Stand) -> Vec<Value> {
    let endpoints = &stand.endpoints;
    let mut all: Vec<_> = scenario
        .clusters
        .iter()
        .map(|(name, said)| {
            let address = endpoints.address(name, stand);
            if said.http2 { http2(name, address) } else { http1(name, address) }
        })
        .collect();
    for bad in [Bad::Refuse, Bad::Empty] {
        if scenario.routes.iter().any(|route| route.upstream == Some(bad)) {
            let refusing = (bad == Bad::Refuse).then(|| endpoints.refusing.address());
            all.push(http1(name_of_bad(bad), refusing));
        }
    }
    all.extend(translators::clusters(scenario, stand));
    all
}

/// One that is spoken to in HTTP/1.1.
pub(super) fn http1(name: &str, endpoint: Option<SocketAddr>) -> Value {
    let mut cluster = cluster(name, endpoint);
    enable_trailers(&mut cluster);
    cluster
}

/// One that is spoken to in HTTP/2.
pub(super) fn http2(name: &str, endpoint: Option<SocketAddr>) -> Value {
    let mut cluster = http1(name, endpoint);
    *options(&mut cluster) = json!({"http2_protocol_options": {}});
    cluster
}

/// What a cluster says about its protocol.
pub(super) fn options(cluster: &mut Value) -> &mut Value {
    &mut cluster["typed_extension_protocol_options"]["envoy.extensions.upstreams.http.v3.\
                                                      HttpProtocolOptions"]["explicit_http_config"]
}

fn cluster(name: &str, endpoint: Option<SocketAddr>) -> Value {
    let endpoint = endpoint.map(|at| json!({"endpoint": {"address": address(at)}}));
    json!({
        "name": name,
        "type": "STATIC",
        "connect_timeout": "2s",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": endpoint.into_iter().collect::<Vec<_>>()}],
        },
    })
}

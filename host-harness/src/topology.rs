//! What Envoy's configuration says about the way of a request: names and metadata of listener, route
//! and cluster, and addresses. Modules see it as properties.
//!
//! None of it decides where a request goes: that is the request's own `route`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use serde_json::Value;

use crate::{HeaderMap, Manager};

/// Names, metadata and addresses. Metadata is a map by namespace, as `filter_metadata` has it; null
/// is none.
#[derive(Clone, Debug)]
pub struct Topology {
    /// Where the listener listens, which is `destination.address`.
    pub listener: SocketAddr,
    /// The name of the listener's filter chain, `xds.filter_chain_name`.
    pub filter_chain: String,
    /// The virtual host's name, `xds.virtual_host_name`.
    pub virtual_host: String,
    /// The virtual host's metadata, `xds.virtual_host_metadata`.
    pub virtual_host_metadata: Value,
    /// The route's name, `xds.route_name`.
    pub route: String,
    /// The route's metadata, `xds.route_metadata`.
    pub route_metadata: Value,
    /// The name of the application's cluster, `xds.cluster_name`.
    pub cluster: String,
    /// The cluster's metadata, `xds.cluster_metadata`.
    pub cluster_metadata: Value,
    /// How many hosts the cluster has, `upstream.num_endpoints`.
    pub endpoints: u64,
    /// Where the application listens, `upstream.address`.
    pub upstream: SocketAddr,
    /// The metadata of the application's host, `xds.upstream_host_metadata`.
    pub upstream_metadata: Value,
    /// The region, zone and sub-zone of the application's host, `upstream.locality`.
    pub locality: [String; 3],
    /// The metadata of that locality, `xds.upstream_host_locality_metadata`.
    pub locality_metadata: Value,
    /// What filters before ours say about every request, `metadata`.
    pub metadata: Value,
}

impl Default for Topology {
    fn default() -> Self {
        let local = |port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
        Self {
            listener: local(10_000),
            filter_chain: String::new(),
            virtual_host: "app".into(),
            virtual_host_metadata: Value::Null,
            route: String::new(),
            route_metadata: Value::Null,
            cluster: "app".into(),
            cluster_metadata: Value::Null,
            endpoints: 1,
            upstream: local(8_080),
            upstream_metadata: Value::Null,
            locality: Default::default(),
            locality_metadata: Value::Null,
            metadata: Value::Null,
        }
    }
}

/// A port such as a system hands out, which is another for each stream. None is a power of two,
/// which could be taken for a flag.
pub(crate) fn port(number: u64) -> u16 {
    u16::try_from(40_001 + number % 20_000).expect("40001 + 19999 is below 65536")
}

/// From where a request comes, as far as Envoy believes it: the last address that
/// `x-forwarded-for` names, with no port, or else who connects. With `use_remote_address` nobody is
/// believed.
pub(crate) fn source(manager: &Manager, request: &HeaderMap, number: u64) -> SocketAddr {
    let peer = || {
        let ip = manager.client.parse().unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        SocketAddr::new(ip, port(number))
    };
    let said = request.get("x-forwarded-for").filter(|_| !manager.use_remote_address);
    let last = said.and_then(|said| said.rsplit(|byte| *byte == b',').next());
    let last = last.and_then(|last| std::str::from_utf8(last.trim_ascii()).ok()?.parse().ok());
    last.map_or_else(peer, |ip: IpAddr| SocketAddr::new(ip, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_comes_from_where_envoy_believes() {
        let rows = [
            ("nobody says anything", None, false, "127.0.0.1:40003"),
            ("a proxy says", Some("1.2.3.4"), false, "1.2.3.4:0"),
            ("the last one counts", Some("1.2.3.4, 5.6.7.8"), false, "5.6.7.8:0"),
            ("the longer kind", Some("2001:db8::1"), false, "[2001:db8::1]:0"),
            ("what is no address does not count", Some("1.2.3.4, x"), false, "127.0.0.1:40003"),
            ("with a port it is no address", Some("1.2.3.4:80"), false, "127.0.0.1:40003"),
            ("nobody is believed", Some("1.2.3.4"), true, "127.0.0.1:40003"),
        ];
        for (name, said, use_remote_address, expected) in rows {
            let manager = Manager { use_remote_address, ..Manager::default() };
            let request: HeaderMap =
                said.map(|said| ("x-forwarded-for", said)).into_iter().collect();
            assert_eq!(source(&manager, &request, 2).to_string(), expected, "{name}");
        }
    }
}

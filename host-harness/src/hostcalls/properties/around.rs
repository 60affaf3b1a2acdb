//! What properties say of connection, peers, application and configuration.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use serde_json::Value as Json;

use super::View;
use super::value::{Value, metadata};
use crate::protobuf::{Content, Message};
use crate::stream::{Flag, Stream};
use crate::{Route, World, topology};

pub(super) fn connection_id<'a>(number: u64) -> Value<'a> {
    Value::Uint(number + 1)
}

/// All connections are plain, and every stream has its own.
pub(super) fn connection<'a>(number: u64, name: &[u8]) -> Option<Value<'a>> {
    match name {
        b"id" => Some(connection_id(number)),
        b"mtls" => Some(Value::Bool(false)),
        b"requested_server_name" => Some(Value::text("")),
        _ => None,
    }
}

pub(super) fn peer<'a>(address: SocketAddr, name: &[u8]) -> Option<Value<'a>> {
    match name {
        b"address" => Some(Value::owned(&address)),
        b"port" => Some(Value::Int(address.port().into())),
        _ => None,
    }
}

pub(super) fn upstream<'a>(
    world: &'a World,
    number: u64,
    stream: &'a Stream,
    name: &[u8],
) -> Option<Value<'a>> {
    let (topology, info) = (&world.topology, &stream.info);
    match name {
        b"request_attempt_count" => return Some(Value::Uint(info.attempts.into())),
        b"num_endpoints" => return stream.endpoints(world).map(Value::Uint),
        _ => info.chosen?,
    };
    let refused = stream.plan.route == Route::Refused;
    match name {
        b"address" => Some(Value::owned(&topology.upstream)),
        b"port" => Some(Value::Int(topology.upstream.port().into())),
        b"locality" => {
            Some(Value::Message(locality(topology.locality.each_ref().map(String::as_str))))
        }
        b"transport_failure_reason" if refused => {
            Some(Value::text("delayed connect error: Connection refused"))
        }
        b"transport_failure_reason" => Some(Value::text("")),
        // Connecting takes no time here; that it failed is known as soon.
        b"cx_pool_ready_duration" => (refused || info.connected).then_some(Value::Int(0)),
        b"local_address" => info.connected.then(|| {
            let local = IpAddr::V4(Ipv4Addr::LOCALHOST);
            Value::owned(&SocketAddr::new(local, topology::port(number + 1)))
        }),
        _ => None,
    }
}

/// The configuration. A root sees nothing of it but the node.
pub(super) fn xds<'a>(view: View<'a>, name: &[u8]) -> Option<Value<'a>> {
    let topology = &view.world.topology;
    if name == b"node" {
        return Some(Value::Message(node(&view.world.node)));
    }
    let (_, stream) = view.stream?;
    let named = stream.plan.named.as_ref().map(|(name, metadata)| (name, metadata));
    let route = named.unwrap_or((&topology.route, &topology.route_metadata));
    match name {
        b"cluster_name" => stream.endpoints(view.world).map(|_| Value::text(&topology.cluster)),
        b"cluster_metadata" => {
            stream.endpoints(view.world).map(|_| metadata(&topology.cluster_metadata))
        }
        b"route_name" => stream.has_route().then(|| Value::text(route.0)),
        b"route_metadata" => stream.has_route().then(|| metadata(route.1)),
        b"virtual_host_name" => Some(Value::text(&topology.virtual_host)),
        b"virtual_host_metadata" => Some(metadata(&topology.virtual_host_metadata)),
        b"upstream_host_metadata" => {
            stream.info.chosen.map(|_| or_null(&topology.upstream_metadata))
        }
        b"upstream_host_locality_metadata" => {
            stream.info.chosen.map(|_| or_null(&topology.locality_metadata))
        }
        b"filter_chain_name" => Some(Value::text(&topology.filter_chain)),
        b"listener_metadata" => Some(metadata(&view.plugin?.listener_metadata)),
        b"listener_direction" => Some(Value::Int(view.plugin?.direction.number())),
        _ => None,
    }
}

/// A host without metadata has none, where a cluster has an empty one.
fn or_null(json: &Json) -> Value<'_> {
    if json.is_null() { Value::Null } else { metadata(json) }
}

/// A message of the node, as far as the test has said what it is.
fn node(node: &Json) -> Message<'_> {
    let text = |name: &str| Content::Text(node[name].as_str().unwrap_or_default());
    let place = &node["locality"];
    let names = ["region", "zone", "sub_zone"];
    let parts = names.map(|name| place[name].as_str().unwrap_or_default());
    let said = if place.is_object() { Content::Message } else { Content::Absent };
    Message(vec![
        ("id", 1, text("id")),
        ("cluster", 2, text("cluster")),
        ("metadata", 3, Content::Struct(&node["metadata"])),
        ("locality", 4, said(locality(parts))),
        ("user_agent_name", 6, Content::Text("envoy")),
        ("user_agent_version", 7, Content::Text("")),
        ("user_agent_build_version", 8, Content::Absent(Message(Vec::new()))),
        ("extensions", 9, Content::Nothing),
        ("client_features", 10, Content::Nothing),
        ("listening_addresses", 11, Content::Nothing),
        ("dynamic_parameters", 12, Content::Nothing),
    ])
}

fn locality(parts: [&str; 3]) -> Message<'_> {
    let [region, zone, sub_zone] = parts.map(Content::Text);
    Message(vec![("region", 1, region), ("zone", 2, zone), ("sub_zone", 3, sub_zone)])
}

impl Stream {
    /// Whether the router has found a route, and not lost it to what a module did to the headers.
    fn has_route(&self) -> bool {
        let lost = self.info.flags & 1 << Flag::NoRoute as u64 != 0;
        self.plan.route != Route::Missing && !lost
    }

    /// How many hosts the cluster has that the route leads to, if it leads to one.
    fn endpoints(&self, world: &World) -> Option<u64> {
        match self.plan.route {
            _ if !self.has_route() => None,
            Route::Missing | Route::MissingCluster | Route::Direct(..) | Route::Redirect(_) => None,
            Route::NoHost => Some(0),
            Route::Upstream | Route::Refused => Some(world.topology.endpoints),
        }
    }
}

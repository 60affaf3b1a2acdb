//! Listeners of the same Envoy that translate: HTTP/1.1 into HTTP/2 and HTTP/3 before the plugin's
//! listeners, and HTTP/2 into HTTP/1.1 behind clusters. So clients and servers of this crate need
//! to speak HTTP/1.1 only.
//!
//! What they say of themselves is in no transcript, and they add nothing that a plugin could see.

use serde_json::{Value, json};

use super::places;
use super::shape::{Stand, address, file};
use super::{access, certificate, client, clusters, wire};
use crate::scenario::Scenario;
use crate::scenario::observed::Message;

const FORWARDED_PROTO: &str = "x-forwarded-proto";

/// All of them.
pub(super) fn listeners(scenario: &Scenario, stand: &Stand) -> Vec<Value> {
    let before = places::ways(scenario).into_iter().map(|way| {
        let scheme = if way.is_quic() { "https" } else { "http" };
        let mut manager = manager(&way.translator());
        manager["scheme_header_transformation"] = json!({"scheme_to_overwrite": scheme});
        manager["route_config"]["request_headers_to_remove"] = json!(added_headers(scenario));
        listener(&way.translator(), &manager, stand)
    });
    let behind = stand.endpoints.translated().map(|(cluster, _)| {
        let mut manager = manager(&places::back_translator(cluster));
        // Envoy is its own neighbour here: what it says of itself is not taken away, as it would be
        // of strangers.
        manager["use_remote_address"] = json!(true);
        let loopback = json!({"address_prefix": "127.0.0.0", "prefix_len": 8});
        manager["internal_address_config"] = json!({"cidr_ranges": [loopback]});
        manager["route_config"]["request_headers_to_remove"] = json!([FORWARDED_PROTO]);
        listener(&places::back_translator(cluster), &manager, stand)
    });
    before.chain(behind).collect()
}

/// Puts back in its place what the translator before a cluster moved: the mark of a call from
/// within comes before the time-out.
pub(super) fn undo(message: &mut Message) {
    let at = |name: &[u8]| message.head.iter().position(|(field, _)| **field == *name);
    let (mark, timeout) = (at(b"x-envoy-internal"), at(b"x-envoy-expected-rq-timeout-ms"));
    if let (Some(mark), Some(timeout)) = (mark, timeout)
        && timeout < mark
    {
        let field = message.head.remove(mark);
        message.head.insert(timeout, field);
    }
}

/// The clusters that they lead to, which have the same names.
pub(super) fn clusters(scenario: &Scenario, stand: &Stand) -> Vec<Value> {
    let before = places::ways(scenario).into_iter().map(|way| {
        let (name, plugin) = (way.translator(), way.plugin);
        if way.is_quic() {
            http3(&name, plugin, stand)
        } else {
            let mut cluster =
                clusters::http2(&name, Some(stand.places.of(&places::listener(plugin))));
            as_clients_do(&mut cluster);
            cluster
        }
    });
    let behind = stand.endpoints.translated();
    let behind = behind.map(|(cluster, address)| {
        clusters::http1(&places::back_translator(cluster), Some(address))
    });
    before.chain(behind).collect()
}

fn listener(name: &str, manager: &Value, stand: &Stand) -> Value {
    json!({
        "name": name,
        "address": address(stand.places.of(name)),
        "filter_chains": [{"filters": [{
            "name": "envoy.filters.network.http_connection_manager",
            "typed_config": manager,
        }]}],
    })
}

/// A connection manager that sends everything to the cluster of this name, as it is.
fn manager(cluster: &str) -> Value {
    json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.\
                  HttpConnectionManager",
        "stat_prefix": "translator",
        "generate_request_id": false,
        "preserve_external_request_id": true,
        "server_header_transformation": "PASS_THROUGH",
        "skip_xff_append": true,
        "stream_idle_timeout": "0s",
        "delayed_close_timeout": "0.05s",
        "http_protocol_options": {"enable_trailers": true},
        "upgrade_configs": [{"upgrade_type": "websocket"}],
        "access_log": [access::of_translator()],
        "http_filters": [{
            "name": "envoy.filters.http.router",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
                "suppress_envoy_headers": true,
            },
        }],
        "route_config": {"virtual_hosts": [{
            "name": cluster,
            "domains": ["*"],
            "routes": [{"match": {"prefix": "/"}, "route": {"cluster": cluster, "timeout": "0s"}}],
        }]},
    })
}

/// What Envoy adds to every request. If the client said it too, it stays.
fn added_headers(scenario: &Scenario) -> Vec<&'static str> {
    let said = |header: &str| {
        let mut requests = scenario.requests().into_iter();
        requests.any(|request| wire::says(&request.headers, header))
    };
    [FORWARDED_PROTO, "x-envoy-internal"].into_iter().filter(|header| !said(header)).collect()
}

fn http3(name: &str, plugin: usize, stand: &Stand) -> Value {
    let mut cluster = clusters::http1(name, Some(stand.places.of(&places::quic_listener(plugin))));
    *clusters::options(&mut cluster) = json!({"http3_protocol_options": {}});
    as_clients_do(&mut cluster);
    let authority = json!({"filename": file(&stand.dir, certificate::CERTIFICATE)});
    cluster["transport_socket"] = json!({
        "name": "envoy.transport_sockets.quic",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.quic.v3.\
                      QuicUpstreamTransport",
            "upstream_tls_context": {
                "sni": certificate::HOST,
                "common_tls_context": {"validation_context": {"trusted_ca": authority}},
            },
        },
    });
    cluster
}

/// A connection for each request, whose port tells which it is, and from where clients live.
fn as_clients_do(cluster: &mut Value) {
    let options = &mut cluster["typed_extension_protocol_options"];
    options["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"]["common_http_protocol_options"] =
        json!({"max_requests_per_connection": 1});
    let home = json!({"address": client::HOME.to_string(), "port_value": 0});
    cluster["upstream_bind_config"] = json!({"source_address": home});
}

//! The configuration of the one Envoy: a route for each way to end, clusters that fail each in its way, and a
//! listener for each protocol.
//!
//! To speak HTTP/2 and HTTP/3, clients go through further listeners of the same Envoy, without the filter and
//! without a log, that translate.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde_json::{Value, json};
use sightline_tests::{Bootstrap, Nobody, Upstream};

use super::setting::{ENVOYS, LINE, Places, Servers};

const MANAGER: &str = "/filter_chains/0/filters/0/typed_config";
const EXTENSIONS: &str = "type.googleapis.com/envoy.extensions";
const OPTIONS: &str = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
const CERTIFICATE: &str = include_str!("../../../src/scenario/envoy/certificate/certificate.pem");
const KEY: &str = include_str!("../../../src/scenario/envoy/certificate/key.pem");
/// Whom it is for.
const HOST: &str = "app.test";

/// Makes of the template what the cases need.
pub(super) fn shape(bootstrap: Bootstrap, servers: &Servers, places: &Places) -> Bootstrap {
    let bootstrap = bootstrap.only_routes(routes()).filter_before(deny());
    bootstrap.patch(|document| {
        let all = &mut document["static_resources"];
        all["clusters"] = clusters(servers, places);
        let main = &mut all["listeners"][0];
        allow(main, places);
        let more = [
            old(main.clone(), places),
            quic(main.clone(), places),
            translator("http2", "http", &places.to_http2),
            translator("http3", "https", &places.to_http3),
        ];
        all["listeners"].as_array_mut().unwrap().extend(more);
    })
}

/// A route for each thing that only Envoy does, and none for the rest.
fn routes() -> Vec<Value> {
    let to = |path: &str, cluster: &str, more: Value| {
        let mut route = json!({"cluster": cluster, "timeout": "0s"});
        route.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        json!({"match": {"prefix": path}, "route": route})
    };
    let retries = |on: &str| {
        let pause = json!({"base_interval": "0.001s", "max_interval": "0.002s"});
        json!({"retry_on": on, "num_retries": 2, "retry_back_off": pause})
    };
    let mut twice = retries("5xx");
    twice["per_try_timeout"] = json!("0.1s");
    let redirects = json!({"max_internal_redirects": 1, "redirect_response_codes": [302]});
    let mut after = to("/after", "app", json!({}));
    let abort = json!({"http_status": 503, "percentage": {"numerator": 100}});
    after["typed_per_filter_config"] = json!({"fault": fault(&abort)});
    vec![
        json!({"match": {"prefix": "/direct"}, "direct_response": {"status": 410, "body": {"inline_string": "gone"}}}),
        json!({"match": {"prefix": "/moved"}, "redirect": {"path_redirect": "/elsewhere"}}),
        to("/missing", "missing", json!({})),
        to("/empty", "empty", json!({})),
        to("/full", "full", json!({})),
        to("/refused-often", "refused", json!({"retry_policy": retries("connect-failure")})),
        to("/refused", "refused", json!({})),
        to("/crowded", "crowded", json!({})),
        to("/closing", "closing", json!({})),
        to("/slow-twice", "pair", json!({"retry_policy": twice})),
        to("/slow", "app", json!({"timeout": "0.15s"})),
        to("/late", "app", json!({"timeout": "0.15s"})),
        to("/stuck", "app", json!({"idle_timeout": "0.15s"})),
        to("/long", "app", json!({"max_stream_duration": {"max_stream_duration": "0.15s"}})),
        to("/flaky", "pair", json!({"retry_policy": retries("5xx")})),
        to("/led", "app", json!({"internal_redirect_policy": redirects})),
        after,
        to("/app/", "app", json!({})),
        to("/healthz", "app", json!({})),
    ]
}

/// Refuses requests that ask for it.
fn deny() -> Value {
    let asks = json!({"header": {"name": "x-deny", "present_match": true}});
    let policy = json!({"permissions": [asks], "principals": [{"any": true}]});
    json!({
        "name": "deny",
        "typed_config": {
            "@type": format!("{EXTENSIONS}.filters.http.rbac.v3.RBAC"),
            "rules": {"action": "DENY", "policies": {"asked-for": policy}},
        },
    })
}

fn fault(abort: &Value) -> Value {
    json!({"@type": format!("{EXTENSIONS}.filters.http.fault.v3.HTTPFault"), "abort": abort})
}

/// Makes of the template's listener one where everything may happen, and soon.
fn allow(listener: &mut Value, places: &Places) {
    listener["address"] = address(places.main.address());
    let fields: BTreeMap<_, _> =
        [(LINE, "%FILTER_STATE(wasm.sightline_log:PLAIN)%")].into_iter().chain(ENVOYS).collect();
    let manager = listener.pointer_mut(MANAGER).unwrap();
    manager["delayed_close_timeout"] = json!("0.02s");
    manager["http_protocol_options"] = json!({"enable_trailers": true});
    manager["route_config"]["validate_clusters"] = json!(false);
    manager["access_log"][0]["typed_config"]["log_format"] = json!({"json_format": fields});
    // The applications tell by it which try it is.
    manager["route_config"]["virtual_hosts"][0]["include_request_attempt_count"] = json!(true);
    let filters = manager["http_filters"].as_array_mut().unwrap();
    let router = filters.len() - 1;
    filters.insert(router, json!({"name": "fault", "typed_config": fault(&Value::Null)}));
}

fn old(mut listener: Value, places: &Places) -> Value {
    listener["name"] = json!("old");
    listener["address"] = address(places.old.address());
    let manager = listener.pointer_mut(MANAGER).unwrap();
    manager["http_protocol_options"] = json!({
        "enable_trailers": true, "accept_http_10": true, "default_host_for_http_10": "shop.test",
    });
    manager["request_headers_timeout"] = json!("0.15s");
    listener
}

fn quic(mut listener: Value, places: &Places) -> Value {
    listener["name"] = json!("quic");
    listener["address"] = address(places.quic.address());
    listener["address"]["socket_address"]["protocol"] = json!("UDP");
    listener["udp_listener_config"] = json!({"quic_options": {}});
    let certificate = json!({
        "certificate_chain": {"inline_string": CERTIFICATE},
        "private_key": {"inline_string": KEY},
    });
    let context = json!({"common_tls_context": {"tls_certificates": [certificate]}});
    listener["filter_chains"][0]["transport_socket"] =
        over_quic("Downstream", "downstream_tls_context", &context);
    let manager = listener.pointer_mut(MANAGER).unwrap();
    manager["codec_type"] = json!("HTTP3");
    manager["http3_protocol_options"] = json!({});
    listener
}

fn over_quic(side: &str, key: &str, context: &Value) -> Value {
    json!({
        "name": "envoy.transport_sockets.quic",
        "typed_config": {
            "@type": format!("{EXTENSIONS}.transport_sockets.quic.v3.Quic{side}Transport"),
            key: context,
        },
    })
}

/// Sends all that comes in over HTTP/1.1 to the cluster of this name.
fn translator(cluster: &str, scheme: &str, place: &Nobody) -> Value {
    let route = json!({"match": {"prefix": "/"}, "route": {"cluster": cluster, "timeout": "0s"}});
    let router = format!("{EXTENSIONS}.filters.http.router.v3.Router");
    let manager = json!({
        "@type": format!("{EXTENSIONS}.filters.network.http_connection_manager.v3.HttpConnectionManager"),
        "stat_prefix": "translator",
        "generate_request_id": false,
        "preserve_external_request_id": true,
        "delayed_close_timeout": "0.02s",
        "http_protocol_options": {"enable_trailers": true},
        "scheme_header_transformation": {"scheme_to_overwrite": scheme},
        "http_filters": [{"name": "router", "typed_config": {"@type": router}}],
        "route_config": {"virtual_hosts": [{"name": cluster, "domains": ["*"], "routes": [route]}]},
    });
    json!({
        "name": format!("to-{cluster}"),
        "address": address(place.address()),
        "filter_chains": [{"filters": [
            {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}
        ]}],
    })
}

fn clusters(servers: &Servers, places: &Places) -> Value {
    let http1 = || json!({"http_protocol_options": {"enable_trailers": true}});
    let [first, second] = servers.apps.each_ref().map(Upstream::address);
    let mut full = cluster("full", &[first], &http1());
    full["circuit_breakers"] = json!({"thresholds": [{"max_pending_requests": 0}]});
    let mut crowded = cluster("crowded", &[servers.crowded.address()], &http1());
    crowded["connect_timeout"] = json!("0.15s");
    let mut http3 =
        cluster("http3", &[places.quic.address()], &json!({"http3_protocol_options": {}}));
    let authority = json!({"trusted_ca": {"inline_string": CERTIFICATE}});
    let context = json!({"sni": HOST, "common_tls_context": {"validation_context": authority}});
    http3["transport_socket"] = over_quic("Upstream", "upstream_tls_context", &context);
    let http2 = json!({"http2_protocol_options": {}});
    json!([
        cluster("app", &[first], &http1()),
        cluster("pair", &[first, second], &http1()),
        cluster("closing", &[servers.closing.address()], &http1()),
        cluster("refused", &[places.nobody.address()], &http1()),
        cluster("empty", &[], &http1()),
        full,
        crowded,
        cluster("http2", &[places.main.address()], &http2),
        http3,
    ])
}

/// One that uses a connection for one request only, so that none is sent into one that is just closing.
fn cluster(name: &str, hosts: &[SocketAddr], protocol: &Value) -> Value {
    let endpoint = |host: &SocketAddr| json!({"endpoint": {"address": address(*host)}});
    let endpoints: Vec<_> = hosts.iter().map(endpoint).collect();
    json!({
        "name": name, "type": "STATIC", "connect_timeout": "2s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": endpoints}]},
        "typed_extension_protocol_options": {OPTIONS: {
            "@type": format!("type.googleapis.com/{OPTIONS}"),
            "explicit_http_config": protocol,
            "common_http_protocol_options": {"max_requests_per_connection": 1},
        }},
    })
}

fn address(address: SocketAddr) -> Value {
    let (host, port) = (address.ip().to_string(), address.port());
    json!({"socket_address": {"address": host, "port_value": port}})
}

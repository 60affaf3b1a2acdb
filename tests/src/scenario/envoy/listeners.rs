//! The listeners of a plugin: the template's, with the plugin as the scenario has it, and the same
//! over QUIC.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::places;
use super::shape::{Stand, address, file, seconds};
use super::{access, certificate};
use crate::scenario::Scenario;
use crate::scenario::format::{Also, Direction, Machine, Manager, Names, Policy};

const CONNECTION_MANAGER: &str = "/filter_chains/0/filters/0/typed_config";
/// What the template calls the plugin's filter.
const FILTER: &str = "sightline";

/// Those of the plugin with this number.
pub(super) fn of_plugin(
    template: &Value,
    scenario: &Scenario,
    plugin: usize,
    stand: &Stand,
) -> Vec<Value> {
    let mut plain = template.clone();
    let name = places::listener(plugin);
    plain["name"] = json!(name);
    plain["address"] = address(stand.places.of(&name));
    plain["traffic_direction"] = json!(match scenario.direction {
        Direction::Unspecified => "UNSPECIFIED",
        Direction::Inbound => "INBOUND",
        Direction::Outbound => "OUTBOUND",
    });
    plain["metadata"] = json!({"filter_metadata": scenario.listener_metadata});
    // Envoy's own limit where nothing is said, and not the template's.
    plain["per_connection_buffer_limit_bytes"] = json!(scenario.buffer_limit);
    if let Some(manager) = plain.pointer_mut(CONNECTION_MANAGER) {
        manage(manager, &scenario.manager);
        let log = &mut manager["access_log"][0];
        log["typed_config"]["log_format"] = access::format(scenario);
        // Of requests without a line something is told too.
        log["filter"] = Value::Null;
        filters(manager, scenario, plugin, stand);
    }
    let quic = places::quic_plugins(scenario).contains(&plugin);
    let quic = quic.then(|| over_quic(&plain, plugin, stand));
    std::iter::once(plain).chain(quic).collect()
}

fn manage(manager: &mut Value, said: &Manager) {
    let switches = [
        ("generate_request_id", said.generate_request_id),
        ("preserve_external_request_id", said.preserve_external_request_id),
        ("use_remote_address", said.use_remote_address),
    ];
    for (key, value) in switches {
        if let Some(value) = value {
            manager[key] = json!(value);
        }
    }
    if let Some(name) = &said.server_name {
        manager["server_name"] = json!(name);
    }
    if let Some(time) = said.idle_timeout {
        manager["stream_idle_timeout"] = json!(seconds(time));
    }
    if let Some(size) = said.max_request_headers_kb {
        manager["max_request_headers_kb"] = json!(size);
    }
    // Nor its windows, which say in how many pieces a body comes.
    manager["http2_protocol_options"] = Value::Null;
    // A connection that Envoy wants to end ends at once, not when the client has had time to.
    manager["delayed_close_timeout"] = json!("0.05s");
    // A route to a cluster that is not there is wrong only once a request takes it.
    manager["route_config"]["validate_clusters"] = json!(false);
    manager["http_protocol_options"] =
        json!({"enable_trailers": true, "accept_http_10": said.accept_http_10});
}

fn filters(manager: &mut Value, scenario: &Scenario, plugin: usize, stand: &Stand) {
    let Some(filters) = manager["http_filters"].as_array_mut() else { return };
    if let Some(ours) = filters.iter_mut().find(|filter| filter["name"] == FILTER) {
        let config = &mut ours["typed_config"]["config"];
        *config = self::plugin(&of(scenario, plugin), scenario);
        config["vm_config"]["code"] = json!({"local": {"filename": stand.modules[plugin]}});
    }
    if let Some(after) = scenario.after {
        let router = filters.len().saturating_sub(1);
        filters.insert(router, abort(after.abort));
    }
}

/// What the scenario says of the plugin with this number.
fn of(scenario: &Scenario, plugin: usize) -> Also {
    let first = || Also {
        script: scenario.script.clone(),
        configuration: scenario.configuration.clone(),
        plugin: scenario.plugin.clone(),
        vm: scenario.vm.clone(),
    };
    plugin.checked_sub(1).map_or_else(first, |also| scenario.also[also].clone())
}

fn plugin(said: &Also, scenario: &Scenario) -> Value {
    let Names { name, root_id } = &said.plugin;
    let policy = match scenario.policy {
        Policy::Closed => "FAIL_CLOSED",
        Policy::Open => "FAIL_OPEN",
        Policy::Reload => "FAIL_RELOAD",
    };
    let mut config = json!({
        "name": name,
        "root_id": root_id,
        "failure_policy": policy,
        "allow_on_headers_stop_iteration": scenario.stop_iteration,
        "vm_config": machine(&said.vm),
    });
    match &said.configuration {
        None | Some(Value::Null) => {}
        Some(Value::String(text)) => config["configuration"] = string_value(text),
        Some(tree) => {
            let kind = "type.googleapis.com/google.protobuf.Struct";
            config["configuration"] = json!({"@type": kind, "value": tree});
        }
    }
    config
}

fn machine(said: &Machine) -> Value {
    let variables: BTreeMap<_, _> = said.environment.iter().collect();
    let mut config = json!({
        "runtime": "envoy.wasm.runtime.v8",
        "vm_id": said.id,
        "environment_variables": {"key_values": variables},
    });
    if let Some(text) = &said.configuration {
        config["configuration"] = string_value(text);
    }
    config
}

fn string_value(text: &str) -> Value {
    json!({"@type": "type.googleapis.com/google.protobuf.StringValue", "value": text})
}

/// A filter that answers every request.
fn abort(status: u16) -> Value {
    json!({
        "name": "abort",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault",
            "abort": {"http_status": status, "percentage": {"numerator": 100}},
        },
    })
}

fn over_quic(plain: &Value, plugin: usize, stand: &Stand) -> Value {
    let mut quic = plain.clone();
    let name = places::quic_listener(plugin);
    quic["name"] = json!(name);
    quic["address"] = address(stand.places.of(&name));
    quic["address"]["socket_address"]["protocol"] = json!("UDP");
    quic["udp_listener_config"] = json!({"quic_options": {}});
    let certificate = json!({
        "certificate_chain": {"filename": file(&stand.dir, certificate::CERTIFICATE)},
        "private_key": {"filename": file(&stand.dir, certificate::KEY)},
    });
    quic["filter_chains"][0]["transport_socket"] = json!({
        "name": "envoy.transport_sockets.quic",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.quic.v3.\
                      QuicDownstreamTransport",
            // Else a second connection sends its request with the first packet, and says so to the app.
            "enable_early_data": false,
            "downstream_tls_context": {
                "common_tls_context": {"tls_certificates": [certificate]},
            },
        },
    });
    if let Some(manager) = quic.pointer_mut(CONNECTION_MANAGER) {
        manager["codec_type"] = json!("HTTP3");
        manager["http3_protocol_options"] = json!({});
    }
    quic
}

//! What is written is the template with what was said, and nothing else; and what cannot work is refused.

use super::*;
use serde_json::{Value, json};

const CONFIGURATION: &str = "# The shop's.\nservice:\n  name: shop # in lower case\n";
const MANAGER: &str = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config";
const APP_AT: &str = "/static_resources/clusters/0";
const ADDRESS: &str = "/load_assignment/endpoints/0/lb_endpoints/0/endpoint/address/socket_address";

fn tree(yaml: &str) -> Value {
    serde_saphyr::from_str(yaml).unwrap_or_else(|error| panic!("{error}\n{yaml}"))
}

fn configuration(yaml: &str) -> Configuration {
    Configuration::parse(yaml).unwrap()
}

fn comments(yaml: &str) -> Vec<&str> {
    yaml.lines().map(str::trim).filter(|line| line.starts_with('#')).collect()
}

/// The template's tree with one thing changed, and then another.
fn changed(changes: &[(&str, Value)]) -> Value {
    let mut document = tree(TEMPLATE);
    for (pointer, value) in changes {
        *document.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value.clone();
    }
    document
}

#[test]
fn with_nothing_said_it_is_the_template() {
    let written = bootstrap(&configuration(""), &Deployment::default()).unwrap();
    assert_eq!(tree(&written), tree(TEMPLATE));
}

#[test]
fn it_is_the_template_with_what_was_said_and_nothing_else() {
    let deployment = Deployment {
        listen: "[::]:80".parse().unwrap(),
        app: "10.1.2.3:5000".parse().unwrap(),
        filter: "/opt/my filters/sightline.wasm".to_owned(),
        admin: "127.0.0.1:9999".parse().unwrap(),
        ..Deployment::default()
    };
    let written = bootstrap(&configuration(CONFIGURATION), &deployment).unwrap();
    let plugin = format!("{MANAGER}/http_filters/0/typed_config/config");
    let expected = changed(&[
        (
            "/static_resources/listeners/0/address/socket_address",
            json!({"address": "::", "port_value": 80}),
        ),
        ("/admin/address/socket_address", json!({"address": "127.0.0.1", "port_value": 9999})),
        (&format!("{APP_AT}{ADDRESS}"), json!({"address": "10.1.2.3", "port_value": 5000})),
        (
            &format!("{plugin}/vm_config/code/local/filename"),
            json!("/opt/my filters/sightline.wasm"),
        ),
        (&format!("{plugin}/configuration/value"), json!({"service": {"name": "shop"}})),
    ]);
    assert_eq!(tree(&written), expected);
}

#[test]
fn comments_stay_those_of_the_template_and_those_of_the_configuration() {
    let written = bootstrap(&configuration(CONFIGURATION), &Deployment::default()).unwrap();
    let kept = comments(&written);
    let replaced = [USE, VALUE].map(comments).concat();
    for comment in comments(TEMPLATE) {
        assert!(kept.contains(&comment) || replaced.contains(&comment), "{comment} is gone");
    }
    assert!(kept.contains(&"# The shop's.") && written.contains("name: shop # in lower case\n"));
    assert!(written.contains("\n# 127.0.0.1:8000, and start"), "{written}");
}

#[test]
fn an_app_with_a_name_is_looked_up() {
    let deployment = Deployment { app: "shop:5000".parse().unwrap(), ..Deployment::default() };
    let written = tree(&bootstrap(&configuration(""), &deployment).unwrap());
    let mut expected = changed(&[
        (&format!("{APP_AT}/type"), json!("STRICT_DNS")),
        (&format!("{APP_AT}{ADDRESS}"), json!({"address": "shop", "port_value": 5000})),
    ]);
    expected["static_resources"]["clusters"][0]["dns_lookup_family"] = json!("V4_PREFERRED");
    assert_eq!(written, expected);
}

#[test]
fn clients_ids_survive() {
    let written = tree(&bootstrap(&configuration(""), &Deployment::default()).unwrap());
    let manager = written.pointer(MANAGER).unwrap();
    assert_eq!(
        (&manager["generate_request_id"], &manager["preserve_external_request_id"]),
        (&json!(false), &json!(true))
    );
}

#[test]
fn a_collector_is_one_more_cluster() {
    let http2 = json!({"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http2_protocol_options": {}},
    }});
    for (cluster, is_grpc, otlp, host, port) in [
        ("otel", false, None, "127.0.0.1", 4318),
        ("outbound|4317||otel.svc", true, None, "127.0.0.1", 4317),
        ("otel", true, Some("collector.svc:14317"), "collector.svc", 14317),
        ("otel", false, Some("[::1]:1"), "::1", 1),
    ] {
        let otlp = otlp.map(|otlp| otlp.parse().unwrap());
        let deployment = Deployment { otlp, ..Deployment::default() };
        let export = Some(Export { cluster, is_grpc });
        let written = tree(&write(&configuration(""), export, &deployment).unwrap());
        let clusters = written["static_resources"]["clusters"].as_array().unwrap();
        let added = &clusters[1];
        assert_eq!((clusters.len(), &clusters[0]), (2, tree(TEMPLATE).pointer(APP_AT).unwrap()));
        assert_eq!(
            (&added["name"], &added["load_assignment"]["cluster_name"]),
            (&json!(cluster), &json!(cluster))
        );
        assert_eq!(added.pointer(ADDRESS), Some(&json!({"address": host, "port_value": port})));
        assert_eq!(added["type"], if host.ends_with("svc") { "STRICT_DNS" } else { "STATIC" });
        assert_eq!(added.get("typed_extension_protocol_options"), is_grpc.then_some(&http2));
    }
}

#[test]
fn the_listener_for_scrapes_has_the_apps_filter_and_its_own_address() {
    const SAID: &str = "metrics: { endpoint: { port: 9464, path: /m } }";
    for (name, configuration, on, address, shown) in [
        ("on all addresses", SAID, None, "0.0.0.0", "0.0.0.0:9464/m"),
        ("on one address", SAID, Some("10.0.0.5"), "10.0.0.5", "10.0.0.5:9464/m"),
        ("on one of IPv6", SAID, Some("::1"), "::1", "[::1]:9464/m"),
        (
            "with an anchor of the same name",
            "service: { name: &sightline shop }\nmetrics: { endpoint: { port: 9464 } }",
            None,
            "0.0.0.0",
            "0.0.0.0:9464/metrics",
        ),
        (
            "as JSON",
            "routes: { limit: 1_000 }\nmetrics: { endpoint: { port: 9464 } }",
            None,
            "0.0.0.0",
            "0.0.0.0:9464/metrics",
        ),
    ] {
        let metrics = on.map(|on| on.parse().unwrap());
        let deployment = Deployment { metrics, ..Deployment::default() };
        let text = bootstrap(&self::configuration(configuration), &deployment).unwrap();
        assert!(text.contains(&format!("# Prometheus finds the metrics at {shown}.\n")), "{name}");
        let written = tree(&text);
        let listeners = written["static_resources"]["listeners"].as_array().unwrap();
        let added = &listeners[1];
        assert_eq!((listeners.len(), &added["name"]), (2, &json!("metrics")), "{name}");
        let at = json!({"address": address, "port_value": 9464});
        assert_eq!(added["address"]["socket_address"], at, "{name}");
        let filters = "/filter_chains/0/filters/0/typed_config/http_filters";
        assert_eq!(added.pointer(filters), listeners[0].pointer(filters), "{name}");
    }
}

#[test]
fn an_admin_that_others_reach_is_not_called_local() {
    for (admin, expected) in
        [("[::1]:9901", "for this machine only"), ("10.0.0.5:9901", "no password")]
    {
        let deployment = Deployment { admin: admin.parse().unwrap(), ..Deployment::default() };
        let written = bootstrap(&configuration(""), &deployment).unwrap();
        let admin = written.split("\nadmin:").nth(1).unwrap().split("address:").next().unwrap();
        assert!(admin.contains(expected), "{admin}");
    }
}

/// What is said where it is refused, of these flags.
fn refused(deployment: &Deployment) -> String {
    bootstrap(&configuration(""), deployment).unwrap_err().to_string()
}

#[test]
fn what_cannot_work_is_refused_with_a_way_out() {
    let taken = Some(Export { cluster: "app", is_grpc: false });
    let told = write(&configuration(""), taken, &Deployment::default()).unwrap_err().to_string();
    assert!(told.starts_with("export.cluster: \"app\" stands here"), "{told}");
    let otlp = Deployment { otlp: "a:1".parse().ok(), ..Deployment::default() };
    let told = refused(&otlp);
    assert!(told.starts_with("--otlp a:1: ") && told.contains("export: { cluster:"), "{told}");
    let metrics = Deployment { metrics: "10.0.0.5".parse().ok(), ..Deployment::default() };
    let told = refused(&metrics);
    assert!(told.starts_with("--metrics 10.0.0.5: ") && told.contains("port: 9464"), "{told}");
}

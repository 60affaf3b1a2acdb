//! How the configuration reaches the filter, and what becomes of a wrong one.

use serde_json::json;
use sightline_tests::{Answer, Configuration, Proxy, Request, Upstream};

#[test]
fn every_form_means_the_same() {
    let said = json!({"service": {"name": "shop"}, "request_id": {"header": "x-id"}});
    for (name, configuration, service, header) in [
        ("nothing", Configuration::Absent, "unknown_service", "x-request-id"),
        ("an empty Struct", Configuration::Struct(json!({})), "unknown_service", "x-request-id"),
        ("an empty text", Configuration::Text(String::new()), "unknown_service", "x-request-id"),
        ("a Struct", Configuration::Struct(said.clone()), "shop", "x-id"),
        ("JSON text", Configuration::Text(said.to_string()), "shop", "x-id"),
        ("pretty JSON text", Configuration::Text(format!("\n{said:#}\n")), "shop", "x-id"),
        ("JSON bytes", Configuration::Bytes(said.to_string().into_bytes()), "shop", "x-id"),
    ] {
        let upstream = Upstream::answering(|_| Answer::new(200).body("hi"));
        let proxy = Proxy::start(|bootstrap| {
            bootstrap.upstream(upstream.address()).configuration(configuration)
        });
        proxy.send(&Request::get("/").field(header, "abc"));
        assert_eq!(proxy.line_of("abc")["service"], service, "{name}");
    }
}

#[test]
fn the_service_is_named_by_the_environment_and_then_by_the_node() {
    for (name, environment, expected) in [
        (
            "both",
            json!({"key_values": {"OTEL_SERVICE_NAME": "from-environment"}}),
            "from-environment",
        ),
        ("the node alone", json!(null), "from-node"),
    ] {
        let upstream = Upstream::answering(|_| Answer::new(200).body("hi"));
        let proxy = Proxy::start(|bootstrap| {
            bootstrap.upstream(upstream.address()).vm("/environment_variables", environment).patch(
                |document| {
                    document["node"] = json!({"id": "a", "cluster": "from-node"});
                },
            )
        });
        proxy.send(&Request::get("/").field("x-request-id", "abc"));
        assert_eq!(proxy.line_of("abc")["service"], expected, "{name}");
    }
}

#[test]
fn what_is_switched_off_is_off() {
    let upstream = Upstream::answering(|_| Answer::new(200).body("hi"));
    let proxy = Proxy::start(|bootstrap| {
        bootstrap.upstream(upstream.address()).configuration(Configuration::Struct(json!({
            "metrics": {"stats": false}, "access_log": {"property": false}
        })))
    });
    assert_eq!(proxy.send(&Request::get("/")).status(), 200);
    let labels = [("envoy_http_conn_manager_prefix", "inbound")];
    proxy.settles_at(1.0, "envoy_http_downstream_rq_completed", &labels);
    assert_eq!(proxy.raw_access_log(), "");
    assert_eq!(proxy.stats().names_with("sightline_http"), [""; 0]);
}

#[test]
fn a_wrong_one_keeps_envoy_from_starting_and_names_every_problem() {
    let said = json!({
        "request_id": {"formt": "uuid7", "inbound": "kepp"},
        "sampling": {"ratio": 5},
        "acces_log": {},
    });
    let named = [
        "request_id.formt: no such key",
        "did you mean `format`?",
        "request_id.inbound: \"kepp\" stands here, expected keep or replace; did you mean `keep`?",
        "sampling.ratio: 5 stands here, expected a number from 0 to 1",
        "acces_log: no such key",
        "did you mean `access_log`?",
    ];
    for configuration in
        [Configuration::Struct(said.clone()), Configuration::Text(said.to_string())]
    {
        let refused = refusal(configuration);
        for name in named {
            assert!(refused.contains(name), "{name} is not in:\n{refused}");
        }
    }
}

#[test]
fn what_is_no_configuration_is_refused_in_words() {
    let huge = format!("[{}]", "[".repeat(100_000));
    for (name, configuration) in [
        ("broken JSON", Configuration::Text("{\"a\": }".to_owned())),
        ("a list", Configuration::Text("[1]".to_owned())),
        ("YAML", Configuration::Text("request_id:\n  echo: true\n".to_owned())),
        ("not UTF-8", Configuration::Bytes(b"{\"\xff\": 1}".to_vec())),
        ("binary", Configuration::Bytes(vec![0, 1, 2, 3])),
        ("deep nesting", Configuration::Text(huge)),
    ] {
        let refused = refusal(configuration);
        assert!(refused.contains("configuration refused: the configuration"), "{name}:\n{refused}");
    }
}

fn refusal(configuration: Configuration) -> String {
    match Proxy::try_start(|bootstrap| bootstrap.configuration(configuration)) {
        Ok(_) => panic!("Envoy started"),
        Err(error) => error.to_string(),
    }
}

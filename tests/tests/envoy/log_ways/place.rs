//! Where a line says that it is from: the configuration before the environment, and that before Istio.

use serde_json::{Value, json};
use sightline_tests::{Answer, Bootstrap, Configuration, Proxy, Request, Upstream};

fn node(bootstrap: Bootstrap) -> Bootstrap {
    bootstrap.patch(|document| {
        document["node"] = json!({
            "id": "sidecar~10.0.0.1~shop-1.prod", "cluster": "the-cluster",
            "metadata": {
                "NAME": "node-pod", "NAMESPACE": "node-space",
                "LABELS": {"app": "the-app", "service.istio.io/canonical-name": "the-canonical"},
            },
        });
    })
}

#[test]
fn the_place_is_told_by_the_first_who_knows() {
    let pod = json!({"POD_NAME": "env-pod", "POD_NAMESPACE": "env-space"});
    let named = json!({
        "POD_NAME": "env-pod", "POD_NAMESPACE": "env-space", "OTEL_SERVICE_NAME": "env-name",
        "OTEL_RESOURCE_ATTRIBUTES": "k8s.pod.name=otel-pod,service.name=otel-name",
    });
    let said = json!({"name": "said-name", "attributes": {"k8s.namespace.name": "said-space"}});
    for (name, environment, service, expected) in [
        ("Istio", json!({}), json!({}), ["the-canonical", "node-pod", "node-space"]),
        ("the pod's variables", pod, json!({}), ["the-canonical", "env-pod", "env-space"]),
        ("the resource", named.clone(), json!({}), ["env-name", "otel-pod", "env-space"]),
        ("the configuration", named, said, ["said-name", "otel-pod", "said-space"]),
    ] {
        let line = line_of(&environment, &service);
        let found = ["service", "pod", "namespace"].map(|field| line[field].as_str().unwrap());
        assert_eq!(found, expected, "{name}");
    }
}

fn line_of(environment: &Value, service: &Value) -> Value {
    let upstream = Upstream::answering(|_| Answer::new(200).body("hi"));
    let proxy = Proxy::start(|bootstrap| {
        node(bootstrap.upstream(upstream.address()))
            .vm("environment_variables", json!({"key_values": environment}))
            .configuration(Configuration::Struct(json!({"service": service})))
    });
    proxy.send(&Request::get("/").field("x-request-id", "abc"));
    proxy.line_of("abc")
}

//! Who a span says that it is from.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sightline_tests::{Answer, Bootstrap, Collector, Proxy, Request, Upstream};

use super::{exporting, span_of};

/// The names of the keys that are the same everywhere.
const DISTRO: [(&str, &str); 1] = [("telemetry.distro.name", "sightline")];

fn node(bootstrap: Bootstrap) -> Bootstrap {
    bootstrap.patch(|document| {
        document["node"] = json!({
            "id": "sidecar~10.0.0.1~shop-1.prod", "cluster": "the-cluster",
            "metadata": {
                "NAME": "shop-1", "NAMESPACE": "prod", "WORKLOAD_NAME": "shop",
                "LABELS": {"app": "the-app", "service.istio.io/canonical-name": "the-canonical"},
            },
        });
    })
}

fn environment(bootstrap: Bootstrap, variables: &Value) -> Bootstrap {
    bootstrap.vm("environment_variables", json!({"key_values": variables}))
}

type Said<'a> = (&'a str, &'a str);
type Shape = fn(Bootstrap) -> Bootstrap;

/// A filter of this shape sends this resource, with what is the same everywhere, and no more.
fn assert_said(name: &str, shape: Shape, more: &Value, expected: &[Said<'_>]) {
    let collector = Collector::start();
    let upstream = Upstream::answering(|_| Answer::new(200).body("hi"));
    let proxy = Proxy::start(|bootstrap| {
        exporting(shape(bootstrap.upstream(upstream.address())), &collector, "http", more)
    });
    proxy.send(&Request::get("/").field("x-request-id", "abc"));
    let span = span_of(&collector, "abc");
    for (key, value) in expected.iter().chain(&DISTRO) {
        assert_eq!(span.resource_text(key), Some(*value), "{name}: {key}");
    }
    let version = span.resource_text("telemetry.distro.version");
    assert_eq!(version, Some(env!("CARGO_PKG_VERSION")), "{name}");
    // Besides: the version of the distribution and the instance.
    assert_eq!(span.resource.len(), expected.len() + 3, "{name}: {:#?}", span.resource);
    assert_eq!(
        (span.scope.name.as_str(), span.scope.version.as_str()),
        ("sightline", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn a_resource_is_what_the_configuration_the_environment_and_the_node_say() {
    let istio = [
        ("k8s.pod.name", "shop-1"),
        ("k8s.namespace.name", "prod"),
        ("k8s.deployment.name", "shop"),
    ];
    let service = json!({"service": {
        "name": "said", "namespace": "ns", "version": "1.2", "environment": "test",
        "attributes": {"team": "a"},
    }});
    let said = [
        ("service.name", "said"),
        ("service.namespace", "ns"),
        ("service.version", "1.2"),
        ("deployment.environment.name", "test"),
        ("team", "a"),
    ];
    let told = [("service.name", "told"), ("host.name", "höst"), ("k8s.pod.name", "other")];
    let by_attributes = [("service.name", "by-attributes"), ("team", "env")];
    let canonical = [[("service.name", "the-canonical")].as_slice(), &istio].concat();
    let table: [(&str, Shape, Value, Vec<Said<'_>>); 5] = [
        ("nobody", |it| it, json!({}), vec![("service.name", "unknown_service")]),
        ("the configuration", |it| it, service, said.to_vec()),
        ("the node", node, json!({}), canonical),
        (
            "the environment, over the node",
            |it| {
                environment(
                    node(it),
                    &json!({
                        "OTEL_SERVICE_NAME": "told",
                        "OTEL_RESOURCE_ATTRIBUTES": "host.name=h%C3%B6st,service.name=unheard,k8s.pod.name=other",
                    }),
                )
            },
            json!({}),
            [told.as_slice(), &istio[1..]].concat(),
        ),
        (
            "the environment's attributes",
            |it| {
                environment(
                    it,
                    &json!({"OTEL_RESOURCE_ATTRIBUTES": "service.name=by-attributes,team=env"}),
                )
            },
            json!({}),
            by_attributes.to_vec(),
        ),
    ];
    for (name, shape, more, expected) in table {
        assert_said(name, shape, &more, &expected);
    }
}

#[test]
fn all_workers_are_one_instance() {
    let collector = Collector::start();
    let upstream = Upstream::answering(|_| Answer::new(200).body("hi"));
    let proxy = Proxy::with_workers(2, |bootstrap| {
        exporting(bootstrap.upstream(upstream.address()), &collector, "http", &json!({}))
    });
    // Each on a connection of its own, so that both workers get some.
    for _ in 0..40 {
        proxy.send(&Request::get("/"));
    }
    let spans = collector.wait_for(40);
    let instances: BTreeSet<_> =
        spans.iter().filter_map(|span| span.resource_text("service.instance.id")).collect();
    let [instance] = instances.into_iter().collect::<Vec<_>>()[..] else {
        panic!("not one instance")
    };
    let lengths: Vec<_> = instance.split('-').map(str::len).collect();
    assert_eq!(lengths, [8, 4, 4, 4, 12], "{instance}");
    assert!(
        instance.bytes().all(|byte| matches!(byte, b'-' | b'0'..=b'9' | b'a'..=b'f')),
        "{instance}"
    );
    assert_eq!(instance.as_bytes()[14], b'4', "{instance}: a random one");
}

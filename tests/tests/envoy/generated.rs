//! What `sightline generate bootstrap` prints is what Envoy takes, and clients' IDs survive it.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use sightline_cli::FILTER;
use sightline_cli::generate::Configuration;
use sightline_cli::generate::Endpoint;
use sightline_cli::generate::bootstrap::{Deployment, bootstrap};
use sightline_tests::{Answer, Collector, Proxy, Request, Upstream};

const ACCESS_LOG: &str =
    "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config/access_log";
const FILTER_FILE: &str = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config\
                           /http_filters/0/typed_config/config/vm_config/code/local/filename";
/// All that the YAML of a user may have.
const CONFIGURATION: &str = "\
# The shop's.
service:
  name: &shop shop   # in lower case

request_id: {format: uuid7}
routes:
  templates:
    - /users/{id}
    - path: 'GET /orders/<int:order_id>'
      name: >-
        orders of
        one
";

fn written(configuration: &str, deployment: &Deployment) -> String {
    let configuration = Configuration::parse(configuration).unwrap();
    bootstrap(&configuration, deployment).unwrap_or_else(|refusal| panic!("{refusal}"))
}

/// What was written, where the test can look after it: with a free admin port and its log in a file.
fn under_test(written: &str, template: &Value) -> Value {
    let mut document: Value = serde_saphyr::from_str(written).unwrap();
    document["admin"] = template["admin"].clone();
    *document.pointer_mut(ACCESS_LOG).unwrap() = template.pointer(ACCESS_LOG).unwrap().clone();
    document
}

/// Starts Envoy from what is written for this configuration.
fn start(configuration: &str, app: &Upstream, otlp: Option<&Endpoint>) -> Proxy {
    Proxy::start(|bootstrap| {
        bootstrap.patch(|document| {
            let deployment = Deployment {
                listen: "127.0.0.1:0".parse().unwrap(),
                app: app.address().into(),
                filter: document.pointer(FILTER_FILE).unwrap().as_str().unwrap().to_owned(),
                otlp: otlp.cloned(),
            };
            *document = under_test(&written(configuration, &deployment), document);
        })
    })
}

#[test]
fn envoy_takes_the_text_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let filter = folder.path().join("sightline.wasm");
    std::fs::write(&filter, FILTER).unwrap();
    let deployment = Deployment { filter: filter.display().to_string(), ..Deployment::default() };
    let named = Deployment { app: "localhost:8000".parse().unwrap(), ..deployment.clone() };
    for (name, configuration, deployment) in [
        ("nothing said", "", &deployment),
        ("much said", CONFIGURATION, &deployment),
        ("a fraction", "sampling: { ratio: 0.05 } # a twentieth", &deployment),
        ("a number in groups", "routes: { limit: 1_000 }", &deployment),
        ("an app with a name", "", &named),
        ("a collector over HTTP", "export: { cluster: otel, compression: gzip }", &deployment),
        ("a collector over gRPC", "export: { cluster: otel, protocol: grpc }", &deployment),
    ] {
        let file = folder.path().join("bootstrap.yaml");
        std::fs::write(&file, written(configuration, deployment)).unwrap();
        let told = validate(&file);
        assert!(told.is_ok(), "{name}: {told:?}");
    }
    // Had it been left as YAML, Envoy would have read a text.
    let file = folder.path().join("bootstrap.yaml");
    let wrong =
        written("", &deployment).replace("value: {}", "value: { routes: { limit: 1_000 } }");
    std::fs::write(&file, wrong).unwrap();
    let told = validate(&file).unwrap_err();
    assert!(told.contains("routes.limit: \"1_000\" stands here"), "{told}");
}

fn validate(file: &Path) -> Result<(), String> {
    let output = Command::new(Proxy::binary())
        .args(["--mode", "validate", "--disable-hot-restart", "--config-path"])
        .arg(file)
        .output()
        .unwrap();
    output
        .status
        .success()
        .then_some(())
        .ok_or_else(|| String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn clients_ids_survive() {
    let app = Upstream::answering(|_| Answer::new(200).body("hi"));
    let proxy = start(CONFIGURATION, &app, None);
    for id in ["req-42", "0d8b8c2a-91f3-9c1e-b0a6-2d1f3e4c5b6a"] {
        let answer = proxy.send(&Request::get("/users/1").field("x-request-id", id));
        assert_eq!(answer.all("x-request-id"), [id.as_bytes()]);
        assert_eq!(app.requests().last().unwrap().all("x-request-id"), [id.as_bytes()]);
        assert_eq!(proxy.line_of(id)["service"], "shop");
    }
    let minted = proxy.send(&Request::get("/orders/7"));
    let minted = minted.field("x-request-id").unwrap();
    assert_eq!(minted.as_bytes()[14], b'7', "{minted}");
    assert_eq!(proxy.line_of(minted)["route"], "orders of one");
}

#[test]
fn spans_come_to_the_collector_that_is_named() {
    for protocol in ["http", "grpc"] {
        let (app, collector) =
            (Upstream::answering(|_| Answer::new(200).body("hi")), Collector::start());
        let configuration = format!(
            "sampling: {{ ratio: 1 }}\nexport: {{ cluster: otel, protocol: {protocol}, interval: 200ms }}\n"
        );
        let otlp = collector.address().into();
        let proxy = start(&configuration, &app, Some(&otlp));
        proxy.send(&Request::get("/users/1"));
        let spans = collector.wait_for(1);
        assert_eq!(spans[0].name(), "GET /users/{int}", "{protocol}");
    }
}

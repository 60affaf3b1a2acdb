//! What `sightline generate bootstrap` prints is what Envoy takes, and clients' IDs survive it.

mod running;

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use serde_json::Value;
use sightline_cli::FILTER;
use sightline_cli::generate::Configuration;
use sightline_cli::generate::Endpoint;
use sightline_cli::generate::bootstrap::{Deployment, bootstrap};
use sightline_setup::{Checkout, envoy};
use sightline_tests::{Answer, Collector, Proxy, Request, Upstream};
use tempfile::TempDir;

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
    start_changed(configuration, app, otlp, |_| {})
}

/// The same with a change that a person could make.
fn start_changed(
    configuration: &str,
    app: &Upstream,
    otlp: Option<&Endpoint>,
    change: impl FnOnce(&mut Value),
) -> Proxy {
    Proxy::start(|bootstrap| {
        bootstrap.patch(|document| {
            let deployment = Deployment {
                listen: "127.0.0.1:0".parse().unwrap(),
                app: app.address().into(),
                filter: document.pointer(FILTER_FILE).unwrap().as_str().unwrap().to_owned(),
                otlp: otlp.cloned(),
                metrics: configuration.contains("endpoint").then(|| Ipv4Addr::LOCALHOST.into()),
                ..Deployment::default()
            };
            *document = under_test(&written(configuration, &deployment), document);
            change(document);
        })
    })
}

/// Names that YAML could take for something else.
const ODD: &str = r#"
service:
  name: "a \"shop\": #1, {né} 💡 |"
  version: '007'
  environment: &sightline "off"
export: { cluster: "outbound|4317||otel.svc.cluster.local", protocol: grpc }
metrics: { endpoint: { port: 9464, path: "/metrics:%7B*&" } }
"#;
/// What Envoy would read otherwise.
const AS_JSON: &str = "\
routes: { limit: 1_000 }
sampling: { ratio: 0.05 } # a twentieth
metrics: { endpoint: { port: 9464 } }
";
const MOST: &str = "\
service: { name: shop, namespace: ours }
sampling: { ratio: 0.05 }
metrics: { endpoint: { port: 9464 }, otlp: { interval: 15s } }
access_log: { otlp: true }
export: { cluster: otel, protocol: http, compression: gzip }
";

/// A folder with a filter in it, where that is said to be, and a file to write.
fn folder(filter: &str) -> (TempDir, Deployment, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let filter = folder.path().join(filter);
    std::fs::write(&filter, FILTER).unwrap();
    let deployment = Deployment { filter: filter.display().to_string(), ..Deployment::default() };
    let file = folder.path().join("bootstrap.yaml");
    (folder, deployment, file)
}

#[test]
fn envoy_takes_the_text_as_it_is() {
    let (_folder, deployment, file) = folder("sightline.wasm");
    let named = Deployment { app: "localhost:8000".parse().unwrap(), ..deployment.clone() };
    for (name, configuration, deployment) in [
        ("much said", CONFIGURATION, &deployment),
        ("a fraction", "sampling: { ratio: 0.05 } # a twentieth", &deployment),
        ("an app with a name", "", &named),
        ("an endpoint", "metrics: { endpoint: { port: 9464 } }", &deployment),
        ("as JSON", AS_JSON, &deployment),
        ("a collector over HTTP", "export: { cluster: otel, compression: gzip }", &deployment),
        ("a collector over gRPC", "export: { cluster: otel, protocol: grpc }", &deployment),
    ] {
        std::fs::write(&file, written(configuration, deployment)).unwrap();
        let told = validate(&Proxy::binary(), &file);
        assert!(told.is_ok(), "{name}: {told:?}");
    }
    // Had it been left as YAML, Envoy would have read a text.
    let wrong =
        written("", &deployment).replace("value: {}", "value: { routes: { limit: 1_000 } }");
    std::fs::write(&file, wrong).unwrap();
    let told = validate(&Proxy::binary(), &file).unwrap_err();
    assert!(told.contains("routes.limit: \"1_000\" stands here"), "{told}");
}

#[test]
fn every_supported_envoy_takes_the_least_and_the_most_that_is_written() {
    let (_folder, deployment, file) = folder("my filters: \"é\" #1.wasm");
    let most = Deployment {
        listen: "[::]:80".parse().unwrap(),
        app: "[::1]:5000".parse().unwrap(),
        otlp: "collector.svc:14318".parse().ok(),
        metrics: "::1".parse().ok(),
        admin: "[::1]:9999".parse().unwrap(),
        ..deployment.clone()
    };
    for (name, configuration, deployment) in
        [("least", "", &deployment), ("odd names", ODD, &deployment), ("most", MOST, &most)]
    {
        std::fs::write(&file, written(configuration, deployment)).unwrap();
        each_supported(|envoy| {
            let told = validate(envoy, &file);
            assert!(told.is_ok(), "{name}, {}: {told:?}", envoy.display());
        });
    }
}

/// Those not there yet are fetched. Each takes a second to compile the filter, so they do so side by side.
fn each_supported(check: impl Fn(&Path) + Sync) {
    let checkout = Checkout::find().unwrap();
    let find = |version| envoy::version(&checkout, version).unwrap();
    let (all, check) = (envoy::SUPPORTED.map(find), &check);
    thread::scope(|scope| {
        for envoy in &all {
            scope.spawn(move || check(envoy));
        }
    });
}

fn validate(envoy: &Path, file: &Path) -> Result<(), String> {
    let output = Command::new(envoy)
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

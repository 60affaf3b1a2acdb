//! `sightline generate bootstrap`: a whole Envoy configuration to start from.
//!
//! It is the template that every test starts Envoy from, with addresses, the filter's configuration and
//! perhaps a collector put in as text, so that its comments stay. Changes to the tree of the template,
//! for tests, are in [`crate::bootstrap`].

use std::net::{Ipv4Addr, SocketAddr};

use super::configuration::{Export, Form};
use super::text::{Text, indent, scalar};
use super::{Configuration, Endpoint, Host, Refusal};
use crate::bootstrap::TEMPLATE;

/// Where everything is.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// Where clients connect.
    pub listen: SocketAddr,
    /// The application.
    pub app: Endpoint,
    /// The filter's file, as Envoy finds it.
    pub filter: String,
    /// The collector; if nothing is said, the usual port of this machine.
    pub otlp: Option<Endpoint>,
}

const LISTEN: &str = "{ address: 0.0.0.0, port_value: 8080 }";
const APP: &str = "{ address: 127.0.0.1, port_value: 8000 }";
const APP_TYPE: &str = "      type: STATIC\n";
const APP_CLUSTER: &str = "app";
const FILTER_FILE: &str = "/etc/envoy/sightline.wasm";
const FILTER: &str = "{ filename: /etc/envoy/sightline.wasm }";
const USE: &str = "\
# To use it: put sightline.wasm at /etc/envoy/sightline.wasm, have the application listen on
# 127.0.0.1:8000, and start `envoy -c bootstrap.yaml`. Clients come in on port 8080.
";
/// With the configuration's place, in this column.
const VALUE: &str = "
                          \"@type\": type.googleapis.com/google.protobuf.Struct
                          # Every key is optional. For example:
                          #   value:
                          #     service: { name: shop }
                          value: {}
";
const VALUE_COLUMN: usize = 26;
const AS_TEXT: &str = "\
# JSON, because Envoy's YAML has no fractions and would hand over a text for each.
value: |
";

impl Default for Deployment {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 8080)),
            app: Endpoint::local(8000),
            filter: FILTER_FILE.to_owned(),
            otlp: None,
        }
    }
}

/// The whole file.
pub fn bootstrap(
    configuration: &Configuration,
    deployment: &Deployment,
) -> Result<String, Refusal> {
    write(configuration, configuration.export(), deployment)
}

fn write(
    configuration: &Configuration,
    export: Option<Export<'_>>,
    deployment: &Deployment,
) -> Result<String, Refusal> {
    let Deployment { listen, app, filter, otlp } = deployment;
    if app.is_served_by(*listen) {
        return Err(Refusal::Loop(*listen));
    }
    let collector = collector(export, otlp.as_ref())?;
    let text = Text::new(TEMPLATE)
        .put(USE, &how_to_use(deployment))
        .put(LISTEN, &socket_address(&Endpoint::from(*listen)))
        .put(APP, &socket_address(app))
        .put(APP_TYPE, &indent(cluster_type(app), 6))
        .put(FILTER, &format!("{{ filename: {} }}", scalar(filter)))
        .put(VALUE, &value(configuration));
    Ok(text.then(&collector).into_string())
}

fn how_to_use(Deployment { listen, app, filter, .. }: &Deployment) -> String {
    format!(
        "# Written by `sightline generate bootstrap`.\n#\n\
         # To use it: put sightline.wasm at {filter}, have the application listen on\n\
         # {app}, and start `envoy -c bootstrap.yaml`. Clients come in on {listen}.\n"
    )
}

fn value(configuration: &Configuration) -> String {
    if configuration.is_empty() {
        return VALUE.to_owned();
    }
    let (kind, head, block) = match configuration.form(VALUE_COLUMN + 2) {
        Form::Struct(block) => ("Struct", "value:\n", block),
        Form::Text(block) => ("StringValue", AS_TEXT, block),
    };
    let kind = format!("\"@type\": type.googleapis.com/google.protobuf.{kind}\n");
    format!("\n{}{block}", indent(&(kind + head), VALUE_COLUMN))
}

fn socket_address(endpoint: &Endpoint) -> String {
    let host = scalar(&endpoint.host.to_string());
    format!("{{ address: {host}, port_value: {} }}", endpoint.port)
}

/// How Envoy finds the hosts of a cluster. A name is often also one of IPv6, where nobody listens.
fn cluster_type(endpoint: &Endpoint) -> &'static str {
    match endpoint.host {
        Host::Address(_) => "type: STATIC\n",
        Host::Name(_) => "type: STRICT_DNS\ndns_lookup_family: V4_PREFERRED\n",
    }
}

/// The collector's cluster, if something is exported.
fn collector(export: Option<Export<'_>>, otlp: Option<&Endpoint>) -> Result<String, Refusal> {
    match (export, otlp) {
        (None, None) => Ok(String::new()),
        (None, Some(otlp)) => Err(Refusal::NothingExported(otlp.clone())),
        (Some(Export { cluster: APP_CLUSTER, .. }), _) => {
            Err(Refusal::ClusterTaken(APP_CLUSTER.to_owned()))
        }
        (Some(export), otlp) => {
            let usual = Endpoint::local(if export.is_grpc { 4317 } else { 4318 });
            Ok(cluster(&export, otlp.unwrap_or(&usual)))
        }
    }
}

fn cluster(export: &Export<'_>, otlp: &Endpoint) -> String {
    let name = scalar(export.cluster);
    let protocol = if export.is_grpc { "gRPC" } else { "HTTP" };
    let cluster = format!(
        "
# Where Sightline exports to: a collector that takes OTLP over {protocol}.
- name: {name}
{kind}  connect_timeout: 2s
  load_assignment:
    cluster_name: {name}
    endpoints:
      - lb_endpoints:
          - endpoint:
              address:
                socket_address: {address}
{http2}",
        kind = indent(cluster_type(otlp), 2),
        address = socket_address(otlp),
        http2 = if export.is_grpc { HTTP_2 } else { "" },
    );
    indent(&cluster, 4)
}

const HTTP_2: &str = r#"  typed_extension_protocol_options:
    envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
      "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
      explicit_http_config:
        http2_protocol_options: {}
"#;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const CONFIGURATION: &str = "# The shop's.\nservice:\n  name: shop # in lower case\n";
    const MANAGER: &str = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config";
    const APP_AT: &str = "/static_resources/clusters/0";
    const ADDRESS: &str =
        "/load_assignment/endpoints/0/lb_endpoints/0/endpoint/address/socket_address";

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
            otlp: None,
        };
        let written = bootstrap(&configuration(CONFIGURATION), &deployment).unwrap();
        let plugin = format!("{MANAGER}/http_filters/0/typed_config/config");
        let expected = changed(&[
            (
                "/static_resources/listeners/0/address/socket_address",
                json!({"address": "::", "port_value": 80}),
            ),
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
        assert!(
            kept.contains(&"# The shop's.") && written.contains("name: shop # in lower case\n")
        );
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
            assert_eq!(
                (clusters.len(), &clusters[0]),
                (2, tree(TEMPLATE).pointer(APP_AT).unwrap())
            );
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
    fn what_cannot_work_is_refused_with_a_way_out() {
        let taken = Some(Export { cluster: "app", is_grpc: false });
        let told =
            write(&configuration(""), taken, &Deployment::default()).unwrap_err().to_string();
        assert!(told.starts_with("export.cluster: \"app\" stands here"), "{told}");
        let otlp = Deployment { otlp: "a:1".parse().ok(), ..Deployment::default() };
        let told = bootstrap(&configuration(""), &otlp).unwrap_err().to_string();
        assert!(told.starts_with("--otlp a:1: ") && told.contains("export: { cluster:"), "{told}");
        let itself = Deployment { app: Endpoint::local(8080), ..Deployment::default() };
        let told = bootstrap(&configuration(""), &itself).unwrap_err().to_string();
        assert!(told.contains("0.0.0.0:8080") && told.contains("--listen"), "{told}");
    }
}

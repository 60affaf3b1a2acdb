//! Envoy's configuration: the file that users copy, with what is different here patched in.
//!
//! There is one template, `envoy/bootstrap.yaml`, so that what is tested is what is deployed.
//! Nothing here starts Envoy; that is [`crate::envoy`].

use std::net::SocketAddr;
use std::path::Path;

use serde_json::{Value, json};

mod base64;
mod inbounds;

pub use inbounds::{INBOUND, Inbound, inbound};

/// The template, as users copy it.
pub const TEMPLATE: &str = include_str!("../../envoy/bootstrap.yaml");

/// Where the access log goes, relative to the folder that Envoy runs in.
pub const ACCESS_LOG: &str = "access.log";

/// The name of the cluster that [`Bootstrap::collector`] adds.
pub const COLLECTOR: &str = "collector";

const CONNECTION_MANAGER: &str =
    "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config";
const LISTENER_ADDRESS: &str = "/static_resources/listeners/0/address/socket_address";
const ADMIN_ADDRESS: &str = "/admin/address/socket_address";
const UPSTREAM_ADDRESS: &str = "/static_resources/clusters/0/load_assignment/endpoints/0\
                                /lb_endpoints/0/endpoint/address/socket_address";
/// The name of our filter in the template.
const SIGHTLINE: &str = "sightline";

/// The filter's configuration, in the forms that Envoy can hand over.
#[derive(Clone, Debug)]
pub enum Configuration {
    /// None at all.
    Absent,
    /// Plain YAML or JSON: a `google.protobuf.Struct`.
    Struct(Value),
    /// A `google.protobuf.StringValue`, which is how Istio sends JSON.
    Text(String),
    /// A `google.protobuf.BytesValue`: any bytes.
    Bytes(Vec<u8>),
}

/// An Envoy configuration in the making.
#[derive(Clone, Debug)]
pub struct Bootstrap {
    document: Value,
}

impl Bootstrap {
    /// The template with the filter at this absolute path, listening on free ports of this machine
    /// only, and with the access log in the file [`ACCESS_LOG`].
    pub fn new(filter: &Path) -> Self {
        let document =
            serde_saphyr::from_str(TEMPLATE).expect("envoy/bootstrap.yaml, embedded, is YAML");
        let mut bootstrap = Self { document };
        *bootstrap.at(LISTENER_ADDRESS) = socket_address(SocketAddr::from(([127, 0, 0, 1], 0)));
        *bootstrap.at(ADMIN_ADDRESS) = socket_address(SocketAddr::from(([127, 0, 0, 1], 0)));
        *bootstrap.plugin("/vm_config/code/local/filename") = json!(filter.to_string_lossy());
        bootstrap.access_log_to_file();
        bootstrap
    }

    /// Gives the filter this configuration.
    #[must_use]
    pub fn configuration(mut self, configuration: Configuration) -> Self {
        const PREFIX: &str = "type.googleapis.com/google.protobuf";
        let any = match configuration {
            Configuration::Absent => Value::Null,
            Configuration::Struct(value) => {
                json!({"@type": format!("{PREFIX}.Struct"), "value": value})
            }
            Configuration::Text(text) => {
                json!({"@type": format!("{PREFIX}.StringValue"), "value": text})
            }
            Configuration::Bytes(bytes) => {
                json!({"@type": format!("{PREFIX}.BytesValue"), "value": base64::encode(&bytes)})
            }
        };
        *self.plugin("/configuration") = any;
        self
    }

    /// Sets one key of the filter's `vm_config`, such as `environment_variables`.
    #[must_use]
    pub fn vm(mut self, key: &str, value: Value) -> Self {
        self.plugin("/vm_config")[key.trim_start_matches('/')] = value;
        self
    }

    /// Sends requests to an app there. Nobody needs to listen, if nobody need answer.
    #[must_use]
    pub fn upstream(mut self, app: SocketAddr) -> Self {
        *self.at(UPSTREAM_ADDRESS) = socket_address(app);
        self
    }

    /// Writes the access log to stdout, as the template does.
    #[must_use]
    pub fn access_log_to_stdout(mut self) -> Self {
        let log = self.connection_manager("/access_log/0");
        log["name"] = json!("envoy.access_loggers.stdout");
        log["typed_config"]["@type"] =
            json!("type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog");
        if let Some(config) = log["typed_config"].as_object_mut() {
            config.remove("path");
        }
        self
    }

    /// Adds a cluster for an OTLP collector there, called [`COLLECTOR`]. gRPC needs HTTP/2.
    #[must_use]
    pub fn collector(mut self, address: SocketAddr, http2: bool) -> Self {
        const OPTIONS: &str = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
        let protocol = if http2 { "http2_protocol_options" } else { "http_protocol_options" };
        let cluster = json!({
            "name": COLLECTOR,
            "type": "STATIC",
            "connect_timeout": "1s",
            "load_assignment": {"cluster_name": COLLECTOR, "endpoints": [{"lb_endpoints": [
                {"endpoint": {"address": {"socket_address": socket_address(address)}}}
            ]}]},
            "typed_extension_protocol_options": {OPTIONS: {
                "@type": format!("type.googleapis.com/{OPTIONS}"),
                "explicit_http_config": {protocol: {}},
            }},
        });
        list(self.at("/static_resources/clusters")).push(cluster);
        self
    }

    /// Puts a route before the one that catches all, after those put there earlier.
    #[must_use]
    pub fn route(mut self, route: Value) -> Self {
        let routes = self.routes();
        routes.insert(routes.len().saturating_sub(1), route);
        self
    }

    /// Leaves only these routes.
    #[must_use]
    pub fn only_routes(mut self, routes: Vec<Value>) -> Self {
        *self.routes() = routes;
        self
    }

    /// Puts an HTTP filter before ours, after those put there earlier.
    #[must_use]
    pub fn filter_before(mut self, filter: Value) -> Self {
        let ours = self.sightline();
        self.http_filters().insert(ours, filter);
        self
    }

    /// Takes our filter out, for a comparison without it. Its configuration goes with it.
    #[must_use]
    pub fn without_sightline(mut self) -> Self {
        let ours = self.sightline();
        self.http_filters().remove(ours);
        self
    }

    /// Changes anything else.
    #[must_use]
    pub fn patch(mut self, change: impl FnOnce(&mut Value)) -> Self {
        change(&mut self.document);
        self
    }

    /// The document, as JSON that Envoy reads.
    pub fn json(&self) -> String {
        format!("{:#}", self.document)
    }

    fn access_log_to_file(&mut self) {
        let log = self.connection_manager("/access_log/0");
        log["name"] = json!("envoy.access_loggers.file");
        log["typed_config"]["@type"] =
            json!("type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog");
        log["typed_config"]["path"] = json!(ACCESS_LOG);
    }

    fn at(&mut self, pointer: &str) -> &mut Value {
        self.document
            .pointer_mut(pointer)
            .unwrap_or_else(|| panic!("envoy/bootstrap.yaml has {pointer}, unless a patch took it"))
    }

    fn connection_manager(&mut self, pointer: &str) -> &mut Value {
        self.at(&format!("{CONNECTION_MANAGER}{pointer}"))
    }

    fn routes(&mut self) -> &mut Vec<Value> {
        list(self.connection_manager("/route_config/virtual_hosts/0/routes"))
    }

    fn http_filters(&mut self) -> &mut Vec<Value> {
        list(self.connection_manager("/http_filters"))
    }

    fn sightline(&mut self) -> usize {
        self.http_filters()
            .iter()
            .position(|filter| filter["name"] == SIGHTLINE)
            .expect("envoy/bootstrap.yaml has a filter called sightline, unless it was taken out")
    }

    fn plugin(&mut self, pointer: &str) -> &mut Value {
        let ours = self.sightline();
        self.connection_manager(&format!("/http_filters/{ours}/typed_config/config{pointer}"))
    }
}

fn list(value: &mut Value) -> &mut Vec<Value> {
    value
        .as_array_mut()
        .expect("routes, clusters and HTTP filters are lists in envoy/bootstrap.yaml")
}

fn socket_address(address: SocketAddr) -> Value {
    json!({"address": address.ip().to_string(), "port_value": address.port()})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bootstrap() -> Bootstrap {
        Bootstrap::new(Path::new("/filters/sightline.wasm"))
    }

    fn names(list: &[Value]) -> Vec<&str> {
        list.iter().map(|entry| entry["name"].as_str().unwrap_or("?")).collect()
    }

    #[test]
    fn only_ports_filter_and_access_log_differ_from_what_users_copy() {
        let template: Value = serde_saphyr::from_str(TEMPLATE).unwrap();
        let free_port = json!({"address": "127.0.0.1", "port_value": 0});
        let ours = bootstrap().patch(|document| {
            for (pointer, expected) in [
                (LISTENER_ADDRESS.to_owned(), free_port.clone()),
                (ADMIN_ADDRESS.to_owned(), free_port.clone()),
                (format!("{CONNECTION_MANAGER}/access_log/0/typed_config/path"), json!(ACCESS_LOG)),
            ] {
                assert_eq!(document.pointer(&pointer), Some(&expected), "{pointer}");
            }
            for pointer in [
                LISTENER_ADDRESS,
                ADMIN_ADDRESS,
                &format!("{CONNECTION_MANAGER}/http_filters/0/typed_config/config/vm_config/code"),
                &format!("{CONNECTION_MANAGER}/access_log/0"),
            ] {
                *document.pointer_mut(pointer).unwrap() =
                    template.pointer(pointer).unwrap().clone();
            }
        });
        assert_eq!(ours.document, template);
    }

    #[test]
    fn the_access_log_keeps_its_format() {
        let template: Value = serde_saphyr::from_str(TEMPLATE).unwrap();
        let format = format!("{CONNECTION_MANAGER}/access_log/0/typed_config/log_format");
        assert!(template.pointer(&format).is_some());
        assert_eq!(bootstrap().document.pointer(&format), template.pointer(&format));
    }

    #[test]
    fn on_stdout_the_access_log_is_the_templates() {
        let template: Value = serde_saphyr::from_str(TEMPLATE).unwrap();
        let log = format!("{CONNECTION_MANAGER}/access_log");
        let ours = bootstrap().access_log_to_stdout().document;
        assert_eq!(ours.pointer(&log), template.pointer(&log));
    }

    #[test]
    fn the_filter_is_found_where_it_is_given() {
        let file = bootstrap().plugin("/vm_config/code/local/filename").clone();
        assert_eq!(file, "/filters/sightline.wasm");
    }

    #[test]
    fn a_configuration_has_the_form_that_is_asked_for() {
        let any = |kind: &str, value: Value| json!({"@type": format!("type.googleapis.com/google.protobuf.{kind}"), "value": value});
        for (name, configuration, expected) in [
            ("absent", Configuration::Absent, Value::Null),
            (
                "struct",
                Configuration::Struct(json!({"service": {"name": "shop"}})),
                any("Struct", json!({"service": {"name": "shop"}})),
            ),
            ("text", Configuration::Text("{}".to_owned()), any("StringValue", json!("{}"))),
            ("bytes", Configuration::Bytes(vec![0xff, 0]), any("BytesValue", json!("/wA="))),
        ] {
            let mut bootstrap = bootstrap().configuration(configuration);
            assert_eq!(bootstrap.plugin("/configuration"), &expected, "{name}");
        }
    }

    #[test]
    fn the_vm_gets_what_it_is_given_and_keeps_its_code() {
        let mut bootstrap = bootstrap().vm("vm_id", json!("a"));
        assert_eq!(bootstrap.plugin("/vm_config/vm_id"), "a");
        assert_eq!(bootstrap.plugin("/vm_config/runtime"), "envoy.wasm.runtime.v8");
    }

    #[test]
    fn the_upstream_may_be_any_address() {
        for (address, host, port) in [("127.0.0.1:81", "127.0.0.1", 81), ("[::1]:82", "::1", 82)] {
            let mut bootstrap = bootstrap().upstream(address.parse().unwrap());
            let expected = json!({"address": host, "port_value": port});
            assert_eq!(bootstrap.at(UPSTREAM_ADDRESS), &expected);
        }
    }

    #[test]
    fn routes_go_before_the_one_that_catches_all() {
        let mut bootstrap =
            bootstrap().route(json!({"name": "first"})).route(json!({"name": "second"}));
        assert_eq!(names(bootstrap.routes()), ["first", "second", "?"]);
        assert_eq!(bootstrap.routes()[2]["match"], json!({"prefix": "/"}));
    }

    #[test]
    fn only_these_routes_are_left() {
        let mut bootstrap = bootstrap().only_routes(vec![json!({"name": "only"})]);
        assert_eq!(names(bootstrap.routes()), ["only"]);
    }

    #[test]
    fn filters_go_before_ours_and_ours_stays_configurable() {
        let mut bootstrap = bootstrap()
            .filter_before(json!({"name": "first"}))
            .filter_before(json!({"name": "second"}))
            .configuration(Configuration::Text("ours".to_owned()));
        assert_eq!(
            names(bootstrap.http_filters()),
            ["first", "second", SIGHTLINE, "envoy.filters.http.router"]
        );
        assert_eq!(bootstrap.plugin("/configuration/value"), "ours");
    }

    #[test]
    fn without_sightline_the_router_is_left() {
        let mut bootstrap = bootstrap().without_sightline();
        assert_eq!(names(bootstrap.http_filters()), ["envoy.filters.http.router"]);
    }

    #[test]
    fn what_envoy_reads_is_the_document() {
        let bootstrap = bootstrap().patch(|document| document["node"] = json!({"id": "a"}));
        let read: Value = serde_json::from_str(&bootstrap.json()).unwrap();
        assert_eq!(read, bootstrap.document);
        assert_eq!(read["node"]["id"], "a");
    }
}

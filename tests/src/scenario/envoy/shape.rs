//! A scenario as Envoy's configuration: the template that every test starts from, with what is
//! different patched in.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sightline_cli::bootstrap::Bootstrap;

use super::places::Places;
use super::{clusters, listeners, translators};
use crate::scenario::Scenario;
use crate::scenario::format::{Before, Earlier, Route};

/// The file from which Envoy takes the listeners of the first plugin, if its configuration is replaced.
pub(super) const LISTENERS: &str = "listeners.json";
const FIRST_LISTENER: &str = "/static_resources/listeners/0";

/// What is there before Envoy starts.
pub(super) struct Stand {
    pub(super) dir: PathBuf,
    /// The module of each plugin.
    pub(super) modules: Vec<PathBuf>,
    pub(super) app: SocketAddr,
    pub(super) endpoints: clusters::Endpoints,
    pub(super) places: Places,
}

impl Stand {
    /// All port numbers.
    pub(super) fn ports(&self) -> Vec<u16> {
        let mut ports = self.places.ports();
        ports.extend(self.endpoints.ports());
        ports.push(self.app.port());
        ports
    }
}

/// The whole configuration.
pub(super) fn bootstrap(scenario: &Scenario, stand: &Stand) -> Bootstrap {
    template(scenario, stand).patch(|document| {
        let template = document.pointer(FIRST_LISTENER).cloned().unwrap_or_default();
        let reconfigures = scenario.reconfigures();
        let fixed = usize::from(reconfigures)..=scenario.also.len();
        let mut all: Vec<_> = fixed
            .flat_map(|plugin| listeners::of_plugin(&template, scenario, plugin, stand))
            .collect();
        all.extend(translators::listeners(scenario, stand));
        document["static_resources"]["listeners"] = Value::from(all);
        if reconfigures {
            document["dynamic_resources"]["lds_config"] = json!({
                "resource_api_version": "V3",
                "path_config_source": {"path": stand.dir.join(LISTENERS)},
            });
        }
        let clusters = clusters::all(scenario, stand);
        extend(&mut document["static_resources"]["clusters"], clusters);
        let app = &mut document["static_resources"]["clusters"][0];
        app["per_connection_buffer_limit_bytes"] = Value::Null;
        enable_trailers(app);
        document["node"] = json!({
            "id": scenario.node.id,
            "cluster": scenario.node.cluster,
            "metadata": scenario.node.metadata,
        });
        // Histograms show what is in them when somebody asks, not some seconds later.
        document["stats_flush_on_admin"] = json!(true);
    })
}

/// What the file [`LISTENERS`] says, with this configuration for the first plugin.
pub(super) fn listeners_file(
    scenario: &Scenario,
    stand: &Stand,
    configuration: Option<&Value>,
    version: usize,
) -> String {
    let scenario = Scenario { configuration: configuration.cloned(), ..scenario.clone() };
    let mut resources = Vec::new();
    let _ = template(&scenario, stand).patch(|document| {
        let template = document.pointer(FIRST_LISTENER).cloned().unwrap_or_default();
        resources = listeners::of_plugin(&template, &scenario, 0, stand);
    });
    for listener in &mut resources {
        listener["@type"] = json!("type.googleapis.com/envoy.config.listener.v3.Listener");
    }
    json!({"version_info": version.to_string(), "resources": resources}).to_string()
}

/// Protocol options of a cluster that speaks HTTP/1.1, with trailers.
pub(super) fn enable_trailers(cluster: &mut Value) {
    let options = &mut cluster["typed_extension_protocol_options"];
    let options = &mut options["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"];
    options["@type"] =
        json!("type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions");
    options["explicit_http_config"] = json!({"http_protocol_options": {"enable_trailers": true}});
}

/// An address, as Envoy's configuration has it.
pub(super) fn address(address: SocketAddr) -> Value {
    json!({"socket_address": {"address": address.ip().to_string(), "port_value": address.port()}})
}

/// The first listener and what it leads to.
fn template(scenario: &Scenario, stand: &Stand) -> Bootstrap {
    let bootstrap = Bootstrap::new(&stand.modules[0]).upstream(stand.app);
    let routes: Vec<_> = scenario.routes.iter().map(route).collect();
    let bootstrap = if scenario.only_routes {
        bootstrap.only_routes(routes)
    } else {
        routes.into_iter().fold(bootstrap, Bootstrap::route)
    };
    earlier(scenario).into_iter().fold(bootstrap, Bootstrap::filter_before)
}

fn earlier(scenario: &Scenario) -> Vec<Value> {
    match &scenario.before {
        None => Vec::new(),
        Some(Before::Filters(filters)) => filters.clone(),
        Some(Before::Word(Earlier::Deny)) => vec![json!({
            "name": "deny",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
                "rules": {"action": "ALLOW", "policies": {}},
            },
        })],
    }
}

fn route(route: &Route) -> Value {
    let mut written = json!({"metadata": {"filter_metadata": route.metadata}});
    written["match"] = match (&route.path, &route.prefix) {
        (Some(path), _) => json!({"path": path}),
        (None, prefix) => json!({"prefix": prefix}),
    };
    if let Some(name) = &route.name {
        written["name"] = json!(name);
    }
    if let Some(direct) = &route.direct {
        let body = direct.body.as_ref().map(|body| json!({"inline_string": body}));
        written["direct_response"] = json!({"status": direct.status, "body": body});
    } else if let Some(redirect) = &route.redirect {
        written["redirect"] =
            json!({"host_redirect": redirect.host, "path_redirect": redirect.path});
    } else {
        written["route"] = onwards(route);
    }
    written
}

fn onwards(route: &Route) -> Value {
    let bad = route.upstream.map(clusters::name_of_bad);
    let cluster = route.cluster.as_deref().or(bad).unwrap_or("app");
    let timeout = route.timeout.unwrap_or_default();
    let mut written = json!({"cluster": cluster, "timeout": seconds(timeout)});
    if route.follows {
        written["internal_redirect_policy"] = json!({"max_internal_redirects": 1});
    }
    if route.retries > 0 {
        written["retry_policy"] = json!({"retry_on": "5xx", "num_retries": route.retries});
    }
    written
}

/// A time, as Envoy's configuration has it.
pub(super) fn seconds(time: std::time::Duration) -> String {
    format!("{}s", time.as_secs_f64())
}

fn extend(list: &mut Value, more: Vec<Value>) {
    if let Some(list) = list.as_array_mut() {
        list.extend(more);
    }
}

/// A file of this run.
pub(super) fn file(dir: &Path, name: &str) -> String {
    dir.join(name).to_string_lossy().into_owned()
}

//! Several services behind one Envoy: the template's listener and its app's cluster, once for each.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::{Bootstrap, Configuration, list, socket_address};
use crate::generate::{Endpoint, Host};

/// What the names of these listeners begin with, those of their stats too.
pub const INBOUND: &str = "inbound_";

/// The template's name for the cluster of the app.
const APP: &str = "app";

/// A service behind a listener of its own.
#[derive(Clone, Copy, Debug)]
pub struct Inbound<'a> {
    /// Where clients connect.
    pub listen: SocketAddr,
    /// Where the app is, by address or by name.
    pub app: &'a Endpoint,
    /// The filter's configuration.
    pub configuration: &'a Value,
}

/// What the listener of this number is called, and the prefix of its stats.
pub fn inbound(number: usize) -> String {
    format!("{INBOUND}{number}")
}

impl Bootstrap {
    /// Replaces the listener and the app by one of either for each of these services.
    #[must_use]
    pub fn inbounds(mut self, inbounds: &[Inbound<'_>]) -> Self {
        let (listeners, clusters): (Vec<Value>, Vec<Value>) = inbounds
            .iter()
            .enumerate()
            .map(|(number, inbound)| self.clone().parts(number, inbound))
            .unzip();
        list(self.at("/static_resources/listeners")).splice(..1, listeners);
        list(self.at("/static_resources/clusters")).splice(..1, clusters);
        self
    }

    /// The listener and the cluster of a service.
    fn parts(mut self, number: usize, inbound: &Inbound<'_>) -> (Value, Value) {
        let (name, app) = (self::inbound(number), format!("{APP}_{number}"));
        // As text, in which a fraction is what it was.
        let configuration = Configuration::Text(inbound.configuration.to_string());
        self = self.configuration(configuration);
        *self.connection_manager("/stat_prefix") = json!(name);
        for route in self.routes().iter_mut().filter(|route| route["route"]["cluster"] == APP) {
            route["route"]["cluster"] = json!(app);
        }
        let mut listener = self.at("/static_resources/listeners/0").clone();
        listener["name"] = json!(name);
        listener["address"]["socket_address"] = socket_address(inbound.listen);
        (listener, cluster(self.at("/static_resources/clusters/0").clone(), &app, inbound.app))
    }
}

fn cluster(mut cluster: Value, name: &str, app: &Endpoint) -> Value {
    const ADDRESS: &str = "/load_assignment/endpoints/0/lb_endpoints/0/endpoint/address";
    cluster["name"] = json!(name);
    cluster["load_assignment"]["cluster_name"] = json!(name);
    if matches!(app.host, Host::Name(_)) {
        cluster["type"] = json!("STRICT_DNS");
        // A name is often also one of IPv6, where nobody listens.
        cluster["dns_lookup_family"] = json!("V4_PREFERRED");
    }
    if let Some(address) = cluster.pointer_mut(ADDRESS) {
        let host = app.host.to_string();
        *address = json!({"socket_address": {"address": host, "port_value": app.port}});
    }
    cluster
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::{COLLECTOR, CONNECTION_MANAGER, SIGHTLINE};
    use super::*;

    fn written(inbounds: &[Inbound<'_>]) -> Value {
        let bootstrap = Bootstrap::new(Path::new("/f.wasm"))
            .inbounds(inbounds)
            .collector(SocketAddr::from(([127, 0, 0, 1], 4318)), false);
        serde_json::from_str(&bootstrap.json()).unwrap()
    }

    #[test]
    fn each_service_has_a_listener_an_app_and_a_configuration_of_its_own() {
        let shop = json!({"service": {"name": "shop"}, "sampling": {"ratio": 0.5}});
        let (here, there) = (Endpoint::local(8000), "app.svc:81".parse().unwrap());
        let written = written(&[
            Inbound { listen: "127.0.0.1:8080".parse().unwrap(), app: &here, configuration: &shop },
            Inbound { listen: "[::1]:1".parse().unwrap(), app: &there, configuration: &json!({}) },
        ]);
        let resources = &written["static_resources"];
        let manager = CONNECTION_MANAGER.strip_prefix("/static_resources/listeners/0").unwrap();
        for (number, address, configuration, kind, host, port) in [
            (
                0,
                json!({"address": "127.0.0.1", "port_value": 8080}),
                shop,
                "STATIC",
                "127.0.0.1",
                8000,
            ),
            (1, json!({"address": "::1", "port_value": 1}), json!({}), "STRICT_DNS", "app.svc", 81),
        ] {
            let (name, app) = (format!("inbound_{number}"), format!("app_{number}"));
            let listener = &resources["listeners"][number];
            let manager = listener.pointer(manager).unwrap();
            assert_eq!((&listener["name"], &manager["stat_prefix"]), (&json!(name), &json!(name)));
            assert_eq!(listener["address"]["socket_address"], address);
            let routes = &manager["route_config"]["virtual_hosts"][0]["routes"];
            let last = routes.as_array().unwrap().last().unwrap();
            assert_eq!(last["route"]["cluster"], app);
            let filters = manager["http_filters"].as_array().unwrap();
            let filter = filters.iter().find(|filter| filter["name"] == SIGHTLINE).unwrap();
            let text = filter["typed_config"]["config"]["configuration"]["value"].as_str().unwrap();
            assert_eq!(serde_json::from_str::<Value>(text).unwrap(), configuration);
            let cluster = &resources["clusters"][number];
            assert_eq!((&cluster["name"], &cluster["type"]), (&json!(app), &json!(kind)));
            assert_eq!(cluster["load_assignment"]["cluster_name"], app);
            let address =
                "/load_assignment/endpoints/0/lb_endpoints/0/endpoint/address/socket_address";
            let expected = json!({"address": host, "port_value": port});
            assert_eq!(cluster.pointer(address), Some(&expected));
        }
        assert_eq!(resources["clusters"][2]["name"], COLLECTOR);
    }
}

//! `sightline generate bootstrap`: a whole Envoy configuration to start from.
//!
//! It is the template that every test starts Envoy from, with addresses, the filter's configuration, and perhaps a
//! listener for scrapes and a collector put in as text, so that its comments stay. Changes to the tree of the
//! template, for tests, are in [`crate::bootstrap`].

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::configuration::{Export, Form};
use super::text::{Text, indent, scalar};
use super::{Configuration, Endpoint, Host, Refusal};
use crate::bootstrap::TEMPLATE;

mod collector;
mod ports;
mod scrapes;
#[cfg(test)]
mod tests;

pub use ports::Listening;
use scrapes::Scrapes;

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
    /// On which address metrics are asked for; if nothing is said, on all. The port is the configuration's.
    pub metrics: Option<IpAddr>,
    /// Envoy's own page, with its stats and the means to stop it.
    pub admin: SocketAddr,
}

const LISTEN: &str = "{ address: 0.0.0.0, port_value: 8080 }";
const APP: &str = "{ address: 127.0.0.1, port_value: 8000 }";
const APP_TYPE: &str = "      type: STATIC\n";
const APP_CLUSTER: &str = "app";
const ADMIN: &str = "{ address: 127.0.0.1, port_value: 9901 }";
const ADMIN_IS_LOCAL: &str = "  # Stats, and the means to stop Envoy: for this machine only.\n";
const ADMIN_IS_OPEN: &str = "\
  # Stats, and the means to stop Envoy, for whoever gets here: there is no password.
";
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
            metrics: None,
            admin: SocketAddr::from((Ipv4Addr::LOCALHOST, 9901)),
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
    let Deployment { listen, app, filter, otlp, metrics, admin } = deployment;
    let scrapes = Scrapes::new(configuration, *metrics)?;
    ports::check(deployment, scrapes.as_ref())?;
    let collector = collector::cluster(export, otlp.as_ref())?;
    let admin_is = if admin.ip().is_loopback() { ADMIN_IS_LOCAL } else { ADMIN_IS_OPEN };
    let text = Text::new(TEMPLATE)
        .put(USE, &how_to_use(deployment, scrapes.as_ref()))
        .put(ADMIN_IS_LOCAL, admin_is)
        .put(ADMIN, &socket_address(&Endpoint::from(*admin)))
        .put(LISTEN, &socket_address(&Endpoint::from(*listen)))
        .put(APP, &socket_address(app))
        .put(APP_TYPE, &indent(cluster_type(app), 6))
        .put(FILTER, &format!("{{ filename: {} }}", scalar(filter)))
        .put(VALUE, &value(configuration));
    let text = match scrapes {
        Some(scrapes) => scrapes.put_into(text),
        None => text,
    };
    Ok(text.then(&collector).into_string())
}

fn how_to_use(deployment: &Deployment, scrapes: Option<&Scrapes>) -> String {
    let Deployment { listen, app, filter, .. } = deployment;
    let scrapes = scrapes.map_or_else(String::new, |scrapes| {
        format!("# Prometheus finds the metrics at {}.\n", scrapes.shown())
    });
    format!(
        "# Written by `sightline generate bootstrap`.\n#\n\
         # To use it: put sightline.wasm at {filter}, have the application listen on\n\
         # {app}, and start `envoy -c bootstrap.yaml`. Clients come in on {listen}.\n{scrapes}"
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

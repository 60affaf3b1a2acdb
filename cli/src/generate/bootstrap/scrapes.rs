//! The listener for scrapes: nothing is to be had there but what the filter answers by itself.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::super::text::{Text, indent};
use super::super::{Configuration, Endpoint, Refusal};
use super::socket_address;

/// Where metrics are asked for.
#[derive(Clone, Debug)]
pub(super) struct Scrapes {
    pub(super) address: SocketAddr,
    path: String,
    /// What the filter's entry is called in the YAML, so that both listeners have the same one.
    anchor: String,
}

/// Where the template's listeners end.
const AFTER_LISTENERS: &str = "\n  clusters:\n";
/// How the filter's entry begins in the template.
const ENTRY: &str = "                  - name: sightline\n";

impl Scrapes {
    /// As `metrics.endpoint` of the configuration says, if it says anything, on this address or on all.
    pub(super) fn new(
        configuration: &Configuration,
        on: Option<IpAddr>,
    ) -> Result<Option<Self>, Refusal> {
        let Some((port, path)) = configuration.endpoint() else {
            return on.map_or(Ok(None), |on| Err(Refusal::NoEndpoint(on)));
        };
        let address = SocketAddr::new(on.unwrap_or(Ipv4Addr::UNSPECIFIED.into()), port);
        Ok(Some(Self { address, path, anchor: anchor(configuration.text()) }))
    }

    /// For people.
    pub(super) fn shown(&self) -> String {
        format!("{}{}", self.address, self.path)
    }

    /// The text with the listener in it, behind the other.
    pub(super) fn put_into(&self, text: Text) -> Text {
        let named =
            format!("                  - &{}\n                    name: sightline\n", self.anchor);
        let listener = indent(&self.listener(), 4);
        text.put(ENTRY, &named).put(AFTER_LISTENERS, &format!("{listener}{AFTER_LISTENERS}"))
    }

    fn listener(&self) -> String {
        format!(
            r#"
# Where metrics are asked for, and nothing else is to be had. Who can connect can read them.
- name: metrics
  address:
    socket_address: {address}
  # Scrapes go on when clients have too many connections.
  ignore_global_conn_limit: true
  per_connection_buffer_limit_bytes: 32768
  filter_chains:
    - filters:
        - name: envoy.filters.network.http_connection_manager
          typed_config:
            "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
            stat_prefix: metrics
            generate_request_id: false
            request_headers_timeout: 10s
            http_filters:
              # The same as above, configuration included, by reference: only then is what the one
              # counts shown by the other.
              - *{anchor}
              - name: envoy.filters.http.router
                typed_config:
                  "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
            route_config:
              name: metrics
              virtual_hosts:
                - name: nothing-else
                  domains: ["*"]
                  routes:
                    - match: {{ prefix: / }}
                      direct_response: {{ status: 404 }}
"#,
            address = socket_address(&Endpoint::from(self.address)),
            anchor = self.anchor,
        )
    }
}

/// A name that the configuration, which stands between the two places, does not give to anything else.
fn anchor(configuration: &str) -> String {
    let mut anchor = "sightline".to_owned();
    while configuration.contains(&format!("&{anchor}")) {
        anchor.push_str("-filter");
    }
    anchor
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_anchor_is_nobody_elses() {
        for (configuration, expected) in [
            ("", "sightline"),
            ("service: { name: sightline }", "sightline"),
            ("service: { name: &sightline shop }", "sightline-filter"),
            ("a: &sightline-filter b", "sightline-filter-filter"),
        ] {
            assert_eq!(anchor(configuration), expected, "{configuration}");
        }
    }
}

//! The cluster of the collector that the filter exports to.

use super::super::configuration::Export;
use super::super::text::{indent, scalar};
use super::super::{Endpoint, Refusal};
use super::{APP_CLUSTER, cluster_type, socket_address};

/// What makes a cluster one for gRPC.
const HTTP_2: &str = r#"  typed_extension_protocol_options:
    envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
      "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
      explicit_http_config:
        http2_protocol_options: {}
"#;

/// The collector's cluster, if something is exported.
pub(super) fn cluster(
    export: Option<Export<'_>>,
    otlp: Option<&Endpoint>,
) -> Result<String, Refusal> {
    match (export, otlp) {
        (None, None) => Ok(String::new()),
        (None, Some(otlp)) => Err(Refusal::NothingExported(otlp.clone())),
        (Some(Export { cluster: APP_CLUSTER, .. }), _) => {
            Err(Refusal::ClusterTaken(APP_CLUSTER.to_owned()))
        }
        (Some(export), otlp) => {
            let usual = Endpoint::local(if export.is_grpc { 4317 } else { 4318 });
            Ok(written(&export, otlp.unwrap_or(&usual)))
        }
    }
}

fn written(export: &Export<'_>, otlp: &Endpoint) -> String {
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

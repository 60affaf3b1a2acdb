//! The configuration compiled: all that can be decided before the first request.

use crate::Sampler;
use crate::config::{Inbound, Published, Settings, Text};
use crate::identity::IdFormat;
use crate::route::Router;

/// What to do with each request. Made once for a configuration, and never changed.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The service's name, as every signal says it.
    pub service: String,
    /// The header of the request ID, in lower case.
    pub request_id_header: Vec<u8>,
    /// Whether a valid inbound request ID is kept.
    pub keeps_inbound_id: bool,
    /// What a minted request ID looks like.
    pub id_format: IdFormat,
    /// Whether responses carry the request ID.
    pub echoes_id: bool,
    /// Decides for the traces that start here.
    pub sampler: Sampler,
    /// Which route a request belongs to.
    pub router: Router,
    /// Whether requests are counted as Envoy stats.
    pub counts_stats: bool,
    /// Whether the access-log line is handed to the host.
    pub sets_log_property: bool,
    /// What else is handed to the host, each by itself.
    pub published: Vec<Published>,
}

/// What a host knows of the place where it runs, for what the configuration leaves open.
#[derive(Clone, Debug, Default)]
pub struct Place {
    /// `OTEL_SERVICE_NAME` of the environment.
    pub service_name: Option<String>,
    /// The cluster of the proxy's node.
    pub cluster: Option<String>,
}

impl Plan {
    /// Compiles the settings for a place.
    pub fn new(settings: &Settings, place: &Place) -> Self {
        Self {
            service: service_name(settings, place).to_owned(),
            request_id_header: settings.request_id.header.as_bytes().to_vec(),
            keeps_inbound_id: settings.request_id.inbound == Inbound::Keep,
            id_format: settings.request_id.format,
            echoes_id: settings.request_id.echo,
            sampler: Sampler::with_ratio(settings.sampling.ratio.as_f64()),
            router: Router::new(&settings.routes),
            counts_stats: settings.metrics.stats,
            sets_log_property: settings.access_log.property,
            published: settings.publish.0.clone(),
        }
    }
}

fn service_name<'a>(settings: &'a Settings, place: &'a Place) -> &'a str {
    let configured = settings.service.name.as_ref().map(Text::as_str);
    let said = |name: &'a Option<String>| name.as_deref().filter(|name| !name.is_empty());
    configured
        .or_else(|| said(&place.service_name))
        .or_else(|| said(&place.cluster))
        .unwrap_or("unknown_service")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_service_is_named_by_the_first_who_knows() {
        let table = [
            ("configuration", r#"{"service": {"name": "a"}}"#, Some("b"), Some("c"), "a"),
            ("environment", "", Some("b"), Some("c"), "b"),
            ("an empty environment", "", Some(""), Some("c"), "c"),
            ("node", "", None, Some("c"), "c"),
            ("nobody", "", None, Some(""), "unknown_service"),
        ];
        for (name, said, environment, cluster, expected) in table {
            let settings = crate::config::read(said.as_bytes()).unwrap();
            let place = Place {
                service_name: environment.map(Into::into),
                cluster: cluster.map(Into::into),
            };
            assert_eq!(Plan::new(&settings, &place).service, expected, "{name}");
        }
    }
}

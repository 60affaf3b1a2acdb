//! Where a filter runs, as far as its host knows, and who it speaks for: what the configuration leaves open
//! is taken from the environment, then from Istio, then from the proxy's node.

use crate::config::{Service, Text};
use crate::identity::SpanId;
use crate::otlp::{InvalidAttributes, Resource, parse_resource_attributes};

/// What a host knows of the place where it runs.
#[derive(Clone, Debug, Default)]
pub struct Place {
    /// `OTEL_SERVICE_NAME` of the environment.
    pub service_name: Option<String>,
    /// `OTEL_RESOURCE_ATTRIBUTES` of the environment.
    pub resource_attributes: Option<String>,
    /// `POD_NAME` of the environment, as deployments on Kubernetes often set it.
    pub pod: Option<String>,
    /// `POD_NAMESPACE`, likewise.
    pub namespace: Option<String>,
    /// What Istio writes into the metadata of the proxy's node.
    pub istio: Istio,
    /// The cluster of the proxy's node.
    pub cluster: Option<String>,
    /// An ID of this process, for as long as it runs.
    pub instance: Option<String>,
    /// The parent of whatever exporters of this process send, which nobody else is.
    pub exporter: Option<SpanId>,
}

/// What Istio says of a proxy.
#[derive(Clone, Debug, Default)]
pub struct Istio {
    /// The label `service.istio.io/canonical-name`.
    pub canonical_name: Option<String>,
    /// The label `app`.
    pub app: Option<String>,
    /// The pod.
    pub pod: Option<String>,
    /// Its namespace.
    pub namespace: Option<String>,
    /// The workload that it is part of.
    pub workload: Option<String>,
}

impl Place {
    /// The service's name, and the resource of all that is exported. What the environment says wrongly is
    /// left out as a whole, and told.
    pub fn identify(&self, service: &Service) -> (String, Resource, Option<InvalidAttributes>) {
        let environment = self.resource_attributes.as_deref().map(parse_resource_attributes);
        let (environment, invalid) = match environment {
            Some(Ok(attributes)) => (attributes, None),
            Some(Err(invalid)) => (Vec::new(), Some(invalid)),
            None => (Vec::new(), None),
        };
        let name = self.service_name(service, &environment).to_owned();
        let mut resource = Resource::default();
        self.fill(&mut resource);
        for (key, value) in environment {
            resource.set(key, value);
        }
        for (key, value) in &service.attributes.0 {
            resource.set(key.clone(), value.clone());
        }
        let said = [
            ("service.namespace", &service.namespace),
            ("service.version", &service.version),
            ("deployment.environment.name", &service.environment),
        ];
        for (key, value) in said {
            if let Some(value) = value {
                resource.set(key.to_owned(), value.as_str().to_owned());
            }
        }
        resource.set("service.name".to_owned(), name.clone());
        resource.set("telemetry.distro.name".to_owned(), "sightline".to_owned());
        let version = env!("CARGO_PKG_VERSION").to_owned();
        resource.set("telemetry.distro.version".to_owned(), version);
        (name, resource, invalid)
    }

    fn service_name<'a>(
        &'a self,
        service: &'a Service,
        environment: &'a [(String, String)],
    ) -> &'a str {
        let attribute = environment.iter().find(|(key, _)| key == "service.name");
        let said = [
            service.name.as_ref().map(Text::as_str),
            self.service_name.as_deref(),
            attribute.map(|(_, name)| name.as_str()),
            self.istio.canonical_name.as_deref(),
            self.istio.app.as_deref(),
            self.cluster.as_deref(),
        ];
        let mut names = said.into_iter().flatten().filter(|name| !name.is_empty());
        names.next().unwrap_or("unknown_service")
    }

    /// What nobody need say.
    fn fill(&self, resource: &mut Resource) {
        let known = [
            ("service.instance.id", &self.instance),
            ("k8s.pod.name", &self.istio.pod),
            ("k8s.pod.name", &self.pod),
            ("k8s.namespace.name", &self.istio.namespace),
            ("k8s.namespace.name", &self.namespace),
            ("k8s.deployment.name", &self.istio.workload),
        ];
        for (key, value) in known {
            if let Some(value) = value.as_ref().filter(|value| !value.is_empty()) {
                resource.set(key.to_owned(), value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    fn service(said: &str) -> Service {
        config::read(said.as_bytes()).unwrap().service
    }

    type Forget = fn(&mut Place);

    #[test]
    fn the_service_is_named_by_the_first_who_knows() {
        let named = r#"{"service": {"name": "a"}}"#;
        let everywhere = Place {
            service_name: Some("b".to_owned()),
            resource_attributes: Some("service.name=c".to_owned()),
            istio: Istio {
                canonical_name: Some("d".to_owned()),
                app: Some("e".to_owned()),
                ..Istio::default()
            },
            cluster: Some("f".to_owned()),
            ..Place::default()
        };
        let table: [(&str, Forget, &str); 6] = [
            ("environment", |_| {}, "b"),
            ("attributes", |place| place.service_name = Some(String::new()), "c"),
            ("canonical name", |place| place.resource_attributes = None, "d"),
            ("app", |place| place.istio.canonical_name = None, "e"),
            ("node", |place| place.istio.app = None, "f"),
            ("nobody", |place| place.cluster = Some(String::new()), "unknown_service"),
        ];
        assert_eq!(everywhere.identify(&service(named)).0, "a", "configuration");
        let mut place = everywhere;
        for (name, forget, expected) in table {
            forget(&mut place);
            assert_eq!(place.identify(&service("")).0, expected, "{name}");
        }
    }

    #[test]
    fn what_is_configured_wins_over_the_environment_and_that_over_istio() {
        let place = Place {
            resource_attributes: Some("k8s.pod.name=env,service.version=0,team=env".to_owned()),
            istio: Istio {
                pod: Some("pod-1".to_owned()),
                namespace: Some("ns".to_owned()),
                workload: Some("shop".to_owned()),
                ..Istio::default()
            },
            instance: Some("i".to_owned()),
            ..Place::default()
        };
        let said = r#"{"service": {"name": "shop", "version": "1.2", "environment": "test", "attributes": {"team": "a"}}}"#;
        let (_, resource, invalid) = place.identify(&service(said));
        assert_eq!(invalid, None);
        let text: Vec<_> =
            resource.attributes.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let version = concat!("telemetry.distro.version=", env!("CARGO_PKG_VERSION"));
        let expected = [
            "service.instance.id=i",
            "k8s.pod.name=env",
            "k8s.namespace.name=ns",
            "k8s.deployment.name=shop",
            "service.version=1.2",
            "team=a",
            "deployment.environment.name=test",
            "service.name=shop",
            "telemetry.distro.name=sightline",
            version,
        ];
        assert_eq!(text, expected);
    }

    #[test]
    fn an_environment_that_is_wrong_is_left_out_and_told() {
        let place = Place { resource_attributes: Some("a=b,c".to_owned()), ..Place::default() };
        let (_, resource, invalid) = place.identify(&service(""));
        assert!(invalid.is_some());
        assert!(resource.attributes.iter().all(|(key, _)| key != "a"));
    }
}

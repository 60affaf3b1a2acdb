//! A batch on its way to a collector: where it goes, and what is around its items.

use super::protobuf::{Message, headed, write_head};
use super::resource::Resource;

/// Which version of the semantic conventions the names of our attributes are from.
const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/1.44.0";

/// The tag of the first message that surrounds a batch, `ResourceSpans`: field 1, bytes.
const RESOURCE_ITEMS: u8 = 0x0a;
/// The tag of the second one, `ScopeSpans`: field 2, bytes.
const SCOPE_ITEMS: u8 = 0x12;

/// What kind of items a batch has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Spans.
    Traces,
    /// What was counted.
    Metrics,
    /// Log records.
    Logs,
}

/// All of a request that is no item: made once for a configuration, put around each batch.
///
/// Spans, log records and metrics are in messages of the same shape and the same field numbers, so there is
/// one envelope for all:
/// `Request { Items { Resource 1, ScopeItems 2 { Scope 1, Item 2 …, schema 3 }, schema 3 } 1 }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The resource, with its tag and length.
    resource: Vec<u8>,
    /// The scope, with its tag and length.
    scope: Vec<u8>,
    /// The schema, with its tag and length. It ends both messages.
    schema: Vec<u8>,
}

impl Signal {
    /// All of them.
    pub const ALL: [Self; Self::COUNT] = [Self::Traces, Self::Metrics, Self::Logs];

    /// How many there are.
    pub(crate) const COUNT: usize = 3;

    /// The method of its gRPC service.
    pub const METHOD: &'static str = "Export";

    /// The path over HTTP, behind what a configuration puts in front.
    pub fn path(self) -> &'static str {
        match self {
            Self::Traces => "/v1/traces",
            Self::Metrics => "/v1/metrics",
            Self::Logs => "/v1/logs",
        }
    }

    /// The gRPC service.
    pub fn service(self) -> &'static str {
        match self {
            Self::Traces => "opentelemetry.proto.collector.trace.v1.TraceService",
            Self::Metrics => "opentelemetry.proto.collector.metrics.v1.MetricsService",
            Self::Logs => "opentelemetry.proto.collector.logs.v1.LogsService",
        }
    }

    /// Its name in stats.
    pub fn name(self) -> &'static str {
        match self {
            Self::Traces => "traces",
            Self::Metrics => "metrics",
            Self::Logs => "logs",
        }
    }
}

impl Envelope {
    /// The envelope for what this resource reports through us.
    pub fn new(resource: &Resource) -> Self {
        Self::of_version(resource, env!("CARGO_PKG_VERSION"))
    }

    /// Writes the request behind what `out` holds. The items follow one another, each as field 2 with its
    /// tag and length.
    pub fn wrap(&self, items: &[u8], out: &mut Vec<u8>) {
        let inner = self.scope.len() + items.len() + self.schema.len();
        let outer = self.resource.len() + headed(inner) + self.schema.len();
        out.reserve(headed(outer));
        write_head(RESOURCE_ITEMS, outer, out);
        out.extend_from_slice(&self.resource);
        write_head(SCOPE_ITEMS, inner, out);
        out.extend_from_slice(&self.scope);
        out.extend_from_slice(items);
        out.extend_from_slice(&self.schema);
        out.extend_from_slice(&self.schema);
    }

    fn of_version(resource: &Resource, version: &str) -> Self {
        let mut envelope = Self { resource: vec![], scope: vec![], schema: vec![] };
        resource.write(&mut Message::new(&mut envelope.resource).message(1));
        write_scope(version, &mut Message::new(&mut envelope.scope).message(1));
        Message::new(&mut envelope.schema).bytes(3, SCHEMA_URL.as_bytes());
        envelope
    }
}

/// `InstrumentationScope { string name = 1; string version = 2 }`
fn write_scope(version: &str, message: &mut Message<'_>) {
    message.bytes(1, b"sightline");
    message.bytes(2, version.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Field, next_field};

    fn resource() -> Resource {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        Resource { attributes: vec![pair("service.name", "shop"), pair("host.name", "höst")] }
    }

    #[test]
    fn a_request_is_that_of_another_writer() {
        let mut out = Vec::new();
        Envelope::of_version(&resource(), "0.1.0")
            .wrap(b"\x12\x05*\x03one\x12\x05*\x03two", &mut out);
        // `ExportTraceServiceRequest` by Python's opentelemetry-proto 1.45.2.
        let expected = b"\x0a\xa6\x01\
            \x0a\x2e\
            \x0a\x16\x0a\x0cservice.name\x12\x06\x0a\x04shop\
            \x0a\x14\x0a\x09host.name\x12\x07\x0a\x05h\xc3\xb6st\
            \x12\x4b\
            \x0a\x12\x0a\x09sightline\x12\x050.1.0\
            \x12\x05*\x03one\x12\x05*\x03two\
            \x1a\x27https://opentelemetry.io/schemas/1.44.0\
            \x1a\x27https://opentelemetry.io/schemas/1.44.0";
        // Its `ScopeSpans` has a length of 20 + 14 + 41 bytes: 0x4b.
        assert_eq!(out, expected);
    }

    #[test]
    fn every_length_fits_what_it_is_of() {
        let envelope = Envelope::new(&resource());
        let around = envelope.scope.len() + envelope.schema.len();
        let outside = envelope.resource.len() + envelope.schema.len();
        for border in [128, 16_384, 2_097_152] {
            // From before the outer length takes one byte more to behind where the inner one does.
            for inner in (border - outside - 8).max(around)..border + 2 {
                let items = vec![b'x'; inner - around];
                let mut out = b"before".to_vec();
                envelope.wrap(&items, &mut out);
                let request = out.split_off(6);
                let [resource_items] = fields(&request)[..] else { panic!("{inner}") };
                let [resource, scope_items, schema] = fields(resource_items)[..] else {
                    panic!("{inner}")
                };
                assert_eq!(resource.len() + 2, envelope.resource.len(), "{inner}");
                assert_eq!(schema, SCHEMA_URL.as_bytes(), "{inner}");
                assert_eq!(scope_items.len(), inner);
                assert_eq!(
                    scope_items,
                    [envelope.scope.as_slice(), &items, &envelope.schema].concat(),
                    "{inner}"
                );
            }
        }
    }

    /// The contents of all fields, each of which holds bytes.
    fn fields(mut bytes: &[u8]) -> Vec<&[u8]> {
        let mut fields = Vec::new();
        while !bytes.is_empty() {
            let Some((_, Field::Bytes(contents))) = next_field(&mut bytes) else {
                panic!("{bytes:?}")
            };
            fields.push(contents);
        }
        fields
    }
}

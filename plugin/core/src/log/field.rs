//! The fields of a line: their order, and their names in each format.

/// Declares the fields, in the order in which they are written, with the IDs set apart.
macro_rules! fields {
    (
        $( $(#[doc = $doc0:literal])+ $Before:ident = $before:literal, $before_ecs:literal; )+
        ids: $( $(#[doc = $doc1:literal])+ $Id:ident = $id:literal, $id_ecs:literal; )+
        others: $( $(#[doc = $doc2:literal])+ $Other:ident = $other:literal, $other_ecs:literal; )+
    ) => {
        /// One field of a line.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Field {
            $( $(#[doc = $doc0])+ $Before, )+
            $( $(#[doc = $doc1])+ $Id, )+
            $( $(#[doc = $doc2])+ $Other, )+
        }

        impl Field {
            /// Those that can be left out, in their order. The IDs tie a line to everything else: every line has them.
            pub const DROPPABLE: [Self; [$($before,)+ $($other),+].len()] =
                [$(Self::$Before,)+ $(Self::$Other),+];

            /// The names of these.
            pub const DROPPABLE_NAMES: [&str; Self::DROPPABLE.len()] = [$($before,)+ $($other),+];

            /// How many there are, the IDs included.
            const COUNT: usize = Self::DROPPABLE.len() + [$($id),+].len();

            /// What stands in front of a field's text in each format, the sign between fields and the quote included.
            const HEADS: [[&str; 3]; Self::COUNT] = [
                $( heads!($before, $before_ecs), )+
                $( heads!($id, $id_ecs), )+
                $( heads!($other, $other_ecs), )+
            ];

            /// Its name.
            pub fn name(self) -> &'static str {
                match self {
                    $( Self::$Before => $before, )+
                    $( Self::$Id => $id, )+
                    $( Self::$Other => $other, )+
                }
            }
        }
    };
}

macro_rules! heads {
    ($name:literal, $ecs:literal) => {
        [concat!(",\"", $name, "\":\""), concat!(",\"", $ecs, "\":\""), concat!(" ", $name, "=")]
    };
}

fields! {
    /// When the request arrived.
    Timestamp = "timestamp", "@timestamp";
    /// How bad it was.
    Level = "level", "log.level";
    /// That this is a request.
    Event = "event", "message";
    /// What answered it.
    Service = "service", "service.name";
ids:
    /// Its ID.
    RequestId = "request_id", "http.request.id";
    /// Its trace.
    TraceId = "trace_id", "trace.id";
    /// Its span.
    SpanId = "span_id", "span.id";
others:
    /// The caller's span.
    ParentSpanId = "parent_span_id", "parent.id";
    /// The flags of its trace.
    TraceFlags = "trace_flags", "sightline.trace_flags";
    /// Whether its span was handed to the exporter.
    Sampled = "sampled", "sightline.sampled";
    /// The method.
    Method = "method", "http.request.method";
    /// The scheme.
    Scheme = "scheme", "url.scheme";
    /// The host that was asked for.
    Host = "host", "url.domain";
    /// The path.
    Path = "path", "url.path";
    /// The query.
    Query = "query", "url.query";
    /// The route.
    Route = "route", "sightline.route";
    /// Where the route comes from.
    RouteSource = "route_source", "sightline.route_source";
    /// The status, 0 if none was sent.
    Status = "status", "http.response.status_code";
    /// Why it failed.
    ErrorType = "error_type", "error.type";
    /// How long it took.
    Duration = "duration_ms", "event.duration";
    /// How long the response took to begin.
    ToFirstByte = "ttfb_ms", "sightline.ttfb_ms";
    /// What kind of stream it was.
    Stream = "stream", "sightline.stream";
    /// The status of a gRPC call.
    GrpcStatus = "grpc_status", "sightline.grpc_status";
    /// The size of the request's body.
    RequestBytes = "request_bytes", "http.request.body.bytes";
    /// The size of the response's body.
    ResponseBytes = "response_bytes", "http.response.body.bytes";
    /// The protocol.
    Protocol = "protocol", "http.version";
    /// Who asked.
    ClientIp = "client_ip", "client.ip";
    /// With what.
    UserAgent = "user_agent", "user_agent.original";
    /// Who was asked in turn.
    Upstream = "upstream", "destination.address";
    /// What the host has to say, in its own short names.
    Flags = "flags", "sightline.flags";
    /// The same at length, where something went wrong.
    Details = "details", "sightline.details";
    /// The pod of the service.
    Pod = "pod", "orchestrator.resource.name";
    /// Its namespace.
    Namespace = "namespace", "orchestrator.namespace";
    /// Captured headers.
    Headers = "headers", "sightline.headers";
    /// Values of baggage.
    Baggage = "baggage", "sightline.baggage";
    /// Of which part of such lines this is one.
    SuccessRatio = "success_ratio", "sightline.success_ratio";
}

/// Some of the fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fields(u64);

impl Field {
    /// What stands in front of its text, by the number of the format.
    #[inline]
    pub(super) fn head(self, format: usize) -> &'static str {
        Self::HEADS.get(self as usize).and_then(|heads| heads.get(format)).copied().unwrap_or("")
    }
}

impl Fields {
    /// None of them.
    pub(crate) const NONE: Self = Self(0);
    /// Every one.
    pub(crate) const ALL: Self = Self((1 << Field::COUNT) - 1);

    /// All but these.
    pub(crate) fn without(dropped: impl Iterator<Item = Field>) -> Self {
        dropped.fold(Self::ALL, |Self(bits), field| Self(bits & !(1 << field as u64)))
    }

    /// Whether this is one of them.
    #[inline]
    pub(crate) fn contains(self, field: Field) -> bool {
        self.0 >> field as u64 & 1 == 1
    }
}

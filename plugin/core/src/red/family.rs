//! The metrics there are: names, units and labels as OpenTelemetry has them.

use std::borrow::Cow;

/// What all series of a metric have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Family {
    /// As OpenTelemetry writes it: `http.server.request.duration`.
    pub name: Cow<'static, str>,
    /// What is counted, and how.
    pub kind: Kind,
    /// In UCUM: `s`, `{request}`, `EUR`; empty if it has none.
    pub unit: Cow<'static, str>,
    /// What it says, in a sentence without a full stop.
    pub about: Cow<'static, str>,
    /// The names of its labels, as OpenTelemetry writes attributes.
    pub labels: Cow<'static, [Cow<'static, str>]>,
}

/// What is counted, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Things that happened.
    Counter,
    /// Amounts that add up, with decimals.
    Amount,
    /// Things that there are now: a gauge of Prometheus, an `UpDownCounter` of OpenTelemetry.
    Level,
    /// How values are spread.
    Histogram,
    /// Always one: its labels are what it says.
    Info,
}

macro_rules! families {
    ($( $(#[doc = $doc:literal])+ $NAME:ident = $name:literal, $kind:ident, $unit:literal, $about:literal, [$($label:literal),*]; )+) => {
        $( $(#[doc = $doc])+ pub const $NAME: Family = Family {
            name: Cow::Borrowed($name),
            kind: Kind::$kind,
            unit: Cow::Borrowed($unit),
            about: Cow::Borrowed($about),
            labels: Cow::Borrowed(&[$(Cow::Borrowed($label)),*]),
        }; )+
    };
}

families! {
    /// Requests to the service that are no streams.
    SERVER_DURATION = "http.server.request.duration", Histogram, "s", "Duration of HTTP server requests",
        ["http.request.method", "url.scheme", "http.route", "http.response.status_code", "error.type", "network.protocol.version"];
    /// Requests of the service that are no streams.
    CLIENT_DURATION = "http.client.request.duration", Histogram, "s", "Duration of HTTP client requests",
        ["http.request.method", "url.scheme", "http.route", "http.response.status_code", "error.type", "network.protocol.version"];
    /// Requests under way to the service.
    SERVER_ACTIVE = "http.server.active_requests", Level, "{request}", "Number of active HTTP server requests",
        ["http.request.method", "url.scheme"];
    /// Requests under way from the service.
    CLIENT_ACTIVE = "http.client.active_requests", Level, "{request}", "Number of active HTTP client requests",
        ["http.request.method", "url.scheme"];
    /// How long responses take to begin, those of streams included.
    FIRST_BYTE = "sightline.http.time_to_first_byte", Histogram, "s", "Time from a request's head to its response's head",
        ["http.request.method", "http.route", "sightline.direction"];
    /// Streams.
    STREAM_DURATION = "sightline.http.stream.duration", Histogram, "s", "Duration of WebSocket, SSE and gRPC streams",
        ["http.request.method", "http.route", "http.response.status_code", "error.type", "sightline.stream", "sightline.direction"];
    /// What became of spans.
    SPANS = "sightline.spans", Counter, "{span}", "Traced requests by what became of their spans", ["outcome"];
    /// Attempts to send a batch.
    BATCHES = "sightline.export.batches", Counter, "{batch}", "Attempts to send a batch to the collector", ["signal", "outcome"];
    /// What a collector took.
    EXPORTED = "sightline.exported", Counter, "{item}", "Items that the collector took", ["signal"];
    /// What nobody will see.
    DROPPED = "sightline.dropped", Counter, "{item}", "Items that nobody will see", ["signal", "reason"];
    /// What waits for a collector.
    WAITING = "sightline.export.waiting", Level, "{item}", "Items that wait for the collector or are under way to it", ["signal"];
    /// Routes that there are.
    ROUTES = "sightline.routes", Level, "{route}", "Routes by where they come from", ["route_source"];
    /// Requests beyond the limit of series.
    OVERFLOWED = "sightline.series.overflowed", Counter, "{request}", "Requests counted under the route _other because the limit of series is reached", [];
    /// Workers that have gone without a word.
    LOST = "sightline.workers.lost", Counter, "{worker}", "Workers that fell silent, and what they had counted in their last second with them", [];
    /// Values of custom metrics that cannot be counted.
    INVALID = "sightline.invalid_values", Counter, "{value}", "Values of custom metrics that are no amounts", ["metric"];
    /// Which version this is.
    BUILD = "sightline.build_info", Info, "", "The version of Sightline", ["version"];
}

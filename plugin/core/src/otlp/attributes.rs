//! What spans and log records say of a request in the same words: attributes, with names and types as OpenTelemetry's
//! semantic conventions for HTTP and gRPC have them.

use super::protobuf::Message;
use crate::log::{Field, Fields};
use crate::observation::{ErrorType, Observation};
use crate::route::Source;
use crate::{Direction, Method, Plan, address, grpc};

/// One item of a batch under way: a span, or a log record.
pub(super) struct Item<'a> {
    pub(super) observation: &'a Observation<'a>,
    pub(super) direction: Direction,
    pub(super) plan: &'a Plan,
    pub(super) message: Message<'a>,
    /// The number of the message's field for attributes.
    pub(super) attribute: u32,
    /// What is to be shown.
    pub(super) fields: Fields,
}

impl<'a> Item<'a> {
    /// All that both say.
    pub(super) fn write_attributes(&mut self) {
        self.write_http();
        self.write_url();
        self.write_ends();
        self.write_rpc();
        self.write_ours();
        if let Some(error) = self.observation.error_type() {
            self.write_error(error);
        }
    }

    /// Says why it failed.
    pub(super) fn write_error(&mut self, error: ErrorType) {
        self.text(Field::ErrorType, "error.type", error.text(&mut [0; 3]).as_bytes());
    }

    fn write_http(&mut self) {
        let observation = self.observation;
        let head = observation.head;
        let method = head.method();
        self.text(Field::Method, "http.request.method", method.as_str().as_bytes());
        if method == Method::Other && !head.method.bytes.is_empty() {
            self.text(Field::Method, "http.request.method_original", &head.method.shown());
        }
        if let Some(status) = observation.status() {
            self.int(Field::Status, "http.response.status_code", status.into());
        }
        if let Some(version) = observation.ending.protocol.as_deref().and_then(version) {
            self.text(Field::Protocol, "network.protocol.version", version);
        }
        if !head.user_agent.bytes.is_empty() {
            self.text(Field::UserAgent, "user_agent.original", &head.user_agent.shown());
        }
        if let Some(route) = self.route() {
            let key = match self.direction {
                Direction::Inbound => "http.route",
                Direction::Outbound => "url.template",
            };
            self.text(Field::Route, key, route.as_bytes());
        }
    }

    fn write_url(&mut self) {
        let head = self.observation.head;
        let (path, query) = (head.path.shown(), head.query.shown());
        let query: &[u8] = if self.fields.contains(Field::Query) { &query } else { b"" };
        // The whole URL would tell what is to be left out.
        let is_whole = self.fields.contains(Field::Scheme) && self.fields.contains(Field::Host);
        if self.direction == Direction::Inbound || !is_whole {
            self.text(Field::Path, "url.path", &path);
            self.text(Field::Scheme, "url.scheme", &head.scheme.shown());
            if !query.is_empty() {
                self.text(Field::Query, "url.query", query);
            }
            return;
        }
        let userinfo: &[u8] = if head.has_userinfo { b"REDACTED:REDACTED@" } else { b"" };
        let behind: &[u8] = if query.is_empty() { b"" } else { b"?" };
        let parts: [&[u8]; 7] =
            [&head.scheme.bytes, b"://", userinfo, &head.host.bytes, &path, behind, query];
        self.text(Field::Path, "url.full", &parts.concat());
    }

    /// Who spoke to whom. For a client the other end is the server, and the connection's is the app itself.
    fn write_ends(&mut self) {
        let head = self.observation.head;
        let asked = match self.direction {
            Direction::Inbound if !head.forwarded_host.bytes.is_empty() => &head.forwarded_host,
            Direction::Inbound | Direction::Outbound => &head.host,
        };
        let (host, port) = address::split_port(&asked.bytes);
        let bare = host.strip_prefix(b"[").and_then(|host| host.strip_suffix(b"]"));
        if !host.is_empty() {
            self.text(Field::Host, "server.address", bare.unwrap_or(host));
        }
        let port = port.or_else(|| default_port(self.direction, &head.scheme.bytes));
        if let Some(port) = port {
            self.int(Field::Host, "server.port", port.into());
        }
        if self.direction == Direction::Inbound
            && let Some(client) = self.observation.client(self.plan)
        {
            self.address(Field::ClientIp, "client.address", client);
        }
    }

    fn write_rpc(&mut self) {
        let head = self.observation.head;
        if !head.is_grpc {
            return;
        }
        self.text(Field::GrpcStatus, "rpc.system.name", b"grpc");
        let path = head.path.shown();
        self.text(Field::Path, "rpc.method", path.strip_prefix(b"/").unwrap_or(&path));
        if let Some(code) = self.observation.grpc_status() {
            self.text(Field::GrpcStatus, "rpc.response.status_code", grpc::name(code).as_bytes());
        }
    }

    fn write_ours(&mut self) {
        let observation = self.observation;
        let id = observation.request_id;
        self.text(Field::RequestId, "sightline.request_id", id.as_bytes());
        let source = observation.route.source.as_str();
        self.text(Field::RouteSource, "sightline.route.source", source.as_bytes());
        for (number, value) in &observation.head.baggage {
            if let Some(key) = self.plan.trace.baggage.get(*number) {
                self.text(Field::Baggage, &["baggage.", key].concat(), value);
            }
        }
    }

    /// The route, if it is the name of one.
    pub(super) fn route(&self) -> Option<&'a str> {
        let route = self.observation.route;
        match route.source {
            Source::Unmatched | Source::Overflow => None,
            Source::Template | Source::Typed | Source::Learned => Some(route.name),
        }
    }

    pub(super) fn text(&mut self, field: Field, key: &str, value: &[u8]) {
        if self.fields.contains(field) {
            self.message.attribute_text(self.attribute, key, value);
        }
    }

    pub(super) fn int(&mut self, field: Field, key: &str, value: i64) {
        if self.fields.contains(field) {
            self.message.attribute_int(self.attribute, key, value);
        }
    }

    pub(super) fn address(&mut self, field: Field, key: &str, address: std::net::IpAddr) {
        let mut text = Vec::new();
        address::write(address, &mut text);
        self.text(field, key, &text);
    }
}

/// `1.1` of `HTTP/1.1`.
fn version(protocol: &[u8]) -> Option<&[u8]> {
    protocol.strip_prefix(b"HTTP/")
}

/// A client's span must say the port, a server's need not say the usual one.
fn default_port(direction: Direction, scheme: &[u8]) -> Option<u16> {
    match (direction, scheme) {
        (Direction::Outbound, b"http") => Some(80),
        (Direction::Outbound, b"https") => Some(443),
        _ => None,
    }
}

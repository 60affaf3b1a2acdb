//! A finished request as a span: names and types as OpenTelemetry's semantic conventions for HTTP and gRPC
//! have them.

use std::io::Write as _;
use std::net::SocketAddr;

use super::protobuf::Message;
use crate::Method;
use crate::identity::Tracestate;
use crate::observation::{ErrorType, Exported, Observation, Outcome};
use crate::route::Source;
use crate::{Direction, Plan, address, grpc};

/// Field numbers of `opentelemetry.proto.trace.v1.Span`.
mod field {
    pub(super) const OF_SCOPE_SPANS: u32 = 2;
    pub(super) const TRACE_ID: u32 = 1;
    pub(super) const SPAN_ID: u32 = 2;
    pub(super) const TRACE_STATE: u32 = 3;
    pub(super) const PARENT_SPAN_ID: u32 = 4;
    pub(super) const NAME: u32 = 5;
    pub(super) const KIND: u32 = 6;
    pub(super) const START: u32 = 7;
    pub(super) const END: u32 = 8;
    pub(super) const ATTRIBUTE: u32 = 9;
    pub(super) const LINK: u32 = 13;
    pub(super) const STATUS: u32 = 15;
    pub(super) const FLAGS: u32 = 16;
}

/// The kinds of `Span.SpanKind` that a proxy's can have.
const SERVER: u64 = 2;
const CLIENT: u64 = 3;

/// A longer tracestate passes all the same, and is left out of the span: with sixteen kilobytes in each, what
/// waits for a collector would be a client's to choose.
const LONGEST_STATE: usize = 2_048;

/// Above the eight flags of W3C: whether it is known that the parent is remote, and that it is.
const PARENT_IS_REMOTE: u32 = 0x300;
/// That it is known, and there is none.
const PARENT_IS_KNOWN: u32 = 0x100;

/// Writes the span of a finished request, as one more of a batch.
#[inline(never)]
pub fn write_span(
    observation: &Observation<'_>,
    direction: Direction,
    plan: &Plan,
    out: &mut Vec<u8>,
) {
    let mut batch = Message::new(out);
    let mut span =
        Span { observation, direction, plan, message: batch.message(field::OF_SCOPE_SPANS) };
    span.write_context();
    span.write_name_and_times();
    span.write_http();
    span.write_url();
    span.write_ends();
    span.write_rpc();
    span.write_ours();
    span.write_outcome();
}

struct Span<'a> {
    observation: &'a Observation<'a>,
    direction: Direction,
    plan: &'a Plan,
    message: Message<'a>,
}

impl<'a> Span<'a> {
    fn write_context(&mut self) {
        let Observation { hop, head, exported, .. } = self.observation;
        let context = &hop.context;
        self.message.bytes(field::TRACE_ID, context.trace_id.as_bytes());
        self.message.bytes(field::SPAN_ID, context.span_id.as_bytes());
        match exported {
            Exported::Kept(_) => self.state(&hop.tracestate_without_threshold(head)),
            Exported::Sampled | Exported::No => self.state(hop.tracestate(head)),
        }
        let parent = match &context.parent {
            Some(parent) => {
                self.message.bytes(field::PARENT_SPAN_ID, parent.as_bytes());
                PARENT_IS_REMOTE
            }
            None => PARENT_IS_KNOWN,
        };
        self.message.fixed32(field::FLAGS, u32::from(context.flags.bits()) | parent);
        if let Some(caller) = hop.link {
            let mut link = self.message.message(field::LINK);
            link.bytes(1, caller.trace_id.as_bytes());
            link.bytes(2, caller.span_id.as_bytes());
            let state = &head.tracestate.value;
            let is_valid = Tracestate::parse(state).is_ok_and(|state| !state.is_empty());
            if is_valid && state.len() <= LONGEST_STATE {
                link.text(3, state);
            }
            link.fixed32(6, u32::from(caller.flags.bits()) | PARENT_IS_REMOTE);
        }
    }

    fn state(&mut self, state: &[u8]) {
        if !state.is_empty() && state.len() <= LONGEST_STATE {
            self.message.text(field::TRACE_STATE, state);
        }
    }

    fn write_name_and_times(&mut self) {
        let observation = self.observation;
        let method = match observation.head.method() {
            Method::Other => "HTTP",
            method => method.as_str(),
        };
        match self.route() {
            Some(route) => {
                let name = [method.as_bytes(), b" ", route.as_bytes()].concat();
                self.message.text(field::NAME, &name);
            }
            None => self.message.text(field::NAME, method.as_bytes()),
        }
        self.message.varint(
            field::KIND,
            match self.direction {
                Direction::Inbound => SERVER,
                Direction::Outbound => CLIENT,
            },
        );
        self.message.fixed64(field::START, observation.began.0);
        self.message.fixed64(field::END, observation.ended().0);
    }

    fn write_http(&mut self) {
        let observation = self.observation;
        let head = observation.head;
        let method = head.method();
        self.text("http.request.method", method.as_str().as_bytes());
        if method == Method::Other && !head.method.bytes.is_empty() {
            self.text("http.request.method_original", &head.method.shown());
        }
        if let Some(status) = observation.status() {
            self.int("http.response.status_code", status.into());
        }
        if let Some(version) = observation.ending.protocol.as_deref().and_then(version) {
            self.text("network.protocol.version", version);
        }
        if !head.user_agent.bytes.is_empty() {
            self.text("user_agent.original", &head.user_agent.shown());
        }
        if let Some(route) = self.route() {
            let key = match self.direction {
                Direction::Inbound => "http.route",
                Direction::Outbound => "url.template",
            };
            self.text(key, route.as_bytes());
        }
    }

    fn write_url(&mut self) {
        let head = self.observation.head;
        let (path, query) = (head.path.shown(), head.query.shown());
        if self.direction == Direction::Inbound {
            self.text("url.path", &path);
            self.text("url.scheme", &head.scheme.shown());
            if !query.is_empty() {
                self.text("url.query", &query);
            }
            return;
        }
        let userinfo: &[u8] = if head.has_userinfo { b"REDACTED:REDACTED@" } else { b"" };
        let behind: &[u8] = if query.is_empty() { b"" } else { b"?" };
        let parts: [&[u8]; 7] =
            [&head.scheme.bytes, b"://", userinfo, &head.host.bytes, &path, behind, &query];
        self.text("url.full", &parts.concat());
    }

    /// Who spoke to whom. For a client the other end is the server, and the connection's is the app itself.
    fn write_ends(&mut self) {
        let head = self.observation.head;
        let asked = match self.direction {
            Direction::Inbound if !head.forwarded_host.bytes.is_empty() => &head.forwarded_host,
            Direction::Inbound | Direction::Outbound => &head.host,
        };
        let (host, port) = split_port(&asked.bytes);
        let bare = host.strip_prefix(b"[").and_then(|host| host.strip_suffix(b"]"));
        if !host.is_empty() {
            self.text("server.address", bare.unwrap_or(host));
        }
        let port = port.or_else(|| default_port(self.direction, &head.scheme.bytes));
        if let Some(port) = port {
            self.int("server.port", port.into());
        }
        if self.direction == Direction::Inbound {
            self.write_client();
        }
    }

    fn write_client(&mut self) {
        let redaction = &self.plan.redaction;
        let peer = self.observation.ending.peer.as_deref().and_then(address::peer);
        let forwarded = &self.observation.head.forwarded_for;
        let client = address::client(forwarded, self.plan.trusted_hops, peer);
        if let Some(client) = client.and_then(|client| redaction.address(client)) {
            self.address("client.address", client);
        }
        if let Some(peer) = peer
            && let Some(shown) = redaction.address(peer.ip())
        {
            self.address("network.peer.address", shown);
            self.int("network.peer.port", SocketAddr::port(&peer).into());
        }
    }

    fn write_rpc(&mut self) {
        let head = self.observation.head;
        if !head.is_grpc {
            return;
        }
        self.text("rpc.system.name", b"grpc");
        let path = head.path.shown();
        self.text("rpc.method", path.strip_prefix(b"/").unwrap_or(&path));
        if let Some(code) = self.observation.grpc_status() {
            self.text("rpc.response.status_code", grpc::name(code).as_bytes());
        }
    }

    fn write_ours(&mut self) {
        let observation = self.observation;
        self.text("sightline.request_id", observation.request_id.as_bytes());
        self.text("sightline.route.source", observation.route.source.as_str().as_bytes());
        if let Exported::Kept(why) = observation.exported {
            self.text("sightline.kept", why.as_str().as_bytes());
        }
        for (number, value) in &observation.head.baggage {
            if let Some(key) = self.plan.trace.baggage.get(*number) {
                let key = ["baggage.", key].concat();
                self.text(&key, value);
            }
        }
    }

    fn write_outcome(&mut self) {
        const ERROR: u64 = 2;
        let observation = self.observation;
        let refusal = self.refusal();
        let Some(error) = observation.error_type().or(refusal) else { return };
        self.text("error.type", error.text(&mut [0; 3]).as_bytes());
        if observation.is_error() || refusal.is_some() {
            self.message.message(field::STATUS).varint(3, ERROR);
        }
    }

    /// What a client is told of its own mistake, a 4xx or its like in gRPC: an error for the span of a client,
    /// and none for that of a server.
    fn refusal(&self) -> Option<ErrorType> {
        if self.direction == Direction::Inbound {
            return None;
        }
        let observation = self.observation;
        match observation.grpc_status() {
            Some(code @ 1..) => Some(ErrorType::Reason(grpc::name(code))),
            _ if observation.outcome() == Outcome::ClientError => {
                let reason = observation.ending.flags.reason().map(ErrorType::Reason);
                reason.or(observation.status().map(ErrorType::Status))
            }
            _ => None,
        }
    }

    /// The route, if it is the name of one.
    fn route(&self) -> Option<&'a str> {
        let route = self.observation.route;
        match route.source {
            Source::Unmatched | Source::Overflow => None,
            Source::Template | Source::Typed | Source::Learned => Some(route.name),
        }
    }

    fn text(&mut self, key: &str, value: &[u8]) {
        self.message.attribute_text(field::ATTRIBUTE, key, value);
    }

    fn int(&mut self, key: &str, value: i64) {
        self.message.attribute_int(field::ATTRIBUTE, key, value);
    }

    fn address(&mut self, key: &str, address: std::net::IpAddr) {
        let mut text = [0; 45];
        let mut rest = text.as_mut_slice();
        // The longest address has 45 characters.
        let _ = write!(rest, "{address}");
        let left = rest.len();
        let length = text.len().saturating_sub(left);
        self.text(key, text.get(..length).unwrap_or_default());
    }
}

/// `1.1` of `HTTP/1.1`.
fn version(protocol: &[u8]) -> Option<&[u8]> {
    protocol.strip_prefix(b"HTTP/")
}

/// A host, and the port behind it.
fn split_port(authority: &[u8]) -> (&[u8], Option<u16>) {
    let colon = authority.iter().rposition(|&byte| byte == b':');
    let split = colon.and_then(|at| authority.split_at_checked(at));
    let Some((host, port)) = split else { return (authority, None) };
    match crate::head::number(port.strip_prefix(b":").unwrap_or_default()) {
        Some(port) => (host, Some(port)),
        None => (authority, None),
    }
}

/// A client's span must say the port, a server's need not say the usual one.
fn default_port(direction: Direction, scheme: &[u8]) -> Option<u16> {
    match (direction, scheme) {
        (Direction::Outbound, b"http") => Some(80),
        (Direction::Outbound, b"https") => Some(443),
        _ => None,
    }
}

#[cfg(test)]
mod tests;

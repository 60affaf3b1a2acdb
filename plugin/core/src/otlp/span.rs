//! A finished request as a span.

use std::net::SocketAddr;

use super::attributes::Item;
use super::protobuf::Message;
use crate::identity::Tracestate;
use crate::log::{Field, Fields};
use crate::observation::{ErrorType, Exported, Observation, Outcome};
use crate::{Direction, Method, Plan, address, grpc};

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
    let message = batch.message(field::OF_SCOPE_SPANS);
    let (attribute, fields) = (field::ATTRIBUTE, Fields::ALL);
    let mut span = Item { observation, direction, plan, message, attribute, fields };
    span.write_context();
    span.write_name_and_times();
    span.write_attributes();
    span.write_peer();
    span.write_reason();
    span.write_status();
}

impl Item<'_> {
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
    /// The other end of the connection, which need not be the client.
    fn write_peer(&mut self) {
        let peer = self.observation.ending.peer.as_deref().and_then(address::peer);
        if self.direction == Direction::Inbound
            && let Some(peer) = peer
            && let Some(shown) = self.plan.redaction.address(peer.ip())
        {
            self.address(Field::ClientIp, "network.peer.address", shown);
            self.int(Field::ClientIp, "network.peer.port", SocketAddr::port(&peer).into());
        }
    }

    fn write_reason(&mut self) {
        if let Exported::Kept(why) = self.observation.exported {
            self.text(Field::Sampled, "sightline.kept", why.as_str().as_bytes());
        }
    }

    fn write_status(&mut self) {
        const ERROR: u64 = 2;
        let refusal = self.refusal();
        if let Some(error) = refusal.filter(|_| self.observation.error_type().is_none()) {
            self.write_error(error);
        }
        if self.observation.is_error() || refusal.is_some() {
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
}

#[cfg(test)]
mod tests;

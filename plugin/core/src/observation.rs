//! What is known of a finished request. Every signal reads this and asks nobody else.

use std::net::IpAddr;
use std::time::Duration;

use crate::captured::Captured;
use crate::config::WhichLines;
use crate::ending::Ending;
use crate::hop::Hop;
use crate::identity::{RequestId, TraceContext};
use crate::log::Level;
use crate::red::custom::Seen;
use crate::red::{Parts, Version};
use crate::route::{Number, Route};
use crate::sampling::Kept;
use crate::{Direction, Plan, RequestHead, ResponseHead, Wall, address, grpc};

/// All that is known of a finished request.
#[derive(Debug)]
pub struct Observation<'a> {
    pub(crate) head: &'a RequestHead,
    pub(crate) response: ResponseHead,
    pub(crate) hop: &'a Hop,
    pub(crate) ending: Ending,
    pub(crate) captured: &'a [Captured],
    /// What custom metrics that apply to it have seen.
    pub(crate) seen: &'a [Seen],
    /// Its ID.
    pub request_id: RequestId,
    /// Its route.
    pub route: Route<'a>,
    /// When it arrived.
    pub began: Wall,
    /// How long it took.
    pub duration: Duration,
    /// How long the response's head took to come, if it came.
    pub to_first_byte: Option<Duration>,
    /// Whether its span is exported.
    pub exported: Exported,
    /// Whether it gets a line.
    pub logged: bool,
}

/// Whether a span is exported, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exported {
    /// It is not.
    No,
    /// Its trace is sampled.
    Sampled,
    /// Its trace is not, but a rule keeps the span.
    Kept(Kept),
}

/// What became of a request, as far as levels and alerts go by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Any status below 400.
    Success,
    /// A 4xx: the client's mistake.
    ClientError,
    /// A 5xx, no response at all, or a gRPC status that is the server's fault.
    Failure,
}

/// What a response is that goes on for as long as it likes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// An upgraded connection.
    WebSocket,
    /// Server-sent events.
    Events,
    /// A gRPC call, which may be one.
    Grpc,
}

impl Observation<'_> {
    /// Its place in a trace.
    pub fn trace(&self) -> &TraceContext {
        &self.hop.context
    }

    /// Whether a span of ours is part of the trace, exported or not.
    pub fn is_traced(&self) -> bool {
        self.hop.has_span()
    }

    /// When it was over.
    pub(crate) fn ended(&self) -> Wall {
        let duration = u64::try_from(self.duration.as_nanos()).unwrap_or(u64::MAX);
        Wall(self.began.0.saturating_add(duration))
    }

    /// The status sent; none if none was.
    #[inline]
    pub fn status(&self) -> Option<u16> {
        self.response.status
    }

    /// What became of the request.
    #[inline]
    pub fn outcome(&self) -> Outcome {
        match self.status() {
            _ if self.grpc_status().is_some_and(grpc::is_servers_fault) => Outcome::Failure,
            Some(400..=499) => Outcome::ClientError,
            Some(..=399) => Outcome::Success,
            Some(_) | None => Outcome::Failure,
        }
    }

    /// Whether the response is a good one, and whole as far as is known.
    #[inline]
    pub(crate) fn is_success(&self) -> bool {
        self.outcome() == Outcome::Success && self.error_type().is_none()
    }

    /// How bad it was. It goes by the status alone.
    #[inline]
    pub fn level(&self) -> Level {
        Level::of(self.outcome())
    }

    /// Who sent it, as it may be shown.
    pub(crate) fn client(&self, plan: &Plan) -> Option<IpAddr> {
        let peer = self.ending.peer.as_deref().and_then(address::peer);
        let client = address::client(&self.head.forwarded_for, plan.trusted_hops, peer);
        client.and_then(|client| plan.redaction.address(client))
    }

    /// Why it failed, in one word that says little enough to be a label: the host's reason, else the status of the call, else
    /// of the response. What the app's own error is, only its status says. None where it did not fail.
    #[inline]
    pub fn error_type(&self) -> Option<ErrorType> {
        let flags = self.ending.flags;
        let cut_short = self.is_cut_short() || flags.client_gone() && self.stream().is_none();
        let failed = self.outcome() == Outcome::Failure;
        if !failed && !cut_short {
            return None;
        }
        Some(match (flags.reason(), self.grpc_status(), self.status()) {
            (Some(reason), _, _) => ErrorType::Reason(reason),
            (None, Some(code), _) if grpc::is_servers_fault(code) => {
                ErrorType::Reason(grpc::name(code))
            }
            (None, _, Some(status)) => ErrorType::Status(status),
            (None, _, None) => ErrorType::Reason("_OTHER"),
        })
    }

    /// Whether its span is an error. That a client did not wait for the end is nobody's mistake.
    pub(crate) fn is_error(&self) -> bool {
        self.outcome() == Outcome::Failure || self.is_cut_short()
    }

    /// Whether an answer that had begun was not the app's whole answer. An upgraded connection ends when the app
    /// closes it, which is how it should.
    fn is_cut_short(&self) -> bool {
        let flags = self.ending.flags;
        flags.cut_short() && !(flags.upstream_closed() && self.stream() == Some(Stream::WebSocket))
    }

    /// What kind of stream the response is, if it is one.
    #[inline]
    pub fn stream(&self) -> Option<Stream> {
        match self.status() {
            Some(101) => Some(Stream::WebSocket),
            _ if self.response.event_stream => Some(Stream::Events),
            _ => self.head.is_grpc.then_some(Stream::Grpc),
        }
    }

    /// The status of a gRPC call.
    #[inline]
    pub(crate) fn grpc_status(&self) -> Option<u32> {
        self.ending.grpc_status.filter(|_| self.head.is_grpc)
    }

    /// What tells the series that counts it apart. A response that was cut short counts as what it began as: to know
    /// of that, the host would have to be asked about each request.
    #[inline]
    pub(crate) fn parts(&self, route: Number, direction: Direction) -> Parts {
        Parts {
            direction,
            method: self.head.method(),
            scheme: self.head.scheme(),
            route,
            status: self.status().unwrap_or(0),
            error: match self.outcome() {
                Outcome::Failure => self.error_type(),
                Outcome::Success | Outcome::ClientError => self.refusal(direction),
            },
            version: self.ending.protocol.as_deref().map_or(Version::Unknown, Version::from_bytes),
            stream: self.stream(),
        }
    }

    /// What a caller is told of its own mistake: an error where we stand on its side. The host's reason is no part of it,
    /// because that is only asked for if there is a span.
    fn refusal(&self, direction: Direction) -> Option<ErrorType> {
        match (direction, self.grpc_status(), self.outcome()) {
            (Direction::Inbound, ..) => None,
            (_, Some(code @ 1..), _) => Some(ErrorType::Reason(grpc::name(code))),
            (_, _, Outcome::ClientError) => self.status().map(ErrorType::Status),
            _ => None,
        }
    }

    /// Whether it can stand for others: its span is one that can be looked at.
    #[inline]
    pub(crate) fn is_exemplary(&self) -> bool {
        self.exported != Exported::No
    }

    /// Whether these are among the requests that get a line.
    pub(crate) fn is_among(&self, lines: WhichLines) -> bool {
        match lines {
            WhichLines::All => true,
            WhichLines::Errors => !self.is_success(),
            WhichLines::None => false,
        }
    }
}

/// Why a request failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorType {
    /// In one word.
    Reason(&'static str),
    /// As the status says.
    Status(u16),
}

impl ErrorType {
    /// The word, or the digits of the status, written into the buffer.
    pub(crate) fn text(self, digits: &mut [u8; 3]) -> &str {
        match self {
            Self::Reason(reason) => reason,
            Self::Status(status) => {
                let mut rest = status;
                for place in digits.iter_mut().rev() {
                    *place = b'0' + u8::try_from(rest % 10).unwrap_or(0);
                    rest /= 10;
                }
                std::str::from_utf8(digits).unwrap_or_default()
            }
        }
    }
}

#[cfg(test)]
mod tests;

//! Calls that modules make to clusters, over HTTP and gRPC: what they asked, and how far the answer
//! has come.
//!
//! This is state only. What moves it is in `answer` (time goes on) and in the hostcalls (the module
//! goes on); `grpc` knows that protocol's framing, `service` reads how a module names where to call,
//! and `trouble` has what Envoy answers where a cluster does not.

mod answer;
pub(crate) mod grpc;
mod service;
mod trouble;
mod under_way;

pub(crate) use service::{Service, Target};
pub(crate) use trouble::Trouble;
pub(crate) use under_way::UnderWay;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::hostcalls::headers::MapKind;
use crate::{HeaderMap, Message};

/// A call of a module, as the cluster saw it. A call that never got there leaves none: the cluster
/// is missing, has no host or refuses connections, or the module took the call back at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callout {
    /// The cluster that was named.
    pub cluster: String,
    /// What the cluster was sent, up to now. It is not whole while a stream of gRPC is not closed
    /// by the module.
    pub request: Message,
    /// How long the module would wait for the answer; `None` is for ever.
    pub timeout: Option<Duration>,
    /// The thread that the module called on: 0 is the main thread, then come the workers.
    pub thread: usize,
    /// What the call is in terms of gRPC, if it is one.
    pub grpc: Option<Grpc>,
}

/// What a call of gRPC is, besides a request of HTTP.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grpc {
    /// The full name of the service.
    pub service: String,
    /// The name of its method.
    pub method: String,
    /// What was sent: one message, unless the call is a stream.
    pub messages: Vec<Vec<u8>>,
}

impl Callout {
    pub(crate) fn send(&mut self, message: Option<&[u8]>, ends: bool) {
        if let Some(message) = message {
            self.request.body.extend(grpc::frame(message));
            self.grpc.get_or_insert_default().messages.push(message.to_vec());
        }
        self.request.whole = ends;
    }
}

/// The cluster, then the request.
impl fmt::Display for Callout {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "to {}", self.cluster)?;
        self.request.fmt(out)
    }
}

/// What kind of call it is, which the lowest two bits of its token tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Http,
    Unary,
    Stream,
}

impl Kind {
    /// The kind that a token says; of the fourth there are no calls.
    pub(crate) fn of(token: u32) -> Option<Self> {
        [Self::Http, Self::Unary, Self::Stream].into_iter().find(|kind| *kind as u32 == token & 3)
    }
}

/// The tokens that were given out, of each kind.
#[derive(Debug, Default)]
pub(crate) struct Tokens([u32; 3]);

impl Tokens {
    /// A new token of this kind. It is used up even when nothing comes of the call.
    pub(crate) fn next(&mut self, kind: Kind) -> u32 {
        let given = &mut self.0[kind as usize];
        *given = given.wrapping_add(1);
        given.wrapping_mul(4) + kind as u32
    }
}

/// The calls of a root: those under way, and what the module is being shown of an answer.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    under_way: BTreeMap<u32, UnderWay>,
    shown: Shown,
    status: Status,
}

/// What a module can read while it is told of an answer.
#[derive(Debug, Default)]
struct Shown {
    answer: Option<Message>,
    initial: Option<HeaderMap>,
    trailing: Option<HeaderMap>,
    message: Vec<u8>,
}

/// What `proxy_get_status` tells. The message goes when the callback is over, and the code stays.
#[derive(Clone, Debug, Default)]
pub(crate) struct Status {
    pub(crate) code: u32,
    pub(crate) message: Vec<u8>,
}

impl Calls {
    /// The map of this kind that the module is being shown.
    pub(crate) fn map(&self, kind: MapKind) -> Option<&HeaderMap> {
        let answer = self.shown.answer.as_ref();
        match kind {
            MapKind::Call => answer.map(|answer| &answer.headers),
            MapKind::CallTrailers => answer.and_then(|answer| answer.trailers.as_ref()),
            MapKind::GrpcInitial => self.shown.initial.as_ref(),
            MapKind::GrpcTrailing => self.shown.trailing.as_ref(),
            _ => None,
        }
    }

    /// The body of the answer that the module is being shown.
    pub(crate) fn body(&self) -> Option<&[u8]> {
        self.shown.answer.as_ref().map(|answer| answer.body.as_slice())
    }

    /// The message of gRPC that the module is being shown.
    pub(crate) fn message(&self) -> &[u8] {
        &self.shown.message
    }

    pub(crate) fn status(&self) -> &Status {
        &self.status
    }

    pub(crate) fn begin(&mut self, token: u32, call: UnderWay) {
        self.under_way.insert(token, call);
    }

    pub(crate) fn get(&mut self, token: u32) -> Option<&mut UnderWay> {
        self.under_way.get_mut(&token)
    }

    /// Forgets a call; what still comes of it finds nothing.
    pub(crate) fn forget(&mut self, token: u32) -> Option<UnderWay> {
        self.under_way.remove(&token)
    }

    /// Shows metadata, and says how the module is to be told of it: the export, and how much it is.
    pub(crate) fn show(&mut self, metadata: Metadata) -> (&'static str, u32) {
        let (place, export, headers) = match metadata {
            Metadata::Initial(headers) => {
                (&mut self.shown.initial, "proxy_on_grpc_receive_initial_metadata", headers)
            }
            Metadata::Trailing(headers) => {
                (&mut self.shown.trailing, "proxy_on_grpc_receive_trailing_metadata", headers)
            }
        };
        let size = u32::try_from(headers.len()).unwrap_or(u32::MAX);
        *place = Some(headers);
        (export, size)
    }

    /// Shows no metadata any more.
    pub(crate) fn hide(&mut self) {
        self.shown.initial = None;
        self.shown.trailing = None;
    }

    /// The module has been told. A stream stays until both sides have closed it.
    fn told(&mut self, token: u32) {
        self.shown.answer = None;
        self.shown.message.clear();
        self.status.message.clear();
        if self.under_way.get(&token).is_some_and(UnderWay::is_over) {
            self.forget(token);
        }
    }
}

/// Something of an answer that comes.
#[derive(Debug)]
pub(crate) enum Arrival {
    /// The request has come to the cluster.
    Request,
    /// The cluster's next piece.
    Piece,
    /// The module does not wait any longer.
    TimedOut,
    /// Something that the module is told of a call of gRPC.
    Said(Said),
    /// The module has been told of something.
    Told,
}

/// What a module is told of a call of gRPC.
#[derive(Debug)]
pub(crate) enum Said {
    Metadata(Metadata),
    Message(Vec<u8>),
    Close(Status),
}

/// What comes before the messages of a stream, and what comes after them.
#[derive(Debug)]
pub(crate) enum Metadata {
    Initial(HeaderMap),
    Trailing(HeaderMap),
}

impl Said {
    fn initial(headers: HeaderMap) -> Self {
        Self::Metadata(Metadata::Initial(headers))
    }

    fn trailing(headers: HeaderMap) -> Self {
        Self::Metadata(Metadata::Trailing(headers))
    }

    pub(crate) fn close(code: u32, message: impl Into<Vec<u8>>) -> Self {
        Self::Close(Status { code, message: message.into() })
    }
}

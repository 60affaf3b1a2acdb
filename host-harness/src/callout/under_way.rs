//! One call under way: what is still to be sent, what has come, and who has closed what.

use std::collections::VecDeque;
use std::time::Duration;

use super::{Callout, Kind};
use crate::Message;
use crate::cluster::Cluster;
use crate::piece::Piece;

/// A call under way.
#[derive(Debug)]
pub(crate) struct UnderWay {
    pub(super) cluster: Cluster,
    pub(super) sent: Sent,
    pub(super) kind: Kind,
    /// The module has sent all.
    whole: bool,
    /// The module has closed its side of a stream by `proxy_grpc_close`.
    pub(crate) closed: bool,
    /// The cluster has said all, or Envoy has in its place.
    pub(crate) ended: bool,
    /// What the cluster has still to send.
    pub(super) answer: VecDeque<Piece>,
    pub(super) answer_begun: bool,
    /// What has come of the answer.
    pub(super) got: Message,
    /// The part of a message of gRPC that has come.
    pub(super) frames: Vec<u8>,
    /// The last message that came for a call that is no stream.
    pub(super) message: Option<Vec<u8>>,
    /// When the request came to the cluster, by the monotonic clock.
    pub(super) began: u64,
}

/// Where a request is.
#[derive(Debug)]
pub(super) enum Sent {
    /// Still here.
    Waiting(Box<Callout>),
    /// At the cluster, and in this place among the host's callouts.
    There(usize),
}

impl UnderWay {
    pub(crate) fn new(kind: Kind, cluster: Cluster, callout: Callout) -> Self {
        Self {
            cluster,
            sent: Sent::Waiting(Box::new(callout)),
            kind,
            whole: kind != Kind::Stream,
            closed: false,
            ended: false,
            answer: VecDeque::new(),
            answer_begun: false,
            got: Message::default(),
            frames: Vec::new(),
            message: None,
            began: 0,
        }
    }

    /// How long the module would wait; the request has not set out yet.
    pub(crate) fn timeout(&self) -> Option<Duration> {
        match &self.sent {
            Sent::Waiting(callout) => callout.timeout,
            Sent::There(_) => None,
        }
    }

    pub(super) fn is_over(&self) -> bool {
        match self.kind {
            Kind::Http | Kind::Unary => true,
            Kind::Stream => self.ended && self.closed,
        }
    }

    /// One more message on a stream, unless the module has said that there are no more. So long
    /// from now the answer begins, if it was this that it waited for.
    pub(crate) fn send(
        &mut self,
        message: Option<&[u8]>,
        ends: bool,
        callouts: &mut [Callout],
    ) -> Option<Duration> {
        if self.whole || self.ended {
            return None;
        }
        let callout = match &mut self.sent {
            Sent::Waiting(callout) => Some(&mut **callout),
            Sent::There(place) => callouts.get_mut(*place),
        };
        if let Some(callout) = callout {
            callout.send(message, ends);
        }
        self.whole = ends;
        self.begin_answer()
    }

    /// How long from now the answer begins, if it is now that it can.
    pub(super) fn begin_answer(&mut self) -> Option<Duration> {
        let first = self.answer.front().filter(|_| self.whole && !self.answer_begun)?;
        self.answer_begun = true;
        Some(first.after)
    }
}

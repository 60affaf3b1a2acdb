//! The client's side of a stream: what it sends, what it is sent, and that it may go away.

use super::reply::Reply;
use super::{Flag, Half, Stream, Way};
use crate::event::Event;
use crate::host::time::Deadline;
use crate::host::{Host, StreamId};
use crate::piece::{Act, Piece};
use crate::refusal::{self, Refusal};
use crate::request::Protocol;
use crate::{HeaderMap, Message, topology};
use std::time::Duration;

impl Host {
    /// A request arrives.
    pub(crate) fn arrive(&mut self, id: StreamId, leaves: Option<Duration>) {
        self.process.later(Duration::ZERO, Event::Asked(id));
        if let Some(time) = leaves {
            self.set_deadline(id, Deadline::Leaves, time);
        }
        self.moved(id);
    }

    /// The client's next piece is there.
    pub(crate) fn asked(&mut self, id: StreamId) {
        if !self.lives(id) {
            return;
        }
        let is_full = self.is_full(id, Way::Request);
        let stream = self.stream(id);
        if is_full || stream.waits_for_change() {
            stream.plan.client_waits = true;
            return;
        }
        let Some(piece) = stream.plan.asking.pop_front() else { return };
        let next = stream.plan.asking.front().map(|piece| piece.after);
        let is_first = matches!(piece.act, Act::Headers(_));
        if let Some(after) = next {
            self.process.later(after, Event::Asked(id));
        }
        if self.stream(id).aborted && !is_first {
            return;
        }
        self.moved(id);
        match piece.act {
            Act::Headers(headers) => self.asked_headers(id, headers, piece.ends),
            Act::Data(data) => self.data(id, Way::Request, data, piece.ends),
            Act::Trailers(trailers) => self.trailers(id, Way::Request, trailers),
            Act::Informational(_) | Act::Reset => {}
        }
    }

    fn asked_headers(&mut self, id: StreamId, mut headers: HeaderMap, ends: bool) {
        let protocol = self.stream(id).info.protocol;
        let refusal = refusal::of(&headers, protocol, &self.process.world.manager);
        if let Some(refusal) = refusal.filter(|_| self.stream(id).plan.before.is_none()) {
            return self.refuse(id, headers, ends, &refusal);
        }
        let may_change = self.receive(id, &mut headers);
        let stream = self.stream(id);
        if !may_change || stream.plan.before.is_some() {
            (stream.request.headers, stream.request.ended) = (Some(headers), ends);
            return if may_change { self.answered_before(id) } else { self.refuse_upgrade(id) };
        }
        // What the module answers while it is told of the stream waits for the headers too.
        stream.within = Some(Way::Request);
        self.create(id);
        self.stream(id).within = None;
        self.headers(id, Way::Request, headers, ends);
        if self.stream(id).plan.upgrade && !self.stream(id).aborted && self.lives(id) {
            // The codec tells of the change as of a piece of body.
            self.data(id, Way::Request, Vec::new(), false);
        }
    }

    /// What the connection manager does before the filters are asked. Returns whether the client may
    /// have the protocol that it asks for.
    fn receive(&mut self, id: StreamId, headers: &mut HeaderMap) -> bool {
        refusal::take_apart(headers);
        let manager = self.process.world.manager.clone();
        let refused = manager.refuses_upgrade(headers);
        let stream = self.stream(id);
        stream.info.source = Some(topology::source(&manager, headers, id.0));
        if manager.answers_expectation(headers) {
            stream.saw.informational.push(HeaderMap::from_iter([(":status", "100")]));
        }
        let scheme = stream.info.protocol.scheme();
        manager.receive(headers, scheme, &mut self.process.world);
        self.stream(id).plan.upgrade = headers.get("upgrade").is_some();
        !refused
    }

    /// Nobody is asked about a request that cannot be read, or that has no place to go.
    fn refuse(&mut self, id: StreamId, mut headers: HeaderMap, ends: bool, refusal: &Refusal) {
        if refusal.is_read {
            headers.remove(":scheme");
            let request = &mut self.stream(id).request;
            (request.headers, request.ended) = (Some(headers), ends);
        }
        self.refuse_with(id, &refusal.reply);
    }

    /// No filter is asked about a protocol that the client may not change to.
    fn refuse_upgrade(&mut self, id: StreamId) {
        self.refuse_with(id, &Reply::new(403, "", "upgrade_failed"));
    }

    fn refuse_with(&mut self, id: StreamId, reply: &Reply) {
        reply.explain(&mut self.stream(id).info);
        self.send_past_filter(id, reply);
    }

    /// Headers of a response have passed our filter, or go past it.
    pub(super) fn send_headers(&mut self, id: StreamId, ends: bool) {
        let process = &mut *self.process;
        let Some(stream) = process.streams.get_mut(&id) else { return };
        let Some(headers) = &mut stream.response.headers else { return };
        if headers.status().is_none() {
            return self.send_without_status(id);
        }
        if stream.saw.client.is_some() {
            stream.saw.garbled = true;
            return;
        }
        process.world.manager.send(headers, &process.world);
        let unfinished = !stream.request.ended && !stream.plan.upgrade;
        if (unfinished || stream.plan.closes) && stream.info.protocol.ends_apart() {
            headers.add("connection", "close");
        }
        stream.info.code = headers.status();
        let mut headers = headers.clone();
        if ends && stream.info.protocol.ends_apart() && needs_length(&headers, &stream.request) {
            headers.add("content-length", "0");
        }
        stream.saw.client = Some(Message { headers, ..Message::default() });
        if std::mem::take(&mut stream.plan.client_waits) && stream.is_changed() {
            process.later(Duration::ZERO, Event::Asked(id));
        }
        if ends {
            self.sent_all(id);
        }
    }

    /// The module has taken the status away.
    fn send_without_status(&mut self, id: StreamId) {
        let what = "missing required header: :status";
        let details =
            format!("filter_removed_required_response_headers{{{}}}", what.replace(' ', "_"));
        self.refuse_with(id, &Reply::new(502, what, &details));
    }

    pub(super) fn send_data(&mut self, id: StreamId, piece: &[u8], ends: bool) {
        let stream = self.stream(id);
        stream.info.sent += piece.len() as u64;
        if let Some(client) = stream.saw.client.as_mut().filter(|_| !stream.saw.garbled) {
            client.body.extend_from_slice(piece);
        }
        if ends {
            self.sent_all(id);
        }
    }

    pub(super) fn send_trailers(&mut self, id: StreamId) {
        let trailers = self.stream(id).response.trailers.clone();
        if let Some(client) = &mut self.stream(id).saw.client {
            client.trailers = trailers;
        }
        self.sent_all(id);
    }

    /// One piece of an answer that does not pass our filter.
    pub(super) fn send_piece(&mut self, id: StreamId, piece: Piece) {
        match piece.act {
            Act::Headers(headers) => {
                self.stream(id).response.headers = Some(headers);
                self.send_headers(id, piece.ends);
            }
            Act::Data(data) => self.send_data(id, &data, piece.ends),
            Act::Trailers(trailers) => {
                self.stream(id).response.trailers = Some(trailers);
                self.send_trailers(id);
            }
            Act::Informational(_) | Act::Reset => {}
        }
    }

    fn sent_all(&mut self, id: StreamId) {
        let saw = &mut self.stream(id).saw;
        if let Some(client) = &mut saw.client {
            client.whole = !saw.garbled;
        }
        self.end(id);
    }

    /// The client goes away.
    pub(crate) fn leaves(&mut self, id: StreamId) {
        let stream = self.stream(id);
        stream.aborted = true;
        if stream.info.protocol == Protocol::Http3 {
            // Nobody says why.
        } else if stream.plan.hangs_up || stream.info.protocol.ends_apart() {
            stream.info.flag(Flag::DownstreamConnectionTermination);
            stream.info.details = Some("downstream_remote_disconnect".into());
        } else {
            stream.info.flag(Flag::DownstreamRemoteReset);
            stream.info.details = Some("http2.remote_reset".into());
        }
        self.cut(id);
    }

    /// Nothing has moved for as long as the connection manager waits.
    pub(crate) fn idle(&mut self, id: StreamId) {
        let stream = self.stream(id);
        stream.plan.deadlines.remove(&Deadline::Idle);
        stream.info.flag(Flag::StreamIdleTimeout);
        let whole = stream.request.ended;
        if stream.saw.client.is_some() {
            stream.info.details = Some("stream_idle_timeout".into());
            return self.cut(id);
        }
        let status = if whole { 504 } else { 408 };
        self.local_reply(id, Reply::new(status, "stream timeout", "stream_idle_timeout"));
    }

    /// Something moved, so the idle timer begins anew.
    pub(super) fn moved(&mut self, id: StreamId) {
        let time = self.process.world.manager.idle_timeout;
        self.set_deadline(id, Deadline::Idle, time);
    }

    pub(super) fn set_deadline(&mut self, id: StreamId, deadline: Deadline, time: Duration) {
        let at = self.process.world.ahead(time);
        self.stream(id).plan.deadlines.insert(deadline, at);
    }
}

impl Stream {
    /// Whether the client speaks another protocol from now on.
    pub(super) fn is_changed(&self) -> bool {
        self.plan.upgrade && self.info.code == Some(101)
    }

    /// Whether the client has sent all that it can before it speaks another protocol.
    fn waits_for_change(&self) -> bool {
        let has_begun = self.request.headers.is_some();
        self.plan.upgrade && has_begun && !(self.saw.client.is_some() && self.is_changed())
    }
}

/// Whether HTTP/1 must be told that there is no body.
fn needs_length(response: &HeaderMap, request: &Half) -> bool {
    let head = request.headers.as_ref().is_some_and(|it| it.get(":method") == Some(b"HEAD"));
    let never = [&b"1"[..], b"204", b"304"];
    let status = response.get(":status").unwrap_or_default();
    response.get("content-length").is_none()
        && !head
        && !never.iter().any(|start| status.starts_with(start))
}

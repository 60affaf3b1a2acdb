//! Where requests go once our filter has let them pass: to the application, or to an answer of
//! Envoy's own.

use std::time::Duration;

use super::reply::Reply;
use super::{Flag, Stream, Way};
use crate::event::Event;
use crate::host::time::Deadline;
use crate::host::{Host, StreamId};
use crate::piece::{Act, Piece};
use crate::refusal::{self, has_control, is_token};
use crate::{HeaderMap, Message, Route};

/// How the body of an answer begins that Envoy gives because the application gave none.
const NO_ANSWER: &str = "upstream connect error or disconnect/reset before headers.";

impl Host {
    /// A request's headers have passed our filter.
    pub(super) fn route_headers(&mut self, id: StreamId, ends: bool) {
        let now = self.process.world.monotonic();
        let stream = self.stream(id);
        if let Some(status) = stream.plan.aborted {
            let reply = Reply::new(status, "fault filter abort", "fault_filter_abort");
            return self.local_reply(id, reply.flagged(Flag::FaultInjected));
        }
        let headers = stream.request.headers.get_or_insert_default();
        let reply = own_answer(&stream.plan.route, headers);
        // The router looks for a host once it has begun.
        if reply.is_none() || stream.plan.route == Route::NoHost {
            stream.info.attempts = 1;
            if let Some(timeout) = stream.plan.timeout {
                let timeout = timeout.as_millis().to_string();
                headers.overwrite("x-envoy-expected-rq-timeout-ms", timeout);
            }
        }
        if let Some(reply) = reply {
            return self.local_reply(id, reply);
        }
        let mut headers = headers.clone();
        if ends && needs_length(&headers) {
            headers.add("content-length", "0");
        }
        stream.info.chosen = Some(now);
        let request = Message { headers, whole: ends, ..Message::default() };
        // A module that lets its headers go on before it has answered sends them twice.
        stream.saw.upstream.extend(stream.plan.sending.replace(request));
        self.process.later(Duration::ZERO, Event::Connected(id));
    }

    /// A piece of a request's body has passed our filter.
    pub(super) fn route_data(&mut self, id: StreamId, piece: &[u8], ends: bool) {
        if let Some(request) = self.stream(id).on_its_way() {
            request.body.extend_from_slice(piece);
            request.whole = ends;
            self.maybe_answer(id);
        }
    }

    /// A request's trailers have passed our filter.
    pub(super) fn route_trailers(&mut self, id: StreamId) {
        let trailers = self.stream(id).request.trailers.clone();
        if let Some(request) = self.stream(id).on_its_way() {
            request.trailers = trailers;
            request.whole = true;
            self.maybe_answer(id);
        }
    }

    /// Connecting takes no time, but a turn of the event loop: what has come by then is sent, and
    /// what was answered by then is not.
    pub(crate) fn connected(&mut self, id: StreamId) {
        if !self.lives(id) || self.stream(id).aborted {
            return;
        }
        let stream = self.stream(id);
        if stream.plan.route == Route::Refused {
            return self.refused(id);
        }
        stream.info.connected = true;
        let sending = stream.plan.sending.take();
        stream.saw.upstream.extend(sending);
        self.maybe_answer(id);
    }

    /// The application begins its answer when it has the whole request, or at once if it is early.
    fn maybe_answer(&mut self, id: StreamId) {
        let now = self.process.world.monotonic();
        let ends = self.stream(id).on_its_way().is_some_and(|request| request.whole);
        if ends {
            self.stream(id).info.asked.get_or_insert(now);
        }
        if let Some(timeout) = self.stream(id).plan.timeout.filter(|_| ends) {
            self.set_deadline(id, Deadline::Answer, timeout);
        }
        let stream = self.stream(id);
        if stream.plan.sending.is_some() {
            return;
        }
        let early = stream.plan.attempts.front().is_some_and(|answer| answer.early);
        if (ends || early || stream.plan.upgrade) && !stream.plan.answer_begun {
            stream.plan.answer_begun = true;
            self.attempt(id);
        }
    }

    /// Attempts at the application, until one is good enough or the last.
    fn attempt(&mut self, id: StreamId) {
        let plan = &mut self.stream(id).plan;
        let mut failed = 0;
        while plan.attempts.len() > 1 && plan.attempts[0].invites_retry() {
            plan.attempts.pop_front();
            failed += 1;
        }
        let Some(answer) = plan.attempts.pop_front() else { return };
        plan.retried = failed > 0;
        let stream = self.stream(id);
        let method = stream.request.headers.as_ref().and_then(|headers| headers.get(":method"));
        stream.plan.answering = answer.to(method.unwrap_or_default()).pieces(true);
        stream.info.attempts += failed;
        for _ in 0..failed {
            stream.saw.upstream.extend(stream.saw.upstream.last().cloned());
        }
        self.next_answer(id);
    }

    pub(super) fn next_answer(&mut self, id: StreamId) {
        let plan = &self.stream(id).plan;
        if let Some(piece) = plan.answering.front() {
            let (after, event) = (piece.after, Event::Answered(id, plan.attempt));
            self.process.later(after, event);
        }
    }

    /// The application's next piece is there, or that of a filter before ours.
    pub(crate) fn answered(&mut self, id: StreamId, attempt: u32) {
        if !self.lives(id) || self.stream(id).plan.attempt != attempt {
            return;
        }
        let is_full = self.is_full(id, Way::Response);
        let plan = &mut self.stream(id).plan;
        if is_full {
            plan.app_waits = true;
            return;
        }
        let Some(piece) = plan.answering.pop_front() else { return };
        let past_filter = plan.past_filter;
        self.moved(id);
        self.came(id, &piece);
        match piece.act {
            _ if past_filter => self.send_piece(id, piece),
            Act::Informational(headers) => self.inform(id, headers),
            Act::Headers(headers) if self.follows(id, &headers) => return self.follow(id, headers),
            Act::Headers(headers) => self.answer_headers(id, headers, piece.ends),
            Act::Data(data) => self.data(id, Way::Response, data, piece.ends),
            Act::Trailers(trailers) => self.trailers(id, Way::Response, trailers),
            Act::Reset => return self.upstream_reset(id),
        }
        if self.lives(id) {
            self.next_answer(id);
        }
    }

    /// Something has come from the application, if not from a filter before ours.
    fn came(&mut self, id: StreamId, piece: &Piece) {
        let now = self.process.world.monotonic();
        let stream = self.stream(id);
        let is_last = piece.ends || matches!(piece.act, Act::Trailers(_));
        if is_last && !stream.plan.past_filter {
            stream.info.answered = Some(now);
        }
    }

    /// A response before the response goes past all filters, or nowhere.
    fn inform(&mut self, id: StreamId, headers: HeaderMap) {
        if self.process.world.manager.proxy_100_continue {
            self.stream(id).saw.informational.push(headers);
        }
    }

    fn answer_headers(&mut self, id: StreamId, mut headers: HeaderMap, ends: bool) {
        headers.trim();
        // The codec takes it for itself; what else belongs to the connection the filters see.
        headers.remove("keep-alive");
        if !is_readable(&headers) {
            return self.unreadable(id);
        }
        let now = self.process.world.monotonic();
        let stream = self.stream(id);
        // Envoy counts from the end of the request, and not at all before it.
        if let Some(asked) = stream.info.asked {
            let taken = (now - asked) / 1_000_000;
            headers.overwrite("x-envoy-upstream-service-time", taken.to_string());
        }
        stream.info.code = headers.status();
        if stream.plan.retried && stream.info.code.is_some_and(|code| code >= 500) {
            stream.info.flag(Flag::UpstreamRetryLimitExceeded);
        }
        stream.info.explain("via_upstream");
        self.headers(id, Way::Response, headers, ends);
        if self.lives(id) && self.stream(id).is_changed() {
            self.data(id, Way::Response, Vec::new(), false);
        }
    }

    fn upstream_reset(&mut self, id: StreamId) {
        let stream = self.stream(id);
        if stream.response.headers.is_some() {
            return self.cut_short(id);
        }
        self.no_answer(id, 503, "connection termination", Flag::UpstreamConnectionTermination);
    }

    /// What the application answers is not HTTP.
    fn unreadable(&mut self, id: StreamId) {
        self.no_answer(id, 502, "protocol error", Flag::UpstreamProtocolError);
    }

    fn no_answer(&mut self, id: StreamId, status: u16, reason: &str, flag: Flag) {
        let retried = self.stream(id).plan.retried;
        let begin =
            if retried { " retried and the latest reset reason:" } else { " reset reason:" };
        let body = format!("{NO_ANSWER}{begin} {reason}");
        let reason = reason.replace(' ', "_");
        let details = format!("upstream_reset_before_response_started{{{reason}}}");
        let mut reply = Reply::new(status, &body, &details).flagged(flag);
        if retried {
            reply = reply.flagged(Flag::UpstreamRetryLimitExceeded);
        }
        self.local_reply(id, reply);
    }

    /// The application's connection ends in the middle of its answer, which HTTP/1 takes for a
    /// mistake in the answer; after a change of protocol nobody can tell.
    fn cut_short(&mut self, id: StreamId) {
        let upgrade = self.stream(id).is_changed();
        if upgrade {
            self.data(id, Way::Response, Vec::new(), false);
        }
        let (flag, reason) = if upgrade {
            (Flag::UpstreamConnectionTermination, "connection_termination")
        } else {
            (Flag::UpstreamProtocolError, "protocol_error")
        };
        if self.lives(id) {
            let stream = self.stream(id);
            stream.info.flag(flag);
            let details = format!("upstream_reset_after_response_started{{{reason}}}");
            stream.info.details = Some(details);
            self.cut(id);
        }
    }

    fn refused(&mut self, id: StreamId) {
        let body = format!("{NO_ANSWER} reset reason: remote connection failure");
        let details = "upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error:_Connection_refused}";
        let reply = Reply::new(503, &body, details);
        self.local_reply(id, reply.flagged(Flag::UpstreamConnectionFailure));
    }

    /// The route's time is over.
    pub(crate) fn timed_out(&mut self, id: StreamId) {
        const DETAILS: &str = "response_timeout";
        let stream = self.stream(id);
        stream.plan.deadlines.remove(&Deadline::Answer);
        if stream.response.headers.is_some() {
            stream.info.flag(Flag::UpstreamRequestTimeout);
            stream.info.details = Some(DETAILS.into());
            return self.cut(id);
        }
        let reply = Reply::new(504, "upstream request timeout", DETAILS);
        self.local_reply(id, reply.flagged(Flag::UpstreamRequestTimeout));
    }
}

impl Stream {
    /// The request as far as it has passed our filter, to the application or still to be sent.
    pub(super) fn on_its_way(&mut self) -> Option<&mut Message> {
        self.plan.sending.as_mut().or(self.saw.upstream.last_mut())
    }
}

/// What Envoy answers without asking anybody.
fn own_answer(route: &Route, request: &HeaderMap) -> Option<Reply> {
    // Without x-forwarded-proto Envoy takes it for a request that it has answered already.
    let routable = request.get(":path").is_some_and(|path| path.starts_with(b"/"))
        && request.get("x-forwarded-proto").is_some_and(|scheme| !scheme.is_empty());
    Some(match route {
        Route::Missing => missing_route(),
        _ if !routable => missing_route(),
        Route::MissingCluster => Reply::new(503, "", "cluster_not_found").flagged(Flag::NoCluster),
        Route::NoHost => Reply::new(503, "no healthy upstream", "no_healthy_upstream")
            .flagged(Flag::NoHealthyUpstream),
        Route::Direct(status, body) => Reply::bytes(*status, body.clone(), "direct_response"),
        Route::Redirect(location) => {
            let headers = HeaderMap::from_iter([("location", location)]);
            Reply::new(301, "", "direct_response").with(headers)
        }
        Route::Upstream | Route::Refused => return invalid(request),
    })
}

/// Whether HTTP/1 tells the application that there is no body.
fn needs_length(request: &HeaderMap) -> bool {
    let method = request.get(":method").unwrap_or_default();
    let has_body = !matches!(method, b"GET" | b"HEAD" | b"DELETE" | b"TRACE" | b"CONNECT");
    has_body && request.get("content-length").is_none() && request.get("upgrade").is_none()
}

/// Whether an answer's headers are such as HTTP allows.
fn is_readable(response: &HeaderMap) -> bool {
    let is_fine = |name: &[u8], value: &[u8]| {
        (name.starts_with(b":") || is_token(name)) && !has_control(value)
    };
    response.iter().all(|(name, value)| is_fine(name, value))
}

fn missing_route() -> Reply {
    Reply::new(404, "", "route_not_found").flagged(Flag::NoRoute)
}

/// What keeps a request from being sent on, after what a filter made of it.
fn invalid(request: &HeaderMap) -> Option<Reply> {
    let problem = match request.get(":method") {
        None => "missing required header: :method".to_owned(),
        Some(b"CONNECT") => "missing required header: :protocol".to_owned(),
        Some(_) => refusal::unsendable(request)?,
    };
    Some(
        Reply::new(503, &problem, &refusal::details_of_unsendable(&problem))
            .flagged(Flag::DownstreamProtocolError),
    )
}

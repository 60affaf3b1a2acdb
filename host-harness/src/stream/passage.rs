//! How headers, body and trailers pass our filter, the same on both ways: shown to the module, held
//! back when it says so, and let go again.
//!
//! This follows Envoy's filter manager, whose rules are less than obvious. A filter that stops at
//! the headers stops everything, and sees the body only when it lets all go on. A filter that stops
//! at a piece of the body is shown the next piece all the same.

use super::{Stop, Way};
use std::time::Duration;

use crate::HeaderMap;
use crate::event::Event;
use crate::host::{Host, StreamId};
use crate::vm::Entered;

/// What the module said to a piece of a stream, after Envoy's conversions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    GoOn,
    StopAll,
    /// Everything is stopped, and what comes must not be more than may be buffered.
    BufferAll,
    /// Of headers: the headers alone. Of body and trailers: stopped, and the piece is not kept.
    Stop,
    /// Stopped, and the piece is kept.
    Hold,
    /// Stopped, and the piece is kept and shown with the next.
    Buffer,
}

impl Host {
    /// Headers come to our filter.
    pub(crate) fn headers(&mut self, id: StreamId, way: Way, headers: HeaderMap, ends: bool) {
        let count = count(&headers);
        let half = self.stream(id).half(way);
        half.headers = Some(headers);
        half.ended = ends;
        half.last_piece = ends;
        if !self.shown_to_filter(id, way) {
            return self.pass_headers(id, way, ends);
        }
        self.stream(id).half(way).shows_headers = true;
        let says = self.ask_headers(id, way, count, ends);
        let half = self.stream(id).half(way);
        match says {
            Says::GoOn => {
                half.shows_headers = false;
                self.pass_headers(id, way, ends);
            }
            Says::StopAll | Says::BufferAll => {
                half.stop = Stop::All;
                half.limited = says == Says::BufferAll;
            }
            _ => half.stop = Stop::Single,
        }
        self.send_prepared(id);
    }

    /// A piece of a body comes to our filter.
    pub(crate) fn data(&mut self, id: StreamId, way: Way, piece: Vec<u8>, ends: bool) {
        let half = self.stream(id).half(way);
        half.bytes += piece.len() as u64;
        half.ended |= ends;
        if half.stop == Stop::All {
            half.hold(&piece);
            let limited = half.limited;
            self.mind_the_limit(id, way, limited);
            return;
        }
        if self.shown_to_filter(id, way) {
            self.show_data(id, way, piece, ends);
        } else {
            self.pass_data(id, way, &piece, ends);
        }
    }

    /// Trailers come to our filter.
    pub(crate) fn trailers(&mut self, id: StreamId, way: Way, trailers: HeaderMap) {
        let count = count(&trailers);
        let half = self.stream(id).half(way);
        half.trailers = Some(trailers);
        half.ended = true;
        if half.stop == Stop::All {
            return;
        }
        if !self.shown_to_filter(id, way) {
            return self.pass_trailers(id, way);
        }
        self.stream(id).half(way).shows_trailers = true;
        let says = self.ask_trailers(id, way, count);
        let half = self.stream(id).half(way);
        if says == Says::GoOn {
            half.shows_trailers = false;
            if half.stop == Stop::No {
                self.pass_trailers(id, way);
            } else {
                self.resume(id, way);
            }
        } else {
            half.stop = Stop::Single;
        }
        self.send_prepared(id);
    }

    /// What was stopped goes on.
    pub(crate) fn resume(&mut self, id: StreamId, way: Way) {
        let stream = self.stream(id);
        if stream.over || stream.aborted && way == Way::Request {
            return;
        }
        let asked_at_headers = stream.within == Some(way);
        let half = stream.half(way);
        if asked_at_headers && half.stop == Stop::No && !half.headers_passed {
            // The callback has not answered yet. Envoy sends the headers on all the same, and what
            // the callback then answers still counts.
            let ends = half.ended;
            return self.pass_headers(id, way, ends);
        }
        if half.headers.is_none() || half.stop == Stop::No {
            return;
        }
        let from_filter = half.stop == Stop::All;
        half.stop = Stop::No;
        let had_trailers = half.trailers.is_some();
        if !half.headers_passed {
            let ends = half.ended && half.held.is_none() && !had_trailers;
            self.pass_headers(id, way, ends);
        }
        let half = self.stream(id).half(way);
        let ends = half.ended && !had_trailers;
        if let Some(held) = half.held.take() {
            self.read_on(id, way);
            if from_filter && self.shown_to_filter(id, way) {
                self.show_data(id, way, held, ends);
            } else {
                self.pass_data(id, way, &held, ends);
            }
        }
        if had_trailers {
            self.resume_trailers(id, way, from_filter);
        }
    }

    fn resume_trailers(&mut self, id: StreamId, way: Way, from_filter: bool) {
        if self.stream(id).over {
            return;
        }
        if !from_filter {
            return self.pass_trailers(id, way);
        }
        if let Some(trailers) = self.stream(id).half(way).trailers.take() {
            self.trailers(id, way, trailers);
        }
    }

    fn show_data(&mut self, id: StreamId, way: Way, piece: Vec<u8>, ends: bool) {
        let half = self.stream(id).half(way);
        if half.buffering {
            half.hold(&piece);
            half.passing = Some(Vec::new());
            // What is answered to too much of a request waits for the callback; the module is asked first.
            self.stream(id).within = Some(way);
            self.mind_the_limit(id, way, true);
            self.stream(id).within = None;
            if self.stream(id).over {
                return;
            }
        } else {
            half.passing = Some(piece);
        }
        let half = self.stream(id).half(way);
        (half.last_piece, half.piece_is_gone) = (ends, false);
        let size = half.body().map_or(0, Vec::len);
        let says = self.ask_data(id, way, size, ends);
        self.after_data(id, way, says, ends);
        self.send_prepared(id);
    }

    fn after_data(&mut self, id: StreamId, way: Way, says: Says, ends: bool) {
        let half = self.stream(id).half(way);
        half.buffering = false;
        if says == Says::GoOn {
            let piece = half.passing.take().unwrap_or_default();
            if half.stop == Stop::No && half.held.is_none() {
                // The module may have made trailers at the last piece.
                let adds_trailers = ends && half.trailers.is_some();
                self.pass_data(id, way, &piece, ends && !adds_trailers);
                if adds_trailers {
                    self.pass_trailers(id, way);
                }
                return;
            }
            half.hold(&piece);
            half.stop = Stop::Single;
            return self.resume(id, way);
        }
        half.stop = Stop::Single;
        match says {
            Says::Buffer | Says::Hold => {
                let piece = half.passing.as_mut().map(std::mem::take).unwrap_or_default();
                half.hold(&piece);
                half.buffering = says == Says::Buffer;
                self.mind_the_limit(id, way, says == Says::Buffer);
            }
            // So that the end is passed on even where nothing was kept.
            _ if half.ended && half.held.is_none() => half.held = Some(Vec::new()),
            _ => {}
        }
    }

    fn ask_headers(&mut self, id: StreamId, way: Way, count: u32, ends: bool) -> Says {
        let export = match way {
            Way::Request => "proxy_on_request_headers",
            Way::Response => "proxy_on_response_headers",
        };
        let may_stop = self.plugin_of(id).may_stop_iteration;
        match self.ask(id, way, export, &[count, ends.into()]) {
            Answer::Number(0 | 2) => Says::GoOn,
            Answer::Number(1) if may_stop => Says::Stop,
            Answer::Number(3) => Says::BufferAll,
            Answer::Number(_) | Answer::Stopped => Says::StopAll,
        }
    }

    fn ask_data(&mut self, id: StreamId, way: Way, size: usize, ends: bool) -> Says {
        let export = match way {
            Way::Request => "proxy_on_request_body",
            Way::Response => "proxy_on_response_body",
        };
        let size = u32::try_from(size).unwrap_or(u32::MAX);
        match self.ask(id, way, export, &[size, ends.into()]) {
            Answer::Number(0) => Says::GoOn,
            Answer::Number(1) => Says::Buffer,
            Answer::Number(2) => Says::Hold,
            Answer::Number(_) | Answer::Stopped => Says::Stop,
        }
    }

    fn ask_trailers(&mut self, id: StreamId, way: Way, count: u32) -> Says {
        let export = match way {
            Way::Request => "proxy_on_request_trailers",
            Way::Response => "proxy_on_response_trailers",
        };
        match self.ask(id, way, export, &[count]) {
            Answer::Number(0) => Says::GoOn,
            Answer::Number(_) | Answer::Stopped => Says::Stop,
        }
    }

    /// Enters the module for a stream, unless it failed; where it has failed, what then happens
    /// depends on the policy.
    fn ask(&mut self, id: StreamId, way: Way, export: &'static str, args: &[u32]) -> Answer {
        if let Some(answer) = self.failed(id) {
            return answer;
        }
        self.stream(id).within = Some(way);
        let entered = self.enter_stream(id, export, args);
        let answer = match entered {
            Entered::Missing => Answer::Number(0),
            Entered::Answered(number) => Answer::Number(number),
            Entered::Trapped => self.failed(id).unwrap_or(Answer::Stopped),
        };
        let stopped = self.stopped();
        // What the module wanted done is done before the filter's answer counts.
        self.act();
        self.stream(id).within = None;
        if stopped { Answer::Stopped } else { answer }
    }

    /// What is to be done where the VM has failed.
    fn failed(&mut self, id: StreamId) -> Option<Answer> {
        if !self.filter_has_failed(id) {
            return None;
        }
        // Whatever the policy: it decides about new streams only.
        self.fail_stream(id);
        Some(Answer::Stopped)
    }

    /// Whether our filter has anything to say to this.
    fn shown_to_filter(&mut self, id: StreamId, way: Way) -> bool {
        let Some(filter) = &self.stream(id).filter else { return false };
        filter.created && !(filter.failed && way == Way::Response)
    }

    fn pass_headers(&mut self, id: StreamId, way: Way, ends: bool) {
        if self.stops_here(id, way) {
            return;
        }
        self.stream(id).half(way).headers_passed = true;
        match way {
            Way::Request => self.route_headers(id, ends),
            Way::Response => self.send_headers(id, ends),
        }
    }

    fn pass_data(&mut self, id: StreamId, way: Way, piece: &[u8], ends: bool) {
        if self.stops_here(id, way) {
            return;
        }
        match way {
            Way::Request => self.route_data(id, piece, ends),
            Way::Response => self.send_data(id, piece, ends),
        }
    }

    fn pass_trailers(&mut self, id: StreamId, way: Way) {
        if self.stops_here(id, way) {
            return;
        }
        match way {
            Way::Request => self.route_trailers(id),
            Way::Response => self.send_trailers(id),
        }
    }

    /// Nothing of a request goes on once it has its answer.
    fn stops_here(&mut self, id: StreamId, way: Way) -> bool {
        let stream = self.stream(id);
        let answered = stream.aborted || stream.prepared.is_some();
        stream.over || answered && way == Way::Request
    }

    /// Answers by itself what would hold back too much.
    fn mind_the_limit(&mut self, id: StreamId, way: Way, buffering: bool) {
        if buffering && self.is_full(id, way) && self.stream(id).prepared.is_none() {
            self.too_much_held(id, way);
        }
    }

    /// Whether a way holds back as much as it may. Nothing more is then read for it.
    pub(super) fn is_full(&mut self, id: StreamId, way: Way) -> bool {
        let most = self.process.world.most_buffered;
        self.stream(id).half(way).held.as_ref().is_some_and(|held| held.len() > most)
    }

    /// Nothing is held back any more: whoever had to wait with what comes next sends it.
    fn read_on(&mut self, id: StreamId, way: Way) {
        let plan = &mut self.stream(id).plan;
        let event = match way {
            Way::Request if std::mem::take(&mut plan.client_waits) => Event::Asked(id),
            Way::Response if std::mem::take(&mut plan.app_waits) => {
                Event::Answered(id, plan.attempt)
            }
            _ => return,
        };
        self.process.later(Duration::ZERO, event);
    }
}

/// What came of asking the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Number(u32),
    /// It answered the request by itself, or failed.
    Stopped,
}

fn count(map: &HeaderMap) -> u32 {
    u32::try_from(map.len()).unwrap_or(u32::MAX)
}

//! How an answer comes: what each thing that happens to a call changes, and what the module is told
//! of it.

use super::under_way::Sent;
use super::{Arrival, Kind, Said, Status, Trouble, UnderWay, grpc};
use crate::cluster;
use crate::event::{Action, Event};
use crate::host::Host;
use crate::piece::{Act, Piece};
use crate::vm::{Entered, VmRef};
use crate::{HeaderMap, Message};

/// Envoy holds no more of an answer than this.
const MOST_BODY: usize = 32 << 20;

/// What the module is told of a call whose answer breaks off: `BrokenConnection`.
const BROKEN_CONNECTION: u32 = 11;

/// Whose call it is.
#[derive(Clone, Copy, Debug)]
struct Place {
    vm: VmRef,
    root: u32,
    token: u32,
}

impl Host {
    /// Something of a callout's answer is there. The call may be long gone, or its root, or its VM.
    pub(crate) fn called(&mut self, vm: VmRef, root: u32, token: u32, arrival: Arrival) {
        let place = Place { vm, root, token };
        match arrival {
            Arrival::Request => self.arrive_at_cluster(place),
            Arrival::Piece => self.next_piece(place),
            Arrival::TimedOut => self.fail_call(place, &Trouble::TimedOut),
            Arrival::Said(said) => self.say(place, said),
            Arrival::Told => {
                if let Some(root) = self.root(vm, root) {
                    root.calls.told(token);
                }
            }
        }
    }

    fn call(&mut self, at: Place) -> Option<&mut UnderWay> {
        let call = self.root(at.vm, at.root)?.calls.get(at.token)?;
        (!call.ended).then_some(call)
    }

    fn arrive_at_cluster(&mut self, at: Place) {
        let (place, now) = (self.process.callouts.len(), self.process.world.monotonic());
        let Some(call) = self.call(at) else { return };
        call.began = now;
        let answer = match &call.cluster.0 {
            cluster::Kind::Answering(answer) => answer.clone(),
            cluster::Kind::Refusing => return self.fail_call(at, &Trouble::Refused),
            cluster::Kind::Empty => return self.fail_call(at, &Trouble::NoHost),
        };
        let Sent::Waiting(callout) = std::mem::replace(&mut call.sent, Sent::There(place)) else {
            return;
        };
        if let Some(trouble) = Trouble::of(&callout.request.headers) {
            call.sent = Sent::Waiting(callout);
            return self.fail_call(at, &trouble);
        }
        let answer = answer(&callout.request);
        call.answer = answer.pieces(false);
        call.answer_begun = answer.early;
        let first = if answer.early {
            call.answer.front().map(|first| first.after)
        } else {
            call.begin_answer()
        };
        self.process.callouts.push(*callout);
        if let Some(after) = first {
            self.expect_piece(at, after);
        }
    }

    fn expect_piece(&mut self, at: Place, after: std::time::Duration) {
        let Place { vm, root, token } = at;
        self.process.later(after, Event::Called { vm, root, token, arrival: Arrival::Piece });
    }

    fn next_piece(&mut self, at: Place) {
        let now = self.process.world.monotonic();
        let Some(call) = self.call(at) else { return };
        let (kind, began) = (call.kind, call.began);
        let Some(mut piece) = call.answer.pop_front() else { return };
        let next = call.answer.front().map(|next| next.after);
        if let Act::Headers(headers) = &mut piece.act {
            let taken = now.saturating_sub(began) / 1_000_000;
            headers.overwrite("x-envoy-upstream-service-time", taken.to_string());
        }
        match piece.act {
            Act::Informational(_) => {}
            Act::Reset => return self.fail_call(at, &Trouble::Reset),
            _ if kind == Kind::Http => self.http_piece(at, piece),
            _ => self.grpc_piece(at, piece),
        }
        if let Some(after) = next.filter(|_| self.call(at).is_some()) {
            self.expect_piece(at, after);
        }
    }

    fn http_piece(&mut self, at: Place, piece: Piece) {
        let Some(call) = self.call(at) else { return };
        match piece.act {
            Act::Headers(headers) => call.got.headers = headers,
            Act::Data(data) => call.got.body.extend(data),
            Act::Trailers(trailers) => call.got.trailers = Some(trailers),
            Act::Informational(_) | Act::Reset => {}
        }
        if call.got.body.len() > MOST_BODY {
            return self.break_call(at);
        }
        if piece.ends {
            let answer = std::mem::take(&mut call.got);
            self.answer_call(at, Message { whole: true, ..answer });
        }
    }

    /// The module is told of an answer over HTTP.
    fn answer_call(&mut self, at: Place, answer: Message) {
        let Some(root) = self.root(at.vm, at.root) else { return };
        let trailers = answer.trailers.as_ref().map_or(0, HeaderMap::len);
        let sizes = [answer.headers.len(), answer.body.len(), trailers].map(word);
        root.calls.shown.answer = Some(answer);
        self.tell_of_answer(at, sizes);
    }

    /// The module is told that there is no answer over HTTP, not even one of Envoy's own.
    fn break_call(&mut self, at: Place) {
        let Some(root) = self.root(at.vm, at.root) else { return };
        root.calls.status = Status { code: BROKEN_CONNECTION, message: b"reset".into() };
        self.tell_of_answer(at, [0; 3]);
    }

    fn tell_of_answer(&mut self, at: Place, [headers, body, trailers]: [u32; 3]) {
        if let Some(call) = self.call(at) {
            call.ended = true;
        }
        self.will_be_told(at);
        let args = [at.token, headers, body, trailers];
        self.enter_root(at.vm, at.root, "proxy_on_http_call_response", &args);
    }

    /// What the module is shown goes before anything is done that the module asks for meanwhile.
    fn will_be_told(&mut self, at: Place) {
        let Place { vm, root, token } = at;
        let told = Action::Called { vm, root, token, arrival: Arrival::Told };
        self.process.actions.push_back(told);
    }

    fn fail_call(&mut self, at: Place, trouble: &Trouble) {
        let Some(call) = self.call(at) else { return };
        let (kind, begun) = (call.kind, !call.got.headers.is_empty());
        match (kind, begun) {
            (Kind::Http, true) => self.break_call(at),
            (Kind::Http, false) => {
                let answer = trouble.answer(&self.request_headers(at));
                self.answer_call(at, answer);
            }
            (_, true) => {
                let said = grpc::broken(grpc::INTERNAL, trouble.details_after_headers());
                self.tell_all(at, said);
            }
            (_, false) => self.tell_all(at, trouble.said(kind)),
        }
    }

    fn request_headers(&mut self, at: Place) -> HeaderMap {
        let place = match self.call(at).map(|call| &call.sent) {
            Some(Sent::Waiting(callout)) => return callout.request.headers.clone(),
            Some(Sent::There(place)) => *place,
            None => return HeaderMap::new(),
        };
        self.process.callouts[place].request.headers.clone()
    }

    fn grpc_piece(&mut self, at: Place, piece: Piece) {
        let Some(call) = self.call(at) else { return };
        let said = match piece.act {
            Act::Headers(headers) => {
                call.got.headers = headers.clone();
                grpc::begin(headers, piece.ends)
            }
            Act::Data(data) => call.messages(&data, piece.ends),
            Act::Trailers(trailers) => grpc::end(trailers).into(),
            Act::Informational(_) | Act::Reset => Vec::new(),
        };
        self.tell_all(at, said);
    }

    /// The module is told of these, unless it takes the call back meanwhile.
    fn tell_all(&mut self, at: Place, said: impl IntoIterator<Item = Said>) {
        for said in said {
            let Some(call) = self.call(at) else { return };
            if let Some(said) = call.heard(said) {
                self.say(at, said);
            }
        }
    }

    fn say(&mut self, at: Place, said: Said) {
        let Some(root) = self.root(at.vm, at.root) else { return };
        match said {
            Said::Metadata(metadata) => {
                let (export, size) = root.calls.show(metadata);
                self.enter_with(at, export, size);
                // Unlike all else, it is shown until what the module asked for is done.
                if let Some(root) = self.root(at.vm, at.root) {
                    root.calls.hide();
                }
            }
            Said::Message(message) => {
                let size = word(message.len());
                root.calls.shown.message = message;
                self.will_be_told(at);
                self.enter_with(at, "proxy_on_grpc_receive", size);
            }
            Said::Close(status) => self.close_call(at, status),
        }
    }

    fn enter_with(&mut self, at: Place, export: &'static str, number: u32) -> Entered {
        self.enter_root(at.vm, at.root, export, &[at.token, number])
    }

    /// Of a module that does not want to know, the status stays as it was.
    fn close_call(&mut self, at: Place, status: Status) {
        let Some(root) = self.root(at.vm, at.root) else { return };
        if let Some(call) = root.calls.get(at.token) {
            call.ended = true;
        }
        let code = status.code;
        let before = std::mem::replace(&mut root.calls.status, status);
        self.will_be_told(at);
        if self.enter_with(at, "proxy_on_grpc_close", code) == Entered::Missing
            && let Some(root) = self.root(at.vm, at.root)
        {
            root.calls.status.code = before.code;
        }
    }
}

impl UnderWay {
    /// What the module is to hear of this. Where the call is no stream, that is one thing at the
    /// end.
    fn heard(&mut self, said: Said) -> Option<Said> {
        if self.kind == Kind::Stream {
            return Some(said);
        }
        match said {
            Said::Metadata(_) => None,
            Said::Message(message) => {
                self.message = Some(message);
                None
            }
            Said::Close(Status { code: 0, .. }) => {
                self.ended = true;
                let message = self.message.take().map(Said::Message);
                message.or_else(|| Some(Said::close(grpc::INTERNAL, "")))
            }
            close @ Said::Close(_) => Some(close),
        }
    }

    /// The messages of one more piece of a body.
    fn messages(&mut self, data: &[u8], ends: bool) -> Vec<Said> {
        self.frames.extend_from_slice(data);
        let (messages, readable) = grpc::take_messages(&mut self.frames);
        let mut said: Vec<_> = messages.into_iter().map(Said::Message).collect();
        if readable.is_err() {
            said.extend(grpc::broken(grpc::INTERNAL, grpc::DETAILS));
        } else if ends {
            said.extend(grpc::broken(grpc::UNKNOWN, grpc::DETAILS));
        }
        said
    }
}

fn word(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

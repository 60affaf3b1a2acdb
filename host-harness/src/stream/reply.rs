//! What Envoy answers by itself, and how such an answer comes to the client: through our filter
//! where it can, past it where the response has begun, and not at all where it has left.

use super::{Flag, Info, Way};
use crate::error::Failure;
use crate::host::{Host, StreamId};
use crate::{HeaderMap, grpc};

/// An answer of Envoy's own, or one that a module gives by itself.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    status: u16,
    body: Vec<u8>,
    /// Beside those that every such answer has.
    headers: HeaderMap,
    grpc: Option<u32>,
    details: String,
    flags: Vec<Flag>,
}

impl Reply {
    pub(crate) fn new(status: u16, body: &str, details: &str) -> Self {
        Self::bytes(status, body.as_bytes().to_vec(), details)
    }

    pub(crate) fn bytes(status: u16, body: Vec<u8>, details: &str) -> Self {
        let headers = HeaderMap::new();
        Self { status, body, headers, grpc: None, details: details.into(), flags: Vec::new() }
    }

    pub(crate) fn with(mut self, headers: HeaderMap) -> Self {
        self.headers = headers;
        self
    }

    pub(crate) fn grpc(mut self, status: Option<u32>) -> Self {
        self.grpc = status;
        self
    }

    pub(crate) fn flagged(mut self, flag: Flag) -> Self {
        self.flags.push(flag);
        self
    }

    /// The response's headers, and its body. A request of gRPC is answered in gRPC's way, and HEAD
    /// without a body.
    fn render(&self, request: &HeaderMap) -> (HeaderMap, Vec<u8>) {
        let mut headers = HeaderMap::from_iter([(":status", self.status.to_string())]);
        self.headers.iter().for_each(|(name, value)| headers.add(name, value));
        headers.overwrite(":status", self.status.to_string());
        let head = request.get(":method") == Some(b"HEAD");
        if grpc::is_grpc(request) {
            self.speak_grpc(&mut headers, head);
            return (headers, Vec::new());
        }
        if self.body.is_empty() {
            headers.remove("content-length");
            headers.remove("content-type");
        } else {
            headers.overwrite("content-length", self.body.len().to_string());
            if headers.get("content-type").is_none() {
                headers.add("content-type", "text/plain");
            }
        }
        let head = request.get(":method") == Some(b"HEAD");
        (headers, if head { Vec::new() } else { self.body.clone() })
    }

    /// Says why there is this answer.
    pub(super) fn explain(&self, info: &mut Info) {
        info.details = Some(self.details.clone());
        self.flags.iter().for_each(|flag| info.flag(*flag));
    }

    fn speak_grpc(&self, headers: &mut HeaderMap, head: bool) {
        let status = self.grpc.unwrap_or_else(|| grpc::status_of_http(self.status));
        headers.overwrite(":status", "200");
        headers.overwrite("content-type", "application/grpc");
        if headers.get("grpc-status").is_none_or(<[u8]>::is_empty) {
            headers.overwrite("grpc-status", status.to_string());
        }
        if !self.body.is_empty() && !head {
            headers.overwrite("grpc-message", percent_encoded(&self.body));
        }
        headers.remove("content-length");
    }
}

impl Host {
    /// Envoy answers by itself.
    pub(crate) fn local_reply(&mut self, id: StreamId, reply: Reply) {
        let stream = self.stream(id);
        reply.explain(&mut stream.info);
        if stream.response.headers.is_some() {
            if stream.saw.client.is_some() {
                return self.cut(id);
            }
            return self.send_past_filter(id, &reply);
        }
        if stream.within == Some(Way::Request) {
            stream.prepared.get_or_insert(reply);
            return;
        }
        self.send_reply(id, &reply);
    }

    /// What had to wait until the filter's callback was over.
    pub(super) fn send_prepared(&mut self, id: StreamId) {
        if let Some(reply) = self.stream(id).prepared.take() {
            self.send_reply(id, &reply);
        }
    }

    fn send_reply(&mut self, id: StreamId, reply: &Reply) {
        let (headers, body) = self.begin_reply(id, reply);
        self.headers(id, Way::Response, headers, body.is_empty());
        if !body.is_empty() && self.lives(id) {
            self.data(id, Way::Response, body, true);
        }
    }

    pub(super) fn send_past_filter(&mut self, id: StreamId, reply: &Reply) {
        let (headers, body) = self.begin_reply(id, reply);
        let ends = body.is_empty();
        self.stream(id).response.headers = Some(headers);
        self.send_headers(id, ends);
        if !ends {
            self.send_data(id, &body, true);
        }
    }

    fn begin_reply(&mut self, id: StreamId, reply: &Reply) -> (HeaderMap, Vec<u8>) {
        let stream = self.stream(id);
        stream.aborted = true;
        stream.plan.attempt += 1;
        stream.info.code = Some(reply.status);
        // Envoy takes it for a client that cannot speak.
        stream.plan.closes |= reply.status == 400;
        let empty = HeaderMap::new();
        reply.render(stream.request.headers.as_ref().unwrap_or(&empty))
    }

    /// A module answers by itself.
    pub(crate) fn reply_for_module(&mut self, id: StreamId, reply: Reply) {
        if self.is_past_end(id, "it answers by itself after the stream's end") {
            return;
        }
        self.local_reply(id, reply);
    }

    /// A module cuts a stream.
    pub(crate) fn close(&mut self, id: StreamId) {
        if !self.is_past_end(id, "it closes a stream after its end") {
            self.cut(id);
        }
    }

    /// A module lets a stream go on.
    pub(crate) fn go_on(&mut self, id: StreamId, way: Way) {
        if !self.lives(id) || self.stream(id).info.duration.is_some() {
            return;
        }
        if way == Way::Response && self.stream(id).response.headers.is_none() {
            let what = "it lets a response go on that has not come";
            self.process.surprise.get_or_insert(Failure::WouldCrash(what));
            return;
        }
        self.resume(id, way);
    }

    /// Whether a stream has nothing to be answered or cut any more; if the module tries to all the
    /// same, Envoy logs it for ever.
    fn is_past_end(&mut self, id: StreamId, what: &'static str) -> bool {
        if !self.lives(id) {
            return true;
        }
        let ended = self.stream(id).info.duration.is_some();
        if ended {
            self.process.surprise.get_or_insert(Failure::WouldCrash(what));
        }
        ended
    }

    /// Whether our filter's VM is of no use any more.
    pub(super) fn filter_has_failed(&mut self, id: StreamId) -> bool {
        let Some(filter) = &self.stream(id).filter else { return false };
        filter.vm.is_none_or(|vm| self.vm(vm).is_none_or(|vm| vm.failed))
    }

    /// The stream fails because its VM has.
    pub(super) fn fail_stream(&mut self, id: StreamId) {
        let Some(filter) = &mut self.stream(id).filter else { return };
        if !std::mem::replace(&mut filter.failed, true) {
            self.local_reply(id, Reply::new(503, "", "wasm_fail_stream").grpc(Some(14)));
        }
    }

    /// A way holds back more than it may.
    pub(super) fn too_much_held(&mut self, id: StreamId, way: Way) {
        let reply = match way {
            Way::Request => Reply::new(413, "Payload Too Large", "request_payload_too_large"),
            Way::Response => Reply::new(500, "Internal Server Error", "response_payload_too_large"),
        };
        self.local_reply(id, reply);
    }

    /// A filter before ours answers: our filter only hears of it in the log.
    pub(super) fn answered_before(&mut self, id: StreamId) {
        let stream = self.stream(id);
        let Some(response) = stream.plan.before.take() else { return };
        stream.aborted = true;
        stream.info.details.clone_from(&response.details);
        stream.plan.answering = response.pieces(false);
        stream.plan.past_filter = true;
        self.next_answer(id);
    }
}

fn percent_encoded(text: &[u8]) -> Vec<u8> {
    let mut encoded = Vec::with_capacity(text.len());
    for byte in text {
        match byte {
            b'%' | 0..0x20 | 0x7f.. => encoded.extend(format!("%{byte:02X}").into_bytes()),
            _ => encoded.push(*byte),
        }
    }
    encoded
}

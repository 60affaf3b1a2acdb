//! Answers that Envoy follows by itself, where a route says so: an internal redirect. To a module it
//! is one stream that ends, and then another.

use super::{Half, Info, Way};
use crate::HeaderMap;
use crate::host::{Host, StreamId};
use crate::refusal::parts_of_url;

impl Host {
    /// Whether Envoy follows this answer instead of sending it on. It needs the whole request, and a
    /// whole URL.
    pub(super) fn follows(&mut self, id: StreamId, answer: &HeaderMap) -> bool {
        let stream = self.stream(id);
        stream.plan.follows
            && stream.on_its_way().is_some_and(|request| request.whole)
            && answer.get(":status") == Some(b"302")
            && answer.get("location").and_then(parts_of_url).is_some()
    }

    /// The stream ends, and its request begins anew with another path.
    pub(super) fn follow(&mut self, id: StreamId, answer: HeaderMap) {
        let stream = self.stream(id);
        stream.plan.follows = false;
        stream.plan.attempt += 1;
        stream.plan.answering.clear();
        stream.info.code = Some(302);
        stream.info.details = Some("internal_redirect".into());
        if let Some(request) = &mut stream.request.headers {
            redirect(request, answer.get("location").unwrap_or_default());
        }
        stream.response.headers = Some(answer);
        self.end(id);
        self.begin_anew(id);
    }

    fn begin_anew(&mut self, id: StreamId) {
        let stream = self.stream(id);
        let (thread, old) = (stream.worker + 1, stream.filter.take());
        let filter = old.and_then(|old| self.filter(id, thread, old.version));
        let process = &mut *self.process;
        let Some(stream) = process.streams.get_mut(&id) else { return };
        stream.filter = filter;
        let source = stream.info.source;
        stream.info = Info { source, ..Info::new(stream.info.protocol, &process.world) };
        let request = std::mem::take(&mut stream.request);
        stream.response = Half::default();
        (stream.over, stream.plan.answer_begun, stream.plan.retried) = (false, false, false);
        (stream.state, stream.fixed, stream.declared) = Default::default();
        let sent = stream.saw.upstream.last().cloned().unwrap_or_default();
        let has_body = !sent.body.is_empty();
        self.moved(id);
        self.create(id);
        let headers = request.headers.unwrap_or_default();
        self.headers(id, Way::Request, headers, !has_body && sent.trailers.is_none());
        if has_body && self.lives(id) {
            self.data(id, Way::Request, sent.body, sent.trailers.is_none());
        }
        if let Some(trailers) = sent.trailers.filter(|_| self.lives(id)) {
            self.trailers(id, Way::Request, trailers);
        }
    }
}

/// The request as it is sent to another place.
fn redirect(request: &mut HeaderMap, location: &[u8]) {
    let part = |name: &str| request.get(name).unwrap_or_default().to_vec();
    let original = [&part(":scheme")[..], b"://", &part(":authority"), &part(":path")].concat();
    let Some((authority, path)) = parts_of_url(location) else { return };
    request.overwrite(":authority", authority);
    request.overwrite(":path", path);
    request.add("x-envoy-original-url", original);
}

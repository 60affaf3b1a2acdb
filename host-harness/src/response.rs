//! What an application or a cluster answers, and how it takes its time.

use std::collections::VecDeque;
use std::time::Duration;

use crate::HeaderMap;
use crate::piece::{Act, Piece, Rest};

/// An answer, and how it comes.
#[derive(Clone, Debug)]
pub struct Response {
    pub(crate) headers: HeaderMap,
    informational: Vec<HeaderMap>,
    rest: Rest,
    first_byte: Duration,
    /// What is to pass before the next piece that is said.
    pause: Duration,
    end: End,
    pub(crate) early: bool,
    pub(crate) details: Option<String>,
}

/// How an answer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Whole,
    Reset,
    Never,
}

impl Response {
    /// A response with this status and without a body, at once.
    pub fn new(status: u16) -> Self {
        Self {
            headers: HeaderMap::from_iter([(":status", status.to_string())]),
            informational: Vec::new(),
            rest: Rest::default(),
            first_byte: Duration::ZERO,
            pause: Duration::ZERO,
            end: End::Whole,
            early: false,
            details: None,
        }
    }

    /// No response: the connection is reset.
    pub fn reset() -> Self {
        Self { headers: HeaderMap::new(), end: End::Reset, ..Self::new(0) }
    }

    /// No response: whoever should answer says nothing.
    pub fn silence() -> Self {
        Self { headers: HeaderMap::new(), end: End::Never, ..Self::new(0) }
    }

    /// A response of gRPC with this status and nothing else; with a status that is not 0 and no
    /// message, that is what gRPC calls trailers-only.
    pub fn grpc(status: u32) -> Self {
        Self::new(200)
            .header("content-type", "application/grpc")
            .header("grpc-status", status.to_string())
    }

    /// A response of gRPC with a message; the status comes in the trailers.
    #[must_use]
    pub fn grpc_message(status: u32, message: &[u8]) -> Self {
        let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
        let frame = [&[0], &length.to_be_bytes()[..], message].concat();
        let response = Self::new(200).header("content-type", "application/grpc");
        response.chunk(frame).trailer("grpc-status", status.to_string())
    }

    /// With one more header, beside those that are there.
    #[must_use]
    pub fn header(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        self.headers.add(name, value);
        self
    }

    /// After a response of its own with such a status, 103 for example.
    #[must_use]
    pub fn informational<N: AsRef<[u8]>, V: AsRef<[u8]>>(
        mut self,
        status: u16,
        headers: &[(N, V)],
    ) -> Self {
        let mut map = HeaderMap::from_iter([(":status", status.to_string())]);
        for (name, value) in headers {
            map.add(name, value);
        }
        self.informational.push(map);
        self
    }

    /// Without a header.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    /// With a body in one piece, and a `content-length` that says how long it is.
    #[must_use]
    pub fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        self.headers.replace("content-length", body.len().to_string());
        self.chunk(body)
    }

    /// With one more piece of a body whose length is not said beforehand.
    #[must_use]
    pub fn chunk(mut self, chunk: impl AsRef<[u8]>) -> Self {
        let pause = std::mem::take(&mut self.pause);
        self.rest.chunk(pause, chunk.as_ref());
        self
    }

    /// With a trailer, beside those that are there.
    #[must_use]
    pub fn trailer(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        self.rest.trailer(name, value);
        self
    }

    /// Its headers come so long after it could have begun.
    #[must_use]
    pub fn after(mut self, time: Duration) -> Self {
        self.first_byte = time;
        self
    }

    /// So much time passes before each piece of the body, before the trailers, and before what cuts
    /// it off.
    #[must_use]
    pub fn every(mut self, time: Duration) -> Self {
        self.rest.gap = time;
        self
    }

    /// So much more time passes before the next piece of the body that is said.
    #[must_use]
    pub fn pause(mut self, time: Duration) -> Self {
        self.pause += time;
        self
    }

    /// For these reasons, where a filter gives it; what comes from an application is `via_upstream`.
    #[must_use]
    pub fn details(mut self, details: &str) -> Self {
        self.details = Some(details.into());
        self
    }

    /// It does not wait for the end of the request.
    #[must_use]
    pub fn early(mut self) -> Self {
        self.early = true;
        self
    }

    /// Cut off by a reset, after all that was said.
    #[must_use]
    pub fn then_reset(mut self) -> Self {
        self.end = End::Reset;
        self
    }

    /// Without an end, after all that was said.
    #[must_use]
    pub fn then_silence(mut self) -> Self {
        self.end = End::Never;
        self
    }

    /// As it comes to a request with this method: after its headers nothing, where HTTP has no body.
    /// Another protocol has no end but that of its connection.
    pub(crate) fn to(self, method: &[u8]) -> Self {
        let status = self.headers.get(":status").unwrap_or_default();
        if status == b"101" && self.end == End::Whole {
            return Self { end: End::Reset, ..self };
        }
        if method != b"HEAD" && !matches!(status, b"204" | b"304") {
            return self;
        }
        let end = if self.headers.is_empty() { self.end } else { End::Whole };
        Self { rest: self.rest.emptied(), end, ..self }
    }

    /// Whether the router would try again, did it have another attempt.
    pub(crate) fn invites_retry(&self) -> bool {
        self.headers.is_empty() && self.end == End::Reset
            || self.headers.get(":status").is_some_and(|status| status.starts_with(b"5"))
    }

    /// All that is sent, one after the other.
    pub(crate) fn pieces(&self, ends_apart: bool) -> VecDeque<Piece> {
        let mut pieces: VecDeque<_> = self
            .informational
            .iter()
            .map(|headers| Piece::now(Act::Informational(headers.clone())))
            .collect();
        if !self.headers.is_empty() {
            pieces.push_back(Piece::now(Act::Headers(self.headers.clone())));
        }
        pieces.extend(self.rest.pieces());
        Piece::end(&mut pieces, self.end == End::Whole, ends_apart);
        if self.end == End::Reset {
            pieces.push_back(Piece::after(self.rest.gap, Act::Reset));
        }
        if let Some(first) = pieces.front_mut() {
            first.after += self.first_byte;
        }
        pieces
    }
}

//! A request, and all that becomes of it around the filter: what the test says before it runs.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::Value;

use crate::piece::{Act, Piece, Rest};
use crate::{HeaderMap, PluginId, Response};

/// A request, and how it fares.
#[derive(Clone, Debug)]
pub struct Request {
    pub(crate) headers: HeaderMap,
    rest: Rest,
    unfinished: bool,
    end_apart: bool,
    pub(crate) protocol: Protocol,
    pub(crate) before: Option<Response>,
    pub(crate) aborted: Option<u16>,
    pub(crate) route: Route,
    /// The route's name and metadata, where they are not those of the topology.
    pub(crate) named: Option<(String, Value)>,
    pub(crate) attempts: VecDeque<Response>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) leaves: Option<Duration>,
    pub(crate) hangs_up: bool,
    pub(crate) follows: bool,
    pub(crate) worker: usize,
    pub(crate) plugin: Option<PluginId>,
}

/// Which HTTP the client speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1
    #[default]
    Http11,
    /// HTTP/2
    Http2,
    /// HTTP/3
    Http3,
}

impl Protocol {
    /// As the property `request.protocol` spells it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Http10 => "HTTP/1.0",
            Self::Http11 => "HTTP/1.1",
            Self::Http2 => "HTTP/2",
            Self::Http3 => "HTTP/3",
        }
    }

    /// The scheme of its connection: HTTP/3 is always encrypted, and here nothing else is.
    pub(crate) fn scheme(self) -> &'static str {
        if self == Self::Http3 { "https" } else { "http" }
    }

    /// Whether the end of a body is a message of its own, as it is in HTTP/1.
    pub(crate) fn ends_apart(self) -> bool {
        matches!(self, Self::Http10 | Self::Http11)
    }
}

/// Where Envoy's router sends a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Route {
    /// To the application, which answers as the request says.
    #[default]
    Upstream,
    /// Nowhere: no route matches, so 404.
    Missing,
    /// To a cluster that does not exist, so 503.
    MissingCluster,
    /// To a cluster without a healthy host, so 503.
    NoHost,
    /// To a host that refuses connections, so 503.
    Refused,
    /// Envoy answers by itself, with a status and a body.
    Direct(u16, Vec<u8>),
    /// Envoy answers with a redirect to this location.
    Redirect(String),
}

impl Request {
    /// A GET without a body, over HTTP/1.1, that an application answers with 200 at once.
    pub fn get(path: impl AsRef<[u8]>) -> Self {
        Self::new("GET", path)
    }

    /// A request without a body, over HTTP/1.1, that an application answers with 200 at once.
    pub fn new(method: &str, path: impl AsRef<[u8]>) -> Self {
        let headers: [(&str, &[u8]); 4] = [
            (":authority", b"app.test"),
            (":path", path.as_ref()),
            (":method", method.as_bytes()),
            (":scheme", b"http"),
        ];
        Self {
            headers: HeaderMap::from_iter(headers),
            rest: Rest::default(),
            unfinished: false,
            end_apart: false,
            protocol: Protocol::default(),
            before: None,
            aborted: None,
            route: Route::default(),
            named: None,
            attempts: VecDeque::from([Response::new(200)]),
            timeout: Some(Duration::from_secs(15)),
            leaves: None,
            hangs_up: false,
            follows: false,
            worker: 0,
            plugin: None,
        }
    }

    /// To this host, instead of `app.test`.
    #[must_use]
    pub fn authority(mut self, authority: impl AsRef<[u8]>) -> Self {
        self.headers.overwrite(":authority", authority);
        self
    }

    /// With one more header, beside those that are there.
    #[must_use]
    pub fn header(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        self.headers.add(name, value);
        self
    }

    /// Without a header, which may be one of the four that every request begins with.
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
        self.rest.chunk(Duration::ZERO, chunk.as_ref());
        self
    }

    /// With a trailer, beside those that are there.
    #[must_use]
    pub fn trailer(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        self.rest.trailer(name, value);
        self
    }

    /// So much time passes before each piece of the body and before the trailers.
    #[must_use]
    pub fn every(mut self, time: Duration) -> Self {
        self.rest.gap = time;
        self
    }

    /// Without an end: the client stops in the middle and says nothing more.
    #[must_use]
    pub fn unfinished(mut self) -> Self {
        self.unfinished = true;
        self
    }

    /// With a body whose end is a piece of its own, which is empty. In HTTP/1 it always is.
    #[must_use]
    pub fn end_apart(mut self) -> Self {
        self.end_apart = true;
        self
    }

    /// Asking for another protocol, such as `websocket`. What the client sends then has no end, and
    /// the application does not wait for it.
    #[must_use]
    pub fn upgrade(mut self, protocol: &str) -> Self {
        self.headers.add("connection", "upgrade");
        self.headers.add("upgrade", protocol);
        self.unfinished()
    }

    /// Over another protocol than HTTP/1.1.
    #[must_use]
    pub fn protocol(mut self, protocol: Protocol) -> Self {
        self.protocol = protocol;
        self.headers.overwrite(":scheme", protocol.scheme());
        self
    }

    /// The application answers so.
    #[must_use]
    pub fn answered(mut self, response: Response) -> Self {
        self.attempts = VecDeque::from([response]);
        self
    }

    /// The application answers so when the router tries once more, because the answer before was a
    /// reset or a status of 500 or above.
    #[must_use]
    pub fn then_answered(mut self, response: Response) -> Self {
        self.attempts.push_back(response);
        self
    }

    /// Envoy's router follows an answer of 302 by itself, once: the module sees another request, to
    /// where the first was sent, which the application answers as the next attempt.
    #[must_use]
    pub fn followed(mut self) -> Self {
        self.follows = true;
        self
    }

    /// Envoy's router sends it elsewhere than to the application.
    #[must_use]
    pub fn route(mut self, route: Route) -> Self {
        self.route = route;
        self
    }

    /// The route that it takes has this name and this metadata, and not those of the topology.
    #[must_use]
    pub fn named_route(mut self, name: &str, metadata: Value) -> Self {
        self.named = Some((name.into(), metadata));
        self
    }

    /// The route's timeout, which is 15 seconds without this; zero is none.
    #[must_use]
    pub fn timeout(mut self, time: Duration) -> Self {
        self.timeout = Some(time).filter(|time| !time.is_zero());
        self
    }

    /// A filter before us answers so: the module hears of the request when it is logged, and not
    /// before.
    #[must_use]
    pub fn answered_before_us(mut self, response: Response) -> Self {
        self.before = Some(response);
        self
    }

    /// A filter between us and the router answers so by itself, as Envoy's fault filter does.
    #[must_use]
    pub fn aborted_after_us(mut self, status: u16) -> Self {
        self.aborted = Some(status);
        self
    }

    /// The client goes away after this time, unless all is over by then. In HTTP/2 and HTTP/3 it
    /// resets its stream.
    #[must_use]
    pub fn abandoned_after(mut self, time: Duration) -> Self {
        self.leaves = Some(time);
        self
    }

    /// The client goes away after this time, and ends its connection, whatever it speaks.
    #[must_use]
    pub fn hung_up_after(mut self, time: Duration) -> Self {
        self.hangs_up = true;
        self.abandoned_after(time)
    }

    /// On this worker, counted from 0.
    #[must_use]
    pub fn on_worker(mut self, worker: usize) -> Self {
        self.worker = worker;
        self
    }

    /// Through this plugin, where the host has several.
    #[must_use]
    pub fn through(mut self, plugin: PluginId) -> Self {
        self.plugin = Some(plugin);
        self
    }

    /// What the client sends, one after the other.
    pub(crate) fn pieces(&self) -> VecDeque<Piece> {
        let mut pieces = VecDeque::from([Piece::now(Act::Headers(self.headers.clone()))]);
        pieces.extend(self.rest.pieces());
        let apart = self.end_apart || self.protocol.ends_apart();
        Piece::end(&mut pieces, !self.unfinished, apart);
        pieces
    }
}

//! What goes into the life of a stream, and what comes out of it.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::{Budget, HeaderMap, Line};

/// A request, and how it fares.
#[derive(Clone, Debug)]
pub struct Request {
    pub(crate) headers: HeaderMap,
    pub(crate) ends_with_headers: bool,
    pub(crate) protocol: String,
    pub(crate) course: Course,
}

/// What becomes of a request after us, or before us.
#[derive(Clone, Debug)]
pub(crate) enum Course {
    Upstream(Response),
    Router(Response),
    Earlier(Response),
    Gone(Duration),
}

impl Request {
    /// A GET without a body, over HTTP/1.1, that an upstream answers with 200 at once.
    pub fn get(path: &str) -> Self {
        Self::new("GET", path)
    }

    /// A request without a body, over HTTP/1.1, that an upstream answers with 200 at once.
    pub fn new(method: &str, path: &str) -> Self {
        let headers =
            [(":authority", "app.test"), (":path", path), (":method", method), (":scheme", "http")];
        Self {
            headers: HeaderMap::from_iter(headers),
            ends_with_headers: true,
            protocol: "HTTP/1.1".into(),
            course: Course::Upstream(Response::new(200)),
        }
    }

    /// With one more header, beside those that are there.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.add(name, value);
        self
    }

    /// Without a header, which may be one of the four that every request begins with.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    /// With a body, which only says that the stream does not end with the headers: bodies are not
    /// modelled.
    #[must_use]
    pub fn with_body(mut self) -> Self {
        self.ends_with_headers = false;
        self
    }

    /// Over another protocol, such as `HTTP/2`.
    #[must_use]
    pub fn protocol(mut self, protocol: &str) -> Self {
        self.protocol = protocol.into();
        self
    }

    /// An upstream answers so.
    #[must_use]
    pub fn answered(mut self, response: Response) -> Self {
        self.course = Course::Upstream(response);
        self
    }

    /// Envoy's router answers so by itself, because there is no route, no healthy upstream, or a
    /// direct response.
    #[must_use]
    pub fn answered_by_router(mut self, response: Response) -> Self {
        self.course = Course::Router(response);
        self
    }

    /// A filter before us answers so: the module hears of the request when it is logged, and not
    /// before.
    #[must_use]
    pub fn answered_before_us(mut self, response: Response) -> Self {
        self.course = Course::Earlier(response);
        self
    }

    /// The client goes away after this time, and no response has come.
    #[must_use]
    pub fn abandoned_after(mut self, time: Duration) -> Self {
        self.course = Course::Gone(time);
        self
    }
}

/// A response, and how long it takes.
#[derive(Clone, Debug)]
pub struct Response {
    pub(crate) headers: HeaderMap,
    pub(crate) ends_with_headers: bool,
    pub(crate) first_byte: Duration,
    pub(crate) rest: Duration,
}

impl Response {
    /// A response with this status and with a body, at once.
    pub fn new(status: u16) -> Self {
        Self {
            headers: HeaderMap::from_iter([(":status", status.to_string())]),
            ends_with_headers: false,
            first_byte: Duration::ZERO,
            rest: Duration::ZERO,
        }
    }

    /// With one more header, beside those that are there.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.add(name, value);
        self
    }

    /// Without a body, as after HEAD or with 204: the stream ends with the headers.
    #[must_use]
    pub fn without_body(mut self) -> Self {
        self.ends_with_headers = true;
        self
    }

    /// Its headers come so long after the request's. The clocks go on by that.
    #[must_use]
    pub fn after(mut self, time: Duration) -> Self {
        self.first_byte = time;
        self
    }

    /// It ends so long after its headers. The clocks go on by that.
    #[must_use]
    pub fn lasting(mut self, time: Duration) -> Self {
        self.rest = time;
        self
    }
}

/// What came of a request.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The request's headers as the upstream saw them; `None` if none saw the request.
    pub upstream: Option<HeaderMap>,
    /// The response's headers as the client saw them; `None` if it saw no response.
    pub client: Option<HeaderMap>,
    /// Filter state that the module left, by its full name, such as `wasm.line`.
    pub state: BTreeMap<String, Vec<u8>>,
    /// Where the module held the stream up, if it did.
    pub pause: Option<Pause>,
    /// What the module logged meanwhile.
    pub log: Vec<Line>,
    /// What the request cost.
    pub budget: Budget,
}

/// Where a module held a stream up. This host cannot make it go on, so the client goes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pause {
    /// At the request's headers: no upstream saw the request.
    Request,
    /// At the response's headers: the client saw no response.
    Response,
}

impl Outcome {
    pub(crate) fn new() -> Self {
        Self {
            upstream: None,
            client: None,
            state: BTreeMap::new(),
            pause: None,
            log: Vec::new(),
            budget: Budget::default(),
        }
    }
}

impl fmt::Display for Pause {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Request => "paused at the request's headers",
            Self::Response => "paused at the response's headers",
        })
    }
}

/// The whole outcome but the log, as stable text.
impl fmt::Display for Outcome {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        section(out, "upstream saw", self.upstream.as_ref())?;
        section(out, "client saw", self.client.as_ref())?;
        if let Some(pause) = self.pause {
            writeln!(out, "{pause}")?;
        }
        for (name, value) in &self.state {
            writeln!(out, "{name} = {}", String::from_utf8_lossy(value))?;
        }
        self.budget.fmt(out)
    }
}

fn section(out: &mut fmt::Formatter<'_>, title: &str, headers: Option<&HeaderMap>) -> fmt::Result {
    let Some(headers) = headers else {
        return writeln!(out, "{title} nothing");
    };
    writeln!(out, "{title}")?;
    headers.to_string().lines().try_for_each(|line| writeln!(out, "  {line}"))
}

//! What a scenario file may say of a request and of its answer, as types.
//!
//! It is what either side puts on the wire. What comes out at the other side is for the host to say.

use std::time::Duration;

use serde::Deserialize;

use super::bytes::Bytes;
use super::format::Step;

/// Header fields in their order.
pub type Fields = Vec<(Bytes, Bytes)>;

/// A request, and how it fares.
///
/// A body goes out in chunks, unless a `content-length` is among the headers. Each chunk is sent
/// once the proxy has read the one before. With `upgrade` among the headers, the body is what the
/// client says in the new protocol. A client lives at 127.0.0.2, and goes away once it has heard
/// nothing for 2 s.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Request {
    /// Which plugin's listener it goes to: 0 is the first plugin's, 1 the first of `also`.
    pub plugin: usize,
    /// `GET` if nothing else is said.
    pub method: String,
    /// `/` if nothing else is said.
    pub path: Bytes,
    /// The host; `app.test` if nothing else is said.
    pub authority: Bytes,
    /// Header fields, after the host.
    pub headers: Fields,
    /// The body, chunk by chunk.
    pub body: Vec<Bytes>,
    /// Trailers after the body.
    pub trailers: Fields,
    /// HTTP/1.1 if nothing else is said.
    pub protocol: Protocol,
    /// When the client goes away, if it does not stay.
    pub leaves: Option<Leaves>,
    /// What the app does with it.
    pub upstream: Answer,
    /// What happens once the app has the request, before it answers.
    pub meanwhile: Vec<Step>,
}

/// What a client speaks.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// Plain.
    #[serde(rename = "HTTP/1.0")]
    Http10,
    /// Plain.
    #[default]
    #[serde(rename = "HTTP/1.1")]
    Http11,
    /// Plain, without an upgrade.
    #[serde(rename = "HTTP/2")]
    Http2,
    /// Over QUIC.
    #[serde(rename = "HTTP/3")]
    Http3,
}

/// When a client goes away.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Leaves {
    /// Once the upstream has the request, which it then does not answer.
    BeforeAnswer,
    /// Once the client has the answer's head. The upstream then says no more.
    InAnswer,
}

/// What a server does with a request.
///
/// A body goes out in chunks, unless a `content-length` is among the headers; with neither body nor
/// trailers there is `content-length: 0`, but not with a status that forbids it. Each chunk is sent
/// once the proxy has read the one before.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Answer {
    /// 200 if nothing else is said.
    pub status: u16,
    /// Header fields.
    pub headers: Fields,
    /// The body, chunk by chunk.
    pub body: Vec<Bytes>,
    /// gRPC messages: each is a chunk, after those of `body`, with its length in front.
    pub messages: Vec<Bytes>,
    /// Trailers after the body.
    pub trailers: Fields,
    /// How long it takes to begin.
    #[serde(with = "super::bytes::time")]
    pub after: Duration,
    /// How long it waits before each chunk but the first.
    #[serde(with = "super::bytes::time")]
    pub pause: Duration,
    /// Answers as soon as the request's head is there, without waiting for its end.
    pub early: bool,
    /// What it says before the answer.
    pub informational: Vec<Informational>,
    /// The connection is reset.
    pub reset: Option<Reset>,
    /// It never answers.
    pub silent: bool,
    /// It switches protocols with a 101, sends back the bytes that come next, once, and closes.
    pub upgrade: Option<String>,
}

/// An answer before the answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Informational {
    /// Such as 103.
    pub status: u16,
    /// Header fields.
    #[serde(default)]
    pub headers: Fields,
}

/// When a server resets the connection.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Reset {
    /// With the request read and nothing answered.
    Before,
    /// With the head and all chunks of the body sent, once the proxy has read them.
    AfterHeaders,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            plugin: 0,
            method: "GET".to_owned(),
            path: Bytes::from("/"),
            authority: Bytes::from("app.test"),
            headers: Vec::new(),
            body: Vec::new(),
            trailers: Vec::new(),
            protocol: Protocol::default(),
            leaves: None,
            upstream: Answer::default(),
            meanwhile: Vec::new(),
        }
    }
}

impl Default for Answer {
    fn default() -> Self {
        Self {
            status: 200,
            headers: Vec::new(),
            body: Vec::new(),
            messages: Vec::new(),
            trailers: Vec::new(),
            after: Duration::ZERO,
            pause: Duration::ZERO,
            early: false,
            informational: Vec::new(),
            reset: None,
            silent: false,
            upgrade: None,
        }
    }
}

impl Answer {
    /// Nothing is ever answered.
    pub fn silence() -> Self {
        Self { silent: true, ..Self::default() }
    }

    /// The connection is reset instead of an answer.
    pub fn reset_at_once() -> Self {
        Self { reset: Some(Reset::Before), ..Self::default() }
    }

    /// All chunks: those of the body, then the messages with their lengths in front.
    pub fn chunks(&self) -> Vec<Vec<u8>> {
        let framed = self.messages.iter().map(|message| {
            let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
            [&[0][..], &length.to_be_bytes(), message].concat()
        });
        self.body.iter().map(|chunk| chunk.to_vec()).chain(framed).collect()
    }
}

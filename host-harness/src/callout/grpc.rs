//! gRPC over HTTP/2, as far as a call needs it: how messages are framed, what headers a request has,
//! and what a response's end means.

use std::time::Duration;

use super::Said;
use crate::{HeaderMap, grpc};

pub(super) const UNKNOWN: u32 = 2;
const MOST_KNOWN: u32 = 16;
const INVALID: u32 = u32::MAX;

/// The status of HTTP that every response of gRPC has.
const OK: u32 = 200;

pub(super) const INTERNAL: u32 = 13;
pub(crate) const UNAVAILABLE: u32 = 14;

/// Why a response is what it is, where it is the cluster's own.
pub(super) const DETAILS: &str = "via_upstream";

/// What is in front of a message: whether it is compressed, and its length.
const PREFIX: usize = 5;

/// The longest time that a number of eight digits can say.
const MOST_DIGITS: u128 = 99_999_999;

/// A message as it goes over the wire.
pub(super) fn frame(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    [&[0], &length.to_be_bytes()[..], message].concat()
}

/// The messages that are complete, taken off the front. A message that is compressed ends them,
/// because nothing here can read it; so does what is no message at all, and then none counts.
pub(super) fn take_messages(bytes: &mut Vec<u8>) -> (Vec<Vec<u8>>, Result<(), Unreadable>) {
    let (mut messages, mut compressed) = (Vec::new(), false);
    while let Some((prefix, rest)) = bytes.split_first_chunk::<PREFIX>() {
        let [flag, length @ ..] = *prefix;
        if flag > 1 {
            return (Vec::new(), Err(Unreadable));
        }
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        let Some(message) = rest.get(..length) else { break };
        compressed |= flag == 1 && length > 0;
        if !compressed {
            messages.push(message.to_vec());
        }
        bytes.drain(..PREFIX + length);
    }
    (messages, if compressed { Err(Unreadable) } else { Ok(()) })
}

/// What came is no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unreadable;

/// What headers say of a response, which may have nothing else.
pub(super) fn begin(headers: HeaderMap, ends: bool) -> Vec<Said> {
    let status = headers.get(":status").and_then(number).unwrap_or_default();
    let initial =
        Said::initial(if ends || status != OK { HeaderMap::new() } else { headers.clone() });
    let rest = match status {
        OK if !ends => return vec![initial],
        OK => end(headers),
        _ if ends && headers.get("grpc-status").is_some() => end(headers),
        status => {
            let status = u16::try_from(status).unwrap_or_default();
            broken(grpc::status_of_http(status), DETAILS)
        }
    };
    std::iter::once(initial).chain(rest).collect()
}

/// How a response ends that has these trailers, or these headers and nothing else.
pub(super) fn end(trailers: HeaderMap) -> [Said; 2] {
    let code = trailers.get("grpc-status").map_or(UNKNOWN, code);
    let message = match trailers.get("grpc-message") {
        Some(message) if !message.is_empty() => [message, b"{", DETAILS.as_bytes(), b"}"].concat(),
        _ => DETAILS.into(),
    };
    [Said::trailing(trailers), Said::close(code, message)]
}

/// How a response ends that breaks off, or that is none of gRPC.
pub(super) fn broken(code: u32, details: &str) -> [Said; 2] {
    [Said::trailing(HeaderMap::new()), Said::close(code, details)]
}

/// A status that gRPC does not know is one of Envoy's own.
fn code(status: &[u8]) -> u32 {
    number(status).filter(|code| *code <= MOST_KNOWN).unwrap_or(INVALID)
}

fn number(text: &[u8]) -> Option<u32> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// The headers of a request, but for those of the module.
pub(crate) fn headers(
    authority: &str,
    service: &str,
    method: &str,
    timeout: Option<Duration>,
) -> HeaderMap {
    let mut headers = HeaderMap::from_iter([
        (":method", "POST"),
        (":path", &format!("/{service}/{method}")),
        (":authority", authority),
        (":scheme", "http"),
        ("te", "trailers"),
    ]);
    if let Some(timeout) = timeout {
        headers.add("grpc-timeout", time(timeout));
    }
    headers.add("content-type", "application/grpc");
    headers
}

/// A time in eight digits and a unit.
fn time(time: Duration) -> String {
    match time.as_millis() {
        short @ ..=MOST_DIGITS => format!("{short}m"),
        long => format!("{}S", long / 1_000),
    }
}

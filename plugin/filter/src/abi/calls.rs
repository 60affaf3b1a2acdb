//! Calls to other services, which the host makes for us, and what it can do to their bodies.

use std::time::Duration;

use sightline_core::Pair;

use super::host::HeaderMap;
use super::imports;
use super::memory::receive;
use super::pairs::serialize;

/// A call under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token(pub(super) u32);

/// Why a call is not under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallError {
    /// The host knows no such cluster.
    NoCluster,
    /// It failed at once.
    Failed,
}

/// Calls a cluster over HTTP.
pub(crate) fn http_call(
    cluster: &str,
    headers: &[Pair<'_>],
    body: &[u8],
    timeout: Duration,
) -> Result<Token, CallError> {
    let (headers, trailers) = (serialize(headers), serialize(&[]));
    let mut token = 0;
    // SAFETY: each pointer goes with the size of the live bytes it points to; the last is that of a live
    // variable.
    let status = unsafe {
        imports::proxy_http_call(
            cluster.as_ptr(),
            cluster.len(),
            headers.as_ptr(),
            headers.len(),
            body.as_ptr(),
            body.len(),
            trailers.as_ptr(),
            trailers.len(),
            milliseconds(timeout),
            &raw mut token,
        )
    };
    outcome(status, token)
}

/// Calls a method over gRPC. `target` is a serialized `envoy.config.core.v3.GrpcService`.
pub(crate) fn grpc_call(
    target: &[u8],
    (service, method): (&str, &str),
    metadata: &[Pair<'_>],
    message: &[u8],
    timeout: Duration,
) -> Result<Token, CallError> {
    let metadata = serialize(metadata);
    let mut token = 0;
    // SAFETY: each pointer goes with the size of the live bytes it points to; the last is that of a live
    // variable.
    let status = unsafe {
        imports::proxy_grpc_call(
            target.as_ptr(),
            target.len(),
            service.as_ptr(),
            service.len(),
            method.as_ptr(),
            method.len(),
            metadata.as_ptr(),
            metadata.len(),
            message.as_ptr(),
            message.len(),
            milliseconds(timeout),
            &raw mut token,
        )
    };
    outcome(status, token)
}

/// The head of the HTTP response that is being handed over; empty where nothing answered.
pub(crate) fn call_headers() -> HeaderMap {
    const HTTP_CALL_RESPONSE_HEADERS: u32 = 6;
    HeaderMap::read(HTTP_CALL_RESPONSE_HEADERS)
}

/// The body of the HTTP response that is being handed over.
pub(crate) fn call_body() -> Box<[u8]> {
    const HTTP_CALL_RESPONSE_BODY: u32 = 4;
    buffer(HTTP_CALL_RESPONSE_BODY)
}

/// The gRPC message that is being handed over.
pub(crate) fn grpc_message() -> Box<[u8]> {
    const GRPC_RECEIVE_BUFFER: u32 = 5;
    buffer(GRPC_RECEIVE_BUFFER)
}

/// The bytes compressed, in zlib's format. None where the host cannot.
pub(crate) fn compress(bytes: &[u8]) -> Option<Box<[u8]>> {
    let name = "compress";
    // SAFETY: each pointer goes with the size of the live bytes it points to, the others are those of live
    // variables.
    receive(|out, size| unsafe {
        imports::proxy_call_foreign_function(
            name.as_ptr(),
            name.len(),
            bytes.as_ptr(),
            bytes.len(),
            out,
            size,
        )
    })
}

/// An answer to us need not be longer: what it says of a batch is in its first bytes.
const LONGEST_ANSWER: usize = 64 * 1024;

fn buffer(buffer: u32) -> Box<[u8]> {
    // SAFETY: both pointers are those of live variables.
    let call = |out, size| unsafe {
        imports::proxy_get_buffer_bytes(buffer, 0, LONGEST_ANSWER, out, size)
    };
    receive(call).unwrap_or_default()
}

fn outcome(status: u32, token: u32) -> Result<Token, CallError> {
    const BAD_ARGUMENT: u32 = 2;
    const PARSE_FAILURE: u32 = 4;
    match status {
        0 => Ok(Token(token)),
        BAD_ARGUMENT | PARSE_FAILURE => Err(CallError::NoCluster),
        _ => Err(CallError::Failed),
    }
}

fn milliseconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

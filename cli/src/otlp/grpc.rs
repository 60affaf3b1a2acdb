//! OTLP over gRPC: unary calls, with the framing done here.
//!
//! No more of gRPC than that: no streams, no deadlines, and answers are never compressed.

use std::fmt::Write as _;

use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, Version};

use super::body::{self, Coding};
use super::refusal::Refusal;
use super::serve::{self, Answer};
use super::{Export, Protocol, Reply, Signal, reply};

const GRPC: &str = "application/grpc";
const ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// A message's prefix: whether it is compressed, and its length in four bytes.
const PREFIX: usize = 5;

/// Whether a content type is gRPC's, with protobuf in it.
pub(super) fn is_spoken(content_type: Option<&str>) -> bool {
    matches!(content_type, Some("application/grpc" | "application/grpc+proto"))
}

/// The export that a call is.
pub(super) async fn read(request: Request<Incoming>) -> Result<Export, Refusal> {
    if request.version() != Version::HTTP_2 {
        return Err(Refusal::Version);
    }
    let path = request.uri().path();
    let decode = match path {
        "/opentelemetry.proto.collector.trace.v1.TraceService/Export" => Signal::traces,
        "/opentelemetry.proto.collector.logs.v1.LogsService/Export" => Signal::logs,
        "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export" => Signal::metrics,
        _ => return Err(Refusal::Path(path.to_owned())),
    };
    if request.method() != Method::POST {
        return Err(Refusal::Method);
    }
    let coding = Coding::of(request.headers(), ENCODING)?;
    let (head, body) = request.into_parts();
    let (compressed, sent) = unframe(body::read(body, PREFIX).await?)?;
    let bytes = sent.len();
    let message = match (compressed, coding) {
        (false, _) => sent,
        (true, Coding::Gzip) => coding.open(sent)?,
        (true, Coding::Identity) => {
            return Err(Refusal::malformed(&"it is compressed, and no field says how"));
        }
    };
    Ok(Export {
        protocol: Protocol::Grpc,
        headers: serve::fields(&head.headers),
        signal: decode(message.clone()).map_err(|error| Refusal::malformed(&error))?,
        message,
        bytes,
        compressed,
    })
}

/// A reply that is an answer on the wire; none for those that are not.
pub(super) fn answer(reply: &Reply) -> Option<Answer> {
    Some(match reply {
        Reply::Accepted | Reply::Grpc(0, _) => success(&[]),
        Reply::Partial { rejected, message } => success(&reply::partial(*rejected, message)),
        Reply::Nonsense(bytes) => success(bytes),
        Reply::Status(status, fields) => serve::bare(*status, fields),
        Reply::Grpc(code, message) => error(*code, message),
        Reply::Silence | Reply::Reset | Reply::After(..) => return None,
    })
}

/// With a gRPC status to whoever speaks gRPC, else with a bare one of HTTP.
pub(super) fn refuse(refusal: &Refusal) -> Answer {
    match refusal {
        Refusal::Version | Refusal::Method => serve::bare(refusal.status(), &[]),
        Refusal::Coding(_) => {
            let mut answer = error(refusal.code(), &refusal.to_string());
            answer.headers_mut().insert("grpc-accept-encoding", HeaderValue::from_static("gzip"));
            answer
        }
        _ => error(refusal.code(), &refusal.to_string()),
    }
}

/// The only message of a call, and whether it is compressed.
fn unframe(mut body: Bytes) -> Result<(bool, Bytes), Refusal> {
    let Some((&[flag, length @ ..], _)) = body.split_first_chunk::<PREFIX>() else {
        return Err(Refusal::malformed(&"the call ends before its message"));
    };
    let message = body.split_off(PREFIX);
    let length = u32::from_be_bytes(length);
    if u32::try_from(message.len()) != Ok(length) {
        let found = message.len();
        return Err(Refusal::malformed(&format!("it says {length} bytes, and {found} came")));
    }
    match flag {
        0 | 1 => Ok((flag == 1, message)),
        _ => Err(Refusal::malformed(&format!("its first byte is {flag}"))),
    }
}

fn success(message: &[u8]) -> Answer {
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    let framed = [&[0], &length.to_be_bytes()[..], message].concat();
    let trailers = HeaderMap::from_iter([(STATUS, HeaderValue::from_static("0"))]);
    serve::finish_with(Response::builder().header(CONTENT_TYPE, GRPC), framed.into(), trailers)
}

/// What is no success has no message, and says so in its head.
fn error(code: u32, message: &str) -> Answer {
    let response = Response::builder()
        .header(CONTENT_TYPE, GRPC)
        .header(STATUS, code)
        .header(MESSAGE, percent_encode(message));
    serve::finish(response, Bytes::new())
}

/// As gRPC wants its messages: visible ASCII and spaces, but no percent sign.
fn percent_encode(message: &str) -> String {
    let mut encoded = String::with_capacity(message.len());
    for byte in message.bytes() {
        match byte {
            b'%' | ..b' ' | 0x7f.. => {
                let _ = write!(encoded, "%{byte:02X}");
            }
            _ => encoded.push(char::from(byte)),
        }
    }
    encoded
}

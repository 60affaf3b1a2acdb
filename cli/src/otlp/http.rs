//! OTLP over HTTP with protobuf.

use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CONTENT_ENCODING, CONTENT_TYPE};
use hyper::{Method, Request, Response, StatusCode};
use prost::Message;

use super::body::{self, Coding};
use super::refusal::Refusal;
use super::serve::{self, Answer};
use super::{Export, Protocol, Reply, Signal, reply};

const PROTOBUF: &str = "application/x-protobuf";

/// What `google.rpc.Status` has that OTLP uses: the body of an answer that is an error.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Status {
    #[prost(int32, tag = "1")]
    pub(super) code: i32,
    #[prost(string, tag = "2")]
    pub(super) message: String,
}

/// The export that a request is.
pub(super) async fn read(request: Request<Incoming>) -> Result<Export, Refusal> {
    let path = request.uri().path();
    let decode = match path {
        "/v1/traces" => Signal::traces,
        "/v1/logs" => Signal::logs,
        "/v1/metrics" => Signal::metrics,
        _ => return Err(Refusal::Path(path.to_owned())),
    };
    if request.method() != Method::POST {
        return Err(Refusal::Method);
    }
    let content_type = serve::content_type(request.headers());
    if content_type.as_deref() != Some(PROTOBUF) {
        return Err(Refusal::ContentType(content_type));
    }
    let coding = Coding::of(request.headers(), CONTENT_ENCODING)?;
    let (head, body) = request.into_parts();
    let sent = body::read(body, 0).await?;
    let bytes = sent.len();
    let message = coding.open(sent)?;
    Ok(Export {
        protocol: Protocol::Http,
        headers: serve::fields(&head.headers),
        signal: decode(message.clone()).map_err(|error| Refusal::malformed(&error))?,
        message,
        bytes,
        compressed: coding == Coding::Gzip,
    })
}

/// A reply that is an answer on the wire; none for those that are not.
pub(super) fn answer(reply: &Reply) -> Option<Answer> {
    Some(match reply {
        Reply::Accepted | Reply::Grpc(0, _) => success(Vec::new()),
        Reply::Partial { rejected, message } => success(reply::partial(*rejected, message)),
        Reply::Nonsense(bytes) => success(bytes.clone()),
        Reply::Status(status, fields) => serve::bare(*status, fields),
        Reply::Grpc(code, message) => error(status_of(*code), *code, message),
        Reply::Silence | Reply::Reset | Reply::After(..) => return None,
    })
}

/// In protobuf if that is what came, else the sentence alone.
pub(super) fn refuse(refusal: &Refusal) -> Answer {
    let sentence = refusal.to_string();
    if matches!(refusal, Refusal::Malformed(_) | Refusal::TooLarge) {
        return error(refusal.status(), refusal.code(), &sentence);
    }
    let mut head = Response::builder().status(refusal.status()).header(CONTENT_TYPE, "text/plain");
    if *refusal == Refusal::Method {
        head = head.header(ALLOW, "POST");
    }
    serve::finish(head, Bytes::from(sentence + "\n"))
}

fn success(message: Vec<u8>) -> Answer {
    serve::finish(Response::builder().header(CONTENT_TYPE, PROTOBUF), message.into())
}

fn error(status: u16, code: u32, message: &str) -> Answer {
    let code = i32::try_from(code).unwrap_or(i32::MAX);
    let body = Status { code, message: message.to_owned() }.encode_to_vec();
    let head = Response::builder().status(status).header(CONTENT_TYPE, PROTOBUF);
    serve::finish(head, Bytes::from(body))
}

/// What stands in HTTP for a gRPC code that is not OK, as gRPC's own mapping has it.
fn status_of(code: u32) -> u16 {
    let status = match code {
        3 | 9 | 11 => StatusCode::BAD_REQUEST,
        4 => StatusCode::GATEWAY_TIMEOUT,
        5 => StatusCode::NOT_FOUND,
        6 | 10 => StatusCode::CONFLICT,
        7 => StatusCode::FORBIDDEN,
        8 => StatusCode::TOO_MANY_REQUESTS,
        12 => StatusCode::NOT_IMPLEMENTED,
        14 => StatusCode::SERVICE_UNAVAILABLE,
        16 => StatusCode::UNAUTHORIZED,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    status.as_u16()
}

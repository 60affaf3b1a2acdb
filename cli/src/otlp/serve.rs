//! The server under the receiver: connections, and one exchange after the other on each.
//!
//! What a request says and how an answer looks is for [`http`] and [`grpc`].

use std::convert::Infallible;
use std::future::{self, Future as _, Ready};
use std::net::TcpListener;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use http_body_util::combinators::WithTrailers;
use http_body_util::{BodyExt as _, Either, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::CONTENT_TYPE;
use hyper::http::response;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::{net, time};

use super::{Export, Protocol, Reply, grpc, http};

/// Who says how an export is answered.
pub(super) type Take = dyn Fn(Export) -> Reply + Send + Sync;

/// What goes out for one request.
pub(super) type Answer = Response<Either<Full<Bytes>, WithTrailers<Full<Bytes>, Trailers>>>;

type Trailers = Ready<Option<Result<HeaderMap, Infallible>>>;

/// How long to leave a listener alone that cannot accept, mostly because files have run out.
const REST: Duration = Duration::from_millis(50);

/// Serves whoever connects, for ever.
pub(super) async fn accept(listener: TcpListener, take: Arc<Take>) {
    // It fails outside of a runtime, or for a socket that blocks, and this is neither.
    let Ok(listener) = net::TcpListener::from_std(listener) else { return };
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(serve(stream, Arc::clone(&take)));
            }
            Err(_) => time::sleep(REST).await,
        }
    }
}

/// A head and a whole body; a 500 with the reason if the head is not to be sent.
pub(super) fn finish(head: response::Builder, body: Bytes) -> Answer {
    match head.body(Either::Left(Full::new(body))) {
        Ok(answer) => answer,
        Err(error) => {
            let sentence = format!("no such answer can be sent: {error}\n");
            let mut answer = Response::new(Either::Left(Full::from(sentence)));
            *answer.status_mut() = hyper::StatusCode::INTERNAL_SERVER_ERROR;
            answer
        }
    }
}

/// Likewise with trailers.
pub(super) fn finish_with(head: response::Builder, body: Bytes, trailers: HeaderMap) -> Answer {
    finish(head, Bytes::new()).map(|_| {
        let trailers = future::ready(Some(Ok(trailers)));
        Either::Right(Full::new(body).with_trailers(trailers))
    })
}

/// A status and fields, as from a proxy that knows no OTLP.
pub(super) fn bare(status: u16, fields: &[(String, String)]) -> Answer {
    let head = Response::builder().status(status);
    finish(fields.iter().fold(head, |head, (name, value)| head.header(name, value)), Bytes::new())
}

/// The content type in lower case, without its parameters.
pub(super) fn content_type(headers: &HeaderMap) -> Option<String> {
    let value = String::from_utf8_lossy(headers.get(CONTENT_TYPE)?.as_bytes());
    value.split(';').next().map(|name| name.trim().to_ascii_lowercase())
}

/// All fields, owned.
pub(super) fn fields(headers: &HeaderMap) -> Vec<(String, Vec<u8>)> {
    let owned = |(name, value): (&hyper::header::HeaderName, &hyper::header::HeaderValue)| {
        (name.as_str().to_owned(), value.as_bytes().to_vec())
    };
    headers.iter().map(owned).collect()
}

/// One connection, until either side ends it.
async fn serve(stream: TcpStream, take: Arc<Take>) {
    let _ = stream.set_nodelay(true);
    // Kept beside the stream, which disappears into hyper, and dropped after it.
    let Ok(socket) = SockRef::from(&stream).try_clone() else { return };
    let cut = Arc::new(Notify::new());
    let service = service_fn(|request| exchange(request, Arc::clone(&take), Arc::clone(&cut)));
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new());
    builder.http2().timer(TokioTimer::new());
    let mut exchanges = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let mut reset = pin!(cut.notified());
    let was_reset = future::poll_fn(|context| match reset.as_mut().poll(context) {
        Poll::Ready(()) => Poll::Ready(true),
        // A connection that breaks is the exporter's trouble.
        Poll::Pending => exchanges.as_mut().poll(context).map(|_| false),
    });
    if was_reset.await {
        // When it is closed it does not linger, not even to say so: the other side gets a RST.
        let _ = socket.set_linger(Some(Duration::ZERO));
    }
}

async fn exchange(
    request: Request<Incoming>,
    take: Arc<Take>,
    cut: Arc<Notify>,
) -> Result<Answer, Infallible> {
    let content_type = content_type(request.headers());
    if grpc::is_spoken(content_type.as_deref()) {
        return Ok(match grpc::read(request).await {
            Ok(export) => perform(take(export), Protocol::Grpc, &cut).await,
            Err(refusal) => grpc::refuse(&refusal),
        });
    }
    Ok(match http::read(request).await {
        Ok(export) => perform(take(export), Protocol::Http, &cut).await,
        Err(refusal) => http::refuse(&refusal),
    })
}

/// Does what the reply says, which may be never to come back.
async fn perform(mut reply: Reply, protocol: Protocol, cut: &Notify) -> Answer {
    while let Reply::After(wait, then) = reply {
        time::sleep(wait).await;
        reply = *then;
    }
    let answer = match protocol {
        Protocol::Http => http::answer(&reply),
        Protocol::Grpc => grpc::answer(&reply),
    };
    match answer {
        Some(answer) => answer,
        None => {
            if reply == Reply::Reset {
                cut.notify_one();
            }
            // Ends with the connection.
            future::pending().await
        }
    }
}

//! The server of the live view: the page, and the figures that it polls.
//!
//! It is for people on this machine, and what it tells is of anybody's requests. So it listens on loopback only,
//! and answers only those who ask for a name of loopback: a page from elsewhere that has its own name point
//! here is not answered.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Serialize;
use tokio::net::TcpStream;
use tokio::runtime::{self, Runtime};
use tokio::sync::{Semaphore, oneshot};
use tokio::{net, time};

use super::Live;

/// A running server. Dropped, it stops listening and closes every connection.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    /// Dropped to tell the thread to stop.
    running: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What all connections share.
struct Shared {
    live: Live,
    polled: Mutex<Option<(Instant, Bytes)>>,
}

/// What is answered: a status, a type and a body.
struct Answer(StatusCode, &'static str, Bytes);

/// What a page is told if there is nothing for it.
#[derive(Serialize)]
struct Sorry<'a> {
    error: &'a str,
}

/// However many pages poll, the figures are put together four times a second.
const FRESH: Duration = Duration::from_millis(250);

/// Connections that are served at once. A browser opens six for each page.
const CONNECTIONS: usize = 64;

/// A head that takes longer is none.
const HEAD: Duration = Duration::from_secs(20);

/// What a head may take up. Its longest part is a query, which is an ID.
const HEAD_BYTES: usize = 16 << 10;

/// How long to leave a listener alone that cannot accept, mostly because files have run out.
const REST: Duration = Duration::from_millis(50);

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";
const JSON: &str = "application/json";

/// The page, as it is embedded: where each part is, what it is, and its text.
const PARTS: [(&str, &str, &str); 8] = [
    ("/", HTML, include_str!("page/index.html")),
    ("/favicon.svg", SVG, include_str!("page/favicon.svg")),
    ("/live.css", CSS, include_str!("page/live.css")),
    ("/live.js", SCRIPT, include_str!("page/live.js")),
    ("/drawer.js", SCRIPT, include_str!("page/drawer.js")),
    ("/parts.js", SCRIPT, include_str!("page/parts.js")),
    ("/requests.js", SCRIPT, include_str!("page/requests.js")),
    ("/routes.js", SCRIPT, include_str!("page/routes.js")),
];

impl Server {
    /// Listens at `address`, which must be of loopback, and where port 0 is any free one.
    pub fn start(live: Live, address: SocketAddr) -> io::Result<Self> {
        if !address.ip().is_loopback() {
            let told = format!(
                "the live view shows anybody's requests, so it is served on loopback only: \
                 use 127.0.0.1:{} instead of {address}",
                address.port()
            );
            return Err(io::Error::new(io::ErrorKind::InvalidInput, told));
        }
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
        let (running, stopped) = oneshot::channel();
        let shared = Arc::new(Shared { live, polled: Mutex::default() });
        let thread = thread::Builder::new()
            .name("live-view".to_owned())
            .spawn(move || run(&runtime, listener, shared, stopped))?;
        Ok(Self { address, running: Some(running), thread: Some(thread) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.running.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn answer(&self, path: &str, query: &str) -> Answer {
        match path {
            "/api/live" => Answer(StatusCode::OK, JSON, self.polled()),
            "/api/search" => json(StatusCode::OK, &self.live.search(&parameter(query, "q"))),
            _ => match path.strip_prefix("/api/trace/") {
                Some(id) => self.trace(id),
                None => part(path),
            },
        }
    }

    fn trace(&self, id: &str) -> Answer {
        match self.live.trace(id) {
            Some(waterfall) => json(StatusCode::OK, &waterfall),
            None => sorry(
                StatusCode::NOT_FOUND,
                "nothing is known of this trace, or nothing any more: only the newest are kept",
            ),
        }
    }

    fn polled(&self) -> Bytes {
        let mut polled = self.polled.lock().unwrap_or_else(PoisonError::into_inner);
        match &*polled {
            Some((when, bytes)) if when.elapsed() < FRESH => bytes.clone(),
            _ => {
                let Answer(_, _, bytes) = json(StatusCode::OK, &self.live.snapshot());
                *polled = Some((Instant::now(), bytes.clone()));
                bytes
            }
        }
    }
}

impl Answer {
    fn send(self, fields: &[(hyper::header::HeaderName, &'static str)]) -> Response<Full<Bytes>> {
        let Self(status, content_type, body) = self;
        let mut response = Response::new(Full::new(body));
        *response.status_mut() = status;
        let always = [
            (CONTENT_TYPE, content_type),
            (CACHE_CONTROL, "no-store"),
            (
                hyper::header::CONTENT_SECURITY_POLICY,
                "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            ),
            (hyper::header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (hyper::header::REFERRER_POLICY, "no-referrer"),
        ];
        for (name, value) in always.into_iter().chain(fields.iter().cloned()) {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

/// Serves until `stopped`. The caller drops the runtime then, and with it every connection.
fn run(
    runtime: &Runtime,
    listener: TcpListener,
    shared: Arc<Shared>,
    stopped: oneshot::Receiver<()>,
) {
    runtime.spawn(accept(listener, shared));
    // An error is what it ends with: the sender is dropped without a word.
    let _ = runtime.block_on(stopped);
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    // It fails outside of a runtime, or for a socket that blocks, and this is neither.
    let Ok(listener) = net::TcpListener::from_std(listener) else { return };
    let free = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        // Whoever is one too many waits to be accepted.
        let Ok(place) = Arc::clone(&free).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let shared = Arc::clone(&shared);
                tokio::spawn(async move {
                    serve(stream, shared).await;
                    drop(place);
                });
            }
            Err(_) => time::sleep(REST).await,
        }
    }
}

/// One connection, until either side ends it.
async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| {
        let response = respond(&shared, &request);
        async { Ok::<_, Infallible>(response) }
    });
    // A connection that breaks is the browser's trouble.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

fn respond(shared: &Shared, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    if !asks_for_loopback(request) {
        let told = "the live view is only served under the names of this machine: 127.0.0.1, [::1] or localhost";
        return sorry(StatusCode::MISDIRECTED_REQUEST, told).send(&[]);
    }
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        let told = "the live view is only looked at: use GET";
        return sorry(StatusCode::METHOD_NOT_ALLOWED, told).send(&[(ALLOW, "GET, HEAD")]);
    }
    let uri = request.uri();
    shared.answer(uri.path(), uri.query().unwrap_or("")).send(&[])
}

/// Whether the host that the client asks for can be no other machine's name.
fn asks_for_loopback(request: &Request<Incoming>) -> bool {
    let mut hosts = request.headers().get_all(HOST).iter();
    let host = hosts.next().and_then(|host| host.to_str().ok());
    let in_target = request.uri().authority().map(hyper::http::uri::Authority::as_str);
    hosts.next().is_none() && host.is_some_and(is_loopback) && in_target.is_none_or(is_loopback)
}

fn is_loopback(host: &str) -> bool {
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let name = match host.rsplit_once(':') {
        Some((name, port)) if is_port(port) => name,
        _ => host,
    };
    let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    name.eq_ignore_ascii_case("localhost")
        || address.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// A part of the page.
fn part(path: &str) -> Answer {
    match PARTS.iter().find(|(known, ..)| *known == path) {
        Some((_, content_type, text)) => {
            Answer(StatusCode::OK, content_type, Bytes::from_static(text.as_bytes()))
        }
        None => sorry(StatusCode::NOT_FOUND, "there is nothing here"),
    }
}

fn sorry(status: StatusCode, error: &str) -> Answer {
    json(status, &Sorry { error })
}

fn json(status: StatusCode, value: &impl Serialize) -> Answer {
    match serde_json::to_vec(value) {
        Ok(json) => Answer(status, JSON, json.into()),
        // Nothing in there has keys that are no texts, the only reason there could be.
        Err(_) => Answer(StatusCode::INTERNAL_SERVER_ERROR, JSON, Bytes::from_static(b"{}")),
    }
}

/// The first parameter of this name, decoded; empty if there is none.
fn parameter(query: &str, wanted: &str) -> String {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let found = pairs.into_iter().find(|(name, _)| decoded(name) == wanted);
    found.map(|(_, value)| decoded(value)).unwrap_or_default()
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        let escaped = (byte == b'%').then(|| hex_byte(behind)).flatten();
        if let Some(escaped) = escaped {
            rest = &behind[2..];
            bytes.push(escaped);
        } else {
            bytes.push(if byte == b'+' { b' ' } else { byte });
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex_byte(digits: &[u8]) -> Option<u8> {
    let digits = digits.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
    u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_loopback_are_such() {
        for (host, is) in [
            ("127.0.0.1", true),
            ("127.0.0.1:8090", true),
            ("127.8.9.10:1", true),
            ("localhost", true),
            ("LocalHost:8090", true),
            ("[::1]:8090", true),
            ("[::1]", true),
            ("::1", false),
            ("", false),
            (":8090", false),
            ("example.org", false),
            ("localhost.example.org", false),
            ("127.0.0.1.example.org:8090", false),
            ("127.0.0.1@example.org", false),
            ("0.0.0.0:8090", false),
            ("10.0.0.1", false),
            ("[::2]:1", false),
            ("[127.0.0.1", false),
            ("localhost:8090:1x", false),
        ] {
            assert_eq!(is_loopback(host), is, "{host}");
        }
    }

    #[test]
    fn parameters_are_decoded_once() {
        for (query, value) in [
            ("", ""),
            ("q", ""),
            ("q=", ""),
            ("q=req-42", "req-42"),
            ("a=b&q=1&q=2", "1"),
            ("%71=x", "x"),
            ("q=a+b%2Bc%20d", "a b+c d"),
            ("q=%", "%"),
            ("q=%4", "%4"),
            ("q=%zz%25", "%zz%"),
            ("q=%+1", "% 1"),
            ("q=%ff", "\u{fffd}"),
            ("q=a=b", "a=b"),
        ] {
            assert_eq!(parameter(query, "q"), value, "{query}");
        }
    }
}

//! Every case that the table has, by its name there: who says what, and when the client goes.

/// One request, if Envoy takes it for one.
#[derive(Clone, Copy)]
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) over: Over,
    pub(super) says: Says,
    pub(super) goes: Goes,
    /// The row of a second line, where there is one.
    pub(super) then: Option<&'static str>,
}

/// What the listener speaks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Over {
    Http1,
    /// Where HTTP/1.0 is allowed, and heads must not take long.
    Old,
    Http2,
    Http3,
}

#[derive(Clone, Copy)]
pub(super) enum Says {
    /// Method and path, with no more than is usual.
    Plain(&'static str),
    /// Further fields, the end of the head, and a body.
    With(&'static str, &'static str),
    /// More fields than Envoy takes.
    TooMuch(&'static str),
    /// These bytes, whatever they are.
    Raw(&'static str),
}

/// When the client goes.
#[derive(Clone, Copy)]
pub(super) enum Goes {
    AtTheEnd,
    OnceUpstream,
    OnceAnswered(&'static str),
    /// Having said the first after it has heard the second.
    Having(&'static str, &'static str),
    AtOnce,
}

impl Case {
    const fn over(self, over: Over) -> Self {
        Self { over, ..self }
    }

    const fn goes(self, goes: Goes) -> Self {
        Self { goes, ..self }
    }

    const fn then(self, row: &'static str) -> Self {
        Self { then: Some(row), ..self }
    }
}

const fn plain(name: &'static str, line: &'static str) -> Case {
    case(name, Says::Plain(line))
}

const fn with(name: &'static str, line: &'static str, more: &'static str) -> Case {
    case(name, Says::With(line, more))
}

const fn raw(name: &'static str, bytes: &'static str) -> Case {
    case(name, Says::Raw(bytes))
}

const fn grpc(name: &'static str, line: &'static str) -> Case {
    with(name, line, GRPC).over(Over::Http2)
}

const fn case(name: &'static str, says: Says) -> Case {
    Case { name, over: Over::Http1, says, goes: Goes::AtTheEnd, then: None }
}

const GRPC: &str =
    "content-type: application/grpc\r\nte: trailers\r\ncontent-length: 7\r\n\r\n\0\0\0\0\x02hi";
const WEBSOCKET: &str = "connection: upgrade\r\nupgrade: websocket\r\n\r\n";
const CHUNKS: &str = "transfer-encoding: chunked\r\n\r\n3\r\none\r\n4\r\n two\r\n0\r\n\r\n";
const LENGTH: &str = "content-length: 5\r\n\r\nhello";
const HALF: &str = "content-length: 5\r\n\r\nhe";

pub(super) static CASES: [Case; 83] = [
    plain("answered with 200", "GET /app/fine"),
    plain("answered with 302", "GET /app/302"),
    plain("answered with 304", "GET /app/304"),
    plain("answered with 404", "GET /app/404"),
    plain("answered with 500", "GET /app/500"),
    plain("`HEAD`", "HEAD /app/head"),
    with("bodies with a length", "POST /app/fine", LENGTH),
    with("bodies in chunks", "POST /app/chunks", CHUNKS),
    plain("103, then 200", "GET /app/hints"),
    with(
        "100 for `expect: 100-continue`, then 200",
        "POST /app/fine",
        "expect: 100-continue\r\ncontent-length: 5\r\n\r\nhello",
    ),
    plain("a body that ends with its connection", "GET /closing/at-the-end"),
    plain("a path of `routes.ignore`", "GET /healthz"),
    // Envoy's own.
    plain("a direct response", "GET /direct"),
    plain("a redirect of a route", "GET /moved"),
    plain("no route", "GET /lost"),
    plain("no such cluster", "GET /missing"),
    plain("a cluster without hosts", "GET /empty"),
    plain("a cluster that is full", "GET /full"),
    // Nobody there, or not for long.
    plain("the connection refused", "GET /refused"),
    plain("no connection in time", "GET /crowded"),
    plain("a reset before the answer", "GET /app/reset"),
    plain("a close before the answer", "GET /closing/before"),
    plain("an answer that is no HTTP", "GET /app/garbage"),
    plain("a reset within the answer", "GET /app/reset-within"),
    plain("a close within a body of known length", "GET /closing/within-length"),
    plain("a close within chunks", "GET /closing/within-chunks"),
    // Too late.
    plain("the route's time-out, before the answer", "GET /slow"),
    plain("the route's time-out, within the answer", "GET /late"),
    plain("the idle time-out, before the answer", "GET /stuck"),
    plain("the idle time-out, within the answer", "GET /stuck-within"),
    with("the idle time-out, within the request", "POST /stuck", HALF),
    plain("the longest duration of a stream", "GET /long"),
    // Clients that go.
    plain("client gone before the answer", "GET /app/silent").goes(Goes::OnceUpstream),
    plain("client gone within the answer", "GET /app/begun").goes(Goes::OnceAnswered("begun")),
    with("client gone within its request", "POST /app/fine", HALF).goes(Goes::AtOnce),
    raw("client gone within its head", "GET /app/fine HTTP/1.1\r\nhost: sh").goes(Goes::AtOnce),
    // Filters.
    with("a filter before ours answers", "GET /app/fine", "x-deny: 1\r\n\r\n"),
    plain("a filter after ours answers", "GET /after"),
    // What Envoy refuses.
    case("fields that are too large", Says::TooMuch("GET /app/fine")),
    raw("no `host`", "GET /app/fine HTTP/1.1\r\nconnection: close\r\n\r\n"),
    raw(
        "a path that is none",
        "GET app/fine HTTP/1.1\r\nhost: shop.test\r\nconnection: close\r\n\r\n",
    ),
    plain("a path with a fragment", "GET /app/fine#part"),
    raw("a request line that is none", "\x01\x02\r\n\r\n"),
    raw("a field that is none", "GET /app/fine HTTP/1.1\r\nhost: shop.test\r\nno colon\r\n\r\n"),
    raw(
        "two lengths",
        "POST /app/fine HTTP/1.1\r\nhost: shop.test\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
    ),
    raw("HTTP/1.0, not allowed", "GET /app/fine HTTP/1.0\r\nhost: shop.test\r\n\r\n"),
    raw("a head that takes too long", "GET /app/fine HTTP/1.1\r\nhost: sh").over(Over::Old),
    with(
        "an upgrade that is not allowed",
        "GET /app/fine",
        "connection: upgrade\r\nupgrade: other\r\n\r\n",
    ),
    raw("`CONNECT`", "CONNECT shop.test:443 HTTP/1.1\r\nhost: shop.test:443\r\n\r\n"),
    // gRPC.
    grpc("gRPC, `OK` in trailers", "POST /app/shop.Cart/Get"),
    grpc("gRPC, `INTERNAL` in trailers", "POST /app/shop.Cart/Fail"),
    grpc("gRPC, `NOT_FOUND` in the head", "POST /app/shop.Cart/None"),
    grpc("gRPC, no route", "POST /lost"),
    grpc("gRPC, the connection refused", "POST /refused"),
    grpc("gRPC, the route's time-out", "POST /slow"),
    grpc("gRPC, client gone within the answer", "POST /app/shop.Cart/Watch")
        .goes(Goes::OnceAnswered("\0\0\0\0\0")),
    // Streams.
    with("WebSocket, closed by the client", "GET /app/socket", WEBSOCKET)
        .goes(Goes::Having("bye", "hello")),
    with("WebSocket, closed by the server", "GET /closing/socket", WEBSOCKET),
    with("WebSocket, refused", "GET /app/no-socket", WEBSOCKET)
        .goes(Goes::OnceAnswered("\r\n\r\nno")),
    plain("SSE, ended by the server", "GET /app/events"),
    plain("SSE, closed by the client", "GET /app/events-without-end")
        .goes(Goes::OnceAnswered("data: 1")),
    plain("SSE, reset by the server", "GET /app/events-reset"),
    // More than one try.
    plain("a retry that succeeds", "GET /flaky"),
    plain("retries that all fail", "GET /flaky-always"),
    plain("retries that are all refused", "GET /refused-often"),
    plain("tries that all take too long", "GET /slow-twice"),
    plain("an internal redirect: what led away", "GET /led")
        .then("an internal redirect: where it led"),
    // Protocols.
    raw("HTTP/1.0", "GET /app/fine HTTP/1.0\r\n\r\n").over(Over::Old),
    plain("HTTP/2", "GET /app/fine").over(Over::Http2),
    plain("HTTP/2, no route", "GET /lost").over(Over::Http2),
    plain("HTTP/2, a reset within the answer", "GET /app/reset-within").over(Over::Http2),
    plain("HTTP/2, client gone before the answer", "GET /app/silent")
        .over(Over::Http2)
        .goes(Goes::OnceUpstream),
    plain("HTTP/2, client gone within the answer", "GET /app/begun")
        .over(Over::Http2)
        .goes(Goes::OnceAnswered("begun")),
    with("HTTP/2, a filter before ours answers", "GET /app/fine", "x-deny: 1\r\n\r\n")
        .over(Over::Http2),
    with("HTTP/3", "POST /app/fine", LENGTH).over(Over::Http3),
    plain("HTTP/3, answered with 500", "GET /app/500").over(Over::Http3),
    plain("HTTP/3, no route", "GET /lost").over(Over::Http3),
    plain("HTTP/3, the connection refused", "GET /refused").over(Over::Http3),
    plain("HTTP/3, the route's time-out", "GET /slow").over(Over::Http3),
    plain("HTTP/3, a reset within the answer", "GET /app/reset-within").over(Over::Http3),
    plain("HTTP/3, client gone before the answer", "GET /app/silent")
        .over(Over::Http3)
        .goes(Goes::OnceUpstream),
    plain("HTTP/3, client gone within the answer", "GET /app/begun")
        .over(Over::Http3)
        .goes(Goes::OnceAnswered("begun")),
    with("HTTP/3, a filter before ours answers", "GET /app/fine", "x-deny: 1\r\n\r\n")
        .over(Over::Http3),
];

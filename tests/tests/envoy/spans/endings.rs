//! Every way in which a request can end, told apart.

use std::io::{BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};
use sightline_cli::otlp::ReceivedSpan;
use sightline_cli::wait;
use sightline_tests::{Answer, Bootstrap, Collector, Message, Nobody, Proxy, Request, Upstream};

use super::{exporting, span_of};

struct Service {
    collector: Collector,
    upstream: Upstream,
    proxy: Proxy,
    _nobody: Nobody,
}

impl Service {
    fn start() -> Self {
        let collector = Collector::start();
        let upstream = Upstream::answering(answer);
        let nobody = Nobody::anywhere();
        let proxy = Proxy::start(|bootstrap| {
            let bootstrap = routed(bootstrap.upstream(upstream.address()), nobody.address());
            let templates = json!({"routes": {"templates": ["/at/{what}"]}});
            exporting(bootstrap.filter_before(fault()), &collector, "http", &templates)
        });
        Self { collector, upstream, proxy, _nobody: nobody }
    }

    /// What line and span tell of a request, which must be the same.
    fn told(&self, id: &str) -> String {
        let (span, line) = (span_of(&self.collector, id), self.proxy.line_of(id));
        assert_same(&span, &line);
        let status = span.int("http.response.status_code").unwrap_or(0);
        let error = span.text("error.type").unwrap_or("-");
        format!("{} {status} {error} {:?}", span.name(), span.status())
    }

    /// Sends a request and leaves as soon as it is upstream or, if so asked, the answer has begun.
    fn leave(&self, request: &Request, waits: bool) {
        let seen = self.upstream.requests().len();
        let mut stream = request.begin(self.proxy.address()).unwrap();
        wait::until("the request upstream", Duration::from_secs(10), || {
            (self.upstream.requests().len() > seen).then_some(())
        })
        .unwrap();
        if waits {
            stream.read_exact(&mut [0]).unwrap();
        }
    }

    /// Asks for an upgrade, which the small client does not, and leaves when it has had all of the answer, which
    /// ends so.
    fn upgrade(&self, path: &str, id: &str, end: &[u8]) {
        let mut stream = TcpStream::connect(self.proxy.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: shop.test\r\nx-request-id: {id}\r\n\
             connection: upgrade\r\nupgrade: websocket\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        for byte in BufReader::new(&stream).bytes() {
            answer.push(byte.unwrap());
            if answer.ends_with(end) {
                return;
            }
        }
        panic!("{}", answer.escape_ascii());
    }
}

/// What the upstream does for each path.
fn answer(request: &Message) -> Answer {
    let grpc = |status: u16| Answer::new(status).field("content-type", "application/grpc");
    match request.path().trim_start_matches("/at/") {
        "500" => Answer::new(500).body("oh"),
        "404" => Answer::new(404).body("no"),
        "silent" | "slow" | "stuck-here" => Answer::silence(),
        "reset" => Answer::reset(),
        "begun" => {
            Answer::new(200).chunked().chunk("a").pause(Duration::from_millis(100)).then_reset()
        }
        "stuck" => Answer::new(200).chunked().chunk("a").then_silence(),
        "events" => {
            let events = Answer::new(200).field("content-type", "text/event-stream");
            events.chunked().chunk("data: a\n\n").then_silence()
        }
        "upgraded" => {
            let head = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
            Answer::raw(head).then_silence()
        }
        "not-upgraded" => Answer::new(426).body("no"),
        "trailers" => {
            let framed = "transfer-encoding: chunked\r\n\r\n0\r\ngrpc-status: 14\r\n\r\n";
            Answer::raw(format!("HTTP/1.1 200 OK\r\ncontent-type: application/grpc\r\n{framed}"))
        }
        "trailers-only" => grpc(200).field("grpc-status", "5").body(""),
        "head" => Answer::new(200).body(""),
        _ => Answer::new(200).body("hi"),
    }
}

/// A route for each thing that only Envoy does, and none for the rest.
fn routed(bootstrap: Bootstrap, nobody: SocketAddr) -> Bootstrap {
    let to = |path: &str, route: Value| json!({"match": {"path": path}, "route": route});
    let routes = vec![
        to("/at/slow", json!({"cluster": "app", "timeout": "0.2s"})),
        to("/at/stuck-here", json!({"cluster": "app", "timeout": "0s", "idle_timeout": "0.2s"})),
        to("/at/nobody", json!({"cluster": "nobody"})),
        to("/at/empty", json!({"cluster": "empty"})),
        to("/at/missing", json!({"cluster": "missing"})),
        json!({"match": {"path": "/at/direct"}, "direct_response": {"status": 403}}),
        json!({"match": {"path": "/at/redirect"}, "redirect": {"path_redirect": "/"}}),
        json!({"match": {"prefix": "/at/"}, "route": {"cluster": "app", "timeout": "0s"}}),
    ];
    bootstrap.only_routes(routes).patch(|document| {
        let clusters = document["static_resources"]["clusters"].as_array_mut().unwrap();
        let options = "/typed_extension_protocol_options/envoy.extensions.upstreams.http.v3.HttpProtocolOptions\
                       /explicit_http_config/http_protocol_options";
        *clusters[0].pointer_mut(options).unwrap() = json!({"enable_trailers": true});
        let address = json!({"address": nobody.ip().to_string(), "port_value": nobody.port()});
        let endpoint = json!({"endpoint": {"address": {"socket_address": address}}});
        for (name, endpoints) in [("nobody", json!([{"lb_endpoints": [endpoint]}])), ("empty", json!([]))] {
            clusters.push(json!({
                "name": name, "type": "STATIC", "connect_timeout": "1s",
                "load_assignment": {"cluster_name": name, "endpoints": endpoints},
            }));
        }
        let manager = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config/route_config";
        document.pointer_mut(manager).unwrap()["validate_clusters"] = json!(false);
    })
}

/// Fails requests that ask for it.
fn fault() -> Value {
    json!({
        "name": "fault",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault",
            "abort": {"header_abort": {}, "percentage": {"numerator": 100}},
        },
    })
}

/// A span and a line are of one request: the same IDs, the same words, the same times.
#[track_caller]
fn assert_same(span: &ReceivedSpan, line: &Value) {
    let texts = [
        ("trace_id", Some(span.trace_id_hex())),
        ("span_id", Some(span.span_id_hex())),
        ("error_type", span.text("error.type").map(str::to_owned)),
        ("method", span.text("http.request.method").map(str::to_owned)),
        ("path", span.text("url.path").map(str::to_owned)),
        ("timestamp", Some(rfc3339(span.span.start_time_unix_nano))),
    ];
    for (field, expected) in texts {
        assert_eq!(line[field].as_str().map(str::to_owned), expected, "{field} of {line}");
    }
    let route = span.text("http.route").unwrap_or("_unmatched");
    assert_eq!(line["route"], route, "{line}");
    assert_eq!(line["status"], span.int("http.response.status_code").unwrap_or(0), "{line}");
    let nanos = span.span.end_time_unix_nano - span.span.start_time_unix_nano;
    let millis = line["duration_ms"].as_f64().unwrap();
    let difference = (Duration::from_nanos(nanos).as_secs_f64() * 1e3 - millis).abs();
    assert!(difference <= 0.001, "{nanos} ns are {millis} ms in the line");
}

/// As the line has it, from nanoseconds; days by the proleptic calendar, counted.
fn rfc3339(nanos: u64) -> String {
    let (seconds, micros) = (nanos / 1_000_000_000, nanos / 1_000 % 1_000_000);
    let (mut days, second) = (seconds / 86_400, seconds % 86_400);
    let is_leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let mut year = 1970;
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let february = 28 + u64::from(is_leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z", days + 1)
}

#[test]
fn each_way_in_which_a_request_ends_is_told_apart() {
    let service = Service::start();
    let get = |path: &str, id: &str| Request::get(path).field("x-request-id", id);
    let grpc = |path: &str, id: &str| {
        let post =
            Request::post(path).field("content-type", "application/grpc").field("te", "trailers");
        post.field("x-request-id", id).body("")
    };
    for (id, request) in [
        ("fine", get("/at/fine", "fine")),
        ("app-500", get("/at/500", "app-500")),
        ("app-404", get("/at/404", "app-404")),
        ("timeout", get("/at/slow", "timeout")),
        ("nobody", get("/at/nobody", "nobody")),
        ("empty", get("/at/empty", "empty")),
        ("missing", get("/at/missing", "missing")),
        ("reset", get("/at/reset", "reset")),
        ("begun", get("/at/begun", "begun")),
        ("direct", get("/at/direct", "direct")),
        ("redirect", get("/at/redirect", "redirect")),
        ("no-route", get("/lost", "no-route")),
        ("stuck-here", get("/at/stuck-here", "stuck-here")),
        ("fault", get("/at/fine", "fault").field("x-envoy-fault-abort-request", "503")),
        ("head", Request::new("HEAD", "/at/head").field("x-request-id", "head")),
        ("grpc-trailers", grpc("/at/trailers", "grpc-trailers")),
        ("grpc-only", grpc("/at/trailers-only", "grpc-only")),
        ("grpc-local", grpc("/at/nobody", "grpc-local")),
        ("grpc-lost", grpc("/lost", "grpc-lost")),
    ] {
        // Some are cut short on the client's side too.
        let answer = request.send(service.proxy.address());
        assert!(answer.is_ok() || ["begun"].contains(&id), "{id}: {answer:?}");
    }
    service.leave(&get("/at/silent", "gone-before"), false);
    service.leave(&get("/at/stuck", "gone-within"), true);
    service.leave(&get("/at/events", "events"), true);
    service.upgrade("/at/upgraded", "upgraded", b"\r\n\r\n");
    service.upgrade("/at/not-upgraded", "not-upgraded", b"\r\n\r\nno");
    let told: Vec<String> = EXPECTED
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(id, _)| format!("{id}: {}\n", service.told(id)))
        .collect();
    assert_eq!(told.concat(), EXPECTED);
}

/// By request ID: the span's name, the status sent, the type of error, and the span's status.
const EXPECTED: &str = "\
fine: GET /at/{what} 200 - Unset
app-500: GET /at/{what} 500 500 Error
app-404: GET /at/{what} 404 - Unset
timeout: GET /at/{what} 504 upstream_request_timeout Error
nobody: GET /at/{what} 503 upstream_connection_failure Error
empty: GET /at/{what} 503 no_healthy_upstream Error
missing: GET /at/{what} 503 no_cluster_found Error
reset: GET /at/{what} 503 upstream_connection_termination Error
begun: GET /at/{what} 200 upstream_protocol_error Error
direct: GET /at/{what} 403 - Unset
redirect: GET /at/{what} 301 - Unset
no-route: GET 404 - Unset
stuck-here: GET /at/{what} 504 stream_idle_timeout Error
fault: GET /at/{what} 503 fault_injected Error
head: HEAD /at/{what} 200 - Unset
grpc-trailers: POST /at/{what} 200 UNAVAILABLE Error
grpc-only: POST /at/{what} 200 - Unset
grpc-local: POST /at/{what} 200 upstream_connection_failure Error
grpc-lost: POST 200 no_route_found Error
gone-before: GET /at/{what} 0 downstream_connection_termination Error
gone-within: GET /at/{what} 200 downstream_connection_termination Unset
events: GET /at/{what} 200 - Unset
upgraded: GET /at/{what} 101 - Unset
not-upgraded: GET /at/{what} 426 - Unset
";

//! What must not leave: sent in every place where it can occur, and looked for in everything that leaves.
//!
//! What is no secret is shown: a parameter of another name, a segment of a path without a template that says
//! so, `tracestate`, a request ID.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use sightline_cli::http::Message;
use sightline_cli::otlp::{Export, Signal};
use sightline_cli::wait;
use sightline_tests::{
    Answer, Bootstrap, Collector, Configuration, Endpoint, Proxy, Request, Upstream,
};
use socket2::{Domain, Socket, Type};

/// In every secret.
const SECRET: &str = "Zq7Xk2";
/// In what may be shown.
const SHOWN: &str = "Pw4Vm9";
/// Where a client is.
const CLIENT: &str = "127.0.0.77";
/// In the line that shows what is published beside ours.
const PUBLISHED: &str = "published:";

/// Where a request ends, as the header `x-place` asks for it.
const PLACES: [(&str, u16); 5] =
    [("app", 200), ("direct", 201), ("denied", 403), ("broken", 503), ("failed", 500)];

struct Service {
    collector: Collector,
    endpoint: Endpoint,
    proxy: Proxy,
    upstream: Upstream,
}

/// A client's request with a secret in it, named by where that is.
fn requests() -> Vec<(&'static str, Request)> {
    let nested = format!("https%3A%2F%2Fh.test%2F%3Fa%3Db%26token%3D{SECRET}");
    let far = format!("/a?x={}&token={SECRET}", "y".repeat(2_040));
    let long = format!("{}{SECRET}:{SECRET}@shop.test", "p".repeat(1_500));
    let get = |path: &str| Request::get(path.replace('$', SECRET));
    let with = |name: &str, value: &str| get("/a").field(name, value.replace('$', SECRET));
    let mut requests = vec![
        ("parameters", get("/a?token=$&api_key=$&password=$&secret=$")),
        ("parameters in other cases", get("/a?TOKEN=$;x=y&Access_Token=$&sig=$&Signature=$")),
        ("encoded names", get("/a?%74oken=$&X-Amz-%53ignature=$&x-goog-signature=$")),
        ("names of clouds", get("/a?x-amz-credential=$&X-Amz-Security-Token=$&AWSAccessKeyId=$")),
        ("names in brackets", get("/a?token[]=$&user%5Bpassword%5D=$&user.secret=$&+token=$")),
        ("past what is kept", get(&far)),
        ("a URL in a parameter", get(&format!("/a?next={nested}"))),
        ("a URL in a URL in a parameter", get(&format!("/a?next={}", nested.replace('%', "%25")))),
        ("a password in a parameter", get("/a?dsn=postgres%3A%2F%2Fme%3A$%40db.test%2F&b=c")),
        ("a token in a parameter's URL", get("/a?next=https://$@h.test/")),
        ("a path", get("/reset/$")),
        ("a path and a query", get("/reset/$?token=$")),
        ("a path with a slash", get("/reset/$/")),
        ("a URL in a path", get("/fetch/https://me:$@h.test/x")),
        ("a tidy URL in a path", get("/fetch/https:/me:$@h.test/x")),
        ("an encoded URL in a path", get("/fetch/https%3A%2F%2Fme%3A$%40h.test%2Fx")),
        ("a matrix parameter", get("/a;token=$/b")),
        ("the target", get("http://me:$@shop.test/a")),
        ("the host", with("host", "$:$@shop.test")),
        ("a long host", get("/a").field("host", &long)),
        ("the host before", with("x-forwarded-host", "$@shop.test")),
        ("a long host before", get("/a").field("x-forwarded-host", &long)),
        ("a user agent", with("user-agent", "bot (+https://me:$@h.test)")),
        ("another member of baggage", with("baggage", "other=$,tenant=acme;note=$")),
        ("a URL in baggage", with("baggage", "tenant=https%3A%2F%2Fme%3A$%40h.test")),
        ("a figure", with("x-amount", "$").field("x-outcome", SECRET)),
        ("a referrer", with("referer", "https://h.test/?token=$&a=b")),
        ("a referrer with a secret path", with("referer", "https://h.test/reset/$")),
        ("an original URL", with("x-original-url", "/a?a=b&token=$")),
        ("an original URL with a host", with("x-original-url", "https://me:$@h.test/")),
    ];
    let credentials = ["authorization", "Proxy-Authorization", "COOKIE", "x-api-key"];
    requests.extend(credentials.map(|name| (name, with(name, "Bearer $"))));
    requests
}

/// All keys that let something leave, and headers with secrets named on purpose.
fn configuration(format: &str, client_ip: &str, endpoint: &Endpoint) -> Value {
    let label = json!({"request_header": "x-outcome", "allow": ["good", "bad"]});
    json!({
        "routes": {"templates": [{"path": "/reset/{token}", "secret": ["token"]}]},
        "trace": {"baggage": ["tenant"], "response": "server-timing"},
        "sampling": {"ratio": 1},
        "publish": ["route", "request_id", "trace_id", "span_id"],
        "export": {
            "cluster": "collector",
            "interval": "200ms",
            "headers": {"authorization": format!("Bearer {SECRET}")},
        },
        "metrics": {
            "endpoint": endpoint.configuration(),
            "otlp": {"interval": "1s"},
            "custom": [{
                "name": "paid", "kind": "counter", "value": {"request_header": "x-amount"},
                "labels": {"outcome": label},
            }, {
                "name": "answers", "kind": "counter",
                "labels": {"outcome": {"response_header": "x-outcome", "allow": ["good", "bad"]}},
            }],
        },
        "access_log": {
            "stdout": true,
            "otlp": true,
            "format": format,
            "request_headers": [
                "authorization", "proxy-authorization", "cookie", "x-api-key", "referer", "x-original-url",
                "x-forwarded-for", "x-envoy-external-address", "forwarded", "x-real-ip", "x-place",
            ],
            "response_headers": ["set-cookie", "location", "x-api-key", "x-outcome"],
            "redact": {
                "client_ip": client_ip,
                // With the header of a custom metric, this one would be refused.
                "headers": [
                    "authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key",
                ],
            },
        },
    })
}

/// Answers that have secrets of their own.
fn answer(request: &Message) -> Answer {
    match request.field("x-place") {
        Some("broken") => Answer::reset(),
        place => Answer::new(if place == Some("failed") { 500 } else { 200 })
            .field("set-cookie", format!("session={SECRET}"))
            .field("location", format!("https://me:{SECRET}@h.test/?token={SECRET}"))
            .field("x-api-key", SECRET)
            .body("hi"),
    }
}

/// Adds what answers in the app's stead, and a line with what is published.
fn shape(bootstrap: Bootstrap) -> Bootstrap {
    let asks = |place: &str| json!([{"name": "x-place", "string_match": {"exact": place}}]);
    let denied = json!({"header": {"name": "x-place", "string_match": {"exact": "denied"}}});
    let rules = json!({"action": "DENY", "policies": {
        "all": {"permissions": [denied], "principals": [{"any": true}]},
    }});
    let bootstrap = bootstrap.filter_before(json!({
        "name": "deny",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
            "rules": rules,
        },
    }));
    let direct = json!({
        "match": {"prefix": "/", "headers": asks("direct")}, "direct_response": {"status": 201},
    });
    bootstrap.route(direct).patch(|document| {
        let log =
            "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config/access_log/0";
        let format = "/typed_config/log_format/text_format_source/inline_string";
        let format = document.pointer_mut(&format!("{log}{format}")).unwrap();
        let names = ["route", "request_id", "trace_id", "span_id"];
        let published = names.map(|name| format!("%FILTER_STATE(wasm.sightline_{name}:PLAIN)%"));
        let whole = format!("{}{PUBLISHED} {}\n", format.as_str().unwrap(), published.join(" "));
        *format = json!(whole);
    })
}

impl Service {
    fn start(format: &str, client_ip: &str, direction: &str) -> Self {
        let collector = Collector::start();
        let upstream = Upstream::answering(answer);
        let endpoint = Endpoint::anywhere();
        let mut configuration = configuration(format, client_ip, &endpoint);
        configuration["direction"] = json!(direction);
        let proxy = Proxy::start(|bootstrap| {
            let bootstrap = bootstrap.upstream(upstream.address());
            let bootstrap = bootstrap.collector(collector.address(), false);
            let bootstrap = bootstrap.configuration(Configuration::Struct(configuration));
            endpoint.put_into(shape(bootstrap))
        });
        let verbose = Request::post("/logging?wasm=debug").send(proxy.admin_address()).unwrap();
        assert_eq!(verbose.status(), 200, "{}", verbose.text());
        Self { collector, endpoint, proxy, upstream }
    }

    /// Sends every secret to every place, and waits until all that this causes has left.
    fn send_all(&self) {
        for (place, status) in PLACES {
            for (number, (name, request)) in requests().into_iter().enumerate() {
                let request = request.field("x-place", place);
                let request = request.field("x-request-id", format!("{place}-{number}"));
                let answer = self.proxy.send(&request);
                // Each gets as far as it is meant to, or it would show nothing here.
                assert_eq!(answer.status(), status, "{place}: {name}");
            }
        }
        self.send_what_envoy_refuses();
        send_from(CLIENT, self.proxy.address());
        self.wait();
    }

    fn send_what_envoy_refuses(&self) {
        let huge = Request::get(format!("/a?token={SECRET}")).field("x-huge", "x".repeat(100_000));
        let huge = huge.field("authorization", SECRET).field("cookie", SECRET);
        assert_eq!(self.proxy.send(&huge).status(), 431);
        let no_path = Request::get(format!("token={SECRET}"));
        assert_eq!(self.proxy.send(&no_path).status(), 400);
    }

    fn wait(&self) {
        let soon = Duration::from_secs(30);
        let all_ids = PLACES.iter().flat_map(|(place, _)| {
            (0..requests().len()).map(move |number| format!("{place}-{number}"))
        });
        let ids: Vec<String> = all_ids.chain(["last".to_owned()]).collect();
        let ways: [(&str, &dyn Fn() -> Vec<u8>); 4] = [
            ("the access log", &|| self.proxy.raw_access_log().into_bytes()),
            ("Envoy's log", &|| self.proxy.log().into_bytes()),
            ("spans", &|| self.exported(|signal| matches!(signal, Signal::Traces(_)))),
            ("log records", &|| self.exported(|signal| matches!(signal, Signal::Logs(_)))),
        ];
        for (way, left) in ways {
            let missing = || {
                let left = left();
                ids.iter().find(|id| !contains(&left, id)).cloned()
            };
            let all = wait::until(way, soon, || missing().is_none().then_some(()));
            all.unwrap_or_else(|late| panic!("{late}: no {:?}", missing()));
        }
        // The last request is the only good one. When it has been counted, all have.
        let metrics = || self.exported(|signal| matches!(signal, Signal::Metrics(_)));
        wait::until("metrics", soon, || contains(&metrics(), "good").then_some(())).unwrap();
    }

    fn exported(&self, is_meant: impl Fn(&Signal) -> bool) -> Vec<u8> {
        let exports: Vec<Arc<Export>> = self.collector.exports();
        assert!(exports.iter().all(|export| !export.compressed));
        let meant = exports.iter().filter(|export| is_meant(&export.signal));
        meant.flat_map(|export| export.message.to_vec()).collect()
    }

    /// What people see of the page that the filter answers itself, in one of its formats.
    fn page(&self, accept: &str) -> Vec<u8> {
        let request = Request::get("/metrics").field("accept", accept);
        request.send(self.endpoint.address()).unwrap().body
    }

    /// All that leaves but to the app and to the client.
    fn all_that_left(&self) -> Vec<(&'static str, Vec<u8>)> {
        vec![
            ("the access log", self.proxy.raw_access_log().into_bytes()),
            ("Envoy's log", self.proxy.log().into_bytes()),
            ("spans", self.exported(|signal| matches!(signal, Signal::Traces(_)))),
            ("log records", self.exported(|signal| matches!(signal, Signal::Logs(_)))),
            ("metrics", self.exported(|signal| matches!(signal, Signal::Metrics(_)))),
            ("OpenMetrics", self.page("application/openmetrics-text; version=1.0.0")),
            ("Prometheus text", self.page("text/plain")),
            ("the stats", self.proxy.admin("/stats").into_bytes()),
            ("the stats for Prometheus", self.proxy.admin("/stats/prometheus").into_bytes()),
        ]
    }
}

/// Sends the last request from this address, with what may be shown.
fn send_from(client: &str, to: SocketAddr) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::new(client.parse().unwrap(), 0).into()).unwrap();
    socket.connect(&to.into()).unwrap();
    let mut stream = TcpStream::from(socket);
    let head = format!(
        "GET /{SHOWN}?note={SHOWN} HTTP/1.1\r\nhost: shop.test\r\nconnection: close\r\n\
         x-request-id: last\r\nforwarded: for={client}\r\nx-real-ip: {client}\r\n\
         tracestate: a={SHOWN}\r\nbaggage: tenant={SHOWN}\r\nx-outcome: good\r\nx-amount: 7\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|part| part.eq_ignore_ascii_case(text.as_bytes()))
}

/// The text in front of the first place where this is found, and it.
fn around(bytes: &[u8], text: &str) -> Option<String> {
    let mut parts = bytes.windows(text.len());
    let at = parts.position(|part| part.eq_ignore_ascii_case(text.as_bytes()))?;
    Some(bytes[at.saturating_sub(600)..at + text.len()].escape_ascii().to_string())
}

#[test]
fn no_secret_leaves_in_any_signal() {
    for (format, client_ip, direction) in [
        ("json", "none", "inbound"),
        ("ecs", "truncate", "outbound"),
        ("logfmt", "drop", "inbound"),
    ] {
        let service = Service::start(format, client_ip, direction);
        service.send_all();
        let hides = client_ip != "none";
        for (place, left) in service.all_that_left() {
            let found = around(&left, SECRET);
            assert!(!left.is_empty() && found.is_none(), "{format}: {place}: {found:?}");
            let found = around(&left, CLIENT).filter(|_| hides);
            assert!(found.is_none(), "{format}: {place}: {found:?}");
            // What may be shown is found by the same search.
            let (shown, shows_client) = match place {
                "the access log" | "Envoy's log" | "spans" | "log records" => (SHOWN, !hides),
                "OpenMetrics" | "Prometheus text" | "metrics" => ("good", false),
                _ => ("request", false),
            };
            assert!(contains(&left, shown), "{format}: {place}: {}", left.escape_ascii());
            assert!(!shows_client || contains(&left, CLIENT), "{format}: {place}");
        }
        service.assert_app_and_collector_get_them();
    }
}

impl Service {
    /// What is sent goes on untouched: it was there to be shown.
    fn assert_app_and_collector_get_them(&self) {
        let got = self.upstream.requests();
        let asked = requests();
        for (number, (name, _)) in asked.iter().enumerate() {
            let id = format!("app-{number}");
            let its = got.iter().find(|it| it.field("x-request-id") == Some(&id)).unwrap();
            let values = its.fields.iter().map(|(_, value)| value.as_slice());
            let whole = values.chain([its.first_line.as_slice()]).collect::<Vec<_>>().concat();
            // Envoy itself takes the name and the password out of a target.
            assert!(*name == "the target" || contains(&whole, SECRET), "{name}: {its:?}");
        }
        let exports = self.collector.exports();
        assert!(exports.iter().all(|export| {
            let expected = format!("Bearer {SECRET}").into_bytes();
            export.headers.contains(&("authorization".to_owned(), expected))
        }));
    }
}

#[test]
fn addresses_leave_as_far_as_they_may() {
    for (client_ip, shown, hidden) in [
        ("none", vec!["198.51.100.77"], vec!["REDACTED"]),
        ("truncate", vec!["198.51.100.0", "127.0.0.0"], vec!["198.51.100.77", "127.0.0.1:"]),
        ("drop", vec![], vec!["198.51.100", "127.0.0.0"]),
    ] {
        let collector = Collector::start();
        let upstream = Upstream::answering(|_| Answer::new(200).body("hi"));
        let proxy = Proxy::start(|bootstrap| {
            let bootstrap = bootstrap.upstream(upstream.address());
            let bootstrap = bootstrap.collector(collector.address(), false);
            bootstrap.configuration(Configuration::Struct(json!({
                "sampling": {"ratio": 1},
                "export": {"cluster": "collector", "interval": "200ms"},
                "client_ip": {"trusted_hops": 1},
                "access_log": {
                    "otlp": true, "drop": ["upstream"], "request_headers": ["x-forwarded-for"],
                    "redact": {"client_ip": client_ip},
                },
            })))
        });
        let request = Request::get("/a").field("host", "shop.test").field("x-request-id", "last");
        proxy.send(&request.field("x-forwarded-for", "203.0.113.9, 198.51.100.77"));
        let line = proxy.line_of("last").to_string();
        collector.span_where("the span", |span| span.text("sightline.request_id") == Some("last"));
        let records = || {
            let exports = collector.exports();
            exports.iter().any(|it| matches!(it.signal, Signal::Logs(_))).then_some(())
        };
        wait::until("the log record", Duration::from_secs(20), records).unwrap();
        let exports = collector.exports();
        let exported = exports.iter().flat_map(|it| it.message.to_vec()).collect::<Vec<_>>();
        let left = [line.as_bytes(), &exported].concat();
        for text in shown {
            assert!(contains(&left, text), "{client_ip}: {text} is not in {}", left.escape_ascii());
        }
        for text in hidden {
            assert!(!contains(&left, text), "{client_ip}: {text} is in {}", left.escape_ascii());
        }
    }
}

#[test]
fn a_wrong_configuration_is_told_without_the_keys_to_a_collector() {
    for (name, export) in [
        ("no visible ASCII", json!({"headers": {"authorization": format!("{SECRET}é")}})),
        ("a list", json!({"headers": {"authorization": [SECRET]}})),
        ("a map", json!({"headers": {"authorization": {"bearer": SECRET}}})),
        (
            "a whole header for a name",
            json!({"headers": {format!("authorization: {SECRET}"): null}}),
        ),
        ("a whole header", json!({"headers": format!("authorization: {SECRET}")})),
        ("a list of headers", json!({"headers": [format!("authorization: {SECRET}")]})),
        ("a header that is ours", json!({"headers": {"content-type": SECRET}})),
        ("a key beside", json!({"authorization": SECRET})),
        ("a slip", json!({"header": {"authorization": SECRET}})),
        ("another key", json!({"headers": {"authorization": SECRET}, "queue": -1})),
    ] {
        let told = Proxy::try_start(|bootstrap| {
            let mut export = export;
            export["cluster"] = json!("collector");
            bootstrap.configuration(Configuration::Struct(json!({"export": export})))
        });
        let told = told.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(told.contains("export."), "{name}: {told}");
        assert!(!told.contains(SECRET), "{name}: {told}");
    }
}

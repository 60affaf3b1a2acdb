//! What must not leave: looked for in everything that does.

use serde_json::json;
use sightline_tests::{Answer, Collector, Proxy, Request, Upstream};

use super::{exporting, span_of};

const SECRET: &str = "hunter2";

struct Service {
    collector: Collector,
    proxy: Proxy,
    _upstream: Upstream,
}

impl Service {
    fn start(client_ip: &str, direction: &str) -> Self {
        let collector = Collector::start();
        let upstream = Upstream::answering(|_| Answer::new(200).body("hi"));
        let more = json!({
            "direction": direction,
            "routes": {"templates": [{"path": "/reset/{token}", "secret": ["token"]}]},
            "trace": {"baggage": ["tenant"]},
            "client_ip": {"trusted_hops": 1},
            "access_log": {"redact": {"client_ip": client_ip}},
            "publish": ["route", "request_id"],
        });
        let proxy = Proxy::start(|bootstrap| {
            exporting(bootstrap.upstream(upstream.address()), &collector, "http", &more)
        });
        Self { collector, proxy, _upstream: upstream }
    }

    /// All that has left of requests: lines, exported bytes, stats, and Envoy's log.
    fn all_that_left(&self) -> Vec<(&'static str, Vec<u8>)> {
        let exported = self.collector.exports().iter().flat_map(|it| it.message.to_vec()).collect();
        vec![
            ("the access log", self.proxy.raw_access_log().into_bytes()),
            ("what was exported", exported),
            ("the stats", self.proxy.admin("/stats").into_bytes()),
            ("the stats for Prometheus", self.proxy.admin("/stats/prometheus").into_bytes()),
            ("Envoy's log", self.proxy.log().into_bytes()),
        ]
    }
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|part| part == text.as_bytes())
}

#[test]
fn no_secret_leaves_in_any_signal() {
    let get = |path: &str| Request::get(path);
    let long = format!("{}{SECRET}:{SECRET}@shop.test", "p".repeat(1_500));
    let requests = [
        get("/a?token=hunter2&api_key=hunter2&password=hunter2&secret=hunter2"),
        get("/a?TOKEN=hunter2;x=y&Access_Token=hunter2&sig=hunter2&Signature=hunter2"),
        get("/a?%74oken=hunter2&X-Amz-%53ignature=hunter2&x-goog-signature=hunter2"),
        get("/a?x-amz-credential=hunter2&X-Amz-Security-Token=hunter2&AWSAccessKeyId=hunter2"),
        get(&format!("/a?x={}&token=hunter2", "y".repeat(2_040))),
        get("/reset/hunter2"),
        get("/reset/hunter2?token=hunter2"),
        get("/reset/hunter2/"),
        get("/a").field("authorization", "Bearer hunter2").field("cookie", "session=hunter2"),
        get("/a").field("proxy-authorization", "hunter2").field("x-api-key", "hunter2"),
        get("/a").field("baggage", "other=hunter2,tenant=acme;note=hunter2"),
        get("/a").field("host", "hunter2:hunter2@shop.test"),
        get("/a").field("host", &long),
        get("/a").field("x-forwarded-host", "hunter2@shop.test"),
        get("/a").field("x-forwarded-host", &long),
        get("http://hunter2:hunter2@shop.test/a"),
    ];
    for direction in ["inbound", "outbound"] {
        let service = Service::start("none", direction);
        for request in &requests {
            let answer = service.proxy.send(request);
            // Envoy lets each of them through, or it would show nothing here.
            assert_eq!(answer.status(), 200, "{direction}: {request:?}");
        }
        service.proxy.send(&get("/last").field("x-request-id", "last"));
        span_of(&service.collector, "last");
        service.proxy.line_of("last");
        // Spans come in order, so the others are there too.
        assert_eq!(service.collector.spans().len(), requests.len() + 1, "{direction}");
        for (place, bytes) in service.all_that_left() {
            assert!(!bytes.is_empty(), "{direction}: {place}");
            assert!(!contains(&bytes, SECRET), "{direction}: {place}: {}", bytes.escape_ascii());
        }
    }
}

#[test]
fn addresses_leave_as_far_as_they_may() {
    for (client_ip, shown, hidden) in [
        ("none", vec!["198.51.100.77"], vec!["REDACTED"]),
        ("truncate", vec!["198.51.100.0", "127.0.0.0"], vec!["198.51.100.77", "127.0.0.1"]),
        ("drop", vec![], vec!["198.51.100", "127.0.0"]),
    ] {
        let service = Service::start(client_ip, "inbound");
        let request = Request::get("/a").field("host", "shop.test").field("x-request-id", "last");
        service.proxy.send(&request.field("x-forwarded-for", "203.0.113.9, 198.51.100.77"));
        span_of(&service.collector, "last");
        let line = service.proxy.line_of("last").to_string();
        let exports = service.collector.exports();
        let left = [
            line.as_bytes(),
            &exports.iter().flat_map(|it| it.message.to_vec()).collect::<Vec<_>>(),
        ]
        .concat();
        for text in shown {
            assert!(contains(&left, text), "{client_ip}: {text} is not in {}", left.escape_ascii());
        }
        for text in hidden {
            assert!(!contains(&left, text), "{client_ip}: {text} is in {}", left.escape_ascii());
        }
    }
}

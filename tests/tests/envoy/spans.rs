//! Spans, as a collector receives them.

use serde_json::json;
use sightline_tests::{Answer, Collector, Configuration, Proxy, Request, Upstream};

#[test]
fn a_request_is_a_span() {
    for (protocol, http2) in [("http", false), ("grpc", true)] {
        let collector = Collector::start();
        let upstream = Upstream::answering(|_| Answer::new(200).body("hi"));
        let proxy = Proxy::start(|bootstrap| {
            bootstrap
                .upstream(upstream.address())
                .collector(collector.address(), http2)
                .configuration(Configuration::Struct(json!({
                    "sampling": {"ratio": 1},
                    "export": {"cluster": "collector", "protocol": protocol, "interval": "200ms"},
                })))
        });
        proxy.send(&Request::get("/users/7?token=x").field("x-request-id", "abc"));
        let span = collector
            .span_where("the span", |span| span.text("sightline.request_id") == Some("abc"));
        let line = proxy.line_of("abc");
        assert_eq!(line["sampled"], true);
        assert_eq!(line["trace_id"], span.trace_id_hex());
    }
}

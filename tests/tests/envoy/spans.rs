//! Spans, as a collector receives them.

mod decoded;
mod endings;
mod resource;

use serde_json::{Value, json};
use sightline_cli::otlp::ReceivedSpan;
use sightline_tests::{Answer, Bootstrap, Collector, Configuration, Proxy, Request, Upstream};

/// Gives the filter a configuration that exports every span soon, with these keys besides.
fn exporting(
    bootstrap: Bootstrap,
    collector: &Collector,
    protocol: &str,
    more: &Value,
) -> Bootstrap {
    let mut configuration = json!({
        "sampling": {"ratio": 1},
        "export": {"cluster": "collector", "protocol": protocol, "interval": "200ms"},
    });
    if let (Some(all), Some(more)) = (configuration.as_object_mut(), more.as_object()) {
        all.extend(more.clone());
    }
    let bootstrap = bootstrap.collector(collector.address(), protocol == "grpc");
    bootstrap.configuration(Configuration::Struct(configuration))
}

/// The span of the request with this ID, as soon as it has come.
fn span_of(collector: &Collector, id: &str) -> ReceivedSpan {
    let is_its = |span: &ReceivedSpan| span.text("sightline.request_id") == Some(id);
    collector.span_where(&format!("the span of {id}"), is_its)
}

#[test]
fn a_request_is_a_span() {
    for protocol in ["http", "grpc"] {
        let collector = Collector::start();
        let upstream = Upstream::answering(|_| Answer::new(200).body("hi"));
        let proxy = Proxy::start(|bootstrap| {
            exporting(bootstrap.upstream(upstream.address()), &collector, protocol, &json!({}))
        });
        proxy.send(&Request::get("/users/7?token=x").field("x-request-id", "abc"));
        let span = span_of(&collector, "abc");
        let line = proxy.line_of("abc");
        assert_eq!(line["sampled"], true);
        assert_eq!(line["trace_id"], span.trace_id_hex());
    }
}

//! `traceparent` and `tracestate` on the wire.

use serde_json::json;
use sightline_tests::{Answer, Configuration, Proxy, Request, Upstream};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

struct Service {
    upstream: Upstream,
    proxy: Proxy,
}

impl Service {
    fn start() -> Self {
        let upstream = Upstream::answering(|_| Answer::new(200).body("hi"));
        let proxy = Proxy::start(|bootstrap| bootstrap.upstream(upstream.address()));
        Self { upstream, proxy }
    }

    /// The only traceparent that came upstream, and all tracestates.
    fn pass(&self, request: &Request) -> (String, Vec<String>) {
        self.proxy.send(request);
        let seen = self.upstream.requests().pop().unwrap();
        let texts = |name| {
            seen.all(name).iter().map(|it| String::from_utf8_lossy(it).into_owned()).collect()
        };
        let traceparents: Vec<String> = texts("traceparent");
        assert_eq!(traceparents.len(), 1, "{traceparents:?}");
        (traceparents.concat(), texts("tracestate"))
    }
}

#[test]
fn a_valid_one_is_continued_under_a_span_of_our_own() {
    let service = Service::start();
    for (inbound, outbound_flags) in [
        (format!("00-{TRACE}-{CALLER}-00"), "00"),
        (format!("00-{TRACE}-{CALLER}-01"), "01"),
        (format!("00-{TRACE}-{CALLER}-ff"), "03"),
        (format!("cc-{TRACE}-{CALLER}-01-later"), "01"),
    ] {
        let request =
            Request::get("/").field("TraceParent", &inbound).field("tracestate", "a=1,b=2");
        let (traceparent, tracestate) = service.pass(&request);
        let parts: Vec<_> = traceparent.split('-').collect();
        assert_eq!((parts[0], parts[1], parts[3]), ("00", TRACE, outbound_flags), "{traceparent}");
        assert_ne!(parts[2], CALLER);
        assert_eq!(tracestate, ["a=1,b=2"]);
        let line = service.proxy.line_where("the line", |line| line["span_id"] == parts[2]);
        assert_eq!((&line["trace_id"], &line["parent_span_id"]), (&json!(TRACE), &json!(CALLER)));
    }
}

#[test]
fn anything_else_starts_a_trace_and_drops_the_state_of_the_other() {
    let service = Service::start();
    let valid = format!("00-{TRACE}-{CALLER}-01");
    let table: [(&str, Vec<Vec<u8>>); 7] = [
        ("none", vec![]),
        ("empty", vec![vec![]]),
        ("two headers", vec![valid.clone().into(), valid.clone().into()]),
        ("upper case", vec![valid.to_uppercase().into()]),
        ("a span of zeros", vec![format!("00-{TRACE}-0000000000000000-01").into()]),
        ("not UTF-8", vec![b"00-\xff\xfe".to_vec()]),
        ("huge", vec![valid.repeat(100).into()]),
    ];
    for (name, values) in table {
        let request = values
            .iter()
            .fold(Request::get("/"), |request, value| request.field("traceparent", value));
        let (traceparent, tracestate) = service.pass(&request.field("tracestate", "a=1"));
        assert_eq!(traceparent.len(), 55, "{name}: {traceparent}");
        assert!(!traceparent.contains(TRACE), "{name}: {traceparent}");
        assert_eq!(tracestate, [""; 0], "{name}");
    }
}

#[test]
fn as_many_traces_are_sampled_as_configured() {
    for (ratio, flags) in [(0, "02"), (1, "03")] {
        let upstream = Upstream::answering(|_| Answer::new(200).body("hi"));
        let proxy = Proxy::start(|bootstrap| {
            bootstrap
                .upstream(upstream.address())
                .configuration(Configuration::Struct(json!({"sampling": {"ratio": ratio}})))
        });
        for _ in 0..20 {
            proxy.send(&Request::get("/"));
        }
        for request in upstream.requests() {
            let traceparent = request.field("traceparent").unwrap();
            assert!(traceparent.ends_with(flags), "{ratio}: {traceparent}");
        }
    }
}

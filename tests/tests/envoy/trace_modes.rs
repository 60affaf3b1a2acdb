//! Who writes the trace context, in each mode, without another tracer in the proxy and beside Envoy's own.
//!
//! Whether a context is valid at all is a matter for `w3c.rs`; here it is whose it is, and whether
//! whatever sees the request says the same of it: the app, the log line, the spans.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use insta::{allow_duplicates, assert_snapshot};
use serde_json::{Value, json};
use sightline_cli::otlp::proto::trace::v1::span::SpanKind;
use sightline_cli::wait;
use sightline_tests::{
    Answer, Bootstrap, Collector, Configuration, Message, Proxy, Request, Upstream, outbound,
};

pub(crate) const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
pub(crate) const CALLER: &str = "00f067aa0ba902b7";
pub(crate) const VALID: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
pub(crate) const UNSAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
const NO_SPAN: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01";

/// What callers send as `traceparent`, always with a `tracestate` beside it.
pub(crate) const CALLERS: [(&str, &[&str]); 5] = [
    ("none", &[]),
    ("sampled", &[VALID]),
    ("unsampled", &[UNSAMPLED]),
    ("invalid", &[NO_SPAN]),
    ("two", &[VALID, VALID]),
];

const MANAGER: &str = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config";

/// What our filter says, once, when it has noticed another tracer.
const NOTICED: &str = "another tracer of this proxy rewrites traceparent";

/// How long a filter that exports every 100 ms may be watched before it is clear that nothing comes.
const A_WHILE: Duration = Duration::from_secs(1);

/// How long what is to come may take.
const SOON: Duration = Duration::from_secs(20);

/// An app behind an Envoy whose spans go to one collector and ours to another.
pub(crate) struct Service {
    pub(crate) proxy: Proxy,
    app: Upstream,
    tracer: Tracer,
    pub(crate) ours: Collector,
    envoys: Collector,
}

/// Who else traces in the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tracer {
    None,
    /// Envoy's own, which exports over HTTP.
    Http,
    /// The same over gRPC.
    Grpc,
}

impl Service {
    fn start(mode: &str, tracer: Tracer) -> Self {
        Self::with_workers(1, mode, tracer)
    }

    fn with_workers(workers: u32, mode: &str, tracer: Tracer) -> Self {
        let configuration = json!({"trace": {"mode": mode}});
        Self::shaped(workers, tracer, configuration, |bootstrap| bootstrap)
    }

    /// With this configuration, which need not say what every one here does.
    pub(crate) fn shaped(
        workers: u32,
        tracer: Tracer,
        mut configuration: Value,
        shape: impl FnOnce(Bootstrap) -> Bootstrap,
    ) -> Self {
        let app =
            Upstream::answering(|_| Answer::new(200).field("server-timing", "db;dur=5").body("hi"));
        let (ours, envoys) = (Collector::start(), Collector::start());
        configuration["export"] = json!({"cluster": "collector", "interval": "100ms"});
        let sampling = configuration["sampling"].take();
        configuration["sampling"] = if sampling.is_null() { json!({"ratio": 1}) } else { sampling };
        let proxy = Proxy::with_workers(workers, |bootstrap| {
            let bootstrap = traced(bootstrap, tracer, &envoys).upstream(app.address());
            let bootstrap = bootstrap.collector(ours.address(), false);
            shape(bootstrap.configuration(Configuration::Struct(configuration)))
        });
        Self { proxy, app, tracer, ours, envoys }
    }

    pub(crate) fn send(&self, id: &str, traceparents: &[&str]) -> Message {
        let request = Request::get("/users/7").field("x-request-id", id).field("tracestate", "a=1");
        let request = traceparents.iter().fold(request, |it, value| it.field("traceparent", value));
        self.proxy.send(&request)
    }

    /// What the app was handed with the request of this ID.
    pub(crate) fn seen(&self, id: &str) -> Message {
        let seen = self.app.requests().into_iter().find(|it| it.field("x-request-id") == Some(id));
        seen.unwrap_or_else(|| panic!("{id} did not arrive"))
    }

    /// The app's traceparent, of which it must have no second, as trace, span and flags.
    pub(crate) fn context(&self, id: &str) -> Option<[String; 3]> {
        let seen = self.seen(id);
        assert!(seen.all("traceparent").len() <= 1, "{seen:?}");
        let parts: Vec<_> = seen.field("traceparent")?.split('-').map(str::to_owned).collect();
        let [_, trace, span, flags] = parts.try_into().unwrap();
        Some([trace, span, flags])
    }

    /// One line on what became of a caller's context: what the app was handed as traceparent and as
    /// tracestate, and whether the log line says the same.
    fn row(&self, id: &str, sent: &[&str]) -> String {
        self.send(id, sent);
        let line = self.proxy.line_of(id);
        let seen = self.seen(id);
        let handed = match texts(&seen, "traceparent") {
            none if none.is_empty() => "nothing".to_owned(),
            same if same == sent => "as it came".to_owned(),
            _ => self.whose(&line, &self.context(id).unwrap()),
        };
        let state = texts(&seen, "tracestate").join(" + ");
        let state = match (seen.all("tracestate").len(), &*state) {
            (0, _) => "-",
            (_, "") => "empty",
            (_, state) => state,
        };
        format!("{handed:<36} | {state:<5} | {}", logged(&line, seen.field("traceparent")))
    }

    fn whose(&self, line: &Value, [trace, span, flags]: &[String; 3]) -> String {
        let whose = match flags.as_str() {
            // A span that is exported nowhere is ours if there is nobody else.
            "00" if self.tracer == Tracer::None && line["span_id"] == *span => "Sightline's",
            "00" => "an unseen span's",
            _ if self.is_ours(line, span) => "Sightline's",
            _ => {
                let what = format!("Envoy's span {span}");
                self.envoys.span_where(&what, |it| it.span_id_hex() == *span);
                "Envoy's"
            }
        };
        let place = if trace == TRACE { "in the caller's" } else { "in a new one" };
        format!("{whose} {flags} {place}")
    }

    /// Whether this is the span that we have exported for the request of this line.
    fn is_ours(&self, line: &Value, span: &str) -> bool {
        let id = line["request_id"].as_str();
        line["sampled"] == true
            && span
                == self
                    .ours
                    .span_where("ours", |it| it.text("sightline.request_id") == id)
                    .span_id_hex()
    }

    pub(crate) fn exports_nothing(&self) -> bool {
        wait::until("a span of ours", A_WHILE, || self.ours.exports().pop()).is_err()
    }

    /// So many times, and no more, another tracer was noticed.
    #[track_caller]
    fn assert_noticed(&self, times: usize) {
        let noticed = || self.proxy.log().matches(NOTICED).count();
        // Envoy's log may come a little later than its access log.
        wait::until("the notices", SOON, || (noticed() >= times).then_some(())).unwrap();
        assert_eq!(noticed(), times);
    }
}

/// What the line says of the trace, beside what the app was handed.
fn logged(line: &Value, handed: Option<&str>) -> String {
    let text = |name: &str| line[name].as_str().unwrap_or("-").to_owned();
    let (trace, span, flags) = (text("trace_id"), text("span_id"), text("trace_flags"));
    assert_eq!([&trace, &span, &flags].map(String::len), [32, 16, 2], "always: {line}");
    let parent = if text("parent_span_id") == CALLER { ", under the caller's" } else { "" };
    match &*trace {
        _ if handed == Some(&format!("00-{trace}-{span}-{flags}")) => format!("the same{parent}"),
        TRACE => format!("another span in the caller's{parent}"),
        _ => format!("another trace{parent}"),
    }
}

pub(crate) fn texts(message: &Message, name: &str) -> Vec<String> {
    message.all(name).iter().map(|it| String::from_utf8_lossy(it).into_owned()).collect()
}

/// With another tracer in the proxy, which samples everything and exports at once.
fn traced(bootstrap: Bootstrap, tracer: Tracer, collector: &Collector) -> Bootstrap {
    let service = match tracer {
        Tracer::None => return bootstrap,
        Tracer::Http => {
            let uri =
                json!({"uri": "http://envoys/v1/traces", "cluster": "envoys", "timeout": "1s"});
            ("http_service", json!({"http_uri": uri}))
        }
        Tracer::Grpc => ("grpc_service", json!({"envoy_grpc": {"cluster_name": "envoys"}})),
    };
    let mut provider = json!({
        "@type": "type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig",
        "service_name": "envoy",
    });
    provider[service.0] = service.1;
    let provider = json!({"name": "envoy.tracers.opentelemetry", "typed_config": provider});
    let eager = json!({"tracing.opentelemetry.min_flush_spans": 1,
        "tracing.opentelemetry.flush_interval_ms": 100});
    bootstrap.collector(collector.address(), tracer == Tracer::Grpc).patch(|document| {
        let clusters = document["static_resources"]["clusters"].as_array_mut().unwrap();
        clusters.last_mut().unwrap()["name"] = json!("envoys");
        document["layered_runtime"] = json!({"layers": [{"name": "eager", "static_layer": eager}]});
        document.pointer_mut(MANAGER).unwrap()["tracing"] =
            json!({"provider": provider, "random_sampling": {"value": 100}});
    })
}

/// The configuration of our filter, where there is no other.
fn sightline(document: &mut Value) -> &mut Value {
    document.pointer_mut(&format!("{MANAGER}/http_filters/0/typed_config/config")).unwrap()
}

/// A request ID by which Envoy's tracer samples everything; by one that is no UUID it samples nothing.
fn uuid(number: u32) -> String {
    format!("0d8b8c2a-91f3-4c1e-b0a6-{number:012}")
}

/// For each of [`CALLERS`]: whose span with which flags the app was handed and in which trace, the
/// tracestate beside it, and whether the line says the same.
fn table(service: &Service) -> String {
    let rows = CALLERS.iter().zip(1..).map(|((name, values), number)| {
        format!("{name:<9} | {}", service.row(&uuid(number), values))
    });
    rows.collect::<Vec<_>>().join("\n")
}

#[test]
fn own_writes_the_context_and_auto_does_where_nobody_else_traces() {
    for mode in ["own", "auto"] {
        let service = Service::start(mode, Tracer::None);
        allow_duplicates!(assert_snapshot!(table(&service), @"
        none      | Sightline's 03 in a new one          | -     | the same
        sampled   | Sightline's 01 in the caller's       | a=1   | the same, under the caller's
        unsampled | Sightline's 00 in the caller's       | a=1   | the same, under the caller's
        invalid   | Sightline's 03 in a new one          | -     | the same
        two       | Sightline's 03 in a new one          | -     | the same
        "));
    }
}

/// That is what a configuration says that insists: two tracers, of which the app hears one. Envoy's writes
/// last, and the state that is its trace's. Beside a traceparent that breaks the rules it writes nothing.
#[test]
fn beside_envoys_tracer_own_is_overruled_and_speaks_of_its_own_span() {
    assert_snapshot!(table(&Service::start("own", Tracer::Http)), @"
        none      | Envoy's 01 in a new one              | empty | another trace
        sampled   | Envoy's 01 in the caller's           | a=1   | another span in the caller's, under the caller's
        unsampled | an unseen span's 00 in the caller's  | a=1   | another span in the caller's, under the caller's
        invalid   | Sightline's 03 in a new one          | -     | the same
        two       | Envoy's 01 in the caller's           | a=1   | another trace
        ");
}

#[test]
fn off_leaves_the_context_alone() {
    let service = Service::start("off", Tracer::None);
    assert_snapshot!(table(&service), @"
    none      | nothing                              | a=1   | another trace
    sampled   | as it came                           | a=1   | the same
    unsampled | as it came                           | a=1   | the same
    invalid   | as it came                           | a=1   | another trace
    two       | as it came                           | a=1   | another trace
    ");
    assert!(service.exports_nothing());
}

/// Of two contexts the line has the first, as anybody who takes the first has it.
#[test]
fn enrich_leaves_alone_what_nobody_writes() {
    let service = Service::start("enrich", Tracer::None);
    assert_snapshot!(table(&service), @"
    none      | nothing                              | a=1   | another trace
    sampled   | as it came                           | a=1   | the same
    unsampled | as it came                           | a=1   | the same
    invalid   | as it came                           | a=1   | another trace
    two       | as it came                           | a=1   | the same
    ");
    assert!(service.exports_nothing());
}

/// Nothing is looked at when the request is over, so the line knows of the caller alone.
#[test]
fn beside_envoys_tracer_off_speaks_of_the_caller() {
    let service = Service::start("off", Tracer::Http);
    assert_snapshot!(table(&service), @"
        none      | Envoy's 01 in a new one              | empty | another trace
        sampled   | Envoy's 01 in the caller's           | a=1   | another span in the caller's
        unsampled | an unseen span's 00 in the caller's  | a=1   | another span in the caller's
        invalid   | as it came                           | a=1   | another trace
        two       | Envoy's 01 in the caller's           | a=1   | another trace
        ");
    assert!(service.exports_nothing());
}

#[test]
fn beside_envoys_tracer_enrich_and_auto_speak_of_its_spans() {
    for (mode, tracer) in [
        ("enrich", Tracer::Http),
        ("enrich", Tracer::Grpc),
        ("auto", Tracer::Http),
        ("auto", Tracer::Grpc),
    ] {
        let service = Service::start(mode, tracer);
        allow_duplicates!(assert_snapshot!(table(&service), @"
            none      | Envoy's 01 in a new one              | empty | the same
            sampled   | Envoy's 01 in the caller's           | a=1   | the same, under the caller's
            unsampled | an unseen span's 00 in the caller's  | a=1   | the same, under the caller's
            invalid   | as it came                           | a=1   | another trace
            two       | Envoy's 01 in the caller's           | a=1   | the same
            "));
        assert!(service.exports_nothing(), "{mode}");
        service.assert_noticed(usize::from(mode == "auto"));
    }
}

/// Where an app answers, where Envoy does, and nothing else.
pub(crate) fn few_routes(bootstrap: Bootstrap) -> Bootstrap {
    bootstrap.only_routes(vec![
        json!({"match": {"prefix": "/direct"}, "direct_response": {"status": 200}}),
        json!({"match": {"prefix": "/users"}, "route": {"cluster": "app"}}),
    ])
}

#[test]
fn auto_decides_nothing_by_a_request_that_reached_no_upstream() {
    let configuration = json!({"trace": {"mode": "auto"}});
    let service = Service::shaped(1, Tracer::Http, configuration, few_routes);
    for (path, id, status) in [("/direct", "direct", 200), ("/nothing", "nothing", 404)] {
        let answer = service.proxy.send(&Request::get(path).field("x-request-id", id));
        assert_eq!(answer.status(), status);
        assert_eq!(service.proxy.line_of(id)["sampled"], true, "{path} is still ours");
    }
    service.assert_noticed(0);
    service.send("first", &[]);
    assert_eq!(service.proxy.line_of("first")["sampled"], false);
    service.assert_noticed(1);
    service.ours.wait_for(2);
    // Anything that was written for the first request would have come by now.
    let third = wait::until("a third span", A_WHILE, || service.ours.spans().get(2).cloned());
    assert!(third.is_err(), "{third:?}");
}

/// Beside a traceparent that breaks the rules Envoy's tracer writes nothing, so ours stands, and nothing
/// is known yet.
#[test]
fn auto_decides_nothing_by_a_request_that_no_tracer_would_write_into() {
    let service = Service::start("auto", Tracer::Http);
    let [broken, first] = [uuid(1), uuid(2)];
    service.send(&broken, &[NO_SPAN]);
    service.send(&first, &[VALID]);
    let table = [
        (&broken, "Sightline's 03 in a new one", "the same"),
        (&first, "Envoy's 01 in the caller's", "the same, under the caller's"),
    ];
    for (id, whose, says) in table {
        let line = service.proxy.line_of(id);
        assert_eq!(service.whose(&line, &service.context(id).unwrap()), whose);
        assert_eq!(logged(&line, service.seen(id).field("traceparent")), says);
    }
    service.assert_noticed(1);
    let second = wait::until("a second span", A_WHILE, || service.ours.spans().get(1).cloned());
    assert!(second.is_err(), "{second:?}");
}

#[test]
fn auto_gives_way_on_the_listener_that_another_tracer_is_on_and_on_no_other() {
    let called = Upstream::answering(|_| Answer::new(200).body("hi"));
    let whom = Arc::new(OnceLock::<SocketAddr>::new());
    let app = Upstream::calling(1, &["traceparent", "tracestate"], {
        let whom = Arc::clone(&whom);
        move || *whom.get().expect("requests come after the proxy has started")
    });
    let (ours, envoys) = (Collector::start(), Collector::start());
    let proxy = Proxy::start(|bootstrap| {
        let export = json!({"cluster": "collector", "interval": "100ms"});
        let bootstrap = bootstrap.upstream(app.address()).configuration(Configuration::Struct(
            json!({"sampling": {"ratio": 1}, "export": export}),
        ));
        // From Envoy 1.40 on, listeners whose filters are set up alike share what is found out.
        let both = outbound(bootstrap, called.address(), |it| {
            it.patch(|document| sightline(document)["root_id"] = json!("outbound"))
        });
        traced(both, Tracer::Http, &envoys).collector(ours.address(), false)
    });
    whom.set(proxy.outbound_address()).expect("nobody else sets it");
    for number in 1..=5 {
        let id = uuid(number);
        let request = Request::get("/users/7").field("x-request-id", &id);
        assert_eq!(proxy.send(&request.field("traceparent", VALID)).status(), 200);
    }
    let clients = ours.wait_for(5);
    for (handed, sent) in app.requests().into_iter().zip(called.requests()) {
        let [handed, sent] = [handed, sent].map(|it| it.field("traceparent").unwrap().to_owned());
        let [handed, sent] = [&handed[36..52], &sent[36..52]];
        let client = clients.iter().find(|it| it.span_id_hex() == sent);
        let client = client.unwrap_or_else(|| panic!("{sent} is none of {clients:#?}"));
        assert_eq!((client.kind(), &*client.trace_id_hex()), (SpanKind::Client, TRACE));
        assert_eq!(client.parent_hex().as_deref(), Some(handed));
        envoys.span_where("Envoy's span between", |it| it.span_id_hex() == handed);
    }
}

#[test]
fn auto_is_noticed_by_each_worker_and_told_once() {
    let service = Service::with_workers(2, "auto", Tracer::Http);
    let all_serve = || {
        let id = format!("id-{}", service.app.requests().len());
        service.send(&id, &[VALID]);
        let connections = service.proxy.admin("/stats?filter=worker_._?.*downstream_cx_total");
        let idle = connections.lines().filter(|line| line.ends_with(": 0")).count();
        let served = connections.lines().filter(|line| line.contains(".worker_")).count();
        // The listener for clients, and Envoy's admin, which is no worker's.
        (idle == 0 && served >= 2 && service.app.requests().len() >= 20).then_some(())
    };
    wait::until("requests on both workers", Duration::from_secs(30), all_serve).unwrap();
    let count = service.app.requests().len();
    for number in 0..count {
        let id = format!("id-{number}");
        let [trace, span, _] = service.context(&id).unwrap();
        let line = service.proxy.line_of(&id);
        assert_eq!((&line["trace_id"], &line["span_id"]), (&json!(trace), &json!(span)), "{id}");
        assert_eq!(line["sampled"], false, "{id}");
    }
    service.assert_noticed(1);
    assert!(service.exports_nothing());
}

#[test]
fn auto_without_another_tracer_stays_own_however_long_it_looks() {
    let service = Service::start("auto", Tracer::None);
    let began = Instant::now();
    let mut count = 0;
    let over = || {
        service.send(&format!("id-{count}"), &[VALID]);
        count += 1;
        (began.elapsed() > Duration::from_millis(3_500)).then_some(())
    };
    wait::until("several looks", Duration::from_secs(30), over).unwrap();
    for number in 0..count {
        let id = format!("id-{number}");
        let line = service.proxy.line_of(&id);
        assert_eq!(line["sampled"], true, "{id}");
        assert_eq!(service.context(&id).unwrap()[1], line["span_id"].as_str().unwrap(), "{id}");
    }
    service.assert_noticed(0);
    assert_eq!(service.ours.wait_for(count).len(), count);
}

//! How spans get to a collector that works, misbehaves or is not there.

use std::collections::{HashSet, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sightline_cli::otlp::{Export, Protocol, ReceivedSpan, Reply, Signal};
use sightline_cli::wait;
use sightline_tests::{
    Answer, Bootstrap, Collector, Configuration, Nobody, Proxy, Request, Upstream,
};

const PROTOCOLS: [&str; 2] = ["http", "grpc"];
const SPANS: &str = "sightline_spans_total";
const BATCHES: &str = "sightline_export_batches_total";
const EXPORTED: &str = "sightline_exported_total";
const DROPPED: &str = "sightline_dropped_total";
const WAITING: &str = "sightline_export_waiting";

/// A stat's name, labels that it has, and its value.
type Sample<'a> = (&'a str, &'a [(&'a str, &'a str)], f64);

/// A proxy that exports every span, and an app behind it.
struct Stand {
    proxy: Proxy,
    _app: Upstream,
}

impl Stand {
    /// With a collector there, and more said of the export.
    fn new(protocol: &str, collector: SocketAddr, more: &Value) -> Self {
        Self::shaped(protocol, more, |bootstrap| bootstrap.collector(collector, protocol == "grpc"))
    }

    fn shaped(protocol: &str, more: &Value, shape: impl FnOnce(Bootstrap) -> Bootstrap) -> Self {
        let mut export = json!({"cluster": "collector", "protocol": protocol, "interval": "200ms"});
        let more = more.as_object().cloned().unwrap_or_default();
        export.as_object_mut().unwrap().extend(more);
        let configuration = json!({"sampling": {"ratio": 1}, "export": export});
        let app = Upstream::answering(|_| Answer::new(200).body("hi"));
        let proxy = Proxy::start(|bootstrap| {
            let bootstrap = bootstrap.upstream(app.address());
            shape(bootstrap.configuration(Configuration::Struct(configuration)))
        });
        Self { proxy, _app: app }
    }

    fn send(&self, requests: usize) {
        for _ in 0..requests {
            assert_eq!(self.proxy.send(&Request::get("/")).status(), 200);
        }
    }

    /// Waits until each of these has come to its value, and not past it.
    fn settles(&self, what: &str, expected: &[Sample<'_>]) {
        let now = || {
            let stats = self.proxy.stats();
            let value = |(name, labels, _): &Sample<'_>| stats.sum(name, labels).unwrap_or(0.0);
            expected.iter().map(value).collect::<Vec<_>>()
        };
        let wanted: Vec<_> = expected.iter().map(|(.., value)| *value).collect();
        let reached =
            wait::until(what, Duration::from_secs(20), || (now() == wanted).then_some(()));
        assert!(reached.is_ok(), "{what}: {expected:?} are {:?}", now());
    }

    /// How often Envoy's log tells of trouble with an export.
    fn warnings(&self) -> usize {
        self.proxy
            .log()
            .lines()
            .filter(|line| line.contains("sightline: export of traces to"))
            .count()
    }
}

fn spans_in(export: &Export) -> usize {
    let Signal::Traces(request) = &export.signal else { return 0 };
    let scopes = request.resource_spans.iter().flat_map(|resource| &resource.scope_spans);
    scopes.map(|scope| scope.spans.len()).sum()
}

/// The collector answers with these, one after the other, and takes all that comes behind them.
fn saying() -> (Collector, Arc<Mutex<VecDeque<Reply>>>) {
    let replies = Arc::new(Mutex::new(VecDeque::new()));
    let queue = Arc::clone(&replies);
    let next = move |_, _: &Export| queue.lock().unwrap().pop_front().unwrap_or(Reply::Accepted);
    (Collector::that(next), replies)
}

#[test]
fn a_full_batch_goes_at_once_and_a_partial_one_after_the_interval() {
    for protocol in PROTOCOLS {
        let began = Instant::now();
        let times: Arc<Mutex<Vec<Duration>>> = Arc::default();
        let seen = Arc::clone(&times);
        let collector = Collector::that(move |_, _| {
            seen.lock().unwrap().push(began.elapsed());
            Reply::Accepted
        });
        let stand =
            Stand::new(protocol, collector.address(), &json!({"batch": 5, "interval": "3s"}));
        let sent = began.elapsed();
        stand.send(7);
        let spans = collector.wait_for(7);
        let sizes: Vec<_> = collector.exports().iter().map(|export| spans_in(export)).collect();
        assert_eq!(sizes, [5, 2], "{protocol}");
        let times = times.lock().unwrap().clone();
        let interval = sent + Duration::from_secs(3);
        assert!(times[0] < interval && interval <= times[1], "{protocol}: {sent:?} {times:?}");
        let ids: HashSet<_> = spans.iter().map(ReceivedSpan::span_id_hex).collect();
        assert_eq!(ids.len(), 7, "{protocol}");
        stand.settles(
            protocol,
            &[
                (SPANS, &[("outcome", "sampled")], 7.0),
                (BATCHES, &[("signal", "traces"), ("outcome", "ok")], 2.0),
                (EXPORTED, &[("signal", "traces")], 7.0),
                (WAITING, &[("signal", "traces")], 0.0),
            ],
        );
        assert_eq!(stand.warnings(), 0, "{protocol}");
    }
}

/// What the collector says of one span, and what comes of it: batches that were accepted, refused and
/// failed, whether the span was exported, and how long that takes at least.
struct Row {
    name: &'static str,
    says: Vec<Reply>,
    batches: [f64; 3],
    exported: bool,
    takes: Duration,
}

fn row(name: &'static str, says: Vec<Reply>, batches: [f64; 3], exported: bool) -> Row {
    Row { name, says, batches, exported, takes: Duration::ZERO }
}

fn rows(protocol: &str) -> Vec<Row> {
    let partial = |rejected| Reply::Partial { rejected, message: "too old".to_owned() };
    let later = Reply::Status(503, vec![("retry-after".to_owned(), "3".to_owned())]);
    let mut rows = vec![
        row("all is well", vec![], [1.0, 0.0, 0.0], true),
        row("none is taken", vec![partial(1)], [1.0, 0.0, 0.0], false),
        row("a warning alone", vec![partial(0)], [1.0, 0.0, 0.0], true),
        row("a negative number is none", vec![partial(-3)], [1.0, 0.0, 0.0], true),
        row("nonsense", vec![Reply::Nonsense(b"<html>".to_vec())], [1.0, 0.0, 0.0], true),
        row("a reset", vec![Reply::Reset], [1.0, 0.0, 1.0], true),
        row("unavailable", vec![Reply::status(503)], [1.0, 0.0, 1.0], true),
        row("twice", vec![Reply::status(502), Reply::status(504)], [1.0, 0.0, 2.0], true),
        row(
            "late, but in time",
            vec![Reply::Accepted.after(Duration::from_millis(700))],
            [1.0, 0.0, 0.0],
            true,
        ),
        Row {
            takes: Duration::from_millis(1_500),
            ..row("no answer in time", vec![Reply::Silence], [1.0, 0.0, 1.0], true)
        },
    ];
    rows.extend(match protocol {
        "http" => vec![
            row("too many", vec![Reply::status(429)], [1.0, 0.0, 1.0], true),
            row("a bad request", vec![Reply::status(400)], [0.0, 1.0, 0.0], false),
            row("an error", vec![Reply::status(500)], [0.0, 1.0, 0.0], false),
            Row {
                takes: Duration::from_secs(3),
                ..row("not before a time", vec![later], [1.0, 0.0, 1.0], true)
            },
        ],
        _ => vec![
            row("unavailable", vec![Reply::Grpc(14, "busy".to_owned())], [1.0, 0.0, 1.0], true),
            row("invalid", vec![Reply::Grpc(3, "no".to_owned())], [0.0, 1.0, 0.0], false),
            row("unimplemented", vec![Reply::Grpc(12, "no".to_owned())], [0.0, 1.0, 0.0], false),
        ],
    });
    rows
}

#[test]
fn each_answer_has_its_consequence() {
    for protocol in PROTOCOLS {
        let (collector, replies) = saying();
        let stand = Stand::new(protocol, collector.address(), &json!({"timeout": "1500ms"}));
        let (mut batches, mut exported, mut rejected) = ([0.0; 3], 0.0, 0.0);
        for Row { name, says, batches: more, exported: is_exported, takes } in rows(protocol) {
            replies.lock().unwrap().extend(says);
            let began = Instant::now();
            stand.send(1);
            (0..3).for_each(|at| batches[at] += more[at]);
            *(if is_exported { &mut exported } else { &mut rejected }) += 1.0;
            let [ok, refused, failed] = batches;
            stand.settles(
                &format!("{protocol}: {name}"),
                &[
                    (BATCHES, &[("signal", "traces"), ("outcome", "ok")], ok),
                    (BATCHES, &[("signal", "traces"), ("outcome", "rejected")], refused),
                    (BATCHES, &[("signal", "traces"), ("outcome", "failed")], failed),
                    (EXPORTED, &[("signal", "traces")], exported),
                    (DROPPED, &[("signal", "traces"), ("reason", "rejected")], rejected),
                    (DROPPED, &[], rejected),
                    (WAITING, &[], 0.0),
                ],
            );
            assert!(began.elapsed() >= takes, "{protocol}: {name}: {:?}", began.elapsed());
        }
        stand.settles(protocol, &[(SPANS, &[("outcome", "sampled")], exported + rejected)]);
        assert_eq!(stand.warnings(), 1, "{protocol}: one a minute\n{}", stand.proxy.log());
    }
}

#[test]
fn it_goes_compressed_with_its_headers_to_whom_it_is_addressed() {
    for (protocol, compression) in [("http", "gzip"), ("http", "none"), ("grpc", "none")] {
        let collector = Collector::start();
        let more = json!({
            "compression": compression,
            "headers": {"Host": "otlp.example:4318", "x-tenant": "shop", "authorization": "Bearer b"},
        });
        let stand = Stand::new(protocol, collector.address(), &more);
        stand.send(30);
        collector.wait_for(30);
        let export = &collector.exports()[0];
        let what = format!("{protocol} {compression}: {export:?}");
        let is_gzip = compression == "gzip";
        assert_eq!(export.compressed, is_gzip, "{what}");
        assert_eq!(is_gzip, export.bytes < export.message.len() / 2, "{what}");
        assert_eq!(export.header("content-encoding"), is_gzip.then_some("gzip"), "{what}");
        assert_eq!(export.header("x-tenant"), Some("shop"), "{what}");
        assert_eq!(export.header("authorization"), Some("Bearer b"), "{what}");
        // Over HTTP/2 the receiver sees an authority and no header.
        let host = export.headers.iter().filter(|(name, _)| name == "host").count();
        assert_eq!(host, usize::from(export.protocol == Protocol::Http), "{what}");
    }
}

#[test]
fn it_is_sent_where_the_prefix_says() {
    let collector = Upstream::answering(|_| Answer::new(200).body(""));
    let more = json!({"path_prefix": "/otlp", "headers": {"host": "otlp.example"}});
    let stand = Stand::new("http", collector.address(), &more);
    stand.send(1);
    stand.settles("the span", &[(EXPORTED, &[], 1.0)]);
    let export = collector.request();
    assert_eq!((export.method(), export.path()), ("POST", "/otlp/v1/traces"));
    assert_eq!(export.field("host"), Some("otlp.example"));
    assert_eq!(export.field("content-type"), Some("application/x-protobuf"));
    assert!(export.field("user-agent").unwrap().starts_with("sightline/"));
}

#[test]
fn without_a_collector_the_queue_fills_and_requests_are_served() {
    for protocol in PROTOCOLS {
        let mut collector = Collector::start();
        collector.stop();
        let more = json!({"queue": 50, "batch": 20});
        let stand = Stand::new(protocol, collector.address(), &more);
        stand.send(80);
        stand.settles(
            protocol,
            &[
                (WAITING, &[("signal", "traces")], 50.0),
                (DROPPED, &[("signal", "traces"), ("reason", "queue_full")], 30.0),
                (SPANS, &[("outcome", "sampled")], 80.0),
            ],
        );
        let failed = || stand.proxy.stats().sum(BATCHES, &[("outcome", "failed")]) >= Some(3.0);
        wait::until("three failures", Duration::from_secs(20), || failed().then_some(())).unwrap();
        assert_eq!(stand.warnings(), 1, "{protocol}: one a minute\n{}", stand.proxy.log());
        collector.restart();
        stand
            .settles(protocol, &[(WAITING, &[], 0.0), (EXPORTED, &[], 50.0), (DROPPED, &[], 30.0)]);
        let lines = wait::until("all lines", Duration::from_secs(10), || {
            Some(stand.proxy.lines()).filter(|lines| lines.len() == 80)
        });
        assert_eq!(told_by(&lines.unwrap()), held_by(&collector), "{protocol}");
    }
}

/// The spans that lines say were handed to the exporter.
fn told_by(lines: &[Value]) -> HashSet<String> {
    let sampled = lines.iter().filter(|line| line["sampled"] == true);
    sampled.map(|line| line["span_id"].as_str().unwrap().to_owned()).collect()
}

fn held_by(collector: &Collector) -> HashSet<String> {
    collector.spans().iter().map(ReceivedSpan::span_id_hex).collect()
}

#[test]
fn a_cluster_that_envoy_does_not_know_is_named_in_one_warning() {
    for protocol in PROTOCOLS {
        let stand = Stand::shaped(protocol, &json!({}), |bootstrap| bootstrap);
        stand.send(5);
        let failed = || stand.proxy.stats().sum(BATCHES, &[("outcome", "failed")]) >= Some(3.0);
        wait::until("three failures", Duration::from_secs(20), || failed().then_some(())).unwrap();
        stand.send(5);
        stand.settles(protocol, &[(WAITING, &[], 10.0), (SPANS, &[], 10.0)]);
        assert_eq!(stand.warnings(), 1, "{protocol}: {}", stand.proxy.log());
        assert!(
            stand.proxy.log().contains("export of traces to collector"),
            "{}",
            stand.proxy.log()
        );
    }
}

#[test]
fn an_export_that_passes_the_same_proxy_is_not_traced() {
    for (name, sampling, trace, status) in [
        ("as usual", json!({"ratio": 1}), json!({}), 200),
        ("parents do not count", json!({"ratio": 1, "parent": "ignore"}), json!({}), 200),
        ("traces start anew", json!({"ratio": 1}), json!({"inbound": "restart"}), 200),
        ("exports fail at first", json!({"ratio": 1}), json!({}), 503),
    ] {
        let front = Nobody::anywhere();
        let fails = Mutex::new(if status == 200 { 0 } else { 2 });
        let collector = Collector::that(move |_, _| {
            let mut fails = fails.lock().unwrap();
            let failing = *fails > 0;
            *fails -= i32::from(failing);
            if failing { Reply::status(status) } else { Reply::Accepted }
        });
        let app = Upstream::answering(|_| Answer::new(200).body("hi"));
        let proxy = Proxy::start(|bootstrap| {
            let configuration = json!({
                "sampling": sampling,
                "trace": trace,
                "export": {"cluster": "collector", "interval": "200ms"},
            });
            let bootstrap = bootstrap.upstream(app.address()).collector(front.address(), false);
            let bootstrap = bootstrap.configuration(Configuration::Struct(configuration));
            behind_itself(bootstrap, front.address(), collector.address())
        });
        for _ in 0..3 {
            proxy.send(&Request::get("/"));
            collector.wait_for(1);
        }
        proxy.settles_at(3.0, EXPORTED, &[]);
        // Long enough for an export of an export, were there one.
        let quiet = Instant::now();
        let sent = || (quiet.elapsed() > Duration::from_secs(3)).then_some(());
        wait::until("three seconds", Duration::from_secs(10), sent).unwrap();
        let spans = collector.spans();
        let names: Vec<_> = spans.iter().map(ReceivedSpan::name).collect();
        assert!(names.iter().all(|name| name.starts_with("GET")), "{name}: {names:?}");
        proxy.settles_at(3.0, EXPORTED, &[]);
        proxy.settles_at(3.0, SPANS, &[("outcome", "sampled")]);
    }
}

/// The proxy listens there, and passes on to the collector what exporters send.
fn behind_itself(bootstrap: Bootstrap, front: SocketAddr, collector: SocketAddr) -> Bootstrap {
    let route = json!({
        "match": {"prefix": "/v1/traces"},
        "route": {"cluster": "real"},
    });
    bootstrap.route(route).patch(|document| {
        let clusters = document["static_resources"]["clusters"].as_array_mut().unwrap();
        let mut real = clusters.last().unwrap().clone();
        real["name"] = json!("real");
        real["load_assignment"]["cluster_name"] = json!("real");
        let place = "/load_assignment/endpoints/0/lb_endpoints/0/endpoint/address/socket_address";
        real.pointer_mut(place).unwrap()["port_value"] = json!(collector.port());
        clusters.push(real);
        let listener = &mut document["static_resources"]["listeners"][0];
        listener["address"]["socket_address"]["port_value"] = json!(front.port());
    })
}

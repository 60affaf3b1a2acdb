//! Calls to clusters, as a test sees them: what it can say of clusters, and what it is told of calls.
//!
//! What a module is told is in the scenarios, where a real Envoy judges. Here is what an Envoy cannot be
//! asked: exact times, records, clusters that answer by what they are sent, and what makes it crash.

mod guest;

use std::time::Duration;

use guest::{configured, guest, on, texts, texts_of, world};
use sightline_host::{Cluster, Failure, Host, Plugin, Request, Response, World};

const MILLISECOND: Duration = Duration::from_millis(1);

/// Code that calls a cluster over HTTP, and logs the status.
fn http_call(cluster: &str, body: &str, timeout: u32) -> String {
    let headers = pairs(&[(":method", "POST"), (":path", "/p"), (":authority", "a.test")]);
    format!(
        "(call $say (call $http_call '{cluster}' '{headers}' '{body}' ''
           (i32.const {timeout}) (i32.const 16)))"
    )
}

/// Code that calls a cluster over gRPC, and logs the status.
fn grpc_call(cluster: &str, message: &str, timeout: u32) -> String {
    format!(
        "(call $say (call $grpc_call '{cluster}' 'pkg.Svc' 'Meth' '' '{message}'
           (i32.const {timeout}) (i32.const 16)))"
    )
}

/// Code that opens a stream, and logs the status.
fn grpc_stream(cluster: &str) -> String {
    format!("(call $say (call $grpc_stream '{cluster}' 'pkg.Svc' 'Meth' '' (i32.const 16)))")
}

/// Code that sends on the last call, and logs the status.
fn send(message: &str, ends: u32) -> String {
    format!(
        "(call $say (call $grpc_send (i32.load (i32.const 16)) '{message}' (i32.const {ends})))"
    )
}

/// Pairs as a module passes them, in the escapes of WebAssembly text.
fn pairs(pairs: &[(&str, &str)]) -> String {
    let word = |number: usize| u32::try_from(number).unwrap().to_le_bytes();
    let lengths = pairs.iter().flat_map(|(name, value)| [word(name.len()), word(value.len())]);
    let texts = pairs.iter().flat_map(|(name, value)| format!("{name}\0{value}\0").into_bytes());
    let bytes = word(pairs.len()).into_iter().chain(lengths.flatten()).chain(texts);
    bytes.fold(String::new(), |text, byte| text + &format!("\\{byte:02x}"))
}

/// A module that calls when a request comes, and logs what it is told: of HTTP token and body, of
/// gRPC token and message or token and status.
fn calling(code: &str) -> String {
    [
        on("request_headers", code),
        on(
            "http_call_response",
            "(call $say (local.get $token)) (call $show_buffer (i32.const 4))",
        ),
        on("grpc_receive", "(call $say (local.get $token)) (call $show_buffer (i32.const 5))"),
        on("grpc_close", "(call $say (local.get $token)) (call $say (local.get $status))"),
    ]
    .concat()
}

fn host(code: &str, clusters: impl FnOnce(World) -> World) -> Host {
    Host::new(clusters(world()), Plugin::new(&guest(&calling(code)))).unwrap()
}

#[test]
fn a_call_is_recorded_as_its_cluster_saw_it() {
    let mut host = host(&http_call("auth", "hi", 500), |it| {
        it.cluster("auth", Cluster::answering(Response::new(200)))
    });
    host.request(Request::get("/")).unwrap();
    let [call] = host.callouts() else { panic!("{:?}", host.callouts()) };
    assert_eq!(call.cluster, "auth");
    assert_eq!(call.timeout, Some(500 * MILLISECOND));
    assert_eq!((call.thread, &call.grpc), (1, &None));
    assert_eq!(
        call.to_string(),
        "to auth\n:method: POST\n:path: /p\n:authority: a.test\n:scheme: http\ncontent-length: 2\n\
         x-envoy-internal: true\nx-envoy-expected-rq-timeout-ms: 500\nbody \"hi\"\n"
    );
}

#[test]
fn a_call_of_grpc_is_recorded_with_its_messages() {
    let answer = Response::grpc_message(0, b"pong");
    let mut host =
        host(&grpc_call("g", "ping", 500), |it| it.cluster("g", Cluster::answering(answer)));
    host.request(Request::get("/")).unwrap();
    let [call] = host.callouts() else { panic!("{:?}", host.callouts()) };
    let grpc = call.grpc.as_ref().unwrap();
    assert_eq!((grpc.service.as_str(), grpc.method.as_str()), ("pkg.Svc", "Meth"));
    assert_eq!(grpc.messages, [b"ping"]);
    assert_eq!(call.request.get("grpc-timeout"), Some(&b"500m"[..]));
    assert_eq!(call.request.body, b"\0\0\0\0\x04ping");
    assert_eq!(texts(&host), ["0", "5", "pong"]);
}

#[test]
fn a_call_that_reaches_nobody_is_not_recorded() {
    type Clusters = fn(World) -> World;
    let rows: [(&str, Clusters, &[&str]); 3] = [
        ("missing", |it| it, &["2"]),
        ("empty", |it| it.cluster("auth", Cluster::empty()), &["10"]),
        (
            "refusing",
            |it| it.cluster("auth", Cluster::refusing()),
            &[
                "0",
                "4",
                "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure",
            ],
        ),
    ];
    for (name, clusters, expected) in rows {
        let mut host = host(&http_call("auth", "", 500), clusters);
        host.request(Request::get("/")).unwrap();
        host.advance(Duration::from_secs(1)).unwrap();
        assert_eq!(texts(&host), expected, "{name}");
        assert!(host.callouts().is_empty(), "{name}");
    }
}

#[test]
fn an_answer_comes_at_its_time() {
    let slow = || Response::new(200).chunk("a").chunk("b").after(30 * MILLISECOND);
    let rows = [
        ("in time", 100, slow().every(20 * MILLISECOND), 70, "ab"),
        ("too late", 50, Response::silence(), 50, "upstream request timeout"),
        ("too late for its end", 60, slow().every(20 * MILLISECOND), 60, ""),
        ("without a timeout", 0, slow().every(Duration::from_mins(1)), 120_030, "ab"),
    ];
    for (name, timeout, answer, after, expected) in rows {
        let mut host = host(&http_call("auth", "", timeout), |it| {
            it.cluster("auth", Cluster::answering(answer))
        });
        host.request(Request::get("/")).unwrap();
        host.advance(MILLISECOND * (after - 1)).unwrap();
        assert_eq!(texts(&host), ["0"], "{name}, before");
        host.advance(MILLISECOND).unwrap();
        assert_eq!(texts(&host), ["0", "4", expected], "{name}");
    }
}

#[test]
fn a_cluster_answers_by_what_it_is_sent() {
    let echo = Cluster::with(|request| Response::new(200).body(&request.body));
    let code = http_call("echo", "one", 500) + &http_call("echo", "two", 500);
    let mut host = host(&code, |it| it.cluster("echo", echo));
    host.request(Request::get("/")).unwrap();
    assert_eq!(texts(&host), ["0", "0", "4", "one", "8", "two"]);
}

#[test]
fn a_stream_is_whole_when_the_module_has_closed_it() {
    let first = grpc_stream("g") + &send("a", 0) + &send("b", 0);
    let rows = [
        ("open", String::new(), false, &["0", "0", "0"][..]),
        ("ended with a message", send("c", 1), true, &["0", "0", "0", "0", "6", "pong", "6", "0"]),
        (
            "closed",
            "(call $say (call $grpc_close (i32.const 6)))".into(),
            true,
            &["0", "0", "0", "0", "6", "pong", "6", "0"],
        ),
        (
            "taken back at once",
            "(call $say (call $grpc_cancel (i32.const 6)))".into(),
            false,
            &["0", "0", "0", "0"],
        ),
    ];
    for (name, then, whole, expected) in rows {
        let answer = Cluster::answering(Response::grpc_message(0, b"pong"));
        let mut host = host(&(first.clone() + &then), |it| it.cluster("g", answer));
        host.request(Request::get("/")).unwrap();
        host.advance(MILLISECOND).unwrap();
        assert_eq!(texts(&host), expected, "{name}");
        let is_whole = host.callouts().first().is_some_and(|call| call.request.whole);
        assert_eq!(is_whole, whole, "{name}");
    }
}

#[test]
fn the_canary_calls_nobody_and_every_thread_calls_for_itself() {
    let body = on("configure", &http_call("auth", "", 0))
        + &on("http_call_response", "(call $say (local.get $token))");
    let surroundings = world().workers(2).cluster("auth", Cluster::answering(Response::new(200)));
    let mut host = Host::new(surroundings, Plugin::new(&guest(&body))).unwrap();
    host.advance(MILLISECOND).unwrap();
    let threads: Vec<_> = host.callouts().iter().map(|call| call.thread).collect();
    assert_eq!(threads, [0, 1, 2]);
    assert_eq!(texts_of(&host, 0), ["0", "0", "4"], "the canary's call has no answer");
    assert_eq!(texts_of(&host, 2), ["0", "4"]);
}

#[test]
fn an_answer_finds_nobody_when_its_root_its_vm_or_its_worker_is_gone() {
    type Ending = fn(&mut Host);
    let rows: [(&str, Ending); 2] = [
        ("the plugin is removed", |host| host.remove(host.plugin()).unwrap()),
        ("the worker is lost", |host| host.lose_worker(0).unwrap()),
    ];
    for (name, ending) in rows {
        let slow = Cluster::answering(Response::new(200).after(50 * MILLISECOND));
        let mut host = host(&http_call("auth", "", 0), |it| it.cluster("auth", slow));
        host.request(Request::get("/")).unwrap();
        ending(&mut host);
        host.advance(Duration::from_secs(1)).unwrap();
        assert_eq!(texts(&host), ["0"], "{name}");
    }
}

#[test]
fn a_service_that_names_nobody_would_crash_envoy() {
    let rows = [("an empty one", ""), ("a name that is protobuf by chance", "email")];
    for (name, service) in rows {
        let answer = Cluster::answering(Response::grpc(0));
        let mut host = host(&grpc_call(service, "", 0), |it| it.cluster("email", answer));
        let failure = host.request(Request::get("/")).unwrap_err();
        assert!(matches!(failure, Failure::WouldCrash(_)), "{name}: {failure}");
    }
}

#[test]
fn what_leads_out_of_memory_is_refused_before_anything_is_called() {
    let far = "(i32.const -1) (i32.const 8)";
    let good = "'auth'";
    let rows = [
        ("a cluster", format!("(call $http_call {far} {good} '' '' (i32.const 0) (i32.const 16))")),
        ("a body", format!("(call $http_call {good} '' {far} '' (i32.const 0) (i32.const 16))")),
        ("trailers", format!("(call $http_call {good} '' '' {far} (i32.const 0) (i32.const 16))")),
        ("a token", format!("(call $http_call {good} '' '' '' (i32.const 0) (i32.const -1))")),
        ("a message", format!("(call $grpc_send (i32.const 6) {far} (i32.const 0))")),
        ("a service", format!("(call $grpc_stream {far} '' '' '' (i32.const 16))")),
        ("a status", "(call $status (i32.const -1) (i32.const 0) (i32.const 4))".into()),
    ];
    for (name, code) in rows {
        let mut host = configured(&on("request_headers", &format!("(call $say {code})")));
        host.request(Request::get("/")).unwrap();
        assert_eq!(texts(&host), ["6"], "{name}");
    }
}

#[test]
fn a_module_that_traps_in_an_answer_is_named() {
    let body =
        on("request_headers", &http_call("auth", "", 0)) + &on("http_call_response", "unreachable");
    let surroundings = world().cluster("auth", Cluster::answering(Response::new(200)));
    let mut host = Host::new(surroundings, Plugin::new(&guest(&body))).unwrap();
    let failure = host.begin(Request::get("/")).and_then(|stream| host.finish(stream)).unwrap_err();
    let Failure::Trapped(trap) = failure else { panic!("{failure}") };
    assert_eq!(trap.entry, "proxy_on_http_call_response");
}

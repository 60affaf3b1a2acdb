//! On which answers the client gets its ID back, and that no two requests are given the same one.
//!
//! Where Envoy shows us no response there is no echo: that is tested too, and docs/request-id.md says so.

use std::collections::HashSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use sightline_cli::wait;
use sightline_tests::{
    Answer, Bootstrap, Configuration, Message, Nobody, Proxy, Request, Upstream,
};

const LISTENER: &str = "/static_resources/listeners/0";
const CONNECTION_MANAGER: &str =
    "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config";
const PLUGIN: &str = "/filter_chains/0/filters/0/typed_config/http_filters/0/typed_config/config";
const CONNECTIONS: usize = 32;
const SOON: Duration = Duration::from_secs(20);

fn manager(bootstrap: Bootstrap, field: &str, value: &Value) -> Bootstrap {
    let value = value.clone();
    bootstrap.patch(|document| document.pointer_mut(CONNECTION_MANAGER).unwrap()[field] = value)
}

/// Sends a request as it is written here and reads heads up to the final one, or that of an upgrade.
fn heads(to: SocketAddr, request: &str) -> Vec<String> {
    let mut stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut heads = Vec::new();
    let mut head = String::new();
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        if !line.is_empty() {
            head += &(line + "\n");
            continue;
        }
        heads.push(std::mem::take(&mut head));
        if heads
            .last()
            .is_some_and(|head| !head.starts_with("HTTP/1.1 10") || head.contains(" 101 "))
        {
            break;
        }
    }
    heads
}

fn echoes(head: &str) -> Vec<&str> {
    head.lines().filter_map(|line| line.strip_prefix("x-request-id: ")).collect()
}

/// Answers as the path says.
fn scripted() -> Upstream {
    const LENGTH: &str = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n";
    Upstream::answering(|request| match request.path() {
        "/head" => Answer::raw(LENGTH),
        "/204" => Answer::raw("HTTP/1.1 204 No Content\r\n\r\n"),
        "/304" => Answer::raw("HTTP/1.1 304 Not Modified\r\netag: \"a\"\r\n\r\n"),
        "/103" => {
            Answer::raw(format!("HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n{LENGTH}hello"))
        }
        "/upgrade" => Answer::raw(
            "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
        ),
        "/trailers-only" => Answer::new(200)
            .field("content-type", "application/grpc")
            .field("grpc-status", "5")
            .body(""),
        "/timeout" => Answer::silence(),
        "/reset" => Answer::reset(),
        "/cut" => Answer::new(200).chunked().chunk("hi").then_reset(),
        _ => Answer::new(200).body("hello"),
    })
}

/// The template with an app, a route that times out, and one to nobody.
fn all_ends(bootstrap: Bootstrap, app: SocketAddr, nobody: SocketAddr) -> Bootstrap {
    let timeout = json!({"cluster": "app", "timeout": "0.1s"});
    let address = json!({"address": nobody.ip(), "port_value": nobody.port()});
    let endpoint = json!({"endpoint": {"address": {"socket_address": address}}});
    let gone = json!({"name": "gone", "connect_timeout": "2s", "load_assignment": {
        "cluster_name": "gone", "endpoints": [{"lb_endpoints": [endpoint]}],
    }});
    bootstrap
        .upstream(app)
        .route(json!({"match": {"path": "/timeout"}, "route": timeout}))
        .route(json!({"match": {"prefix": "/gone"}, "route": {"cluster": "gone"}}))
        .patch(|document| {
            document["static_resources"]["clusters"].as_array_mut().unwrap().push(gone);
        })
}

#[test]
fn every_answer_that_we_are_shown_carries_it_once() {
    let (upstream, nobody) = (scripted(), Nobody::anywhere());
    let proxy = Proxy::start(|bootstrap| all_ends(bootstrap, upstream.address(), nobody.address()));
    let upgrade = "connection: upgrade\r\nupgrade: websocket\r\n";
    let grpc = "content-type: application/grpc\r\ncontent-length: 0\r\n";
    let expects = "expect: 100-continue\r\ncontent-length: 0\r\n";
    let table = [
        ("HEAD", "/head", "", "200"),
        ("HEAD", "/gone/head", "", "503"),
        ("GET", "/204", "", "204"),
        ("GET", "/304", "", "304"),
        ("GET", "/103", "", "200"),
        ("POST", "/expected", expects, "100, 200"),
        ("GET", "/upgrade", upgrade, "101"),
        ("GET", "/no-upgrade", upgrade, "200"),
        ("POST", "/trailers-only", grpc, "200"),
        ("POST", "/gone/grpc", grpc, "200"),
        ("GET", "/timeout", "", "504"),
        ("GET", "/reset", "", "503"),
        ("GET", "/cut", "", "200"),
        ("GET", "/gone", "", "503"),
    ];
    for (method, path, fields, statuses) in table {
        for ids in ["x-request-id: mine\r\n", "x-request-id: one\r\nx-request-id: two\r\n", ""] {
            let request = format!("{method} {path} HTTP/1.1\r\nhost: a\r\n{ids}{fields}\r\n");
            let heads = heads(proxy.address(), &request);
            let seen: Vec<_> = heads.iter().filter_map(|head| head.split(' ').nth(1)).collect();
            assert_eq!(seen.join(", "), statuses, "{path}: {heads:?}");
            let (last, informational) = heads.split_last().unwrap();
            let echo = echoes(last);
            assert_eq!(echo.len(), 1, "{path}: {last}");
            assert_eq!(echo == ["mine"], ids.contains("mine"), "{path}: {last}");
            assert!(informational.iter().all(|head| echoes(head).is_empty()), "{path}: {heads:?}");
        }
    }
}

/// A filter that answers every request by itself.
fn refuses() -> Value {
    json!({
        "name": "refuses",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault",
            "abort": {"http_status": 429, "percentage": {"numerator": 100}},
        },
    })
}

#[test]
fn the_reply_of_a_filter_before_us_has_a_line_and_no_echo() {
    let proxy = Proxy::start(|bootstrap| bootstrap.filter_before(refuses()));
    let answer = proxy.send(&Request::get("/").field("x-request-id", "mine"));
    assert_eq!((answer.status(), answer.field("x-request-id")), (429, None));
    assert_eq!(proxy.line_of("mine")["status"], 429);
}

#[test]
fn the_reply_of_a_filter_after_us_carries_it() {
    let proxy = Proxy::start(|bootstrap| {
        bootstrap.patch(|document| {
            let manager = document.pointer_mut(CONNECTION_MANAGER).unwrap();
            manager["http_filters"].as_array_mut().unwrap().insert(1, refuses());
        })
    });
    let answer = proxy.send(&Request::get("/").field("x-request-id", "mine"));
    assert_eq!((answer.status(), answer.field("x-request-id")), (429, Some("mine")));
}

#[test]
fn envoys_own_echo_reaches_the_replies_of_filters_before_us() {
    let proxy = Proxy::start(|bootstrap| {
        let bootstrap = bootstrap.filter_before(refuses());
        manager(bootstrap, "always_set_request_id_in_response", &json!(true))
    });
    let answer = proxy.send(&Request::get("/kept").field("x-request-id", "mine"));
    assert_eq!(answer.all("x-request-id"), [b"mine"]);
    proxy.line_of("mine");
    // Nobody has looked at it, and nobody has minted one.
    let answer = proxy.send(&Request::get("/unsafe").field("x-request-id", "a;b"));
    assert_eq!(answer.all("x-request-id"), [b"a;b"]);
    let answer = proxy.send(&Request::get("/none"));
    assert_eq!(answer.field("x-request-id"), None);
    let line = proxy.line_where("a line for no ID", |line| line["path"] == "/none");
    assert_eq!(line["request_id"].as_str().map(str::len), Some(36), "{line}");
}

#[test]
fn what_envoy_refuses_itself_has_no_echo() {
    const ID: &str = "x-request-id: mine\r\n";
    let proxy = Proxy::start(|bootstrap| manager(bootstrap, "http_protocol_options", &json!({})));
    let huge = format!("x-huge: {}", "x".repeat(70_000));
    // Only what Envoy could read whole is there for the log line.
    for (name, request, status, is_logged) in [
        ("no colon", format!("GET / HTTP/1.1\r\nhost: a\r\n{ID}no colon\r\n\r\n"), 400, false),
        ("a fragment", format!("GET /#a HTTP/1.1\r\nhost: a\r\n{ID}\r\n"), 400, true),
        ("no host", format!("GET / HTTP/1.1\r\n{ID}\r\n"), 400, true),
        ("HTTP/1.0", format!("GET / HTTP/1.0\r\n{ID}\r\n"), 426, false),
        ("too long", format!("GET / HTTP/1.1\r\nhost: a\r\n{ID}{huge}\r\n\r\n"), 431, false),
    ] {
        let before = proxy.lines().len();
        let heads = heads(proxy.address(), &request);
        assert!(heads[0].starts_with(&format!("HTTP/1.1 {status} ")), "{name}: {heads:?}");
        assert_eq!(echoes(&heads[0]), [""; 0], "{name}: {heads:?}");
        let line = wait::until(name, SOON, || proxy.lines().into_iter().nth(before)).unwrap();
        assert_eq!((&line["status"], line["request_id"] == "mine"), (&json!(status), is_logged));
    }
}

/// Answers at once, without an app.
fn direct(bootstrap: Bootstrap, format: &str) -> Bootstrap {
    let answer = json!({"match": {"prefix": "/"}, "direct_response": {"status": 200}});
    let ours = Configuration::Struct(
        json!({"request_id": {"format": format}, "access_log": {"property": false}}),
    );
    bootstrap.only_routes(vec![answer]).configuration(ours)
}

/// The IDs that so many requests are given, over connections that stay open.
fn minted(proxy: SocketAddr, requests: usize) -> Vec<String> {
    let mint = move || {
        let stream = TcpStream::connect(proxy).unwrap();
        let mut reader = BufReader::new(&stream);
        let each = (0..requests / CONNECTIONS).map(|_| {
            (&stream).write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
            let answer = Message::read_response(&mut reader).unwrap();
            answer.field("x-request-id").unwrap().to_owned()
        });
        each.collect::<Vec<_>>()
    };
    let threads: Vec<_> = (0..CONNECTIONS).map(|_| thread::spawn(mint)).collect();
    threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
}

#[test]
fn minted_ids_differ_across_workers_and_starts() {
    for format in ["uuid4", "uuid7"] {
        let mut ids = HashSet::new();
        for (start, requests) in [("first", 20_000), ("second", 4_000)] {
            let proxy = Proxy::with_workers(2, |bootstrap| direct(bootstrap, format));
            let before = ids.len();
            ids.extend(minted(proxy.address(), requests));
            assert_eq!(ids.len(), before + requests, "{format}, {start}");
            let accepted = proxy.admin("/stats?filter=worker_..downstream_cx_total");
            let idle = accepted.lines().filter(|line| line.ends_with(": 0")).count();
            assert_eq!((accepted.lines().count(), idle), (2, 0), "both workers: {accepted}");
        }
        assert!(ids.iter().all(|id| id.as_bytes()[14] == format.as_bytes()[4]), "{format}");
    }
}

/// Moves the listener into a file that Envoy watches, and gives its filter a VM of this name.
fn listener_in(file: &Path, document: &mut Value, vm: &str) {
    let mut listener = document.pointer(LISTENER).unwrap().clone();
    listener["@type"] = json!("type.googleapis.com/envoy.config.listener.v3.Listener");
    let plugin = listener.pointer_mut(PLUGIN).unwrap();
    plugin["vm_config"]["vm_id"] = json!(vm);
    let new = file.with_extension("new");
    fs::write(&new, json!({"resources": [listener]}).to_string()).unwrap();
    fs::rename(new, file).unwrap();
}

#[test]
fn minted_ids_differ_across_vms_of_one_envoy() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("listeners.json");
    let mut document = Value::Null;
    let proxy = Proxy::with_workers(2, |bootstrap| {
        direct(bootstrap, "uuid7").patch(|said| {
            document = said.clone();
            listener_in(&file, said, "first");
            said["static_resources"]["listeners"] = json!([]);
            said["node"] = json!({"id": "a", "cluster": "a"});
            said["dynamic_resources"] =
                json!({"lds_config": {"path_config_source": {"path": file}}});
        })
    });
    let mut ids: HashSet<_> = minted(proxy.address(), 2_048).into_iter().collect();
    for vm in ["second", "third"] {
        let modified = || proxy.stats().sum("envoy_listener_manager_listener_modified", &[]);
        let before = modified();
        listener_in(&file, &mut document, vm);
        wait::until("the new VM", SOON, || (modified() != before).then_some(())).unwrap();
        ids.extend(minted(proxy.address(), 2_048));
    }
    assert_eq!(ids.len(), 3 * 2_048);
}

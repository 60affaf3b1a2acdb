//! Properties: what a module reads in which callback, as it was read in Envoy 1.40.
//!
//! A table has a callback in each column and a property in each line; `.` is not found, `!` is any
//! other status, and `''` is no bytes at all. Addresses, and how long things take, are the
//! harness's own.

mod guest;

use std::fmt::Write as _;
use std::time::Duration;

use guest::{OF_STREAMS, guest, on, word, world};
use serde_json::json;
use sightline_host::{Direction, Host, Manager, Plugin, Request, Response, Route, Topology, World};

/// The last names of properties that are numbers.
const NUMBERS: &str = "port size total_size headers_bytes duration code flags grpc_status \
    backend_latency id connection_id request_attempt_count cx_pool_ready_duration num_endpoints \
    listener_direction number";

#[test]
fn an_exchange_is_known_piece_by_piece() {
    let answer = Response::new(200).header("x-b", "2").chunk("abc").chunk("defg");
    let request = Request::get("/a?b=c").header("x-a", "1").answered(answer.every(millis(2)));
    let expected = "
        -                                 context_create request_headers response_headers response_body   response_body   response_body   log             done            delete
        request.path                      .              /a?b=c          .                .               .               .               /a?b=c          .               .
        request.url_path                  .              /a              .                .               .               .               /a              .               .
        request.query                     .              b=c             .                .               .               .               b=c             .               .
        request.size                      0              0               0                0               0               0               0               0               0
        request.total_size                0              75              0                0               0               0               110             0               0
        request.headers_bytes             0              75              0                0               0               0               110             0               0
        request.duration                  .              .               .                .               .               .               4000000         4000000         4000000
        request.headers.X-A               .              1               .                .               .               .               1               .               .
        request.headers.nope              .              .               .                .               .               .               .               .               .
        request.id                        .              .               .                .               .               .               .               .               .
        response.code                     .              .               200              200             200             200             200             200             200
        response.code_details             .              .               via_upstream     via_upstream    via_upstream    via_upstream    via_upstream    via_upstream    via_upstream
        response.flags                    0              0               0                0               0               0               0               0               0
        response.grpc_status              .              .               2                2               2               2               2               2               2
        response.headers.x-b              .              .               2                .               .               .               2               .               .
        response.headers_bytes            0              0               44               0               0               0               88              0               0
        response.size                     0              0               0                0               3               7               7               7               7
        response.total_size               0              0               44               0               3               7               95              7               7
        response.backend_latency          .              .               .                .               .               4000000         4000000         4000000         4000000
        upstream.address                  .              .               127.0.0.1:8080   127.0.0.1:8080  127.0.0.1:8080  127.0.0.1:8080  127.0.0.1:8080  127.0.0.1:8080  127.0.0.1:8080
        upstream.local_address            .              .               127.0.0.1:40002  127.0.0.1:40002 127.0.0.1:40002 127.0.0.1:40002 127.0.0.1:40002 127.0.0.1:40002 127.0.0.1:40002
        upstream.transport_failure_reason .              .               ''               ''              ''              ''              ''              ''              ''
        upstream.request_attempt_count    0              0               1                1               1               1               1               1               1
        upstream_filter_state             .              .               !3               !3              !3              !3              !3              !3              !3
    ";
    assert_reads(columns(&OF_STREAMS, world(), request, &paths(expected)), expected);
}

#[test]
fn bodies_and_trailers_are_counted_as_they_come() {
    let answer = Response::new(200).chunk("abc").trailer("x-t", "5").trailer("grpc-status", "3");
    let request = Request::new("POST", "/c").chunk("abc").chunk("defg").trailer("x-t", "1");
    let request = request.every(millis(1)).answered(answer);
    let expected = "
        -                              context_create request_headers request_body    request_body    request_trailers response_headers response_body   response_trailers log             done            delete
        request.size                   0              0               3               7               7                7                7               7                 7               7               7
        request.total_size             0              68              3               7               7                7                7               7                 110             7               7
        response.trailers.x-t          .              .               .               .               .                .                .               5                 5               .               .
        response.grpc_status           .              .               .               .               .                2                2               3                 3               2               2
        response.size                  0              0               0               0               0                0                0               3                 3               3               3
        response.total_size            0              0               0               0               0                40               0               19                103             3               3
        response.backend_latency       .              .               .               .               .                .                .               3000000           3000000         3000000         3000000
        upstream.address               .              .               127.0.0.1:8080  127.0.0.1:8080  127.0.0.1:8080   127.0.0.1:8080   127.0.0.1:8080  127.0.0.1:8080    127.0.0.1:8080  127.0.0.1:8080  127.0.0.1:8080
        upstream.local_address         .              .               127.0.0.1:40002 127.0.0.1:40002 127.0.0.1:40002  127.0.0.1:40002  127.0.0.1:40002 127.0.0.1:40002   127.0.0.1:40002 127.0.0.1:40002 127.0.0.1:40002
        upstream.request_attempt_count 0              0               1               1               1                1                1               1                 1               1               1
    ";
    assert_reads(columns(&OF_STREAMS, world(), request, &paths(expected)), expected);
}

#[test]
fn what_is_configured_is_known_from_the_beginning() {
    let world = world().topology(Topology {
        route: "users".into(),
        filter_chain: "plain".into(),
        cluster_metadata: json!({"cm": {"k": "v"}}),
        upstream_metadata: json!({"hm": {"k": "w"}}),
        locality: ["r".into(), "z".into(), String::new()],
        endpoints: 3,
        ..Topology::default()
    });
    let expected = "
        -                                               context_create  response_headers done
        request.protocol                                HTTP/1.1        HTTP/1.1         HTTP/1.1
        source.address                                  127.0.0.1:40001 127.0.0.1:40001  127.0.0.1:40001
        source.port                                     40001           40001            40001
        destination.address                             127.0.0.1:10000 127.0.0.1:10000  127.0.0.1:10000
        destination.port                                10000           10000            10000
        connection.id                                   1               1                1
        connection_id                                   1               1                1
        connection.requested_server_name                ''              ''               ''
        connection.tls_version                          .               .                .
        connection.termination_details                  .               .                .
        xds.route_name                                  users           users            users
        xds.route_metadata                              ''              ''               ''
        xds.virtual_host_name                           app             app              app
        xds.cluster_name                                app             app              app
        xds.cluster_metadata.filter_metadata.cm.k       v               v                v
        xds.filter_chain_name                           plain           plain            plain
        xds.listener_direction                          0               0                0
        xds.upstream_host_metadata.filter_metadata.hm.k .               w                w
        xds.upstream_host_locality_metadata             .               !3               !3
        upstream.num_endpoints                          3               3                3
        upstream.locality.zone                          .               z                z
        upstream.locality.sub_zone                      .               ''               ''
        upstream.locality.nope                          .               .                .
        request                                         !3              !3               !3
        filter_state                                    !3              !3               !3
        xds                                             !3              !3               !3
        route_name                                      .               .                .
        node                                            .               .                .
    ";
    let callbacks = ["context_create", "response_headers", "done"];
    let columns = columns(&callbacks, world, Request::get("/"), &paths(expected));
    assert_reads(columns, expected);
}

#[test]
fn what_became_of_a_request_decides_what_is_known_in_the_end() {
    let silent = || Request::get("/").answered(Response::silence());
    let rows = [
        ("application", Request::get("/")),
        ("refused", Request::get("/").route(Route::Refused)),
        ("no_host", Request::get("/").route(Route::NoHost)),
        ("no_cluster", Request::get("/").route(Route::MissingCluster)),
        ("no_route", Request::get("/").route(Route::Missing)),
        ("direct", Request::get("/").route(Route::Direct(418, b"tea".to_vec()))),
        ("redirect", Request::get("/").route(Route::Redirect("/b".into()))),
        ("timeout", silent().timeout(millis(9))),
        ("reset", Request::get("/").answered(Response::reset())),
        ("client_gone", silent().abandoned_after(millis(9))),
        ("denied", Request::get("/").answered_before_us(Response::new(403))),
    ];
    let expected = "
        -                               application     refused        no_host no_cluster no_route direct redirect timeout         reset           client_gone     denied
        response.code                   200             503            503     503        404      418    301      504             503             .               403
        response.flags                  0               32             2       16777216   256      0      0        4               64              16384           0
        response.grpc_status            2               14             14      14         12       2      2        14              14              .               7
        response.size                   0               98             19      0          0        3      0        24              95              0               0
        response.backend_latency        0               .              .       .          .        .      .        .               .               .               .
        upstream.address                127.0.0.1:8080  127.0.0.1:8080 .       .          .        .      .        127.0.0.1:8080  127.0.0.1:8080  127.0.0.1:8080  .
        upstream.local_address          127.0.0.1:40002 .              .       .          .        .      .        127.0.0.1:40002 127.0.0.1:40002 127.0.0.1:40002 .
        upstream.request_attempt_count  1               1              1       0          0        0      0        1               1               1               0
        upstream.cx_pool_ready_duration 0               0              .       .          .        .      .        0               0               0               .
        upstream.num_endpoints          1               1              0       .          .        .      .        1               1               1               1
        upstream.locality               ''              ''             .       .          .        .      .        ''              ''              ''              .
        upstream_filter_state           !3              .              .       .          .        .      .        !3              !3              !3              .
        xds.cluster_name                app             app            app     .          .        .      .        app             app             app             app
        xds.route_name                  ''              ''             ''      ''         .        ''     ''       ''              ''              ''              ''
        xds.virtual_host_name           app             app            app     app        app      app    app      app             app             app             app
        xds.upstream_host_metadata      !3              !3             .       .          .        .      .        !3              !3              !3              .
    ";
    let paths = paths(expected);
    let read = |(name, request): (&str, _)| {
        let (_, cells) = columns(&["log"], world(), request, &paths).remove(0);
        (name.to_owned(), cells)
    };
    assert_reads(rows.map(read).into(), expected);
}

#[test]
fn single_properties_are_what_envoy_makes_of_them() {
    let get = || Request::get("/");
    let answered = |name: &str, value: &str| get().answered(Response::new(404).header(name, value));
    let says = |name: &str, value: &str| get().header(name, value);
    let rows = [
        (
            "a client behind a proxy",
            says("x-forwarded-for", "1.2.3.4, 5.6.7.8"),
            "source.address",
            "5.6.7.8:0",
        ),
        ("its port", says("x-forwarded-for", "1.2.3.4"), "source.port", "0"),
        ("a size that is said", says("content-length", "7"), "request.size", "7"),
        ("a size that is no number", says("content-length", "x1"), "request.size", "."),
        ("a header twice", says("x-a", "1").header("x-a", "2"), "request.headers.x-a", "1,2"),
        ("a pseudo-header", get(), "request.headers.:path", "/"),
        ("the host by its other name", get(), "request.headers.host", "app.test"),
        ("a name that HTTP does not allow", says("x a", "1"), "request.headers.x a", "."),
        ("below a text", get(), "request.path.x", "."),
        ("an element that is not there", get(), "request.nope", "."),
        ("in capitals", get(), "Request.path", "."),
        ("an empty element", get(), "request..path", "."),
        ("an empty element at the end", get(), "request.path.", "/"),
        ("two of them", get(), "request.path..", "."),
        ("no trailers", get(), "response.trailers", "\\u{0}\\u{0}\\u{0}\\u{0}"),
        ("gRPC's status", answered("grpc-status", "9"), "response.grpc_status", "9"),
        (
            "none that gRPC knows",
            answered("grpc-status", "99"),
            "response.grpc_status",
            "18446744073709551615",
        ),
        (
            "none that is a number",
            answered("grpc-status", "x"),
            "response.grpc_status",
            "18446744073709551615",
        ),
        ("what stands for it", answered("x-a", "1"), "response.grpc_status", "12"),
    ];
    for (name, request, path, expected) in rows {
        let (_, cells) = columns(&["log"], world(), request, &[path]).remove(0);
        assert_eq!(cells, [expected], "{name}");
    }
}

#[test]
fn structured_values_are_walked_and_serialized() {
    let metadata = json!({
        "ns": {"k": "v", "number": 1.5, "l": ["a", 2], "b": true, "o": {"i": {"j": "deep"}}, "e": {}},
        "with_null": {"z": null},
    });
    let node = json!({"id": "n", "cluster": "c", "metadata": {"a": {"b": "c"}}, "locality": {"zone": "z"}});
    let world = world().node(node).topology(Topology { metadata, ..Topology::default() });
    let empty = "\\u{0}\\u{0}\\u{0}\\u{0}";
    let rows = [
        ("metadata.filter_metadata.ns.k", "v"),
        ("metadata.filter_metadata.ns.number", "4609434218613702656"),
        ("metadata.filter_metadata.ns.b", "\\u{1}"),
        (
            "metadata.filter_metadata.ns.l",
            "\\u{2}\\u{0}\\u{0}\\u{0}\\u{1}\\u{0}\\u{0}\\u{0}\\u{0}\\u{0}\\u{0}\\u{0}\\u{8}\\u{0}\\u{0}\\u{0}\\u{0}\\u{0}\\u{0}\\u{0}a\\u{0}\\u{0}\\u{0}\\u{0}\\u{0}\\u{0}\\u{0}\\u{0}\\u{0}@\\u{0}\\u{0}",
        ),
        ("metadata.filter_metadata.ns.l.0", "a"),
        ("metadata.filter_metadata.ns.l. 0 ", "a"),
        ("metadata.filter_metadata.ns.l.2", "."),
        ("metadata.filter_metadata.ns.l.-1", "."),
        ("metadata.filter_metadata.ns.o.i.j", "deep"),
        (
            "metadata.filter_metadata.ns.o.i",
            "\\u{1}\\u{0}\\u{0}\\u{0}\\u{1}\\u{0}\\u{0}\\u{0}\\u{4}\\u{0}\\u{0}\\u{0}j\\u{0}deep\\u{0}",
        ),
        ("metadata.filter_metadata.ns.e", empty),
        ("metadata.filter_metadata.ns.k.x", "."),
        ("metadata.filter_metadata.nope", "."),
        ("metadata.filter_metadata.with_null", "!3"),
        ("metadata.filter_metadata.with_null.z", "!3"),
        ("metadata.filter_metadata", "!3"),
        ("metadata.typed_filter_metadata", empty),
        ("metadata.nope", "."),
        (
            "xds.node",
            "\\n\\u{1}n\\u{12}\\u{1}c\\u{1a}\\u{13}\\n\\u{11}\\n\\u{1}a\\u{12}\\u{c}*\\n\\n\\u{8}\\n\\u{1}b\\u{12}\\u{3}\\u{1a}\\u{1}c\\\"\\u{3}\\u{12}\\u{1}z2\\u{5}envoy",
        ),
        ("xds.node.cluster", "c"),
        ("xds.node.locality", "\\u{12}\\u{1}z"),
        ("xds.node.locality.zone", "z"),
        ("xds.node.locality.region", "''"),
        ("xds.node.metadata.a.b", "c"),
        ("xds.node.user_agent_name", "envoy"),
        ("xds.node.user_agent_version", "''"),
        ("xds.node.extensions.99999", "."),
        ("xds.node.client_features", empty),
        ("xds.node.nope", "."),
        ("xds.listener_metadata", "''"),
        ("xds.listener_metadata.filter_metadata", empty),
        ("xds.upstream_host_metadata", "."),
    ];
    let paths = rows.map(|(path, _)| path);
    let (_, cells) = columns(&["request_headers"], world, Request::get("/"), &paths).remove(0);
    for ((path, expected), read) in rows.iter().zip(cells) {
        assert_eq!(read, *expected, "{path}");
    }
}

#[test]
fn a_root_knows_its_plugin_and_the_node_and_nothing_else() {
    let module = guest(&reader(
        &["configure", "tick"],
        &[
            "plugin_name",
            "plugin_root_id",
            "plugin_vm_id",
            "xds.node.cluster",
            "xds",
            "request",
            "request.time",
            "xds.listener_direction",
            "xds.listener_metadata",
            "connection_id",
            "metadata",
            "filter_state",
            "line",
        ],
    ));
    let plugin = Plugin::new(&module).name("p").root_id("r").vm_id("v");
    let plugin = plugin.direction(Direction::Inbound).listener_metadata(json!({"lm": {"k": "v"}}));
    let host = Host::new(world(), plugin).unwrap();
    let lines: Vec<_> = host.log().iter().filter(|line| line.thread == 1).collect();
    let log: Vec<_> = lines.iter().map(|line| line.text.as_str()).collect();
    let (_, cells) = parsed(&log).remove(0);
    assert_eq!(cells.join(" "), "p r v cluster !3 . . . . . . . .");
}

#[test]
fn a_listener_has_a_direction_and_metadata() {
    let paths = ["xds.listener_direction", "xds.listener_metadata.filter_metadata.lm.k"];
    let module = guest(&reader(&["log"], &paths));
    let plugin = Plugin::new(&module).direction(Direction::Outbound);
    let plugin = plugin.listener_metadata(json!({"lm": {"k": "v"}}));
    let outcome = Host::new(world(), plugin).unwrap().request(Request::get("/")).unwrap();
    let log: Vec<_> = outcome.log.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(parsed(&log), [("log".to_owned(), vec!["2".to_owned(), "v".to_owned()])]);
}

#[test]
fn nobody_is_believed_with_the_remote_address() {
    let manager =
        Manager { use_remote_address: true, client: "10.1.2.3".into(), ..Manager::default() };
    let request = Request::get("/").header("x-forwarded-for", "1.2.3.4");
    let read = columns(&["log"], world().manager(manager), request, &["source.address"]);
    assert_eq!(read[0].1, ["10.1.2.3:40001"]);
}

#[test]
fn what_modules_set_is_behind_what_envoy_knows() {
    let set = |name: &str| format!("(call $say (call $set_property '{name}' 'mine'))");
    let names = ["line", "a\\00b", "request", "plugin_name", ""];
    let paths = [
        "line",
        "filter_state.wasm.line",
        "a.b",
        "request",
        "request.path",
        "plugin_name",
        "line.x",
    ];
    let code = names.map(set).concat() + &word("@log") + &paths.map(read).concat();
    let plugin = Plugin::new(&guest(&on("log", &code))).name("p");
    let outcome = Host::new(world(), plugin).unwrap().request(Request::get("/")).unwrap();
    let log: Vec<_> = outcome.log.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(log[..names.len()], ["0"; 5]);
    assert_eq!(parsed(&log)[0].1.join(" "), "mine mine . !3 / p .");
    assert_eq!(outcome.state["wasm.a\0b"], b"mine");
}

/// A callback, and what was read in it.
type Column = (String, Vec<String>);

fn millis(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// The properties of a table, whose first line is the head.
fn paths(table: &str) -> Vec<&str> {
    let lines = table.lines().filter(|line| !line.trim().is_empty()).skip(1);
    lines.filter_map(|line| line.split_whitespace().next()).collect()
}

/// What a module reads in callbacks for a request.
fn columns(callbacks: &[&str], world: World, request: Request, paths: &[&str]) -> Vec<Column> {
    let module = guest(&reader(callbacks, paths));
    let outcome = Host::new(world, Plugin::new(&module)).unwrap().request(request).unwrap();
    parsed(&outcome.log.iter().map(|line| line.text.as_str()).collect::<Vec<_>>())
}

/// A module that reads properties in callbacks.
fn reader(callbacks: &[&str], paths: &[&str]) -> String {
    let reads: String = paths.iter().map(|path| read(path)).collect();
    let body = |name: &&str| on(name, &format!("{} {reads}", word(&format!("@{name}"))));
    callbacks.iter().map(body).collect()
}

/// Code that logs what comes of reading a property: the status, then what was read.
fn read(path: &str) -> String {
    // What comes after these is one name, whatever is in it.
    let whole = ["headers.", "filter_state."]
        .iter()
        .find_map(|end| path.find(end).map(|at| at + end.len()));
    let (dotted, name) = path.split_at(whole.unwrap_or(path.len()));
    let elements = dotted.replace('.', "\\00") + name;
    let is_number = NUMBERS.split_whitespace().any(|known| path.rsplit('.').next() == Some(known));
    let show = if is_number {
        "(call $say64 (i64.load (i32.load (i32.const 0))))"
    } else {
        "(call $show)"
    };
    format!(
        "(i64.store (i32.const 0) (i64.const 0))
         (call $say (call $property '{elements}' (i32.const 0) (i32.const 4))) {show}"
    )
}

/// What was read, from what the module has logged.
fn parsed(log: &[&str]) -> Vec<Column> {
    let names = log.iter().filter_map(|line| line.strip_prefix('@').map(str::to_owned));
    let columns = log.split(|line| line.starts_with('@')).skip(1);
    let cell = |read: &[&str]| match read {
        ["0", ""] => "''".to_owned(),
        ["0", value] => value.escape_default().to_string(),
        ["1", ..] => ".".to_owned(),
        [status, ..] => format!("!{status}"),
        [] => String::new(),
    };
    names.zip(columns.map(|column| column.chunks(2).map(cell).collect())).collect()
}

fn assert_reads(columns: Vec<Column>, expected: &str) {
    let paths = paths(expected);
    let mut read = vec![String::new(); paths.len() + 1];
    for (line, path) in read.iter_mut().zip(["-"].iter().chain(&paths)) {
        line.push_str(path);
    }
    for (name, cells) in columns {
        for (line, cell) in read.iter_mut().zip([name].iter().chain(&cells)) {
            write!(line, " {cell}").unwrap();
        }
    }
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let expected: Vec<_> = expected.lines().map(words).filter(|line| !line.is_empty()).collect();
    assert_eq!(read.join("\n"), expected.join("\n"));
}

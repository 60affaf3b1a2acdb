//! What single hostcalls answer and do, as statuses and bytes.

mod guest;

use std::time::Duration;

use guest::{configured, guest, loaded, on, outcome, said, texts};
use sightline_host::{
    HeaderMap, Host, Level, Module, Plugin, Protocol, Request, Response, Route, World,
};

#[test]
fn headers_are_changed_as_envoy_changes_them() {
    let rows = [
        ("add beside", "(call $add (i32.const 0) 'X-A' '3')", "0", "x-a: 1\nx-a: 2\nx-a: 3\n"),
        ("replace all", "(call $replace (i32.const 0) 'X-A' '3')", "0", "x-a: 3\n"),
        ("remove all", "(call $remove (i32.const 0) 'X-A')", "0", ""),
        ("remove none", "(call $remove (i32.const 0) 'x-b')", "0", "x-a: 1\nx-a: 2\n"),
        ("raw bytes", "(call $replace (i32.const 0) 'x-a' '\\ff')", "0", "x-a: \u{fffd}\n"),
        ("a trailer map", "(call $add (i32.const 1) 'x-a' '3')", "2", "x-a: 1\nx-a: 2\n"),
        ("a map that no ABI has", "(call $add (i32.const 8) 'x-a' '3')", "2", "x-a: 1\nx-a: 2\n"),
    ];
    for (name, call, status, expected) in rows {
        let request = Request::get("/").header("x-a", "1").header("X-A", "2");
        let outcome = outcome(&on("request_headers", &format!("(call $say {call})")), request);
        assert_eq!(said(&outcome), status, "{name}");
        assert_eq!(own_headers(&outcome.upstream.unwrap().headers), expected, "{name}");
    }
}

/// The headers that are neither Envoy's nor every request's.
fn own_headers(map: &HeaderMap) -> String {
    let text = map.to_string();
    let others = [":", "x-forwarded", "x-envoy"];
    let own = |line: &&str| !others.iter().any(|other| line.starts_with(other));
    text.split_inclusive('\n').filter(own).collect()
}

#[test]
fn all_pairs_are_set_at_once_and_malformed_ones_are_none() {
    let pseudo = [(":authority", "h"), (":path", "/b"), (":method", "GET"), (":scheme", "http")];
    let pairs = wire(&[&pseudo[..], &[("X-Forwarded-Proto", "http"), ("B", "c")]].concat());
    let set = |pairs: &str| {
        let code = format!("(call $say (call $set_pairs (i32.const 0) '{pairs}'))");
        outcome(&on("request_headers", &code), Request::get("/").header("x-a", "1"))
    };
    let whole = set(&pairs);
    let expected = ":authority: h\n:path: /b\n:method: GET\n:scheme: http\nx-forwarded-proto: http\nb: c\nx-envoy-expected-rq-timeout-ms: 15000\n";
    assert_eq!(
        (said(&whole).as_str(), whole.upstream.unwrap().headers.to_string().as_str()),
        ("0", expected)
    );
    let malformed = set(&pairs[..pairs.len() - 3]);
    assert_eq!(
        (said(&malformed).as_str(), malformed.details.as_deref()),
        ("0", Some("route_not_found"))
    );
}

/// Pairs in the ABI's format, as text of WebAssembly.
fn wire(pairs: &[(&str, &str)]) -> String {
    let number = |number: usize| format!("\\{number:02x}\\00\\00\\00");
    let lengths = pairs.iter().map(|(name, value)| number(name.len()) + &number(value.len()));
    let texts = pairs.iter().map(|(name, value)| format!("{name}\\00{value}\\00"));
    number(pairs.len()) + &lengths.collect::<String>() + &texts.collect::<String>()
}

#[test]
fn headers_are_read_first_value_first_and_in_any_case() {
    let rows = [
        ("a header", "X-A", "0 1"),
        ("the authority by its older name", "host", "0 app.test"),
        ("an empty header", "x-empty", "0 "),
        ("no header", "x-b", "1 "),
    ];
    for (name, header, expected) in rows {
        let code = format!(
            "(call $say (call $get (i32.const 0) '{header}' (i32.const 0) (i32.const 4))) (call $show)"
        );
        let request = Request::get("/").header("x-a", "1").header("x-a", "2").header("x-empty", "");
        assert_eq!(said(&outcome(&on("request_headers", &code), request)), expected, "{name}");
    }
}

#[test]
fn pairs_come_in_the_wire_format_and_size_is_bytes_of_names_and_values() {
    let code = "(drop (call $pairs (i32.const 2) (i32.const 0) (i32.const 4))) (call $show)
                (drop (call $size (i32.const 2) (i32.const 0))) (call $say (i32.load (i32.const 0)))";
    let request = Request::get("/").answered(Response::new(200).header("a", "b"));
    let outcome = outcome(&on("response_headers", code), request);
    let lengths = "\u{3}\0\0\0\u{7}\0\0\0\u{3}\0\0\0\u{1}\0\0\0\u{1}\0\0\0\u{1d}\0\0\0\u{1}\0\0\0";
    let texts = ":status\x00200\0a\0b\0x-envoy-upstream-service-time\x000\0";
    assert_eq!(said(&outcome), format!("{lengths}{texts} 42"));
}

#[test]
fn properties_are_found_where_envoy_has_them() {
    let in_all = [
        ("plugin_name", "0 n"),
        ("plugin_root_id", "0 r"),
        ("plugin_vm_id", "0 v"),
        ("node", "1 "),
        ("", "3 "),
    ];
    let in_request = [
        ("request\\00path", "0 /a?b=c"),
        ("request\\00url_path", "0 /a"),
        ("request\\00query", "0 b=c"),
        ("request\\00host", "0 app.test"),
        ("request\\00method", "0 GET"),
        ("request\\00scheme", "0 http"),
        ("request\\00id", "0 i"),
        ("request\\00useragent", "1 "),
        ("request\\00protocol", "0 HTTP/2"),
        ("request\\00headers\\00x-a", "0 1,2"),
        ("request\\00headers\\00x-b", "1 "),
        ("request\\00duration", "1 "),
        ("request\\00path\\00more", "1 "),
        ("response\\00code", "1 "),
    ];
    let in_response = [
        ("request\\00path", "1 "),
        ("request\\00protocol", "0 HTTP/2"),
        ("response\\00headers\\00x-c", "0 3"),
    ];
    let in_log = [
        ("request\\00path", "0 /a?b=c"),
        ("response\\00headers\\00x-c", "0 3"),
        ("request\\00method\\00", "0 GET"),
    ];
    let rows: [(&str, &[(&str, &str)]); 4] = [
        ("configure", &in_all),
        ("request_headers", &in_request),
        ("response_headers", &in_response),
        ("log", &in_log),
    ];
    for (callback, paths) in rows {
        for (path, expected) in paths.iter().chain(&in_all) {
            assert_eq!(property(callback, path), *expected, "{path} in {callback}");
        }
    }
}

#[test]
fn a_query_ends_at_a_fragment_that_the_module_made() {
    let code = "(drop (call $replace (i32.const 0) ':path' '/a?b=c#d'))
                (call $say (call $property 'request\\00query' (i32.const 0) (i32.const 4))) (call $show)";
    assert_eq!(said(&outcome(&on("request_headers", code), Request::get("/"))), "0 b=c");
}

#[test]
fn a_request_without_a_path_has_an_empty_one_in_two_properties() {
    let read =
        |name: &str| format!("(call $say (call $property '{name}' (i32.const 0) (i32.const 4)))");
    let names = ["request\\00path", "request\\00url_path", "request\\00query"];
    let code = names.map(read).join(" ");
    let request = Request::get("/").without(":path");
    let outcome = outcome(&on("request_headers", &code), request);
    assert_eq!(said(&outcome), "1 0 0");
}

#[test]
fn numbers_among_the_properties_are_eight_bytes() {
    let say = |path: &str| {
        format!(
            "(call $say (call $property '{path}' (i32.const 0) (i32.const 4))) (call $say64 (i64.load (i32.load (i32.const 0))))"
        )
    };
    let response = || {
        Response::new(404)
            .after(Duration::from_nanos(30))
            .chunk("a")
            .every(Duration::from_nanos(12))
    };
    let rows = [
        ("time", "request_headers", "request\\00time", Request::get("/"), "0 1767225600000000000"),
        ("duration", "log", "request\\00duration", Request::get("/").answered(response()), "0 42"),
        (
            "duration at the end",
            "done",
            "request\\00duration",
            Request::get("/").answered(response()),
            "0 42",
        ),
        (
            "an upstream's code",
            "response_headers",
            "response\\00code",
            Request::get("/").answered(response()),
            "0 404",
        ),
        (
            "the router's code",
            "response_headers",
            "response\\00code",
            Request::get("/").route(Route::Missing),
            "0 404",
        ),
        (
            "an earlier code",
            "log",
            "response\\00code",
            Request::get("/").answered_before_us(response()),
            "0 404",
        ),
    ];
    for (name, callback, path, request, expected) in rows {
        assert_eq!(said(&outcome(&on(callback, &say(path)), request)), expected, "{name}");
    }
}

#[test]
fn filter_state_is_set_by_streams_only_and_read_back() {
    let set = "(call $say (call $set_property 'line' '{}'))";
    let read = |path: &str| {
        format!("(call $say (call $property '{path}' (i32.const 0) (i32.const 4))) (call $show)")
    };
    assert_eq!(texts(&configured(&on("configure", set))), ["1"]);
    // Envoy's own loggers look at it between the module's log and the stream's end.
    for (callback, left) in [("request_headers", true), ("log", true), ("delete", false)] {
        let code = format!("{set} {} {}", read("line"), read("filter_state\\00wasm.line"));
        let outcome = outcome(&on(callback, &code), Request::get("/"));
        assert_eq!(said(&outcome), "0 0 {} 0 {}", "{callback}");
        let line = outcome.state.get("wasm.line").map(Vec::as_slice);
        assert_eq!(line, left.then_some(&b"{}"[..]), "{callback}");
    }
}

#[test]
fn metrics_do_what_envoys_do() {
    let id = "(i32.load (i32.const 100))";
    let increment = |by: i64| format!("(call $say (call $increment {id} (i64.const {by})))");
    let record = |value: i64| format!("(call $say (call $record {id} (i64.const {value})))");
    let read = format!("(call $say (call $metric {id} (i32.const 8)))");
    let rows = [
        (
            "a counter grows",
            0,
            vec![increment(2), increment(3), read.clone()],
            "0 0 0",
            "counter m 5\n",
        ),
        ("a counter does not stand still", 0, vec![increment(0)], "2", "counter m 0\n"),
        ("a counter does not shrink", 0, vec![increment(-1)], "2", "counter m 0\n"),
        ("recording adds to a counter", 0, vec![record(2), record(3)], "0 0", "counter m 5\n"),
        (
            "a gauge goes both ways",
            1,
            vec![increment(5), increment(-3), increment(0)],
            "0 0 0",
            "gauge m 2\n",
        ),
        (
            "recording sets a gauge",
            1,
            vec![record(7), record(3), read.clone()],
            "0 0 0",
            "gauge m 3\n",
        ),
        (
            "a histogram keeps what is recorded",
            2,
            vec![record(7), record(3)],
            "0 0",
            "histogram m [7, 3]\n",
        ),
        (
            "a histogram is neither counted up nor read",
            2,
            vec![increment(1), read.clone()],
            "2 2",
            "histogram m []\n",
        ),
    ];
    for (name, kind, calls, expected, stats) in rows {
        let code = format!(
            "(drop (call $define (i32.const {kind}) 'm' (i32.const 100))) {}",
            calls.join(" ")
        );
        let mut host = configured(&on("request_headers", &code));
        assert_eq!(said(&host.request(Request::get("/")).unwrap()), expected, "{name}");
        assert_eq!(host.stats().to_string(), stats, "{name}");
    }
}

#[test]
fn every_definition_gives_a_new_id_with_the_kind_in_its_lowest_bits() {
    let define = |kind: i32| {
        format!(
            "(call $say (call $define (i32.const {kind}) 'm' (i32.const 0))) (call $say (i32.load (i32.const 0)))"
        )
    };
    let code = [0, 0, 1, 2, 1].map(define).join(" ")
        + "(call $say (call $define (i32.const 3) 'm' (i32.const 0)))";
    assert_eq!(texts(&configured(&on("configure", &code))).join(" "), "0 4 0 8 0 5 0 6 0 9 2");
}

#[test]
fn metrics_that_were_never_defined_are_not_found() {
    let calls = |id: i32| {
        format!(
            "(call $say (call $increment (i32.const {id}) (i64.const 1))) (call $say (call $record (i32.const {id}) (i64.const 1)))
             (call $say (call $metric (i32.const {id}) (i32.const 0)))"
        )
    };
    let rows = [
        ("counter", 4, "1 1 1"),
        ("gauge", 5, "1 1 1"),
        ("histogram", 6, "2 1 2"),
        ("no kind", 7, "2 1 2"),
    ];
    for (name, id, expected) in rows {
        assert_eq!(texts(&configured(&on("configure", &calls(id)))).join(" "), expected, "{name}");
    }
}

#[test]
fn an_effective_context_is_spoken_for_until_the_callback_ends() {
    let path = "(call $say (call $get (i32.const 0) ':path' (i32.const 0) (i32.const 4)))";
    let code = format!("{path} (call $say (call $effective (i32.const 1))) {path} (call $say (call $effective (i32.const 0))) {path}
                        (call $say (call $effective (i32.const 9))) (drop (call $effective (i32.const 1)))");
    let body = on("request_headers", &code) + &on("log", path);
    assert_eq!(said(&outcome(&body, Request::get("/"))), "0 0 2 0 0 2 0");
}

#[test]
fn clocks_are_the_worlds() {
    let code = "(call $say (call $now (i32.const 0))) (call $say64 (i64.load (i32.const 0)))
                (call $say (call $clock (i32.const 0) (i64.const 0) (i32.const 0))) (call $say64 (i64.load (i32.const 0)))
                (call $say (call $clock (i32.const 1) (i64.const 0) (i32.const 0))) (call $say64 (i64.load (i32.const 0)))
                (call $say (call $clock (i32.const 2) (i64.const 0) (i32.const 0)))";
    let mut host = configured(&on("request_headers", code));
    host.advance(Duration::from_secs(1)).unwrap();
    let monotonic = host.world().monotonic();
    host.world_mut().set_wall(42);
    let outcome = host.request(Request::get("/")).unwrap();
    assert_eq!(said(&outcome), format!("0 42 0 42 0 {monotonic} 58"));
}

#[test]
fn randomness_follows_from_the_seed() {
    let code = "(call $say (call $random (i32.const 0) (i32.const 8))) (call $say64 (i64.load (i32.const 0)))
                (call $say (call $random (i32.const 0) (i32.const 65537)))";
    let run = |seed| {
        let plugin = Plugin::new(&guest(&on("configure", code)));
        let host = Host::new(World::seeded(seed), plugin).unwrap();
        host.log().iter().take(3).map(|line| line.text.clone()).collect::<Vec<_>>().join(" ")
    };
    // The first number of SplitMix64 from 0, as its authors publish it.
    assert_eq!(run(0), "0 16294208416658607535 28");
    assert_eq!(run(7), run(7));
    assert_ne!(run(7), run(8));
}

#[test]
fn the_environment_is_what_the_test_gave() {
    let code = "(call $say (call $environ_sizes (i32.const 0) (i32.const 4)))
                (call $say (i32.load (i32.const 0))) (call $say (i32.load (i32.const 4)))
                (call $say (call $environ (i32.const 16) (i32.const 64)))
                (drop (call $log (i32.const 2) (i32.load (i32.const 16)) (i32.const 3)))
                (drop (call $log (i32.const 2) (i32.load (i32.const 20)) (i32.const 4)))
                (call $say (call $args_sizes (i32.const 0) (i32.const 4))) (call $say (i32.load (i32.const 0)))";
    let plugin = Plugin::new(&guest(&on("configure", code)));
    let host = loaded(plugin.variable("A", "1").variable("BC", "2"));
    assert_eq!(texts(&host).join(" "), "0 2 9 0 A=1 BC=2 0 0");
}

#[test]
fn writes_to_standard_output_and_error_are_the_log() {
    let slices = "(i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 2))
                  (i32.store (i32.const 8) (i32.const 66)) (i32.store (i32.const 12) (i32.const 2))
                  (i32.store (i32.const 64) (i32.const 0x0a636261))"; // "abc" and a line's end
    let write = |file: i32| {
        format!(
            "(call $say (call $fd_write (i32.const {file}) (i32.const 0) (i32.const 2) (i32.const 32)))"
        )
    };
    let code = format!(
        "{slices} {} {} {} (call $say (i32.load (i32.const 32)))",
        write(1),
        write(2),
        write(3)
    );
    let host = configured(&on("configure", &code));
    let lines = host.log().iter().filter(|line| line.thread == 1);
    let lines: Vec<_> = lines.map(|line| (line.level, line.text.as_str())).collect();
    let expected = [
        (Level::Info, "abc"),
        (Level::Info, "0"),
        (Level::Error, "abc"),
        (Level::Info, "0"),
        (Level::Info, "8"),
        (Level::Info, "4"),
    ];
    assert_eq!(lines, expected);
}

#[test]
fn there_are_no_files() {
    let code = "(call $say (call $fd_read (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))
                (call $say (call $prestat (i32.const 3) (i32.const 0)))
                (call $say (call $fd_fdstat (i32.const 1) (i32.const 0))) (call $say64 (i64.load (i32.const 8)))
                (call $say (call $fd_fdstat (i32.const 0) (i32.const 0)))
                (call $say (call $yield))";
    assert_eq!(texts(&configured(&on("configure", code))).join(" "), "52 8 0 64 8 0");
}

#[test]
fn a_pointer_out_of_memory_is_a_status_and_nothing_else() {
    let far = "(i32.const 65533) (i32.const 4)";
    let huge = "(i32.const 8) (i32.const -1)";
    let rows = [
        ("a text that ends outside", format!("(call $log (i32.const 2) {far})"), "6"),
        ("a text of absurd length", format!("(call $log (i32.const 2) {huge})"), "6"),
        ("a name", format!("(call $get (i32.const 0) {huge} (i32.const 0) (i32.const 4))"), "6"),
        ("a value", format!("(call $replace (i32.const 0) 'x-a' {huge})"), "6"),
        ("pairs", format!("(call $set_pairs (i32.const 0) {huge})"), "6"),
        (
            "a place for a pointer",
            "(call $get (i32.const 0) ':path' (i32.const -1) (i32.const 4))".into(),
            "6",
        ),
        (
            "a place for a length",
            "(call $pairs (i32.const 0) (i32.const 0) (i32.const 65534))".into(),
            "6",
        ),
        ("a place for a number", "(call $now (i32.const 65529))".into(), "6"),
        ("a place for an id", "(call $define (i32.const 0) 'm' (i32.const -4))".into(), "6"),
        ("a path", format!("(call $property {far} (i32.const 0) (i32.const 4))"), "6"),
        (
            "WASI's slices",
            "(call $fd_write (i32.const 1) (i32.const 65530) (i32.const 1) (i32.const 0))".into(),
            "21",
        ),
        (
            "too many of them",
            "(call $fd_write (i32.const 1) (i32.const 0) (i32.const -1) (i32.const 0))".into(),
            "21",
        ),
        ("WASI's time", "(call $clock (i32.const 0) (i64.const 0) (i32.const -1))".into(), "21"),
        ("WASI's randomness", "(call $random (i32.const 65535) (i32.const 2))".into(), "21"),
        ("WASI's environment", "(call $environ (i32.const -1) (i32.const 0))".into(), "21"),
    ];
    for (name, call, expected) in rows {
        let module = guest(&on("request_headers", &format!("(call $say {call})")));
        let mut host = loaded(Plugin::new(&module).variable("A", "1"));
        assert_eq!(said(&host.request(Request::get("/")).unwrap()), expected, "{name}");
    }
}

#[test]
fn slices_that_overlap_cannot_fill_the_machine() {
    let code = "(local $at i32)
        (loop $slices
          (i32.store (i32.add (local.get $at) (i32.const 4)) (i32.const 65536))
          (local.set $at (i32.add (local.get $at) (i32.const 8)))
          (br_if $slices (i32.lt_u (local.get $at) (i32.const 65536))))
        (call $say (call $fd_write (i32.const 1) (i32.const 0) (i32.const 8192) (i32.const 0)))";
    assert_eq!(texts(&configured(&on("configure", code))), ["28"]);
}

#[test]
fn an_allocator_that_fails_is_a_status() {
    let rows = [("no memory", "0"), ("outside", "-8"), ("half outside", "65533")];
    for (name, pointer) in rows {
        let body = on(
            "request_headers",
            "(call $say (call $get (i32.const 0) ':path' (i32.const 0) (i32.const 4)))",
        );
        let text =
            guest::text(&body).replace("(global.get $heap)\n", &format!("(i32.const {pointer})\n"));
        let mut host = loaded(Plugin::new(&Module::new(text).unwrap()));
        assert_eq!(said(&host.request(Request::get("/users/1")).unwrap()), "6", "{name}");
    }
}

#[test]
fn a_call_that_this_host_does_not_have_says_so() {
    let import =
        r#"(import "env" "envoy_resolve_dns" (func $resolve (param i32 i32 i32) (result i32)))"#;
    let body = on("request_headers", "(call $say (call $resolve 'a.test' (i32.const 0)))");
    let text = guest::text(&body).replacen("(module", &format!("(module {import}"), 1);
    let mut host = loaded(Plugin::new(&Module::new(text).unwrap()));
    assert_eq!(said(&host.request(Request::get("/")).unwrap()), "12");
}

/// What a property says in a callback: the status, then the bytes.
fn property(callback: &str, path: &str) -> String {
    let code =
        format!("(call $say (call $property '{path}' (i32.const 0) (i32.const 4))) (call $show)");
    let plugin = Plugin::new(&guest(&on(callback, &code)));
    let mut host = loaded(plugin.name("n").root_id("r").vm_id("v"));
    let request = Request::get("/a?b=c")
        .protocol(Protocol::Http2)
        .header("x-request-id", "i")
        .header("x-a", "1")
        .header("x-a", "2");
    host.request(request.answered(Response::new(200).header("x-c", "3"))).unwrap();
    texts(&host).join(" ")
}

#[test]
fn a_map_made_of_pairs_is_like_one_made_by_adding() {
    let mut added = HeaderMap::new();
    added.add("A", "1");
    added.add(":path", "/");
    assert_eq!(added, HeaderMap::from_iter([("a", "1"), (":path", "/")]));
}

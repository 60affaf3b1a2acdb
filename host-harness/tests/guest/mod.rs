//! Small modules for tests: the body is WebAssembly text, and what every module needs is around it.
//!
//! In a body, text in single quotes stands for two constants, pointer and length. `$say` logs a
//! number, `$show` logs the bytes that a hostcall handed over through the pointers 0 and 4, and
//! `$show_buffer` logs a whole buffer. `on` makes a callback, `word` code that logs a word.
//!
//! A host runs a module on the main thread too, and before that as a canary: `texts` has what the
//! first worker logged, which is mostly what a test means.

#![allow(dead_code, reason = "every test file uses its own part of this")]

use std::fmt::Write as _;

use sightline_host::{Host, Manager, Module, Outcome, Plugin, Request, World};

/// Where the texts of a body begin; below is room for results.
const TEXTS: usize = 1024;

const AROUND: &str = r#"
    (memory (export "memory") 1)
    (global $heap (mut i32) (i32.const 32768))
    (func (export "proxy_abi_version_0_2_1"))
    (func (export "malloc") (param $size i32) (result i32)
      (global.get $heap)
      (global.set $heap (i32.add (global.get $heap) (local.get $size))))
    (func $say64 (param $number i64) (local $at i32)
      (local.set $at (i32.const 512))
      (loop $digits
        (local.set $at (i32.sub (local.get $at) (i32.const 1)))
        (i32.store8 (local.get $at) (i32.add (i32.const 48)
          (i32.wrap_i64 (i64.rem_u (local.get $number) (i64.const 10)))))
        (local.set $number (i64.div_u (local.get $number) (i64.const 10)))
        (br_if $digits (i64.ne (local.get $number) (i64.const 0))))
      (drop (call $log (i32.const 2) (local.get $at) (i32.sub (i32.const 512) (local.get $at)))))
    (func $say (param $number i32) (call $say64 (i64.extend_i32_u (local.get $number))))
    (func $show
      (drop (call $log (i32.const 2) (i32.load (i32.const 0)) (i32.load (i32.const 4)))))
    (func $show_buffer (param $kind i32)
      (i32.store (i32.const 4) (i32.const 0))
      (drop (call $buffer (local.get $kind) (i32.const 0) (i32.const -1) (i32.const 0) (i32.const 4)))
      (call $show))
"#;

/// The hostcalls that a body can use: the name in a body, the import, its parameters.
pub(crate) const HOSTCALLS: &[(&str, &str, &str)] = &[
    ("log", "env.proxy_log", "i32 i32 i32"),
    ("log_level", "env.proxy_get_log_level", "i32"),
    ("get", "env.proxy_get_header_map_value", "i32 i32 i32 i32 i32"),
    ("add", "env.proxy_add_header_map_value", "i32 i32 i32 i32 i32"),
    ("replace", "env.proxy_replace_header_map_value", "i32 i32 i32 i32 i32"),
    ("remove", "env.proxy_remove_header_map_value", "i32 i32 i32"),
    ("pairs", "env.proxy_get_header_map_pairs", "i32 i32 i32"),
    ("set_pairs", "env.proxy_set_header_map_pairs", "i32 i32 i32"),
    ("size", "env.proxy_get_header_map_size", "i32 i32"),
    ("buffer", "env.proxy_get_buffer_bytes", "i32 i32 i32 i32 i32"),
    ("property", "env.proxy_get_property", "i32 i32 i32 i32"),
    ("set_property", "env.proxy_set_property", "i32 i32 i32 i32"),
    ("define", "env.proxy_define_metric", "i32 i32 i32 i32"),
    ("increment", "env.proxy_increment_metric", "i32 i64"),
    ("record", "env.proxy_record_metric", "i32 i64"),
    ("metric", "env.proxy_get_metric", "i32 i32"),
    ("tick_period", "env.proxy_set_tick_period_milliseconds", "i32"),
    ("now", "env.proxy_get_current_time_nanoseconds", "i32"),
    ("effective", "env.proxy_set_effective_context", "i32"),
    ("done", "env.proxy_done", ""),
    ("respond", "env.proxy_send_local_response", "i32 i32 i32 i32 i32 i32 i32 i32"),
    ("continue", "env.proxy_continue_stream", "i32"),
    ("close", "env.proxy_close_stream", "i32"),
    ("buffer_status", "env.proxy_get_buffer_status", "i32 i32 i32"),
    ("set_buffer", "env.proxy_set_buffer_bytes", "i32 i32 i32 i32 i32"),
    ("shared_data", "env.proxy_get_shared_data", "i32 i32 i32 i32 i32"),
    ("set_shared_data", "env.proxy_set_shared_data", "i32 i32 i32 i32 i32"),
    ("register_queue", "env.proxy_register_shared_queue", "i32 i32 i32"),
    ("resolve_queue", "env.proxy_resolve_shared_queue", "i32 i32 i32 i32 i32"),
    ("enqueue", "env.proxy_enqueue_shared_queue", "i32 i32 i32"),
    ("dequeue", "env.proxy_dequeue_shared_queue", "i32 i32 i32"),
    ("http_call", "env.proxy_http_call", "i32 i32 i32 i32 i32 i32 i32 i32 i32 i32"),
    ("grpc_call", "env.proxy_grpc_call", "i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32"),
    ("grpc_stream", "env.proxy_grpc_stream", "i32 i32 i32 i32 i32 i32 i32 i32 i32"),
    ("grpc_send", "env.proxy_grpc_send", "i32 i32 i32 i32"),
    ("grpc_close", "env.proxy_grpc_close", "i32"),
    ("grpc_cancel", "env.proxy_grpc_cancel", "i32"),
    ("status", "env.proxy_get_status", "i32 i32 i32"),
    ("foreign", "env.proxy_call_foreign_function", "i32 i32 i32 i32 i32 i32"),
    ("fd_write", "wasi_snapshot_preview1.fd_write", "i32 i32 i32 i32"),
    ("clock", "wasi_snapshot_preview1.clock_time_get", "i32 i64 i32"),
    ("random", "wasi_snapshot_preview1.random_get", "i32 i32"),
    ("environ", "wasi_snapshot_preview1.environ_get", "i32 i32"),
    ("environ_sizes", "wasi_snapshot_preview1.environ_sizes_get", "i32 i32"),
    ("args_sizes", "wasi_snapshot_preview1.args_sizes_get", "i32 i32"),
    ("fd_read", "wasi_unstable.fd_read", "i32 i32 i32 i32"),
    ("fd_fdstat", "wasi_unstable.fd_fdstat_get", "i32 i32"),
    ("prestat", "wasi_unstable.fd_prestat_get", "i32 i32"),
    ("yield", "wasi_unstable.sched_yield", ""),
];

/// The callbacks for streams, in the order in which they come.
pub(crate) const OF_STREAMS: [&str; 10] = [
    "context_create",
    "request_headers",
    "request_body",
    "request_trailers",
    "response_headers",
    "response_body",
    "response_trailers",
    "log",
    "done",
    "delete",
];

/// A module with this body.
pub(crate) fn guest(body: &str) -> Module {
    Module::new(text(body)).unwrap_or_else(|error| panic!("{error}\n{body}"))
}

/// The text of a module with this body.
pub(crate) fn text(body: &str) -> String {
    let (body, data) = place_texts(body);
    format!("(module {} {AROUND} {data} {body})", imports())
}

/// A callback with this code. It returns what lets all go on, unless the code returns something
/// else.
pub(crate) fn on(callback: &str, code: &str) -> String {
    let (params, result) = match callback {
        "request_headers" | "response_headers" => ("$count $end", "0"),
        "request_body" | "response_body" => ("$size $end", "0"),
        "request_trailers" | "response_trailers" => ("$count", "0"),
        "vm_start" | "configure" => ("$size", "1"),
        "context_create" => ("$root", ""),
        "done" => ("", "1"),
        "tick" | "log" | "delete" => ("", ""),
        "queue_ready" => ("$token", ""),
        "http_call_response" => ("$token $headers $size $trailers", ""),
        "grpc_receive" => ("$token $size", ""),
        "grpc_close" => ("$token $status", ""),
        "grpc_receive_initial_metadata" | "grpc_receive_trailing_metadata" => ("$token $count", ""),
        other => panic!("no test needs proxy_on_{other} yet"),
    };
    let param = |all: String, name| all + "(param " + name + " i32)";
    let params = params.split_whitespace().fold(String::new(), param);
    let (ty, end) = match result {
        "" => (String::new(), String::new()),
        result => ("(result i32)".into(), format!("(i32.const {result})")),
    };
    format!(
        "(func $proxy_on_{callback} (export \"proxy_on_{callback}\") (param $id i32) {params} {ty} {code} {end})"
    )
}

/// Code that logs a word.
pub(crate) fn word(word: &str) -> String {
    format!("(drop (call $log (i32.const 2) '{word}'))")
}

/// A world whose connection manager adds no request ID, so that what a module sees is short.
pub(crate) fn world() -> World {
    World::seeded(1).manager(Manager { generate_request_id: false, ..Manager::default() })
}

/// A host that runs this body without a configuration.
pub(crate) fn configured(body: &str) -> Host {
    loaded(Plugin::new(&guest(body)))
}

/// A host that runs this plugin.
pub(crate) fn loaded(plugin: Plugin) -> Host {
    Host::new(world(), plugin).unwrap_or_else(|failure| panic!("{failure}"))
}

/// What comes of a request to this body.
pub(crate) fn outcome(body: &str, request: Request) -> Outcome {
    configured(body).request(request).unwrap_or_else(|failure| panic!("{failure}"))
}

/// What modules have logged on the first worker, without levels.
pub(crate) fn texts(host: &Host) -> Vec<&str> {
    texts_of(host, 1)
}

/// What modules have logged on a thread: 0 is the main one, the canary included.
pub(crate) fn texts_of(host: &Host, thread: usize) -> Vec<&str> {
    let lines = host.log().iter().filter(|line| line.thread == thread);
    lines.map(|line| line.text.as_str()).collect()
}

/// What a request made the module log, in one string.
pub(crate) fn said(outcome: &Outcome) -> String {
    outcome.log.iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join(" ")
}

fn imports() -> String {
    let import = |(name, import, params): &(&str, &str, &str)| {
        let (module, function) = import.split_once('.').expect("a module and a name");
        format!(
            "(import \"{module}\" \"{function}\" (func ${name} (param {params}) (result i32)))\n"
        )
    };
    HOSTCALLS.iter().map(import).collect()
}

fn place_texts(body: &str) -> (String, String) {
    let (mut code, mut data, mut place) = (String::new(), String::new(), TEXTS);
    for (index, part) in body.split('\'').enumerate() {
        if index % 2 == 0 {
            code.push_str(part);
            continue;
        }
        let length = part.len() - 2 * part.matches('\\').count();
        write!(code, "(i32.const {place}) (i32.const {length})").unwrap();
        writeln!(data, "(data (i32.const {place}) \"{part}\")").unwrap();
        place += length;
    }
    (code, data)
}

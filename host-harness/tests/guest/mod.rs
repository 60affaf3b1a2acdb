//! Small modules for tests: the body is WebAssembly text, and what every module needs is around it.
//!
//! In a body, text in single quotes stands for two constants, pointer and length. `$say` logs a
//! number, `$show` logs the bytes that a hostcall handed over through the pointers 0 and 4. `on`
//! makes a callback.

#![allow(dead_code, reason = "every test file uses its own part of this")]

use std::fmt::Write as _;

use sightline_host::{Module, Outcome, Plugin, Request, Vm, World};

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
"#;

/// The hostcalls that a body can use: the name in a body, the import, its parameters.
const HOSTCALLS: &[(&str, &str, &str)] = &[
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
    ("http_call", "env.proxy_http_call", "i32 i32 i32 i32 i32 i32 i32 i32 i32 i32"),
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
        "request_headers" | "response_headers" => ("(param $id i32) (param i32 i32)", "0"),
        "vm_start" | "configure" => ("(param $id i32) (param $size i32)", "1"),
        "context_create" => ("(param $id i32) (param $root i32)", ""),
        "done" => ("(param $id i32)", "1"),
        "tick" | "log" | "delete" => ("(param $id i32)", ""),
        other => panic!("no test needs proxy_on_{other} yet"),
    };
    let (ty, end) = match result {
        "" => (String::new(), String::new()),
        result => ("(result i32)".into(), format!("(i32.const {result})")),
    };
    format!(
        "(func $proxy_on_{callback} (export \"proxy_on_{callback}\") {params} {ty} {code} {end})"
    )
}

/// A VM that runs this body with one root.
pub(crate) fn configured(body: &str) -> Vm {
    let mut vm = Vm::new(&guest(body), World::seeded(1)).unwrap();
    vm.configure(Plugin::new("")).unwrap();
    vm
}

/// What comes of a request to this body.
pub(crate) fn outcome(body: &str, request: Request) -> Outcome {
    configured(body).request(request).unwrap_or_else(|failure| panic!("{failure}"))
}

/// What a VM has logged, without levels.
pub(crate) fn texts(vm: &Vm) -> Vec<&str> {
    vm.log().iter().map(|line| line.text.as_str()).collect()
}

/// What a request made the module log, in one string.
pub(crate) fn said(outcome: &Outcome) -> String {
    outcome.log.iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join(" ")
}

fn imports() -> String {
    let import = |(name, import, params): &(&str, &str, &str)| {
        let (module, function) = import.split_once('.').unwrap();
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

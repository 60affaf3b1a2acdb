//! What loads and what does not, and how a module starts.

mod guest;

use guest::{configured, guest, loaded, on, texts};
use sightline_host::{Module, ModuleError, Plugin, Request};

const ABI: &str = r#"(func (export "proxy_abi_version_0_2_1"))"#;
const MEMORY: &str = r#"(memory (export "memory") 1)"#;
const MALLOC: &str = r#"(func (export "malloc") (param i32) (result i32) (i32.const 8))"#;

#[test]
fn a_module_that_envoy_would_not_load_says_why() {
    let rows = [
        ("no bytes", String::new(), "This is not a WebAssembly module: "),
        ("other bytes", "\0ELF".into(), "This is not a WebAssembly module: "),
        ("no marker", module(&[MEMORY, MALLOC]), "The module does not speak proxy-wasm 0.2: "),
        ("no allocator", module(&[ABI, MEMORY]), "The module has no allocator: "),
        ("no memory", module(&[ABI, MALLOC]), "The module does not export its memory: "),
        (
            "an import of the ABI's other version",
            module(&[
                r#"(import "env" "proxy_clear_route_cache" (func (result i32)))"#,
                ABI,
                MEMORY,
                MALLOC,
            ]),
            "The module imports env.proxy_clear_route_cache, which Envoy 1.36 does not offer. ",
        ),
        (
            "an import that is no function",
            module(&[r#"(import "env" "proxy_log" (global i32))"#, ABI, MEMORY, MALLOC]),
            "The module imports env.proxy_log, which Envoy 1.36 does not offer. ",
        ),
        (
            "a WASI function that came later",
            module(&[
                r#"(import "wasi_snapshot_preview1" "clock_res_get" (func (param i32 i32) (result i32)))"#,
                ABI,
                MEMORY,
                MALLOC,
            ]),
            "The module imports wasi_snapshot_preview1.clock_res_get, which Envoy 1.36 does not offer. ",
        ),
        (
            "an import with another signature",
            module(&[r#"(import "env" "proxy_log" (func (param i32 i64)))"#, ABI, MEMORY, MALLOC]),
            "The function proxy_log is (i32, i64) -> () in the module and (i32, i32, i32) -> (i32) in the ABI: ",
        ),
        (
            "an export with another signature",
            module(&[ABI, MEMORY, MALLOC, r#"(func (export "proxy_on_log") (param i32 i32))"#]),
            "The function proxy_on_log is (i32, i32) -> () in the module and (i32) -> () in the ABI: ",
        ),
    ];
    for (name, text, expected) in rows {
        let error = Module::new(text).expect_err(name).to_string();
        assert!(error.starts_with(expected), "{name}: {error}");
    }
}

#[test]
fn the_log_level_can_only_be_asked_for_in_the_newer_abi() {
    let import = r#"(import "env" "proxy_get_log_level" (func (param i32) (result i32)))"#;
    let older = r#"(func (export "proxy_abi_version_0_2_0"))"#;
    assert!(Module::new(module(&[import, ABI, MEMORY, MALLOC])).is_ok());
    assert!(Module::new(module(&[older, MEMORY, MALLOC])).is_ok());
    let refused = Module::new(module(&[import, older, MEMORY, MALLOC])).unwrap_err();
    assert!(matches!(refused, ModuleError::UnknownImport { .. }), "{refused}");
}

#[test]
fn every_other_import_of_envoy_links() {
    let rows = [
        ("env.proxy_send_local_response", "i32 i32 i32 i32 i32 i32 i32 i32", "i32"),
        ("env.proxy_get_status", "i32 i32 i32", "i32"),
        ("env.proxy_get_shared_data", "i32 i32 i32 i32 i32", "i32"),
        ("env.proxy_set_shared_data", "i32 i32 i32 i32 i32", "i32"),
        ("env.proxy_register_shared_queue", "i32 i32 i32", "i32"),
        ("env.proxy_resolve_shared_queue", "i32 i32 i32 i32 i32", "i32"),
        ("env.proxy_dequeue_shared_queue", "i32 i32 i32", "i32"),
        ("env.proxy_enqueue_shared_queue", "i32 i32 i32", "i32"),
        ("env.proxy_get_buffer_status", "i32 i32 i32", "i32"),
        ("env.proxy_set_buffer_bytes", "i32 i32 i32 i32 i32", "i32"),
        ("env.proxy_grpc_call", "i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32", "i32"),
        ("env.proxy_grpc_stream", "i32 i32 i32 i32 i32 i32 i32 i32 i32", "i32"),
        ("env.proxy_grpc_close", "i32", "i32"),
        ("env.proxy_grpc_cancel", "i32", "i32"),
        ("env.proxy_grpc_send", "i32 i32 i32 i32", "i32"),
        ("env.proxy_call_foreign_function", "i32 i32 i32 i32 i32 i32", "i32"),
        ("env.proxy_continue_stream", "i32", "i32"),
        ("env.proxy_close_stream", "i32", "i32"),
        ("env.pthread_equal", "i32 i32", "i32"),
        ("env.emscripten_notify_memory_growth", "i32", ""),
        ("env.envoy_resolve_dns", "i32 i32 i32", "i32"),
        ("wasi_snapshot_preview1.fd_seek", "i32 i64 i32 i32", "i32"),
        ("wasi_snapshot_preview1.fd_close", "i32", "i32"),
        ("wasi_snapshot_preview1.fd_fdstat_set_flags", "i32 i32", "i32"),
        ("wasi_snapshot_preview1.args_get", "i32 i32", "i32"),
        ("wasi_snapshot_preview1.poll_oneoff", "i32 i32 i32 i32", "i32"),
        ("wasi_snapshot_preview1.path_open", "i32 i32 i32 i32 i32 i64 i64 i32 i32", "i32"),
        ("wasi_snapshot_preview1.fd_prestat_dir_name", "i32 i32 i32", "i32"),
        ("wasi_unstable.proc_exit", "i32", ""),
    ];
    for (import, params, result) in rows {
        let (from, name) = import.split_once('.').unwrap();
        let result = if result.is_empty() { "" } else { "(result i32)" };
        let import = format!("(import \"{from}\" \"{name}\" (func (param {params}) {result}))");
        assert_eq!(Module::new(module(&[&import, ABI, MEMORY, MALLOC])).err(), None, "{name}");
    }
}

#[test]
fn a_module_starts_with_initialize_and_main_or_else_with_start() {
    let export = |name: &str, params: &str, result: &str, number: u32| {
        format!("(func (export \"{name}\") {params} (call $say (i32.const {number})) {result})")
    };
    let main = export("main", "(param i32 i32) (result i32)", "(i32.const 0)", 2);
    let rows = [
        (
            "a reactor",
            format!("{}{}", export("_initialize", "", "", 1), export("_start", "", "", 3)),
            vec!["1"],
        ),
        (
            "a reactor with main",
            format!("{}{main}", export("_initialize", "", "", 1)),
            vec!["1", "2"],
        ),
        ("a command", format!("{}{main}", export("_start", "", "", 3)), vec!["3"]),
        ("neither", String::new(), vec![]),
    ];
    for (name, body, expected) in rows {
        assert_eq!(texts(&configured(&body)), expected, "{name}");
    }
}

#[test]
fn malloc_comes_before_the_specifications_allocator() {
    let body = format!(
        r#"(func (export "proxy_on_memory_allocate") (param i32) (result i32) unreachable) {}"#,
        on(
            "configure",
            "(call $say (call $buffer (i32.const 7) (i32.const 0) (i32.const 9) (i32.const 0) (i32.const 4)))"
        )
    );
    let host = loaded(Plugin::new(&guest(&body)).configuration("text"));
    assert_eq!(texts(&host), ["0"]);
    // The canary, the main thread, and the worker.
    assert_eq!(host.budget().entries("malloc"), 3);
}

#[test]
fn a_module_is_compiled_once_for_all_threads() {
    let module = guest(&on("request_headers", "(call $say (local.get $id))"));
    let run = || {
        let mut host = loaded(Plugin::new(&module));
        host.request(Request::get("/")).unwrap();
        texts(&host).join(" ")
    };
    let threads = std::thread::scope(|scope| {
        [scope.spawn(run), scope.spawn(run)].map(|thread| thread.join().unwrap())
    });
    assert_eq!(threads, ["2", "2"]);
    // A host can be made on one thread and run on another.
    let mut host = configured("");
    assert!(std::thread::spawn(move || host.request(Request::get("/")).is_ok()).join().unwrap());
}

#[test]
fn a_module_without_callbacks_lets_everything_through() {
    let outcome = configured("").request(Request::get("/a").header("x-a", "1")).unwrap();
    assert_eq!(outcome.upstream.unwrap().get("x-a"), Some(&b"1"[..]));
    assert_eq!(outcome.client.unwrap().get(":status"), Some(&b"200"[..]));
    assert_eq!(outcome.budget.fuel(), 0);
}

fn module(parts: &[&str]) -> String {
    format!("(module {})", parts.join("\n"))
}

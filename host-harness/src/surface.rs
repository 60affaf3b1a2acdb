//! The ABI's names and signatures, once: what Envoy 1.36 offers to a module, and what it looks for
//! in one.
//!
//! A signature is written as one letter per parameter: `i` is 32 bits wide and `l` is 64.

use std::fmt;

use wasmtime::{FuncType, ValType};

use crate::call::{Answer, Call};
use crate::hostcalls::{
    buffers, callouts, contexts, foreign, headers, log, metrics, properties, shared, streams, time,
    wasi,
};

/// The export that says which version of the ABI a module speaks.
pub(crate) const MARKERS: [&str; 2] = ["proxy_abi_version_0_2_1", "proxy_abi_version_0_2_0"];

/// Where Envoy looks for an allocator, in its order, which is not the specification's.
pub(crate) const ALLOCATORS: [&str; 2] = ["malloc", "proxy_on_memory_allocate"];

/// The modules under which the WASI functions are offered.
pub(crate) const WASI_MODULES: [&str; 2] = ["wasi_snapshot_preview1", "wasi_unstable"];

/// A function that a module can import.
pub(crate) struct Import {
    pub(crate) name: &'static str,
    pub(crate) params: &'static str,
    pub(crate) results: &'static str,
    /// The most restricted stage at which a module may call it.
    pub(crate) when: When,
    /// `None` is a function that links and answers that it is not implemented.
    pub(crate) serve: Option<Serve>,
    wasi: bool,
}

impl Import {
    pub(crate) fn memory_fault(&self) -> u32 {
        if self.wasi { wasi::EFAULT } else { crate::call::Status::InvalidMemoryAccess as u32 }
    }

    pub(crate) fn signature(&self) -> String {
        spelled(self.params, self.results)
    }
}

/// What answers a call.
pub(crate) type Serve = fn(&mut Call<'_>) -> Answer;

/// What a module is about when it calls the host; later is more restricted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum When {
    /// A callback.
    Running,
    /// `_initialize`, `main` or `_start`.
    Starting,
    /// The allocator.
    Allocating,
}

impl fmt::Display for When {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Running => "while it runs",
            Self::Starting => "while the module starts",
            Self::Allocating => "while the module allocates",
        })
    }
}

/// The proxy-wasm functions, under the module `env`.
pub(crate) const ENV: &[Import] = &[
    env("proxy_log", "iii", When::Allocating, log::log),
    env("proxy_get_log_level", "i", When::Running, log::log_level),
    env("proxy_set_property", "iiii", When::Running, properties::set),
    env("proxy_get_property", "iiii", When::Running, properties::get),
    env("proxy_get_header_map_value", "iiiii", When::Running, headers::get),
    env("proxy_add_header_map_value", "iiiii", When::Running, headers::add),
    env("proxy_replace_header_map_value", "iiiii", When::Running, headers::replace),
    env("proxy_remove_header_map_value", "iii", When::Running, headers::remove),
    env("proxy_get_header_map_pairs", "iii", When::Running, headers::pairs),
    env("proxy_set_header_map_pairs", "iii", When::Running, headers::set_pairs),
    env("proxy_get_header_map_size", "ii", When::Running, headers::size),
    env("proxy_get_buffer_bytes", "iiiii", When::Running, buffers::bytes),
    env("proxy_set_tick_period_milliseconds", "i", When::Running, time::tick_period),
    env("proxy_get_current_time_nanoseconds", "i", When::Running, time::now),
    env("proxy_define_metric", "iiii", When::Running, metrics::define),
    env("proxy_increment_metric", "il", When::Running, metrics::increment),
    env("proxy_record_metric", "il", When::Running, metrics::record),
    env("proxy_get_metric", "ii", When::Running, metrics::get),
    env("proxy_set_effective_context", "i", When::Running, contexts::set_effective),
    env("proxy_done", "", When::Running, contexts::done),
    env("pthread_equal", "ii", When::Running, contexts::pthread_equal),
    env("proxy_get_status", "iii", When::Running, callouts::status),
    env("proxy_send_local_response", "iiiiiiii", When::Running, streams::respond),
    env("proxy_get_shared_data", "iiiii", When::Running, shared::get_data),
    env("proxy_set_shared_data", "iiiii", When::Running, shared::set_data),
    env("proxy_register_shared_queue", "iii", When::Running, shared::register_queue),
    env("proxy_resolve_shared_queue", "iiiii", When::Running, shared::resolve_queue),
    env("proxy_dequeue_shared_queue", "iii", When::Running, shared::dequeue),
    env("proxy_enqueue_shared_queue", "iii", When::Running, shared::enqueue),
    env("proxy_get_buffer_status", "iii", When::Running, buffers::status),
    env("proxy_set_buffer_bytes", "iiiii", When::Running, buffers::set),
    env("proxy_http_call", "iiiiiiiiii", When::Running, callouts::http_call),
    env("proxy_grpc_call", "iiiiiiiiiiii", When::Running, callouts::grpc_call),
    env("proxy_grpc_stream", "iiiiiiiii", When::Running, callouts::grpc_stream),
    env("proxy_grpc_close", "i", When::Running, callouts::grpc_close),
    env("proxy_grpc_cancel", "i", When::Running, callouts::grpc_cancel),
    env("proxy_grpc_send", "iiii", When::Running, callouts::grpc_send),
    env("proxy_call_foreign_function", "iiiiii", When::Running, foreign::call),
    env("proxy_continue_stream", "i", When::Running, streams::go_on),
    env("proxy_close_stream", "i", When::Running, streams::close),
    missing("envoy_resolve_dns", "iii"),
    Import {
        results: "",
        ..env("emscripten_notify_memory_growth", "i", When::Starting, contexts::memory_growth)
    },
];

/// The WASI functions, the same under both module names.
pub(crate) const WASI: &[Import] = &[
    wasi("fd_write", "iiii", When::Allocating, wasi::fd_write),
    wasi("fd_read", "iiii", When::Running, wasi::no_such_call),
    wasi("fd_seek", "ilii", When::Running, wasi::nothing),
    wasi("fd_close", "i", When::Running, wasi::nothing),
    wasi("fd_fdstat_get", "ii", When::Starting, wasi::fd_fdstat_get),
    wasi("fd_fdstat_set_flags", "ii", When::Starting, wasi::no_such_call),
    wasi("environ_get", "ii", When::Starting, wasi::environ_get),
    wasi("environ_sizes_get", "ii", When::Starting, wasi::environ_sizes_get),
    wasi("args_get", "ii", When::Starting, wasi::nothing),
    wasi("args_sizes_get", "ii", When::Starting, wasi::args_sizes_get),
    wasi("clock_time_get", "ili", When::Allocating, wasi::clock_time_get),
    wasi("random_get", "ii", When::Starting, wasi::random_get),
    wasi("sched_yield", "", When::Running, wasi::nothing),
    wasi("poll_oneoff", "iiii", When::Allocating, wasi::poll_oneoff),
    wasi("path_open", "iiiiillii", When::Running, wasi::path_open),
    wasi("fd_prestat_get", "ii", When::Starting, wasi::fd_prestat_get),
    wasi("fd_prestat_dir_name", "iii", When::Starting, wasi::no_such_call),
    Import { results: "", ..wasi("proc_exit", "i", When::Running, wasi::nothing) },
];

/// What a module can export for the host to call, with parameters and results. What it does not
/// export is not called.
pub(crate) const EXPORTS: &[(&str, &str, &str)] = &[
    ("_initialize", "", ""),
    ("main", "ii", "i"),
    ("_start", "", ""),
    ("malloc", "i", "i"),
    ("proxy_on_memory_allocate", "i", "i"),
    ("proxy_validate_configuration", "ii", "i"),
    ("proxy_on_vm_start", "ii", "i"),
    ("proxy_on_configure", "ii", "i"),
    ("proxy_on_tick", "i", ""),
    ("proxy_on_context_create", "ii", ""),
    ("proxy_on_new_connection", "i", "i"),
    ("proxy_on_downstream_data", "iii", "i"),
    ("proxy_on_upstream_data", "iii", "i"),
    ("proxy_on_downstream_connection_close", "ii", ""),
    ("proxy_on_upstream_connection_close", "ii", ""),
    ("proxy_on_request_headers", "iii", "i"),
    ("proxy_on_request_body", "iii", "i"),
    ("proxy_on_request_trailers", "ii", "i"),
    ("proxy_on_request_metadata", "ii", "i"),
    ("proxy_on_response_headers", "iii", "i"),
    ("proxy_on_response_body", "iii", "i"),
    ("proxy_on_response_trailers", "ii", "i"),
    ("proxy_on_response_metadata", "ii", "i"),
    ("proxy_on_http_call_response", "iiiii", ""),
    ("proxy_on_grpc_receive", "iii", ""),
    ("proxy_on_grpc_close", "iii", ""),
    ("proxy_on_grpc_receive_initial_metadata", "iii", ""),
    ("proxy_on_grpc_receive_trailing_metadata", "iii", ""),
    ("proxy_on_queue_ready", "ii", ""),
    ("proxy_on_foreign_function", "iii", ""),
    ("proxy_on_done", "i", "i"),
    ("proxy_on_log", "i", ""),
    ("proxy_on_delete", "i", ""),
];

/// The import of this name, if Envoy offers it.
pub(crate) fn import(module: &str, name: &str) -> Option<&'static Import> {
    let table = match module {
        "env" => ENV,
        wasi if WASI_MODULES.contains(&wasi) => WASI,
        _ => return None,
    };
    table.iter().find(|import| import.name == name)
}

/// A signature as an error message shows it, from the letters of a table.
pub(crate) fn spelled(params: &str, results: &str) -> String {
    let words = |letters: &str| {
        letters.chars().map(|letter| if letter == 'l' { "i64" } else { "i32" }).collect::<Vec<_>>()
    };
    format!("({}) -> ({})", words(params).join(", "), words(results).join(", "))
}

/// A signature as an error message shows it, from a module.
pub(crate) fn spelled_type(function: &FuncType) -> String {
    let words = |types: &mut dyn Iterator<Item = ValType>| {
        types.map(|ty| ty.to_string()).collect::<Vec<_>>().join(", ")
    };
    format!("({}) -> ({})", words(&mut function.params()), words(&mut function.results()))
}

/// The types that the letters of a table stand for.
pub(crate) fn types(letters: &str) -> impl Iterator<Item = ValType> {
    letters.chars().map(|letter| if letter == 'l' { ValType::I64 } else { ValType::I32 })
}

const fn env(name: &'static str, params: &'static str, when: When, serve: Serve) -> Import {
    Import { name, params, results: "i", when, serve: Some(serve), wasi: false }
}

const fn missing(name: &'static str, params: &'static str) -> Import {
    Import { name, params, results: "i", when: When::Running, serve: None, wasi: false }
}

const fn wasi(name: &'static str, params: &'static str, when: When, serve: Serve) -> Import {
    Import { name, params, results: "i", when, serve: Some(serve), wasi: true }
}

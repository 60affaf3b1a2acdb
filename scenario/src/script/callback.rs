//! The callbacks that a script can have: what a host calls them, and what they are called with.

/// Something that a host calls in a module.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Callback {
    /// What a script calls it.
    pub(super) name: &'static str,
    /// What the host calls it.
    pub(super) export: &'static str,
    /// The number of its arguments, which all are 32 bits wide.
    pub(super) arguments: usize,
    pub(super) result: Outcome,
    /// What the first argument is the id of.
    pub(super) whom: Whom,
    /// Whether the last argument says that a stream ends.
    pub(super) tells_end: bool,
}

/// What a callback returns when its script does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Nothing: it is not that sort of callback.
    Nothing,
    /// This number.
    Number(u32),
    /// Room for as many bytes as the first argument says.
    Room,
}

/// Whom a callback is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whom {
    /// No context.
    Nobody,
    /// A root context.
    Root,
    /// A stream context.
    Stream,
    /// A root or a stream context; the callback does not say which.
    Either,
    /// A new context; the second argument is its root's id, or 0 if it is a root itself.
    New,
}

use Outcome::{Nothing, Number, Room};
use Whom::{Either, New, Nobody, Root, Stream};

/// All of them.
pub(super) const CALLBACKS: &[Callback] = &[
    on("initialize", "_initialize", 0, Nothing, Nobody),
    on("main", "main", 2, Number(0), Nobody),
    on("start", "_start", 0, Nothing, Nobody),
    on("malloc", "malloc", 1, Room, Nobody),
    on("memory_allocate", "proxy_on_memory_allocate", 1, Room, Nobody),
    on("context_create", "proxy_on_context_create", 2, Nothing, New),
    on("validate_configuration", "proxy_validate_configuration", 2, Number(1), Root),
    on("vm_start", "proxy_on_vm_start", 2, Number(1), Root),
    on("configure", "proxy_on_configure", 2, Number(1), Root),
    on("tick", "proxy_on_tick", 1, Nothing, Root),
    on("queue_ready", "proxy_on_queue_ready", 2, Nothing, Root),
    on("foreign_function", "proxy_on_foreign_function", 3, Nothing, Either),
    on("http_call_response", "proxy_on_http_call_response", 5, Nothing, Root),
    on("grpc_receive_initial_metadata", "proxy_on_grpc_receive_initial_metadata", 3, Nothing, Root),
    on("grpc_receive", "proxy_on_grpc_receive", 3, Nothing, Root),
    on(
        "grpc_receive_trailing_metadata",
        "proxy_on_grpc_receive_trailing_metadata",
        3,
        Nothing,
        Root,
    ),
    on("grpc_close", "proxy_on_grpc_close", 3, Nothing, Root),
    on("new_connection", "proxy_on_new_connection", 1, Number(0), Stream),
    ending("downstream_data", "proxy_on_downstream_data"),
    ending("upstream_data", "proxy_on_upstream_data"),
    on("downstream_connection_close", "proxy_on_downstream_connection_close", 2, Nothing, Stream),
    on("upstream_connection_close", "proxy_on_upstream_connection_close", 2, Nothing, Stream),
    ending("request_headers", "proxy_on_request_headers"),
    ending("request_body", "proxy_on_request_body"),
    on("request_trailers", "proxy_on_request_trailers", 2, Number(0), Stream),
    on("request_metadata", "proxy_on_request_metadata", 2, Number(0), Stream),
    ending("response_headers", "proxy_on_response_headers"),
    ending("response_body", "proxy_on_response_body"),
    on("response_trailers", "proxy_on_response_trailers", 2, Number(0), Stream),
    on("response_metadata", "proxy_on_response_metadata", 2, Number(0), Stream),
    on("log", "proxy_on_log", 1, Nothing, Stream),
    on("done", "proxy_on_done", 1, Number(1), Either),
    on("delete", "proxy_on_delete", 1, Nothing, Either),
];

impl Callback {
    /// The one that a script calls so.
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        CALLBACKS.iter().find(|callback| callback.name == name)
    }
}

const fn on(
    name: &'static str,
    export: &'static str,
    arguments: usize,
    result: Outcome,
    whom: Whom,
) -> Callback {
    Callback { name, export, arguments, result, whom, tells_end: false }
}

const fn ending(name: &'static str, export: &'static str) -> Callback {
    Callback { tells_end: true, ..on(name, export, 3, Number(0), Stream) }
}

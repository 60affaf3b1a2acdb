//! The callbacks that the host enters. Exactly those with something to do are here: Envoy enters the
//! module for each that exists.

use super::calls::Token;
use crate::contexts;

/// Go on to the next filter. We never hold a request up.
const CONTINUE: u32 = 0;

/// Says which version of the ABI this module speaks. Its presence is the message; it is never called.
#[unsafe(no_mangle)]
extern "C" fn proxy_abi_version_0_2_1() {}

/// Runs what the language runtime wants to run before anything else. Without a caller of its own the
/// linker would wrap every export in this.
#[cfg(target_arch = "wasm32")]
#[unsafe(no_mangle)]
extern "C" fn _initialize() {
    unsafe extern "C" {
        fn __wasm_call_ctors();
    }
    // SAFETY: the linker provides it, and the host calls `_initialize` once, before anything else.
    unsafe { __wasm_call_ctors() }
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_context_create(context: u32, root: u32) {
    contexts::with(|contexts| contexts.create(context, root));
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_configure(root: u32, _configuration_size: usize) -> u32 {
    contexts::with(|contexts| contexts.configure(root)).unwrap_or(false).into()
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_tick(root: u32) {
    contexts::with(|contexts| contexts.tick(root));
}

/// A collector has answered over HTTP, or something has in its stead, or nothing did: then there is no header.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_http_call_response(
    _root: u32,
    token: u32,
    _headers: usize,
    _body_size: usize,
    _trailers: usize,
) {
    contexts::with(|contexts| contexts.on_http_answer(Token(token)));
}

/// A collector has answered over gRPC with a message. That of a call that took ends it.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_grpc_receive(_root: u32, token: u32, _size: usize) {
    contexts::with(|contexts| contexts.on_grpc_message(Token(token)));
}

/// A gRPC call ended without a message.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_grpc_close(_root: u32, token: u32, status: u32) {
    contexts::with(|contexts| contexts.on_grpc_end(Token(token), status));
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_headers(context: u32, _headers: usize, end_of_stream: u32) -> u32 {
    contexts::with(|contexts| contexts.on_request_headers(context, end_of_stream != 0));
    CONTINUE
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_response_headers(context: u32, _headers: usize, _end_of_stream: u32) -> u32 {
    contexts::with(|contexts| contexts.on_response_headers(context));
    CONTINUE
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_log(context: u32) {
    contexts::with(|contexts| contexts.finish(context));
}

/// Finishes what was never logged (HTTP/3 may skip the log callback), and forgets the context.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_delete(context: u32) {
    contexts::with(|contexts| {
        contexts.finish(context);
        contexts.delete(context);
    });
}

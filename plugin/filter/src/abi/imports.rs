//! What the host offers, as it is declared to the linker.
//!
//! Only what is used stands here: an import that a host does not know keeps the module from loading.

/// Declares host functions. Off WebAssembly there is no host: each answers "unimplemented", so that the
/// crate can be checked and its pure parts tested natively.
macro_rules! host_functions {
    ($module:literal { $( fn $name:ident($($argument:ident: $Type:ty),*); )+ }) => {
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = $module)]
        unsafe extern "C" {
            $( pub(super) fn $name($($argument: $Type),*) -> u32; )+
        }

        $(
            #[cfg(not(target_arch = "wasm32"))]
            #[allow(clippy::too_many_arguments, reason = "the host counts pointers and sizes")]
            pub(super) unsafe fn $name($(_: $Type),*) -> u32 {
                const UNIMPLEMENTED: u32 = 12;
                UNIMPLEMENTED
            }
        )+
    };
}

host_functions!("env" {
    fn proxy_log(level: u32, message: *const u8, message_size: usize);
    fn proxy_get_buffer_bytes(buffer: u32, start: usize, max_size: usize, out: *mut *mut u8, out_size: *mut usize);
    fn proxy_get_header_map_pairs(map: u32, out: *mut *mut u8, out_size: *mut usize);
    fn proxy_replace_header_map_value(map: u32, name: *const u8, name_size: usize, value: *const u8, value_size: usize);
    fn proxy_add_header_map_value(map: u32, name: *const u8, name_size: usize, value: *const u8, value_size: usize);
    fn proxy_get_header_map_value(map: u32, name: *const u8, name_size: usize, out: *mut *mut u8, out_size: *mut usize);
    fn proxy_remove_header_map_value(map: u32, name: *const u8, name_size: usize);
    fn proxy_send_local_response(status: u32, details: *const u8, details_size: usize, body: *const u8, body_size: usize, headers: *const u8, headers_size: usize, grpc_status: i32);
    fn proxy_get_property(path: *const u8, path_size: usize, out: *mut *mut u8, out_size: *mut usize);
    fn proxy_set_property(path: *const u8, path_size: usize, value: *const u8, value_size: usize);
    fn proxy_get_shared_data(key: *const u8, key_size: usize, out: *mut *mut u8, out_size: *mut usize, version: *mut u32);
    fn proxy_set_shared_data(key: *const u8, key_size: usize, value: *const u8, value_size: usize, version: u32);
    fn proxy_http_call(cluster: *const u8, cluster_size: usize, headers: *const u8, headers_size: usize, body: *const u8, body_size: usize, trailers: *const u8, trailers_size: usize, timeout: u32, token: *mut u32);
    fn proxy_grpc_call(service: *const u8, service_size: usize, name: *const u8, name_size: usize, method: *const u8, method_size: usize, metadata: *const u8, metadata_size: usize, message: *const u8, message_size: usize, timeout: u32, token: *mut u32);
    fn proxy_call_foreign_function(name: *const u8, name_size: usize, argument: *const u8, argument_size: usize, out: *mut *mut u8, out_size: *mut usize);
    fn proxy_set_tick_period_milliseconds(milliseconds: u32);
    fn proxy_define_metric(kind: u32, name: *const u8, name_size: usize, id: *mut u32);
    fn proxy_increment_metric(id: u32, offset: i64);
    fn proxy_record_metric(id: u32, value: u64);
});

host_functions!("wasi_snapshot_preview1" {
    fn clock_time_get(clock: u32, precision: u64, time: *mut u64);
    fn random_get(buffer: *mut u8, size: usize);
});

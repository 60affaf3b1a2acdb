//! What gRPC makes of HTTP, as far as streams and callouts both need it.

use crate::HeaderMap;

/// Whether these are the headers of a request of gRPC.
pub(crate) fn is_grpc(request: &HeaderMap) -> bool {
    let Some(kind) = request.get("content-type") else { return false };
    kind == b"application/grpc" || kind.starts_with(b"application/grpc+")
}

/// The status of gRPC that stands for a status of HTTP.
pub(crate) fn status_of_http(status: u16) -> u32 {
    match status {
        400 => 13,
        401 => 16,
        403 => 7,
        404 => 12,
        429 | 502..=504 => 14,
        _ => 2,
    }
}

//! Properties: what a host tells only by name. Each question has its price, so each is asked by somebody who
//! needs the answer.

use super::imports;
use super::memory::receive;

/// The pieces of a property's path are told apart by zeros.
fn property(path: &[u8]) -> Option<Box<[u8]>> {
    // SAFETY: the path's pointer goes with its size, the others are those of live variables.
    receive(|out, size| unsafe {
        imports::proxy_get_property(path.as_ptr(), path.len(), out, size)
    })
}

fn number(path: &[u8]) -> Option<i64> {
    Some(i64::from_le_bytes((*property(path)?).try_into().ok()?))
}

/// Something of the proxy's node, by its path there.
pub(crate) fn node(path: &str) -> Option<String> {
    String::from_utf8(property(&[b"xds\0node\0", path.as_bytes()].concat())?.into_vec()).ok()
}

/// The direction of the current stream's listener.
pub(crate) fn listener_direction() -> Option<i64> {
    number(b"xds\0listener_direction")
}

/// The port that the current stream's client meant to reach.
pub(crate) fn destination_port() -> Option<i64> {
    number(b"destination\0port")
}

/// Whether the response of the current stream was the upstream's, as far as the host knows.
pub(crate) fn is_from_upstream() -> bool {
    code_details().is_some_and(|details| *details == *b"via_upstream")
}

/// The response flags of the current stream, a bit for each.
pub(crate) fn response_flags() -> Option<u64> {
    number(b"response\0flags").map(i64::cast_unsigned)
}

/// The other end of the current stream's connection: address and port.
pub(crate) fn source_address() -> Option<Box<[u8]>> {
    property(b"source\0address")
}

/// The address and the port of the upstream that the current stream was sent to last.
pub(crate) fn upstream_address() -> Option<Box<[u8]>> {
    property(b"upstream\0address")
}

/// Why the response of the current stream is what it is.
pub(crate) fn code_details() -> Option<Box<[u8]>> {
    property(b"response\0code_details")
}

/// The size of the current stream's request, as its head says or as it came.
pub(crate) fn request_size() -> Option<i64> {
    number(b"request\0size")
}

/// How many bytes of the current stream's response were sent.
pub(crate) fn response_size() -> Option<i64> {
    number(b"response\0size")
}

/// The protocol of the current stream's request.
pub(crate) fn protocol() -> Option<Box<[u8]>> {
    property(b"request\0protocol")
}

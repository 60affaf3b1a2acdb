//! What properties say of a request and its response. What comes from headers is there when the
//! module may see the header map; the rest is known to Envoy by itself.

use super::value::Value;
use crate::HeaderMap;
use crate::grpc;
use crate::hostcalls::headers::MapKind;
use crate::stream::Stream;

pub(super) fn request<'a>(stream: &'a Stream, name: &[u8]) -> Option<Value<'a>> {
    let map = stream.readable(MapKind::Request);
    let header = |name: &str| map?.get(name).map(|value| Value::Bytes(value.into()));
    // These two are empty, and not absent, in a map without a path.
    let path_of_map = || Some(map?.get(":path").unwrap_or_default());
    match name {
        b"path" => header(":path"),
        b"url_path" => path_of_map().map(|path| Value::Bytes(url_path(path).into())),
        b"query" => path_of_map().map(|path| Value::Bytes(query(path).into())),
        b"host" => header(":authority"),
        b"scheme" => header(":scheme"),
        b"method" => header(":method"),
        b"referer" => header("referer"),
        b"useragent" => header("user-agent"),
        b"id" => header("x-request-id"),
        b"headers" => Some(Value::Headers(map)),
        b"headers_bytes" => Some(Value::count(byte_size(map))),
        b"time" => Some(Value::count(stream.info.started_wall)),
        b"protocol" => Some(Value::text(stream.info.protocol.name())),
        b"duration" => Some(Value::count(stream.info.duration?.as_nanos())),
        b"size" => size(map, stream.request.bytes),
        b"total_size" => Some(Value::count(stream.request.bytes + byte_size(map))),
        _ => None,
    }
}

pub(super) fn response<'a>(stream: &'a Stream, name: &[u8]) -> Option<Value<'a>> {
    let info = &stream.info;
    let map = stream.readable(MapKind::Response);
    let trailers = stream.readable(MapKind::ResponseTrailers);
    match name {
        b"code" => Some(Value::Int(info.code?.into())),
        b"code_details" => Some(Value::text(info.details.as_ref()?)),
        b"flags" => Some(Value::count(info.flags)),
        b"grpc_status" => [trailers, map]
            .into_iter()
            .find_map(|map| said_status(map?))
            .or_else(|| info.code.map(|code| grpc::status_of_http(code).into()))
            .map(Value::Int),
        b"headers" => Some(Value::Headers(map)),
        b"headers_bytes" => Some(Value::count(byte_size(map))),
        b"trailers" => Some(Value::Headers(trailers)),
        b"size" => Some(Value::count(info.sent)),
        b"total_size" => Some(Value::count(info.sent + byte_size(map) + byte_size(trailers))),
        b"backend_latency" => Some(Value::count(info.answered?.saturating_sub(info.chosen?))),
        _ => None,
    }
}

fn byte_size(map: Option<&HeaderMap>) -> u64 {
    map.map_or(0, |map| map.byte_size() as u64)
}

/// What the request says that its size is, or else what has come of it.
fn size<'a>(map: Option<&HeaderMap>, come: u64) -> Option<Value<'a>> {
    match map.and_then(|map| map.get("content-length")) {
        None => Some(Value::count(come)),
        Some(said) => std::str::from_utf8(said).ok()?.trim_ascii().parse().ok().map(Value::Int),
    }
}

/// The status that gRPC's own header says; -1 is one that there is not.
fn said_status(map: &HeaderMap) -> Option<i64> {
    let said = std::str::from_utf8(map.get("grpc-status")?).ok();
    let status = said.and_then(|said| said.trim_ascii().parse().ok());
    Some(status.filter(|status| (0..=16).contains(status)).unwrap_or(-1))
}

fn url_path(path: &[u8]) -> &[u8] {
    path.split(|byte| *byte == b'?').next().unwrap_or_default()
}

fn query(path: &[u8]) -> &[u8] {
    let query = path.splitn(2, |byte| *byte == b'?').nth(1).unwrap_or_default();
    query.split(|byte| *byte == b'#').next().unwrap_or_default()
}

//! Properties: facts about plugin, request and response, and filter state.
//!
//! There are `plugin_name`, `plugin_root_id`, `plugin_vm_id`; of `request` `path`, `url_path`,
//! `query`, `host`, `scheme`, `method`, `referer`, `useragent`, `id`, `headers.NAME`, `time`,
//! `protocol` and, once all is over, `duration`; of `response` `code` and `headers.NAME`; and
//! filter state, by its name without `wasm.` or under `filter_state`. Everything else is not found.
//! What comes from headers is there when the header map is.

use crate::call::{Answer, Call, Exit, Status};
use crate::context::{MapKind, Stream};
use crate::host::Host;

/// Under which all filter state of modules is.
const PREFIX: &[u8] = b"wasm.";

/// `proxy_set_property(path, length, value, length)`: the path is the name, zero bytes and all.
pub(crate) fn set(call: &mut Call<'_>) -> Answer {
    let (path, value) = (call.text(0)?, call.text(2)?);
    let stream = call.stream().ok_or(Status::NotFound)?;
    stream.state.insert([PREFIX, &path].concat(), value);
    Ok(())
}

/// `proxy_get_property(path, length, value, length)`: a path has its elements between zero bytes.
pub(crate) fn get(call: &mut Call<'_>) -> Answer {
    let path = call.text(0)?;
    let value = property(call.host(), &path)?;
    call.give(2, &value)
}

fn property(host: &Host, path: &[u8]) -> Result<Vec<u8>, Exit> {
    if path.is_empty() {
        return Err(Status::SerializationFailure.into());
    }
    let path = path.strip_suffix(b"\0").unwrap_or(path);
    let elements: Vec<&[u8]> = path.split(|byte| *byte == 0).collect();
    let stream = host.contexts.stream(host.contexts.spoken_for());
    let value = match elements.as_slice() {
        [b"plugin_name" | b"plugin_root_id" | b"plugin_vm_id"] => plugin(host, elements[0]),
        [b"request", rest @ ..] => stream.and_then(|stream| request(stream, rest)),
        [b"response", rest @ ..] => stream.and_then(|stream| response(stream, rest)),
        [b"filter_state", name] => stream.and_then(|stream| stream.state.get(*name).cloned()),
        [name] => stream.and_then(|stream| stream.state.get(&[PREFIX, name].concat()).cloned()),
        _ => None,
    };
    Ok(value.ok_or(Status::NotFound)?)
}

fn plugin(host: &Host, name: &[u8]) -> Option<Vec<u8>> {
    let root = host.contexts.root(host.contexts.root_of(host.contexts.spoken_for()));
    let text = match name {
        b"plugin_name" => &root?.plugin.name,
        b"plugin_root_id" => &root?.plugin.root_id,
        _ => &host.world.vm_id,
    };
    Some(text.clone().into_bytes())
}

fn request(stream: &Stream, path: &[&[u8]]) -> Option<Vec<u8>> {
    let map = stream.readable(MapKind::Request);
    let header = |name: &str| map?.get(name).map(<[u8]>::to_vec);
    // These two are empty, and not absent, in a map without a path.
    let path_of_map = || Some(map?.get(":path").unwrap_or_default());
    match path {
        [b"path"] => header(":path"),
        [b"url_path"] => path_of_map().map(|path| url_path(path).to_vec()),
        [b"query"] => path_of_map().map(|path| query(path).to_vec()),
        [b"host"] => header(":authority"),
        [b"scheme"] => header(":scheme"),
        [b"method"] => header(":method"),
        [b"referer"] => header("referer"),
        [b"useragent"] => header("user-agent"),
        [b"id"] => header("x-request-id"),
        [b"headers", name] => joined(stream, MapKind::Request, name),
        [b"time"] => Some(stream.started().to_le_bytes().to_vec()),
        [b"protocol"] => Some(stream.protocol.clone().into_bytes()),
        [b"duration"] => duration(stream),
        _ => None,
    }
}

fn response(stream: &Stream, path: &[&[u8]]) -> Option<Vec<u8>> {
    match path {
        [b"code"] => stream.code.map(|code| i64::from(code).to_le_bytes().to_vec()),
        [b"headers", name] => joined(stream, MapKind::Response, name),
        _ => None,
    }
}

/// Unlike the hostcalls for headers, a property joins all values of a name.
fn joined(stream: &Stream, kind: MapKind, name: &[u8]) -> Option<Vec<u8>> {
    let values: Vec<&[u8]> = stream.readable(kind)?.all(name).collect();
    (!values.is_empty()).then(|| values.join(&b','))
}

fn url_path(path: &[u8]) -> &[u8] {
    path.split(|byte| *byte == b'?').next().unwrap_or_default()
}

fn query(path: &[u8]) -> &[u8] {
    let query = path.splitn(2, |byte| *byte == b'?').nth(1).unwrap_or_default();
    query.split(|byte| *byte == b'#').next().unwrap_or_default()
}

fn duration(stream: &Stream) -> Option<Vec<u8>> {
    let nanoseconds = i64::try_from(stream.duration?.as_nanos()).unwrap_or(i64::MAX);
    Some(nanoseconds.to_le_bytes().to_vec())
}

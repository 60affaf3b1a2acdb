//! Header maps. Which of them is there, and can be changed, depends on what the module was entered
//! for.

use crate::HeaderMap;
use crate::call::{Answer, Call, Exit, Status};
use crate::context::{MapKind, Phase};
use crate::pairs;

/// `proxy_get_header_map_value(map, name, length, value, length)`: the first value only.
pub(crate) fn get(call: &mut Call<'_>) -> Answer {
    let kind = kind(call)?;
    let name = call.text(1)?;
    let stream = call.stream().ok_or(Status::BadArgument)?;
    let value = match stream.readable(kind) {
        Some(map) => map.get(name).ok_or(Status::NotFound)?.to_vec(),
        None if stream.phase == Phase::Log => return Err(Status::NotFound.into()),
        None => return Err(Status::BadArgument.into()),
    };
    call.give(3, &value)
}

/// `proxy_add_header_map_value(map, name, length, value, length)`
pub(crate) fn add(call: &mut Call<'_>) -> Answer {
    let kind = kind(call)?;
    let (name, value) = (call.text(1)?, call.text(3)?);
    writable(call, kind)?.add(name, value);
    Ok(())
}

/// `proxy_replace_header_map_value(map, name, length, value, length)`
pub(crate) fn replace(call: &mut Call<'_>) -> Answer {
    let kind = kind(call)?;
    let (name, value) = (call.text(1)?, call.text(3)?);
    writable(call, kind)?.replace(name, value);
    Ok(())
}

/// `proxy_remove_header_map_value(map, name, length)`
pub(crate) fn remove(call: &mut Call<'_>) -> Answer {
    let kind = kind(call)?;
    let name = call.text(1)?;
    writable(call, kind)?.remove(name);
    Ok(())
}

/// `proxy_get_header_map_pairs(map, pairs, length)`: of a map that is not there, no bytes.
pub(crate) fn pairs(call: &mut Call<'_>) -> Answer {
    let kind = kind(call)?;
    let map = call.stream().and_then(|stream| stream.readable(kind));
    let bytes = map.map(|map| pairs::encode(map.iter())).unwrap_or_default();
    call.give(1, &bytes)
}

/// `proxy_set_header_map_pairs(map, pairs, length)`: malformed pairs empty the map, as they do in
/// Envoy.
pub(crate) fn set_pairs(call: &mut Call<'_>) -> Answer {
    let kind = kind(call)?;
    let bytes = call.text(1)?;
    *writable(call, kind)? = pairs::decode(&bytes).into_iter().collect();
    Ok(())
}

/// `proxy_get_header_map_size(map, size)`: in bytes of names and values, and only of a map that can
/// be changed.
pub(crate) fn size(call: &mut Call<'_>) -> Answer {
    let kind = kind(call)?;
    let size = writable(call, kind)?.byte_size();
    call.give_word(1, u32::try_from(size).unwrap_or(u32::MAX))
}

fn kind(call: &Call<'_>) -> Result<MapKind, Exit> {
    Ok(MapKind::from_abi(call.word(0)).ok_or(Status::BadArgument)?)
}

fn writable<'a>(call: &'a mut Call<'_>, kind: MapKind) -> Result<&'a mut HeaderMap, Exit> {
    let map = call.stream().and_then(|stream| stream.writable(kind));
    Ok(map.ok_or(Status::BadArgument)?)
}

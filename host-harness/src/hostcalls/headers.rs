//! Header maps. Which of them is there, and can be changed, depends on what the module was entered
//! for, and on where it stopped.

use crate::HeaderMap;
use crate::call::{Answer, Call, Exit, Status};
use crate::pairs;
use crate::stream::Stream;

/// The maps of the ABI, by their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MapKind {
    Request,
    RequestTrailers,
    Response,
    ResponseTrailers,
    GrpcInitial,
    GrpcTrailing,
    Call,
    CallTrailers,
}

impl MapKind {
    fn from_abi(number: u32) -> Option<Self> {
        Some(match number {
            0 => Self::Request,
            1 => Self::RequestTrailers,
            2 => Self::Response,
            3 => Self::ResponseTrailers,
            4 => Self::GrpcInitial,
            5 => Self::GrpcTrailing,
            6 => Self::Call,
            7 => Self::CallTrailers,
            _ => return None,
        })
    }
}

/// `proxy_get_header_map_value(map, name, length, value, length)`: the first value only.
pub(crate) fn get(call: &mut Call<'_>) -> Answer {
    let kind = kind(call)?;
    let name = call.text(1)?;
    let logging = call.stream().is_some_and(|stream| stream.logging);
    let absent = if logging { Status::NotFound } else { Status::BadArgument };
    let map = readable(call, kind).ok_or(absent)?;
    let value = map.get(name).ok_or(Status::NotFound)?.to_vec();
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
    let bytes = readable(call, kind).map(|map| pairs::encode(map.iter())).unwrap_or_default();
    call.give(1, &bytes)
}

/// `proxy_set_header_map_pairs(map, pairs, length)`: malformed pairs empty the map, as they do in
/// Envoy.
pub(crate) fn set_pairs(call: &mut Call<'_>) -> Answer {
    let kind = kind(call)?;
    let bytes = call.text(1)?;
    writable(call, kind)?.refill(pairs::decode(&bytes));
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

fn readable<'a>(call: &'a mut Call<'_>, kind: MapKind) -> Option<&'a HeaderMap> {
    match kind {
        MapKind::Request
        | MapKind::RequestTrailers
        | MapKind::Response
        | MapKind::ResponseTrailers => call.stream()?.readable(kind),
        _ => call.own_root()?.calls.map(kind),
    }
}

fn writable<'a>(call: &'a mut Call<'_>, kind: MapKind) -> Result<&'a mut HeaderMap, Exit> {
    let map = call.stream().and_then(|stream| stream.writable(kind));
    Ok(map.ok_or(Status::BadArgument)?)
}

impl Stream {
    /// The map of this kind, where the module may read it now.
    pub(crate) fn readable(&self, kind: MapKind) -> Option<&HeaderMap> {
        let (request, response) = (&self.request, &self.response);
        match kind {
            MapKind::Request if self.logging || request.shows_headers => request.headers.as_ref(),
            MapKind::Response if self.logging || response.shows_headers => {
                response.headers.as_ref()
            }
            MapKind::RequestTrailers if !self.logging && request.shows_trailers => {
                request.trailers.as_ref()
            }
            MapKind::ResponseTrailers if self.logging || response.shows_trailers => {
                response.trailers.as_ref()
            }
            _ => None,
        }
    }

    /// The map of this kind, where the module may change it now. Trailers come into being when the
    /// module asks for them at the last piece of a body.
    pub(crate) fn writable(&mut self, kind: MapKind) -> Option<&mut HeaderMap> {
        let half = match kind {
            MapKind::Request | MapKind::RequestTrailers => &mut self.request,
            MapKind::Response | MapKind::ResponseTrailers => &mut self.response,
            _ => return None,
        };
        match kind {
            MapKind::Request | MapKind::Response => {
                half.headers.as_mut().filter(|_| half.shows_headers)
            }
            _ => {
                if half.trailers.is_none() && half.piece().is_some() && half.last_piece {
                    half.trailers = Some(HeaderMap::new());
                    half.shows_trailers = true;
                }
                half.trailers.as_mut().filter(|_| half.shows_trailers)
            }
        }
    }
}

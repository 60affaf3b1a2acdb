//! Buffers: bodies, configurations, and what callouts brought.

use crate::call::{Answer, Call, Exit, Status};
use crate::stream::Way;

/// `proxy_get_buffer_bytes(buffer, start, most, pointer, length)`
pub(crate) fn bytes(call: &mut Call<'_>) -> Answer {
    let (start, most) = (call.word(1), call.word(2));
    let buffer = buffer(call)?;
    let end = start.saturating_add(most);
    let end = usize::try_from(end).map_or(buffer.len(), |end| end.min(buffer.len()));
    let part =
        usize::try_from(start).ok().and_then(|start| buffer.get(start..end)).unwrap_or_default();
    call.give(3, part)
}

/// `proxy_get_buffer_status(buffer, length, flags)`: there are no flags.
pub(crate) fn status(call: &mut Call<'_>) -> Answer {
    let length = buffer(call)?.len();
    call.give_word(1, u32::try_from(length).unwrap_or(u32::MAX))?;
    call.give_word(2, 0)
}

/// `proxy_set_buffer_bytes(buffer, start, length, bytes, length)`: in place of so much at the front,
/// or behind, and nowhere else; and only of a body that the module is shown.
pub(crate) fn set(call: &mut Call<'_>) -> Answer {
    let way = match call.word(0) {
        0 => Some(Way::Request),
        1 => Some(Way::Response),
        _ => {
            buffer(call)?;
            None
        }
    };
    let (start, length, bytes) = (call.word(1), call.word(2), call.text(3)?);
    let stream = call.stream().ok_or(Status::BadArgument)?;
    let body = way.and_then(|way| stream.half(way).body_mut()).ok_or(Status::BadArgument)?;
    let place = |number| usize::try_from(number).unwrap_or(usize::MAX);
    if start == 0 {
        let end = place(length).min(body.len());
        body.splice(..end, bytes);
    } else if place(start) >= body.len() {
        body.extend(bytes);
    } else {
        return Err(Status::BadArgument.into());
    }
    Ok(())
}

fn buffer(call: &mut Call<'_>) -> Result<Vec<u8>, Exit> {
    match call.word(0) {
        0 => Ok(body(call, Way::Request)),
        1 => Ok(body(call, Way::Response)),
        // Network data, and a call's own data. The last is whatever Envoy looked at before; no
        // module can mean to ask for that.
        2 | 3 | 8 => Ok(Vec::new()),
        4 => {
            let root = call.own_root().ok_or(Status::NotFound)?;
            Ok(root.calls.body().ok_or(Status::NotFound)?.to_vec())
        }
        5 => Ok(call.own_root().map(|root| root.calls.message().to_vec()).unwrap_or_default()),
        6 => Ok(call.inside().first.vm_configuration.clone()),
        7 => plugin_configuration(call),
        _ => Err(Status::BadArgument.into()),
    }
}

fn body(call: &mut Call<'_>, way: Way) -> Vec<u8> {
    let stream = call.stream();
    stream.and_then(|stream| stream.half(way).body().cloned()).unwrap_or_default()
}

fn plugin_configuration(call: &mut Call<'_>) -> Result<Vec<u8>, Exit> {
    let root = call.root().filter(|root| root.configuring).ok_or(Status::NotFound)?;
    Ok(root.plugin.configuration.clone())
}

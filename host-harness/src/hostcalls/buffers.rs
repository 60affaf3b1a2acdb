//! Buffers: the configurations, whole or in part. Bodies and the data of callouts are empty or
//! absent, as they are in Envoy where there are none.

use crate::call::{Answer, Call, Exit, Status};

/// `proxy_get_buffer_bytes(type, start, most, pointer, length)`
pub(crate) fn bytes(call: &mut Call<'_>) -> Answer {
    let buffer = buffer(call)?;
    let (start, most) = (call.word(1), call.word(2));
    let end = start.saturating_add(most);
    let end = usize::try_from(end).map_or(buffer.len(), |end| end.min(buffer.len()));
    let part =
        usize::try_from(start).ok().and_then(|start| buffer.get(start..end)).unwrap_or_default();
    call.give(3, part)
}

fn buffer(call: &mut Call<'_>) -> Result<Vec<u8>, Exit> {
    match call.word(0) {
        // Bodies, network data, what a gRPC callout received, and a call's own data. The last is
        // whatever Envoy looked at before; no module can mean to ask for that.
        0..=3 | 5 | 8 => Ok(Vec::new()),
        6 => Ok(call.host().world.vm_configuration.clone()),
        7 => plugin_configuration(call),
        // The body of a callout's response.
        4 => Err(Status::NotFound.into()),
        _ => Err(Status::BadArgument.into()),
    }
}

fn plugin_configuration(call: &mut Call<'_>) -> Result<Vec<u8>, Exit> {
    let root = call.root().filter(|root| root.configuring).ok_or(Status::NotFound)?;
    Ok(root.plugin.configuration.clone())
}

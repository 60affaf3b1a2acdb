//! The log: what the module says, and which level it is told to mind.

use crate::call::{Answer, Call, Status};
use crate::{Level, Line};

/// `proxy_log(level, message, length)`
pub(crate) fn log(call: &mut Call<'_>) -> Answer {
    let level = Level::from_abi(call.word(0)).ok_or(Status::BadArgument)?;
    let message = call.text(1)?;
    record(call, level, &message);
    Ok(())
}

/// `proxy_get_log_level(level)`
pub(crate) fn log_level(call: &mut Call<'_>) -> Answer {
    let level = call.process().world.log_level;
    call.give_word(0, level.to_abi())
}

/// Keeps a line, whatever its level.
pub(crate) fn record(call: &mut Call<'_>, level: Level, message: &[u8]) {
    let text = String::from_utf8_lossy(message).into_owned();
    let thread = call.inside().thread;
    let of_stream = call.stream_id().is_some();
    let plugin = call.own_root().map(|root| root.plugin.label(of_stream)).unwrap_or_default();
    call.process().log.push(Line { level, text, thread, plugin });
}

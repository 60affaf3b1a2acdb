//! The eighteen WASI functions that Envoy 1.36 has: enough for a standard library to start, log,
//! read clocks and roll dice. There are no files.

use crate::Level;
use crate::call::{Answer, Call, Exit};

/// A pointer leads out of memory.
pub(crate) const EFAULT: u32 = 21;
const EBADF: u32 = 8;
const EINVAL: u32 = 28;
const ENOENT: u32 = 44;
const ENOSYS: u32 = 52;
const ENOTSUP: u32 = 58;

/// What one call for random bytes can ask for at most.
const MOST_RANDOM: u32 = 64 * 1024;

/// What one write can hold at most. Envoy has no such bound; it keeps slices that overlap from
/// filling the machine.
const MOST_WRITTEN: usize = 16 << 20;

/// `fd_write(file, slices, count, written)`: standard output and error are the log.
pub(crate) fn fd_write(call: &mut Call<'_>) -> Answer {
    let level = match call.word(0) {
        1 => Level::Info,
        2 => Level::Error,
        _ => return Err(Exit::Code(EBADF)),
    };
    let text = gather(call)?;
    if !text.is_empty() {
        super::log::record(call, level, text.strip_suffix(b"\n").unwrap_or(&text));
    }
    call.give_word(3, u32::try_from(text.len()).unwrap_or(u32::MAX))
}

/// `fd_fdstat_get(file, status)`: standard output and error can be written, and that is all.
pub(crate) fn fd_fdstat_get(call: &mut Call<'_>) -> Answer {
    if !matches!(call.word(0), 1 | 2) {
        return Err(Exit::Code(EBADF));
    }
    let mut status = [0; 24];
    status[8] = 64;
    // Envoy answers success even where the status could not be written.
    call.write(call.word(1), &status).or(Ok(()))
}

/// `environ_sizes_get(count, bytes)`
pub(crate) fn environ_sizes_get(call: &mut Call<'_>) -> Answer {
    let variables = variables(call);
    let bytes: usize = variables.iter().map(Vec::len).sum();
    call.give_word(0, u32::try_from(variables.len()).unwrap_or(u32::MAX))?;
    call.give_word(1, u32::try_from(bytes).unwrap_or(u32::MAX))
}

/// `environ_get(pointers, bytes)`
pub(crate) fn environ_get(call: &mut Call<'_>) -> Answer {
    let (mut pointer, mut bytes) = (call.word(0), call.word(1));
    for variable in variables(call) {
        call.write(pointer, &bytes.to_le_bytes())?;
        call.write(bytes, &variable)?;
        pointer = pointer.wrapping_add(4);
        bytes = bytes.wrapping_add(u32::try_from(variable.len()).unwrap_or(u32::MAX));
    }
    Ok(())
}

/// `args_sizes_get(count, bytes)`: there are no arguments.
pub(crate) fn args_sizes_get(call: &mut Call<'_>) -> Answer {
    call.give_word(0, 0)?;
    call.give_word(1, 0)
}

/// `clock_time_get(clock, precision, time)`
pub(crate) fn clock_time_get(call: &mut Call<'_>) -> Answer {
    let time = match call.word(0) {
        0 => call.process().world.wall(),
        1 => call.process().world.monotonic(),
        _ => return Err(Exit::Code(ENOTSUP)),
    };
    call.give_long(2, time)
}

/// `random_get(bytes, length)`
pub(crate) fn random_get(call: &mut Call<'_>) -> Answer {
    let length = call.word(1);
    if length > MOST_RANDOM {
        return Err(Exit::Code(EINVAL));
    }
    let bytes = call.process().world.random(usize::try_from(length).unwrap_or_default());
    call.write(call.word(0), &bytes)
}

/// `poll_oneoff(subscriptions, events, count, happened)`: nothing ever happens.
pub(crate) fn poll_oneoff(call: &mut Call<'_>) -> Answer {
    call.give_word(3, 0)
}

/// `path_open`: no file has this name.
pub(crate) fn path_open(_: &mut Call<'_>) -> Answer {
    Err(Exit::Code(ENOENT))
}

/// `fd_prestat_get`: no folder was opened beforehand.
pub(crate) fn fd_prestat_get(_: &mut Call<'_>) -> Answer {
    Err(Exit::Code(EBADF))
}

/// What Envoy links and does not do.
pub(crate) fn no_such_call(_: &mut Call<'_>) -> Answer {
    Err(Exit::Code(ENOSYS))
}

/// What succeeds by doing nothing; `proc_exit` too, so that a module that exits goes on.
pub(crate) fn nothing(_: &mut Call<'_>) -> Answer {
    Ok(())
}

/// The bytes of all slices that a write names, one after the other.
fn gather(call: &mut Call<'_>) -> Result<Vec<u8>, Exit> {
    let mut text = Vec::new();
    for slice in 0..call.word(2) {
        let place = slice.checked_mul(8).and_then(|offset| call.word(1).checked_add(offset));
        let slice = call.read(place.ok_or(Exit::Code(EFAULT))?, 8)?;
        let (pointer, length) = (number(&slice, 0), number(&slice, 4));
        if length != 0 {
            text.extend(call.read(pointer, length)?);
        }
        if text.len() > MOST_WRITTEN {
            return Err(Exit::Code(EINVAL));
        }
    }
    Ok(text)
}

fn number(bytes: &[u8], start: usize) -> u32 {
    let number = bytes.get(start..).and_then(|rest| rest.first_chunk::<4>());
    u32::from_le_bytes(*number.expect("a slice of a write was read as eight bytes"))
}

fn variables(call: &mut Call<'_>) -> Vec<Vec<u8>> {
    let environment = &call.inside().first.environment;
    environment.iter().map(|(name, value)| format!("{name}={value}\0").into_bytes()).collect()
}

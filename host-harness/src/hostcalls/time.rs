//! The wall clock, and a root's timer. The monotonic clock is WASI's.

use crate::call::{Answer, Call};

/// `proxy_get_current_time_nanoseconds(time)`
pub(crate) fn now(call: &mut Call<'_>) -> Answer {
    let wall = call.host().world.wall();
    call.give_long(0, wall)
}

/// `proxy_set_tick_period_milliseconds(period)`: a stream sets its root's.
pub(crate) fn tick_period(call: &mut Call<'_>) -> Answer {
    let period = call.word(0);
    let contexts = &mut call.host().contexts;
    let root = contexts.root_of(contexts.spoken_for());
    if let Some(root) = contexts.root_mut(root) {
        root.tick_period = period;
    }
    Ok(())
}

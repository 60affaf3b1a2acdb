//! The wall clock, and a root's timer. The monotonic clock is WASI's.

use std::time::Duration;

use crate::call::{Answer, Call};
use crate::event::Event;

/// `proxy_get_current_time_nanoseconds(time)`
pub(crate) fn now(call: &mut Call<'_>) -> Answer {
    let wall = call.process().world.wall();
    call.give_long(0, wall)
}

/// `proxy_set_tick_period_milliseconds(period)`: a stream sets its root's. The timer begins anew.
pub(crate) fn tick_period(call: &mut Call<'_>) -> Answer {
    let period = call.word(0);
    let vm = call.inside().at;
    let contexts = call.contexts();
    let id = contexts.root_of(contexts.spoken_for());
    let Some(root) = contexts.root_mut(id) else { return Ok(()) };
    root.tick_period = period;
    root.setting += 1;
    let event = Event::Tick { vm, root: id, setting: root.setting };
    if period > 0 {
        call.process().later(Duration::from_millis(period.into()), event);
    }
    Ok(())
}

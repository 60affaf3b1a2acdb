//! Whom a hostcall speaks for, the end of a root, and the two small functions that C++ compilers
//! want from a host.

use crate::call::{Answer, Call, Exit, Status};
use crate::context::Ending;
use crate::event::Action;

/// `proxy_set_effective_context(id)`
pub(crate) fn set_effective(call: &mut Call<'_>) -> Answer {
    let id = call.word(0);
    let contexts = call.contexts();
    if !contexts.knows(id) {
        return Err(Status::BadArgument.into());
    }
    contexts.effective = id;
    Ok(())
}

/// `proxy_done()`: only for a root that was asked to end and said that it was not ready. A stream
/// speaks for its root.
pub(crate) fn done(call: &mut Call<'_>) -> Answer {
    let vm = call.inside().at;
    let contexts = call.contexts();
    let id = contexts.root_of(contexts.spoken_for());
    let root = contexts.root_mut(id).filter(|root| root.ending == Ending::Waiting);
    root.ok_or(Status::NotFound)?.ending = Ending::Done;
    call.process().actions.push_back(Action::Done { vm, root: id });
    Ok(())
}

/// `pthread_equal(left, right)` answers 1 if they are equal.
pub(crate) fn pthread_equal(call: &mut Call<'_>) -> Answer {
    if call.word(0) == call.word(1) { Err(Exit::Code(1)) } else { Ok(()) }
}

/// `emscripten_notify_memory_growth(memory)`: nothing here remembers where memory was.
pub(crate) fn memory_growth(_: &mut Call<'_>) -> Answer {
    Ok(())
}

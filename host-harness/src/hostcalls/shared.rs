//! What VMs share with each other: data by key, and queues.

use std::time::Duration;

use crate::call::{Answer, Call, Status};
use crate::event::Event;
use crate::queues::Reader;

/// `proxy_get_shared_data(key, length, value, length, number)`
pub(crate) fn get_data(call: &mut Call<'_>) -> Answer {
    let (key, vm_id) = (call.text(0)?, call.vm_id());
    let (value, number) = call.process().shared_data.get(&vm_id, &key).ok_or(Status::NotFound)?;
    let value = value.to_vec();
    call.give(2, &value)?;
    call.give_word(4, number)
}

/// `proxy_set_shared_data(key, length, value, length, number)`
pub(crate) fn set_data(call: &mut Call<'_>) -> Answer {
    let (key, value, number) = (call.text(0)?, call.text(2)?, call.word(4));
    let vm_id = call.vm_id();
    let set = call.process().shared_data.set(&vm_id, &key, value, number);
    Ok(set.map_err(|_| Status::CasMismatch)?)
}

/// `proxy_register_shared_queue(name, length, token)`
pub(crate) fn register_queue(call: &mut Call<'_>) -> Answer {
    let (name, vm_id) = (call.text(0)?, call.vm_id());
    let contexts = call.contexts();
    let root = contexts.root_of(contexts.spoken_for());
    let inside = call.inside();
    let reader = Reader { thread: inside.thread, key: inside.key.clone(), root };
    let token = call.process().queues.register(&vm_id, &name, reader);
    call.give_word(2, token)
}

/// `proxy_resolve_shared_queue(vm_id, length, name, length, token)`: an empty id is one's own.
pub(crate) fn resolve_queue(call: &mut Call<'_>) -> Answer {
    let (vm_id, name) = (call.text(0)?, call.text(2)?);
    let vm_id = match vm_id.as_slice() {
        [] => call.vm_id(),
        id => String::from_utf8_lossy(id).into_owned(),
    };
    let token = call.process().queues.find(&vm_id, &name).ok_or(Status::NotFound)?;
    call.give_word(4, token)
}

/// `proxy_dequeue_shared_queue(token, item, length)`
pub(crate) fn dequeue(call: &mut Call<'_>) -> Answer {
    let token = call.word(0);
    let items = call.process().queues.items(token).ok_or(Status::NotFound)?;
    let item = items.pop_front().ok_or(Status::Empty)?;
    call.give(1, &item)
}

/// `proxy_enqueue_shared_queue(token, item, length)`: whoever reads the queue is told.
pub(crate) fn enqueue(call: &mut Call<'_>) -> Answer {
    let (token, item) = (call.word(0), call.text(1)?);
    let reader = call.process().queues.enqueue(token, item).ok_or(Status::NotFound)?;
    call.process().later(Duration::ZERO, Event::Queued { reader, token });
    Ok(())
}

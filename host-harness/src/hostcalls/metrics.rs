//! Metrics: ids belong to a VM, and what they count belongs to the process.

use std::collections::HashMap;

use crate::call::{Answer, Call, Exit, Status};
use crate::stats::{Key, Kind};

/// The metrics that a VM has defined.
#[derive(Debug, Default)]
pub(crate) struct MetricIds {
    defined: HashMap<u32, Key>,
    /// How many ids of each kind were given out.
    given: [u32; 3],
}

impl MetricIds {
    /// Every definition gives a new id, of the same name too. The lowest two bits of an id are its
    /// kind.
    fn define(&mut self, key: Key) -> u32 {
        let kind = key.kind as u32;
        let given = &mut self.given[key.kind as usize];
        *given += 1;
        let id = *given * 4 + kind;
        self.defined.insert(id, key);
        id
    }

    fn find(&self, id: u32) -> Result<Key, Exit> {
        Ok(self.defined.get(&id).cloned().ok_or(Status::NotFound)?)
    }
}

/// `proxy_define_metric(kind, name, length, id)`
pub(crate) fn define(call: &mut Call<'_>) -> Answer {
    let mut name = call.text(1)?;
    // Envoy's symbol tables have no names that end in a dot.
    name.truncate(name.len() - name.iter().rev().take_while(|byte| **byte == b'.').count());
    let kind = Kind::from_abi(call.word(0)).ok_or(Status::BadArgument)?;
    let key = Key { kind, name };
    call.process().stats.define(&key);
    let id = call.inside().metrics.define(key);
    call.give_word(3, id)
}

/// `proxy_increment_metric(id, offset)`: a counter only grows, and not by nothing.
pub(crate) fn increment(call: &mut Call<'_>) -> Answer {
    let (id, offset) = (call.word(0), call.long(1));
    let kind = numeric(id)?;
    let key = call.inside().metrics.find(id)?;
    if kind == Kind::Counter && offset <= 0 {
        return Err(Status::BadArgument.into());
    }
    call.process().stats.shift(&key, offset);
    Ok(())
}

/// `proxy_record_metric(id, value)`: a counter grows by it, a gauge is set to it.
pub(crate) fn record(call: &mut Call<'_>) -> Answer {
    let value = call.long(1).cast_unsigned();
    let id = call.word(0);
    let inside = call.inside();
    inside.process.stats.record(&inside.metrics.find(id)?, value);
    Ok(())
}

/// `proxy_get_metric(id, value)`: the whole process's value.
pub(crate) fn get(call: &mut Call<'_>) -> Answer {
    let id = call.word(0);
    numeric(id)?;
    let inside = call.inside();
    let value = inside.process.stats.number(&inside.metrics.find(id)?).ok_or(Status::NotFound)?;
    call.give_long(1, value)
}

/// What can be counted up and read is a counter or a gauge, and the id alone tells.
fn numeric(id: u32) -> Result<Kind, Exit> {
    let kind = Kind::from_abi(id & 3).filter(|kind| *kind != Kind::Histogram);
    Ok(kind.ok_or(Status::BadArgument)?)
}

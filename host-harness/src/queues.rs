//! The shared queues of a process. Whoever registered a queue last is told of everything that comes
//! into it, which is why a canary that registers one takes it from the workers.

use std::collections::{BTreeMap, VecDeque};

use crate::plugin::VmKey;

/// All queues, by token.
#[derive(Debug, Default)]
pub(crate) struct Queues {
    tokens: BTreeMap<(String, Vec<u8>), u32>,
    queues: BTreeMap<u32, Queue>,
}

#[derive(Debug)]
struct Queue {
    items: VecDeque<Vec<u8>>,
    reader: Reader,
}

/// Who is told of what comes in: the context of this id, in the VM that the thread then has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reader {
    pub(crate) thread: usize,
    pub(crate) key: VmKey,
    pub(crate) root: u32,
}

impl Queues {
    /// Makes a queue or takes one over, with all that is in it.
    pub(crate) fn register(&mut self, vm_id: &str, name: &[u8], reader: Reader) -> u32 {
        let next = u32::try_from(self.tokens.len()).unwrap_or(u32::MAX) + 1;
        let token = *self.tokens.entry((vm_id.into(), name.to_vec())).or_insert(next);
        let items = self.queues.remove(&token).map(|queue| queue.items).unwrap_or_default();
        self.queues.insert(token, Queue { items, reader });
        token
    }

    pub(crate) fn find(&self, vm_id: &str, name: &[u8]) -> Option<u32> {
        self.tokens.get(&(vm_id.into(), name.to_vec())).copied()
    }

    /// Puts something in, and says who is to be told.
    pub(crate) fn enqueue(&mut self, token: u32, item: Vec<u8>) -> Option<Reader> {
        let queue = self.queues.get_mut(&token)?;
        queue.items.push_back(item);
        Some(queue.reader.clone())
    }

    /// What is in a queue, if there is such a queue.
    pub(crate) fn items(&mut self, token: u32) -> Option<&mut VecDeque<Vec<u8>>> {
        Some(&mut self.queues.get_mut(&token)?.items)
    }
}

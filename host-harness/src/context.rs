//! The contexts of a VM: roots and streams, which share one count of ids, and which of them a
//! hostcall speaks for.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::Plugin;
use crate::callout::Calls;
use crate::host::StreamId;

/// All contexts that live, and the one that is being served.
#[derive(Debug)]
pub(crate) struct Contexts {
    live: BTreeMap<u32, Context>,
    next: u32,
    /// The context that the module was entered for; 0 is the VM's own, which is neither root nor
    /// stream.
    pub(crate) current: u32,
    /// The context that the module asked to speak for instead; 0 is none.
    pub(crate) effective: u32,
}

impl Contexts {
    pub(crate) fn new() -> Self {
        Self { live: BTreeMap::new(), next: 1, current: 0, effective: 0 }
    }

    pub(crate) fn add(&mut self, context: Context) -> u32 {
        let id = self.next;
        self.next += 1;
        self.live.insert(id, context);
        id
    }

    pub(crate) fn remove(&mut self, id: u32) {
        self.live.remove(&id);
    }

    pub(crate) fn knows(&self, id: u32) -> bool {
        id == 0 || self.live.contains_key(&id)
    }

    /// The context that a hostcall speaks for. One that is gone speaks for nobody, so the current
    /// one stands in.
    pub(crate) fn spoken_for(&self) -> u32 {
        match self.effective {
            id if id != 0 && self.live.contains_key(&id) => id,
            _ => self.current,
        }
    }

    pub(crate) fn root(&self, id: u32) -> Option<&Root> {
        match self.live.get(&id)? {
            Context::Root(root) => Some(root),
            Context::Stream { .. } => None,
        }
    }

    pub(crate) fn root_mut(&mut self, id: u32) -> Option<&mut Root> {
        match self.live.get_mut(&id)? {
            Context::Root(root) => Some(root),
            Context::Stream { .. } => None,
        }
    }

    /// The stream of this context, if it is one of a stream.
    pub(crate) fn stream(&self, id: u32) -> Option<StreamId> {
        match self.live.get(&id)? {
            Context::Stream { stream, .. } => Some(*stream),
            Context::Root(_) => None,
        }
    }

    /// The root of this context, which is itself if it is one.
    pub(crate) fn root_of(&self, id: u32) -> u32 {
        match self.live.get(&id) {
            Some(Context::Stream { root, .. }) => *root,
            _ => id,
        }
    }
}

/// One context.
#[derive(Debug)]
pub(crate) enum Context {
    Root(Box<Root>),
    Stream { root: u32, stream: StreamId },
}

/// What lives as long as a plugin's configuration.
#[derive(Debug)]
pub(crate) struct Root {
    pub(crate) plugin: Arc<Plugin>,
    /// Whether the configuration's bytes can be read, which is only so while the root is created or
    /// configured.
    pub(crate) configuring: bool,
    /// In milliseconds; 0 is no timer.
    pub(crate) tick_period: u32,
    /// Counts the settings of the timer.
    pub(crate) setting: u32,
    pub(crate) ending: Ending,
    pub(crate) calls: Calls,
    /// The properties that it has declared, and whether they can be set but once.
    pub(crate) declared: BTreeMap<Vec<u8>, bool>,
}

impl Root {
    pub(crate) fn new(plugin: Arc<Plugin>) -> Self {
        Self {
            plugin,
            configuring: false,
            tick_period: 0,
            setting: 0,
            ending: Ending::NotAsked,
            calls: Calls::default(),
            declared: BTreeMap::new(),
        }
    }
}

/// How far a root is on its way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    NotAsked,
    /// It was asked, and still has something to do.
    Waiting,
    /// It waited, and has said `proxy_done`.
    Done,
}

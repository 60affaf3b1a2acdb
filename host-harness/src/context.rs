//! The contexts of a VM: roots and streams, which share one count of ids, and which of them a
//! hostcall speaks for.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::vm::Plugin;
use crate::{HeaderMap, World};

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

    /// Takes a stream out, as it is.
    pub(crate) fn take_stream(&mut self, id: u32) -> Option<Stream> {
        match self.live.remove(&id)? {
            Context::Stream(stream) => Some(stream),
            Context::Root(_) => None,
        }
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
            Context::Stream(_) => None,
        }
    }

    pub(crate) fn root_mut(&mut self, id: u32) -> Option<&mut Root> {
        match self.live.get_mut(&id)? {
            Context::Root(root) => Some(root),
            Context::Stream(_) => None,
        }
    }

    pub(crate) fn stream(&self, id: u32) -> Option<&Stream> {
        match self.live.get(&id)? {
            Context::Stream(stream) => Some(stream),
            Context::Root(_) => None,
        }
    }

    pub(crate) fn stream_mut(&mut self, id: u32) -> Option<&mut Stream> {
        match self.live.get_mut(&id)? {
            Context::Stream(stream) => Some(stream),
            Context::Root(_) => None,
        }
    }

    /// The root of this context, which is itself if it is one.
    pub(crate) fn root_of(&self, id: u32) -> u32 {
        self.stream(id).map_or(id, |stream| stream.root)
    }

    /// A root that has just said that it is done.
    pub(crate) fn done(&self) -> Option<u32> {
        self.live
            .keys()
            .copied()
            .find(|id| self.root(*id).is_some_and(|root| root.ending == Ending::Done))
    }

    /// The roots whose timer runs.
    pub(crate) fn ticking(&self) -> Vec<u32> {
        let ticks = |id: &u32| self.root(*id).is_some_and(|root| root.tick_period > 0);
        self.live.keys().copied().filter(ticks).collect()
    }
}

/// One context.
#[derive(Debug)]
pub(crate) enum Context {
    Root(Root),
    Stream(Stream),
}

/// What lives as long as a plugin's configuration.
#[derive(Debug)]
pub(crate) struct Root {
    pub(crate) plugin: Plugin,
    /// Whether the configuration's bytes can be read, which is only so while the root is created or
    /// configured.
    pub(crate) configuring: bool,
    /// In milliseconds; 0 is no timer.
    pub(crate) tick_period: u32,
    pub(crate) ending: Ending,
}

impl Root {
    pub(crate) fn new(plugin: Plugin) -> Self {
        Self { plugin, configuring: false, tick_period: 0, ending: Ending::NotAsked }
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

/// One request and its response.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) root: u32,
    /// Whether the module knows of it.
    pub(crate) created: bool,
    pub(crate) phase: Phase,
    /// The map at which the module paused. Envoy leaves it to the module until the stream is gone.
    pub(crate) held_up: Option<MapKind>,
    pub(crate) request: HeaderMap,
    pub(crate) response: Option<HeaderMap>,
    /// What `proxy_set_property` set, under the names that filter state has.
    pub(crate) state: BTreeMap<Vec<u8>, Vec<u8>>,
    pub(crate) protocol: String,
    /// What Envoy has noted as the response's status.
    pub(crate) code: Option<u16>,
    started_wall: u64,
    started_monotonic: u64,
    /// Known once all is over.
    pub(crate) duration: Option<Duration>,
}

impl Stream {
    pub(crate) fn new(root: u32, request: HeaderMap, protocol: String, world: &World) -> Self {
        Self {
            root,
            created: false,
            phase: Phase::Between,
            held_up: None,
            request,
            response: None,
            state: BTreeMap::new(),
            protocol,
            code: None,
            started_wall: world.wall(),
            started_monotonic: world.monotonic(),
            duration: None,
        }
    }

    /// When it began, by the wall clock.
    pub(crate) fn started(&self) -> u64 {
        self.started_wall
    }

    /// All is over, at this time by the monotonic clock.
    pub(crate) fn complete(&mut self, monotonic: u64) {
        self.duration = Some(Duration::from_nanos(monotonic - self.started_monotonic));
    }

    /// The map of this kind, where the module may read it now.
    pub(crate) fn readable(&self, kind: MapKind) -> Option<&HeaderMap> {
        match kind {
            _ if self.phase != Phase::Log && !self.holds(kind) => None,
            MapKind::Request => Some(&self.request),
            MapKind::Response => self.response.as_ref(),
            MapKind::Absent => None,
        }
    }

    /// The map of this kind, where the module may change it now.
    pub(crate) fn writable(&mut self, kind: MapKind) -> Option<&mut HeaderMap> {
        match kind {
            _ if !self.holds(kind) => None,
            MapKind::Request => Some(&mut self.request),
            MapKind::Response => self.response.as_mut(),
            MapKind::Absent => None,
        }
    }

    fn holds(&self, kind: MapKind) -> bool {
        let entered = match self.phase {
            Phase::Request => Some(MapKind::Request),
            Phase::Response => Some(MapKind::Response),
            Phase::Between | Phase::Log => None,
        };
        entered == Some(kind) || self.held_up == Some(kind)
    }
}

/// What the module was entered for, as far as it decides which maps are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Creation, end and deletion: no maps.
    Between,
    Request,
    Response,
    Log,
}

/// The kinds of header maps that a stream can have here. The ABI has six more: trailers, and
/// callouts' answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MapKind {
    Request,
    Response,
    /// One of the six.
    Absent,
}

impl MapKind {
    pub(crate) fn from_abi(number: u32) -> Option<Self> {
        match number {
            0 => Some(Self::Request),
            2 => Some(Self::Response),
            1 | 3..=7 => Some(Self::Absent),
            _ => None,
        }
    }
}

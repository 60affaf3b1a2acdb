//! What the VMs of a process have in common, and what hostcalls read and write beyond their own VM.
//!
//! A module runs on one VM at a time, and while it runs the process is lent to that VM: so nothing
//! here needs a lock, and nothing can be half changed when the module comes back.

use std::collections::{BTreeMap, VecDeque};

use crate::agenda::Agenda;
use crate::event::{Action, Event};
use crate::faults::Faults;
use crate::host::StreamId;
use crate::queues::Queues;
use crate::shared_data::SharedData;
use crate::stream::Stream;
use crate::{Budget, Callout, Failure, Line, Stats, Trap, World};

/// The state of a process.
#[derive(Debug, Default)]
pub(crate) struct Process {
    pub(crate) world: World,
    pub(crate) agenda: Agenda<Event>,
    pub(crate) streams: BTreeMap<StreamId, Stream>,
    pub(crate) stats: Stats,
    pub(crate) shared_data: SharedData,
    pub(crate) queues: Queues,
    pub(crate) callouts: Vec<Callout>,
    pub(crate) faults: Faults,
    pub(crate) log: Vec<Line>,
    pub(crate) traps: Vec<Trap>,
    /// What went wrong without a policy that says what to make of it. The test is told.
    pub(crate) surprise: Option<Failure>,
    /// All that modules have cost.
    pub(crate) budget: Budget,
    /// What the entry under way has cost so far.
    pub(crate) meter: Budget,
    /// What modules asked for that must wait until they are left.
    pub(crate) actions: VecDeque<Action>,
    /// A module answered a request by itself, so its callback's answer does not count.
    pub(crate) stopped: bool,
}

impl Process {
    /// Something will happen so long from now.
    pub(crate) fn later(&mut self, time: std::time::Duration, event: Event) {
        let at = self.world.ahead(time);
        self.agenda.put(at, event);
    }
}

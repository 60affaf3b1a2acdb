//! The host: a process with its threads, the plugins that run in it, and the requests that go
//! through them.

mod entering;
mod loading;
pub(crate) mod time;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::event::Event;
use crate::faults::Fault;
use crate::plugin::VmKey;
use crate::process::Process;
use crate::stream::Stream;
use crate::vm::{Vm, VmRef};
use crate::{Budget, Callout, Failure, Line, Outcome, Plugin, Request, Stats, Trap, World};

/// A proxy in which plugins run: everything that Envoy is to a module, in the test's hand.
#[derive(Debug)]
pub struct Host {
    pub(crate) process: Box<Process>,
    pub(crate) vms: Vec<Option<Vm>>,
    /// Each thread's VM for a key, unless it has failed.
    local: BTreeMap<(usize, VmKey), VmRef>,
    /// Every plugin that was ever loaded.
    pub(crate) versions: Vec<Arc<Plugin>>,
    /// The version that serves new requests, by the plugin's place; none once it was removed.
    serving: Vec<Option<usize>>,
    handles: BTreeMap<(usize, usize), loading::Handle>,
    next_stream: u64,
}

/// A plugin of a host. It stays the same when its configuration is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PluginId(usize);

/// A request that was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StreamId(pub(crate) u64);

/// How long a request may go on by the host's clock before it is taken for stuck.
const PATIENCE: Duration = Duration::from_hours(24);

impl Host {
    /// Starts a process with one plugin: a canary that is thrown away, then the main thread and
    /// every worker.
    pub fn new(world: World, plugin: Plugin) -> Result<Self, Failure> {
        let mut host = Self::empty(world);
        host.load(plugin)?;
        Ok(host)
    }

    /// Starts a process without a plugin. So its log can be looked at when one does not load.
    pub fn empty(world: World) -> Self {
        Self {
            process: Box::new(Process { world, ..Process::default() }),
            vms: Vec::new(),
            local: BTreeMap::new(),
            versions: Vec::new(),
            serving: Vec::new(),
            handles: BTreeMap::new(),
            next_stream: 0,
        }
    }

    /// Loads one more plugin beside the others. Plugins with the same module and the same settings
    /// of the VM share a VM on each thread.
    pub fn load(&mut self, plugin: Plugin) -> Result<PluginId, Failure> {
        let version = self.introduce(plugin)?;
        self.serving.push(Some(version));
        Ok(PluginId(self.serving.len() - 1))
    }

    /// Gives a plugin another configuration, as Envoy does when it is sent one. Requests that are
    /// under way stay with the old one, for as long as the world's `drain` says.
    pub fn replace(&mut self, plugin: PluginId, with: Plugin) -> Result<(), Failure> {
        let version = self.introduce(with)?;
        let old = self.serving[plugin.0].replace(version);
        match (old, self.process.world.drain) {
            (Some(old), Duration::ZERO) => self.retire(old),
            (Some(old), time) => self.process.later(time, Event::Drained(old)),
            (None, _) => {}
        }
        self.told()
    }

    /// Takes a plugin away. Requests that are under way keep it until they end.
    pub fn remove(&mut self, plugin: PluginId) -> Result<(), Failure> {
        if let Some(old) = self.serving[plugin.0].take() {
            self.retire(old);
        }
        self.told()
    }

    /// The process ends in good order, as on SIGTERM: every root is asked to end.
    pub fn stop(&mut self) -> Result<(), Failure> {
        for version in self.now_serving() {
            self.retire(version);
        }
        self.told()
    }

    /// The plugin that the host was made with.
    pub fn plugin(&self) -> PluginId {
        PluginId(0)
    }

    /// Runs a request from its beginning to its end and tells what came of it. The clock goes on by
    /// what it takes, and what else is due meanwhile happens too.
    pub fn request(&mut self, request: Request) -> Result<Outcome, Failure> {
        let stream = self.begin(request)?;
        self.finish(stream)
    }

    /// Begins a request, and does all that happens at this moment.
    pub fn begin(&mut self, request: Request) -> Result<StreamId, Failure> {
        let id = StreamId(self.next_stream);
        self.next_stream += 1;
        self.open(id, request);
        self.run_until(self.process.world.monotonic());
        self.told()?;
        Ok(id)
    }

    /// Runs a request that was begun to its end, and tells what came of it.
    pub fn finish(&mut self, stream: StreamId) -> Result<Outcome, Failure> {
        let end = self.process.world.ahead(PATIENCE);
        while self.process.streams.get(&stream).is_some_and(|stream| !stream.over) {
            if self.due().is_none_or(|due| due > end) {
                return Err(Failure::Stuck);
            }
            self.happen();
        }
        self.told()?;
        self.take(stream).ok_or(Failure::NoStream)
    }

    /// What came of a request that was begun, if it is over. It is told once.
    pub fn outcome(&mut self, stream: StreamId) -> Option<Outcome> {
        self.process.streams.get(&stream).filter(|stream| stream.over)?;
        self.take(stream)
    }

    /// The clocks go on, and all that is due meanwhile happens: timers tick, answers come, time-outs
    /// pass.
    pub fn advance(&mut self, time: Duration) -> Result<(), Failure> {
        let end = self.process.world.ahead(time);
        self.run_until(end);
        self.process.world.go_on_to(end);
        self.told()
    }

    /// From now on, this goes wrong.
    pub fn fault(&mut self, fault: Fault) {
        self.process.faults.add(fault);
    }

    /// A worker is gone as if killed: its VMs are not asked to end, its requests are cut, and new
    /// requests on it get a new VM.
    pub fn lose_worker(&mut self, worker: usize) -> Result<(), Failure> {
        self.lose(worker);
        self.told()
    }

    /// The surroundings, to look at.
    pub fn world(&self) -> &World {
        &self.process.world
    }

    /// The surroundings, to change.
    pub fn world_mut(&mut self) -> &mut World {
        &mut self.process.world
    }

    /// The process's stats.
    pub fn stats(&self) -> &Stats {
        &self.process.stats
    }

    /// All that modules have logged, on all threads.
    pub fn log(&self) -> &[Line] {
        &self.process.log
    }

    /// All calls that modules have made to clusters.
    pub fn callouts(&self) -> &[Callout] {
        &self.process.callouts
    }

    /// All that modules have cost.
    pub fn budget(&self) -> &Budget {
        &self.process.budget
    }

    /// All traps so far. Where a plugin has no policy, they are also errors.
    pub fn traps(&self) -> &[Trap] {
        &self.process.traps
    }

    /// What VMs of this id share under a key, with the number that guards it against changes in
    /// between.
    pub fn shared_data(&self, vm_id: &str, key: impl AsRef<[u8]>) -> Option<(&[u8], u32)> {
        self.process.shared_data.get(vm_id, key.as_ref())
    }

    /// The memory of all VMs that live.
    pub fn memory_bytes(&self) -> usize {
        self.vms.iter().flatten().map(Vm::memory_bytes).sum()
    }

    /// How many VMs live, the main thread's among them.
    pub fn vm_count(&self) -> usize {
        self.vms.iter().flatten().count()
    }

    /// What went wrong without anybody having said what to make of it.
    fn told(&mut self) -> Result<(), Failure> {
        self.process.surprise.take().map_or(Ok(()), Err)
    }

    fn take(&mut self, stream: StreamId) -> Option<Outcome> {
        self.process.streams.remove(&stream).map(Stream::outcome)
    }

    pub(crate) fn stream(&mut self, id: StreamId) -> &mut Stream {
        self.process.streams.get_mut(&id).expect("a stream is known until its outcome is taken")
    }
}

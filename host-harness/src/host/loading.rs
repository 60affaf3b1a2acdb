//! How plugins come into the process and leave it: the canary, a VM and a root on every thread, the
//! replacement of a configuration, and what happens after a trap.

use std::sync::Arc;

use super::{Host, StreamId};
use crate::context::{Context, Root};
use crate::error::Failure;
use crate::plugin::Policy;
use crate::stream::{Filter, Stream};
use crate::vm::{Entered, Vm, VmRef};
use crate::{Plugin, Request};

/// A plugin on a thread: its VM and its root there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Handle {
    vm: VmRef,
    root: u32,
    /// Streams that live.
    users: usize,
    /// When it was last made, by the monotonic clock; a VM is not made anew all the time.
    made: u64,
    /// It goes with its last stream.
    retired: bool,
}

/// How long Envoy waits before it makes a VM anew, in nanoseconds: this and up to half as much again.
const RELOAD_WAIT: u64 = 1_000_000_000;

impl Host {
    /// Tries a plugin on a VM that is then thrown away, and gives every thread a root for it.
    pub(super) fn introduce(&mut self, plugin: Plugin) -> Result<usize, Failure> {
        let plugin = Arc::new(plugin);
        let shares_vm = |other: &&Arc<Plugin>| other.vm_key() == plugin.vm_key();
        if !self.versions.iter().any(|other| shares_vm(&other)) {
            self.try_vm(&plugin)?;
        }
        // What was tried once is not tried again.
        let tried = |other: &Arc<Plugin>| other.key() == plugin.key();
        if !self.versions.iter().filter(shares_vm).any(tried) {
            self.canary(&plugin)?;
        }
        let version = self.versions.len();
        self.versions.push(plugin);
        for thread in 0..=self.process.world.workers {
            match self.handle(thread, version) {
                Ok(handle) => drop(self.handles.insert((thread, version), handle)),
                // Envoy goes on without the plugin on a thread that refuses it.
                Err(_) if self.versions[version].policy.is_some() => {}
                Err(failure) => return Err(failure),
            }
        }
        Ok(version)
    }

    /// The plugin is configured for nothing but to see whether it can be; it is not told of its end.
    fn canary(&mut self, plugin: &Arc<Plugin>) -> Result<(), Failure> {
        let vm = self.make_vm(plugin, 0)?;
        let configured = self.make_root(vm, plugin);
        self.vms[vm.0] = None;
        configured.map(|_| ())
    }

    /// Envoy keeps an instance that does nothing but be there for others to be made from.
    fn try_vm(&mut self, plugin: &Arc<Plugin>) -> Result<(), Failure> {
        let vm = self.make_vm(plugin, 0)?;
        self.vms[vm.0] = None;
        Ok(())
    }

    fn handle(&mut self, thread: usize, version: usize) -> Result<Handle, Failure> {
        let plugin = Arc::clone(&self.versions[version]);
        if let Some(handle) = self.same_on_thread(thread, &plugin) {
            return Ok(handle);
        }
        let key = (thread, plugin.vm_key());
        let vm = match self.local.get(&key) {
            Some(vm) => *vm,
            None => {
                let vm = self.make_vm(&plugin, thread)?;
                self.local.insert(key, vm);
                vm
            }
        };
        let root = self.make_root(vm, &plugin)?;
        Ok(Handle { vm, root, users: 0, made: self.process.world.monotonic(), retired: false })
    }

    /// Two plugins that are the same in everything that Envoy looks at share their root.
    fn same_on_thread(&self, thread: usize, plugin: &Plugin) -> Option<Handle> {
        let (vm_key, key) = (plugin.vm_key(), plugin.key());
        let same = |other: &Plugin| other.vm_key() == vm_key && other.key() == key;
        let mut handles = self.handles.iter();
        let (_, handle) = handles.find(|((of, version), handle)| {
            *of == thread && !handle.retired && same(&self.versions[*version])
        })?;
        let failed = self.vms[handle.vm.0].as_ref().is_none_or(|vm| vm.failed);
        (!failed).then_some(Handle { users: 0, retired: false, ..*handle })
    }

    fn make_vm(&mut self, plugin: &Arc<Plugin>, thread: usize) -> Result<VmRef, Failure> {
        let at = VmRef(self.vms.len());
        let vm = Vm::new(plugin, at, thread, &mut self.process).map_err(Failure::Trapped)?;
        let meter = std::mem::take(&mut self.process.meter);
        self.process.budget.add(&meter);
        self.vms.push(Some(vm));
        Ok(at)
    }

    /// Creates, starts and configures a root.
    fn make_root(&mut self, vm: VmRef, plugin: &Arc<Plugin>) -> Result<u32, Failure> {
        let heard = self.process.log.len();
        let root = Context::Root(Box::new(Root::new(Arc::clone(plugin))));
        let root = self.add_context(vm, root).ok_or(Failure::NoVm)?;
        self.configuring(vm, root, true);
        self.enter_root(vm, root, "proxy_on_context_create", &[0]);
        self.configuring(vm, root, false);
        self.consent(vm, root, "proxy_on_vm_start", plugin.vm_configuration.len(), heard)?;
        self.configuring(vm, root, true);
        self.consent(vm, root, "proxy_on_configure", plugin.configuration.len(), heard)?;
        self.configuring(vm, root, false);
        Ok(root)
    }

    fn consent(
        &mut self,
        vm: VmRef,
        root: u32,
        entry: &'static str,
        length: usize,
        heard: usize,
    ) -> Result<(), Failure> {
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        match self.enter_root(vm, root, entry, &[length]) {
            Entered::Answered(0) => {
                Err(Failure::Refused { entry, log: self.process.log[heard..].to_vec() })
            }
            Entered::Trapped => Err(self.trap_while_loading()),
            Entered::Missing if self.vm(vm).is_none_or(|vm| vm.failed) => {
                Err(self.trap_while_loading())
            }
            Entered::Answered(_) | Entered::Missing => Ok(()),
        }
    }

    fn trap_while_loading(&mut self) -> Failure {
        self.process.surprise = None;
        self.process.traps.last().cloned().map_or(Failure::NoVm, Failure::Trapped)
    }

    fn configuring(&mut self, vm: VmRef, root: u32, configuring: bool) {
        if let Some(root) = self.root(vm, root) {
            root.configuring = configuring;
        }
    }

    /// A version serves no new requests; where none is under way it ends at once.
    pub(super) fn retire(&mut self, version: usize) {
        for thread in 0..=self.process.world.workers {
            if let Some(handle) = self.handles.get_mut(&(thread, version)) {
                handle.retired = true;
            }
            self.release(thread, version);
        }
    }

    /// The requests of a version have had their time.
    pub(super) fn drained(&mut self, version: usize) {
        let of_version = |stream: &Stream| {
            let filter = stream.filter.as_ref();
            !stream.over && filter.is_some_and(|filter| filter.version == version)
        };
        let streams = self.process.streams.iter();
        let late: Vec<_> =
            streams.filter(|(_, stream)| of_version(stream)).map(|(id, _)| *id).collect();
        for id in late {
            self.cut(id);
        }
        self.retire(version);
    }

    /// Ends a handle that is not used any more.
    fn release(&mut self, thread: usize, version: usize) {
        let Some(handle) = self.handles.get(&(thread, version)).copied() else { return };
        if !handle.retired || handle.users > 0 {
            return;
        }
        self.handles.remove(&(thread, version));
        let shared = |other: &Handle| (other.vm, other.root) == (handle.vm, handle.root);
        if !self.handles.values().any(shared) {
            self.end_root(handle.vm, handle.root);
        }
    }

    /// A VM lives as long as a handle holds it. What it still wanted to do is not done any more.
    pub(super) fn drop_idle_vm(&mut self, vm: VmRef) {
        if self.handles.values().any(|handle| handle.vm == vm) {
            return;
        }
        self.local.retain(|_, other| *other != vm);
        let Some(gone) = self.vms[vm.0].take() else { return };
        let id = &gone.inside().first.vm_id;
        if !self.vms.iter().flatten().any(|other| other.inside().first.vm_id == *id) {
            self.process.shared_data.forget(id);
        }
    }

    /// Makes our filter for a new stream; none where the plugin was removed, or has failed and its
    /// policy is to fail open.
    pub(crate) fn open(&mut self, id: StreamId, request: Request) {
        let place = request.plugin.unwrap_or(self.plugin());
        let thread = request.worker + 1;
        let filter = self.serving[place.0].and_then(|version| self.filter(id, thread, version));
        let leaves = request.leaves;
        let stream = Stream::new(request, filter, &self.process.world);
        self.process.streams.insert(id, stream);
        self.arrive(id, leaves);
    }

    /// Our filter for a new stream on a thread, if there is one to be had.
    pub(crate) fn filter(&mut self, id: StreamId, thread: usize, version: usize) -> Option<Filter> {
        // Where a thread refused the plugin, there is none.
        self.handles.get(&(thread, version))?;
        let (vm, root) = self.usable(thread, version);
        let policy = self.versions[version].policy;
        if vm.is_none() && policy == Some(Policy::FailOpen) {
            return None;
        }
        let context = vm
            .and_then(|vm| self.add_context(vm, Context::Stream { root, stream: id }))
            .unwrap_or(0);
        if let Some(handle) = self.handles.get_mut(&(thread, version)) {
            handle.users += 1;
        }
        let (created, destroyed, failed) = (false, false, false);
        Some(Filter { version, vm, root, context, created, destroyed, failed })
    }

    /// The VM and root for a new stream, made anew after a trap where the policy says so.
    fn usable(&mut self, thread: usize, version: usize) -> (Option<VmRef>, u32) {
        let Some(handle) = self.handles.get(&(thread, version)).copied() else { return (None, 0) };
        if self.vm(handle.vm).is_some_and(|vm| !vm.failed) {
            return (Some(handle.vm), handle.root);
        }
        let now = self.process.world.monotonic();
        let reloads = self.versions[version].policy == Some(Policy::FailReload);
        let wait = RELOAD_WAIT + self.process.world.random_below(RELOAD_WAIT / 2);
        if !reloads || now.saturating_sub(handle.made) < wait {
            return (None, 0);
        }
        let remade = self.handle(thread, version);
        let users = handle.users;
        let handle = remade.map(|new| Handle { users, ..new });
        let usable = handle.as_ref().map_or((None, 0), |handle| (Some(handle.vm), handle.root));
        if let Some(old) = self.handles.get_mut(&(thread, version)) {
            *old = handle.unwrap_or(Handle { made: now, ..*old });
        }
        usable
    }

    /// A stream is over: its context goes, and its plugin's handle if nobody else holds it.
    pub(crate) fn close_filter(&mut self, id: StreamId) {
        let stream = self.stream(id);
        let thread = stream.worker + 1;
        let Some(filter) = &stream.filter else { return };
        let (version, vm, context) = (filter.version, filter.vm, filter.context);
        if let Some(vm) = vm.and_then(|vm| self.vm(vm)) {
            vm.inside_mut().contexts.remove(context);
        }
        if let Some(handle) = self.handles.get_mut(&(thread, version)) {
            handle.users = handle.users.saturating_sub(1);
        }
        self.release(thread, version);
    }

    pub(super) fn now_serving(&self) -> Vec<usize> {
        self.serving.iter().flatten().copied().collect()
    }

    /// The worker's VMs go as they are, and its streams with them.
    pub(super) fn lose(&mut self, worker: usize) {
        let thread = worker + 1;
        let streams = self.process.streams.iter();
        let lost = streams.filter(|(_, stream)| stream.worker == worker && !stream.over);
        let lost: Vec<_> = lost.map(|(id, _)| *id).collect();
        for vm in &mut self.vms {
            if vm.as_ref().is_some_and(|vm| vm.inside().thread == thread) {
                *vm = None;
            }
        }
        self.local.retain(|(of, _), _| *of != thread);
        for id in lost {
            let stream = self.stream(id);
            stream.filter = None;
            stream.over = true;
        }
        self.handles.retain(|(of, _), _| *of != thread);
        for version in self.now_serving() {
            if let Ok(handle) = self.handle(thread, version) {
                self.handles.insert((thread, version), handle);
            }
        }
    }
}

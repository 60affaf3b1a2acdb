//! Entering modules: what it costs, what must wait until they are left, and what becomes of a trap.

use std::time::Duration;

use super::{Host, StreamId};
use crate::context::{Context, Ending};
use crate::error::Failure;
use crate::event::{Action, Event};
use crate::plugin::Policy;
use crate::queues::Reader;
use crate::vm::{Entered, Vm, VmRef};

impl Host {
    /// Enters a VM for a root, and does what the module then wants done.
    pub(crate) fn enter_root(
        &mut self,
        vm: VmRef,
        root: u32,
        export: &'static str,
        args: &[u32],
    ) -> Entered {
        let with_id: Vec<u32> = [root].iter().chain(args).copied().collect();
        let entered = self.enter(vm, root, None, export, &with_id);
        self.act();
        entered
    }

    /// Enters a stream's VM. What the module wants done is left to the caller, who may have to do
    /// something first.
    pub(crate) fn enter_stream(
        &mut self,
        id: StreamId,
        export: &'static str,
        args: &[u32],
    ) -> Entered {
        let Some(filter) = &self.stream(id).filter else { return Entered::Missing };
        let (Some(vm), context) = (filter.vm, filter.context) else { return Entered::Missing };
        let mut with_id = [context; 5];
        with_id[1..=args.len()].copy_from_slice(args);
        self.enter(vm, context, Some(id), export, &with_id[..=args.len()])
    }

    fn enter(
        &mut self,
        vm: VmRef,
        context: u32,
        stream: Option<StreamId>,
        export: &'static str,
        args: &[u32],
    ) -> Entered {
        let heard = self.process.log.len();
        let Some(inner) = self.vms[vm.0].as_mut() else { return Entered::Missing };
        let entered = inner.enter(&mut self.process, export, context, args);
        let meter = std::mem::take(&mut self.process.meter);
        self.process.budget.add(&meter);
        if let Some(stream) = stream.and_then(|id| self.process.streams.get_mut(&id)) {
            stream.budget.add(&meter);
            stream.log.extend_from_slice(&self.process.log[heard..]);
        }
        if entered == Entered::Trapped {
            self.trapped(vm, context);
        }
        entered
    }

    /// Does what had to wait until the module was left.
    pub(crate) fn act(&mut self) {
        self.process.stopped = false;
        while let Some(action) = self.process.actions.pop_front() {
            match action {
                Action::Continue(stream, way) => self.go_on(stream, way),
                Action::Close(stream) => self.close(stream),
                Action::Reply(stream, reply) => self.reply_for_module(stream, reply),
                Action::Done { vm, root } => self.delete_root(vm, root),
                Action::Called { vm, root, token, arrival } => {
                    self.called(vm, root, token, arrival);
                }
            }
        }
    }

    /// Whether the module's answer does not count because it answered the request by itself.
    pub(crate) fn stopped(&mut self) -> bool {
        std::mem::take(&mut self.process.stopped)
    }

    pub(crate) fn lives(&self, stream: StreamId) -> bool {
        self.process.streams.get(&stream).is_some_and(|stream| !stream.over)
    }

    /// A root's timer is due. It is set again once the callback is over, and ticks on while the root
    /// is on its way out.
    pub(super) fn tick(&mut self, vm: VmRef, root: u32, setting: u32) {
        let current = |host: &mut Self| {
            let root = host.vm(vm)?.inside_mut().contexts.root_mut(root)?;
            (root.setting == setting && root.tick_period > 0).then_some(root.tick_period)
        };
        if current(self).is_none() || self.vm(vm).is_some_and(|vm| vm.failed) {
            return;
        }
        if !self.process.faults.misses_tick() {
            self.enter_root(vm, root, "proxy_on_tick", &[]);
        }
        if let Some(period) = current(self) {
            let period = Duration::from_millis(period.into());
            self.process.later(period, Event::Tick { vm, root, setting });
        }
    }

    /// Whoever reads a queue is told, if it is still there.
    pub(super) fn queued(&mut self, reader: &Reader, token: u32) {
        let vm = self.local.get(&(reader.thread, reader.key.clone())).copied();
        if let Some(vm) = vm.filter(|vm| self.root(*vm, reader.root).is_some()) {
            self.enter_root(vm, reader.root, "proxy_on_queue_ready", &[token]);
        }
    }

    /// A root is asked to end. If it says that it is not ready it goes on ticking, and ends when it
    /// says `proxy_done`.
    pub(super) fn end_root(&mut self, vm: VmRef, root: u32) {
        if self.enter_root(vm, root, "proxy_on_done", &[]) == Entered::Answered(0) {
            if let Some(root) = self.root(vm, root) {
                root.ending = Ending::Waiting;
            }
        } else {
            self.delete_root(vm, root);
        }
    }

    fn delete_root(&mut self, vm: VmRef, root: u32) {
        if let Some(root) = self.root(vm, root) {
            root.ending = Ending::NotAsked;
        }
        self.enter_root(vm, root, "proxy_on_delete", &[]);
        if let Some(vm) = self.vm(vm) {
            vm.inside_mut().contexts.remove(root);
        }
        self.drop_idle_vm(vm);
    }

    pub(crate) fn vm(&mut self, vm: VmRef) -> Option<&mut Vm> {
        self.vms.get_mut(vm.0)?.as_mut()
    }

    pub(crate) fn root(&mut self, vm: VmRef, root: u32) -> Option<&mut crate::context::Root> {
        self.vm(vm)?.inside_mut().contexts.root_mut(root)
    }

    pub(super) fn add_context(&mut self, vm: VmRef, context: Context) -> Option<u32> {
        Some(self.vm(vm)?.inside_mut().contexts.add(context))
    }

    /// The VM is never entered again. Without a policy the test is told.
    fn trapped(&mut self, vm: VmRef, context: u32) {
        self.local.retain(|_, other| *other != vm);
        if self.policy(vm, context).is_none() {
            let trap = self.process.traps.last().cloned();
            self.process.surprise = self.process.surprise.take().or(trap.map(Failure::Trapped));
        }
    }

    fn policy(&mut self, vm: VmRef, context: u32) -> Option<Policy> {
        let contexts = &self.vm(vm)?.inside().contexts;
        contexts.root(contexts.root_of(context))?.plugin.policy
    }
}

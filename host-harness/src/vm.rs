//! A VM: one instance of a module on one thread, and the one way into it.

use std::collections::HashMap;
use std::sync::Arc;

use wasmtime::{Func, Instance, Memory, ResourceLimiter, Store, Val};

use crate::callout::Tokens;
use crate::context::Contexts;
use crate::fuel::FUEL;
use crate::hostcalls::metrics::MetricIds;
use crate::plugin::VmKey;
use crate::process::Process;
use crate::surface::{self, When};
use crate::{Module, Plugin, Trap};

/// Envoy gives a VM no more linear memory than this.
const MOST_MEMORY: usize = 1 << 30;

/// Where a VM stands in its host's list. Places are not used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct VmRef(pub(crate) usize);

/// One instance of a module.
pub(crate) struct Vm {
    store: Store<Inside>,
    /// With the number of their results.
    exports: HashMap<&'static str, (Func, usize)>,
    /// The module trapped, so it is never entered again.
    pub(crate) failed: bool,
}

/// What hostcalls know of the VM that they come from.
pub(crate) struct Inside {
    /// Lent for as long as the module runs.
    pub(crate) process: Box<Process>,
    pub(crate) at: VmRef,
    /// 0 is the main thread.
    pub(crate) thread: usize,
    pub(crate) key: VmKey,
    /// The plugin for which the VM was made, whose settings of the VM all others share.
    pub(crate) first: Arc<Plugin>,
    pub(crate) contexts: Contexts,
    pub(crate) metrics: MetricIds,
    pub(crate) tokens: Tokens,
    pub(crate) guest: Option<Guest>,
    /// What the module is about, which decides what it may call.
    pub(crate) during: When,
}

/// The parts of the module that hostcalls need. They are known once it is instantiated.
#[derive(Clone, Copy)]
pub(crate) struct Guest {
    pub(crate) memory: Memory,
    pub(crate) allocate: Func,
    pub(crate) allocator: &'static str,
}

/// What came of entering a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entered {
    /// It has no such export, or no VM is there any more.
    Missing,
    /// It answered, with 0 where it returns nothing.
    Answered(u32),
    Trapped,
}

impl Vm {
    /// Instantiates a module and starts it: `_initialize` and then `main`, or else `_start`.
    pub(crate) fn new(
        plugin: &Arc<Plugin>,
        at: VmRef,
        thread: usize,
        process: &mut Box<Process>,
    ) -> Result<Self, Trap> {
        let module = &plugin.module;
        let inside = Inside {
            process: Box::default(),
            at,
            thread,
            key: plugin.vm_key(),
            first: Arc::clone(plugin),
            contexts: Contexts::new(),
            metrics: MetricIds::default(),
            tokens: Tokens::default(),
            guest: None,
            during: When::Starting,
        };
        let mut store = Store::new(module.linked.module().engine(), inside);
        store.limiter(|inside| inside);
        let mut vm = Self { store, exports: HashMap::new(), failed: false };
        vm.instantiate(module, process)?;
        vm.start(process)?;
        vm.inside_mut().during = When::Running;
        Ok(vm)
    }

    fn instantiate(&mut self, module: &Module, process: &mut Box<Process>) -> Result<(), Trap> {
        let heard = process.log.len();
        self.lend(process);
        let instance =
            self.store.set_fuel(FUEL).and_then(|()| module.linked.instantiate(&mut self.store));
        self.lend(process);
        let thread = self.inside().thread;
        let instance = instance.map_err(|error| {
            Trap::new("its start function", &error, thread, heard, &process.log)
        })?;
        self.find_exports(module, instance);
        Ok(())
    }

    fn find_exports(&mut self, module: &Module, instance: Instance) {
        for (name, ..) in surface::EXPORTS {
            if let Some(function) = instance.get_func(&mut self.store, name) {
                let results = function.ty(&self.store).results().len();
                self.exports.insert(name, (function, results));
            }
        }
        let memory = instance.get_memory(&mut self.store, "memory");
        let allocate = self.exports.get(module.allocator).map(|(function, _)| *function);
        self.inside_mut().guest = memory.zip(allocate).map(|(memory, allocate)| Guest {
            memory,
            allocate,
            allocator: module.allocator,
        });
    }

    fn start(&mut self, process: &mut Box<Process>) -> Result<(), Trap> {
        let entries: &[(&'static str, &[u32])] = if self.exports.contains_key("_initialize") {
            &[("_initialize", &[]), ("main", &[0, 0])]
        } else {
            &[("_start", &[])]
        };
        for (entry, args) in entries {
            if self.enter(process, entry, 0, args) == Entered::Trapped {
                return Err(process.traps.pop().expect("a trap is recorded when it happens"));
            }
        }
        Ok(())
    }

    /// Calls an export for a context. What the module asked to be done afterwards is left to the
    /// caller.
    pub(crate) fn enter(
        &mut self,
        process: &mut Box<Process>,
        export: &'static str,
        context: u32,
        args: &[u32],
    ) -> Entered {
        let Some((function, results)) = self.exports.get(export).copied().filter(|_| !self.failed)
        else {
            return Entered::Missing;
        };
        if process.faults.traps_in(export) {
            let error = wasmtime::format_err!("a trap was asked for here");
            return self.trapped(process, export, &error, process.log.len());
        }
        let heard = process.log.len();
        process.meter.entered(export);
        self.lend(process);
        let contexts = &mut self.inside_mut().contexts;
        (contexts.current, contexts.effective) = (context, 0);
        let called = self.call(function, results, args);
        self.inside_mut().contexts.current = 0;
        self.lend(process);
        self.measure(process);
        match called {
            Ok(answer) => Entered::Answered(answer),
            Err(error) => self.trapped(process, export, &error, heard),
        }
    }

    fn call(&mut self, function: Func, results: usize, args: &[u32]) -> wasmtime::Result<u32> {
        self.store.set_fuel(FUEL)?;
        let mut values = [const { Val::I32(0) }; 5];
        for (value, arg) in values.iter_mut().zip(args) {
            *value = Val::I32(arg.cast_signed());
        }
        let mut result = [Val::I32(0)];
        function.call(&mut self.store, &values[..args.len()], &mut result[..results])?;
        Ok(result[0].i32().unwrap_or(0).cast_unsigned())
    }

    /// The process goes in before the module runs and comes out afterwards.
    fn lend(&mut self, process: &mut Box<Process>) {
        std::mem::swap(&mut self.store.data_mut().process, process);
    }

    fn measure(&mut self, process: &mut Process) {
        let left = self.store.get_fuel().unwrap_or(0);
        process.meter.used(FUEL.saturating_sub(left), self.memory_bytes());
    }

    fn trapped(
        &mut self,
        process: &mut Process,
        entry: &'static str,
        error: &wasmtime::Error,
        heard: usize,
    ) -> Entered {
        self.failed = true;
        let thread = self.inside().thread;
        process.traps.push(Trap::new(entry, error, thread, heard, &process.log));
        Entered::Trapped
    }

    pub(crate) fn inside(&self) -> &Inside {
        self.store.data()
    }

    pub(crate) fn inside_mut(&mut self) -> &mut Inside {
        self.store.data_mut()
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.inside().guest.as_ref().map_or(0, |guest| guest.memory.data_size(&self.store))
    }
}

/// How much memory the module gets.
impl ResourceLimiter for Inside {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        // The memory that it begins with is no growth.
        Ok(desired <= MOST_MEMORY && !(current > 0 && self.process.faults.refuses_memory()))
    }

    fn table_growing(&mut self, _: usize, _: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(true)
    }
}

impl std::fmt::Debug for Vm {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Vm")
            .field("at", &self.inside().at)
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}

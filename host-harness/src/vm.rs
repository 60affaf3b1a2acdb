//! A VM: one instance of a module in a world of its own, and the life of its root contexts.
//!
//! How a request goes through it is in `stream`.

use wasmtime::{Instance, Store, Val};

use crate::context::{Context, Ending, Root as RootContext};
use crate::error::{Failure, Trap};
use crate::host::{Guest, Host};
use crate::surface::When;
use crate::{Budget, Line, Module, Stats, World};

/// What one call into a module may use up, about one unit for an instruction. Real callbacks need a
/// few thousand.
pub(crate) const FUEL: u64 = 1_000_000_000;

/// One instance of a module.
pub struct Vm {
    store: Store<Host>,
    instance: Instance,
    pub(crate) serving: Option<u32>,
    pub(crate) broken: bool,
    /// How long the log was when the test last asked for something.
    heard: usize,
}

/// A root context of a VM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Root(u32);

/// A plugin: its configuration, and its names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plugin {
    pub(crate) name: String,
    pub(crate) root_id: String,
    pub(crate) configuration: Vec<u8>,
}

impl Plugin {
    /// A plugin with this configuration, as the bytes that the module will read, and without names.
    pub fn new(configuration: impl Into<Vec<u8>>) -> Self {
        Self { name: String::new(), root_id: String::new(), configuration: configuration.into() }
    }

    /// With a name.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        self.name = name.into();
        self
    }

    /// With a root id.
    #[must_use]
    pub fn root_id(mut self, id: &str) -> Self {
        self.root_id = id.into();
        self
    }
}

impl Vm {
    /// Instantiates a module and starts it: `_initialize` and then `main`, or else `_start`.
    pub fn new(module: &Module, world: World) -> Result<Self, Failure> {
        let mut store = Store::new(module.linked.module().engine(), Host::new(world));
        store.limiter(|host| &mut host.limits);
        let instance = instantiate(&mut store, module).map_err(|error| {
            Failure::Trapped(Trap::new("its start function", &error, &store.data().log))
        })?;
        let mut vm = Self { store, instance, serving: None, broken: false, heard: 0 };
        vm.host_mut().during = When::Starting;
        if vm.enter("_initialize", 0, &[])?.is_some() {
            vm.enter("main", 0, &[0, 0])?;
        } else {
            vm.enter("_start", 0, &[])?;
        }
        vm.host_mut().during = When::Running;
        Ok(vm)
    }

    /// Creates, starts and configures a root context. From then on it serves new requests; earlier
    /// ones live on.
    pub fn configure(&mut self, plugin: Plugin) -> Result<Root, Failure> {
        self.listen();
        let vm_length = length(&self.host().world.vm_configuration);
        let plugin_length = length(&plugin.configuration);
        let id = self.host_mut().contexts.add(Context::Root(RootContext::new(plugin)));
        self.configuring(id, true);
        self.enter("proxy_on_context_create", id, &[id, 0])?;
        self.configuring(id, false);
        self.ask("proxy_on_vm_start", id, vm_length)?;
        self.configuring(id, true);
        self.ask("proxy_on_configure", id, plugin_length)?;
        self.configuring(id, false);
        self.serving = Some(id);
        Ok(Root(id))
    }

    /// Every root whose timer runs ticks once. The clocks stay where they are.
    pub fn tick(&mut self) -> Result<(), Failure> {
        self.listen();
        for id in self.host().contexts.ticking() {
            self.enter("proxy_on_tick", id, &[id])?;
        }
        Ok(())
    }

    /// A root's timer, in milliseconds, if it has set one.
    pub fn tick_period(&self, root: Root) -> Option<u32> {
        self.host().contexts.root(root.0).map(|root| root.tick_period).filter(|period| *period > 0)
    }

    /// Asks a root to end. If it says that it is not ready it goes on ticking, and ends when it
    /// says `proxy_done`. Returns whether it has ended.
    pub fn shut_down(&mut self, root: Root) -> Result<bool, Failure> {
        self.listen();
        let Root(root) = root;
        self.host().contexts.root(root).ok_or(Failure::NoRoot)?;
        self.serving = self.serving.filter(|serving| *serving != root);
        let ready = self.enter("proxy_on_done", root, &[root])? != Some(0);
        if ready {
            self.delete(root)?;
        } else {
            self.ending(root, Ending::Waiting);
        }
        Ok(ready)
    }

    /// The VM's surroundings, to look at.
    pub fn world(&self) -> &World {
        &self.host().world
    }

    /// The VM's surroundings, to change.
    pub fn world_mut(&mut self) -> &mut World {
        &mut self.host_mut().world
    }

    /// The stats of the process that this VM is part of.
    pub fn stats(&self) -> &Stats {
        &self.host().world.stats
    }

    /// All that the module has logged.
    pub fn log(&self) -> &[Line] {
        &self.host().log
    }

    /// All that the module has cost.
    pub fn budget(&self) -> &Budget {
        &self.host().budget
    }

    /// How large the module's memory has grown. It never shrinks.
    pub fn memory_bytes(&self) -> usize {
        self.host().guest.as_ref().map_or(0, |guest| guest.memory.data_size(&self.store))
    }

    pub(crate) fn host(&self) -> &Host {
        self.store.data()
    }

    pub(crate) fn host_mut(&mut self) -> &mut Host {
        self.store.data_mut()
    }

    /// What a failure carries of the log begins here.
    pub(crate) fn listen(&mut self) {
        self.heard = self.host().log.len();
    }

    /// What the module has logged since `listen`.
    pub(crate) fn heard(&self) -> &[Line] {
        &self.host().log[self.heard..]
    }

    /// Calls an export for a context, and answers what it returned, where there is such an export
    /// and it returns something; one that returns nothing answers 0.
    pub(crate) fn enter(
        &mut self,
        export: &'static str,
        context: u32,
        args: &[u32],
    ) -> Result<Option<u32>, Failure> {
        if self.broken {
            return Err(Failure::Broken);
        }
        let Some(function) = self.instance.get_func(&mut self.store, export) else {
            return Ok(None);
        };
        let args: Vec<Val> = args.iter().map(|arg| Val::I32(arg.cast_signed())).collect();
        let mut results = vec![Val::I32(0); function.ty(&self.store).results().len()];
        let called = self
            .begin(export, context)
            .and_then(|()| function.call(&mut self.store, &args, &mut results));
        called.map_err(|error| self.trapped(export, &error))?;
        self.settle()?;
        Ok(Some(results.first().and_then(Val::i32).unwrap_or(0).cast_unsigned()))
    }

    fn begin(&mut self, export: &'static str, context: u32) -> wasmtime::Result<()> {
        let host = self.store.data_mut();
        host.contexts.current = context;
        host.contexts.effective = 0;
        host.budget.entered(export);
        self.store.set_fuel(FUEL)
    }

    /// Does what had to wait until the module was left.
    fn settle(&mut self) -> Result<(), Failure> {
        let contexts = &mut self.host_mut().contexts;
        contexts.current = 0;
        match contexts.done() {
            Some(root) => self.delete(root),
            None => Ok(()),
        }
    }

    fn delete(&mut self, root: u32) -> Result<(), Failure> {
        self.ending(root, Ending::NotAsked);
        self.enter("proxy_on_delete", root, &[root])?;
        self.host_mut().contexts.remove(root);
        Ok(())
    }

    fn trapped(&mut self, entry: &'static str, error: &wasmtime::Error) -> Failure {
        self.broken = true;
        Failure::Trapped(Trap::new(entry, error, self.heard()))
    }

    fn ask(&mut self, entry: &'static str, root: u32, length: u32) -> Result<(), Failure> {
        if self.enter(entry, root, &[root, length])? != Some(0) {
            return Ok(());
        }
        self.host_mut().contexts.remove(root);
        Err(Failure::Refused { entry, log: self.heard().to_vec() })
    }

    fn ending(&mut self, root: u32, ending: Ending) {
        if let Some(root) = self.host_mut().contexts.root_mut(root) {
            root.ending = ending;
        }
    }

    fn configuring(&mut self, root: u32, configuring: bool) {
        if let Some(root) = self.host_mut().contexts.root_mut(root) {
            root.configuring = configuring;
        }
    }
}

impl std::fmt::Debug for Vm {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Vm")
            .field("serving", &self.serving)
            .field("broken", &self.broken)
            .finish_non_exhaustive()
    }
}

fn instantiate(store: &mut Store<Host>, module: &Module) -> wasmtime::Result<Instance> {
    store.set_fuel(FUEL)?;
    let instance = module.linked.instantiate(&mut *store)?;
    let memory = instance.get_memory(&mut *store, "memory");
    let allocate = instance.get_func(&mut *store, module.allocator);
    store.data_mut().guest = memory.zip(allocate).map(|(memory, allocate)| Guest {
        memory,
        allocate,
        allocator: module.allocator,
    });
    Ok(instance)
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).expect("a configuration is far below 4 GiB")
}

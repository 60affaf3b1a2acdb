//! Loading: a module is compiled once, and held against what Envoy demands of one before it runs.

use std::collections::HashMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{LazyLock, Mutex, PoisonError};

use wasmtime::{Config, Engine, ExternType, InstancePre, Linker, WasmBacktraceDetails};

use crate::hostcalls;
use crate::surface;
use crate::vm::Inside;

/// A module that Envoy would load. Clones share what was compiled, on all threads.
#[derive(Clone)]
pub struct Module {
    pub(crate) linked: InstancePre<Inside>,
    pub(crate) allocator: &'static str,
    code: u64,
}

/// How many compiled modules are kept for those who ask for the same again.
const MOST_KEPT: usize = 64;

/// What was compiled in this process, by its bytes.
static COMPILED: LazyLock<Mutex<HashMap<Vec<u8>, Module>>> = LazyLock::new(Mutex::default);

/// The compiler, and everything that modules can import: the same for all of them.
static HOST: LazyLock<Result<(Engine, Linker<Inside>), ModuleError>> = LazyLock::new(|| {
    let engine = Engine::new(&config()).map_err(|error| ModuleError::unusable(&error))?;
    let linker = hostcalls::link(&engine).map_err(|error| ModuleError::unusable(&error))?;
    Ok((engine, linker))
});

impl Module {
    /// Checks and compiles a module, in WebAssembly's binary or text format. The same bytes are
    /// compiled once in a process, so every test may ask for its module afresh.
    pub fn new(bytes: impl AsRef<[u8]>) -> Result<Self, ModuleError> {
        let bytes = bytes.as_ref();
        let compiled = || COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(module) = compiled().get(bytes) {
            return Ok(module.clone());
        }
        let module = Self::compile(bytes)?;
        let mut compiled = compiled();
        if compiled.len() >= MOST_KEPT {
            compiled.clear();
        }
        compiled.insert(bytes.to_vec(), module.clone());
        Ok(module)
    }

    fn compile(bytes: &[u8]) -> Result<Self, ModuleError> {
        let (engine, linker) = HOST.as_ref().map_err(Clone::clone)?;
        let module = wasmtime::Module::new(engine, bytes)
            .map_err(|error| ModuleError::NotWasm(format!("{error:#}")))?;
        let marker =
            surface::MARKERS.into_iter().find(|marker| function(&module, marker).is_some());
        check_imports(&module, marker.ok_or(ModuleError::NoAbi)?)?;
        check_exports(&module)?;
        let allocator =
            surface::ALLOCATORS.into_iter().find(|name| function(&module, name).is_some());
        let allocator = allocator.ok_or(ModuleError::NoAllocator)?;
        let linked =
            linker.instantiate_pre(&module).map_err(|error| ModuleError::unusable(&error))?;
        Ok(Self { linked, allocator, code: hash(bytes) })
    }

    /// Tells modules with other bytes apart.
    pub(crate) fn code(&self) -> u64 {
        self.code
    }
}

impl fmt::Debug for Module {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Module")
            .field("name", &self.linked.module().name())
            .finish_non_exhaustive()
    }
}

/// Why Envoy would not load a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModuleError {
    /// The bytes are not a valid module; this is what the compiler says.
    NotWasm(String),
    /// No export says that the module speaks proxy-wasm 0.2.
    NoAbi,
    /// The module wants something that Envoy 1.36 does not have.
    UnknownImport {
        /// The import's module.
        module: String,
        /// The import's name.
        name: String,
    },
    /// An import or export has another signature than the ABI's.
    Signature {
        /// The function.
        name: String,
        /// Its signature in the ABI.
        expected: String,
        /// Its signature in the module.
        found: String,
    },
    /// Neither `malloc` nor `proxy_on_memory_allocate` is exported.
    NoAllocator,
    /// No memory of the name `memory` is exported.
    NoMemory,
    /// The module is valid and yet wasmtime cannot run it, with what it says.
    Unusable(String),
}

impl ModuleError {
    fn unusable(error: &wasmtime::Error) -> Self {
        Self::Unusable(format!("{error:#}"))
    }
}

impl fmt::Display for ModuleError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotWasm(cause) => write!(out, "This is not a WebAssembly module: {cause}."),
            Self::NoAbi => {
                write!(
                    out,
                    "The module does not speak proxy-wasm 0.2: \
                 export a function {}.",
                    surface::MARKERS[0]
                )
            }
            Self::UnknownImport { module, name } => write!(
                out,
                "The module imports {module}.{name}, which Envoy 1.36 does not offer. \
                 Do without it, or it will not load.",
            ),
            Self::Signature { name, expected, found } => {
                write!(
                    out,
                    "The function {name} is {found} in the module and {expected} in the ABI: \
                     change the module."
                )
            }
            Self::NoAllocator => out.write_str(
                "The module has no allocator: \
                 export malloc or proxy_on_memory_allocate, (i32) -> (i32).",
            ),
            Self::NoMemory => out.write_str(
                "The module does not export its memory: \
                 export it as memory.",
            ),
            Self::Unusable(cause) => write!(
                out,
                "The module is valid, \
                 but this host cannot run it: {cause}."
            ),
        }
    }
}

impl std::error::Error for ModuleError {}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

fn config() -> Config {
    let mut config = Config::new();
    config.consume_fuel(true);
    // Names are enough in a backtrace, and reading debug information for each trap is slow.
    config.wasm_backtrace_details(WasmBacktraceDetails::Disable);
    config
}

fn check_imports(module: &wasmtime::Module, marker: &str) -> Result<(), ModuleError> {
    for import in module.imports() {
        // Envoy offers this one only to modules that speak 0.2.1.
        let too_new = import.name() == "proxy_get_log_level" && marker != surface::MARKERS[0];
        let known = surface::import(import.module(), import.name()).filter(|_| !too_new);
        let (Some(known), ExternType::Func(found)) = (known, import.ty()) else {
            return Err(ModuleError::UnknownImport {
                module: import.module().into(),
                name: import.name().into(),
            });
        };
        check(import.name(), known.signature(), surface::spelled_type(&found))?;
    }
    Ok(())
}

fn check_exports(module: &wasmtime::Module) -> Result<(), ModuleError> {
    for (name, params, results) in surface::EXPORTS {
        if let Some(found) = function(module, name) {
            check(name, surface::spelled(params, results), surface::spelled_type(&found))?;
        }
    }
    match module.get_export("memory") {
        Some(ExternType::Memory(_)) => Ok(()),
        _ => Err(ModuleError::NoMemory),
    }
}

fn check(name: &str, expected: String, found: String) -> Result<(), ModuleError> {
    if found == expected {
        Ok(())
    } else {
        Err(ModuleError::Signature { name: name.into(), expected, found })
    }
}

fn function(module: &wasmtime::Module, name: &str) -> Option<wasmtime::FuncType> {
    module.get_export(name).and_then(|export| export.func().cloned())
}

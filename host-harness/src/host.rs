//! All that the host knows of one VM while the module runs: what hostcalls read and write.

use wasmtime::{Func, Memory, StoreLimits, StoreLimitsBuilder};

use crate::context::Contexts;
use crate::hostcalls::metrics::MetricIds;
use crate::surface::When;
use crate::{Budget, Line, World};

/// Envoy gives a VM no more linear memory than this.
const MOST_MEMORY: usize = 1 << 30;

/// The state of one VM.
pub(crate) struct Host {
    pub(crate) world: World,
    pub(crate) log: Vec<Line>,
    pub(crate) budget: Budget,
    pub(crate) contexts: Contexts,
    pub(crate) metrics: MetricIds,
    pub(crate) guest: Option<Guest>,
    /// What the module is about, which decides what it may call.
    pub(crate) during: When,
    pub(crate) limits: StoreLimits,
}

impl Host {
    pub(crate) fn new(world: World) -> Self {
        Self {
            world,
            log: Vec::new(),
            budget: Budget::default(),
            contexts: Contexts::new(),
            metrics: MetricIds::default(),
            guest: None,
            during: When::Running,
            limits: StoreLimitsBuilder::new().memory_size(MOST_MEMORY).build(),
        }
    }
}

/// The parts of the module that hostcalls need. They are known once it is instantiated.
#[derive(Clone, Copy)]
pub(crate) struct Guest {
    pub(crate) memory: Memory,
    pub(crate) allocate: Func,
    pub(crate) allocator: &'static str,
}

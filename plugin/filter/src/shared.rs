//! What all contexts of this VM share: the source of identifiers, the time, the counters, the meters, the exporters, one
//! buffer.

use sightline_core::route::Scratch;
use sightline_core::sampling::Budget;
use sightline_core::{Moment, Rng, Wall};

use crate::abi;
use crate::exporters::Exporters;
use crate::meter::Meters;
use crate::stats::Stats;

/// Owned by the contexts, lent to whichever stream is being called.
pub(crate) struct Shared {
    pub(crate) rng: Rng,
    pub(crate) clock: Clock,
    pub(crate) stats: Stats,
    pub(crate) exporters: Exporters,
    pub(crate) meters: Meters,
    /// How many spans were kept by rule in the second that runs.
    pub(crate) budget: Budget,
    /// What matching a path needs to remember.
    pub(crate) scratch: Scratch,
    /// Where the access-log line is written, kept for its capacity.
    pub(crate) line: Vec<u8>,
}

/// Both clocks for the price of one: what time of day it was when they were last read together, and what
/// the one for durations says since.
pub(crate) struct Clock {
    read: Moment,
}

impl Shared {
    /// Seeds from the host. Without randomness identifiers would repeat across workers, so there is
    /// nothing to share then, and the configuration is refused.
    pub(crate) fn seeded() -> Option<Self> {
        let mut seed = [0; 32];
        if !abi::fill_random(&mut seed) {
            abi::log_error("sightline: the host gives no random bytes for identifiers");
            return None;
        }
        Some(Self {
            rng: Rng::from_seed(seed),
            clock: Clock::new(),
            stats: Stats::default(),
            exporters: Exporters::default(),
            meters: Meters::default(),
            budget: Budget::default(),
            scratch: Scratch::default(),
            line: Vec::new(),
        })
    }
}

impl Clock {
    /// Reads both. To be done now and then, because the wall clock is corrected and may be set.
    pub(crate) fn new() -> Self {
        Self { read: Moment { wall: abi::wall_now(), monotonic: abi::monotonic_now() } }
    }

    /// What they said when both were read: not long ago, and for nothing.
    pub(crate) fn last(&self) -> Moment {
        self.read
    }

    pub(crate) fn now(&self) -> Moment {
        let monotonic = abi::monotonic_now();
        let since = monotonic.0.saturating_sub(self.read.monotonic.0);
        Moment { wall: Wall(self.read.wall.0.saturating_add(since)), monotonic }
    }
}

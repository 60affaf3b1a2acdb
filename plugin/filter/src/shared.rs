//! What all contexts of this VM share: the source of identifiers, the counters, one buffer.

use sightline_core::Rng;
use sightline_core::route::Scratch;

use crate::abi;
use crate::stats::Stats;

/// Owned by the contexts, lent to whichever stream is being called.
pub(crate) struct Shared {
    pub(crate) rng: Rng,
    pub(crate) stats: Stats,
    /// What matching a path needs to remember.
    pub(crate) scratch: Scratch,
    /// Where the access-log line is written, kept for its capacity.
    pub(crate) line: Vec<u8>,
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
            stats: Stats::default(),
            scratch: Scratch::default(),
            line: Vec::new(),
        })
    }
}

//! What surrounds a VM: clocks, randomness, environment, and the process's stats. All of it is in
//! the test's hand.

use std::time::Duration;

use crate::{Level, Stats};

/// A VM's surroundings. Clocks stand still until the test moves them, or a request that it runs
/// says how long it takes.
#[derive(Clone, Debug)]
pub struct World {
    wall: u64,
    monotonic: u64,
    random: u64,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) vm_id: String,
    pub(crate) vm_configuration: Vec<u8>,
    pub(crate) log_level: Level,
    pub(crate) stats: Stats,
}

impl World {
    /// It is the beginning of 2026, the machine has been up for an hour, and all randomness follows
    /// from `seed`.
    pub fn seeded(seed: u64) -> Self {
        Self {
            wall: 1_767_225_600_000_000_000,
            monotonic: 3_600_000_000_000,
            random: seed,
            environment: Vec::new(),
            vm_id: String::new(),
            vm_configuration: Vec::new(),
            log_level: Level::Info,
            stats: Stats::default(),
        }
    }

    /// With an environment variable for the module.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// With an id for the VM; Istio always leaves it empty, as it is without this.
    #[must_use]
    pub fn vm_id(mut self, id: &str) -> Self {
        self.vm_id = id.into();
        self
    }

    /// With a configuration for the VM, which is not the plugin's.
    #[must_use]
    pub fn vm_configuration(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.vm_configuration = bytes.into();
        self
    }

    /// With another log level than info told to the module when it asks.
    #[must_use]
    pub fn log_level(mut self, level: Level) -> Self {
        self.log_level = level;
        self
    }

    /// With stats that other VMs share, as workers of one process do.
    #[must_use]
    pub fn sharing(mut self, stats: &Stats) -> Self {
        self.stats = stats.clone();
        self
    }

    /// Both clocks go on by `time`.
    pub fn advance(&mut self, time: Duration) {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.wall = self.wall.saturating_add(nanoseconds);
        self.monotonic = self.monotonic.saturating_add(nanoseconds);
    }

    /// Somebody sets the wall clock, to nanoseconds since 1970; the monotonic clock does not mind.
    pub fn set_wall(&mut self, nanoseconds: u64) {
        self.wall = nanoseconds;
    }

    /// The wall clock, in nanoseconds since 1970.
    pub fn wall(&self) -> u64 {
        self.wall
    }

    /// The monotonic clock, in nanoseconds since some moment that does not matter.
    pub fn monotonic(&self) -> u64 {
        self.monotonic
    }

    /// So many random bytes: `SplitMix64`, little endian, eight at a time.
    pub(crate) fn random(&mut self, length: usize) -> Vec<u8> {
        let words = length.div_ceil(8);
        let mut bytes: Vec<u8> =
            (0..words).flat_map(|_| self.random_word().to_le_bytes()).collect();
        bytes.truncate(length);
        bytes
    }

    fn random_word(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.random;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }
}

//! What surrounds the modules: clocks, randomness, the node, the clusters, and how the connection
//! manager is set. All of it is in the test's hand.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::{Cluster, Level, Manager, Topology};

/// The surroundings of a host. Its clocks stand still until the test moves them, or something that
/// the test asked for takes its time.
#[derive(Clone, Debug)]
pub struct World {
    wall: u64,
    monotonic: u64,
    random: u64,
    pub(crate) log_level: Level,
    pub(crate) workers: usize,
    pub(crate) node: Value,
    pub(crate) clusters: BTreeMap<String, Cluster>,
    pub(crate) manager: Arc<Manager>,
    pub(crate) topology: Topology,
    pub(crate) most_buffered: usize,
    pub(crate) drain: Duration,
}

impl World {
    /// It is the beginning of 2026, the machine has been up for an hour, there is one worker, and
    /// all randomness follows from `seed`.
    pub fn seeded(seed: u64) -> Self {
        Self {
            wall: 1_767_225_600_000_000_000,
            monotonic: 3_600_000_000_000,
            random: seed,
            log_level: Level::Info,
            workers: 1,
            node: serde_json::json!({"id": "node", "cluster": "cluster"}),
            clusters: BTreeMap::new(),
            manager: Arc::default(),
            topology: Topology::default(),
            most_buffered: 1 << 20,
            drain: Duration::from_mins(10),
        }
    }

    /// With so many worker threads; each has VMs of its own, and so has the main thread.
    #[must_use]
    pub fn workers(mut self, count: usize) -> Self {
        self.workers = count;
        self
    }

    /// With this node, as it stands in Envoy's bootstrap: `id`, `cluster`, `metadata` and so on.
    #[must_use]
    pub fn node(mut self, node: Value) -> Self {
        self.node = node;
        self
    }

    /// With a cluster that callouts can reach. One that is not named here does not exist.
    #[must_use]
    pub fn cluster(mut self, name: &str, cluster: Cluster) -> Self {
        self.clusters.insert(name.into(), cluster);
        self
    }

    /// With a connection manager that is set otherwise than by default.
    #[must_use]
    pub fn manager(mut self, manager: Manager) -> Self {
        self.manager = Arc::new(manager);
        self
    }

    /// With other names, metadata and addresses than by default.
    #[must_use]
    pub fn topology(mut self, topology: Topology) -> Self {
        self.topology = topology;
        self
    }

    /// With another limit than a mebibyte for what a filter can make a stream hold back.
    #[must_use]
    pub fn most_buffered(mut self, bytes: usize) -> Self {
        self.most_buffered = bytes;
        self
    }

    /// With another time than ten minutes for requests under a configuration that was replaced.
    /// After it they are cut, and the old root ends. Without any, as where the plugin's
    /// configuration is discovered by itself, they may take as long as they like, and the old root
    /// ends with the last of them.
    #[must_use]
    pub fn drain(mut self, time: Duration) -> Self {
        self.drain = time;
        self
    }

    /// With another log level than info told to the module when it asks.
    #[must_use]
    pub fn log_level(mut self, level: Level) -> Self {
        self.log_level = level;
        self
    }

    /// Both clocks go on to this moment of the monotonic one.
    pub(crate) fn go_on_to(&mut self, monotonic: u64) {
        let time = monotonic.saturating_sub(self.monotonic);
        self.wall = self.wall.saturating_add(time);
        self.monotonic += time;
    }

    /// The moment of the monotonic clock that is so far ahead.
    pub(crate) fn ahead(&self, time: Duration) -> u64 {
        self.monotonic.saturating_add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
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

    /// A random number below this one.
    pub(crate) fn random_below(&mut self, bound: u64) -> u64 {
        self.random_word() % bound.max(1)
    }

    fn random_word(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.random;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }
}

impl Default for World {
    fn default() -> Self {
        Self::seeded(0)
    }
}

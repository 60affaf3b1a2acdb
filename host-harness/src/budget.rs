//! What a stretch of a module's life cost: entries into the module, hostcalls by name, bytes copied
//! over the border, memory that the host made it allocate, fuel.
//!
//! Counts only, without order, so that a test that pins them does not also pin how the module goes
//! about its work. Two runs with the same seed give the same counts.

use std::collections::BTreeMap;
use std::fmt;

use crate::Estimate;

/// What crossed the border between host and module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    entries: BTreeMap<&'static str, u64>,
    hostcalls: BTreeMap<&'static str, u64>,
    to_guest: u64,
    from_guest: u64,
    allocations: u64,
    allocated: u64,
    fuel: u64,
    /// What hostcalls took from the fuel, which is not the guest's doing.
    charged: u64,
    memory: u64,
}

impl Budget {
    /// How often this export was called. The allocator counts too: Envoy enters the module for
    /// every answer with bytes.
    pub fn entries(&self, export: &str) -> u64 {
        self.entries.get(export).copied().unwrap_or(0)
    }

    /// How often this import was called.
    pub fn hostcalls(&self, import: &str) -> u64 {
        self.hostcalls.get(import).copied().unwrap_or(0)
    }

    /// How often the module was entered in all, for the allocator too.
    pub fn all_entries(&self) -> u64 {
        self.entries.values().sum()
    }

    /// How often the module called the host in all.
    pub fn all_hostcalls(&self) -> u64 {
        self.hostcalls.values().sum()
    }

    /// How many bytes the host copied into the module's memory.
    pub fn bytes_to_guest(&self) -> u64 {
        self.to_guest
    }

    /// How many bytes the host copied out of the module's memory.
    pub fn bytes_from_guest(&self) -> u64 {
        self.from_guest
    }

    /// How often the host made the module allocate, and how many bytes.
    pub fn allocations(&self) -> (u64, u64) {
        (self.allocations, self.allocated)
    }

    /// What the module's own instructions used up, about one unit for each.
    pub fn fuel(&self) -> u64 {
        self.fuel
    }

    /// How large the module's memory was at most, in bytes.
    pub fn memory(&self) -> u64 {
        self.memory
    }

    /// What it would cost in Envoy, roughly.
    pub fn estimate(&self) -> Estimate {
        Estimate::of(self)
    }

    /// Everything, also what changes with every build of a module: fuel, memory, and the estimate.
    pub fn report(&self) -> String {
        format!(
            "{self}fuel of the module {}\nmemory at most {} bytes\n{}\n",
            self.fuel,
            self.memory,
            self.estimate()
        )
    }

    pub(crate) fn entries_by_name(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.entries.iter().map(|(name, count)| (*name, *count))
    }

    pub(crate) fn hostcalls_by_name(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.hostcalls.iter().map(|(name, count)| (*name, *count))
    }

    pub(crate) fn entered(&mut self, export: &'static str) {
        *self.entries.entry(export).or_default() += 1;
    }

    pub(crate) fn called(&mut self, import: &'static str) {
        *self.hostcalls.entry(import).or_default() += 1;
    }

    pub(crate) fn copied_in(&mut self, bytes: usize) {
        self.to_guest += bytes as u64;
    }

    pub(crate) fn copied_out(&mut self, bytes: usize) {
        self.from_guest += bytes as u64;
    }

    pub(crate) fn allocated(&mut self, bytes: u32) {
        self.allocations += 1;
        self.allocated += u64::from(bytes);
    }

    pub(crate) fn charged(&mut self, fuel: u64) {
        self.charged += fuel;
    }

    /// At the end of an entry: what it used up in all, and how large memory is.
    pub(crate) fn used(&mut self, fuel: u64, memory: usize) {
        self.fuel += fuel.saturating_sub(std::mem::take(&mut self.charged));
        self.memory = self.memory.max(memory as u64);
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (name, count) in &other.entries {
            *self.entries.entry(name).or_default() += count;
        }
        for (name, count) in &other.hostcalls {
            *self.hostcalls.entry(name).or_default() += count;
        }
        self.to_guest += other.to_guest;
        self.from_guest += other.from_guest;
        self.allocations += other.allocations;
        self.allocated += other.allocated;
        self.fuel += other.fuel;
        self.memory = self.memory.max(other.memory);
    }
}

/// Sections with sorted names; an empty one is left out. Fuel and memory are not here: they change
/// with every build of a module.
impl fmt::Display for Budget {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sections = [("entries", &self.entries), ("hostcalls", &self.hostcalls)];
        for (title, counts) in sections.into_iter().filter(|(_, counts)| !counts.is_empty()) {
            writeln!(out, "{title}")?;
            for (name, count) in counts {
                writeln!(out, "  {name} {count}")?;
            }
        }
        writeln!(out, "bytes to the module {}, from it {}", self.to_guest, self.from_guest)?;
        writeln!(out, "allocations for the host {}, {} bytes", self.allocations, self.allocated)
    }
}

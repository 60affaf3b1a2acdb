//! What a module may use up in one call, so that one that loops for ever is told from one that
//! works.

/// What one call into a module may use up, about one unit for an instruction. Real callbacks need a
/// few thousand.
pub(crate) const FUEL: u64 = 1_000_000_000;

/// What a hostcall costs beside the instructions around it, and what it costs to copy a byte. So a
/// module that loops over hostcalls ends before it fills the machine's memory or the day.
pub(crate) const OF_CALL: u64 = 10_000;
pub(crate) const OF_BYTE: u64 = 50;

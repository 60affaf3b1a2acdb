//! How large a pattern may be, and why: every bound of the engine in one place.
//!
//! Patterns come from a configuration, so they are not an attack as a request may be. But a filter that is
//! slow to configure holds up a proxy's start, and memory that a module once took is never given back.

/// The longest text, in bytes. A route template is no longer than this as a whole.
pub(super) const TEXT: usize = 1_024;

/// Groups inside groups. The parser calls itself for each, on a stack that is small in a module.
pub(super) const NESTING: usize = 50;

/// Levels of an expression. A group is three at most (a repetition of alternatives of sequences), and the
/// rest is for expressions that are built around a parsed one.
pub(super) const LEVELS: usize = 4 * NESTING;

/// The largest count in braces. No segment that is worth a pattern is longer.
pub(super) const COUNT: u32 = 1_000;

/// Steps and states while the automaton is still nondeterministic. Sixteen make one character, so this is
/// twice what `[^/]{255}` takes.
pub(super) const PARTS: usize = 8_192;

/// States of the deterministic automaton. `[^/]{255}`, a name as long as a file system lets it be, takes
/// eight a character.
pub(super) const STATES: usize = 2_048;

/// Cells of the finished table, two bytes each: 128 KiB.
pub(super) const CELLS: usize = 65_536;

/// Moves looked at while states are made deterministic. A pattern may have few states of many parts each;
/// this bounds the product, and with it time (some tens of milliseconds) and memory.
pub(super) const WORK: usize = 2_000_000;

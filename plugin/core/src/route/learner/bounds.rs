//! Every bound of the learner, with its reason. What the configuration may choose is in `Limits`, not here.
//!
//! Together they keep one state under 1 MiB, in memory and encoded, whatever comes.

use crate::route::segment::LONGEST_WORD;
use crate::route::shape::MOST_PARTS;

/// Parts of a path. Typing cuts there, and recursion over the tree goes no deeper.
pub(super) const DEPTH: usize = MOST_PARTS;

/// Bytes of a word. Longer segments are typed.
pub(super) const WORD: usize = LONGEST_WORD;

/// Nodes of the tree. The default of 200 routes needs some 800; a node takes 80 bytes.
pub(super) const NODES: usize = 4096;

/// Bytes of all words in the tree together.
pub(super) const WORD_BYTES: usize = 128 * 1024;

/// Bytes of all names ever given, with what it takes to hold them.
pub(super) const NAME_BYTES: usize = 320 * 1024;

/// Bytes that it takes to hold a name, besides its text.
pub(super) const NAME_HOLDER: usize = 24;

/// The part of names (a quarter of the limit, and of their bytes) that is kept for collapses: what frees
/// routes must not fail because new paths have used up the names.
pub(super) const RESERVE: usize = 4;

/// Routes that a limit can ask for: twice as many names must have a number of 16 bits.
pub(super) const ROUTES: usize = 32_000;

/// Collapsed parents that are watched for heavy words: a watch takes 1.5 KiB. The next ones collapse too,
/// but neither promote words nor open again.
pub(super) const WATCHED: usize = 128;

/// Counters of a watch: any word with more than 1/64 of the traffic is certainly among them, and a word
/// is heavy from 1/32 on.
pub(super) const COUNTERS: usize = 64;

/// Words that may stand beside a collapsed parent's `{str}`. A word is kept from 1/64 on, so no more fit.
pub(super) const BESIDE: usize = 64;

/// Hits below which nothing is heavy: chance makes no pattern of a dozen answers.
pub(super) const HEAVY_HITS: u64 = 16;

/// A word that passed under `{str}` gets a node of its own from this part of its parent's words on.
pub(super) const PROMOTE_SHARE: u64 = 32;

/// A word that has a node keeps it in a collapse from this part on; less than for promotion, so that
/// what is near the border does not swing.
pub(super) const STAY_SHARE: u64 = 64;

/// A word beside `{str}` falls back into it below this part.
pub(super) const FOLD_SHARE: u64 = 128;

/// Hits of a parent's words from which on a small part says that a word is rare.
pub(super) const FOLD_HITS: u64 = 512;

/// Hits in an hour from which on few distinct words mean that the rare ones are gone.
pub(super) const CALM_HITS: u32 = 64;

/// Calm hours before a collapsed parent opens again, doubled for each relapse.
pub(super) const CALM_HOURS: u16 = 6;

/// Doublings of the above: 16 times 6 hours are four days.
pub(super) const RELAPSES: u8 = 4;

/// Rare children from which on a parent is collapsed under pressure: fewer would free next to nothing.
pub(super) const PRESSED: usize = 4;

/// Refusals after which room is made without waiting for the hour. A worker asks once a second at most while
/// the limit is met, so these are two minutes of one worker, and half a minute of four.
pub(super) const PATIENCE: u16 = 120;

/// Bytes that `decode` looks at. Nothing that `encode` writes is longer.
pub(super) const ENCODED: usize = 1024 * 1024;

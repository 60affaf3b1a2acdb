//! Which traces are kept, and what is said of it: consistent probability sampling.
//!
//! Every trace has 56 random bits, in its ID or beside it, and every ratio is a [`Threshold`]. A trace is
//! kept when its randomness reaches the threshold, so a lower ratio keeps a subset of what a higher one
//! keeps, wherever it is applied. The threshold goes along in the `ot` member of tracestate ([`Ot`]):
//! who counts spans later knows from it how many each one stands for. So a threshold is only ever sent
//! when it is true, and where nobody knows the probability none is sent.
//!
//! What is kept at the end by rule ([`KeepRules`]) was not drawn by chance, and claims no probability.
//! How tracestate is written as a whole is not known here.

mod decision;
mod kept;
mod ot;
#[cfg(test)]
mod tests;
mod threshold;

pub use decision::{Caller, Decision, Say, follow, resample, start};
pub use kept::{Budget, KeepRules, Kept};
pub use ot::Ot;
pub use threshold::{Sampler, Threshold};

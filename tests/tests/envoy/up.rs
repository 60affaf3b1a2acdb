//! `sightline up`, as a person runs it.

mod ends;
mod fixture;
mod lines;
mod refusals;
mod terminal;

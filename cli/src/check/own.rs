//! Whether a map is the filter's own configuration, as opposed to a file of something else.

use std::collections::HashSet;

use sightline_core::config::{self, Problem};

use super::node::{Kind, Node};
use super::scalar::Reader;

/// Whether this is a configuration, perhaps a wrong one: one of its keys is ours, or nearly.
pub(super) fn is_own(root: &Node) -> bool {
    let unknown = unknown_keys(root);
    let foreign = unknown.iter().filter(|problem| problem.nearest.is_none()).count();
    is_candidate(root) && foreign < root.entries().len()
}

/// Whether this is a configuration and nothing else: all of its keys are ours.
pub(super) fn is_surely_own(root: &Node) -> bool {
    is_candidate(root) && unknown_keys(root).is_empty()
}

fn is_candidate(root: &Node) -> bool {
    let is_anothers = ["apiVersion", "kind", "@type", "static_resources", "staticResources"];
    matches!(&root.kind, Kind::Map(entries) if !entries.is_empty())
        && is_anothers.iter().all(|key| root.field(&[key]).is_none())
}

/// What the core says of keys at the root that it does not know.
fn unknown_keys(root: &Node) -> Vec<Problem> {
    let keys = root.entries().iter().map(|entry| entry.key.escape_debug().to_string());
    let keys: HashSet<String> = keys.collect();
    let is_at_root = |problem: &&Problem| {
        problem.is_of_key() && !problem.is_repetition() && keys.contains(&problem.path)
    };
    match config::interpret(&root.value(Reader::Other)) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.iter().filter(is_at_root).cloned().collect(),
    }
}

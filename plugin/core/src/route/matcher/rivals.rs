//! Templates of which neither is more specific than the other, though some paths match both: their
//! parameters have different constraints of one rank, and what follows them is alike.

use super::steps::Step;
use super::tree::{Choice, End, Node, NodeId, Tree};
use crate::route::pattern::Pattern;

/// The most pairs of neighbours that are compared. People write a handful; comparing is slow, and what it
/// finds is only told.
const MOST_PAIRS: usize = 256;

/// All such pairs, the one that was given first in front.
pub(super) fn find(tree: &Tree) -> Vec<(u32, u32)> {
    let mut found = Vec::new();
    for (one, other) in tree.nodes().flat_map(neighbours).take(MOST_PAIRS) {
        if overlap(&one.step, &other.step) {
            compare(tree, (one.to, other.to), &mut found);
        }
    }
    found
}

/// Pairs of different constraints of one rank at a node, each pair once.
fn neighbours(node: &Node) -> impl Iterator<Item = (&Choice, &Choice)> {
    let behind = |at: usize| node.choices.iter().skip(at + 1);
    node.choices.iter().enumerate().flat_map(move |(at, one)| {
        behind(at).filter(|other| are_of_one_rank(one, other)).map(move |other| (one, other))
    })
}

fn are_of_one_rank(one: &Choice, other: &Choice) -> bool {
    let typed = matches!((&one.step, &other.step), (Step::Typed(_), Step::Typed(_)));
    typed && one.step.order() == other.step.order() && one.step != other.step
}

/// Whether some segment fits both.
fn overlap(one: &Step, other: &Step) -> bool {
    let pattern = |step: &Step| match step {
        Step::Typed(language) => Pattern::compile(&language.expr()).ok(),
        _ => None,
    };
    pattern(one).zip(pattern(other)).is_some_and(|(one, other)| one.meets(&other))
}

/// Finds the templates that end alike behind two nodes. The depth is that of the tree.
fn compare(tree: &Tree, (one, other): (NodeId, NodeId), found: &mut Vec<(u32, u32)>) {
    let (Some(a), Some(b)) = (tree.node(one), tree.node(other)) else { return };
    let alike =
        |a: &End, b: &End| a.methods.is_any() == b.methods.is_any() && a.methods.meets(b.methods);
    for (a, b) in a.ends.iter().flat_map(|a| b.ends.iter().map(move |b| (a, b))) {
        if alike(a, b) && a.template != b.template {
            found.push((a.template.min(b.template), a.template.max(b.template)));
        }
    }
    for (literal, next) in tree.literals.of(one) {
        if let Some(twin) = tree.literals.find(other, literal) {
            compare(tree, (next, twin), found);
        }
    }
    for (a, b) in a.choices.iter().flat_map(|a| b.choices.iter().map(move |b| (a, b))) {
        if a.step == b.step || (are_of_one_rank(a, b) && overlap(&a.step, &b.step)) {
            compare(tree, (a.to, b.to), found);
        }
    }
}

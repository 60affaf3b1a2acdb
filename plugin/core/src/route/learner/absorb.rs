//! Adding what one worker has counted to what all have agreed on. Their trees may differ: what the worker
//! counted as a word may be part of `{str}` by now, and what has gone is gone.

use super::bounds::FOLD_HITS;
use super::collapse::{Keep, Merging};
use super::sketch::hash;
use super::tree::{Collapse, Id, Node, Tree};
use super::{Learned, Limits};
use crate::route::segment::Kind;

/// Growth of a parent's hits after which its kept words are looked at again, apart from each hour.
const REVIEW_GROWTH: u64 = 4;

impl Learned {
    /// Adds the fresh counts of another state, a worker's since it last adopted, to the agreed ones.
    pub fn absorb(&mut self, other: &Self, limits: Limits) {
        absorb_node(&mut self.tree, Id::ROOT, &other.tree, Id::ROOT);
        self.review(limits.possible());
    }

    /// Words that stand beside `{str}` since a time when little was known may prove rare. This does not
    /// wait for the hour, so that the order of arrival matters no longer than it must.
    fn review(&mut self, limits: Limits) {
        if limits.children.is_none() {
            return;
        }
        // Children first: to fold a node frees nodes below it only.
        for id in self.tree.below(Id::ROOT).into_iter().rev() {
            let collapse = self.tree.node_mut(id).and_then(|node| node.collapse.as_mut());
            if !collapse.is_some_and(|collapse| collapse.is_due()) {
                continue;
            }
            self.fold(id, limits);
        }
    }

    /// Moves the words of a collapsed node that are certainly rare into `{str}`.
    pub(super) fn fold(&mut self, id: Id, limits: Limits) {
        let mut merging = Merging::new(&mut self.tree, &mut self.names, limits);
        if !merging.leaving(id, Keep::NotRare).is_empty() {
            merging.collapse(id, Keep::NotRare);
        }
    }
}

impl Collapse {
    /// Whether it is time to look at the kept words, and if so, not again soon.
    fn is_due(&mut self) -> bool {
        let (words, last) = (u64::from(self.words.agreed), u64::from(self.reviewed));
        let due = words >= FOLD_HITS && words >= last * REVIEW_GROWTH;
        if due {
            self.reviewed = self.words.agreed;
        }
        due
    }
}

/// Recursion ends with the depth of the trees.
fn absorb_node(ours: &mut Tree, at: Id, theirs: &Tree, from: Id) {
    let (Some(theirs_node), Some(node)) = (theirs.node(from), ours.node_mut(at)) else { return };
    node.hits.agreed = node.hits.agreed.saturating_add(theirs_node.hits.fresh);
    for (child, hits) in absorb_collapse(node, theirs, theirs_node) {
        if let Some(child) = ours.node_mut(child) {
            grow(&mut child.hits.agreed, hits);
        }
    }
    for (kind, child) in Kind::ALL.into_iter().zip(theirs_node.kinds) {
        let known = ours.node(at).and_then(|node| node.kind(kind));
        if let (Some(known), Some(child)) = (known, child) {
            absorb_node(ours, known, theirs, child);
        }
    }
    for edge in &theirs_node.words {
        let Some(node) = ours.node(at) else { return };
        let by_str = node.kind(Kind::Str).filter(|_| node.collapse.is_some());
        if let Some(known) = node.word(&edge.word).or(by_str) {
            absorb_node(ours, known, theirs, edge.to);
        }
    }
}

/// The counts of a collapsed node, whether the worker knew already that it is one or not. Returns hits
/// that belong to its children.
fn absorb_collapse(node: &mut Node, theirs: &Tree, from: &Node) -> Vec<(Id, u32)> {
    let Some(mut collapse) = node.collapse.take() else { return Vec::new() };
    let mut left = Vec::new();
    match &from.collapse {
        Some(known) => left = collapse.absorb_fresh(known, node),
        None => {
            let typed = from.kind(Kind::Str).map_or(0, |child| theirs.hits_below(child).fresh);
            let words = theirs.word_hits(from).fresh;
            grow(&mut collapse.words.agreed, words);
            grow(&mut collapse.came.agreed, words);
            grow(&mut collapse.typed.agreed, typed);
        }
    }
    for edge in from.words.iter().filter(|edge| node.word(&edge.word).is_none()) {
        collapse.see(hash(&edge.word), theirs.hits_below(edge.to).fresh);
    }
    node.collapse = Some(collapse);
    left
}

impl Collapse {
    /// Adds what a worker has counted at the same node. Words that have been promoted meanwhile are left
    /// over: they are not this node's any more.
    fn absorb_fresh(&mut self, known: &Self, promoted: &Node) -> Vec<(Id, u32)> {
        grow(&mut self.words.agreed, known.words.fresh);
        grow(&mut self.typed.agreed, known.typed.fresh);
        grow(&mut self.came.agreed, known.came.fresh);
        let mut left = Vec::new();
        for counter in known.watch.iter().flat_map(|watch| watch.fresh.counters()) {
            let child = promoted.words.iter().find(|edge| hash(&edge.word) == counter.hash);
            match (child, &mut self.watch) {
                (Some(edge), _) => left.push((edge.to, counter.count - counter.error)),
                (None, Some(ours)) => ours.agreed.merge(counter),
                (None, None) => {}
            }
        }
        left
    }

    fn see(&mut self, hash: u32, count: u32) {
        if let Some(watch) = self.watch.as_mut().filter(|_| count > 0) {
            watch.agreed.add(hash, count);
        }
    }
}

fn grow(count: &mut u32, by: u32) {
    *count = count.saturating_add(by);
}

//! Collapsing: the rare words of a node merge, with all that is below them, into its `{str}` child.
//! When that is to happen is decided elsewhere.

use std::collections::BTreeSet;

use super::Limits;
use super::bounds::{
    BESIDE, CALM_HOURS, FOLD_HITS, FOLD_SHARE, HEAVY_HITS, RELAPSES, STAY_SHARE, WATCHED,
};
use super::names::Names;
use super::sketch::hash;
use super::tree::{Collapse, Edge, Ends, Hits, Id, Node, Tree};
use crate::route::segment::Kind;
use sightline_templates::sort::sort_by;

/// Which words keep their node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    /// The heavy ones, in a collapse.
    Heavy,
    /// All but the certainly rare ones, in a review of those that stand beside `{str}`.
    NotRare,
}

impl Keep {
    /// Whether a word with so many of its parent's hits stays.
    pub(super) fn holds(self, hits: u64, of: u64) -> bool {
        match self {
            Self::Heavy => hits >= HEAVY_HITS && hits * STAY_SHARE >= of,
            Self::NotRare => of < FOLD_HITS || hits * FOLD_SHARE >= of,
        }
    }
}

impl Collapse {
    /// Calm hours that it takes to open again.
    pub(super) fn patience(collapses: u8) -> u16 {
        CALM_HOURS << collapses.saturating_sub(1).min(RELAPSES)
    }
}

/// A tree and its names, while nodes are merged.
pub(super) struct Merging<'a> {
    pub(super) tree: &'a mut Tree,
    pub(super) names: &'a mut Names,
    pub(super) limits: Limits,
    /// Nodes that may still be watched.
    watches: usize,
}

impl<'a> Merging<'a> {
    pub(super) fn new(tree: &'a mut Tree, names: &'a mut Names, limits: Limits) -> Self {
        let watched = tree.all().filter_map(|node| node.collapse.as_ref()?.watch.as_ref()).count();
        Self { tree, names, limits, watches: WATCHED.saturating_sub(watched) }
    }

    /// Collapses a node, or folds the words of a collapsed one. False, and nothing has happened, when
    /// the new names could not be paid for.
    pub(super) fn collapse(&mut self, id: Id, keep: Keep) -> bool {
        if !self.can_pay(id, keep) {
            return false;
        }
        self.begin(id);
        self.sift(id, keep);
        self.name_all();
        true
    }

    /// Opens a collapsed node. Its `{str}` child stays when typing has sent something there.
    pub(super) fn open(&mut self, id: Id) {
        let Some(node) = self.tree.node_mut(id) else { return };
        let typed = node.collapse.take().is_some_and(|collapse| collapse.typed.total() > 0);
        if !typed && let Some(child) = node.kind(Kind::Str) {
            node.set_kind(Kind::Str, None);
            self.drop_all(child);
        }
    }

    /// The words of a node that would leave, in their order.
    pub(super) fn leaving(&self, id: Id, keep: Keep) -> Vec<Id> {
        let Some(node) = self.tree.node(id) else { return Vec::new() };
        let hits: Vec<_> = node
            .words
            .iter()
            .map(|edge| (edge.to, self.tree.hits_below(edge.to).total()))
            .collect();
        let known = node.collapse.as_ref().map_or(0, |collapse| collapse.words.total());
        let total = hits.iter().map(|(_, hits)| hits).sum::<u64>().max(known);
        let mut staying: Vec<_> =
            hits.iter().filter(|(_, hits)| keep.holds(*hits, total)).copied().collect();
        sort_by(&mut staying, |(_, one), (_, other)| one > other);
        staying.truncate(BESIDE);
        let stays = |to: Id| staying.iter().any(|&(one, _)| one == to);
        hits.into_iter().map(|(to, _)| to).filter(|&to| !stays(to)).collect()
    }

    /// Whether the routes that a collapse makes can all be named. It makes at most one for each
    /// distinct end of a path below the words that leave.
    fn can_pay(&self, id: Id, keep: Keep) -> bool {
        let left = self.names.left(self.limits);
        if left >= self.names.live() {
            return true;
        }
        let mut ends = BTreeSet::new();
        for child in self.leaving(id, keep) {
            self.ends_below(child, &mut String::new(), &mut ends);
        }
        ends.len() <= left
    }

    fn ends_below(&self, id: Id, path: &mut String, ends: &mut BTreeSet<String>) {
        let Some(node) = self.tree.node(id) else { return };
        if node.ends != Ends::No {
            ends.insert(path.clone());
        }
        for_each_child(node, path, &mut |child, path| self.ends_below(child, path, ends));
    }

    /// Makes a node a collapsed one, with all its words still in place.
    fn begin(&mut self, id: Id) {
        let Some(node) = self.tree.node(id).filter(|node| node.collapse.is_none()) else { return };
        let collapse = self.as_collapsed(node);
        if let Some(node) = self.tree.node_mut(id) {
            let watch = (self.watches > 0).then(Box::default);
            self.watches = self.watches.saturating_sub(1);
            node.collapse = Some(Box::new(Collapse { watch, ..collapse }));
            node.collapses = node.collapses.saturating_add(1);
        }
    }

    /// Moves the words that do not stay into `{str}`.
    fn sift(&mut self, id: Id, keep: Keep) {
        let leaving = self.leaving(id, keep);
        let Some(node) = self.tree.node_mut(id).filter(|_| !leaving.is_empty()) else { return };
        let edges: Vec<Edge> =
            node.words.extract_if(.., |edge| leaving.contains(&edge.to)).collect();
        node.words.shrink_to_fit();
        let known = node.kind(Kind::Str);
        let Some(into) = known.or_else(|| self.tree.add()) else { return };
        if let Some(node) = self.tree.node_mut(id) {
            node.set_kind(Kind::Str, Some(into));
        }
        for edge in edges {
            self.watch(id, &edge);
            self.tree.word_bytes -= edge.word.len();
            let from = self.tree.take(edge.to);
            self.merge(into, from);
        }
    }

    /// What a word had in hits goes into the watch.
    fn watch(&mut self, id: Id, edge: &Edge) {
        let Hits { agreed, fresh } = self.tree.hits_below(edge.to);
        let node = self.tree.node_mut(id);
        let Some(watch) = node.and_then(|node| node.collapse.as_mut()?.watch.as_mut()) else {
            return;
        };
        if agreed > 0 {
            watch.agreed.add(hash(&edge.word), agreed);
        }
        if fresh > 0 {
            watch.fresh.add(hash(&edge.word), fresh);
        }
    }

    /// Merges a node that has been taken out into another. Recursion ends with the depth of the tree.
    fn merge(&mut self, into: Id, mut from: Node) {
        self.merge_collapse(into, &mut from);
        self.merge_end(into, &from);
        for (kind, child) in Kind::ALL.into_iter().zip(from.kinds) {
            let Some(child) = child else { continue };
            let known = self.tree.node(into).and_then(|node| node.kind(kind));
            self.merge_child(known, child);
            if let Some(node) = self.tree.node_mut(into).filter(|_| known.is_none()) {
                node.set_kind(kind, Some(child));
            }
        }
        for edge in from.words {
            let known = self.tree.node(into).and_then(|node| node.word(&edge.word));
            self.merge_child(known, edge.to);
            if known.is_some() {
                self.tree.word_bytes -= edge.word.len();
            } else if let Some(node) = self.tree.node_mut(into) {
                node.attach(edge);
            }
        }
        self.narrow(into);
    }

    fn merge_child(&mut self, known: Option<Id>, child: Id) {
        if let Some(known) = known {
            let child = self.tree.take(child);
            self.merge(known, child);
        } else {
            self.unname(child);
        }
    }

    /// A merged node that has become too wide collapses too.
    fn narrow(&mut self, id: Id) {
        let Some(node) = self.tree.node(id) else { return };
        if node.collapse.is_none() {
            if self.limits.children.is_none_or(|most| node.words.len() <= most) {
                return;
            }
            self.begin(id);
        }
        self.sift(id, Keep::Heavy);
    }

    fn merge_end(&mut self, into: Id, from: &Node) {
        if let Ends::At(slot) = from.ends {
            self.names.retire(slot);
        }
        let Some(node) = self.tree.node_mut(into) else { return };
        node.hits.add(from.hits);
        node.collapses = node.collapses.max(from.collapses);
        if from.ends != Ends::No && node.ends == Ends::No {
            node.ends = Ends::Unnamed;
        }
    }

    /// Where one of two is collapsed, both are from now on.
    fn merge_collapse(&mut self, into: Id, from: &mut Node) {
        let Some(node) = self.tree.node(into) else { return };
        if node.collapse.is_none() && from.collapse.is_none() {
            return;
        }
        let other = from.collapse.take().unwrap_or_else(|| Box::new(self.as_collapsed(from)));
        let own = Box::new(self.as_collapsed(node));
        if let Some(node) = self.tree.node_mut(into) {
            node.collapse.get_or_insert(own).absorb(*other);
        }
    }

    /// What the counts would be, had the node been collapsed from the beginning.
    fn as_collapsed(&self, node: &Node) -> Collapse {
        let typed = node.kind(Kind::Str).map(|child| self.tree.hits_below(child));
        let words = self.tree.word_hits(node);
        let (typed, reviewed) = (typed.unwrap_or_default(), words.agreed);
        Collapse { words, typed, reviewed, ..Collapse::default() }
    }

    /// Frees the names of all routes at and below a node: they will be named anew.
    fn unname(&mut self, id: Id) {
        for id in self.tree.below(id) {
            let Some(node) = self.tree.node_mut(id) else { continue };
            if let Ends::At(slot) = node.ends {
                node.ends = Ends::Unnamed;
                self.names.retire(slot);
            }
        }
    }

    fn drop_all(&mut self, id: Id) {
        for id in self.tree.below(id) {
            let node = self.tree.take(id);
            self.tree.word_bytes -= node.words.iter().map(|edge| edge.word.len()).sum::<usize>();
            if let Ends::At(slot) = node.ends {
                self.names.retire(slot);
            }
        }
    }

    /// Names what has lost its name.
    fn name_all(&mut self) {
        self.name_below(Id::ROOT, &mut String::new());
    }

    fn name_below(&mut self, id: Id, path: &mut String) {
        let Some(node) = self.tree.node_mut(id) else { return };
        if node.ends == Ends::Unnamed {
            let name = self.names.replace(if path.is_empty() { "/" } else { path }, self.limits);
            node.ends = name.map_or(Ends::No, Ends::At);
        }
        let mut children = Vec::new();
        for_each_child(node, path, &mut |child, path| children.push((child, path.clone())));
        for (child, mut path) in children {
            self.name_below(child, &mut path);
        }
    }
}

impl Collapse {
    fn absorb(&mut self, other: Self) {
        self.words.add(other.words);
        self.typed.add(other.typed);
        self.came.add(other.came);
        self.calm = 0;
        let Some(theirs) = other.watch else { return };
        let Some(ours) = &mut self.watch else {
            self.watch = Some(theirs);
            return;
        };
        theirs.agreed.counters().for_each(|counter| ours.agreed.merge(counter));
        theirs.fresh.counters().for_each(|counter| ours.fresh.merge(counter));
    }
}

/// Takes back what was added. It cannot panic, as cutting a text at a wrong place could.
fn shorten(path: &mut String, length: usize) {
    while path.len() > length {
        path.pop();
    }
}

/// Calls with each child and the path to it.
pub(super) fn for_each_child(node: &Node, path: &mut String, f: &mut dyn FnMut(Id, &mut String)) {
    let length = path.len();
    for (kind, child) in Kind::ALL.into_iter().zip(node.kinds) {
        let Some(child) = child else { continue };
        path.push('/');
        path.push_str(kind.placeholder());
        f(child, path);
        shorten(path, length);
    }
    for edge in &node.words {
        path.push('/');
        path.extend(edge.word.iter().copied().map(char::from));
        f(edge.to, path);
        shorten(path, length);
    }
}

//! Second thoughts. Once an hour: what was long ago counts less, parents whose rare words are gone open
//! again, words that have become rare fall back into `{str}`. And when the limit has refused something,
//! the parents with the most rare words collapse before their time: in the next hour, or at once if it
//! refuses again and again.

use super::bounds::{CALM_HITS, COUNTERS, PATIENCE, PRESSED};
use super::collapse::{Keep, Merging};
use super::tree::{Collapse, Id, Node};
use super::{Learned, Limits};
use sightline_templates::sort::sort_by;

impl Learned {
    /// Settles when the hour, in hours since the epoch, has advanced. Within an hour it does nothing more
    /// than to make room where there is none for long.
    pub fn settle(&mut self, hour: u32, limits: Limits) {
        if self.pressed >= PATIENCE {
            self.relieve(limits.possible());
        }
        if hour <= self.hour {
            return;
        }
        // The first settling only sets the clock: nothing is an hour old.
        let passed = if self.hour == 0 { 0 } else { hour - self.hour };
        self.hour = hour;
        if passed == 0 {
            return;
        }
        let limits = limits.possible();
        if let Some(most) = limits.children {
            self.think_again(most, limits);
        }
        self.relieve(limits);
        self.decay(passed);
        self.spent = false;
    }

    /// Opens what has been calm for long, and folds what has become rare. Children come first: to change a
    /// node frees nodes below it only.
    fn think_again(&mut self, most: usize, limits: Limits) {
        for id in self.tree.below(Id::ROOT).into_iter().rev() {
            let Some(node) = self.tree.node_mut(id) else { continue };
            let (beside, collapses) = (node.words.len(), node.collapses);
            let Some(collapse) = &mut node.collapse else { continue };
            collapse.watch_hour(beside, most);
            if collapse.calm >= Collapse::patience(collapses) {
                Merging::new(&mut self.tree, &mut self.names, limits).open(id);
            } else {
                self.fold(id, limits);
            }
        }
    }

    /// Makes room where the limit has refused something: a quarter of it, and more the fewer names are
    /// left to give. Otherwise parents that are just too narrow to collapse would use up all names.
    fn relieve(&mut self, limits: Limits) {
        let pressed = std::mem::take(&mut self.pressed) > 0;
        let full = self.names.live() >= limits.routes || self.names.are_scarce(limits);
        if !pressed || !full || limits.children.is_none() {
            return;
        }
        for id in self.crowded(limits) {
            if self.names.live() <= (limits.routes / 4 * 3).min(self.names.left(limits)) {
                return;
            }
            let mut merging = Merging::new(&mut self.tree, &mut self.names, limits);
            // A collapse before may have taken the node away, or its words.
            if merging.leaving(id, Keep::Heavy).len() >= PRESSED {
                merging.collapse(id, Keep::Heavy);
            }
        }
    }

    /// Nodes with rare words enough, the widest first.
    fn crowded(&mut self, limits: Limits) -> Vec<Id> {
        let ids = self.tree.below(Id::ROOT);
        let merging = Merging::new(&mut self.tree, &mut self.names, limits);
        let rare = ids.into_iter().map(|id| (merging.leaving(id, Keep::Heavy).len(), id));
        let mut rare: Vec<_> = rare.filter(|&(words, _)| words >= PRESSED).collect();
        // Equals come in whatever order: it is the same on every worker, because the tree is.
        sort_by(&mut rare, |(one, _), (other, _)| one > other);
        rare.into_iter().map(|(_, id)| id).collect()
    }

    fn decay(&mut self, hours: u32) {
        self.tree.all_mut().for_each(|node| node.decay(hours));
    }
}

impl Node {
    fn decay(&mut self, hours: u32) {
        self.hits.halve(hours);
        if let Some(collapse) = &mut self.collapse {
            collapse.decay(hours);
        }
    }
}

impl Collapse {
    /// Judges the hour that has passed. A quiet one proves nothing: nights must not keep a parent
    /// collapsed, nor open it.
    fn watch_hour(&mut self, beside: usize, most: usize) {
        let Some(watch) = &self.watch else { return };
        let distinct = watch.agreed.len();
        let few = distinct <= (most / 2).min(COUNTERS - 1) && distinct + beside <= most;
        if !few {
            self.calm = 0;
        } else if self.came.agreed >= CALM_HITS {
            self.calm = self.calm.saturating_add(1);
        }
        self.came.agreed = 0;
    }

    fn decay(&mut self, hours: u32) {
        self.words.halve(hours);
        self.typed.halve(hours);
        self.reviewed = self.reviewed.checked_shr(hours).unwrap_or(0);
        if let Some(watch) = &mut self.watch {
            watch.agreed.halve(hours);
        }
    }
}

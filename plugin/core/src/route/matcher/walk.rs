//! A path's way through the tree: which template it comes out at.
//!
//! Backtracking is whole: wherever a step leads to nothing, the next one is tried. A node is reached by
//! one number of segments only, unless there is a rest before it, so without rests no node is entered
//! twice. Behind a rest, each place in the path is tried once: see [`Tried`]. So the work is bounded by
//! the tree, and by the path times what stands behind rests.

use std::ops::Range;

use super::steps::Step;
use super::tree::{Choice, End, Node, NodeId, Tree};
use crate::route::template::Rest;

/// What is wanted of a walk.
pub(super) trait Goal {
    /// Whether a subtree in which this is the first template need not be entered.
    fn skips(&self, _first: u32) -> bool {
        false
    }

    /// A template is reached. Says whether that ends the walk.
    fn reach(&mut self, end: &End) -> bool;

    /// The walk has ended, and this is what one of its steps took. Told from the last step to the first.
    fn came_by(&mut self, _taken: Range<usize>) {}
}

/// For each rest: the walk in which, and the place from which on, all that is behind it was tried. What
/// begins further on would find nothing new.
#[derive(Debug, Default)]
pub(super) struct Tried {
    rests: Vec<(u32, usize)>,
    walk: u32,
}

/// A walk under way.
pub(super) struct Walk<'a, G> {
    tree: &'a Tree,
    path: &'a [u8],
    tried: &'a mut Tried,
    pub(super) goal: G,
}

/// Where the next segment begins; none: the path is at its end.
type Place = Option<usize>;

impl<'a, G: Goal> Walk<'a, G> {
    /// Walks a path without the slashes around it.
    pub(super) fn all_the_way(tree: &'a Tree, path: &'a [u8], tried: &'a mut Tried, goal: G) -> G {
        tried.begin(tree.rests);
        let mut walk = Self { tree, path, tried, goal };
        let start = (!path.is_empty()).then_some(0);
        walk.enter(Tree::ROOT, start);
        walk.goal
    }

    fn enter(&mut self, id: NodeId, at: Place) -> bool {
        let Some(node) = self.tree.node(id).filter(|node| !self.goal.skips(node.first)) else {
            return false;
        };
        match at {
            Some(start) => self.go_on(id, node, start),
            None => {
                node.ends.iter().any(|end| self.goal.reach(end))
                    || node.choices.iter().any(|choice| self.skip_segments(choice, at))
            }
        }
    }

    fn go_on(&mut self, id: NodeId, node: &Node, start: usize) -> bool {
        let (segment, next) = self.segment(start);
        let literal = if node.has_literals { self.tree.literals.find(id, segment) } else { None };
        let found = literal.is_some_and(|child| self.enter(child, next))
            || node.choices.iter().any(|choice| match choice.step {
                Step::Rest(_) => false,
                _ => choice.step.takes(segment) && self.enter(choice.to, next),
            });
        if found {
            self.goal.came_by(start..start + segment.len());
            return true;
        }
        node.choices.iter().any(|choice| self.skip_segments(choice, Some(start)))
    }

    /// Tries what is behind a rest after fewer segments first.
    fn skip_segments(&mut self, choice: &Choice, at: Place) -> bool {
        let Step::Rest(rest) = choice.step else { return false };
        let Some(mut here) = self.after_the_least(rest, at) else { return false };
        let Some(end) = self.tried.mark(choice.rest, order(here)) else { return false };
        if self.tree.node(choice.to).is_some_and(Node::is_last) {
            here = None;
        }
        loop {
            if self.enter(choice.to, here) {
                self.goal.came_by(self.taken(at, here));
                return true;
            }
            match here {
                Some(start) => here = self.segment(start).1,
                None => return false,
            }
            if order(here) >= end {
                return false;
            }
        }
    }

    /// Where a rest has taken as little as it must; none if it cannot.
    fn after_the_least(&self, rest: Rest, at: Place) -> Option<Place> {
        if rest == Rest::Any {
            return Some(at);
        }
        let (segment, next) = self.segment(at?);
        match (rest, next) {
            (Rest::NoSlashFirst, _) => (!segment.is_empty()).then_some(next),
            // Between two slashes there is nothing yet.
            (Rest::Some, Some(second)) if segment.is_empty() => Some(self.segment(second).1),
            _ => Some(next),
        }
    }

    /// What a rest took that began and ended at these places.
    fn taken(&self, from: Place, to: Place) -> Range<usize> {
        let length = self.path.len();
        let start = from.unwrap_or(length);
        start..to.map_or(length, |next| next.saturating_sub(1)).max(start)
    }

    fn segment(&self, start: usize) -> (&'a [u8], Place) {
        let rest = self.path.get(start..).unwrap_or_default();
        match rest.iter().position(|&byte| byte == b'/') {
            Some(length) => (rest.get(..length).unwrap_or_default(), Some(start + length + 1)),
            None => (rest, None),
        }
    }
}

/// The end of the path is behind all places in it.
fn order(place: Place) -> usize {
    place.unwrap_or(usize::MAX - 1)
}

impl Tried {
    fn begin(&mut self, rests: usize) {
        if rests == 0 {
            return;
        }
        if self.rests.len() < rests {
            self.rests.resize(rests, (0, 0));
        }
        self.walk = self.walk.wrapping_add(1);
        if self.walk == 0 {
            self.rests.fill((0, 0));
            self.walk = 1;
        }
    }

    /// From this place on the rest is being tried now. Hands back where to stop, and nothing where there
    /// is nothing new to try.
    fn mark(&mut self, rest: usize, from: usize) -> Option<usize> {
        let (walk, tried) = self.rests.get_mut(rest)?;
        let already = (*walk == self.walk).then_some(*tried);
        if already.is_some_and(|already| from >= already) {
            return None;
        }
        (*walk, *tried) = (self.walk, from);
        Some(already.unwrap_or(usize::MAX))
    }
}

//! What the paths of one Envoy have taught: which inferred routes exist, and which parents have so many
//! children that their rare words are one `{str}`.
//!
//! A [`Learned`] is the state of a whole Envoy. Each worker finds and counts in its own copy. Now and
//! then it takes the agreed bytes, decodes them, lets them [absorb](Learned::absorb) what it has counted
//! since, [admits](Learned::admit) the paths that it met, [settles](Learned::settle) when an hour has
//! passed, swaps the bytes and, if nobody was faster, [adopts](Learned::adopt) the outcome. All of it is
//! a pure function of states.
//!
//! It does not type segments, does not judge answers (only an answer that shows that a path exists may
//! be counted or admitted), and knows neither clock nor shared data.

mod absorb;
mod admit;
mod bounds;
mod codec;
mod collapse;
mod explain;
mod names;
mod settle;
mod sketch;
mod suggest;
mod tree;

#[cfg(test)]
mod tests;

pub use admit::Full;
pub use explain::{Step, Taken};
pub use names::Slot;
pub use suggest::Suggestion;

use bounds::{BESIDE, ROUTES};
use names::Names;
use tree::{Ends, Share, Tree, Walked};

use super::segment::Part;

/// What has been learned so far. Empty at first.
#[derive(Clone, Debug, Default)]
pub struct Learned {
    tree: Tree,
    names: Names,
    /// Paths refused since ever.
    refused: u64,
    /// The hour of the last settling; 0 before the first.
    hour: u32,
    /// How often something was refused since there was room made last.
    pressed: u16,
    /// A heavy word was refused a node of its own since the last settling: asking again is no use.
    spent: bool,
}

/// How much may be learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Inferred routes at a time. Twice as many names are given at most, since ever.
    pub routes: usize,
    /// Words that a parent may have before the rare ones collapse; `None`: nothing collapses.
    pub children: Option<usize>,
}

/// The route of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its number.
    pub route: Slot,
    /// Some word was taken as `{str}` because its parent has collapsed.
    pub collapsed: bool,
}

/// What a counted answer asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attention {
    /// Nothing.
    None,
    /// A word on the way has become heavy: admit the path again, and it gets a node of its own.
    Promote,
}

/// The state in three numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Inferred routes that exist.
    pub active: usize,
    /// Parents that have collapsed.
    pub collapsed: usize,
    /// Paths that the limit has refused, since ever.
    pub refused: u64,
}

impl Learned {
    /// The route of a path, if it is known. Changes nothing and allocates nothing.
    pub fn find(&self, path: &[Part<'_>]) -> Option<Found> {
        let Walked { id, collapsed, .. } = self.tree.walk(path)?;
        match self.tree.node(id)?.ends {
            Ends::At(route) => Some(Found { route, collapsed }),
            Ends::No | Ends::Unnamed => None,
        }
    }

    /// Counts a confirmed answer of a known path for this worker; of an unknown one, nothing.
    pub fn count(&mut self, path: &[Part<'_>]) -> Attention {
        let heavy = self.tree.record(path, Share::Fresh);
        if heavy && !self.spent { Attention::Promote } else { Attention::None }
    }

    /// Takes a state as the agreed one. Nothing is fresh then.
    pub fn adopt(&mut self, agreed: Self) {
        *self = agreed;
        self.tree.all_mut().for_each(tree::Node::forget_fresh);
    }

    /// The name of a route, such as `/users/{int}/orders`. Routes that have gone keep theirs: an exchange
    /// may still be on its way.
    pub fn name(&self, slot: Slot) -> Option<&str> {
        self.names.text(slot)
    }

    /// All routes that exist, by number.
    pub fn routes(&self) -> impl Iterator<Item = (Slot, &str)> {
        self.names.all().filter(|&(_, _, live)| live).map(|(slot, name, _)| (slot, name))
    }

    /// The state in three numbers.
    pub fn summary(&self) -> Summary {
        let collapsed = self.tree.all().filter(|node| node.collapse.is_some()).count();
        Summary { active: self.names.live(), collapsed, refused: self.refused }
    }

    /// How many routes there are with all of their words, and how many with some collapsed.
    pub fn by_source(&self) -> (usize, usize) {
        self.tree.routes_below(tree::Id::ROOT, false)
    }

    /// An estimate of what this takes in memory.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.tree.bytes() + self.names.bytes()
    }
}

impl Limits {
    /// The same, as far as the learner can go.
    fn possible(self) -> Self {
        Self { routes: self.routes.min(ROUTES), ..self }
    }

    /// Whether words beside `{str}` have used up what they may: half of the routes.
    fn are_promotions_spent(self, tree: &Tree) -> bool {
        let beside = |node: &tree::Node| node.collapse.as_ref().map_or(0, |_| node.words.len());
        tree.all().map(beside).sum::<usize>() * 2 >= self.routes
    }

    /// Whether one more word fits beside a node's `{str}`.
    fn fits_beside(node: &tree::Node) -> bool {
        node.words.len() < BESIDE
    }
}

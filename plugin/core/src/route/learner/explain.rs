//! How a path leads to its route, part by part, as data. It changes nothing.

use super::Learned;
use super::tree::{Collapse, Id};
use crate::route::segment::{Kind, Part};

/// What became of one part of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The part: a word, or a kind's placeholder.
    pub part: String,
    /// How it was taken.
    pub taken: Taken,
}

/// How a part was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// As it is: such a child is known.
    AsIs,
    /// As `{str}`, because the parent has collapsed.
    AsStr {
        /// Words that the parent is known to have had of late. It holds no more than some dozens, so this
        /// is a least number.
        distinct: usize,
    },
    /// Not at all: nobody has been there yet.
    Unknown,
}

impl Learned {
    /// How each part of a path is taken.
    pub fn explain(&self, path: &[Part<'_>]) -> Vec<Step> {
        let mut at = Some(Id::ROOT);
        path.iter()
            .map(|part| {
                let (next, taken) = self.explain_part(at, part);
                at = next;
                Step { part: spelled(part), taken }
            })
            .collect()
    }

    fn explain_part(&self, at: Option<Id>, part: &Part<'_>) -> (Option<Id>, Taken) {
        let Some(node) = at.and_then(|id| self.tree.node(id)) else {
            return (None, Taken::Unknown);
        };
        let known = match part {
            Part::Word(word) => node.word(word),
            Part::Kind(kind) => node.kind(*kind),
        };
        match (known, part, &node.collapse) {
            (Some(next), ..) => (Some(next), Taken::AsIs),
            (None, Part::Word(_), Some(collapse)) => {
                let next = node.kind(Kind::Str);
                let distinct = collapse.distinct() + node.words.len();
                (next, next.map_or(Taken::Unknown, |_| Taken::AsStr { distinct }))
            }
            _ => (None, Taken::Unknown),
        }
    }
}

impl Collapse {
    /// Words that the watch holds.
    fn distinct(&self) -> usize {
        let Some(watch) = &self.watch else { return 0 };
        let known = |hash| watch.agreed.counters().any(|counter| counter.hash == hash);
        watch.agreed.len() + watch.fresh.counters().filter(|counter| !known(counter.hash)).count()
    }
}

fn spelled(part: &Part<'_>) -> String {
    match part {
        Part::Word(word) => String::from_utf8_lossy(word).into_owned(),
        Part::Kind(kind) => kind.placeholder().to_owned(),
    }
}

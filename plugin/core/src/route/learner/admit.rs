//! Admitting a path whose existence an answer has shown. It is the only way to a new route.

use super::bounds::{DEPTH, NODES, WORD_BYTES};
use super::collapse::{Keep, Merging};
use super::sketch::hash;
use super::tree::{Edge, Ends, Id, Node, Share, is_sound};
use super::{Found, Learned, Limits};
use crate::route::segment::{Kind, Part};

/// A bound is reached: this path gets no route of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl std::fmt::Display for Full {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the limit of inferred routes is reached")
    }
}

impl std::error::Error for Full {}

/// What a look along a path has shown.
enum Survey {
    /// The route can be made.
    Clear(Way),
    /// This node has as many words as it may, and the next would be one more.
    Crowded(Id),
}

/// How a path goes through the tree, and beyond.
struct Way {
    /// The last node that is there.
    last: Id,
    /// Parts that lead to it.
    known: usize,
    /// The first part beyond is a word taken as `{str}`.
    as_str: bool,
    /// The first part beyond is a heavy word that leaves `{str}`.
    promoted: bool,
    /// The name of the route.
    name: String,
}

/// Where one part leads from a node.
#[derive(Clone, Copy)]
struct Step {
    to: Option<Id>,
    /// A word that is taken as `{str}`.
    as_str: bool,
    /// A word that leaves `{str}`.
    promoted: bool,
}

/// Whether heavy words may leave `{str}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Promotions {
    Open,
    Closed,
}

impl Learned {
    /// Makes a path's route known and counts the answer as agreed. A path that is known keeps its route,
    /// unless a word on the way has become heavy.
    ///
    /// `Full` leaves no half-made branch, though a parent may have collapsed before. It is counted, so the
    /// state is worth swapping then too.
    pub fn admit(&mut self, path: &[Part<'_>], limits: Limits) -> Result<Found, Full> {
        let limits = limits.possible();
        let way = self.clear(path, limits).ok_or_else(|| self.refuse())?;
        if !self.build(path, &way, limits) {
            self.spent |= way.promoted;
            let without = way.promoted.then(|| self.survey(path, limits, Promotions::Closed));
            let Some(Survey::Clear(way)) = without else { return Err(self.refuse()) };
            if !self.build(path, &way, limits) {
                return Err(self.refuse());
            }
        }
        self.tree.record(path, Share::Agreed);
        self.find(path).ok_or(Full)
    }

    /// The way of a path, after the collapses that it takes: at most one for each part.
    fn clear(&mut self, path: &[Part<'_>], limits: Limits) -> Option<Way> {
        if !is_sound(path) {
            return None;
        }
        for _ in 0..=DEPTH {
            match self.survey(path, limits, Promotions::Open) {
                Survey::Clear(way) => return Some(way),
                Survey::Crowded(id) => {
                    let mut merging = Merging::new(&mut self.tree, &mut self.names, limits);
                    if !merging.collapse(id, Keep::Heavy) {
                        return None;
                    }
                }
            }
        }
        None
    }

    fn survey(&mut self, path: &[Part<'_>], limits: Limits, promotions: Promotions) -> Survey {
        let mut way = Way::new();
        for part in path {
            let Some(node) = self.tree.node(way.last) else { break };
            if let (Part::Word(word), None) = (part, &node.collapse)
                && node.word(word).is_none()
                && is_crowded(node, limits)
            {
                return Survey::Crowded(way.last);
            }
            let mut step = Step::new(node, part);
            if step.as_str && promotions == Promotions::Open && Step::is_heavy(node, part) {
                step.promoted = !limits.are_promotions_spent(&self.tree);
                self.spent |= !step.promoted;
            }
            if !way.follow(part, step) {
                break;
            }
        }
        way.name_rest(path);
        Survey::Clear(way)
    }

    /// Makes what is missing. False, and nothing has happened, when a bound forbids it.
    fn build(&mut self, path: &[Part<'_>], way: &Way, limits: Limits) -> bool {
        let beyond = path.get(way.known..).unwrap_or_default();
        let known = self.tree.node(way.last).is_some_and(|node| node.ends != Ends::No);
        if beyond.is_empty() && known {
            return true;
        }
        let words = beyond.iter().map(|part| part_bytes(part)).sum::<usize>();
        if self.tree.len() + beyond.len() > NODES || self.tree.word_bytes + words > WORD_BYTES {
            return false;
        }
        let Some(slot) = self.names.admit(&way.name, limits) else { return false };
        let mut at = way.last;
        for (index, part) in beyond.iter().enumerate() {
            let part = if index == 0 && way.as_str { &Part::Kind(Kind::Str) } else { part };
            let Some(next) = self.grow(at, part) else { break };
            at = next;
        }
        if let Some(node) = self.tree.node_mut(at) {
            node.ends = Ends::At(slot);
        }
        if way.promoted {
            self.hand_over(way.last, beyond.first(), at);
        }
        true
    }

    /// A new child.
    fn grow(&mut self, id: Id, part: &Part<'_>) -> Option<Id> {
        let next = self.tree.add()?;
        let node = self.tree.node_mut(id)?;
        match part {
            Part::Kind(kind) => node.set_kind(*kind, Some(next)),
            Part::Word(word) => node.attach(Edge::new(word, next)),
        }
        self.tree.word_bytes += part_bytes(part);
        Some(next)
    }

    /// What the watch has counted of a promoted word is the new route's: it would be rare otherwise.
    fn hand_over(&mut self, parent: Id, part: Option<&Part<'_>>, route: Id) {
        let Some(Part::Word(word)) = part else { return };
        let node = self.tree.node_mut(parent);
        let watch = node.and_then(|node| node.collapse.as_mut()?.watch.as_mut());
        let Some(watch) = watch else { return };
        let agreed = watch.agreed.remove(hash(word));
        let fresh = watch.fresh.remove(hash(word));
        if let Some(node) = self.tree.node_mut(route) {
            node.hits.add(super::tree::Hits { agreed, fresh });
        }
    }

    fn refuse(&mut self) -> Full {
        self.refused = self.refused.saturating_add(1);
        self.pressed = self.pressed.saturating_add(1);
        Full
    }
}

impl Step {
    fn new(node: &Node, part: &Part<'_>) -> Self {
        let as_str = match part {
            Part::Word(word) => node.collapse.is_some() && node.word(word).is_none(),
            Part::Kind(_) => false,
        };
        let to = match part {
            Part::Word(word) if !as_str => node.word(word),
            Part::Word(_) => node.kind(Kind::Str),
            Part::Kind(kind) => node.kind(*kind),
        };
        Self { to, as_str, promoted: false }
    }

    fn is_heavy(node: &Node, part: &Part<'_>) -> bool {
        let (Part::Word(word), Some(collapse)) = (part, &node.collapse) else { return false };
        Limits::fits_beside(node) && collapse.is_heavy(hash(word))
    }
}

impl Way {
    fn new() -> Self {
        Self { last: Id::ROOT, known: 0, as_str: false, promoted: false, name: String::new() }
    }

    /// Goes on along a part. False when that leads beyond what is there.
    fn follow(&mut self, part: &Part<'_>, step: Step) -> bool {
        match step.to {
            Some(to) if !step.promoted => {
                self.name_part(part, step.as_str);
                self.last = to;
                self.known += 1;
                true
            }
            _ => {
                self.promoted = step.promoted;
                self.as_str = step.as_str && !step.promoted;
                false
            }
        }
    }

    fn name_rest(&mut self, path: &[Part<'_>]) {
        for (index, part) in path.iter().enumerate().skip(self.known) {
            self.name_part(part, self.as_str && index == self.known);
        }
        if path.is_empty() {
            self.name.push('/');
        }
    }

    fn name_part(&mut self, part: &Part<'_>, as_str: bool) {
        self.name.push('/');
        match part {
            Part::Word(_) if as_str => self.name.push_str(Kind::Str.placeholder()),
            Part::Word(word) => self.name.extend(word.iter().copied().map(char::from)),
            Part::Kind(kind) => self.name.push_str(kind.placeholder()),
        }
    }
}

fn is_crowded(node: &Node, limits: Limits) -> bool {
    limits.children.is_some_and(|most| node.words.len() >= most)
}

fn part_bytes(part: &Part<'_>) -> usize {
    match part {
        Part::Word(word) => word.len(),
        Part::Kind(_) => 0,
    }
}

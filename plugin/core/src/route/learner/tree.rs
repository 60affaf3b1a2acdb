//! The tree of parts: nodes, and the way through them. What to do when a parent grows too wide is in
//! `collapse`, when to think again in `settle`.

use std::cmp::Ordering;
use std::num::NonZeroU16;

use super::bounds::{DEPTH, HEAVY_HITS, PROMOTE_SHARE, WORD};
use super::names::Slot;
use super::sketch::{Sketch, hash};
use crate::route::segment::{self, Kind, Part};
use sightline_templates::sort::insert_at;

/// The place of a node, counted from 1 so that an absent one takes no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Id(NonZeroU16);

impl Id {
    pub(super) const ROOT: Self = Self(NonZeroU16::MIN);

    fn index(self) -> usize {
        usize::from(self.0.get()) - 1
    }

    fn at(index: usize) -> Option<Self> {
        u16::try_from(index + 1).ok().and_then(NonZeroU16::new).map(Self)
    }
}

/// A number of hits: what all workers know of, and what only this one does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Hits {
    pub(super) agreed: u32,
    pub(super) fresh: u32,
}

/// Whose hit it is that is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Share {
    Agreed,
    Fresh,
}

/// Whether a route ends at a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Ends {
    #[default]
    No,
    /// One does, but it must be named anew. Only in the middle of a collapse.
    Unnamed,
    At(Slot),
}

/// One place in the tree.
#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    /// Sorted by length, then bytes.
    pub(super) words: Vec<Edge>,
    pub(super) kinds: [Option<Id>; Kind::ALL.len()],
    pub(super) ends: Ends,
    /// Of the route that ends here.
    pub(super) hits: Hits,
    pub(super) collapse: Option<Box<Collapse>>,
    /// How often this node has collapsed.
    pub(super) collapses: u8,
}

/// A word below a node.
#[derive(Clone, Debug)]
pub(super) struct Edge {
    key: u64,
    pub(super) word: Box<[u8]>,
    pub(super) to: Id,
}

/// What is known of a node whose rare words pass through its `{str}` child.
#[derive(Clone, Debug, Default)]
pub(super) struct Collapse {
    /// Words that passed, also those with a node of their own.
    pub(super) words: Hits,
    /// Parts that typing had already made `{str}`.
    pub(super) typed: Hits,
    /// Words that passed since the last settling.
    pub(super) came: Hits,
    /// What `words` was when the kept words were last looked at.
    pub(super) reviewed: u32,
    /// Hours with few distinct words.
    pub(super) calm: u16,
    /// None when too many nodes are watched already.
    pub(super) watch: Option<Box<Watch>>,
}

/// Which words pass.
#[derive(Clone, Debug, Default)]
pub(super) struct Watch {
    pub(super) agreed: Sketch,
    pub(super) fresh: Sketch,
}

/// The nodes.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    free: Vec<Id>,
    /// Bytes of all words.
    pub(super) word_bytes: usize,
}

/// The end of a way through the tree.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walked {
    pub(super) id: Id,
    /// Some word was taken as `{str}`.
    pub(super) collapsed: bool,
    /// Some node on the way has collapsed and counts what passes.
    counts: bool,
}

impl Default for Tree {
    fn default() -> Self {
        Self { nodes: vec![Node::default()], free: Vec::new(), word_bytes: 0 }
    }
}

impl Hits {
    pub(super) fn total(self) -> u64 {
        u64::from(self.agreed) + u64::from(self.fresh)
    }

    pub(super) fn add(&mut self, other: Self) {
        self.agreed = self.agreed.saturating_add(other.agreed);
        self.fresh = self.fresh.saturating_add(other.fresh);
    }

    pub(super) fn count(&mut self, share: Share) {
        match share {
            Share::Agreed => self.agreed = self.agreed.saturating_add(1),
            Share::Fresh => self.fresh = self.fresh.saturating_add(1),
        }
    }

    /// Divides the agreed part by a power of two.
    pub(super) fn halve(&mut self, times: u32) {
        self.agreed = self.agreed.checked_shr(times).unwrap_or(0);
    }
}

impl Watch {
    pub(super) fn at_least(&self, hash: u32) -> u64 {
        u64::from(self.agreed.at_least(hash)) + u64::from(self.fresh.at_least(hash))
    }
}

impl Collapse {
    /// Whether a word that passes through `{str}` deserves a node of its own.
    pub(super) fn is_heavy(&self, hash: u32) -> bool {
        let seen = self.watch.as_ref().map_or(0, |watch| watch.at_least(hash));
        seen >= HEAVY_HITS && seen * PROMOTE_SHARE >= self.words.total()
    }

    fn count(&mut self, word: &[u8], taken_as_str: bool, share: Share) -> bool {
        self.words.count(share);
        self.came.count(share);
        if !taken_as_str {
            return false;
        }
        let Some(watch) = &mut self.watch else { return false };
        let hash = hash(word);
        match share {
            Share::Agreed => watch.agreed.add(hash, 1),
            Share::Fresh => watch.fresh.add(hash, 1),
        }
        self.is_heavy(hash)
    }
}

impl Edge {
    pub(super) fn new(word: &[u8], to: Id) -> Self {
        Self { key: key(word), word: word.into(), to }
    }

    /// Whether this edge stands before another one.
    pub(super) fn is_before(&self, other: &Self) -> bool {
        (self.key, &self.word) < (other.key, &other.word)
    }
}

impl Node {
    pub(super) fn word(&self, word: &[u8]) -> Option<Id> {
        self.search(word).ok().and_then(|at| self.words.get(at)).map(|edge| edge.to)
    }

    pub(super) fn kind(&self, kind: Kind) -> Option<Id> {
        self.kinds.get(kind as usize).copied().flatten()
    }

    pub(super) fn set_kind(&mut self, kind: Kind, to: Option<Id>) {
        if let Some(child) = self.kinds.get_mut(kind as usize) {
            *child = to;
        }
    }

    /// Adds a word that is not there yet.
    pub(super) fn attach(&mut self, edge: Edge) {
        if let Err(at) = self.search(&edge.word) {
            // No room for growth: words come seldom and the state is to be small.
            self.words.reserve_exact(1);
            insert_at(&mut self.words, at, edge);
        }
    }

    /// Forgets what this worker alone knows.
    pub(super) fn forget_fresh(&mut self) {
        self.hits.fresh = 0;
        let Some(collapse) = &mut self.collapse else { return };
        for hits in [&mut collapse.words, &mut collapse.typed, &mut collapse.came] {
            hits.fresh = 0;
        }
        if let Some(watch) = &mut collapse.watch {
            watch.fresh.clear();
        }
    }

    /// All children.
    pub(super) fn children(&self) -> impl Iterator<Item = Id> {
        self.kinds.iter().flatten().copied().chain(self.words.iter().map(|edge| edge.to))
    }

    /// The child that a part leads to, and whether a word was taken as `{str}`.
    fn step(&self, part: &Part<'_>) -> Option<(Id, bool)> {
        match part {
            Part::Kind(kind) => self.kind(*kind).map(|id| (id, false)),
            Part::Word(word) => match self.word(word) {
                Some(id) => Some((id, false)),
                None if self.collapse.is_some() => self.kind(Kind::Str).map(|id| (id, true)),
                None => None,
            },
        }
    }

    fn search(&self, word: &[u8]) -> Result<usize, usize> {
        let key = key(word);
        self.words.binary_search_by(|edge| {
            // Up to seven bytes are all in the key.
            let rest = || if word.len() < 8 { Ordering::Equal } else { (*edge.word).cmp(word) };
            edge.key.cmp(&key).then_with(rest)
        })
    }
}

impl Tree {
    pub(super) fn node(&self, id: Id) -> Option<&Node> {
        self.nodes.get(id.index())
    }

    pub(super) fn node_mut(&mut self, id: Id) -> Option<&mut Node> {
        self.nodes.get_mut(id.index())
    }

    /// A new node, without a parent yet.
    pub(super) fn add(&mut self) -> Option<Id> {
        if let Some(id) = self.free.pop() {
            return Some(id);
        }
        let id = Id::at(self.nodes.len())?;
        self.nodes.push(Node::default());
        Some(id)
    }

    /// Takes a node out. Its children are the caller's now, and so are its words' bytes.
    pub(super) fn take(&mut self, id: Id) -> Node {
        self.free.push(id);
        self.node_mut(id).map(std::mem::take).unwrap_or_default()
    }

    /// Nodes in use.
    pub(super) fn len(&self) -> usize {
        self.nodes.len() - self.free.len()
    }

    /// Every node, in use or not: what is done to all of them needs no walk.
    pub(super) fn all_mut(&mut self) -> impl Iterator<Item = &mut Node> {
        self.nodes.iter_mut()
    }

    /// Every node, in use or not.
    pub(super) fn all(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter()
    }

    /// All nodes below one, itself first, parents before children, in the order of their parts: that
    /// order is the same on every worker.
    pub(super) fn below(&self, id: Id) -> Vec<Id> {
        let (mut found, mut waiting) = (Vec::new(), vec![id]);
        while let Some(id) = waiting.pop() {
            found.push(id);
            let first = waiting.len();
            waiting.extend(self.node(id).into_iter().flat_map(Node::children));
            if let Some(new) = waiting.get_mut(first..) {
                new.reverse();
            }
        }
        found
    }

    /// The hits of all routes at or below a node.
    pub(super) fn hits_below(&self, id: Id) -> Hits {
        let mut sum = Hits::default();
        let Some(node) = self.node(id) else { return sum };
        sum.add(node.hits);
        for child in node.children() {
            sum.add(self.hits_below(child));
        }
        sum
    }

    /// How many routes end at or below a node: those that are reached without a collapse, and the others.
    pub(super) fn routes_below(&self, id: Id, collapsed: bool) -> (usize, usize) {
        let Some(node) = self.node(id) else { return (0, 0) };
        let here = usize::from(node.ends != Ends::No);
        let own = if collapsed { (0, here) } else { (here, 0) };
        node.children().fold(own, |(typed, learned), child| {
            let through = node.collapse.is_some() && node.kind(Kind::Str) == Some(child);
            let below = self.routes_below(child, collapsed || through);
            (typed + below.0, learned + below.1)
        })
    }

    /// The hits of all words of a node.
    pub(super) fn word_hits(&self, node: &Node) -> Hits {
        let mut sum = Hits::default();
        for edge in &node.words {
            sum.add(self.hits_below(edge.to));
        }
        sum
    }

    /// Where a path leads. Changes nothing, allocates nothing.
    pub(super) fn walk(&self, path: &[Part<'_>]) -> Option<Walked> {
        let mut end = Walked { id: Id::ROOT, collapsed: false, counts: false };
        for part in path {
            let node = self.node(end.id)?;
            let (id, collapsed) = node.step(part)?;
            end.counts |= node.collapse.is_some();
            end.collapsed |= collapsed;
            end.id = id;
        }
        Some(end)
    }

    /// Counts an answer of a path that leads to a route, and says whether a word on the way, taken as
    /// `{str}`, is heavy. A path that leads to none changes nothing.
    pub(super) fn record(&mut self, path: &[Part<'_>], share: Share) -> bool {
        let Some(end) = self.walk(path) else { return false };
        match self.node_mut(end.id) {
            Some(node) if node.ends != Ends::No => node.hits.count(share),
            _ => return false,
        }
        end.counts && self.record_passing(path, share)
    }

    /// Counts at the collapsed nodes on the way of a path that is known.
    fn record_passing(&mut self, path: &[Part<'_>], share: Share) -> bool {
        let (mut at, mut heavy) = (Id::ROOT, false);
        for part in path {
            let Some(node) = self.node_mut(at) else { break };
            let Some((next, as_str)) = node.step(part) else { break };
            match (&mut node.collapse, part) {
                (Some(collapse), Part::Word(word)) => heavy |= collapse.count(word, as_str, share),
                (Some(collapse), Part::Kind(Kind::Str)) => collapse.typed.count(share),
                _ => {}
            }
            at = next;
        }
        heavy
    }

    /// An estimate of what the tree takes in memory.
    pub(super) fn bytes(&self) -> usize {
        let ids = self.free.capacity() * size_of::<Id>();
        let nodes = self.nodes.capacity() * size_of::<Node>();
        let inside = self.nodes.iter().map(Node::bytes).sum::<usize>();
        ids + nodes + inside + self.word_bytes
    }
}

impl Node {
    fn bytes(&self) -> usize {
        let watch = |collapse: &Collapse| collapse.watch.as_ref().map_or(0, |_| size_of::<Watch>());
        let collapse = self.collapse.as_deref();
        self.words.capacity() * size_of::<Edge>()
            + collapse.map_or(0, |collapse| size_of::<Collapse>() + watch(collapse))
    }
}

/// Whether the learner can take a path at all. Typing gives no other.
pub(super) fn is_sound(path: &[Part<'_>]) -> bool {
    path.len() <= DEPTH
        && path.iter().all(|part| match part {
            Part::Kind(_) => true,
            Part::Word(word) => is_word(word),
        })
}

/// Whether these bytes can be a word of a route.
pub(super) fn is_word(word: &[u8]) -> bool {
    (1..=WORD).contains(&word.len()) && word.iter().all(|&byte| segment::stands_in_words(byte))
}

/// The length and the first seven bytes: most words are told apart by this one number.
fn key(word: &[u8]) -> u64 {
    let first = if let Some(long) = word.first_chunk::<8>() {
        u64::from_be_bytes(*long) >> 8
    } else if let (Some(first), Some(last)) = (word.first_chunk::<4>(), word.last_chunk::<4>()) {
        // The two overlap in the same bytes.
        let last = u64::from(u32::from_be_bytes(*last)) << (8 * 7_usize.saturating_sub(word.len()));
        u64::from(u32::from_be_bytes(*first)) << 24 | last
    } else {
        let short = word.iter().fold(0, |key, &byte| key << 8 | u64::from(byte));
        short << (8 * 7_usize.saturating_sub(word.len()))
    };
    (word.len() as u64) << 56 | first
}

//! The agreed part of a state as bytes, and back. What a worker has counted alone is not in it.
//!
//! One byte of version, then numbers as LEB128, the names that were given, and the tree, parents first.
//! Names of routes that exist are not written: the tree spells them. Bytes may come from another version
//! or from anybody who can write shared data, so decoding believes nothing and builds no more than the
//! bounds allow.

use super::Learned;
use super::bounds::{COUNTERS, DEPTH, ENCODED, NAME_BYTES, NODES, ROUTES, WATCHED, WORD_BYTES};
use super::collapse::for_each_child;
use super::names::{Names, Slot};
use super::sketch::{Counter, Sketch};
use super::tree::{Collapse, Edge, Ends, Hits, Id, Node, Tree, Watch, is_word};
use crate::route::segment::Kind;

const VERSION: u8 = 1;

/// What follows a node's first byte.
const ENDS: u8 = 1;
const COLLAPSED: u8 = 2;
const WATCHED_FLAG: u8 = 4;
const ALL_FLAGS: u8 = ENDS | COLLAPSED | WATCHED_FLAG;

impl Learned {
    /// Appends the agreed part.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(VERSION);
        number(u64::from(self.hour), out);
        number(self.refused, out);
        number(self.pressed.into(), out);
        out.push(self.spent.into());
        number(self.names.all().count() as u64, out);
        for (_, name, live) in self.names.all() {
            // A name is at least "/", so an empty one can say that the tree spells it.
            text(if live { "" } else { name }, out);
        }
        encode_node(&self.tree, Id::ROOT, out);
    }

    /// The state that `encode` wrote; none when the bytes are anything else.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader { bytes, watches: 0 };
        if bytes.len() > ENCODED || reader.byte()? != VERSION {
            return None;
        }
        let (hour, refused) = (reader.small()?, reader.number()?);
        let pressed = reader.small()?;
        let spent = reader.byte().filter(|spent| *spent <= 1)? == 1;
        let retired = reader.names()?;
        let mut tree = Tree::default();
        reader.node(&mut tree, Id::ROOT, 0)?;
        if !reader.bytes.is_empty() {
            return None;
        }
        let names = spell(&tree, retired)?;
        Some(Self { tree, names, refused, hour, pressed, spent })
    }
}

fn encode_node(tree: &Tree, id: Id, out: &mut Vec<u8>) {
    let Some(node) = tree.node(id) else { return };
    let watched = node.collapse.as_ref().is_some_and(|collapse| collapse.watch.is_some());
    let ends = u8::from(matches!(node.ends, Ends::At(_))) * ENDS;
    let collapsed = u8::from(node.collapse.is_some()) * COLLAPSED;
    let watched = u8::from(watched) * WATCHED_FLAG;
    out.push(ends | collapsed | watched);
    out.push(node.collapses);
    number(u64::from(node.hits.agreed), out);
    if let Ends::At(Slot(slot)) = node.ends {
        number(u64::from(slot), out);
    }
    if let Some(collapse) = &node.collapse {
        encode_collapse(collapse, out);
    }
    let kinds = node.kinds.iter().enumerate().filter(|(_, child)| child.is_some());
    number(kinds.fold(0, |set, (at, _)| set | 1 << at), out);
    number(node.words.len() as u64, out);
    for edge in &node.words {
        number(edge.word.len() as u64, out);
        out.extend_from_slice(&edge.word);
    }
    node.children().for_each(|child| encode_node(tree, child, out));
}

fn encode_collapse(collapse: &Collapse, out: &mut Vec<u8>) {
    let Collapse { words, typed, came, reviewed, calm, watch } = collapse;
    for count in [words.agreed, typed.agreed, came.agreed, *reviewed, u32::from(*calm)] {
        number(u64::from(count), out);
    }
    let Some(watch) = watch else { return };
    number(watch.agreed.len() as u64, out);
    for Counter { hash, count, error } in watch.agreed.counters() {
        out.extend_from_slice(&hash.to_le_bytes());
        number(u64::from(count), out);
        number(u64::from(error), out);
    }
}

fn number(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(u8::try_from(value & 0x7f).unwrap_or(0) | 0x80);
        value >>= 7;
    }
    out.push(u8::try_from(value).unwrap_or(0));
}

fn text(text: &str, out: &mut Vec<u8>) {
    number(text.len() as u64, out);
    out.extend_from_slice(text.as_bytes());
}

/// The names as they were given: those that have gone, and those that the tree spells.
fn spell(tree: &Tree, retired: Vec<Text<'_>>) -> Option<Names> {
    let mut texts: Vec<_> = retired.iter().map(|text| text.map(str::to_owned)).collect();
    spell_below(tree, Id::ROOT, &mut String::new(), &mut texts)?;
    let mut names = Names::default();
    for (text, retired) in texts.into_iter().zip(retired) {
        names.push(&text?, retired.is_none());
    }
    (names.bytes() <= NAME_BYTES).then_some(names)
}

/// Fails where two routes have one number, or one that was not given.
fn spell_below(tree: &Tree, id: Id, path: &mut String, texts: &mut [Option<String>]) -> Option<()> {
    let node = tree.node(id)?;
    if let Ends::At(Slot(slot)) = node.ends {
        let text = texts.get_mut(usize::from(slot)).filter(|text| text.is_none())?;
        *text = Some(if path.is_empty() { "/".to_owned() } else { path.clone() });
    }
    let mut fine = Some(());
    for_each_child(node, path, &mut |child, path| {
        fine = fine.and_then(|()| spell_below(tree, child, path, texts));
    });
    fine
}

/// A name as it is written; none when the tree spells it.
type Text<'a> = Option<&'a str>;

/// What is left to read.
struct Reader<'a> {
    bytes: &'a [u8],
    /// Watches built so far: the largest thing that a few bytes can ask for.
    watches: usize,
}

impl<'a> Reader<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(first)
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(length)?;
        self.bytes = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..63).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn small<T: TryFrom<u64>>(&mut self) -> Option<T> {
        self.number().and_then(|value| T::try_from(value).ok())
    }

    fn at_most(&mut self, most: usize) -> Option<usize> {
        self.small().filter(|&value| value <= most)
    }

    fn names(&mut self) -> Option<Vec<Text<'a>>> {
        let count = self.at_most(ROUTES * 2)?;
        (0..count).map(|_| self.name()).collect()
    }

    fn name(&mut self) -> Option<Text<'a>> {
        let length = self.at_most(NAME_BYTES)?;
        let text = std::str::from_utf8(self.take(length)?).ok()?;
        let sound = text.starts_with('/') && text.bytes().all(|byte| byte.is_ascii_graphic());
        (text.is_empty() || sound).then(|| (!text.is_empty()).then_some(text))
    }

    /// Reads a node and all below it. Recursion ends with the depth of the tree.
    fn node(&mut self, tree: &mut Tree, id: Id, depth: usize) -> Option<()> {
        let flags = self.byte().filter(|flags| flags & !ALL_FLAGS == 0)?;
        let mut node = Node { collapses: self.byte()?, ..Node::default() };
        node.hits.agreed = self.small()?;
        if flags & ENDS != 0 {
            node.ends = Ends::At(Slot(self.small()?));
        }
        if flags & COLLAPSED != 0 {
            node.collapse = Some(Box::new(self.collapse(flags & WATCHED_FLAG != 0)?));
        }
        let kinds = self.at_most((1 << Kind::ALL.len()) - 1)?;
        for (at, child) in node.kinds.iter_mut().enumerate() {
            *child = if kinds >> at & 1 == 1 { Some(Self::child(tree)?) } else { None };
        }
        self.words(tree, &mut node)?;
        let children: Vec<_> = node.children().collect();
        *tree.node_mut(id)? = node;
        if depth == DEPTH && !children.is_empty() {
            return None;
        }
        children.into_iter().try_for_each(|child| self.node(tree, child, depth + 1))
    }

    fn words(&mut self, tree: &mut Tree, node: &mut Node) -> Option<()> {
        let count = self.at_most(NODES.min(self.bytes.len()))?;
        node.words.reserve_exact(count);
        for _ in 0..count {
            let length = self.at_most(self.bytes.len())?;
            let word = self.take(length).filter(|word| is_word(word))?;
            tree.word_bytes += length;
            let edge = Edge::new(word, Self::child(tree)?);
            let ordered = node.words.last().is_none_or(|last| last.is_before(&edge));
            if !ordered || tree.word_bytes > WORD_BYTES {
                return None;
            }
            node.words.push(edge);
        }
        Some(())
    }

    fn child(tree: &mut Tree) -> Option<Id> {
        (tree.len() < NODES).then(|| tree.add()).flatten()
    }

    fn collapse(&mut self, watched: bool) -> Option<Collapse> {
        let mut agreed = || Some(Hits { agreed: self.small()?, fresh: 0 });
        let (words, typed, came) = (agreed()?, agreed()?, agreed()?);
        let (reviewed, calm) = (self.small()?, self.small()?);
        let watch = if watched { Some(self.watch()?) } else { None };
        Some(Collapse { words, typed, came, reviewed, calm, watch })
    }

    fn watch(&mut self) -> Option<Box<Watch>> {
        self.watches += 1;
        let count = self.at_most(COUNTERS).filter(|_| self.watches <= WATCHED)?;
        let mut watch = Box::<Watch>::default();
        for _ in 0..count {
            watch.agreed.push(self.counter(&watch.agreed)?);
        }
        Some(watch)
    }

    /// A counter of another word than those before.
    fn counter(&mut self, known: &Sketch) -> Option<Counter> {
        let hash = u32::from_le_bytes(*self.take(4)?.first_chunk()?);
        let (count, error) = (self.small()?, self.small()?);
        let new = known.counters().all(|counter| counter.hash != hash);
        (new && count > 0 && error <= count).then_some(Counter { hash, count, error })
    }
}

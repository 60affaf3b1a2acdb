//! A tree of YAML or JSON in which each node knows where it stands in its file.
//!
//! What a scalar says depends on who reads it, so scalars are kept as they are written.

use std::ops::Range;
use std::rc::Rc;

use sightline_core::config::Value;

use super::origin::Origin;
use super::scalar::{self, Reader};

/// A node. Those that several aliases name are there once.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    /// Where it stands in the file.
    pub(super) span: Range<usize>,
    /// How many nodes it has, itself included and each as often as it is named.
    pub(super) size: usize,
    /// How many lists and maps are within each other at its deepest.
    pub(super) height: usize,
}

#[derive(Debug)]
pub(super) enum Kind {
    Scalar(Scalar),
    List(Vec<Rc<Node>>),
    Map(Vec<Entry>),
}

#[derive(Debug)]
pub(super) struct Scalar {
    pub(super) text: String,
    pub(super) form: Form,
    /// Where its bytes come from.
    pub(super) origin: Origin,
}

/// What decides of a scalar's type.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// What it looks like.
    Plain,
    /// Its quotes, or a form that is for texts.
    Text,
    /// A tag of YAML's own, such as `int`.
    Tagged(String),
}

#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    /// Where the key stands.
    pub(super) key_span: Range<usize>,
    /// Whether it is `<<`, without quotes.
    pub(super) is_merge: bool,
    pub(super) value: Rc<Node>,
}

impl Node {
    pub(super) fn scalar(scalar: Scalar, span: Range<usize>) -> Self {
        // A long text is as much as many short ones.
        let size = 1 + scalar.text.len() / 64;
        Self { kind: Kind::Scalar(scalar), span, size, height: 0 }
    }

    pub(super) fn list(items: Vec<Rc<Self>>, span: Range<usize>) -> Self {
        let (size, height) = extent(items.iter());
        Self { kind: Kind::List(items), span, size, height }
    }

    pub(super) fn map(entries: Vec<Entry>, span: Range<usize>) -> Self {
        let (size, height) = extent(entries.iter().map(|entry| &entry.value));
        Self { kind: Kind::Map(entries), span, size, height }
    }

    /// The value of a key, by any of its names; of one that is said twice, the last.
    pub(super) fn field(&self, names: &[&str]) -> Option<&Rc<Self>> {
        let is_named = |entry: &&Entry| names.contains(&entry.key.as_str());
        Some(&self.entries().iter().rev().find(is_named)?.value)
    }

    /// The text that it is, if it is one.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar(scalar) => Some(&scalar.text),
            Kind::List(_) | Kind::Map(_) => None,
        }
    }

    pub(super) fn entries(&self) -> &[Entry] {
        match &self.kind {
            Kind::Map(entries) => entries,
            Kind::Scalar(_) | Kind::List(_) => &[],
        }
    }

    pub(super) fn items(&self) -> &[Rc<Self>] {
        match &self.kind {
            Kind::List(items) => items,
            Kind::Scalar(_) | Kind::Map(_) => &[],
        }
    }

    /// Whether nothing stands here.
    pub(super) fn is_null(&self) -> bool {
        self.value(Reader::Envoy) == Value::Null
    }

    /// What it says to its reader.
    pub(super) fn value(&self, reader: Reader) -> Value {
        match &self.kind {
            Kind::Scalar(scalar) => scalar.value(reader),
            Kind::List(items) => Value::List(items.iter().map(|item| item.value(reader)).collect()),
            Kind::Map(entries) => {
                let said = |entry: &Entry| (entry.key.clone(), entry.value.value(reader));
                Value::Map(entries.iter().map(said).collect())
            }
        }
    }
}

impl Scalar {
    fn value(&self, reader: Reader) -> Value {
        match &self.form {
            Form::Plain => scalar::plain(&self.text, reader),
            Form::Text => Value::String(self.text.clone()),
            Form::Tagged(tag) => scalar::tagged(&self.text, tag),
        }
    }
}

/// The same tree with what `<<` names put where it stands: keys that are said win, and earlier ones over later.
pub(super) fn merged(node: &Rc<Node>) -> Rc<Node> {
    if !has_merges(node) {
        return Rc::clone(node);
    }
    let span = node.span.clone();
    Rc::new(match &node.kind {
        Kind::Scalar(_) => return Rc::clone(node),
        Kind::List(items) => Node::list(items.iter().map(merged).collect(), span),
        Kind::Map(entries) => Node::map(merge(entries), span),
    })
}

fn has_merges(node: &Node) -> bool {
    let is_in = |entry: &Entry| entry.is_merge || has_merges(&entry.value);
    node.entries().iter().any(is_in) || node.items().iter().any(|item| has_merges(item))
}

fn merge(entries: &[Entry]) -> Vec<Entry> {
    let named: Vec<Rc<Node>> = entries
        .iter()
        .filter(|entry| entry.is_merge)
        .flat_map(|entry| match &entry.value.kind {
            Kind::List(items) => items.clone(),
            Kind::Map(_) | Kind::Scalar(_) => vec![Rc::clone(&entry.value)],
        })
        .collect();
    let said = entries.iter().filter(|entry| !entry.is_merge);
    let mut all: Vec<Entry> =
        said.map(|entry| Entry { value: merged(&entry.value), ..entry.clone() }).collect();
    for entry in named.iter().flat_map(|node| merged(node).entries().to_vec()) {
        if !all.iter().any(|earlier| earlier.key == entry.key) {
            all.push(entry);
        }
    }
    all
}

fn extent<'a>(nodes: impl Iterator<Item = &'a Rc<Node>>) -> (usize, usize) {
    nodes.fold((1, 1), |(size, height), node| {
        (size.saturating_add(node.size), height.max(node.height + 1))
    })
}

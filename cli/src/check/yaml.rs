//! YAML, and JSON as a part of it, as trees of nodes that know where they stand.
//!
//! Whatever a file says is bounded: how deep, and how much aliases make of it.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::rc::Rc;

use granit_parser::{Event, Parser, ScalarStyle, Span, Tag};

use super::node::{Entry, Form, Kind, Node, Scalar};
use super::origin::{Origin, Writing};

/// One document of a file.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) root: Rc<Node>,
    /// Where a key stands that stands in its map already.
    pub(super) repeated: Vec<Range<usize>>,
}

/// Why a text is no YAML.
#[derive(Debug)]
pub(super) struct Malformed {
    pub(super) message: String,
    /// Where in the file.
    pub(super) at: Range<usize>,
}

/// How many lists and maps may be within each other.
const DEEPEST: usize = 200;

/// How many nodes a document may have, each counted as often as it is named.
const MOST_NODES: usize = 5_000_000;

type Read<T> = Result<T, Malformed>;

/// All documents of a text; none, if nothing stands in it.
pub(super) fn read(text: &str, origin: &Origin) -> Read<Vec<Document>> {
    let mut documents = Vec::new();
    let mut builder = Builder::new(text, origin);
    for next in Parser::new_from_str(text) {
        let (event, span) = next.map_err(|error| {
            let offset = error.marker().byte_offset().unwrap_or(text.len());
            builder.malformed(error.info(), offset..offset)
        })?;
        if let Some(root) = builder.take(event, span)? {
            builder.anchors.clear();
            let repeated = std::mem::take(&mut builder.repeated);
            documents.push(Document { root, repeated });
        }
    }
    Ok(documents)
}

struct Builder<'a> {
    text: &'a str,
    origin: &'a Origin,
    open: Vec<Open>,
    anchors: HashMap<usize, Rc<Node>>,
    repeated: Vec<Range<usize>>,
    nodes: usize,
}

/// A list or map whose end has not come.
struct Open {
    start: usize,
    anchor: usize,
    filling: Filling,
}

enum Filling {
    List(Vec<Rc<Node>>),
    Map { entries: Vec<Entry>, keys: HashSet<String>, key: Option<(String, Range<usize>, bool)> },
}

impl<'a> Builder<'a> {
    fn new(text: &'a str, origin: &'a Origin) -> Self {
        let (open, anchors, repeated) = (Vec::new(), HashMap::new(), Vec::new());
        Self { text, origin, open, anchors, repeated, nodes: 0 }
    }

    /// Takes one event in; gives a document's root when it is whole.
    fn take(&mut self, event: Event<'_>, span: Span) -> Read<Option<Rc<Node>>> {
        let range = span.byte_range().unwrap_or_default();
        match event {
            Event::Scalar(said, style, anchor, tag) => {
                let node = Rc::new(self.scalar(said, style, tag.as_deref(), range));
                self.remember(anchor, &node);
                self.put(node)
            }
            Event::Alias(anchor) => match self.anchors.get(&anchor).cloned() {
                Some(node) => self.put(node),
                None => Err(self.malformed("an alias within what it names", range)),
            },
            Event::SequenceStart(_, anchor, _) => {
                self.begin(Filling::List(Vec::new()), anchor, range)
            }
            Event::MappingStart(_, anchor, _) => {
                let (entries, keys) = (Vec::new(), HashSet::new());
                self.begin(Filling::Map { entries, keys, key: None }, anchor, range)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(range.end),
            _ => Ok(None),
        }
    }

    fn begin(
        &mut self,
        filling: Filling,
        anchor: usize,
        at: Range<usize>,
    ) -> Read<Option<Rc<Node>>> {
        if self.open.len() >= DEEPEST {
            return Err(self.malformed("too many lists and maps within each other", at));
        }
        self.open.push(Open { start: at.start, anchor, filling });
        Ok(None)
    }

    fn end(&mut self, end: usize) -> Read<Option<Rc<Node>>> {
        let Some(Open { start, anchor, filling }) = self.open.pop() else { return Ok(None) };
        // The end of what stands in lines is only found where the next begins.
        let written = self.text.get(start..end).unwrap_or_default().trim_end().len();
        let span = self.origin.range(start..start + written);
        let node = Rc::new(match filling {
            Filling::List(items) => Node::list(items, span),
            Filling::Map { entries, .. } => Node::map(entries, span),
        });
        self.remember(anchor, &node);
        self.put(node)
    }

    /// Puts a node where it belongs: into what is open, as a key or as a value, or at the root.
    fn put(&mut self, node: Rc<Node>) -> Read<Option<Rc<Node>>> {
        self.nodes = self.nodes.saturating_add(if self.open.is_empty() { 0 } else { node.size });
        if self.nodes > MOST_NODES {
            return Err(too_much("aliases make too much of this", &node));
        }
        if self.open.len() + node.height > DEEPEST {
            return Err(too_much("too many lists and maps within each other", &node));
        }
        let Some(open) = self.open.last_mut() else { return Ok(Some(node)) };
        match &mut open.filling {
            Filling::List(items) => items.push(node),
            Filling::Map { entries, keys, key } => match key.take() {
                Some((key, key_span, is_merge)) => {
                    if !is_merge && !keys.insert(key.clone()) {
                        self.repeated.push(key_span.clone());
                    }
                    entries.push(Entry { key, key_span, is_merge, value: node });
                }
                None => match &node.kind {
                    Kind::Scalar(Scalar { text, form, .. }) => {
                        let is_merge = text == "<<" && *form == Form::Plain;
                        *key = Some((text.clone(), node.span.clone(), is_merge));
                    }
                    Kind::List(_) | Kind::Map(_) => {
                        return Err(too_much("a key that is no text", &node));
                    }
                },
            },
        }
        Ok(None)
    }

    fn scalar(
        &self,
        said: Cow<'_, str>,
        style: ScalarStyle,
        tag: Option<&Tag>,
        range: Range<usize>,
    ) -> Node {
        let writing = match style {
            ScalarStyle::Plain => Writing::Plain,
            ScalarStyle::SingleQuoted => Writing::Single,
            ScalarStyle::DoubleQuoted => Writing::Double,
            ScalarStyle::Literal | ScalarStyle::Folded => Writing::Block,
        };
        let form = match tag.and_then(Tag::core_suffix) {
            Some("str") => Form::Text,
            Some(tag) => Form::Tagged(tag.to_owned()),
            None if writing == Writing::Plain => Form::Plain,
            None => Form::Text,
        };
        let raw = self.text.get(range.clone()).unwrap_or_default();
        let origin = self.origin.of_scalar(&said, raw, range.start, writing);
        let written = raw.trim_end().len();
        let span = self.origin.range(range.start..range.start + written);
        Node::scalar(Scalar { text: said.into_owned(), form, origin }, span)
    }

    fn remember(&mut self, anchor: usize, node: &Rc<Node>) {
        // Zero is no anchor.
        if anchor != 0 {
            self.anchors.insert(anchor, Rc::clone(node));
        }
    }

    fn malformed(&self, message: impl Into<String>, at: Range<usize>) -> Malformed {
        Malformed { message: message.into(), at: self.origin.range(at) }
    }
}

fn too_much(message: &str, node: &Node) -> Malformed {
    Malformed { message: message.to_owned(), at: node.span.clone() }
}

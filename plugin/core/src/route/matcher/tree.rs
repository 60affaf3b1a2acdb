//! The tree over segments that all templates make together.

use super::literals::Literals;
use super::steps::{Step, Way};
use crate::route::template::Methods;
use sightline_templates::sort::insert_at;

pub(super) type NodeId = u32;

/// A tree: each node is a place in a path, each edge takes a segment of it, or several.
#[derive(Debug)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    pub(super) literals: Literals,
    /// How many edges are rests.
    pub(super) rests: usize,
}

#[derive(Debug)]
pub(super) struct Node {
    /// What else than literals goes on from here, the most specific first.
    pub(super) choices: Vec<Choice>,
    /// The templates that end here, the most specific first.
    pub(super) ends: Vec<End>,
    /// Whether a literal goes on from here.
    pub(super) has_literals: bool,
    /// The first template, in the order in which they were given, that ends here or behind.
    pub(super) first: u32,
}

/// An edge that is no literal.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) step: Step,
    pub(super) to: NodeId,
    /// Which of the rests it is, if it is one.
    pub(super) rest: usize,
}

/// A template that ends at a node.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    pub(super) methods: Methods,
    pub(super) template: u32,
    /// Which of the template's ways leads here.
    pub(super) way: u32,
}

impl End {
    /// Where it stands among those that end at the same node: a named method before one that another
    /// implies, and that before any.
    fn order(&self) -> (bool, bool, u32) {
        (self.methods.is_any(), self.methods.implies_head(), self.template)
    }
}

impl Tree {
    pub(super) fn new() -> Self {
        Self { nodes: vec![Node::new()], literals: Literals::default(), rests: 0 }
    }

    pub(super) const ROOT: NodeId = 0;

    pub(super) fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id as usize)
    }

    /// All nodes.
    pub(super) fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter()
    }

    /// Adds a way that ends in a template. Hands back the ends that were there before.
    pub(super) fn insert(&mut self, way: &Way, end: End) -> Vec<End> {
        let mut at = Self::ROOT;
        self.reaches(at, end.template);
        for step in &way.steps {
            at = self.child(at, step);
            self.reaches(at, end.template);
        }
        let Some(node) = self.nodes.get_mut(at as usize) else { return Vec::new() };
        let before = node.ends.clone();
        let place = node.ends.partition_point(|other| other.order() <= end.order());
        insert_at(&mut node.ends, place, end);
        before
    }

    fn reaches(&mut self, id: NodeId, template: u32) {
        if let Some(node) = self.nodes.get_mut(id as usize) {
            node.first = node.first.min(template);
        }
    }

    fn child(&mut self, from: NodeId, step: &Step) -> NodeId {
        let next = NodeId::try_from(self.nodes.len()).unwrap_or(NodeId::MAX);
        let Some(node) = self.nodes.get_mut(from as usize) else { return from };
        if let Step::Literal(literal) = step {
            node.has_literals = true;
            if let Some(child) = self.literals.find(from, literal) {
                return child;
            }
            self.literals.insert(from, literal, next);
        } else {
            if let Some(choice) = node.choices.iter().find(|choice| choice.step == *step) {
                return choice.to;
            }
            let rest = self.rests;
            self.rests += usize::from(matches!(step, Step::Rest(_)));
            // Among equals the one that was given first.
            let place = node.choices.partition_point(|other| other.step.order() <= step.order());
            let choice = Choice { step: step.clone(), to: next, rest };
            insert_at(&mut node.choices, place, choice);
        }
        self.nodes.push(Node::new());
        next
    }
}

impl Node {
    fn new() -> Self {
        Self { choices: Vec::new(), ends: Vec::new(), has_literals: false, first: u32::MAX }
    }

    /// Whether nothing goes on from here.
    pub(super) fn is_last(&self) -> bool {
        self.choices.is_empty() && !self.has_literals
    }
}

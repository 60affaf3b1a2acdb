//! Which template a path matches.
//!
//! All templates are one tree over segments. A path is matched as a server for Python sees it:
//! percent-decoded once, `%2F` included. A slash at its end makes no difference; any other empty segment
//! is one that no parameter takes, and so are dots only dots. Bytes that are no UTF-8 are bytes like
//! others to a free parameter, and match no pattern. Length makes no difference but in time, which is
//! linear.

mod literals;
mod rivals;
mod steps;
mod tree;
mod walk;

use std::fmt;
use std::ops::Range;

use self::steps::Place;
use self::tree::{End, Tree};
use self::walk::{Goal, Tried, Walk};
use super::template::{self, Methods, Template, TemplateError};
use crate::Method;
use crate::config::choice;
use crate::percent;
use sightline_templates::sort::sort;

choice! {
    /// Which of several templates that match is the route.
    pub enum Precedence {
        /// The most specific, segment by segment: literals, then constrained parameters, then free ones,
        /// then rests.
        Specific = "specific",
        /// The first, in the order in which they are given.
        Declared = "declared",
    }
}

/// Templates, ready to be matched.
#[derive(Debug)]
pub struct Templates {
    precedence: Precedence,
    tree: Tree,
    /// The methods of each template, and what the steps of its ways hold.
    each: Vec<(Methods, Vec<Vec<Place>>)>,
    notes: Vec<Note>,
}

/// What is allowed and yet perhaps not meant. Templates are counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// The first of these is never reached, because the second comes before it and takes the same paths.
    NeverReached(usize, usize),
    /// Some paths match both, and neither is more specific; the first of them wins.
    Rivals(usize, usize),
}

/// What matching needs to remember, kept for its capacity. It belongs to no path and to no templates.
#[derive(Debug, Default)]
pub struct Scratch {
    decoded: Vec<u8>,
    tried: Tried,
}

/// Why a list of templates is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateProblem {
    /// Which template, counted from 0.
    pub template: usize,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is none.
    Invalid(TemplateError),
    /// A segment of it has more forms than are worth telling apart.
    TooLarge,
    /// It matches the same paths in the same way as this one before it.
    Same(usize),
}

/// No template at all.
impl Default for Templates {
    fn default() -> Self {
        Self {
            precedence: Precedence::Specific,
            tree: Tree::new(),
            each: Vec::new(),
            notes: Vec::new(),
        }
    }
}

impl Templates {
    /// Reads and compiles templates.
    pub fn compile(texts: &[String], precedence: Precedence) -> Result<Self, Vec<TemplateProblem>> {
        let mut templates = Vec::new();
        let mut problems = Vec::new();
        for (number, text) in texts.iter().enumerate() {
            match template::parse(text) {
                Ok(template) => templates.push(template),
                Err(error) => problems
                    .push(TemplateProblem { template: number, fault: Fault::Invalid(error) }),
            }
        }
        if problems.is_empty() { Self::new(&templates, precedence) } else { Err(problems) }
    }

    /// Compiles templates.
    pub fn new(
        templates: &[Template],
        precedence: Precedence,
    ) -> Result<Self, Vec<TemplateProblem>> {
        let mut made = Self { precedence, ..Self::default() };
        let mut problems = Vec::new();
        for (number, template) in templates.iter().enumerate() {
            if let Err(fault) = made.add(template, number) {
                problems.push(TemplateProblem { template: number, fault });
            }
        }
        if precedence == Precedence::Specific {
            let rivals = rivals::find(&made.tree).into_iter();
            made.notes = rivals.map(|(a, b)| Note::Rivals(a as usize, b as usize)).collect();
        }
        if problems.is_empty() { Ok(made) } else { Err(problems) }
    }

    fn add(&mut self, template: &Template, number: usize) -> Result<(), Fault> {
        let ways = steps::ways(template).map_err(|_| Fault::TooLarge)?;
        let mut same = None;
        for (way, number_of_way) in ways.iter().zip(0..) {
            let end = End {
                methods: template.methods,
                template: u32::try_from(number).unwrap_or(u32::MAX),
                way: number_of_way,
            };
            let before = self.tree.insert(way, end);
            same = same.or_else(|| before.into_iter().find(|other| self.collides(*other, end)));
        }
        let places = ways.into_iter().map(|way| way.places).collect();
        self.each.push((template.methods, places));
        match (same, self.precedence) {
            (None, _) => Ok(()),
            (Some(other), Precedence::Specific) => Err(Fault::Same(other.template as usize)),
            (Some(other), Precedence::Declared) => {
                self.notes.push(Note::NeverReached(number, other.template as usize));
                Ok(())
            }
        }
    }

    /// Whether a template leaves one that ends at the same place nothing that is its own.
    fn collides(&self, earlier: End, later: End) -> bool {
        earlier.template != later.template
            && match self.precedence {
                Precedence::Specific => {
                    earlier.methods.is_any() == later.methods.is_any()
                        && earlier.methods.meets(later.methods)
                }
                Precedence::Declared => earlier.methods.covers(later.methods),
            }
    }

    /// What is allowed and yet perhaps not meant.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// The template that matches, counted from 0.
    pub fn find(&self, method: Method, path: &[u8], scratch: &mut Scratch) -> Option<usize> {
        let (path, tried) = scratch.read(path);
        let reached = match self.precedence {
            Precedence::Specific => {
                Walk::all_the_way(&self.tree, path, tried, First { method, reached: None }).reached
            }
            Precedence::Declared => {
                Walk::all_the_way(&self.tree, path, tried, Earliest { method, reached: None })
                    .reached
            }
        };
        reached.map(|template| template as usize)
    }

    /// All templates that match the path, whatever their methods, in the order in which they were given.
    pub fn all(&self, path: &[u8], scratch: &mut Scratch) -> Vec<usize> {
        let (path, tried) = scratch.read(path);
        let mut all = Walk::all_the_way(&self.tree, path, tried, All(Vec::new())).0;
        sort(&mut all);
        all.dedup();
        all
    }

    /// The methods that a template is for.
    pub fn methods(&self, template: usize) -> Methods {
        self.each.get(template).map(|(methods, _)| *methods).unwrap_or_default()
    }

    /// Where in the path the values of these parameters of a template are, in the path's own bytes, in
    /// order. The path must match the template.
    pub fn locate(
        &self,
        template: usize,
        names: &[String],
        path: &[u8],
        scratch: &mut Scratch,
    ) -> Vec<Range<usize>> {
        let (inner, tried) = scratch.read(path);
        let goal = Only { template, way: None, taken: Vec::new() };
        let only = Walk::all_the_way(&self.tree, inner, tried, goal);
        let ways = self.each.get(template).map(|(_, ways)| ways);
        let places =
            only.way.and_then(|way| ways?.get(way as usize)).map_or(&[][..], Vec::as_slice);
        let raw = RawOffsets::new(path);
        places
            .iter()
            .zip(only.taken.iter().rev())
            .filter(|(place, _)| place.names.iter().any(|name| names.contains(name)))
            .map(|(place, taken)| {
                taken.start + place.before..taken.end.saturating_sub(place.behind)
            })
            .map(|taken| raw.of(taken))
            .collect()
    }
}

impl Scratch {
    /// A path as a server sees it, without the slash in front and one at the end.
    fn read<'a>(&'a mut self, path: &'a [u8]) -> (&'a [u8], &'a mut Tried) {
        let path = if path.contains(&b'%') {
            self.decoded.clear();
            self.decoded.extend(percent::Decoded::new(path));
            self.decoded.as_slice()
        } else {
            path
        };
        let path = path.strip_prefix(b"/").unwrap_or(path);
        // Of two slashes alone neither is at the end of anything.
        let inner = path.strip_suffix(b"/").filter(|inner| !inner.is_empty());
        (inner.unwrap_or(path), &mut self.tried)
    }
}

/// The most specific: the first that is reached.
struct First {
    method: Method,
    reached: Option<u32>,
}

/// The first in the order in which they were given.
struct Earliest {
    method: Method,
    reached: Option<u32>,
}

/// Every one.
struct All(Vec<usize>);

/// One, and how it was reached.
struct Only {
    template: usize,
    way: Option<u32>,
    taken: Vec<Range<usize>>,
}

impl Goal for First {
    fn reach(&mut self, end: &End) -> bool {
        let reached = end.methods.takes(self.method);
        if reached {
            self.reached = Some(end.template);
        }
        reached
    }
}

impl Goal for Earliest {
    fn skips(&self, first: u32) -> bool {
        self.reached.is_some_and(|reached| first >= reached)
    }

    fn reach(&mut self, end: &End) -> bool {
        if end.methods.takes(self.method) {
            self.reached =
                Some(self.reached.map_or(end.template, |reached| reached.min(end.template)));
        }
        false
    }
}

impl Goal for All {
    fn reach(&mut self, end: &End) -> bool {
        self.0.push(end.template as usize);
        false
    }
}

impl Goal for Only {
    fn reach(&mut self, end: &End) -> bool {
        let reached = end.template as usize == self.template;
        if reached {
            self.way = Some(end.way);
        }
        reached
    }

    fn came_by(&mut self, taken: Range<usize>) {
        self.taken.push(taken);
    }
}

/// Where the bytes of a path that was read are in the path itself.
struct RawOffsets {
    /// For each byte that was read, and for their end.
    offsets: Vec<usize>,
}

impl RawOffsets {
    fn new(path: &[u8]) -> Self {
        let mut decoded = percent::Decoded::new(path);
        let mut offsets = Vec::with_capacity(path.len() + 1);
        // What was read has no slash in front.
        if decoded.clone().next() == Some(b'/') {
            decoded.next();
        }
        offsets.push(path.len() - decoded.left());
        while decoded.next().is_some() {
            offsets.push(path.len() - decoded.left());
        }
        Self { offsets }
    }

    fn of(&self, range: Range<usize>) -> Range<usize> {
        let end = self.offsets.last().copied().unwrap_or(0);
        let offset = |at: usize| self.offsets.get(at).copied().unwrap_or(end);
        let start = offset(range.start);
        start..offset(range.end).max(start)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(error) => error.fmt(f),
            Self::TooLarge => {
                f.write_str("a segment of it is too large a pattern; make its expressions simpler")
            }
            Self::Same(other) => {
                write!(
                    f,
                    "matches the same paths in the same way as template {} of the list; keep one",
                    other + 1
                )
            }
        }
    }
}

impl fmt::Display for TemplateProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "template {} of the list {}", self.template + 1, self.fault)
    }
}

#[cfg(test)]
mod tests;

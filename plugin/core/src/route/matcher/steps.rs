//! A template as the steps that a path takes through the tree, segment by segment.

use crate::route::pattern::{Expr, Pattern, TooLarge};
use crate::route::template::{Language, Piece, Rest, Template};

/// What one edge of the tree takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// This segment.
    Literal(Box<[u8]>),
    /// A segment in which literals and parameters are mixed.
    Mixed(Box<Mixed>),
    /// A segment that is one parameter with a constraint.
    Typed(Box<Language>),
    /// Any segment that is not empty.
    Free,
    /// Segments, as many as it likes.
    Rest(Rest),
}

/// A segment in which literals and parameters are mixed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mixed {
    pattern: Pattern,
    /// How many bytes of it are literal: the more, the more specific.
    literal: usize,
}

/// One way through the tree, and for each step what the template has there.
#[derive(Clone, Debug, Default)]
pub(super) struct Way {
    pub(super) steps: Vec<Step>,
    pub(super) places: Vec<Place>,
}

/// The parameters of one step, and the literal bytes around them.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    pub(super) names: Vec<String>,
    pub(super) before: usize,
    pub(super) behind: usize,
}

impl Step {
    /// Where it stands among its siblings: the smaller, the more specific.
    pub(super) fn order(&self) -> (u8, usize) {
        match self {
            Self::Literal(_) => (0, 0),
            Self::Mixed(mixed) => (1, usize::MAX - mixed.literal),
            Self::Typed(language) => (2, language.rank().into()),
            Self::Free => (3, 0),
            Self::Rest(rest) => (4, usize::from(matches!(rest, Rest::Empty | Rest::Any))),
        }
    }

    /// Whether it takes this segment. No parameter takes an empty one, whatever its expression says, and
    /// rests, which take more than one, are asked elsewhere.
    pub(super) fn takes(&self, segment: &[u8]) -> bool {
        if segment.is_empty() {
            return false;
        }
        match self {
            Self::Literal(literal) => **literal == *segment,
            Self::Mixed(mixed) => mixed.pattern.matches(segment),
            Self::Typed(language) => language.matches(segment),
            Self::Free => true,
            Self::Rest(_) => false,
        }
    }
}

/// The ways of a template: one, but for a rest that shares its segment with something else. Such a rest
/// may stay within the segment or leave it, and each is a way of its own.
pub(super) fn ways(template: &Template) -> Result<Vec<Way>, TooLarge> {
    let mut ways = vec![Way::default()];
    if template.pieces.is_empty() {
        return Ok(ways);
    }
    for segment in template.pieces.split(|piece| matches!(piece, Piece::Slash)) {
        let next = alternatives(segment)?;
        ways = ways.iter().flat_map(|way| next.iter().map(move |next| way.then(next))).collect();
    }
    for way in &mut ways {
        // A slash at the end makes no difference, and so at the end these two are the same.
        if let Some(last @ Step::Rest(Rest::Empty)) = way.steps.last_mut() {
            *last = Step::Rest(Rest::Any);
        }
    }
    Ok(ways)
}

fn alternatives(segment: &[Piece]) -> Result<Vec<Way>, TooLarge> {
    let rest_of = |piece: &Piece| match piece {
        Piece::Param(param) => param.language.rest(),
        Piece::Slash | Piece::Literal(_) => None,
    };
    match segment.iter().enumerate().find_map(|(at, piece)| Some((at, rest_of(piece)?))) {
        None => Ok(vec![Way::one(within(segment)?, segment)]),
        Some((_, rest)) if segment.len() == 1 => Ok(vec![Way::one(Step::Rest(rest), segment)]),
        Some((at, rest)) => Ok(vec![
            Way::one(mixed(segment)?, segment),
            beyond(segment.split_at_checked(at).unwrap_or_default(), rest)?,
        ]),
    }
}

/// A segment without a rest.
fn within(segment: &[Piece]) -> Result<Step, TooLarge> {
    match segment {
        [Piece::Literal(literal)] => Ok(Step::Literal(literal.as_slice().into())),
        [Piece::Param(param)] if param.language.is_free() => Ok(Step::Free),
        [Piece::Param(param)] => Ok(Step::Typed(Box::new(param.language.clone()))),
        _ => mixed(segment),
    }
}

/// A segment with a rest that goes beyond it: how it begins, what it skips, how the last one ends.
fn beyond((before, from): (&[Piece], &[Piece]), rest: Rest) -> Result<Way, TooLarge> {
    let (param, behind) = from.split_at_checked(1).unwrap_or_default();
    let mut way = Way::default();
    if before.is_empty() {
        // With something behind it in the last segment, what it takes holds a slash at least.
        let rest = if rest == Rest::Some { Rest::Empty } else { rest };
        way = way.then(&Way::one(Step::Rest(rest), param));
    } else {
        // What the rest takes is not empty, if only because there is a slash in it.
        let least = u32::from(rest == Rest::NoSlashFirst);
        let start = expressions(before).chain([any_bytes(least)]).collect();
        way = way.then(&Way::one(compile(start, literal(before))?, &[before, param].concat()));
        way = way.then(&Way::one(Step::Rest(Rest::Any), param));
    }
    if !behind.is_empty() {
        let end = std::iter::once(any_bytes(0)).chain(expressions(behind)).collect();
        way = way.then(&Way::one(compile(end, literal(behind))?, &[param, behind].concat()));
    }
    Ok(way)
}

fn mixed(segment: &[Piece]) -> Result<Step, TooLarge> {
    compile(expressions(segment).collect(), literal(segment))
}

fn compile(parts: Vec<Expr>, literal: usize) -> Result<Step, TooLarge> {
    let pattern = Pattern::compile(&Expr::sequence(parts))?;
    Ok(Step::Mixed(Box::new(Mixed { pattern, literal })))
}

fn expressions(pieces: &[Piece]) -> impl Iterator<Item = Expr> {
    pieces.iter().filter_map(|piece| match piece {
        Piece::Slash => None,
        Piece::Literal(literal) => Some(Expr::literal(literal)),
        Piece::Param(param) => Some(match param.language.rest() {
            Some(rest) => any_bytes(u32::from(!matches!(rest, Rest::Empty | Rest::Any))),
            None => param.language.expr(),
        }),
    })
}

fn any_bytes(least: u32) -> Expr {
    Expr::any_byte().repeat(least, None)
}

/// How many bytes are literal.
fn literal(pieces: &[Piece]) -> usize {
    pieces.iter().map(literal_length).sum()
}

fn literal_length(piece: &Piece) -> usize {
    match piece {
        Piece::Literal(literal) => literal.len(),
        Piece::Slash | Piece::Param(_) => 0,
    }
}

impl Way {
    fn one(step: Step, pieces: &[Piece]) -> Self {
        Self { steps: vec![step], places: vec![Place::of(pieces)] }
    }

    fn then(&self, next: &Self) -> Self {
        let mut way = self.clone();
        way.steps.extend_from_slice(&next.steps);
        way.places.extend_from_slice(&next.places);
        way
    }
}

impl Place {
    fn of(pieces: &[Piece]) -> Self {
        let name = |piece: &Piece| match piece {
            Piece::Param(param) => param.name.clone(),
            Piece::Slash | Piece::Literal(_) => None,
        };
        Self {
            names: pieces.iter().filter_map(name).collect(),
            before: pieces.first().map_or(0, literal_length),
            behind: pieces.last().map_or(0, literal_length),
        }
    }
}

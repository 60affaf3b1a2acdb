//! What a parameter takes: exactly the set of strings that the framework's own converter takes.
//!
//! A segment comes as percent-decoded bytes and perhaps is not UTF-8. Python puts U+FFFD in place of
//! what is not, so a plain string still takes it, and its length counts characters as Python does.
//!
//! One thing is left out on purpose: Starlette ends its expressions with `$`, which lets a line feed pass
//! at the end of a path (`12%0A` as an `int`), and here it does not.

use std::hash::{Hash, Hasher};
use std::sync::LazyLock;

use super::digits::Digits;
use super::numbers::{Float, Int};
use super::uuid::UuidForm;
use crate::pattern::{Expr, Pattern};
use crate::sort::sort;

/// What a parameter takes. Equal ones take the same; different ones may still have much in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Language {
    /// One of these, in order and each once.
    AnyOf(Box<[Box<[u8]>]>),
    /// A UUID.
    Uuid(UuidForm),
    /// A whole number.
    Int(Int),
    /// A decimal number.
    Float(Float),
    /// What an inline regular expression takes.
    Inline(Box<Inline>),
    /// Django's slug: ASCII letters, digits, hyphens and underscores.
    Slug,
    /// Werkzeug's string with a length in characters. Without any it is [`Free`](Self::Free).
    Text {
        /// At least so many; at least one.
        least: u32,
        /// At most so many.
        most: Option<u32>,
    },
    /// Any segment that is not empty.
    Free,
    /// More than a segment.
    Rest(Rest),
}

/// How much a parameter takes that may hold slashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rest {
    /// Werkzeug's `[^/].*?`: at least a character, and the first is no slash.
    NoSlashFirst,
    /// Django's `.+`: at least a character.
    Some,
    /// Starlette's `.*`: perhaps nothing, between the slashes around it.
    Empty,
    /// Any number of segments, none too: `**` and its like.
    Any,
}

/// An inline regular expression: as a tree, to become part of a greater one, and compiled.
#[derive(Clone, Debug)]
pub struct Inline {
    expr: Expr,
    pattern: Pattern,
}

/// The converters that people also write as expressions. Compiled once, because there may be thousands of
/// expressions to compare with them.
static KNOWN: LazyLock<Vec<(Language, Pattern)>> = LazyLock::new(|| {
    let known = [
        Language::Int(Int::ASCII),
        Language::Int(Int { signed: true, ..Int::ASCII }),
        Language::Float(Float::STARLETTE),
        Language::Float(Float { needs_point: true, ..Float::STARLETTE }),
        Language::Uuid(UuidForm::Lower),
        Language::Uuid(UuidForm::Hyphens),
        Language::Uuid(UuidForm::Loose),
        Language::Slug,
    ];
    let compiled = |language: Language| Some((Pattern::compile(&language.expr()).ok()?, language));
    known.into_iter().filter_map(compiled).map(|(pattern, language)| (language, pattern)).collect()
});

impl Language {
    /// Whether it may span segments.
    pub fn is_rest(&self) -> bool {
        self.rest().is_some()
    }

    /// How it spans segments, if it does.
    pub fn rest(&self) -> Option<Rest> {
        match self {
            Self::Rest(rest) => Some(*rest),
            _ => None,
        }
    }

    /// Whether it takes any segment that is not empty, and no more.
    pub fn is_free(&self) -> bool {
        matches!(self, Self::Free)
    }

    /// Whether it takes this segment, which holds no slash; for a rest, whether that can be all that it
    /// takes. Allocates nothing.
    #[inline]
    pub fn matches(&self, segment: &[u8]) -> bool {
        match self {
            Self::AnyOf(items) => items.binary_search_by(|item| (**item).cmp(segment)).is_ok(),
            Self::Uuid(form) => form.matches(segment),
            Self::Int(int) => int.matches(segment),
            Self::Float(float) => float.matches(segment),
            Self::Inline(inline) => inline.pattern.matches(segment),
            Self::Slug => {
                !segment.is_empty()
                    && segment
                        .iter()
                        .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte))
            }
            Self::Text { least, most } => has_length(segment, *least, *most),
            Self::Free | Self::Rest(Rest::Some | Rest::NoSlashFirst) => !segment.is_empty(),
            Self::Rest(Rest::Empty | Rest::Any) => true,
        }
    }

    /// How narrow it is: of two that take a segment, the one with the smaller rank should have it. From
    /// the narrowest on: any-of, the UUIDs (Django's, Werkzeug's, Starlette's), whole numbers with a
    /// width or bounds, whole numbers, decimal numbers with bounds, decimal numbers, inline regular
    /// expressions, slugs, strings of a certain length, any segment, and the rests (Werkzeug's,
    /// Django's, Starlette's).
    pub fn rank(&self) -> u8 {
        match self {
            Self::AnyOf(_) => 0,
            Self::Uuid(UuidForm::Lower) => 1,
            Self::Uuid(UuidForm::Hyphens) => 2,
            Self::Uuid(UuidForm::Loose) => 3,
            Self::Int(int) if !int.is_plain() => 4,
            Self::Int(Int { digits: Digits::Ascii, .. }) => 5,
            Self::Int(_) => 6,
            Self::Float(float) if float.is_bounded() => 7,
            Self::Float(_) => 8,
            Self::Inline(_) => 9,
            Self::Slug => 10,
            Self::Text { most: Some(_), .. } => 11,
            Self::Text { most: None, .. } => 12,
            Self::Free => 13,
            Self::Rest(Rest::NoSlashFirst) => 14,
            Self::Rest(Rest::Some) => 15,
            Self::Rest(Rest::Empty) => 16,
            Self::Rest(Rest::Any) => 17,
        }
    }

    /// The same as a pattern, for segments that hold more than one parameter. Of a rest it is what lies
    /// within one segment. It differs from [`matches`](Self::matches) in three ways, for the sake of its
    /// size: a string of a certain length takes well-formed UTF-8 only, a whole number with a width or
    /// bounds takes ASCII digits only, and the bounds of decimal numbers are not in it (the parser
    /// refuses those here).
    pub fn expr(&self) -> Expr {
        match self {
            Self::AnyOf(items) => Expr::either(items.iter().map(|it| Expr::literal(it)).collect()),
            Self::Uuid(form) => form.expr(),
            Self::Int(int) => int.expr(),
            Self::Float(float) => float.expr(),
            Self::Inline(inline) => inline.expr.clone(),
            Self::Slug => {
                Expr::class(&[(b'-', b'-'), (b'0', b'9'), (b'A', b'Z'), (b'_', b'_'), (b'a', b'z')])
                    .repeat(1, None)
            }
            Self::Text { least, most } => Expr::any_char().repeat(*least, *most),
            Self::Free | Self::Rest(Rest::Some | Rest::NoSlashFirst) => {
                Expr::any_byte().repeat(1, None)
            }
            Self::Rest(Rest::Empty | Rest::Any) => Expr::any_byte().repeat(0, None),
        }
    }

    /// A choice. The order of the items and their repetitions do not matter.
    pub(super) fn any_of(items: impl IntoIterator<Item = String>) -> Self {
        let mut items: Vec<Box<[u8]>> =
            items.into_iter().map(|item| item.into_bytes().into_boxed_slice()).collect();
        sort(&mut items);
        items.dedup();
        Self::AnyOf(items.into_boxed_slice())
    }

    /// A string with a length.
    pub(super) fn text(least: u32, most: Option<u32>) -> Self {
        match (least, most) {
            (0 | 1, None) => Self::Free,
            (least, most) => Self::Text { least, most },
        }
    }

    /// What a regular expression takes: the language of a converter where it is the same, which is
    /// faster and narrower in rank.
    pub(super) fn inline(expr: Expr, pattern: Pattern) -> Self {
        let known = KNOWN.iter().find(|(_, known)| *known == pattern);
        known.map_or_else(
            || Self::Inline(Box::new(Inline { expr, pattern })),
            |(language, _)| language.clone(),
        )
    }
}

impl Inline {
    /// The compiled expression.
    pub fn pattern(&self) -> &Pattern {
        &self.pattern
    }
}

/// Compiled expressions are equal when they take the same; how they are written does not matter.
impl PartialEq for Inline {
    fn eq(&self, other: &Self) -> bool {
        self.pattern == other.pattern
    }
}

impl Eq for Inline {}

impl Hash for Inline {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.pattern.hash(state);
    }
}

/// Whether this has at least and at most so many characters, as Python counts them: each of the
/// longest runs of bytes that could not be continued is one, U+FFFD.
fn has_length(segment: &[u8], least: u32, most: Option<u32>) -> bool {
    let most = most.map(|most| most as usize);
    // A character has four bytes at most, so this much decides most cases.
    if most.is_some_and(|most| segment.len() > most.saturating_mul(4)) {
        return false;
    }
    let count: usize = segment
        .utf8_chunks()
        .map(|chunk| chunk.valid().chars().count() + usize::from(!chunk.invalid().is_empty()))
        .sum();
    count >= least as usize && most.is_none_or(|most| count <= most)
}

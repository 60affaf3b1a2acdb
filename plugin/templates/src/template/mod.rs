//! Templates: what a person writes for a route, in any of the spellings that Python developers know.
//!
//! One parser reads them all and tells them apart by itself: the braces of Starlette, the angle
//! brackets of Flask and Django, `:id`, `*` and `**`, Go's `{rest...}` and gRPC's `{name=*}`. Its
//! errors point into the template. What a parameter takes is a [`Language`], and that is exactly what
//! the framework's own converter takes.
//!
//! Where Flask and Django have converters of one name (`int`, `uuid`, `path`), a template **with** a
//! leading slash is Flask's, which demands it, and one **without** is Django's, which never has it.
//! Braces are always Starlette's.
//!
//! What this is not: matching a path against many templates. That is the matcher's.

mod angles;
mod arguments;
mod braces;
mod converters;
mod decimal;
mod digits;
mod error;
mod language;
mod methods;
mod numbers;
mod parse;
mod ranges;
mod sample;
mod uuid;

#[cfg(test)]
mod tests;

use std::ops::Range;

pub use decimal::Bound;
pub use digits::Digits;
pub use error::{TemplateError, TemplateErrorKind};
pub use language::{Inline, Language, Rest};
pub use methods::Methods;
pub use numbers::{Float, Int};
pub use parse::{MOST_SEGMENTS, parse};
pub use uuid::UuidForm;

/// The longest template in bytes, with its methods: a template is a name, and metrics carry it.
pub const LONGEST_TEMPLATE: usize = 1_024;

/// One template, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// The methods that it is for; none named means any.
    pub methods: Methods,
    /// The value of `http.route`: as written, without the methods and the blanks around it.
    pub text: String,
    /// What stands behind the leading slash, flat; a slash at the end is not among them. Invariants:
    /// no two slashes and no two literals are neighbours, none of it begins or ends with a slash, and
    /// between two slashes stands at most one rest.
    pub pieces: Vec<Piece>,
}

/// A part of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// The border of two segments.
    Slash,
    /// Bytes that must stand there, percent-decoded. Never empty, never with a slash.
    Literal(Vec<u8>),
    /// Something that varies.
    Param(Param),
}

/// A parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    /// Its name; `*` and `**` have none.
    pub name: Option<String>,
    /// What it takes.
    pub language: Language,
    /// Where the whole parameter stands in the text that was parsed.
    pub span: Range<usize>,
}

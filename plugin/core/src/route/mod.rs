//! Which route a request belongs to: the name under which it is counted, with a hard bound on how many
//! names there are.
//!
//! A path that matches a configured [template] has that template's name; the [matcher] finds
//! it. Any other is made into a [shape]: its [segments](segment) are words, which stay, or identifiers,
//! which are named by their kind. Which shapes are routes is for the [learner]: those that the app has
//! answered for, up to a limit, with words that are too many beside each other collapsed into one. The
//! [router] holds what is configured, and [inference] what was found out.

pub mod explain;
pub mod inference;
pub mod learner;
pub mod matcher;
pub mod router;
pub mod segment;
pub mod shape;
mod table;

pub use sightline_templates::{pattern, template};

pub use inference::alone::Alone;
pub use inference::{Answer, Inference, Inferred, Ledger, RouteCounts};
pub use matcher::{Precedence, Scratch, Templates};
pub use router::{Router, Target};
pub use shape::Shape;
pub use table::{Number, Table};

/// A request's route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route<'a> {
    /// What `http.route` says.
    pub name: &'a str,
    /// Where it came from.
    pub source: Source,
}

/// Where a route came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A template matched.
    Template,
    /// Identifiers were named by their kind.
    Typed,
    /// Further segments were collapsed, because there are too many of them.
    Learned,
    /// Nothing matched, and no answer has shown that the path exists.
    Unmatched,
    /// The limit of inferred routes is reached.
    Overflow,
}

impl Route<'_> {
    /// The route of all that has none.
    pub const UNMATCHED: Self = Self { name: "_unmatched", source: Source::Unmatched };
    /// The route of all that is past the limit.
    pub const OVERFLOW: Self = Self { name: "_other", source: Source::Overflow };
}

impl Source {
    /// Its name in signals.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Template => "template",
            Self::Typed => "typed",
            Self::Learned => "learned",
            Self::Unmatched => "unmatched",
            Self::Overflow => "overflow",
        }
    }
}

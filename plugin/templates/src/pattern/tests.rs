//! Tables of what is accepted and refused, and properties held against a naive model.

mod bounds;
mod language;
mod model;
mod syntax;

use super::{Expr, Pattern};

/// The pattern that `text` spells.
fn pattern(text: &str) -> Pattern {
    let expr = Expr::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    Pattern::compile(&expr).unwrap_or_else(|error| panic!("{text}: {error}"))
}

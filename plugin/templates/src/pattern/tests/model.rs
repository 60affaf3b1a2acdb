//! The naive model: an expression is matched by trying everything, straight from its definition.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::expr::{Expr, Node};

/// Whether `expr` accepts all of `input`.
pub(super) fn accepts(expr: &Expr, input: &[u8]) -> bool {
    ends(expr, input, 0).contains(&input.len())
}

/// Where a match that begins at `from` may end.
fn ends(expr: &Expr, input: &[u8], from: usize) -> BTreeSet<usize> {
    let rest = &input[from..];
    match &expr.0 {
        Node::Byte(set) => {
            rest.first().filter(|b| set.holds(**b)).map(|_| from + 1).into_iter().collect()
        }
        Node::Char(ascii) => (1..=rest.len().min(4))
            .filter(|length| match std::str::from_utf8(&rest[..*length]) {
                Ok(text) if text.is_ascii() => *length == 1 && ascii.holds(rest[0]),
                Ok(text) => text.chars().count() == 1,
                Err(_) => false,
            })
            .map(|length| from + length)
            .collect(),
        Node::Sequence(parts) => parts.iter().fold(BTreeSet::from([from]), |at, part| {
            at.into_iter().flat_map(|at| ends(part, input, at)).collect()
        }),
        Node::Either(parts) => parts.iter().flat_map(|part| ends(part, input, from)).collect(),
        Node::Repeat { body, least, most } => repeated(body, *least, *most, input, from),
    }
}

fn repeated(
    body: &Expr,
    least: u32,
    most: Option<u32>,
    input: &[u8],
    from: usize,
) -> BTreeSet<usize> {
    let once = |at: &BTreeSet<usize>| -> BTreeSet<usize> {
        at.iter().flat_map(|at| ends(body, input, *at)).collect()
    };
    // After as many rounds as there are places, more of them reach nothing new.
    let enough = least + u32::try_from(input.len()).unwrap() + 1;
    let mut at = BTreeSet::from([from]);
    let mut found = BTreeSet::new();
    for round in 0..=most.unwrap_or(enough).min(enough) {
        if round >= least {
            found.extend(&at);
        }
        at = once(&at);
    }
    if most.is_some_and(|most| most < least) { BTreeSet::new() } else { found }
}

/// Expressions of every kind, over few bytes so that inputs have a chance.
pub(super) fn expr() -> impl Strategy<Value = Expr> {
    let leaf = prop_oneof![
        4 => prop::sample::select(vec!["a", "b", "é", "/", "ab", ""])
            .prop_map(|text| Expr::literal(text.as_bytes())),
        2 => Just(Expr::class(&[(b'a', b'b')])),
        1 => Just(Expr::class(&[])),
        1 => Just(Expr::any_char()),
        1 => Just(Expr::any_byte()),
        1 => Just(Expr::literal(b"\xc3")),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            (inner.clone(), 0_u32..4, prop::option::of(0_u32..5))
                .prop_map(|(body, least, most)| body.repeat(least, most)),
            prop::collection::vec(inner.clone(), 0..4).prop_map(Expr::sequence),
            prop::collection::vec(inner, 0..4).prop_map(Expr::either),
        ]
    })
}

/// Expressions over `a` and `b` that accept nothing longer than [`LONGEST`] bytes.
pub(super) fn finite() -> impl Strategy<Value = Expr> {
    let leaf =
        prop::sample::select(vec!["a", "b", ""]).prop_map(|text| Expr::literal(text.as_bytes()));
    leaf.prop_recursive(4, 12, 3, |inner| {
        prop_oneof![
            (inner.clone(), 0_u32..2, 1_u32..3)
                .prop_map(|(body, least, most)| body.repeat(least, Some(most))),
            prop::collection::vec(inner.clone(), 0..4).prop_map(Expr::sequence),
            prop::collection::vec(inner, 0..4).prop_map(Expr::either),
        ]
    })
    .prop_filter("too long", |expr| longest(expr) <= LONGEST)
}

pub(super) const LONGEST: usize = 7;

/// How long an input that a finite expression accepts can be at most.
fn longest(expr: &Expr) -> usize {
    match &expr.0 {
        Node::Byte(_) => 1,
        Node::Char(_) => 4,
        Node::Repeat { body, most, .. } => longest(body) * most.unwrap() as usize,
        Node::Sequence(parts) => parts.iter().map(longest).sum(),
        Node::Either(parts) => parts.iter().map(longest).max().unwrap_or(0),
    }
}

/// Every input over `a` and `b` of up to [`LONGEST`] bytes that `expr` accepts.
pub(super) fn language(expr: &Expr) -> BTreeSet<Vec<u8>> {
    let mut inputs = vec![Vec::new()];
    for length in 0..LONGEST {
        let longer: Vec<Vec<u8>> = inputs
            .iter()
            .filter(|input| input.len() == length)
            .flat_map(|input| b"ab".iter().map(|byte| [&input[..], &[*byte]].concat()))
            .collect();
        inputs.extend(longer);
    }
    inputs.into_iter().filter(|input| accepts(expr, input)).collect()
}

/// An input that `expr` accepts, where `choices` decide what is free; `None` if it ran into a dead end.
pub(super) fn sample(expr: &Expr, choices: &mut impl Iterator<Item = usize>) -> Option<Vec<u8>> {
    let choice = choices.next()?;
    match &expr.0 {
        Node::Byte(set) => {
            let bytes: Vec<u8> = (0..=u8::MAX).filter(|byte| set.holds(*byte)).collect();
            (!bytes.is_empty()).then(|| vec![bytes[choice % bytes.len()]])
        }
        Node::Char(_) => {
            let ends =
                ["a", "~", "\u{80}", "\u{7ff}", "\u{800}", "\u{d7ff}", "\u{e000}", "\u{ffff}"];
            let all = [&ends[..], &["\u{10000}", "\u{3ffff}", "\u{40000}", "\u{10ffff}"]].concat();
            Some(all[choice % all.len()].as_bytes().to_vec())
        }
        Node::Repeat { body, least, most } => {
            let least = *least as usize;
            let most = most.map_or(least + 3, |most| most as usize);
            let times = least + choice % (most.checked_sub(least)? + 1);
            (0..times)
                .map(|_| sample(body, choices))
                .collect::<Option<Vec<_>>>()
                .map(|all| all.concat())
        }
        Node::Sequence(parts) => {
            let all = parts.iter().map(|part| sample(part, choices)).collect::<Option<Vec<_>>>();
            all.map(|all| all.concat())
        }
        Node::Either(parts) => {
            parts.get(choice % parts.len().max(1)).and_then(|p| sample(p, choices))
        }
    }
}

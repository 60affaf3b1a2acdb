//! Where in a file the key stands that a problem names.

use std::ops::Range;

use sightline_core::config::Problem;

use super::node::{Entry, Kind, Node};

/// What a path leads to.
struct Found<'a> {
    /// The key and the value; no key at the root and for entries of lists.
    entry: Option<&'a Entry>,
    node: &'a Node,
    /// How much of the path is not there.
    missing: usize,
}

/// The bytes that a problem is about. `repeats` says the how-manieth problem of this kind with this key it is:
/// of a key that is said three times, the second and the third are wrong.
pub(super) fn locate(problem: &Problem, repeats: usize, root: &Node) -> Range<usize> {
    let repeated = if problem.is_repetition() { repeats + 1 } else { 0 };
    let found = follow(root, None, &problem.path, repeated);
    let is_whole = found.missing == 0;
    let key = found.entry.map(|entry| entry.key_span.clone());
    match (key, &found.node.kind) {
        (Some(key), _) if !is_whole || problem.is_of_key() => key,
        (key, Kind::Scalar(scalar)) if is_whole => match &problem.within {
            Some(within) if within.end <= scalar.text.len() => scalar.origin.range(within.clone()),
            // Nothing stands there that could be shown.
            _ if found.node.span.is_empty() => key.unwrap_or_else(|| found.node.span.clone()),
            _ => found.node.span.clone(),
        },
        _ => found.node.span.clone(),
    }
}

/// Follows a path as far as it leads. A key can have dots in it, so each that fits is tried.
fn follow<'a>(node: &'a Node, entry: Option<&'a Entry>, path: &str, repeated: usize) -> Found<'a> {
    let here = Found { entry, node, missing: path.len() };
    if path.is_empty() {
        return here;
    }
    let further = match (&node.kind, entry_number(path)) {
        (Kind::List(items), Some((number, rest))) => {
            items.get(number).map(|item| follow(item, None, rest, repeated))
        }
        (Kind::Map(_), _) => by_key(node, path.strip_prefix('.').unwrap_or(path), repeated),
        _ => None,
    };
    further.filter(|further| further.missing <= here.missing).unwrap_or(here)
}

fn by_key<'a>(map: &'a Node, path: &str, repeated: usize) -> Option<Found<'a>> {
    let mut found: Vec<Found<'a>> = Vec::new();
    for entry in map.entries() {
        let rest = behind_key(&entry.key, path);
        let fits = |rest: &&str| rest.is_empty() || rest.starts_with(['.', '[']);
        if let Some(rest) = rest.filter(fits) {
            found.push(follow(&entry.value, Some(entry), rest, repeated));
        }
    }
    let least = found.iter().map(|one| one.missing).min()?;
    let mut best: Vec<Found<'a>> = found.into_iter().filter(|one| one.missing == least).collect();
    // The first of equal keys is the one that is read.
    let number = repeated.min(best.len() - 1);
    Some(best.swap_remove(number))
}

/// What follows a key in a path, where keys are escaped. Most need not be.
fn behind_key<'p>(key: &str, path: &'p str) -> Option<&'p str> {
    if key.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"'\\".contains(&byte)) {
        return path.strip_prefix(key);
    }
    path.strip_prefix(key.escape_debug().to_string().as_str())
}

/// The number in front of a path, `[3].path`, and what follows it.
fn entry_number(path: &str) -> Option<(usize, &str)> {
    let (number, rest) = path.strip_prefix('[')?.split_once(']')?;
    Some((number.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::super::origin::Origin;
    use super::super::yaml;
    use super::*;

    const YAML: &str =
        "a:\n  b.c: 1\n  b: { c: 2 }\n  d: [x, { e: 'it''s' }]\n  f:\n  f: 9\nz: 3\n";

    fn found(problem: &Problem, repeats: usize) -> &'static str {
        let documents = yaml::read(YAML, &Origin::from(0)).unwrap();
        &YAML[locate(problem, repeats, &documents[0].root)]
    }

    #[test]
    fn a_path_leads_to_its_value() {
        for (path, value) in [
            ("z", "3"),
            ("a.b.c", "1"),
            ("a.d[0]", "x"),
            ("a.d[1].e", "'it''s'"),
            ("a.d", "[x, { e: 'it''s' }]"),
            ("a.f", "f"),
            ("a.d[1].missing", "{ e: 'it''s' }"),
            ("a.d[7]", "d"),
            ("a.missing.more", "a"),
        ] {
            assert_eq!(found(&Problem::new(path, "wrong"), 0), value, "{path}");
        }
    }

    #[test]
    fn a_problem_with_a_key_leads_to_the_key() {
        assert_eq!(found(&Problem::new("a.d", "no such key; known here: x"), 0), "d");
        let twice = Problem::new("a.f", "said twice; keep one");
        let documents = yaml::read(YAML, &Origin::from(0)).unwrap();
        let second = YAML.rfind("f: 9").unwrap();
        assert_eq!(locate(&twice, 0, &documents[0].root), second..second + 1);
    }

    #[test]
    fn a_part_of_a_value_is_found_in_it() {
        let within = |path, within| Problem { within: Some(within), ..Problem::new(path, "wrong") };
        assert_eq!(found(&within("a.d[1].e", 3..4), 0), "s");
        assert_eq!(found(&within("z", 0..9), 0), "3");
    }
}

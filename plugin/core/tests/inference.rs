//! The rules that tell identifiers from words, judged by tables that were written without them.

use sightline_core::route::segment::Part;
use sightline_core::route::shape::{Shape, name};

const PATHS: &str = include_str!("routes/inference.tsv");
const WORDS: &str = include_str!("routes/words.txt");
const IDENTIFIERS: &str = include_str!("routes/identifiers.txt");

fn rows(table: &str) -> impl Iterator<Item = &str> {
    table.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

#[test]
fn paths_become_the_routes_that_a_person_would_name() {
    let wrong: Vec<String> = rows(PATHS)
        .filter_map(|row| {
            let mut columns = row.split('\t');
            let (path, expected, reason) = (columns.next()?, columns.next()?, columns.next()?);
            let route = name(Shape::of(path.as_bytes()).parts());
            (route != expected)
                .then(|| format!("{path}\n  is       {route}\n  expected {expected}: {reason}"))
        })
        .collect();
    let count = rows(PATHS).count();
    assert!(count > 400, "{count} rows");
    assert!(wrong.is_empty(), "{} of {count} rows\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn no_word_is_taken_for_an_identifier() {
    let lost: Vec<&str> = rows(WORDS)
        .filter(|word| Part::of(word.as_bytes()) != Part::Word(word.as_bytes()))
        .collect();
    assert!(lost.is_empty(), "{} of {}: {lost:?}", lost.len(), rows(WORDS).count());
}

#[test]
fn no_identifier_stays() {
    let kept: Vec<&str> = rows(IDENTIFIERS)
        .map(|row| row.split('\t').next().unwrap_or(row))
        .filter(|segment| matches!(Part::of(segment.as_bytes()), Part::Word(_)))
        .collect();
    assert!(kept.is_empty(), "{} of {}: {kept:?}", kept.len(), rows(IDENTIFIERS).count());
}

//! What is wrong with a script, said so that its author can mend it. What is wrong is found
//! elsewhere.

use std::fmt;

/// Why a script is not one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptError {
    /// The callback, as the script calls it.
    pub callback: String,
    /// The statement as written, where one is to blame.
    pub statement: Option<String>,
    /// What is wrong with it, and what would be right.
    pub problem: String,
}

impl ScriptError {
    pub(super) fn in_callback(callback: &str, problem: impl Into<String>) -> Self {
        Self { callback: callback.to_owned(), statement: None, problem: problem.into() }
    }

    pub(super) fn in_statement(callback: &str, statement: &str, problem: String) -> Self {
        let statement = Some(statement.to_owned());
        Self { callback: callback.to_owned(), statement, problem }
    }
}

impl fmt::Display for ScriptError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "script, callback `{}`", self.callback)?;
        if let Some(statement) = &self.statement {
            write!(out, ", statement `{statement}`")?;
        }
        write!(out, ": {}", self.problem)
    }
}

impl std::error::Error for ScriptError {}

/// That a word is none of those known, which are listed, with the one that was perhaps meant.
pub(super) fn unknown<'a>(
    word: &str,
    what: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> String {
    let meant = known
        .clone()
        .map(|name| (distance(word, name), name))
        .filter(|(distance, _)| *distance <= 2)
        .min()
        .map(|(_, name)| format!("; did you mean `{name}`?"))
        .unwrap_or_default();
    let known: Vec<&str> = known.collect();
    format!("`{word}` is no {what}{meant} (known: {})", known.join(", "))
}

/// How many letters to add, remove or replace to make one word the other.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.bytes().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_counted() {
        for (a, b, expected) in
            [("", "", 0), ("get", "get", 0), ("gett", "get", 1), ("gte", "get", 2), ("", "abc", 3)]
        {
            assert_eq!(distance(a, b), expected, "{a} {b}");
            assert_eq!(distance(b, a), expected, "{b} {a}");
        }
    }
}

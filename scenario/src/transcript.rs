//! What a host did with a scenario, as lines of text: asked whether they hold what is expected, and
//! compared with those of another host.

use std::fmt::{self, Write as _};

/// How many equal lines a difference shows around what differs.
const CONTEXT: usize = 3;

/// The lines, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transcript {
    lines: Vec<String>,
}

impl Transcript {
    /// Of these lines. One that has line ends in it becomes several.
    pub fn new(lines: impl IntoIterator<Item = String>) -> Self {
        let whole = |text: String| text.lines().map(str::to_owned).collect::<Vec<_>>();
        Self { lines: lines.into_iter().flat_map(whole).collect() }
    }

    /// The lines.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// What is missing of the `expected` parts and what is there of the `absent` ones, a sentence
    /// for each.
    pub fn check(&self, expected: &[String], absent: &[String]) -> Vec<String> {
        let found = |part: &String| self.lines.iter().find(|line| line.contains(part.as_str()));
        let missing = expected.iter().filter(|part| found(part).is_none());
        let missing = missing.map(|part| format!("expected, but in no line: {part}"));
        let there = absent.iter().filter_map(|part| {
            found(part).map(|line| format!("should be absent: {part}\n  but there is: {line}"))
        });
        missing.chain(there).collect()
    }

    /// The difference to another, with lines of this one marked `-` and of the other `+`; none if
    /// there is none.
    pub fn diff(&self, other: &Self) -> Option<String> {
        (self != other).then(|| shown(&edits(&self.lines, &other.lines)))
    }
}

impl fmt::Display for Transcript {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| writeln!(out, "{line}"))
    }
}

/// A line of a comparison: `' '` is in both, `-` in the first only, `+` in the second only.
type Edit<'a> = (char, &'a str);

/// The shortest way from one list of lines to another.
fn edits<'a>(ours: &'a [String], theirs: &'a [String]) -> Vec<Edit<'a>> {
    let common = common_lengths(ours, theirs);
    let (mut i, mut j) = (0, 0);
    let mut edits = Vec::with_capacity(ours.len() + theirs.len());
    while i < ours.len() || j < theirs.len() {
        if i < ours.len() && j < theirs.len() && ours[i] == theirs[j] {
            edits.push((' ', ours[i].as_str()));
            (i, j) = (i + 1, j + 1);
        } else if j == theirs.len() || (i < ours.len() && common[i + 1][j] >= common[i][j + 1]) {
            edits.push(('-', ours[i].as_str()));
            i += 1;
        } else {
            edits.push(('+', theirs[j].as_str()));
            j += 1;
        }
    }
    edits
}

/// For each pair of places, how many lines the rests from there have in common.
fn common_lengths(ours: &[String], theirs: &[String]) -> Vec<Vec<u32>> {
    let mut common = vec![vec![0; theirs.len() + 1]; ours.len() + 1];
    for i in (0..ours.len()).rev() {
        for j in (0..theirs.len()).rev() {
            common[i][j] = if ours[i] == theirs[j] {
                common[i + 1][j + 1] + 1
            } else {
                common[i + 1][j].max(common[i][j + 1])
            };
        }
    }
    common
}

/// What differs with a few lines around it, and `...` for the rest.
fn shown(edits: &[Edit<'_>]) -> String {
    let near = |at: usize| {
        let from = at.saturating_sub(CONTEXT);
        let to = (at + CONTEXT + 1).min(edits.len());
        edits[from..to].iter().any(|(mark, _)| *mark != ' ')
    };
    let mut text = String::new();
    let mut skipping = false;
    for (at, (mark, line)) in edits.iter().enumerate() {
        if near(at) {
            let _ = writeln!(text, "{mark} {line}");
        } else if !skipping {
            text.push_str("...\n");
        }
        skipping = !near(at);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transcript(text: &str) -> Transcript {
        Transcript::new(text.split(' ').map(str::to_owned))
    }

    fn parts(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn what_is_missing_and_what_should_not_be_there_is_told() {
        let seen = transcript("alpha beta");
        for (name, expected, absent, problems) in [
            ("as wanted", "lph eta", "gamma", 0),
            ("nothing wanted", "", "", 0),
            ("missing", "gamma alpha delta", "", 2),
            ("there", "", "eta", 1),
            ("both", "x", "alpha", 2),
        ] {
            let told = seen.check(&parts(expected), &parts(absent));
            assert_eq!(told.len(), problems, "{name}: {told:?}");
        }
    }

    #[test]
    fn a_difference_shows_its_surroundings() {
        for (name, ours, theirs, expected) in [
            ("equal", "a b", "a b", None),
            ("changed", "a b c", "a x c", Some("  a\n- b\n+ x\n  c\n")),
            ("more", "a", "a b", Some("  a\n+ b\n")),
            ("less", "a b", "b", Some("- a\n  b\n")),
            ("far", "1 2 3 4 5", "1 2 3 4 6", Some("...\n  2\n  3\n  4\n- 5\n+ 6\n")),
            (
                "twice",
                "x 1 2 3 4 5 6 7 y",
                "1 2 3 4 5 6 7",
                Some("- x\n  1\n  2\n  3\n...\n  5\n  6\n  7\n- y\n"),
            ),
        ] {
            let difference = transcript(ours).diff(&transcript(theirs));
            assert_eq!(difference.as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn it_is_shown_line_by_line() {
        let seen = Transcript::new(["a\nb".to_owned(), "c".to_owned()]);
        assert_eq!(seen.to_string(), "a\nb\nc\n");
    }
}

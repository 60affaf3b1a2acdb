//! What is wrong with a configuration, said so that it can be put right.

use std::fmt;
use std::ops::Range;

use super::Path;

/// One thing that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The key's path, `request_id.format`; empty for the configuration as a whole.
    pub path: String,
    /// What stands there and what was expected, in words.
    pub message: String,
    /// The nearest name that would have been right.
    pub nearest: Option<String>,
    /// Which bytes of the value are wrong, where not all are.
    pub within: Option<Range<usize>>,
}

/// All that is wrong. Invariant: at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problem {
    /// A problem to which no known name comes near.
    pub fn new(path: impl fmt::Display, message: impl Into<String>) -> Self {
        Self { path: path.to_string(), message: message.into(), nearest: None, within: None }
    }

    /// Whether it is the key that is wrong, and not what stands behind it. Known from the message: a field for it would
    /// be code in the filter, which has no use for it.
    pub fn is_of_key(&self) -> bool {
        self.message.starts_with("no such key; ") || self.is_repetition()
    }

    /// Whether the key stands there for a second time.
    pub fn is_repetition(&self) -> bool {
        self.message == "said twice; keep one"
    }

    /// The same, with the name that was perhaps meant.
    pub fn or_meant(self, nearest: Option<&str>) -> Self {
        Self { nearest: nearest.map(str::to_owned), ..self }
    }
}

impl Problems {
    /// One after the other, in the order of the configuration.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }
}

impl From<Vec<Problem>> for Problems {
    fn from(problems: Vec<Problem>) -> Self {
        Self(problems)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "the configuration" } else { &self.path };
        write!(f, "{path}: {}", self.message)?;
        match &self.nearest {
            Some(nearest) => write!(f, "; did you mean `{nearest}`?"),
            None => Ok(()),
        }
    }
}

/// Whether a problem with this key, or with something in it, is known already.
pub(super) fn told_of(path: &str, problems: &[Problem]) -> bool {
    problems.iter().any(|problem| {
        let rest = problem.path.strip_prefix(path);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    })
}

/// Tells that something must stand here and does not, unless it is known that what stands here is wrong.
pub(super) fn require(is_said: bool, at: &Path<'_>, takes: &str, problems: &mut Vec<Problem>) {
    if !is_said && !told_of(&at.to_string(), problems) {
        problems.push(Problem::new(at, format!("nothing stands here, expected {takes}")));
    }
}

/// One line each.
impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

#[cfg(test)]
mod tests {
    #[test]
    fn it_is_known_whether_the_key_is_wrong() {
        for (said, is_of_key, is_repetition) in [
            (r#"{"a": 1}"#, true, false),
            (r#"{"metrics": {"stats": true, "stats": true}}"#, true, true),
            (r#"{"service": {"attributes": {"a": "b", "a": "b"}}}"#, true, true),
            (r#"{"metrics": {"stats": 1}}"#, false, false),
        ] {
            let problems = crate::config::read(said.as_bytes()).unwrap_err();
            for problem in problems.iter() {
                let told = (problem.is_of_key(), problem.is_repetition());
                assert_eq!(told, (is_of_key, is_repetition), "{said}");
            }
        }
    }
}

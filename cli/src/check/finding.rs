//! What was found in a file, and how it is told: to people with the line and a caret, to programs as JSON.

use std::fmt::Write as _;
use std::ops::Range;

use serde::Serialize;
use sightline_core::config::Problem;

use super::source::{Excerpt, Source};
use crate::harmless::harmless;

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Which bytes of the file it is about; none if it is about the file as a whole.
    pub at: Option<Range<usize>>,
    /// The key's path in the configuration; empty where it is about none.
    pub path: String,
    /// What is wrong, and what was expected.
    pub message: String,
    /// The nearest name that would have been right.
    pub nearest: Option<String>,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The filter refuses it.
    Error,
    /// It is allowed, and yet hardly meant.
    Warning,
}

/// Whether what is written goes to a terminal that shows colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    /// It does.
    Coloured,
    /// It does not.
    Plain,
}

/// A finding as one object.
#[derive(Serialize)]
pub(super) struct Record<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    path: &'a str,
    severity: Severity,
    message: &'a str,
    nearest: Option<&'a str>,
}

impl Finding {
    /// What is wrong with a file, at a place or as a whole.
    pub(super) fn error(message: impl Into<String>, at: Option<Range<usize>>) -> Self {
        let (path, message) = (String::new(), message.into());
        Self { severity: Severity::Error, at, path, message, nearest: None }
    }

    /// What the core says, and where that is.
    pub(super) fn of(problem: &Problem, severity: Severity, at: Range<usize>) -> Self {
        let Problem { path, message, nearest, .. } = problem.clone();
        Self { severity, at: Some(at), path, message, nearest }
    }

    /// As people read it: what is wrong, the line, and a caret.
    pub(super) fn write(&self, source: &Source, paint: Paint, told: &mut String) {
        let at = self.at.as_ref();
        let place = at.map_or_else(String::new, |at| format!(":{}", source.place(at.start)));
        let path = if self.path.is_empty() { "" } else { &format!("{}: ", self.path) };
        let message = harmless(&self.message);
        let nearest =
            self.nearest.as_ref().map(|nearest| format!("; did you mean `{}`?", harmless(nearest)));
        let severity = paint.of(self.severity, self.severity.as_str());
        // Writing to a String cannot fail.
        let _ = writeln!(
            told,
            "{}{place}: {severity}: {path}{message}{}",
            harmless(source.name()),
            nearest.unwrap_or_default()
        );
        if let Some(at) = at {
            let Excerpt { line, caret } = source.excerpt(at);
            let number = source.place(at.start).line.to_string();
            let caret = paint.of(self.severity, &caret);
            let margin = " ".repeat(number.len());
            let _ = writeln!(told, "  {number} | {line}\n  {margin} | {caret}");
        }
    }

    pub(super) fn record<'a>(&'a self, source: &'a Source) -> Record<'a> {
        let place = source.place(self.at.as_ref().map_or(0, |at| at.start));
        Record {
            file: source.name(),
            line: place.line,
            column: place.column,
            path: &self.path,
            severity: self.severity,
            message: &self.message,
            nearest: self.nearest.as_deref(),
        }
    }
}

impl Severity {
    fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

impl Paint {
    fn of(self, severity: Severity, text: &str) -> String {
        let colour = match severity {
            Severity::Error => "1;31",
            Severity::Warning => "1;33",
        };
        match self {
            Self::Coloured => format!("\u{1b}[{colour}m{text}\u{1b}[0m"),
            Self::Plain => text.to_owned(),
        }
    }
}

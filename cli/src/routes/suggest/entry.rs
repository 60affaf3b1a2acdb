//! One request out of an access log, in whatever format it stands there. Each line is looked at by itself, so
//! formats may change within a file.

use std::borrow::Cow;

use super::{json, logfmt, text};

/// A request, and what its line says of its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    pub(super) method: Cow<'a, str>,
    /// The path, with its query if the log has that, or a whole URL.
    pub(super) target: Cow<'a, str>,
    /// None, or 0: there was no answer.
    pub(super) status: Option<u16>,
    /// What the filter made of it.
    pub(super) found: Found,
    /// Envoy had something to say, as it has about answers that are not the app's.
    pub(super) flagged: bool,
}

/// What the filter made of a path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Found {
    /// The line does not say.
    #[default]
    Unsaid,
    /// A template matches.
    Template,
    /// The route is known to exist.
    Exists,
    /// Nothing shows that it exists.
    Unmatched,
}

impl Entry<'_> {
    /// The request of a line, if the line is one of an access log.
    pub(super) fn of(line: &str) -> Option<Entry<'_>> {
        // Whatever a client says may hold what looks like another format: the line's own goes first.
        if line.starts_with('{') {
            return json::entry(line);
        }
        text::entry(line).or_else(|| json::entry(line)).or_else(|| logfmt::entry(line))
    }

    /// Whether the answer shows that the path exists.
    pub(super) fn exists(&self) -> bool {
        let by_status = match self.status {
            Some(101 | 200..=399) => true,
            Some(500..) => !self.flagged,
            Some(_) | None => false,
        };
        match self.found {
            Found::Exists => true,
            Found::Unmatched => false,
            // A browser's question before the request is answered for any path.
            Found::Template | Found::Unsaid => by_status && self.method != "OPTIONS",
        }
    }
}

impl Found {
    /// What a `route_source` says.
    pub(super) fn of(source: &str) -> Self {
        match source {
            "template" => Self::Template,
            "typed" | "learned" => Self::Exists,
            "unmatched" => Self::Unmatched,
            _ => Self::Unsaid,
        }
    }
}

/// A status as logs write it.
pub(super) fn status(text: &str) -> Option<u16> {
    let is_status = matches!(text.len(), 1..=3) && text.bytes().all(|byte| byte.is_ascii_digit());
    is_status.then(|| text.parse().ok()).flatten()
}

/// Whether this can be a method: logs hold lines of broken clients too.
pub(super) fn is_method(text: &str) -> bool {
    (1..=32).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_uppercase() || b"-_".contains(&byte))
        && text != "-"
}

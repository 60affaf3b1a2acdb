//! Suggestions as a part of a configuration, with comments for whoever reads it, and as JSON.

use std::fmt::{self, Write as _};

use serde_json::{Value, json};

use super::choose::{LeftOut, Pinned, Suggestions};

/// Names of routes that are listed; of more there is only the number.
const MOST_NAMED: usize = 5;

/// An example is cut behind so many characters.
const LONGEST_EXAMPLE: usize = 80;

impl Suggestions {
    /// For programs.
    pub fn as_json(&self) -> Value {
        let pinned = |it: &Pinned| json!({ "template": it.template, "replaces": it.replaces, "requests": it.requests, "example": it.example });
        let LeftOut { unmatched, ignored, templates, overflowed, plain, rare, odd, .. } =
            &self.left_out;
        json!({
            "requests": self.requests,
            "suggestions": self.pinned.iter().map(pinned).collect::<Value>(),
            "left_out": {
                "unmatched_requests": unmatched,
                "ignored_requests": ignored,
                "requests_of_templates": templates,
                "overflowed_requests": overflowed,
                "requests_without_parameters": plain,
                "rare_routes": rare,
                "routes_without_template": odd,
            },
            "unread_lines": { "count": self.unread, "first": self.first_unread },
        })
    }

    /// What is told of lines that are no requests.
    pub fn complaint(&self) -> Option<String> {
        let first = self.first_unread.as_ref()?;
        let lines = counted(self.unread, "line holds", "lines hold");
        Some(format!("{lines} no request and went uncounted; the first is {first}."))
    }
}

/// A `routes:` block.
impl fmt::Display for Suggestions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let requests = counted(self.requests, "request", "requests");
        writeln!(
            f,
            "# From {requests}. Read it through: names and types are guesses from the paths."
        )?;
        f.write_str("routes:\n")?;
        if self.pinned.is_empty() {
            f.write_str("  templates: []\n")?;
        } else {
            f.write_str("  templates:\n")?;
        }
        self.pinned.iter().try_for_each(|pinned| writeln!(f, "    - {pinned}"))?;
        self.left_out.fmt(f)
    }
}

impl fmt::Display for Pinned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let requests = counted(self.requests, "request", "requests");
        write!(f, "{}  # {requests}", self.template)?;
        if self.beside {
            return f.write_str("; another template here would take them");
        }
        write!(f, ", e.g. {}", shown(&self.example))
    }
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let example = self.unmatched_example.as_deref().map(shown).unwrap_or_default();
        let requests = [
            (self.unmatched, format!("to paths that no answer shows to exist, e.g. {example}")),
            (self.plain, "to routes without a parameter, which need no template".to_owned()),
            (self.templates, "that templates match already".to_owned()),
            (self.ignored, "to paths that routes.ignore names".to_owned()),
            (self.overflowed, "to further routes: there are too many to hold".to_owned()),
        ];
        let routes =
            [(&self.rare, "with fewer requests than --min"), (&self.odd, "that no template says")];
        let mut told = String::new();
        for (count, what) in requests.iter().filter(|(count, _)| *count > 0) {
            writeln!(told, "#   {} {what}", counted(*count, "request", "requests"))?;
        }
        for (routes, what) in routes.iter().filter(|(routes, _)| !routes.is_empty()) {
            let count = counted(routes.len() as u64, "route", "routes");
            writeln!(told, "#   {count} {what}: {}", listed(routes))?;
        }
        if told.is_empty() { Ok(()) } else { write!(f, "# Left out:\n{told}") }
    }
}

fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn listed(routes: &[String]) -> String {
    let named: Vec<String> = routes.iter().take(MOST_NAMED).map(|route| shown(route)).collect();
    let more = routes.len().saturating_sub(MOST_NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", named.join(", "))
}

/// What clients sent, such that it does nothing to a comment nor to a terminal.
fn shown(path: &str) -> String {
    let is_plain = |it: char| it.is_ascii_graphic();
    let mut text = String::new();
    for char in path.chars().take(LONGEST_EXAMPLE) {
        if is_plain(char) {
            text.push(char);
        } else {
            text.extend(char.escape_default());
        }
    }
    if path.chars().nth(LONGEST_EXAMPLE).is_some() {
        text.push_str("...");
    }
    text
}

//! An access-log line as a person reads it, in a glance and in columns:
//!
//! ```text
//! 12:01:07  200  GET     /users/{id}      3.1 ms  req 5417998a  trace 4bf92f35  (/users/1001)
//! ```
//!
//! It fits the terminal, and whatever a client has sent, no byte of it acts on the terminal. Times are
//! UTC, as in the line itself.

use std::borrow::Cow;
use std::io::{self, IsTerminal as _};

use serde::Deserialize;

mod columns;
mod text;

use columns::{Colour, Columns};
use text::cut;

use crate::harmless::harmless;

/// From here on a request is marked as slow, in milliseconds.
const SLOW: f64 = 1_000.0;

/// What of an ID is enough to find it by.
const ID: usize = 8;

/// How wide the column of services gets.
const SERVICE: usize = 14;

/// How a terminal is written to that says nothing of its width.
const USUAL_WIDTH: usize = 80;

/// How lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Style {
    /// Whether they are coloured.
    pub(super) colour: bool,
    /// The terminal's width; none where it is none.
    pub(super) width: Option<usize>,
    /// The width of a column for the service's name; none where there is but one service.
    pub(super) service: Option<usize>,
}

impl Style {
    /// As stdout is now.
    pub(super) fn of_stdout(colour: bool, services: &[String]) -> Self {
        let longest = services.iter().map(|name| name.chars().count()).max();
        let service = longest.filter(|_| services.len() > 1).map(|width| width.min(SERVICE));
        let width = io::stdout().is_terminal().then_some(USUAL_WIDTH);
        Self { colour, width, service }.fresh()
    }

    /// With the terminal's width as it is now, for people change it.
    pub(super) fn fresh(self) -> Self {
        let now = || {
            let (width, _) = crossterm::terminal::size().ok()?;
            (width > 0).then_some(width.into())
        };
        Self { width: self.width.map(|before| now().unwrap_or(before)), ..self }
    }
}

/// What of a line is shown. What is missing is empty, or none.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Fields<'a> {
    #[serde(borrow)]
    timestamp: Cow<'a, str>,
    #[serde(borrow)]
    service: Cow<'a, str>,
    #[serde(borrow)]
    request_id: Cow<'a, str>,
    #[serde(borrow)]
    trace_id: Cow<'a, str>,
    #[serde(borrow)]
    method: Cow<'a, str>,
    #[serde(borrow)]
    path: Cow<'a, str>,
    #[serde(borrow)]
    query: Cow<'a, str>,
    #[serde(borrow)]
    route: Cow<'a, str>,
    #[serde(borrow)]
    error_type: Cow<'a, str>,
    #[serde(borrow)]
    flags: Cow<'a, str>,
    #[serde(borrow)]
    stream: Cow<'a, str>,
    status: u16,
    duration_ms: f64,
}

/// Writes a line for people, with its line break. What is no JSON is written as it is, made safe.
pub(super) fn write(line: &[u8], style: Style, out: &mut Vec<u8>) {
    let mut columns = Columns::new(style.colour, style.width);
    match serde_json::from_slice::<Fields<'_>>(line) {
        Ok(fields) => fields.put(style, &mut columns),
        Err(_) => columns.put(Colour::None, &harmless(String::from_utf8_lossy(line).trim_end())),
    }
    columns.end(out);
}

impl Fields<'_> {
    fn put(&self, style: Style, columns: &mut Columns) {
        let widths = Widths::of(style);
        columns.put(Colour::Dim, &format!("{:<8}  ", cut(&self.time(), 8)));
        columns.put(self.colour(), &format!("{:<3}  ", self.status()));
        if let Some(width) = style.service {
            columns.pad(Colour::None, &harmless(&self.service), width);
        }
        columns.pad(Colour::None, &harmless(&self.method), 6);
        columns.pad(Colour::Bold, &harmless(&self.route), widths.route);
        let slow = if self.is_slow() { Colour::Yellow } else { Colour::None };
        columns.put(slow, &format!("{:>7}", duration(self.duration_ms)));
        if widths.request_id {
            columns.put(Colour::Dim, &format!("  req {:<ID$}", short(&self.request_id)));
        }
        if widths.trace_id {
            columns.put(Colour::Dim, &format!("  trace {:<ID$}", short(&self.trace_id)));
        }
        self.put_rest(columns);
    }

    /// What stands behind the columns, the most telling first.
    fn put_rest(&self, columns: &mut Columns) {
        let is_told = self.error_type.parse() == Ok(self.status);
        let error = if is_told { "" } else { &self.error_type };
        for (colour, text) in [
            (Colour::Red, harmless(&self.flags)),
            (Colour::Red, harmless(error)),
            (Colour::Cyan, harmless(&self.stream)),
            (Colour::Yellow, if self.is_slow() { "slow".to_owned() } else { String::new() }),
            (Colour::Dim, self.whole_path()),
        ] {
            if !text.is_empty() {
                columns.put(Colour::None, "  ");
                columns.put(colour, &text);
            }
        }
    }

    fn time(&self) -> String {
        let time = self.timestamp.split_once('T').map_or("", |(_, time)| time);
        harmless(time.split_once('.').map_or(time, |(seconds, _)| seconds))
    }

    fn status(&self) -> String {
        if self.status == 0 { "---".to_owned() } else { self.status.to_string() }
    }

    fn colour(&self) -> Colour {
        match self.status {
            0 | 500.. => Colour::Red,
            400..500 => Colour::Yellow,
            300..400 => Colour::Cyan,
            _ => Colour::Green,
        }
    }

    /// A stream is meant to take long.
    fn is_slow(&self) -> bool {
        self.duration_ms >= SLOW && self.stream.is_empty()
    }

    /// The path, where the route does not say it all.
    fn whole_path(&self) -> String {
        let path = harmless(&self.path);
        match (self.query.is_empty(), self.path == self.route || path.is_empty()) {
            (true, true) => String::new(),
            (true, false) => format!("({path})"),
            (false, _) => format!("({path}?{})", harmless(&self.query)),
        }
    }
}

/// What there is room for.
struct Widths {
    route: usize,
    request_id: bool,
    trace_id: bool,
}

impl Widths {
    /// The columns but those of the route and of IDs.
    const FIXED: usize = 10 + 5 + 8 + 2 + 7;
    const REQUEST_ID: usize = 6 + ID;
    const TRACE_ID: usize = 8 + ID;
    /// What the route and what stands behind the columns need at least.
    const LEAST: usize = 30;

    fn of(style: Style) -> Self {
        let Some(width) = style.width else {
            return Self { route: 32, request_id: true, trace_id: true };
        };
        let service = style.service.map_or(0, |width| width + 2);
        let mut rest = width.saturating_sub(Self::FIXED + service);
        let mut fits = |wanted: usize| {
            let fits = rest >= wanted + Self::LEAST;
            rest -= if fits { wanted } else { 0 };
            fits
        };
        let request_id = fits(Self::REQUEST_ID);
        let trace_id = request_id && fits(Self::TRACE_ID);
        Self { route: (rest / 2).clamp(8, 40), request_id, trace_id }
    }
}

/// The beginning of an ID, which a client may have written.
fn short(id: &str) -> String {
    harmless(id).chars().take(ID).collect()
}

/// With as many digits as anybody reads.
fn duration(milliseconds: f64) -> String {
    match milliseconds {
        ..10.0 => format!("{milliseconds:.1} ms"),
        ..1_000.0 => format!("{milliseconds:.0} ms"),
        ..10_000.0 => format!("{:.2} s", milliseconds / 1_000.0),
        ..100_000.0 => format!("{:.1} s", milliseconds / 1_000.0),
        _ => format!("{:.0} s", milliseconds / 1_000.0),
    }
}

#[cfg(test)]
mod tests;

//! What each variant costs, and what it costs above the first of them.

use std::fmt;

use crate::rounds::Times;

/// A table of costs, in microseconds of CPU a request.
#[derive(Clone, Debug)]
pub struct Table {
    title: String,
    rows: Vec<(&'static str, Times)>,
    notes: Vec<String>,
}

impl Table {
    /// With the variants in their order; the first is what the others are compared with.
    pub fn new(title: impl Into<String>, rows: Vec<(&'static str, Times)>) -> Self {
        Self { title: title.into(), rows, notes: Vec::new() }
    }

    /// Says more below it.
    pub fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        let (median, spread) = ("median", "quartiles");
        let above = "above the first";
        writeln!(f, "{}", self.title)?;
        writeln!(f, "{:width$}  {median:>8}  {spread:^15}  {above:>8}", "µs of CPU a request")?;
        let first = self.rows.first().map(|(_, times)| times);
        for (name, times) in &self.rows {
            write!(f, "{name:width$}  {}", Spread(times))?;
            match first.filter(|first| !std::ptr::eq(*first, times)) {
                Some(first) => writeln!(f, "  {}", Spread(&times.minus(first)))?,
                None => writeln!(f)?,
            }
        }
        self.notes.iter().try_for_each(|note| writeln!(f, "{note}"))
    }
}

/// The median, and between what half of the rounds are.
struct Spread<'a>(&'a Times);

impl fmt::Display for Spread<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [low, middle, high] = self.0.quartiles().map(|it| it / 1_000.0);
        write!(f, "{middle:>8.2}  {low:>6.2} to {high:<6.2}")
    }
}

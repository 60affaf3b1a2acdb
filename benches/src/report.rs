//! What was measured beside what was promised, as a table.

use std::fmt;

/// A table.
#[derive(Clone, Debug, Default)]
pub struct Report {
    rows: Vec<Row>,
}

/// A number.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    /// The one in the middle, which is judged.
    pub median: f64,
    /// Of times: what it is when the machine does nothing else.
    pub undisturbed: Option<f64>,
}

/// The unit of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Nanoseconds.
    Nanoseconds,
    /// How many times another.
    Times,
    /// Bytes.
    Bytes,
    /// So many.
    Count,
}

#[derive(Clone, Debug)]
struct Row {
    what: String,
    number: Measured,
    unit: Unit,
    target: Option<f64>,
}

impl Report {
    /// Says a number that was promised to be at most this.
    pub fn promised(
        &mut self,
        what: impl Into<String>,
        number: impl Into<Measured>,
        unit: Unit,
        most: f64,
    ) {
        let number = number.into();
        self.rows.push(Row { what: what.into(), number, unit, target: Some(most) });
    }

    /// Says a number that nothing was promised of.
    pub fn found(&mut self, what: impl Into<String>, number: impl Into<Measured>, unit: Unit) {
        let number = number.into();
        self.rows.push(Row { what: what.into(), number, unit, target: None });
    }
}

/// One that was counted, not timed.
impl From<f64> for Measured {
    fn from(median: f64) -> Self {
        Self { median, undisturbed: None }
    }
}

impl Row {
    fn is_met(&self) -> Option<bool> {
        self.target.map(|most| self.number.median <= most)
    }
}

impl Unit {
    fn show(self, number: f64) -> String {
        match self {
            Self::Nanoseconds => format!("{number:.0} ns"),
            Self::Times => format!("{number:.2}x"),
            Self::Bytes => format!("{:.1} KiB", number / 1024.0),
            Self::Count => format!("{number:.0}"),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.rows.iter().map(|row| row.what.chars().count()).max().unwrap_or(0);
        writeln!(f, "{:width$}  {:>11} {:>11} {:>11}", "", "median", "undisturbed", "at most")?;
        for row in &self.rows {
            let show = |number: Option<f64>| number.map_or(String::new(), |it| row.unit.show(it));
            let [median, undisturbed, most] =
                [Some(row.number.median), row.number.undisturbed, row.target].map(show);
            let verdict = match row.is_met() {
                None => "",
                Some(true) => "met",
                Some(false) => "MISSED",
            };
            let what = &row.what;
            let line =
                format!("{what:width$}  {median:>11} {undisturbed:>11} {most:>11}  {verdict}");
            writeln!(f, "{}", line.trim_end())?;
        }
        let missed = self.rows.iter().filter(|row| row.is_met() == Some(false)).count();
        let promised = self.rows.iter().filter(|row| row.target.is_some()).count();
        writeln!(f, "{} of {promised} targets met", promised - missed)
    }
}

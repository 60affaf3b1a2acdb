//! What Envoy's log tells while it runs, as far as a person should see it.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::envoy;
use crate::lines::Lines;

/// How often the log is looked at.
const PACE: Duration = Duration::from_secs(1);

/// How many troubles are told. Who has so many reads the log.
const MOST: usize = 20;

/// A log, and what was told of it.
#[derive(Debug)]
pub(super) struct Troubles {
    lines: Lines,
    looked: Instant,
    told: HashSet<String>,
}

impl Troubles {
    pub(super) fn of(log: PathBuf) -> Self {
        Self { lines: Lines::of(log), looked: Instant::now(), told: HashSet::new() }
    }

    /// What is new, if it is time to look.
    pub(super) fn fresh(&mut self) -> Vec<String> {
        if self.looked.elapsed() < PACE {
            return Vec::new();
        }
        self.looked = Instant::now();
        // A log that cannot be read has nothing to tell.
        let log = self.lines.fresh().unwrap_or_default();
        self.take(&log)
    }

    fn take(&mut self, log: &str) -> Vec<String> {
        let troubles = envoy::troubles(log).into_iter();
        let is_new = |trouble: &String| self.told.len() < MOST && self.told.insert(trouble.clone());
        troubles.filter(is_new).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_told_once_and_not_too_many() {
        let line = |text: &str| format!("[t][1][error][wasm] [a.cc:1] {text}\n");
        let mut troubles = Troubles::of(PathBuf::new());
        assert_eq!(troubles.take(&line("one")), ["one"]);
        assert_eq!(troubles.take(&(line("one") + &line("two"))), ["two"]);
        let many: String = (0..100).map(|number| line(&number.to_string())).collect();
        assert_eq!(troubles.take(&many).len(), MOST - 2);
    }
}

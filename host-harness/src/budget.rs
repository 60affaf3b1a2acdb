//! What a stretch of a module's life cost: how often the host entered the module, and how often the
//! module called the host, by name.
//!
//! Counts only, without order, so that a test that pins them does not also pin how the module goes
//! about its work.

use std::collections::BTreeMap;
use std::fmt;

/// Crossings between host and module, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    entries: BTreeMap<&'static str, u64>,
    hostcalls: BTreeMap<&'static str, u64>,
    unimplemented: BTreeMap<&'static str, u64>,
}

impl Budget {
    /// How often this export was called. The allocator counts too: Envoy enters the module for
    /// every answer with bytes.
    pub fn entries(&self, export: &str) -> u64 {
        self.entries.get(export).copied().unwrap_or(0)
    }

    /// How often this import was called and answered.
    pub fn hostcalls(&self, import: &str) -> u64 {
        self.hostcalls.get(import).copied().unwrap_or(0)
    }

    /// How often this import was called although this host does not implement it; the module was
    /// told so (status 12).
    pub fn unimplemented(&self, import: &str) -> u64 {
        self.unimplemented.get(import).copied().unwrap_or(0)
    }

    pub(crate) fn entered(&mut self, export: &'static str) {
        *self.entries.entry(export).or_default() += 1;
    }

    pub(crate) fn called(&mut self, import: &'static str, implemented: bool) {
        let table = if implemented { &mut self.hostcalls } else { &mut self.unimplemented };
        *table.entry(import).or_default() += 1;
    }

    /// What was added since `before`, an earlier state of the same budget.
    pub(crate) fn since(&self, before: &Self) -> Self {
        Self {
            entries: grown(&self.entries, &before.entries),
            hostcalls: grown(&self.hostcalls, &before.hostcalls),
            unimplemented: grown(&self.unimplemented, &before.unimplemented),
        }
    }
}

/// Three sections with sorted names; an empty one is left out.
impl fmt::Display for Budget {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sections = [
            ("entries", &self.entries),
            ("hostcalls", &self.hostcalls),
            ("unimplemented", &self.unimplemented),
        ];
        for (title, counts) in sections.into_iter().filter(|(_, counts)| !counts.is_empty()) {
            writeln!(out, "{title}")?;
            for (name, count) in counts {
                writeln!(out, "  {name} {count}")?;
            }
        }
        Ok(())
    }
}

fn grown(
    now: &BTreeMap<&'static str, u64>,
    before: &BTreeMap<&'static str, u64>,
) -> BTreeMap<&'static str, u64> {
    let growth = |name| now[name] - before.get(name).copied().unwrap_or(0);
    now.keys().map(|name| (*name, growth(name))).filter(|(_, count)| *count > 0).collect()
}

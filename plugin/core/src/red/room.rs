//! How much room there is in a sheet for series, whoever fills it.

use std::collections::HashSet;
use std::hash::{BuildHasher, BuildHasherDefault};

use super::collect::NAMES;
use super::row;
use crate::Quick;

/// What of a sheet counts towards its limit.
#[derive(Debug, Default)]
pub(super) struct Room {
    /// Series that are counted in rows, by what tells them apart whatever their buckets.
    series: HashSet<u64, BuildHasherDefault<Quick>>,
    /// Rows of these.
    rows: usize,
    /// Series of which only the name is shared.
    names: usize,
}

/// Rows that there may be for each series: buckets can be configured anew while a process lives, and each time
/// there is a row more.
const ROWS: usize = 4;

impl Room {
    /// Whether a row with this key fits, where so many series may be.
    pub(super) fn has_for(&self, key: &[u8], limit: usize) -> bool {
        if is_name(key) {
            return self.names < limit;
        }
        let is_known = || self.series.contains(&series(key));
        self.rows < limit.saturating_mul(ROWS) && (self.series.len() < limit || is_known())
    }

    /// A row with this key is in the sheet.
    pub(super) fn take(&mut self, key: &[u8]) {
        if !row::is_limited(key) {
            return;
        }
        if is_name(key) {
            self.names += 1;
        } else {
            self.rows += 1;
            self.series.insert(series(key));
        }
    }
}

fn is_name(key: &[u8]) -> bool {
    row::family(key) == Some(NAMES)
}

/// What tells a series from others: its family and its labels.
fn series(key: &[u8]) -> u64 {
    let labels = row::parse(key).map_or(&[][..], |parsed| parsed.labels);
    BuildHasherDefault::<Quick>::default().hash_one((row::family(key), labels))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::red::{Boundaries, Decimal};

    #[test]
    fn a_series_may_have_a_few_buckets_and_no_more() {
        let key = |label: &str, boundary| {
            let boundaries = Boundaries::new(&[Decimal::whole(boundary)]).unwrap();
            row::key(1, true, Some(&boundaries), &[label])
        };
        let mut room = Room::default();
        for (name, key, fits) in [
            ("a series", key("a", 1), true),
            ("with other buckets", key("a", 2), true),
            ("another series", key("b", 1), true),
            ("one too many", key("c", 1), false),
            ("and again", key("b", 2), true),
            ("and again", key("b", 3), true),
            ("and again", key("a", 3), true),
            ("and again", key("a", 4), true),
            ("and again", key("a", 5), true),
            ("as many rows as there may be", key("a", 6), false),
        ] {
            assert_eq!(room.has_for(&key, 2), fits, "{name}");
            if fits {
                room.take(&key);
            }
        }
    }

    #[test]
    fn names_leave_room_for_sums() {
        let name = |label: &str| row::key(NAMES, true, None, &[label]);
        let mut room = Room::default();
        room.take(&name("a"));
        assert!(!room.has_for(&name("b"), 1));
        assert!(room.has_for(&row::key(1, true, None, &["a"]), 1));
        room.take(&row::key(1, false, None, &["what is not limited"]));
        assert!(room.has_for(&row::key(1, true, None, &["a"]), 1));
    }
}

//! How much room there is in a sheet for series, whoever fills it.

use std::collections::HashSet;
use std::hash::{BuildHasher, BuildHasherDefault};

use super::collect::{CUSTOM, NAMES};
use super::row;
use crate::Quick;

/// What of a sheet counts towards its limit, each kind by itself: whoever fills one leaves room in the others.
#[derive(Debug, Default)]
pub(super) struct Room {
    /// Series of requests.
    requests: Taken,
    /// Series of custom metrics.
    custom: Taken,
    /// Series of which only the name is shared.
    names: Taken,
}

#[derive(Debug, Default)]
struct Taken {
    /// By what tells them apart whatever their buckets.
    series: HashSet<u64, BuildHasherDefault<Quick>>,
    /// Rows of these.
    rows: usize,
}

/// Rows that there may be for each series: buckets can be configured anew while a process lives, and each time
/// there is a row more.
const ROWS: usize = 4;

impl Room {
    /// Whether a row with this key fits, where so many series may be.
    pub(super) fn has_for(&mut self, key: &[u8], limit: usize) -> bool {
        let Taken { series, rows } = self.taken_by(key);
        let is_known = || series.contains(&series_of(key));
        *rows < limit.saturating_mul(ROWS) && (series.len() < limit || is_known())
    }

    /// A row with this key is in the sheet.
    pub(super) fn take(&mut self, key: &[u8]) {
        if row::is_limited(key) {
            let taken = self.taken_by(key);
            taken.rows += 1;
            taken.series.insert(series_of(key));
        }
    }

    fn taken_by(&mut self, key: &[u8]) -> &mut Taken {
        match row::family(key) {
            Some(NAMES) => &mut self.names,
            Some(CUSTOM) => &mut self.custom,
            _ => &mut self.requests,
        }
    }
}

/// What tells a series from others: its family and its labels.
fn series_of(key: &[u8]) -> u64 {
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
    fn each_kind_leaves_room_for_the_others() {
        let name = |label: &str| row::key(NAMES, true, None, &[label]);
        let mut room = Room::default();
        room.take(&name("a"));
        assert!(!room.has_for(&name("b"), 1));
        assert!(room.has_for(&row::key(1, true, None, &["a"]), 1));
        assert!(room.has_for(&row::key(CUSTOM, true, None, &["a"]), 1));
        room.take(&row::key(1, false, None, &["what is not limited"]));
        assert!(room.has_for(&row::key(1, true, None, &["a"]), 1));
    }
}

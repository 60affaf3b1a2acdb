//! The sums that all workers of a proxy add to, and what this one has not added yet.
//!
//! There is one sheet for a service, in what the workers share. Each counts for itself, by small numbers, and
//! now and then adds what is new. A worker that is lost takes with it what it had not added; nothing else is ever
//! taken away.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::rc::Rc;

use super::collect::{NAMES, family_number};
use super::room::Room;
use super::row::{self, HEADER, Rows};
use super::{Boundaries, Decimal, Family};
use crate::route::Ledger;
use crate::{Quick, Wall};

/// What one worker knows of a sheet.
#[derive(Debug, Default)]
pub struct Sheet {
    /// The sheet that is known: when it began.
    began: Option<Wall>,
    /// How much of it is known.
    read: usize,
    /// What of it counts towards the limit.
    room: Room,
    rows: Vec<Row>,
    /// Invariant: each row is here under its key.
    index: HashMap<Rc<[u8]>, RowId, BuildHasherDefault<Quick>>,
    /// What is to be added, for all rows that something was counted in.
    pending: Vec<u64>,
    /// Rows with something to be added, or that are to be admitted.
    touched: Vec<RowId>,
}

/// A row, by its number in this worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RowId(u32);

#[derive(Debug)]
struct Row {
    key: Rc<[u8]>,
    words: usize,
    /// Where its numbers are in the sheet; none if it is not there yet.
    at: Option<usize>,
    /// Where its numbers are in what is to be added; none if nothing was ever counted here.
    pending: Option<usize>,
    is_touched: bool,
}

/// What can be known of a row without a sheet.
#[derive(Clone, Debug)]
pub(super) struct Heading {
    pub(super) key: Vec<u8>,
    pub(super) words: usize,
}

impl Sheet {
    /// The row with this heading, whatever the limit.
    pub(super) fn row(&mut self, heading: &Heading) -> RowId {
        let known = self.index.get(heading.key.as_slice()).copied();
        let row = match known.filter(|row| self.has_words(*row, heading.words)) {
            Some(row) => row,
            None => self.insert(heading.key.as_slice().into(), heading.words, None),
        };
        self.begin_counting(row);
        row
    }

    /// The row with this heading, if there is one or there is still room for it. All workers know of it then.
    pub(super) fn limited_row(
        &mut self,
        heading: &Heading,
        limit: usize,
        now: Wall,
        ledger: &mut dyn Ledger,
    ) -> Option<RowId> {
        if !self.index.contains_key(heading.key.as_slice()) {
            self.admit(heading, limit, now, ledger)?;
        }
        Some(self.row(heading))
    }

    /// Adds to a number of a row.
    #[inline]
    pub(super) fn add(&mut self, row: RowId, word: usize, number: u64) {
        add(self.touch(row), word, number);
    }

    /// Adds an amount: a whole part, and billionths in a number of their own, which takes longer to overflow than
    /// any proxy lives.
    pub(super) fn add_amount(&mut self, row: RowId, amount: Decimal) {
        add_amount(self.touch(row), amount);
    }

    /// Counts a value of a histogram: its amount, and one in its bucket. Hands back which that was.
    #[inline]
    pub(super) fn observe(&mut self, row: RowId, boundaries: &Boundaries, value: Decimal) -> usize {
        let bucket = boundaries.bucket(value);
        let numbers = self.touch(row);
        add_amount(numbers, value);
        add(numbers, Heading::SUM + bucket, 1);
        bucket
    }

    /// Shows a counter before anything was counted: one that appears with its first count hides that from whoever
    /// looks for what was added.
    pub fn begin(&mut self, family: &Family, labels: &[&str]) {
        let row = self.row(&Heading::counter(family_number(family), labels));
        self.add(row, 0, 0);
    }

    /// What is to be added to a row that now has something to be added.
    #[inline]
    fn touch(&mut self, row: RowId) -> &mut [u64] {
        let Some(it) = self.rows.get_mut(row.index()) else { return &mut [] };
        if !it.is_touched {
            it.is_touched = true;
            self.touched.push(row);
        }
        it.range().and_then(|range| self.pending.get_mut(range)).unwrap_or_default()
    }

    /// Adds to a counter that no request has a series of.
    pub fn count(&mut self, family: &Family, labels: &[&str], number: u64) {
        if number > 0 {
            let row = self.row(&Heading::counter(family_number(family), labels));
            self.add(row, 0, number);
        }
    }

    /// Adds what is new to what all workers share. Says whether that went well; if not it stays for the next time.
    pub fn agree(&mut self, now: Wall, ledger: &mut dyn Ledger) -> bool {
        self.touched.is_empty() || self.transact(None, now, ledger)
    }

    /// Where a row is in the sheet, and which sheet that is.
    pub(super) fn place(&self, row: RowId) -> Option<(Wall, usize)> {
        Some((self.began?, self.rows.get(row.index())?.at?))
    }

    /// Has room made in the sheet for one more row.
    fn admit(
        &mut self,
        heading: &Heading,
        limit: usize,
        now: Wall,
        ledger: &mut dyn Ledger,
    ) -> Option<()> {
        if !self.room.has_for(&heading.key, limit) {
            return None;
        }
        self.transact(Some((heading, limit)), now, ledger);
        self.index.contains_key(heading.key.as_slice()).then_some(())
    }

    /// Changes what all workers share: adds what is new, and a row if there is room for it.
    fn transact(
        &mut self,
        newcomer: Option<(&Heading, usize)>,
        now: Wall,
        ledger: &mut dyn Ledger,
    ) -> bool {
        let mut placed = Vec::new();
        let mut admitted = None;
        let mut size = 0;
        let agreed = ledger.agree(&mut |state| {
            placed.clear();
            let mut next = self.read_on(state, now);
            for &touched in &self.touched {
                if let Some(row) = self.rows.get(touched.index()) {
                    placed.extend(row.add_to(&mut next, &self.pending).map(|at| (touched, at)));
                }
            }
            admitted = newcomer
                .filter(|(heading, limit)| {
                    !self.index.contains_key(heading.key.as_slice())
                        && self.room.has_for(&heading.key, *limit)
                })
                .and_then(|(heading, _)| row::append(&heading.key, heading.words, &mut next));
            size = next.len();
            Some(next)
        });
        if agreed {
            self.settle(&placed, size);
            if let (Some((heading, _)), Some(_)) = (newcomer, admitted) {
                self.insert(heading.key.as_slice().into(), heading.words, admitted);
            }
        }
        agreed
    }

    /// Gets to know what others have written. Hands back what is there, or a sheet without rows.
    fn read_on(&mut self, state: &[u8], now: Wall) -> Vec<u8> {
        let began = row::began(state);
        let mut sheet = if began.is_some() { state.to_vec() } else { row::empty_sheet(now) };
        let began = began.unwrap_or(now);
        if self.began != Some(began) || self.read > sheet.len() {
            self.forget(began);
        }
        let mut rows = Rows::from(&sheet, self.read);
        for row in rows.by_ref() {
            let words = row.words.len() / 8;
            let known = self.index.get(row.key).copied();
            match known.filter(|known| self.has_words(*known, words)) {
                Some(known) => {
                    if let Some(known) = self.rows.get_mut(known.index()) {
                        known.at = Some(row.at);
                    }
                    self.room.take(row.key);
                }
                None => {
                    self.insert(row.key.into(), words, Some(row.at));
                }
            }
        }
        self.read = rows.at();
        // Behind what nobody can read, nobody would find what is added.
        sheet.truncate(self.read);
        sheet
    }

    /// Another sheet took the place of the one that was known.
    fn forget(&mut self, began: Wall) {
        self.began = Some(began);
        self.read = HEADER;
        self.room = Room::default();
        for row in &mut self.rows {
            row.at = None;
        }
    }

    /// What was to be added is added.
    fn settle(&mut self, placed: &[(RowId, usize)], size: usize) {
        for &(row, at) in placed {
            if let Some(row) = self.rows.get_mut(row.index()) {
                row.at = Some(at);
                self.room.take(&row.key);
            }
        }
        for &touched in &self.touched {
            if let Some(row) = self.rows.get_mut(touched.index()) {
                row.is_touched = false;
                if let Some(pending) = row.range().and_then(|range| self.pending.get_mut(range)) {
                    pending.fill(0);
                }
            }
        }
        self.touched.clear();
        self.read = size;
    }

    fn insert(&mut self, key: Rc<[u8]>, words: usize, at: Option<usize>) -> RowId {
        let row = RowId(u32::try_from(self.rows.len()).unwrap_or(u32::MAX));
        if at.is_some() {
            self.room.take(&key);
        }
        self.index.insert(Rc::clone(&key), row);
        self.rows.push(Row { key, words, at, pending: None, is_touched: false });
        row
    }

    /// Whether a row has so many numbers, as it has unless somebody else wrote it.
    fn has_words(&self, row: RowId, words: usize) -> bool {
        self.rows.get(row.index()).is_some_and(|row| row.words == words)
    }

    fn begin_counting(&mut self, row: RowId) {
        let Some(row) = self.rows.get_mut(row.index()) else { return };
        if row.pending.is_none() {
            row.pending = Some(self.pending.len());
            self.pending.resize(self.pending.len() + row.words, 0);
        }
    }
}

#[inline]
fn add(numbers: &mut [u64], word: usize, number: u64) {
    if let Some(sum) = numbers.get_mut(word) {
        *sum = sum.wrapping_add(number);
    }
}

#[inline]
fn add_amount(numbers: &mut [u64], amount: Decimal) {
    let (whole, nanos) = amount.parts();
    add(numbers, 0, whole);
    add(numbers, 1, nanos);
}

impl RowId {
    #[inline]
    fn index(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl Row {
    #[inline]
    fn range(&self) -> Option<std::ops::Range<usize>> {
        let start = self.pending?;
        Some(start..start + self.words)
    }

    /// Adds what is new to a sheet. Hands back where the numbers are, if it was not there before.
    fn add_to(&self, sheet: &mut Vec<u8>, pending: &[u64]) -> Option<usize> {
        let at = self.at.or_else(|| row::append(&self.key, self.words, sheet))?;
        let numbers = self.range().and_then(|range| pending.get(range)).unwrap_or_default();
        for (place, number) in numbers.iter().enumerate() {
            if *number > 0 {
                row::add(sheet, at + place * 8, *number);
            }
        }
        self.at.is_none().then_some(at)
    }
}

impl Heading {
    /// How many numbers the amount takes that a histogram's values add up to. Its buckets are behind.
    pub(super) const SUM: usize = 2;

    /// Of a series of which only the name is shared, so that the limit is that of all workers.
    pub(super) fn name(limited: bool, labels: &[&str]) -> Self {
        Self { key: row::key(NAMES, limited, None, labels), words: 0 }
    }

    /// Of a counter.
    pub(super) fn counter(family: u8, labels: &[&str]) -> Self {
        Self { key: row::key(family, false, None, labels), words: 1 }
    }

    /// Of an amount with decimals.
    pub(super) fn amount(family: u8, limited: bool, labels: &[&str]) -> Self {
        Self { key: row::key(family, limited, None, labels), words: Self::SUM }
    }

    /// Of a histogram.
    pub(super) fn histogram(
        family: u8,
        limited: bool,
        boundaries: &Boundaries,
        labels: &[&str],
    ) -> Self {
        let key = row::key(family, limited, Some(boundaries), labels);
        Self { key, words: Self::SUM + boundaries.buckets() }
    }
}

#[cfg(test)]
mod tests;

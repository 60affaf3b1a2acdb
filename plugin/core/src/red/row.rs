//! How the sheet that all workers add to is written down: rows of numbers under keys that say what they are.
//!
//! ```text
//! sheet: mark · when it began · row *
//! row:   size of the key · number of words · key · word *
//! key:   family and whether it counts towards the limit · number of boundaries · boundary * · label *
//! label: size · text
//! ```
//!
//! Sizes are 16 bits and words 64, little-endian; boundaries are billionths in groups of seven bits. Rows are only
//! ever added, at the end, so a row stays where it is.

use super::{Boundaries, Decimal};
use crate::Wall;

/// What a sheet begins with. Another format has another mark, and another key in the shared data.
const MARK: [u8; 4] = *b"slm1";

/// How long the part before the first row is.
pub(super) const HEADER: usize = 12;

/// The bit of a key's first byte which says that the row counts towards the limit.
const LIMITED: u8 = 0x80;

/// A row as it stands in a sheet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<'a> {
    /// All of its key.
    pub(super) key: &'a [u8],
    /// Its numbers.
    pub(super) words: &'a [u8],
    /// Where its numbers are.
    pub(super) at: usize,
}

/// What a key says.
#[derive(Clone, Debug)]
pub(super) struct Parsed<'a> {
    /// Which family it belongs to.
    pub(super) family: u8,
    /// The boundaries of its buckets; none if it is no histogram.
    pub(super) boundaries: Option<Boundaries>,
    /// Its labels, still in one piece.
    pub(super) labels: &'a [u8],
}

/// The rows of a sheet, one after the other. What does not follow the format ends them.
pub(super) struct Rows<'a> {
    sheet: &'a [u8],
    at: usize,
}

/// A key.
pub(super) fn key(
    family: u8,
    limited: bool,
    boundaries: Option<&Boundaries>,
    labels: &[&str],
) -> Vec<u8> {
    let mut key = vec![family | if limited { LIMITED } else { 0 }];
    // One more than there are, so that a histogram of one bucket is told from what is none.
    key.push(
        boundaries.map_or(0, |boundaries| u8::try_from(boundaries.buckets()).unwrap_or(u8::MAX)),
    );
    for boundary in boundaries.into_iter().flat_map(Boundaries::iter) {
        let (whole, nanos) = boundary.parts();
        crate::otlp::write_varint(
            whole.saturating_mul(1_000_000_000).saturating_add(nanos),
            &mut key,
        );
    }
    for label in labels {
        // Nothing that is configured or inferred is this long.
        let size = u16::try_from(label.len()).unwrap_or(0);
        key.extend_from_slice(&size.to_le_bytes());
        key.extend_from_slice(label.as_bytes().get(..size.into()).unwrap_or_default());
    }
    key
}

/// Which family a row with this key belongs to.
pub(super) fn family(key: &[u8]) -> Option<u8> {
    key.first().map(|first| first & !LIMITED)
}

/// Whether a row with this key counts towards the limit.
pub(super) fn is_limited(key: &[u8]) -> bool {
    key.first().is_some_and(|first| first & LIMITED != 0)
}

/// A sheet without rows.
pub(super) fn empty_sheet(began: Wall) -> Vec<u8> {
    [&MARK[..], &began.0.to_le_bytes()].concat()
}

/// When a sheet began; none if this is none.
pub(super) fn began(sheet: &[u8]) -> Option<Wall> {
    let rest = sheet.strip_prefix(&MARK)?;
    Some(Wall(u64::from_le_bytes(*rest.first_chunk()?)))
}

/// Adds a row with nothing counted, and says where its numbers are.
pub(super) fn append(key: &[u8], words: usize, sheet: &mut Vec<u8>) -> Option<usize> {
    sheet.extend_from_slice(&u16::try_from(key.len()).ok()?.to_le_bytes());
    sheet.extend_from_slice(&u16::try_from(words).ok()?.to_le_bytes());
    sheet.extend_from_slice(key);
    let at = sheet.len();
    sheet.resize(at + words * 8, 0);
    Some(at)
}

/// Adds to a number of a sheet.
pub(super) fn add(sheet: &mut [u8], at: usize, number: u64) {
    if let Some(word) = sheet.get_mut(at..).and_then(<[u8]>::first_chunk_mut) {
        *word = u64::from_le_bytes(*word).wrapping_add(number).to_le_bytes();
    }
}

/// The numbers of a row.
pub(super) fn numbers(words: &[u8]) -> impl Iterator<Item = u64> {
    words.as_chunks().0.iter().map(|word| u64::from_le_bytes(*word))
}

/// The texts of a key's labels.
pub(super) fn labels(mut labels: &[u8]) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        let (size, rest) = labels.split_first_chunk()?;
        let (text, rest) = rest.split_at_checked(u16::from_le_bytes(*size).into())?;
        labels = rest;
        std::str::from_utf8(text).ok()
    })
}

/// What a key says; none if it does not follow the format.
pub(super) fn parse(key: &[u8]) -> Option<Parsed<'_>> {
    let (&[first, buckets], mut rest) = key.split_first_chunk()?;
    let mut boundaries = Vec::new();
    for _ in 1..buckets {
        boundaries.push(Decimal::from_nanos(crate::wire::varint(&mut rest)?));
    }
    let boundaries = if buckets == 0 { None } else { Some(Boundaries::new(&boundaries)?) };
    Some(Parsed { family: first & !LIMITED, boundaries, labels: rest })
}

impl<'a> Rows<'a> {
    /// All of a sheet's rows that begin here or behind.
    pub(super) fn from(sheet: &'a [u8], at: usize) -> Self {
        Self { sheet, at }
    }

    /// Where the next row begins.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    fn take(&mut self, size: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(size)?;
        let taken = self.sheet.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    fn size(&mut self) -> Option<usize> {
        Some(u16::from_le_bytes(*self.take(2)?.first_chunk()?).into())
    }
}

impl<'a> Iterator for Rows<'a> {
    type Item = Row<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let begin = self.at;
        let mut row = || {
            let (size, words) = (self.size()?, self.size()?);
            let key = self.take(size)?;
            let at = self.at;
            Some(Row { key, words: self.take(words * 8)?, at })
        };
        let row = row();
        if row.is_none() {
            self.at = begin;
        }
        row
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let boundaries =
            Boundaries::new(&[Decimal::from_nanos(5_000_000), Decimal::whole(10)]).unwrap();
        let mut sheet = empty_sheet(Wall(7));
        let histogram = key(3, true, Some(&boundaries), &["GET", "", "/höst"]);
        let counter = key(4, false, None, &[]);
        let first = append(&histogram, 5, &mut sheet).unwrap();
        let second = append(&counter, 1, &mut sheet).unwrap();
        add(&mut sheet, first + 8, 40);
        add(&mut sheet, first + 8, 2);
        add(&mut sheet, second, u64::MAX);
        assert_eq!(began(&sheet), Some(Wall(7)));
        let rows: Vec<_> = Rows::from(&sheet, HEADER).collect();
        let read: Vec<_> =
            rows.iter().map(|row| (row.at, numbers(row.words).collect::<Vec<_>>())).collect();
        assert_eq!(read, [(first, vec![0, 42, 0, 0, 0]), (second, vec![u64::MAX])]);
        let parsed = parse(rows[0].key).unwrap();
        assert_eq!((parsed.family, parsed.boundaries.as_ref()), (3, Some(&boundaries)));
        assert_eq!(labels(parsed.labels).collect::<Vec<_>>(), ["GET", "", "/höst"]);
        assert_eq!(parse(rows[1].key).unwrap().boundaries, None);
        assert!(is_limited(rows[0].key) && !is_limited(rows[1].key));
    }

    #[test]
    fn a_histogram_of_one_bucket_is_one() {
        let none = Boundaries::new(&[]).unwrap();
        assert_eq!(parse(&key(1, false, Some(&none), &[])).unwrap().boundaries, Some(none));
    }

    proptest! {
        #[test]
        fn any_bytes_are_rows_or_none(bytes: Vec<u8>) {
            let mut rows = Rows::from(&bytes, 0);
            for row in rows.by_ref() {
                if let Some(parsed) = parse(row.key) {
                    labels(parsed.labels).count();
                }
            }
            prop_assert!(rows.at() <= bytes.len());
        }

        #[test]
        fn a_sheet_that_was_cut_off_gives_whole_rows(cut in 0..60_usize) {
            let mut sheet = empty_sheet(Wall(7));
            for family in 0..3 {
                append(&key(family, true, None, &["a"]), 1, &mut sheet);
            }
            let cut = &sheet[..cut.min(sheet.len())];
            prop_assert!(Rows::from(cut, HEADER).all(|row| row.words.len() == 8));
        }
    }
}

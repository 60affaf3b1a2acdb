//! Requests that stand for those of their bucket: the newest whose span is exported.
//!
//! They are few, and lie in what the workers share beside the sheet: most buckets have none.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use super::sheet::{RowId, Sheet};
use super::{Decimal, Exemplar};
use crate::identity::{SpanId, TraceId};
use crate::route::Ledger;
use crate::{Observation, Quick, Wall};

/// What one worker has met since the workers last agreed.
#[derive(Debug, Default)]
pub struct Exemplars {
    new: HashMap<(RowId, usize), Exemplar, BuildHasherDefault<Quick>>,
}

/// Those that all workers share, of one sheet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Collection {
    /// In the order of their places. Invariant: one for each place and bucket.
    exemplars: Vec<Placed>,
}

/// An exemplar and where its row has its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Placed {
    pub(super) at: u32,
    pub(super) exemplar: Exemplar,
}

/// The most that workers share, and that one keeps until they agree. The oldest make room.
const MOST: usize = 2_000;

/// How many bytes one takes.
const SIZE: usize = 4 + 1 + 16 + 8 + 8 + 4 + 8;

impl Exemplars {
    /// A request that was counted, which may stand for its bucket from now on.
    #[inline]
    pub(super) fn offer(
        &mut self,
        row: RowId,
        bucket: usize,
        value: Decimal,
        observation: &Observation<'_>,
    ) {
        if observation.is_exemplary() && self.new.len() < MOST {
            let trace = observation.trace();
            let (trace_id, span_id) = (trace.trace_id, trace.span_id);
            let at = observation.ended();
            self.new.insert((row, bucket), Exemplar { bucket, trace_id, span_id, value, at });
        }
    }

    /// Shares what is new. Rows must be in the sheet already.
    pub fn agree(&mut self, sheet: &Sheet, ledger: &mut dyn Ledger) {
        let placed = self.new.iter().filter_map(|(&(row, _), &exemplar)| {
            let (began, at) = sheet.place(row)?;
            Some((began, Placed { at: u32::try_from(at).ok()?, exemplar }))
        });
        let placed: Vec<_> = placed.collect();
        let Some(&(began, _)) = placed.first() else { return };
        let agreed = ledger.agree(&mut |state| {
            let mut all = Collection::read(state, began);
            for &(_, new) in &placed {
                all.insert(new);
            }
            Some(all.write(began))
        });
        if agreed {
            self.new.clear();
        }
    }
}

impl Collection {
    /// Those that belong to the sheet which began then.
    pub(super) fn read(state: &[u8], began: Wall) -> Self {
        let mut exemplars: Vec<Placed> = Vec::new();
        let rest = state.strip_prefix(&began.0.to_le_bytes()).unwrap_or_default();
        for placed in rest.as_chunks::<SIZE>().0.iter().filter_map(Placed::read) {
            // What is out of order is not ours, and would hide what is.
            if exemplars.last().is_none_or(|last| last.key() < placed.key()) {
                exemplars.push(placed);
            }
        }
        Self { exemplars }
    }

    /// Those of the row whose numbers are there, by bucket.
    pub(super) fn of_row(&self, at: usize) -> &[Placed] {
        let start = self.exemplars.partition_point(|it| (it.at as usize) < at);
        let end = self.exemplars.partition_point(|it| it.at as usize <= at);
        self.exemplars.get(start..end).unwrap_or_default()
    }

    fn insert(&mut self, new: Placed) {
        match self.exemplars.binary_search_by_key(&new.key(), Placed::key) {
            Ok(place) => {
                if let Some(old) =
                    self.exemplars.get_mut(place).filter(|old| old.exemplar.at <= new.exemplar.at)
                {
                    *old = new;
                }
            }
            Err(place) => {
                sightline_templates::sort::insert_at(&mut self.exemplars, place, new);
                self.make_room();
            }
        }
    }

    /// Lets the oldest go, where there are too many.
    fn make_room(&mut self) {
        if self.exemplars.len() > MOST {
            let oldest = self.exemplars.iter().map(|it| it.exemplar.at).min();
            self.exemplars.retain(|it| Some(it.exemplar.at) != oldest);
        }
    }

    fn write(&self, began: Wall) -> Vec<u8> {
        let mut out = Vec::with_capacity(8 + self.exemplars.len() * SIZE);
        out.extend_from_slice(&began.0.to_le_bytes());
        for Placed { at, exemplar } in &self.exemplars {
            let (whole, nanos) = exemplar.value.parts();
            out.extend_from_slice(&at.to_le_bytes());
            out.push(u8::try_from(exemplar.bucket).unwrap_or(u8::MAX));
            out.extend_from_slice(exemplar.trace_id.as_bytes());
            out.extend_from_slice(exemplar.span_id.as_bytes());
            out.extend_from_slice(&whole.to_le_bytes());
            out.extend_from_slice(&u32::try_from(nanos).unwrap_or(0).to_le_bytes());
            out.extend_from_slice(&exemplar.at.0.to_le_bytes());
        }
        out
    }
}

impl Placed {
    fn key(&self) -> (u32, usize) {
        (self.at, self.exemplar.bucket)
    }

    fn read(bytes: &[u8; SIZE]) -> Option<Self> {
        let (at, rest) = bytes.split_first_chunk()?;
        let (&[bucket], rest) = rest.split_first_chunk()?;
        let (trace_id, rest) = rest.split_first_chunk()?;
        let (span_id, rest) = rest.split_first_chunk()?;
        let (whole, rest) = rest.split_first_chunk()?;
        let (nanos, time) = rest.split_first_chunk()?;
        let exemplar = Exemplar {
            bucket: bucket.into(),
            trace_id: TraceId::from_bytes(*trace_id)?,
            span_id: SpanId::from_bytes(*span_id)?,
            value: Decimal::of_parts(u64::from_le_bytes(*whole), u32::from_le_bytes(*nanos).into()),
            at: Wall(u64::from_le_bytes(*time.first_chunk()?)),
        };
        Some(Self { at: u32::from_le_bytes(*at), exemplar })
    }
}

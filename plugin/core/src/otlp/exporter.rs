//! What waits for a collector: items from when they are offered until their batch is answered.
//!
//! It does no I/O and reads no clock. Whoever carries batches asks what is due, sends it, and tells what
//! became of it. An item is bytes to it: what they mean, and what is put around a batch, is said elsewhere.
//!
//! Every item that was offered ends in one of [`Counts`]. An item may reach the collector twice, where an
//! answer got lost; it is counted once.

use std::mem;
use std::time::Duration;

use super::Verdict;
use super::backoff::Backoff;
use crate::{Monotonic, Rng};

/// Bytes of a batch, unless one item alone is longer. A collector refuses a gRPC message from 4 MiB on, and
/// something is still put around.
const BATCH_BYTES: usize = 3 * 1024 * 1024;

/// How long after its first attempt a batch is still tried: what comes later helps nobody, and what is new
/// needs the room.
const LIFETIME: Duration = Duration::from_mins(5);

/// Empty buffers that are kept for the next batches: one batch fills while another is under way.
const SPARES: usize = 2;

/// The greatest buffer that is kept. A default batch takes less; what a flood took goes back.
const SPARE_BYTES: usize = 512 * 1024;

/// How much there may be, and when it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Items that wait or are under way. What comes on top is dropped.
    pub queue: usize,
    /// Items of one batch. More than the queue holds means as many as that.
    pub batch: usize,
    /// How long an item waits for others to fill its batch.
    pub interval: Duration,
}

/// One attempt to send a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchId(u32);

/// What happened. All items but those of the batches are accounted for:
/// `offered = exported + queue_full + rejected + expired + (waiting now - waiting before)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Items that came.
    pub offered: u64,
    /// Items that a collector took.
    pub exported: u64,
    /// Items dropped because the queue was full.
    pub queue_full: u64,
    /// Items that a collector does not want.
    pub rejected: u64,
    /// Items that were tried for too long, or that nobody was left to send.
    pub expired: u64,
    /// Attempts that were accepted, if only in part.
    pub batches_ok: u64,
    /// Attempts that were refused.
    pub batches_rejected: u64,
    /// Attempts that failed and may be repeated.
    pub batches_failed: u64,
}

/// The items of one worker on their way to a collector.
#[derive(Debug)]
pub struct Exporter {
    limits: Limits,
    /// The batch that fills. Invariant: never full.
    open: Batch,
    /// Those that take nothing more, in the order of their items. Invariant: none is empty, and those that
    /// have been tried stand before the others.
    closed: Vec<Batch>,
    /// Items of all batches together. Invariant: at most `limits.queue`.
    waiting: usize,
    backoff: Backoff,
    /// Counts the steps of the back-off: what left in an earlier round tells nothing new by failing.
    round: u32,
    attempts: u32,
    counts: Counts,
    /// Empty buffers. Invariant: at most `SPARES`, each of at most `SPARE_BYTES`.
    spares: Vec<Vec<u8>>,
}

#[derive(Debug, Default)]
struct Batch {
    bytes: Vec<u8>,
    items: usize,
    /// When its first item came.
    began: Monotonic,
    first_tried: Option<Monotonic>,
    /// Where it is under way.
    attempt: Option<Attempt>,
}

#[derive(Clone, Copy, Debug)]
struct Attempt {
    id: BatchId,
    round: u32,
}

impl Exporter {
    /// An empty one.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits: Limits { batch: limits.batch.min(limits.queue), ..limits },
            open: Batch::default(),
            closed: Vec::new(),
            waiting: 0,
            backoff: Backoff::default(),
            round: 0,
            attempts: 0,
            counts: Counts::default(),
            spares: Vec::new(),
        }
    }

    /// One more item, which `write` puts behind what is there. Says whether there was room; where there was
    /// not, the item is counted as dropped and nothing is written.
    pub fn offer(&mut self, now: Monotonic, write: &mut dyn FnMut(&mut Vec<u8>)) -> bool {
        self.counts.offered += 1;
        if self.waiting >= self.limits.queue {
            self.counts.queue_full += 1;
            return false;
        }
        self.waiting += 1;
        let start = self.open.bytes.len();
        write(&mut self.open.bytes);
        if self.open.items > 0 && self.open.bytes.len() > BATCH_BYTES {
            self.close_before(start);
        }
        if self.open.items == 0 {
            self.open.began = now;
        }
        self.open.items += 1;
        if self.open.items >= self.limits.batch || self.open.bytes.len() >= BATCH_BYTES {
            self.close();
        }
        true
    }

    /// The oldest batch that is to be sent now, with its items one behind the other and their number. It is
    /// under way from now on, until it is answered or returned. There may be more: ask again.
    ///
    /// A full batch is due at once, a partial one when its oldest item has waited for the interval, nothing
    /// while the collector is left alone, and behind that one batch only, until that is accepted.
    pub fn due(&mut self, now: Monotonic) -> Option<(BatchId, &[u8], usize)> {
        self.expire(now);
        if !self.backoff.may_send(now) || self.is_probing() {
            return None;
        }
        if self.closed.iter().all(Batch::is_under_way)
            && self.open.is_due(now, self.limits.interval)
        {
            self.close();
        }
        let batch = self.closed.iter_mut().find(|batch| !batch.is_under_way())?;
        self.attempts = self.attempts.wrapping_add(1);
        let id = BatchId(self.attempts);
        batch.attempt = Some(Attempt { id, round: self.round });
        batch.first_tried.get_or_insert(now);
        Some((id, &batch.bytes, batch.items))
    }

    /// What became of a batch. One that is not under way is ignored.
    pub fn answered(&mut self, id: BatchId, verdict: &Verdict, now: Monotonic, rng: &mut Rng) {
        match *verdict {
            Verdict::Accepted { rejected } => self.accepted(id, rejected),
            Verdict::Refused => self.refused(id),
            Verdict::Retry { after } => self.failed(id, after, now, rng),
        }
    }

    /// Takes a batch back because whoever carried it is gone, which tells nothing about the collector. One
    /// that is not under way is ignored.
    pub fn returned(&mut self, id: BatchId) {
        self.put_back(id);
    }

    /// Drops all that waits or is under way, because nobody is left to send it. It counts as expired.
    pub fn give_up(&mut self) {
        if self.open.items > 0 {
            self.close();
        }
        self.counts.expired += self.remove(&|_| true);
    }

    /// What happened since this was last asked.
    pub fn take_counts(&mut self) -> Counts {
        mem::take(&mut self.counts)
    }

    /// Items that wait or are under way.
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    /// Whether nothing waits and nothing is under way.
    pub fn is_empty(&self) -> bool {
        self.waiting == 0
    }

    fn accepted(&mut self, id: BatchId, rejected: u64) {
        let items = self.remove(&|batch| batch.is_under_way_as(id));
        if items > 0 {
            let rejected = rejected.min(items);
            self.counts.batches_ok += 1;
            self.counts.rejected += rejected;
            self.counts.exported += items - rejected;
            self.backoff.succeeded();
        }
    }

    fn refused(&mut self, id: BatchId) {
        let items = self.remove(&|batch| batch.is_under_way_as(id));
        if items > 0 {
            self.counts.batches_rejected += 1;
            self.counts.rejected += items;
        }
    }

    /// Batches that were under way together and fail one after the other are one failure of the collector;
    /// what it asks for counts each time.
    fn failed(&mut self, id: BatchId, after: Option<Duration>, now: Monotonic, rng: &mut Rng) {
        let Some(attempt) = self.put_back(id) else { return };
        self.counts.batches_failed += 1;
        if attempt.round == self.round {
            self.round = self.round.wrapping_add(1);
            self.backoff.failed(now, after, rng);
        } else {
            self.backoff.asked(now, after);
        }
    }

    /// Nothing moves: a batch keeps its place while it is under way.
    fn put_back(&mut self, id: BatchId) -> Option<Attempt> {
        self.closed.iter_mut().find(|batch| batch.is_under_way_as(id))?.attempt.take()
    }

    /// Whether one batch finds out for all whether the collector is back.
    fn is_probing(&self) -> bool {
        let is_probe = |batch: &Batch| batch.attempt.is_some_and(|it| it.round == self.round);
        self.backoff.is_failing() && self.closed.iter().any(is_probe)
    }

    fn expire(&mut self, now: Monotonic) {
        self.counts.expired += self.remove(&|batch| batch.is_expired(now));
    }

    fn close(&mut self) {
        let bytes = self.spares.pop().unwrap_or_default();
        let full = mem::replace(&mut self.open, Batch { bytes, ..Batch::default() });
        self.closed.push(full);
    }

    /// Closes the open batch without the bytes from `start` on, which begin the next one.
    fn close_before(&mut self, start: usize) {
        self.close();
        if let Some(full) = self.closed.last_mut() {
            self.open.bytes.extend_from_slice(full.bytes.get(start..).unwrap_or_default());
            full.bytes.truncate(start);
        }
    }

    /// Removes such closed batches, and says how many items they held.
    fn remove(&mut self, is_gone: &dyn Fn(&Batch) -> bool) -> u64 {
        let mut items = 0;
        let spares = &mut self.spares;
        self.closed.retain_mut(|batch| {
            let is_gone = is_gone(batch);
            if is_gone {
                items += batch.items;
                keep(mem::take(&mut batch.bytes), spares);
            }
            !is_gone
        });
        self.waiting = self.waiting.saturating_sub(items);
        items as u64
    }
}

impl Batch {
    fn is_under_way(&self) -> bool {
        self.attempt.is_some()
    }

    fn is_under_way_as(&self, id: BatchId) -> bool {
        self.attempt.is_some_and(|attempt| attempt.id == id)
    }

    /// Whether it need not wait for others to fill it.
    fn is_due(&self, now: Monotonic, interval: Duration) -> bool {
        self.items > 0 && now.since(self.began) >= interval
    }

    fn is_expired(&self, now: Monotonic) -> bool {
        let is_old = |first| now.since(first) > LIFETIME;
        !self.is_under_way() && self.first_tried.is_some_and(is_old)
    }
}

/// Keeps a buffer for the next batch, if there is need for it.
fn keep(mut buffer: Vec<u8>, spares: &mut Vec<Vec<u8>>) {
    if spares.len() < SPARES && buffer.capacity() <= SPARE_BYTES {
        buffer.clear();
        spares.push(buffer);
    }
}

#[cfg(test)]
mod tests;

//! A naive exporter: it keeps every item by itself, and searches all of them for each question.

use super::*;

/// Where an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Queued,
    UnderWay,
    Exported,
    Rejected,
    Expired,
}

#[derive(Clone, Debug)]
pub(super) enum Answer {
    Accepted { rejected: u64 },
    Retry { after: Option<Duration> },
    Refused,
}

pub(super) struct Sent {
    pub(super) id: BatchId,
    pub(super) items: Vec<u32>,
    /// Steps of the back-off that there had been.
    round: u32,
    pub(super) is_under_way: bool,
}

#[derive(Default)]
struct Item {
    place: Option<Place>,
    offered: Monotonic,
    bytes: Vec<u8>,
    first_tried: Option<Monotonic>,
    /// The batch that it was first sent in, as that stays together.
    batch: Vec<u32>,
}

pub(super) struct Model {
    pub(super) limits: Limits,
    items: Vec<Item>,
    pub(super) sent: Vec<Sent>,
    queue_full: u64,
    batches: [u64; 3],
    /// Steps of the back-off since the last success.
    steps: u32,
    /// Steps ever.
    round: u32,
    /// Before this nothing may be sent: what lies behind is jitter.
    earliest: Monotonic,
    /// From this on all may be sent.
    latest: Monotonic,
    /// What the collector asked for.
    told: Monotonic,
}

pub(super) fn later(now: Monotonic, wait: Duration) -> Monotonic {
    Monotonic(now.0 + u64::try_from(wait.as_nanos()).unwrap())
}

/// The number of the item in front, so that it can be told from the others.
fn bytes_of(item: u32, length: usize) -> Vec<u8> {
    let length_bytes = u32::try_from(length).unwrap().to_be_bytes();
    [item.to_be_bytes().as_slice(), &length_bytes, &vec![b'x'; length]].concat()
}

/// The items of a batch, each complete.
fn items_in(mut bytes: &[u8]) -> Vec<u32> {
    let mut items = Vec::new();
    while !bytes.is_empty() {
        let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
        items.push(number(0));
        let end = 8 + number(4) as usize;
        assert!(bytes[8..end].iter().all(|&byte| byte == b'x'));
        bytes = &bytes[end..];
    }
    items
}

impl Model {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            items: Vec::new(),
            sent: Vec::new(),
            queue_full: 0,
            batches: [0; 3],
            steps: 0,
            round: 0,
            earliest: Monotonic(0),
            latest: Monotonic(0),
            told: Monotonic(0),
        }
    }

    fn count(&self, place: Place) -> usize {
        self.items.iter().filter(|item| item.place == Some(place)).count()
    }

    pub(super) fn waiting(&self) -> usize {
        self.count(Place::Queued) + self.count(Place::UnderWay)
    }

    pub(super) fn counts(&self) -> Counts {
        let [batches_ok, batches_rejected, batches_failed] = self.batches;
        Counts {
            offered: self.items.len() as u64,
            exported: self.count(Place::Exported) as u64,
            queue_full: self.queue_full,
            rejected: self.count(Place::Rejected) as u64,
            expired: self.count(Place::Expired) as u64,
            batches_ok,
            batches_rejected,
            batches_failed,
        }
    }

    pub(super) fn offer(&mut self, length: usize, now: Monotonic, exporter: &mut Exporter) {
        let bytes = bytes_of(u32::try_from(self.items.len()).unwrap(), length);
        let has_room = self.waiting() < self.limits.queue;
        let taken = exporter.offer(now, &mut |out| out.extend_from_slice(&bytes));
        assert_eq!(taken, has_room);
        self.queue_full += u64::from(!has_room);
        let place = has_room.then_some(Place::Queued);
        self.items.push(Item { place, offered: now, bytes, ..Item::default() });
    }

    fn expire(&mut self, now: Monotonic) {
        for item in &mut self.items {
            let is_old = item.first_tried.is_some_and(|first| now.since(first) > LIFETIME);
            if item.place == Some(Place::Queued) && is_old {
                item.place = Some(Place::Expired);
            }
        }
    }

    /// What has to go, were nothing in its way.
    fn next(&self, now: Monotonic) -> Option<Vec<u32>> {
        let queued: Vec<usize> = (0..self.items.len())
            .filter(|&item| self.items[item].place == Some(Place::Queued))
            .collect();
        let first = &self.items[*queued.first()?];
        if first.first_tried.is_some() {
            return Some(first.batch.clone());
        }
        let (mut batch, mut bytes) = (Vec::new(), 0);
        let most = self.limits.batch.min(self.limits.queue).max(1);
        for item in queued {
            let length = self.items[item].bytes.len();
            if batch.len() == most || !batch.is_empty() && bytes + length > BATCH_BYTES {
                return Some(batch);
            }
            batch.push(u32::try_from(item).unwrap());
            bytes += length;
        }
        let is_full = batch.len() == most || bytes >= BATCH_BYTES;
        (is_full || now.since(first.offered) >= self.limits.interval).then_some(batch)
    }

    /// Whether the exporter may send, and whether it must not; between the two is the jitter.
    fn gate(&self, now: Monotonic) -> (bool, bool) {
        let is_probing = self.steps > 0
            && self.sent.iter().any(|sent| sent.is_under_way && sent.round == self.round);
        let is_open = now >= self.latest.max(self.told) && !is_probing;
        (is_open, now < self.earliest.max(self.told) || is_probing)
    }

    /// Whether there was something.
    pub(super) fn due(&mut self, now: Monotonic, exporter: &mut Exporter) -> bool {
        self.expire(now);
        let (is_open, is_shut) = self.gate(now);
        let next = self.next(now);
        let Some((id, bytes, items)) = exporter.due(now) else {
            assert!(next.is_none() || !is_open, "{next:?} is due");
            return false;
        };
        assert!(!is_shut, "nothing may be sent now");
        let numbers = items_in(bytes);
        assert_eq!(Some(&numbers), next.as_ref());
        assert_eq!(items, numbers.len());
        for &number in &numbers {
            let item = &mut self.items[number as usize];
            item.place = Some(Place::UnderWay);
            item.first_tried.get_or_insert(now);
            item.batch.clone_from(&numbers);
        }
        let round = self.round;
        self.sent.push(Sent { id, items: numbers, round, is_under_way: true });
        true
    }

    /// Puts the items of a batch elsewhere, the first `rejected` of them to the rejected ones.
    pub(super) fn settle(&mut self, batch: usize, place: Place, rejected: u64) {
        self.sent[batch].is_under_way = false;
        for (index, &number) in self.sent[batch].items.iter().enumerate() {
            let place = if (index as u64) < rejected { Place::Rejected } else { place };
            self.items[number as usize].place = Some(place);
        }
    }

    pub(super) fn answer(&mut self, batch: usize, answer: &Answer, now: Monotonic) {
        match *answer {
            Answer::Accepted { rejected } => {
                self.settle(batch, Place::Exported, rejected);
                self.batches[0] += 1;
                self.steps = 0;
                (self.earliest, self.latest) = (Monotonic(0), Monotonic(0));
            }
            Answer::Refused => {
                self.settle(batch, Place::Rejected, 0);
                self.batches[1] += 1;
            }
            Answer::Retry { after } => {
                self.settle(batch, Place::Queued, 0);
                self.batches[2] += 1;
                self.told = self.told.max(later(now, after.unwrap_or_default()));
                if self.sent[batch].round == self.round {
                    let wait =
                        Duration::from_secs([1, 2, 4, 8, 16, 30][self.steps.min(5) as usize]);
                    (self.earliest, self.latest) = (later(now, wait / 2), later(now, wait));
                    self.steps += 1;
                    self.round += 1;
                }
            }
        }
    }
}

impl Answer {
    pub(super) fn verdict(&self) -> Verdict {
        match *self {
            Self::Accepted { rejected } => Verdict::Accepted { rejected },
            Self::Retry { after } => Verdict::Retry { after },
            Self::Refused => Verdict::Refused,
        }
    }
}

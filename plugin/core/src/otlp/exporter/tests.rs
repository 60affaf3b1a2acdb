//! The exporter in named cases, and in `agreement` against a naive model.

use super::*;

mod agreement;
mod failing;
mod memory;
mod model;

const SECOND: u64 = 1_000_000_000;
const OK: Verdict = Verdict::Accepted { rejected: 0 };
const RETRY: Verdict = Verdict::Retry { after: None };
const LIMITS: Limits = Limits { queue: 20, batch: 4, interval: Duration::from_secs(5) };

/// An exporter with a collector that is played by the test.
struct Play {
    exporter: Exporter,
    rng: Rng,
    now: Monotonic,
}

impl Play {
    fn new(limits: Limits) -> Self {
        let rng = Rng::from_seed([9; 32]);
        Self { exporter: Exporter::new(limits), rng, now: Monotonic(1_000 * SECOND) }
    }

    /// One with items of a byte each, from 0 on.
    fn with_items(limits: Limits, items: u8) -> Self {
        let mut play = Self::new(limits);
        assert!((0..items).all(|item| play.offer(&[item])));
        play
    }

    fn offer(&mut self, item: &[u8]) -> bool {
        self.exporter.offer(self.now, &mut |out| out.extend_from_slice(item))
    }

    fn pass(&mut self, seconds: u64) {
        self.now.0 += seconds * SECOND;
    }

    fn due(&mut self) -> Option<(BatchId, Vec<u8>)> {
        let (id, bytes, _) = self.exporter.due(self.now)?;
        Some((id, bytes.to_vec()))
    }

    /// The bytes of all that is due.
    fn all_due(&mut self) -> Vec<Vec<u8>> {
        std::iter::from_fn(|| self.due()).map(|(_, bytes)| bytes).collect()
    }

    fn send(&mut self) -> BatchId {
        self.due().expect("something is due").0
    }

    fn answer(&mut self, id: BatchId, verdict: &Verdict) {
        self.exporter.answered(id, verdict, self.now, &mut self.rng);
    }
}

#[test]
fn a_batch_is_due_when_it_is_full_or_its_oldest_item_has_waited() {
    let table: [(&str, u8, u64, &[&[u8]]); 6] = [
        ("nothing", 0, 5, &[]),
        ("a partial one too early", 3, 4, &[]),
        ("a partial one", 3, 5, &[&[0, 1, 2]]),
        ("a full one at once", 4, 0, &[&[0, 1, 2, 3]]),
        ("a full one, and a partial one too early", 5, 4, &[&[0, 1, 2, 3]]),
        ("all", 9, 5, &[&[0, 1, 2, 3], &[4, 5, 6, 7], &[8]]),
    ];
    for (name, items, seconds, expected) in table {
        let mut play = Play::with_items(LIMITS, items);
        play.pass(seconds);
        assert_eq!(play.all_due(), expected, "{name}");
    }
}

#[test]
fn the_oldest_item_of_a_batch_decides_when_it_is_due() {
    let mut play = Play::with_items(LIMITS, 1);
    play.pass(4);
    play.offer(&[1]);
    play.pass(1);
    assert_eq!(play.all_due(), [[0, 1]]);
    play.offer(&[2]);
    play.pass(4);
    assert!(play.due().is_none(), "the next one begins anew");
    play.pass(1);
    assert_eq!(play.all_due(), [[2]]);
}

#[test]
fn a_batch_tells_how_many_items_it_has() {
    let mut play = Play::new(LIMITS);
    for item in ["one", "two", "", "four"] {
        play.offer(item.as_bytes());
    }
    let (_, bytes, items) = play.exporter.due(play.now).unwrap();
    assert_eq!((bytes, items), (b"onetwofour".as_slice(), 4));
}

#[test]
fn what_is_under_way_still_takes_room() {
    let mut play = Play::with_items(LIMITS, 20);
    assert_eq!(play.all_due().len(), 5);
    let mut written = false;
    assert!(!play.exporter.offer(play.now, &mut |_| written = true));
    assert!(!written, "nothing is written without room");
    assert_eq!(play.exporter.waiting(), 20);
    let counts = Counts { offered: 21, queue_full: 1, ..Counts::default() };
    assert_eq!(play.exporter.take_counts(), counts);
}

#[test]
fn limits_of_any_size_work() {
    let table = [
        ("a batch beyond the queue goes when the queue is full", 3, 512, 3, 3),
        ("a queue of one", 1, 1, 1, 1),
        ("batches of one", 9, 1, 9, 1),
        ("no queue", 0, 4, 0, 0),
        ("batches of nothing are of one", 3, 0, 3, 1),
    ];
    for (name, queue, batch, taken, in_first) in table {
        let mut play = Play::new(Limits { queue, batch, ..LIMITS });
        let offered: Vec<bool> = (0..10).map(|item| play.offer(&[item])).collect();
        assert_eq!(offered.iter().filter(|&&was_taken| was_taken).count(), taken, "{name}");
        let due = play.all_due();
        assert_eq!(due.first().map_or(0, Vec::len), in_first, "{name}");
        assert_eq!(due.concat().len(), taken, "{name}");
    }
}

#[test]
fn each_answer_is_counted() {
    let base = Counts { offered: 5, ..Counts::default() };
    let ok = Counts { batches_ok: 1, ..base };
    let rejected_all = Counts { rejected: 4, ..base };
    let table = [
        ("accepted", OK, 1, Counts { exported: 4, ..ok }),
        (
            "in part",
            Verdict::Accepted { rejected: 1 },
            1,
            Counts { exported: 3, rejected: 1, ..ok },
        ),
        ("in no part", Verdict::Accepted { rejected: 4 }, 1, Counts { rejected: 4, ..ok }),
        (
            "more than there were",
            Verdict::Accepted { rejected: 9 },
            1,
            Counts { rejected: 4, ..ok },
        ),
        ("refused", Verdict::Refused, 1, Counts { batches_rejected: 1, ..rejected_all }),
        ("failed", RETRY, 5, Counts { batches_failed: 1, ..base }),
    ];
    for (name, verdict, waiting, expected) in table {
        let mut play = Play::with_items(LIMITS, 5);
        let id = play.send();
        for _ in 0..2 {
            // The second time nobody knows the batch any more.
            play.answer(id, &verdict);
            play.exporter.returned(id);
        }
        assert_eq!(play.exporter.waiting(), waiting, "{name}");
        assert_eq!(play.exporter.take_counts(), expected, "{name}");
        assert_eq!(play.exporter.take_counts(), Counts::default(), "{name}: asked again");
    }
}

#[test]
fn what_nobody_is_left_to_send_is_expired() {
    let mut play = Play::with_items(LIMITS, 7);
    let under_way = play.send();
    play.exporter.give_up();
    assert!(play.exporter.is_empty());
    play.answer(under_way, &OK);
    play.pass(60);
    assert_eq!(play.due(), None);
    assert_eq!(play.exporter.take_counts(), Counts { offered: 7, expired: 7, ..Counts::default() });
}

#[test]
fn an_answer_to_an_earlier_attempt_is_ignored() {
    for verdict in [OK, RETRY, Verdict::Refused] {
        let mut play = Play::with_items(LIMITS, 4);
        let first = play.send();
        play.exporter.returned(first);
        let second = play.send();
        play.answer(first, &verdict);
        assert_eq!(play.exporter.waiting(), 4, "{verdict:?}");
        play.answer(second, &OK);
        assert!(play.exporter.is_empty(), "{verdict:?}");
    }
}

//! What the exporter keeps in memory.

use super::*;

/// Bytes that the exporter keeps, used or not.
fn bytes_held(exporter: &Exporter) -> usize {
    let batches = exporter.closed.iter().chain([&exporter.open]);
    let buffers: usize = batches.map(|batch| batch.bytes.capacity()).sum();
    let spares: usize = exporter.spares.iter().map(Vec::capacity).sum();
    buffers + spares + exporter.closed.capacity() * size_of::<Batch>()
}

#[test]
fn bytes_fill_a_batch_as_items_do() {
    type Lengths = &'static [usize];
    const MIB: usize = 1024 * 1024;
    // The items, the batches that are due at once, and those that are due the interval later.
    let table: [(&str, Lengths, Lengths, Lengths); 6] = [
        ("one byte too few", &[MIB, 2 * MIB - 1], &[], &[3 * MIB - 1]),
        ("to the byte", &[MIB, 2 * MIB], &[3 * MIB], &[]),
        ("one byte too many", &[MIB, 2 * MIB + 1], &[MIB], &[2 * MIB + 1]),
        ("a long one behind a short one", &[1, 3 * MIB, 1], &[1, 3 * MIB], &[1]),
        ("one that is too long alone", &[4 * MIB, 1], &[4 * MIB], &[1]),
        ("one that is too long behind another", &[1, 4 * MIB, 1], &[1, 4 * MIB], &[1]),
    ];
    for (name, items, at_once, behind) in table {
        let mut play = Play::new(LIMITS);
        for &length in items {
            play.offer(&vec![7; length]);
        }
        for expected in [at_once, behind] {
            let due: Vec<usize> = play.all_due().iter().map(Vec::len).collect();
            assert_eq!(due, expected, "{name}");
            play.pass(5);
        }
    }
}

#[test]
fn the_steady_state_takes_no_buffer_and_gives_none_back() {
    let mut play = Play::new(LIMITS);
    let mut held = Vec::new();
    for _ in 0..100 {
        for item in 0..6 {
            assert!(play.offer(&[item; 100]));
            held.push(bytes_held(&play.exporter));
        }
        play.pass(5);
        for _ in 0..2 {
            let id = play.send();
            play.answer(id, &OK);
            held.push(bytes_held(&play.exporter));
        }
    }
    let warm = held.split_off(3 * 8);
    assert!(warm.iter().all(|held| Some(held) == warm.first()), "{warm:?}");
}

#[test]
fn what_a_flood_took_goes_back() {
    for (name, batch) in [("great buffers", 512), ("many buffers", 64)] {
        let mut play = Play::new(Limits { queue: 2_048, batch, ..LIMITS });
        (0..2_048).for_each(|_| assert!(play.offer(&[7; 4_096])));
        let flooded = bytes_held(&play.exporter);
        let sent: Vec<BatchId> = (0..2_048 / batch).map(|_| play.send()).collect();
        for id in sent {
            play.answer(id, &OK);
        }
        assert!(play.exporter.is_empty(), "{name}");
        let held = bytes_held(&play.exporter);
        let bound = SPARES * SPARE_BYTES + 8_192;
        assert!(flooded >= 8 << 20 && held <= bound, "{name}: {flooded}, {held}");
    }
}

#[test]
fn a_collector_that_is_dead_for_an_hour_costs_no_memory_beyond_the_queue() {
    const ITEM: [u8; 500] = [7; 500];
    let limits = Limits { queue: 2_048, batch: 512, ..LIMITS };
    let mut play = Play::new(limits);
    let (mut most_held, mut most_taken, mut most_tries) = (0, 0, 0);
    let mut total = Counts::default();
    for _ in 0..3_600 {
        play.pass(1);
        // As from the root's tick: answers of the last second, then what is due.
        let sent: Vec<BatchId> = std::iter::from_fn(|| play.due()).map(|(id, _)| id).collect();
        most_tries = most_tries.max(sent.len());
        let taken = (0..10_000).filter(|_| play.offer(&ITEM)).count();
        most_taken = most_taken.max(taken);
        for id in sent {
            play.answer(id, &RETRY);
        }
        most_held = most_held.max(bytes_held(&play.exporter));
        let counts = play.exporter.take_counts();
        total.offered += counts.offered;
        total.queue_full += counts.queue_full;
        total.expired += counts.expired;
        total.batches_failed += counts.batches_failed;
    }
    // A buffer that grows by doubling is at most twice as long as what it holds.
    let bound = 2 * limits.queue * ITEM.len() + SPARES * SPARE_BYTES + 4_096;
    assert!(most_held <= bound, "{most_held} of {bound}");
    let waiting = play.exporter.waiting() as u64;
    assert_eq!(total.offered, 36_000_000);
    assert_eq!(total.offered, total.queue_full + total.expired + waiting);
    assert!(total.expired > 0);
    assert_eq!((most_taken, most_tries), (limits.queue, 4));
    // Half a minute between two attempts, at least half of it.
    assert!((100..300).contains(&total.batches_failed), "{}", total.batches_failed);
}

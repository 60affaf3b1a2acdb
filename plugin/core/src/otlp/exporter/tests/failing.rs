//! Collectors that fail, and carriers that are gone.

use super::*;

#[test]
fn what_fails_goes_first_again_and_in_its_order() {
    let mut play = Play::with_items(LIMITS, 16);
    let sent: Vec<BatchId> = (0..3).map(|_| play.send()).collect();
    for &id in sent.iter().rev() {
        play.answer(id, &RETRY);
    }
    play.pass(1);
    let (probe, bytes) = play.due().unwrap();
    assert_eq!(bytes, [0, 1, 2, 3]);
    play.answer(probe, &OK);
    assert_eq!(play.all_due(), [[4, 5, 6, 7], [8, 9, 10, 11], [12, 13, 14, 15]]);
}

#[test]
fn a_partial_batch_that_failed_waits_for_no_interval_and_takes_no_more_items() {
    let mut play = Play::with_items(Limits { interval: Duration::from_mins(1), ..LIMITS }, 2);
    play.pass(60);
    let id = play.send();
    play.offer(&[2]);
    play.answer(id, &RETRY);
    play.offer(&[3]);
    play.pass(1);
    assert_eq!(play.all_due(), [[0, 1]]);
}

#[test]
fn behind_a_failure_one_batch_finds_out_for_all() {
    let mut play = Play::with_items(LIMITS, 12);
    let first = play.send();
    play.answer(first, &RETRY);
    assert!(play.due().is_none(), "backing off");
    play.pass(1);
    let probe = play.send();
    assert!(play.due().is_none(), "it is under way");
    play.answer(probe, &RETRY);
    assert!(play.due().is_none(), "backing off again");
    play.pass(2);
    let probe = play.send();
    assert!(play.due().is_none(), "it is under way again");
    play.answer(probe, &OK);
    assert_eq!(play.all_due().len(), 2);
}

#[test]
fn a_probe_that_does_not_open_the_gate_makes_room_for_the_next() {
    for (name, answer) in [("refused", Some(Verdict::Refused)), ("returned", None)] {
        let mut play = Play::with_items(LIMITS, 12);
        let first = play.send();
        play.answer(first, &RETRY);
        play.pass(1);
        let probe = play.send();
        match answer {
            Some(verdict) => play.answer(probe, &verdict),
            None => play.exporter.returned(probe),
        }
        assert_eq!(play.all_due().len(), 1, "{name}");
    }
}

#[test]
fn a_slow_batch_from_before_the_failure_holds_up_no_probe() {
    let mut play = Play::with_items(LIMITS, 12);
    let (failing, slow) = (play.send(), play.send());
    play.answer(failing, &RETRY);
    play.pass(1);
    let probe = play.send();
    assert!(play.due().is_none());
    play.answer(slow, &OK);
    assert_eq!(play.all_due().len(), 1, "it is a success as good as any");
    play.answer(probe, &OK);
    assert_eq!(play.exporter.waiting(), 4);
}

#[test]
fn batches_that_fail_together_are_one_step() {
    let mut play = Play::with_items(LIMITS, 16);
    let sent: Vec<BatchId> = (0..4).map(|_| play.send()).collect();
    for id in sent {
        play.answer(id, &RETRY);
    }
    assert_eq!(play.exporter.take_counts().batches_failed, 4);
    play.pass(1);
    let probe = play.send();
    play.answer(probe, &RETRY);
    play.pass(2);
    assert!(play.due().is_some(), "the second step is of two seconds");
}

#[test]
fn what_is_returned_goes_again_at_once() {
    let mut play = Play::with_items(LIMITS, 8);
    let sent = [play.send(), play.send()];
    for id in sent {
        play.exporter.returned(id);
    }
    assert_eq!(play.all_due(), [[0, 1, 2, 3], [4, 5, 6, 7]]);
    assert_eq!(play.exporter.take_counts(), Counts { offered: 8, ..Counts::default() });
}

#[test]
fn what_one_answer_asks_for_holds_for_all_batches() {
    let after = Verdict::Retry { after: Some(Duration::from_mins(1)) };
    let mut play = Play::with_items(LIMITS, 12);
    let (first, second) = (play.send(), play.send());
    play.answer(first, &RETRY);
    play.answer(second, &after);
    play.pass(59);
    assert!(play.due().is_none());
    play.pass(1);
    assert!(play.due().is_some());
}

#[test]
fn a_batch_expires_five_minutes_after_its_first_attempt() {
    let table = [("five minutes", 300, 0, 8), ("and a bit", 301, 4, 4)];
    for (name, seconds, expired, waiting) in table {
        let mut play = Play::with_items(LIMITS, 8);
        let first = play.send();
        play.answer(first, &RETRY);
        play.pass(seconds);
        let (probe, bytes) = play.due().unwrap();
        assert_eq!(bytes.contains(&0), expired == 0, "{name}");
        assert_eq!(play.exporter.take_counts().expired, expired, "{name}");
        assert_eq!(play.exporter.waiting(), waiting, "{name}");
        play.answer(probe, &OK);
    }
}

#[test]
fn neither_what_was_never_tried_nor_what_is_under_way_expires() {
    let mut play = Play::with_items(LIMITS, 8);
    let slow = play.send();
    play.pass(3_600);
    assert_eq!(play.all_due(), [[4, 5, 6, 7]]);
    play.answer(slow, &OK);
    let counts = play.exporter.take_counts();
    assert_eq!((counts.exported, counts.expired), (4, 0));
}

#[test]
fn a_batch_expires_also_while_the_collector_is_left_alone() {
    let after = Verdict::Retry { after: Some(Duration::from_mins(10)) };
    let mut play = Play::with_items(LIMITS, 20);
    let id = play.send();
    play.answer(id, &after);
    play.pass(301);
    assert!(play.due().is_none());
    assert_eq!(play.exporter.take_counts().expired, 4);
    assert!(play.offer(&[20]), "its room is free");
}

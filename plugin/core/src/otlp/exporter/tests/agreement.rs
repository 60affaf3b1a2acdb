//! The exporter against the model, step by step, whatever comes.

use proptest::collection::vec;
use proptest::prelude::*;

use super::model::{Answer, Model, Place, later};
use super::*;
use crate::Rng;

#[derive(Clone, Debug)]
enum Step {
    /// Items of these lengths.
    Offer(Vec<usize>),
    Pass(Duration),
    /// So many times at most.
    Due(usize),
    /// One of those that are under way, or were.
    Answer(usize, Answer),
    Returned(usize),
}

/// An exporter, its model, and what was counted so far.
struct Both {
    exporter: Exporter,
    model: Model,
    now: Monotonic,
    rng: Rng,
    total: Counts,
}

impl Both {
    fn new(limits: Limits, seed: u8) -> Self {
        Self {
            exporter: Exporter::new(limits),
            model: Model::new(limits),
            now: Monotonic(SECOND),
            rng: Rng::from_seed([seed; 32]),
            total: Counts::default(),
        }
    }

    /// One of the batches that are under way, or now and then one that is not.
    fn pick(&self, index: usize) -> Option<usize> {
        let sent = &self.model.sent;
        let under_way: Vec<usize> =
            (0..sent.len()).filter(|&batch| sent[batch].is_under_way).collect();
        let known = under_way.get(index % under_way.len().max(1)).copied();
        known
            .filter(|_| !index.is_multiple_of(7))
            .or_else(|| (!sent.is_empty()).then(|| index % sent.len()))
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Offer(lengths) => {
                for &length in lengths {
                    self.model.offer(length, self.now, &mut self.exporter);
                }
            }
            Step::Pass(time) => self.now = later(self.now, *time),
            Step::Due(most) => {
                let mut left = *most;
                while left > 0 && self.model.due(self.now, &mut self.exporter) {
                    left -= 1;
                }
            }
            Step::Answer(index, answer) => self.answer(*index, answer),
            Step::Returned(index) => {
                let Some(batch) = self.pick(*index) else { return };
                self.exporter.returned(self.model.sent[batch].id);
                if self.model.sent[batch].is_under_way {
                    self.model.settle(batch, Place::Queued, 0);
                }
            }
        }
    }

    fn answer(&mut self, index: usize, answer: &Answer) {
        let Some(batch) = self.pick(index) else { return };
        let sent = &self.model.sent[batch];
        self.exporter.answered(sent.id, &answer.verdict(), self.now, &mut self.rng);
        if sent.is_under_way {
            self.model.answer(batch, answer, self.now);
        }
    }

    fn check(&mut self) {
        let new = self.exporter.take_counts();
        let total = &mut self.total;
        total.offered += new.offered;
        total.exported += new.exported;
        total.queue_full += new.queue_full;
        total.rejected += new.rejected;
        total.expired += new.expired;
        total.batches_ok += new.batches_ok;
        total.batches_rejected += new.batches_rejected;
        total.batches_failed += new.batches_failed;
        assert_eq!(*total, self.model.counts());
        let waiting = self.exporter.waiting();
        assert_eq!(waiting, self.model.waiting());
        assert_eq!(self.exporter.is_empty(), waiting == 0);
        assert!(waiting <= self.model.limits.queue);
        let gone = total.exported + total.queue_full + total.rejected + total.expired;
        assert_eq!(total.offered, gone + waiting as u64);
    }
}

fn limits() -> impl Strategy<Value = Limits> {
    let sizes = prop_oneof![
        4 => (1..40_usize, 1..10_usize),
        1 => (1..10_usize, 10..100_usize),
        1 => (Just(1), 1..3_usize),
        1 => (1..20_usize, Just(1)),
        1 => (0..2_usize, 0..2_usize),
    ];
    (sizes, 0..10_u64).prop_map(|((queue, batch), seconds)| Limits {
        queue,
        batch,
        interval: Duration::from_secs(seconds),
    })
}

fn answer() -> impl Strategy<Value = Answer> {
    let after = prop_oneof![
        3 => Just(None),
        1 => (0..100_u64).prop_map(|seconds| Some(Duration::from_secs(seconds))),
    ];
    prop_oneof![
        2 => Just(Answer::Accepted { rejected: 0 }),
        1 => (0..10_u64).prop_map(|rejected| Answer::Accepted { rejected }),
        4 => after.prop_map(|after| Answer::Retry { after }),
        1 => Just(Answer::Refused),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let length = prop_oneof![40 => 0..20_usize, 1 => 1_000_000..3_500_000_usize];
    let time = prop_oneof![
        2 => Just(Duration::ZERO),
        6 => (0..3_000_u64).prop_map(Duration::from_millis),
        3 => (0..60_u64).prop_map(Duration::from_secs),
        1 => (250..400_u64).prop_map(Duration::from_secs),
    ];
    prop_oneof![
        4 => vec(length, 0..12).prop_map(Step::Offer),
        3 => time.prop_map(Step::Pass),
        4 => (1..6_usize).prop_map(Step::Due),
        4 => (any::<usize>(), answer()).prop_map(|(index, answer)| Step::Answer(index, answer)),
        1 => any::<usize>().prop_map(Step::Returned),
    ]
}

proptest! {
    #[test]
    fn does_what_the_model_does(limits in limits(), seed: u8, steps in vec(step(), 0..80)) {
        let mut both = Both::new(limits, seed);
        for step in &steps {
            both.step(step);
            both.check();
        }
    }

    #[test]
    fn a_collector_that_fails_at_random_gets_all_that_was_not_dropped(
        limits in limits(),
        seed: u8,
        failures in vec(any::<bool>(), 0..60),
    ) {
        let mut both = Both::new(limits, seed);
        let (mut taken, mut failures) = (Vec::<u32>::new(), failures.into_iter());
        for second in 0..3_600 {
            both.now = later(both.now, Duration::from_secs(1));
            if second < 60 {
                both.step(&Step::Offer(vec![5, 3]));
            }
            let before = both.model.sent.len();
            both.step(&Step::Due(10));
            for batch in before..both.model.sent.len() {
                let fails = failures.next().unwrap_or(false);
                let retry = Answer::Retry { after: None };
                let ok = Answer::Accepted { rejected: 0 };
                let sent = &both.model.sent[batch];
                taken.extend(sent.items.iter().filter(|_| !fails));
                let answer = if fails { retry } else { ok };
                both.exporter.answered(sent.id, &answer.verdict(), both.now, &mut both.rng);
                both.model.answer(batch, &answer, both.now);
            }
            both.check();
        }
        prop_assert!(both.exporter.is_empty());
        let not_dropped = both.total.offered - both.total.queue_full - both.total.expired;
        taken.sort_unstable();
        let all = taken.len();
        taken.dedup();
        prop_assert_eq!(taken.len() as u64, not_dropped);
        prop_assert_eq!(taken.len(), all, "an item that was accepted came again");
    }
}

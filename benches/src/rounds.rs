//! Times of things that are to be compared, taken in turns.
//!
//! criterion measures one thing after the other, so that what the machine does meanwhile is in the ratio
//! of two of them. Here each round runs all of them, and a ratio is of the same round.

use std::time::Instant;

use crate::report::Measured;

/// One of the things that are compared.
pub struct Contender<'a> {
    batch: Box<dyn FnMut() -> f64 + 'a>,
}

/// What an operation of one contender took, in nanoseconds, round by round.
#[derive(Clone, Debug)]
pub struct Times(Vec<f64>);

impl<'a> Contender<'a> {
    /// A batch that does so many operations, timed by the clock.
    pub fn new(operations: usize, mut batch: impl FnMut() + 'a) -> Self {
        let operations = u32::try_from(operations).expect("a batch is small");
        Self::timed(move || {
            let start = Instant::now();
            batch();
            start.elapsed().as_secs_f64() * 1e9 / f64::from(operations)
        })
    }

    /// A batch that says itself how many nanoseconds an operation took, by whatever clock.
    pub fn timed(batch: impl FnMut() -> f64 + 'a) -> Self {
        Self { batch: Box::new(batch) }
    }

    /// Does a batch.
    pub fn run(&mut self) {
        self.time();
    }

    fn time(&mut self) -> f64 {
        (self.batch)()
    }
}

impl Times {
    /// The time.
    pub fn time(&self) -> Measured {
        Measured { median: median(self.0.clone()), undisturbed: Some(self.undisturbed()) }
    }

    /// How much longer this took than another: in the same round, and where neither was disturbed.
    pub fn ratio_to(&self, other: &Self) -> Measured {
        let ratios = self.0.iter().zip(&other.0).map(|(one, other)| one / other).collect();
        let undisturbed = self.undisturbed() / other.undisturbed();
        Measured { median: median(ratios), undisturbed: Some(undisturbed) }
    }

    /// How much more than another this took in the same round.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(one, other)| one - other).collect())
    }

    /// What a quarter of the rounds is below, the median, and what a quarter is above.
    pub fn quartiles(&self) -> [f64; 3] {
        let mut times = self.0.clone();
        times.sort_unstable_by(f64::total_cmp);
        [1, 2, 3].map(|quarter| times[times.len() * quarter / 4])
    }

    /// What a tenth of the rounds took at most: what else the machine does only ever adds to it.
    fn undisturbed(&self) -> f64 {
        quantile(self.0.clone(), 10)
    }
}

/// Runs all contenders in each of so many rounds, each time another one first.
pub fn take<const N: usize>(rounds: usize, mut contenders: [Contender<'_>; N]) -> [Times; N] {
    let mut times = [const { Times(Vec::new()) }; N];
    for contender in &mut contenders {
        contender.time();
    }
    for round in 0..rounds {
        for turn in 0..N {
            let at = (round + turn) % N;
            times[at].0.push(contenders[at].time());
        }
    }
    times
}

fn median(numbers: Vec<f64>) -> f64 {
    quantile(numbers, 2)
}

/// What one in so many numbers is below.
fn quantile(mut numbers: Vec<f64>, one_in: usize) -> f64 {
    numbers.sort_unstable_by(f64::total_cmp);
    numbers[numbers.len() / one_in]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_took_more_is_told_round_by_round() {
        let (mut one, mut other) = ((0..8).map(f64::from), (0..8).map(|it| f64::from(it * it)));
        let next = |it: Option<f64>| it.unwrap_or_default();
        let _ = (one.next(), other.next());
        let contenders =
            [Contender::timed(|| next(one.next())), Contender::timed(|| next(other.next()))];
        let [one, other] = take(5, contenders);
        assert_eq!(format!("{one:?}"), "Times([2.0, 3.0, 4.0, 5.0, 6.0])");
        let more = other.minus(&one);
        assert_eq!(format!("{more:?}"), "Times([2.0, 6.0, 12.0, 20.0, 30.0])");
        assert_eq!(format!("{:?}", more.quartiles()), "[6.0, 12.0, 20.0]");
    }
}

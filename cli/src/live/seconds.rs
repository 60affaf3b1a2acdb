//! What happened in each of the last sixty seconds.
//!
//! A request belongs to the second in which it ended. While it lasted it was under way, also in seconds before.

/// How many whole seconds are looked back.
pub(super) const LOOK_BACK: u64 = 60;

/// Rate and load are means over so many.
pub(super) const RECENTLY: u64 = 10;

/// Those looked back to and the one under way, rounded up.
const SLOTS: usize = 64;

const MICROS: u64 = 1_000_000;

/// The sums of each second, in a ring.
#[derive(Clone, Debug)]
pub(super) struct Seconds(Box<[Second; SLOTS]>);

#[derive(Clone, Copy, Debug, Default)]
struct Second {
    /// Which one it is, since 1970.
    at: u64,
    sums: Sums,
}

/// What is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Sums {
    /// Requests that ended.
    pub(super) requests: f64,
    /// Those of them that failed.
    pub(super) errors: f64,
    /// The time that requests were under way, those of one moment added up, in seconds.
    pub(super) busy: f64,
}

/// From when to when a request lasted, in microseconds since 1970.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lasted {
    pub(super) begin: u64,
    pub(super) end: u64,
}

impl Default for Seconds {
    fn default() -> Self {
        Self(Box::new([Second::default(); SLOTS]))
    }
}

impl Seconds {
    /// Counts a request. One that ended too long ago is not counted, one of the future as of now.
    pub(super) fn add(&mut self, now: u64, lasted: Lasted, weight: f64, failed: bool) {
        let now = now / MICROS;
        let Some(second) = self.second(now, lasted.end / MICROS) else { return };
        second.requests += weight;
        second.errors += if failed { weight } else { 0.0 };
        let first = (lasted.begin / MICROS).max(now.saturating_sub(LOOK_BACK));
        for at in first..=(lasted.end / MICROS).min(now) {
            let begin = lasted.begin.max(at * MICROS);
            let end = lasted.end.min((at + 1) * MICROS);
            if let Some(second) = self.second(now, at) {
                second.busy += weight * seconds(end.saturating_sub(begin));
            }
        }
    }

    /// The sums of the newest whole seconds, so many of them.
    pub(super) fn recent(&self, now: u64, count: u64) -> Sums {
        self.each(now, count).fold(Sums::default(), |all, sums| Sums {
            requests: all.requests + sums.requests,
            errors: all.errors + sums.errors,
            busy: all.busy + sums.busy,
        })
    }

    /// The sums of the last minute with the second under way.
    pub(super) fn minute(&self, now: u64) -> Sums {
        self.recent(now + MICROS, LOOK_BACK)
    }

    /// The sums of each of the newest whole seconds, the oldest first.
    pub(super) fn each(&self, now: u64, count: u64) -> impl Iterator<Item = Sums> + '_ {
        let now = now / MICROS;
        (now.saturating_sub(count)..now).map(|at| {
            let second = &self.0[slot(at)];
            if second.at == at { second.sums } else { Sums::default() }
        })
    }

    fn second(&mut self, now: u64, at: u64) -> Option<&mut Sums> {
        let at = at.min(now);
        if at + LOOK_BACK < now {
            return None;
        }
        let second = &mut self.0[slot(at)];
        if second.at != at {
            *second = Second { at, sums: Sums::default() };
        }
        Some(&mut second.sums)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the rest of a division by SLOTS")]
fn slot(at: u64) -> usize {
    (at % SLOTS as u64) as usize
}

#[expect(clippy::cast_precision_loss, reason = "no more than a second")]
fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: u64 = 1_000 * MICROS;

    fn at(begin_ms: u64, end_ms: u64) -> Lasted {
        Lasted { begin: begin_ms * 1_000, end: end_ms * 1_000 }
    }

    #[test]
    fn a_request_is_counted_where_it_ended_and_under_way_where_it_was() {
        let mut seconds = Seconds::default();
        seconds.add(NOW, at(996_500, 998_250), 1.0, true);
        let each: Vec<_> = seconds.each(NOW, 4).map(|sums| (sums.requests, sums.busy)).collect();
        assert_eq!(each, [(0.0, 0.5), (0.0, 1.0), (1.0, 0.25), (0.0, 0.0)]);
        assert_eq!(seconds.recent(NOW, 10), Sums { requests: 1.0, errors: 1.0, busy: 1.75 });
    }

    #[test]
    fn odd_times_count_where_they_can() {
        for (name, lasted, counted) in [
            ("too old", at(900_000, 939_999), 0.0),
            ("just not too old", at(900_000, 940_000), 1.0),
            ("of the future", at(2_000_000, 2_000_001), 1.0),
            ("ends before it begins", at(999_000, 998_000), 1.0),
            ("since ever", at(0, 999_000), 1.0),
        ] {
            let mut seconds = Seconds::default();
            seconds.add(NOW, lasted, 1.0, false);
            let all = seconds.recent(NOW + MICROS, 61);
            assert_eq!(all.requests.to_bits(), f64::to_bits(counted), "{name}");
            assert!((0.0..=60.0).contains(&all.busy), "{name}: {}", all.busy);
        }
    }

    #[test]
    fn what_is_older_than_the_ring_is_forgotten() {
        let mut seconds = Seconds::default();
        seconds.add(NOW, at(999_000, 999_500), 1.0, false);
        assert_eq!(seconds.recent(NOW + 64 * MICROS, 60), Sums::default());
        seconds.add(NOW + 64 * MICROS, at(1_063_000, 1_063_000), 2.0, false);
        let again = seconds.recent(NOW + 64 * MICROS, 60).requests;
        assert_eq!(again.to_bits(), f64::to_bits(2.0));
    }

    proptest! {
        #[test]
        fn the_ring_counts_as_a_list_does(
            requests in proptest::collection::vec((0_u64..200_000, 0_u64..3_000, any::<bool>()), 0..300),
        ) {
            let mut requests = requests;
            requests.sort_unstable();
            let (mut ring, begin) = (Seconds::default(), NOW);
            for &(end, lasted, failed) in &requests {
                let now = begin + end * 1_000;
                ring.add(now, Lasted { begin: now - lasted * 1_000, end: now }, 1.0, failed);
            }
            let now = begin + requests.last().map_or(0, |last| last.0) * 1_000 + MICROS;
            for count in [1, 10, 60] {
                let within = requests.iter().filter(|(end, ..)| {
                    let second = (begin + end * 1_000) / MICROS;
                    second < now / MICROS && second + count >= now / MICROS
                });
                let naive = within.fold((0.0, 0.0), |(all, errors), (_, _, failed)| {
                    (all + 1.0, errors + f64::from(u8::from(*failed)))
                });
                let told = ring.recent(now, count);
                prop_assert_eq!((told.requests, told.errors), naive, "{} s", count);
            }
        }
    }
}

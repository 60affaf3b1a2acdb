//! The upper boundaries of a histogram's buckets.

use std::borrow::Cow;

use super::Decimal;

/// Boundaries in ascending order. A value on a boundary belongs below it, as in Prometheus and OpenTelemetry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Boundaries(Cow<'static, [Decimal]>);

impl Boundaries {
    /// For requests, in seconds, as OpenTelemetry advises.
    pub const REQUESTS: Self = Self(Cow::Borrowed(&[
        Decimal::from_nanos(5_000_000),
        Decimal::from_nanos(10_000_000),
        Decimal::from_nanos(25_000_000),
        Decimal::from_nanos(50_000_000),
        Decimal::from_nanos(75_000_000),
        Decimal::from_nanos(100_000_000),
        Decimal::from_nanos(250_000_000),
        Decimal::from_nanos(500_000_000),
        Decimal::from_nanos(750_000_000),
        Decimal::whole(1),
        Decimal::from_nanos(2_500_000_000),
        Decimal::whole(5),
        Decimal::from_nanos(7_500_000_000),
        Decimal::whole(10),
    ]));

    /// For streams, which last from a moment to a day.
    pub const STREAMS: Self = Self(Cow::Borrowed(&[
        Decimal::from_nanos(10_000_000),
        Decimal::from_nanos(100_000_000),
        Decimal::from_nanos(500_000_000),
        Decimal::whole(1),
        Decimal::whole(5),
        Decimal::whole(10),
        Decimal::whole(30),
        Decimal::whole(60),
        Decimal::whole(300),
        Decimal::whole(900),
        Decimal::whole(3_600),
        Decimal::whole(14_400),
        Decimal::whole(86_400),
    ]));

    /// The most that a histogram has. Each is a number in every series.
    pub const MOST: usize = 50;

    /// These, if they ascend, are above zero, and are not too many.
    pub fn new(boundaries: &[Decimal]) -> Option<Self> {
        let ascend = boundaries.is_sorted_by(|one, next| one < next);
        let positive = boundaries.first().is_none_or(|first| *first > Decimal::default());
        (ascend && positive && boundaries.len() <= Self::MOST)
            .then(|| Self(Cow::Owned(boundaries.to_vec())))
    }

    /// The bucket of a value: as many as there are boundaries is that of all above the last.
    #[inline]
    pub fn bucket(&self, value: Decimal) -> usize {
        self.0.partition_point(|boundary| *boundary < value)
    }

    /// How many buckets there are, that of all above the last boundary included.
    pub fn buckets(&self) -> usize {
        self.0.len() + 1
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = Decimal> {
        self.0.iter().copied()
    }
}

/// Those of requests.
impl Default for Boundaries {
    fn default() -> Self {
        Self::REQUESTS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_on_a_boundary_is_below_it() {
        let whole = Decimal::whole;
        let boundaries = Boundaries::new(&[whole(1), whole(10)]).unwrap();
        for (value, bucket) in [("0", 0), ("1", 0), ("1.000000001", 1), ("10", 1), ("10.5", 2)] {
            assert_eq!(
                boundaries.bucket(Decimal::parse(value.as_bytes()).unwrap()),
                bucket,
                "{value}"
            );
        }
        assert_eq!(Boundaries::new(&[]).unwrap().bucket(whole(1)), 0);
    }

    #[test]
    fn they_ascend_from_above_zero() {
        let whole = |numbers: &[u64]| {
            numbers.iter().map(|&number| Decimal::whole(number)).collect::<Vec<_>>()
        };
        for (numbers, fits) in [
            (vec![1, 2], true),
            (vec![], true),
            (vec![0, 1], false),
            (vec![1, 1], false),
            (vec![2, 1], false),
            ((1..52).collect(), false),
        ] {
            assert_eq!(Boundaries::new(&whole(&numbers)).is_some(), fits, "{numbers:?}");
        }
    }
}

//! Points in time as a host hands them in. Nothing here reads a clock.

use std::time::Duration;

/// Nanoseconds since the Unix epoch, by the wall clock: for people and for other machines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wall(pub u64);

/// Nanoseconds since some fixed point, by a clock that never goes back: for durations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Monotonic(pub u64);

/// One instant, read off both clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// What the wall clock said.
    pub wall: Wall,
    /// What the monotonic clock said.
    pub monotonic: Monotonic,
}

impl Monotonic {
    /// The time from `earlier` to here; nothing if `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// So much later.
    pub fn after(self, duration: Duration) -> Self {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(nanos))
    }
}

impl Wall {
    /// Whole milliseconds since the epoch.
    pub fn millis(self) -> u64 {
        self.0 / 1_000_000
    }

    /// Writes RFC 3339 in UTC with microseconds, `2026-11-21T08:25:00.000042Z`.
    #[inline]
    pub fn write_rfc3339(self, out: &mut Vec<u8>) {
        let micros = self.0 / 1_000;
        let (seconds, micros) = (micros / 1_000_000, micros % 1_000_000);
        let (days, second) = (seconds / 86_400, seconds % 86_400);
        let (year, month, day) = civil_from_days(days);
        let mut text = *b"0000-00-00T00:00:00.000000Z";
        let mut rest = text.as_mut_slice();
        let parts = [
            (year, 4),
            (month, 2),
            (day, 2),
            (second / 3_600, 2),
            (second / 60 % 60, 2),
            (second % 60, 2),
            (micros, 6),
        ];
        for (number, width) in parts {
            let Some((digits, behind)) = rest.split_at_mut_checked(width) else { break };
            put_digits(number, digits);
            rest = behind.get_mut(1..).unwrap_or_default();
        }
        out.extend_from_slice(&text);
    }
}

/// Year, month and day of a day counted from 1970-01-01.
///
/// Years are counted from March, so that the leap day is a year's last day, and in eras of 400 years,
/// which are all of the same length.
#[inline]
fn civil_from_days(days: u64) -> (u64, u64, u64) {
    const DAYS_TO_EPOCH_FROM_MARCH_OF_YEAR_0: u64 = 719_468;
    const DAYS_OF_ERA: u64 = 146_097;

    let days = days + DAYS_TO_EPOCH_FROM_MARCH_OF_YEAR_0;
    let (era, day_of_era) = (days / DAYS_OF_ERA, days % DAYS_OF_ERA);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

/// Writes `number` in decimal.
pub(crate) fn write_number(number: u64, out: &mut Vec<u8>) {
    write_padded(number, 1, out);
}

/// Writes `number` in decimal with leading zeros up to `width` digits, of which there are at most 20.
pub(crate) fn write_padded(number: u64, width: usize, out: &mut Vec<u8>) {
    let mut digits = [b'0'; 20];
    let used = put_digits(number, &mut digits).max(width);
    out.extend_from_slice(digits.get(digits.len().saturating_sub(used)..).unwrap_or_default());
}

/// Puts the digits of a number at the end of a text of zeros, as far as there is room. Says how many these are.
fn put_digits(mut number: u64, text: &mut [u8]) -> usize {
    let mut used = 0;
    for place in text.iter_mut().rev() {
        if number == 0 {
            break;
        }
        *place += u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
        used += 1;
    }
    used
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_rfc_3339() {
        let table = [
            ("the epoch", 0, "1970-01-01T00:00:00.000000Z"),
            ("nanoseconds are cut", 1_999, "1970-01-01T00:00:00.000001Z"),
            ("the end of a day", 86_399_999_999_000, "1970-01-01T23:59:59.999999Z"),
            ("a leap day", 951_782_400_000_000_000, "2000-02-29T00:00:00.000000Z"),
            ("the day behind it", 951_868_800_000_000_000, "2000-03-01T00:00:00.000000Z"),
            ("no leap day in 2100", 4_107_542_400_000_000_000, "2100-03-01T00:00:00.000000Z"),
            ("a new year", 1_798_761_600_000_000_000, "2027-01-01T00:00:00.000000Z"),
            ("the last that fits", u64::MAX, "2554-07-21T23:34:33.709551Z"),
        ];
        for (name, nanos, expected) in table {
            let mut out = Vec::new();
            Wall(nanos).write_rfc3339(&mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected, "{name}");
        }
    }

    #[test]
    fn a_clock_that_goes_back_gives_no_duration() {
        assert_eq!(Monotonic(1).since(Monotonic(5)), Duration::ZERO);
        assert_eq!(Monotonic(5).since(Monotonic(1)), Duration::from_nanos(4));
    }
}

//! Dates and times, in the forms that stand in paths.

/// Whether this is a date, a time, or a date with one.
pub(super) fn is_date(bytes: &[u8]) -> bool {
    let mut rest = Cursor(bytes);
    match rest.date() {
        Some(()) if rest.is_done() => true,
        Some(()) => rest.one_of(b"T t_") && rest.time() && rest.is_done(),
        None => {
            let mut rest = Cursor(bytes);
            rest.time_of_day(b':') && rest.is_done()
        }
    }
}

struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn is_done(&self) -> bool {
        self.0.is_empty()
    }

    /// `2024-01-31`, `2024-01`, `2024-W05`, `2024-Q1`, `31-01-2024`, `20240131` before a time.
    fn date(&mut self) -> Option<()> {
        let start = self.0;
        if self.year() {
            if let Some(joint) = self.joint() {
                return self.after_year(joint);
            }
            let compact = self.number(2, 1..=12) && self.number(2, 1..=31);
            // Eight digits alone are a number like any other.
            return (compact && !self.is_done()).then_some(());
        }
        self.0 = start;
        if self.number(2, 1..=31) {
            let joint = self.joint()?;
            let reversed = self.number(2, 1..=12) && self.byte(joint) && self.year();
            return reversed.then_some(());
        }
        None
    }

    fn after_year(&mut self, joint: u8) -> Option<()> {
        if self.one_of(b"Ww") {
            return self.number(2, 1..=53).then_some(());
        }
        if self.one_of(b"Qq") {
            return self.number(1, 1..=4).then_some(());
        }
        if !self.number(2, 1..=12) {
            return None;
        }
        let day = !self.byte(joint) || self.number(2, 1..=31);
        day.then_some(())
    }

    /// A time behind a date: `10:15`, `101500.123Z`, `10-15-00+02:00`.
    fn time(&mut self) -> bool {
        let joint = match self.0 {
            [_, _, joint @ (b':' | b'-' | b'_'), ..] => Some(*joint),
            _ => None,
        };
        let of_day = match joint {
            Some(joint) => self.time_of_day(joint),
            None => {
                self.number(2, 0..=24) && (self.is_done() || self.number(2, 0..=59)) && {
                    let _seconds = self.number(2, 0..=60);
                    true
                }
            }
        };
        of_day && self.zone()
    }

    /// `10:15`, `10:15:00`, `10:15:00.123`.
    fn time_of_day(&mut self, joint: u8) -> bool {
        if !(self.number(2, 0..=24) && self.byte(joint) && self.number(2, 0..=59)) {
            return false;
        }
        if self.byte(joint) && !self.number(2, 0..=60) {
            return false;
        }
        true
    }

    /// A fraction of a second and a zone, if there are any.
    fn zone(&mut self) -> bool {
        if self.one_of(b".,") {
            let digits = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
            self.skip(digits);
        }
        if self.is_done() || self.one_of(b"Zz") {
            return true;
        }
        // A plus sign means a space to those who decode queries.
        if !self.one_of(b"+- ") || !self.number(2, 0..=14) {
            return false;
        }
        let _ = self.byte(b':');
        self.is_done() || self.number(2, 0..=59)
    }

    fn year(&mut self) -> bool {
        self.number(4, 1800..=2199)
    }

    fn joint(&mut self) -> Option<u8> {
        [b'-', b'.', b'_'].into_iter().find(|&joint| self.byte(joint))
    }

    fn number(&mut self, digits: usize, range: std::ops::RangeInclusive<u16>) -> bool {
        let Some((number, rest)) = self.0.split_at_checked(digits) else { return false };
        let value = number.iter().try_fold(0_u16, |value, byte| {
            byte.is_ascii_digit().then(|| value * 10 + u16::from(byte - b'0'))
        });
        let fits = value.is_some_and(|value| range.contains(&value));
        if fits {
            self.0 = rest;
        }
        fits
    }

    fn byte(&mut self, byte: u8) -> bool {
        self.one_of(&[byte])
    }

    fn one_of(&mut self, bytes: &[u8]) -> bool {
        let found = self.0.first().is_some_and(|first| bytes.contains(first));
        if found {
            self.skip(1);
        }
        found
    }

    fn skip(&mut self, count: usize) {
        self.0 = self.0.get(count..).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times_are_told_from_other_numbers() {
        let table = [
            ("2024-01-31", true),
            ("2024-01", true),
            ("2024.01.31", true),
            ("2024_01_31", true),
            ("2024-W05", true),
            ("2024-Q1", true),
            ("31-01-2024", true),
            ("2024-01-31T10:15:00Z", true),
            ("2024-01-31T10:15", true),
            ("2024-01-31T10:15:00.123+02:00", true),
            ("2024-01-31 10:15:00", true),
            ("2023-10-01T12:00:00+0000", true),
            ("20240131T101500Z", true),
            ("20240131T1015", true),
            ("2024-01-31T10-15-00", true),
            ("10:15", true),
            ("10:15:30", true),
            ("20240131", false),
            ("2024", false),
            ("2024-13", false),
            ("2024-01-32", false),
            ("2024-01-31x", false),
            ("2024-1-3", false),
            ("0024-01-31", false),
            ("25:00", false),
            ("", false),
            ("-", false),
            ("2024-01-31T", false),
        ];
        for (text, expected) in table {
            assert_eq!(is_date(text.as_bytes()), expected, "{text:?}");
        }
    }
}

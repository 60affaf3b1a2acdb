//! The header `Retry-After`: in so many seconds, or at a date.

use std::time::Duration;

use crate::Wall;

/// The longest that anybody can ask us to wait.
const LONGEST: Duration = Duration::from_mins(10);

/// How long to wait from now on. None where the value says neither seconds nor a date; of HTTP's three
/// formats of dates only the one that may still be sent is known.
pub(super) fn parse(value: &[u8], now: Wall) -> Option<Duration> {
    let value = value.trim_ascii();
    let wait = match number(value) {
        Some(seconds) => Duration::from_secs(seconds),
        None => date(value)?.saturating_sub(Duration::from_nanos(now.0)),
    };
    Some(wait.min(LONGEST))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` as the time since the epoch. Which day of the week it is, is not checked.
fn date(value: &[u8]) -> Option<Duration> {
    let &[_, _, _, b',', b' ', d1, d2, b' ', m1, m2, m3, b' ', ref year_and_time @ ..] = value
    else {
        return None;
    };
    let &[y1, y2, y3, y4, b' ', ref time @ ..] = year_and_time else { return None };
    let &[h1, h2, b':', i1, i2, b':', s1, s2, b' ', b'G', b'M', b'T'] = time else { return None };
    let day = within(1, 31, number(&[d1, d2])?)?;
    let year = within(1970, 9999, number(&[y1, y2, y3, y4])?)?;
    let hour = within(0, 23, number(&[h1, h2])?)?;
    let minute = within(0, 59, number(&[i1, i2])?)?;
    let second = within(0, 60, number(&[s1, s2])?)?;
    let days = days_before_month(year, month([m1, m2, m3])?) + day - 1;
    Some(Duration::from_secs(((days * 24 + hour) * 60 + minute) * 60 + second))
}

/// The month's number from 0 on.
fn month(name: [u8; 3]) -> Option<u64> {
    let names = b"JanFebMarAprMayJunJulAugSepOctNovDec".chunks_exact(3);
    (0..).zip(names).find(|(_, known)| **known == name).map(|(month, _)| month)
}

/// Days from the epoch to the first of a month, of a year from 1970 on.
fn days_before_month(year: u64, month: u64) -> u64 {
    let leap_days = |years: u64| years / 4 - years / 100 + years / 400;
    let is_leap = leap_days(year) > leap_days(year - 1);
    // Before March all months have 31 days; from March on, every five have 153.
    let in_year = match month {
        0 | 1 => month * 31,
        _ => 59 + u64::from(is_leap) + (153 * (month - 2) + 2) / 5,
    };
    (year - 1970) * 365 + leap_days(year - 1) - leap_days(1969) + in_year
}

fn within(least: u64, most: u64, number: u64) -> Option<u64> {
    (least..=most).contains(&number).then_some(number)
}

/// Digits and nothing else. What is too large is as large as can be.
fn number(text: &[u8]) -> Option<u64> {
    let is_number = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    is_number.then(|| {
        let add = |number: u64, digit: &u8| {
            number.saturating_mul(10).saturating_add(u64::from(digit & 0x0f))
        };
        text.iter().fold(0, add)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn seconds_and_dates_are_waited_for() {
        // 784,111,777 seconds after the epoch.
        let then = "Sun, 06 Nov 1994 08:49:37 GMT";
        let now = Wall(784_111_770_500_000_000);
        let table: [(&str, &str, Option<Duration>); 24] = [
            ("seconds", "120", Some(Duration::from_mins(2))),
            ("at once", "0", Some(Duration::ZERO)),
            ("white space around", " 5\t", Some(Duration::from_secs(5))),
            ("zeros in front", "0000000000000000000000005", Some(Duration::from_secs(5))),
            ("too long", "601", Some(LONGEST)),
            ("longer than any number", "99999999999999999999999999999", Some(LONGEST)),
            ("a date", then, Some(Duration::from_millis(6_500))),
            ("a date that has been", "Sun, 06 Nov 1994 08:49:30 GMT", Some(Duration::ZERO)),
            ("a date long ago", "Thu, 01 Jan 1970 00:00:00 GMT", Some(Duration::ZERO)),
            ("a date far off", "Fri, 31 Dec 9999 23:59:59 GMT", Some(LONGEST)),
            ("a leap second", "Sun, 06 Nov 1994 08:49:60 GMT", Some(Duration::from_millis(29_500))),
            ("nothing", "", None),
            ("a negative number", "-1", None),
            ("a sign", "+1", None),
            ("a fraction", "1.5", None),
            ("a word", "soon", None),
            ("RFC 850", "Sunday, 06-Nov-94 08:49:37 GMT", None),
            ("asctime", "Sun Nov  6 08:49:37 1994", None),
            ("another zone", "Sun, 06 Nov 1994 08:49:37 CET", None),
            ("no such month", "Sun, 06 nov 1994 08:49:37 GMT", None),
            ("no such day", "Sun, 00 Nov 1994 08:49:37 GMT", None),
            ("no such hour", "Sun, 06 Nov 1994 24:49:37 GMT", None),
            ("before the epoch", "Wed, 31 Dec 1969 23:59:59 GMT", None),
            ("one letter more", "Sun, 06 Nov 1994 08:49:37 GMTX", None),
        ];
        for (name, value, expected) in table {
            assert_eq!(parse(value.as_bytes(), now), expected, "{name}");
        }
    }

    proptest! {
        #[test]
        fn a_date_is_the_time_that_it_was_written_for(seconds in 0_u64..18_446_744_073) {
            const MONTHS: [&str; 12] =
                ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
            let mut written = Vec::new();
            Wall(seconds * 1_000_000_000).write_rfc3339(&mut written);
            let part = |from: usize, to: usize| str::from_utf8(&written[from..to]).unwrap();
            let month = MONTHS[part(5, 7).parse::<usize>().unwrap() - 1];
            let text = format!("Any, {} {month} {} {} GMT", part(8, 10), part(0, 4), part(11, 19));
            prop_assert_eq!(date(text.as_bytes()), Some(Duration::from_secs(seconds)), "{}", text);
        }
    }
}

//! One access-log line, read as far as the live view needs it.
//!
//! What is in it comes from any client. It is borrowed where it can be, because most lines are only counted.

use std::borrow::Cow;

use serde::Deserialize;
use sightline_core::Method;

/// What is read of a line of `format: json`. A text that is missing is empty.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Line<'a> {
    #[serde(borrow)]
    timestamp: Cow<'a, str>,
    #[serde(borrow)]
    event: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) service: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) request_id: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) trace_id: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) span_id: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) parent_span_id: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) method: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) path: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) route: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) route_source: Cow<'a, str>,
    pub(super) status: u16,
    #[serde(borrow)]
    pub(super) error_type: Cow<'a, str>,
    duration_ms: f64,
    pub(super) ttfb_ms: Option<f64>,
    #[serde(borrow)]
    pub(super) stream: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) flags: Cow<'a, str>,
    success_ratio: Option<f64>,
}

/// Why a line is none that can be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// It is not text, or no object of JSON with fields as they are to be.
    NotJson,
    /// It is about something else.
    NotARequest,
}

/// One line stands for at most so many: one in a million is kept.
const MOST: f64 = 1e6;

/// About twelve days in milliseconds: no request takes longer.
const LONGEST_MS: f64 = 1e9;

impl<'a> Line<'a> {
    /// Reads a line, with its end or without.
    pub(super) fn read(line: &'a [u8]) -> Result<Self, Unreadable> {
        let text = str::from_utf8(line).map_err(|_| Unreadable::NotJson)?.trim_ascii();
        // To serde a list is a struct as well.
        if !text.starts_with('{') {
            return Err(Unreadable::NotJson);
        }
        let line: Self = serde_json::from_str(text).map_err(|_| Unreadable::NotJson)?;
        if line.event == "http_request" { Ok(line) } else { Err(Unreadable::NotARequest) }
    }

    /// When the request arrived, in microseconds since 1970. `otherwise` if the line does not say it.
    pub(super) fn started_us(&self, otherwise: u64) -> u64 {
        micros_of(&self.timestamp).unwrap_or(otherwise)
    }

    /// How long it took.
    pub(super) fn duration_us(&self) -> u64 {
        let millis = if self.duration_ms.is_finite() { self.duration_ms } else { 0.0 };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between zero and LONGEST_MS"
        )]
        let micros = (millis.clamp(0.0, LONGEST_MS) * 1_000.0).round() as u64;
        micros
    }

    /// How many requests the line stands for.
    pub(super) fn weight(&self) -> f64 {
        match self.success_ratio {
            Some(ratio) if ratio > 0.0 && ratio <= 1.0 => (1.0 / ratio).min(MOST),
            _ => 1.0,
        }
    }

    /// Whether it failed: no answer, one of 500 or more, or one with which something went wrong. A client's mistake,
    /// 4xx, is none of the service's.
    pub(super) fn failed(&self) -> bool {
        self.status == 0 || self.status >= 500 || !self.error_type.is_empty()
    }

    /// Whether the answer shows that the path exists, as far as the line tells it.
    pub(super) fn exists(&self) -> bool {
        self.route_source != "unmatched"
    }

    /// Whether it lasts as long as its ends like, which says nothing of how fast the service is.
    pub(super) fn is_stream(&self) -> bool {
        !self.stream.is_empty()
    }

    /// The method as it is counted: clients can make up any.
    pub(super) fn counted_method(&self) -> &'static str {
        Method::from_bytes(self.method.as_bytes()).as_str()
    }
}

/// A text that is there.
pub(super) fn present(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// `2026-11-21T09:15:02.104117Z` in microseconds since 1970.
fn micros_of(timestamp: &str) -> Option<u64> {
    let bytes = timestamp.as_bytes();
    let number = |from: usize, to: usize| {
        bytes.get(from..to)?.iter().try_fold(0_u64, |sum, byte| {
            byte.is_ascii_digit().then(|| sum * 10 + u64::from(byte - b'0'))
        })
    };
    let is_form = bytes.len() == 27
        && [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'.'), (26, b'Z')]
            .iter()
            .all(|&(at, sign)| bytes.get(at) == Some(&sign));
    if !is_form {
        return None;
    }
    let days = days_since_1970(number(0, 4)?, number(5, 7)?, number(8, 10)?)?;
    let (hours, minutes, seconds) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let seconds = ((days * 24 + hours) * 60 + minutes) * 60 + seconds;
    Some(seconds * 1_000_000 + number(20, 26)?)
}

/// Counted in years that begin in March, so that the leap day is the last of its year.
fn days_since_1970(year: u64, month: u64, day: u64) -> Option<u64> {
    if year < 1970 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year / 4 - year / 100 + year / 400;
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    (year * 365 + leap_days + day_of_year).checked_sub(719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_is_a_number_of_microseconds() {
        for (timestamp, micros) in [
            ("1970-01-01T00:00:00.000000Z", Some(0)),
            ("1970-01-01T00:00:01.000001Z", Some(1_000_001)),
            ("2000-02-29T12:00:00.000000Z", Some(951_825_600_000_000)),
            ("2026-11-21T09:15:02.104117Z", Some(1_795_252_502_104_117)),
            ("2026-11-21T09:15:02.104117", None),
            ("2026-11-21T09:15:02.104117+", None),
            ("2026-13-21T09:15:02.104117Z", None),
            ("2026-00-21T09:15:02.104117Z", None),
            ("1969-12-31T23:59:59.999999Z", None),
            ("2026-11-21T09:15:0x.104117Z", None),
            ("", None),
            ("2026-11-21T09:15:02.10411\u{e9}", None),
        ] {
            assert_eq!(micros_of(timestamp), micros, "{timestamp}");
        }
    }

    #[test]
    fn what_is_no_line_of_a_request_is_told_apart() {
        let deep = format!("{{\"a\":{}", "[".repeat(10_000));
        for (line, expected) in [
            (&b""[..], Err(Unreadable::NotJson)),
            (b"\n", Err(Unreadable::NotJson)),
            (b"[2026-11-21][info] a word of Envoy's", Err(Unreadable::NotJson)),
            (b"[]", Err(Unreadable::NotJson)),
            (b"{", Err(Unreadable::NotJson)),
            (b"{\"event\":\"http_request\"} {}", Err(Unreadable::NotJson)),
            (b"{\"event\":\"http_request\",\"path\":\"\xff\"}", Err(Unreadable::NotJson)),
            (b"{\"event\":\"http_request\",\"status\":\"200\"}", Err(Unreadable::NotJson)),
            (b"{\"event\":\"http_request\",\"path\":null}", Err(Unreadable::NotJson)),
            (deep.as_bytes(), Err(Unreadable::NotJson)),
            (b"{}", Err(Unreadable::NotARequest)),
            (b"{\"event\":\"order 7\"}", Err(Unreadable::NotARequest)),
            (b"{\"event\":\"http_request\"}", Ok(())),
            (b" {\"event\":\"http_request\",\"new\":[1,{}],\"path\":\"/\\u0000\"}\r\n", Ok(())),
        ] {
            let read = Line::read(line).map(|_| ());
            assert_eq!(read, expected, "{}", String::from_utf8_lossy(line));
        }
    }

    #[test]
    fn a_line_stands_for_as_many_requests_as_it_says() {
        for (field, weight) in [
            ("", 1.0),
            (",\"success_ratio\":0.25", 4.0),
            (",\"success_ratio\":1", 1.0),
            (",\"success_ratio\":0", 1.0),
            (",\"success_ratio\":-0.5", 1.0),
            (",\"success_ratio\":2", 1.0),
            (",\"success_ratio\":1e-300", MOST),
        ] {
            let line = format!("{{\"event\":\"http_request\"{field}}}");
            let weighed = Line::read(line.as_bytes()).unwrap().weight();
            assert!((weighed - weight).abs() < 1e-9, "{field}: {weighed}");
        }
    }

    #[test]
    fn what_failed_is_the_service_s_failure() {
        for (fields, failed) in [
            ("\"status\":200", false),
            ("\"status\":404", false),
            ("\"status\":499", false),
            ("\"status\":500", true),
            ("\"status\":0", true),
            ("\"status\":200,\"error_type\":\"timeout\"", true),
        ] {
            let line = format!("{{\"event\":\"http_request\",{fields}}}");
            assert_eq!(Line::read(line.as_bytes()).unwrap().failed(), failed, "{fields}");
        }
    }

    #[test]
    fn durations_that_are_none_are_bounded() {
        for (duration, micros) in
            [("0.0005", 1), ("12.204", 12_204), ("-3", 0), ("1e300", 1_000_000_000_000)]
        {
            let line = format!("{{\"event\":\"http_request\",\"duration_ms\":{duration}}}");
            assert_eq!(Line::read(line.as_bytes()).unwrap().duration_us(), micros, "{duration}");
        }
    }
}

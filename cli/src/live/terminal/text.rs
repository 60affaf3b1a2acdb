//! Text for a terminal: safe whatever it says, and of a known width.

use std::fmt::Write as _;

/// Any text on one line and without power: what a terminal would act on, or draw in an unknown width, is escaped.
///
/// Left as they are: ASCII, and letters of Latin, Greek and Cyrillic, each of which is one column wide everywhere.
pub fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_plain(letter) {
            plain.push(letter);
        } else if letter.is_ascii() {
            plain.extend(letter.escape_default());
        } else {
            let _ = write!(plain, "\\u{{{:x}}}", u32::from(letter));
        }
    }
    plain
}

/// The text made plain, and as wide as this, with `…` where something is missing.
pub(super) fn fit(text: &str, width: usize) -> String {
    let plain = plain(text);
    let letters = plain.chars().count();
    if letters <= width {
        return format!("{plain:width$}");
    }
    let mut cut: String = plain.chars().take(width.saturating_sub(1)).collect();
    if width > 0 {
        cut.push('…');
    }
    cut
}

/// A duration in at most seven letters.
pub(super) fn duration(millis: Option<f64>) -> String {
    match millis {
        None => "–".to_owned(),
        Some(millis) if millis < 9.95 => format!("{millis:.1} ms"),
        Some(millis) if millis < 999.5 => format!("{millis:.0} ms"),
        Some(millis) if millis < 99_950.0 => format!("{:.1} s", millis / 1e3),
        Some(millis) if millis < 9_999_500.0 => format!("{:.0} s", millis / 1e3),
        Some(millis) => format!("{:.0} h", millis / 3.6e6),
    }
}

/// Requests a second in at most seven letters.
pub(super) fn rate(rate: f64) -> String {
    if rate < 99.95 { format!("{rate:.1}") } else { format!("{rate:.0}") }
}

/// A part of all in at most six letters.
pub(super) fn percent(part: f64) -> String {
    match part * 100.0 {
        0.0 => "0 %".to_owned(),
        percent if percent < 0.1 => "<0.1 %".to_owned(),
        percent if percent < 99.95 => format!("{percent:.1} %"),
        percent => format!("{percent:.0} %"),
    }
}

/// A count with its thousands apart.
pub(super) fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut told = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            told.push(',');
        }
        told.push(digit);
    }
    told
}

/// The time of a day, in UTC as in the line.
pub(super) fn time(millis: u64) -> String {
    let seconds = millis / 1_000 % 86_400;
    format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

/// Numbers as bars, the newest at the right, as high as the highest allows.
pub(super) fn spark(numbers: &[u64], width: usize) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let shown = &numbers[numbers.len().saturating_sub(width)..];
    let highest = shown.iter().copied().max().unwrap_or(0).max(1);
    let bar = |number: &u64| match usize::try_from(number.saturating_mul(7).div_ceil(highest)) {
        Ok(height) => BARS[height.min(7)],
        Err(_) => BARS[7],
    };
    shown.iter().map(bar).collect()
}

fn is_plain(letter: char) -> bool {
    let is_wide_or_acts = matches!(letter, '\u{ad}' | '\u{483}'..='\u{489}');
    let is_known = matches!(letter,
        ' '..='~' | '\u{a1}'..='\u{2ff}' | '\u{370}'..='\u{52f}' | '…' | '–' | '↑' | '→' | '↓');
    is_known && !is_wide_or_acts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_acts_on_is_left() {
        for (text, told) in [
            ("/users/{id}", "/users/{id}"),
            ("café Ωж…", "café Ωж…"),
            ("a\x1b[31mb", "a\\u{1b}[31mb"),
            ("a\nb\tc\r", "a\\nb\\tc\\r"),
            ("\u{7}\u{7f}\u{9b}31m", "\\u{7}\\u{7f}\\u{9b}31m"),
            ("a\u{202e}b\u{2066}", "a\\u{202e}b\\u{2066}"),
            ("e\u{301}\u{ad}\u{200b}", "e\\u{301}\\u{ad}\\u{200b}"),
            ("中😀", "\\u{4e2d}\\u{1f600}"),
            ("\u{a0}", "\\u{a0}"),
        ] {
            assert_eq!(plain(text), told, "{text:?}");
        }
    }

    #[test]
    fn text_is_as_wide_as_it_is_to_be() {
        for (text, width, told) in [
            ("abc", 5, "abc  "),
            ("abc", 3, "abc"),
            ("abcd", 3, "ab…"),
            ("abcd", 1, "…"),
            ("abcd", 0, ""),
            ("", 0, ""),
            ("\n\n", 3, "\\n…"),
            ("ééé", 2, "é…"),
        ] {
            assert_eq!(fit(text, width), told, "{text:?} in {width}");
        }
    }

    #[test]
    fn numbers_are_short_and_say_their_unit() {
        for (millis, told) in [
            (None, "–"),
            (Some(0.0), "0.0 ms"),
            (Some(9.94), "9.9 ms"),
            (Some(9.96), "10 ms"),
            (Some(999.4), "999 ms"),
            (Some(999.6), "1.0 s"),
            (Some(99_949.0), "99.9 s"),
            (Some(100_000.0), "100 s"),
            (Some(9_999_000.0), "9999 s"),
            (Some(1e9), "278 h"),
        ] {
            assert_eq!(duration(millis), told, "{millis:?}");
        }
        for (part, told) in
            [(0.0, "0 %"), (0.0004, "<0.1 %"), (0.125, "12.5 %"), (0.9999, "100 %"), (1.0, "100 %")]
        {
            assert_eq!(percent(part), told, "{part}");
        }
        for (number, told) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(count(number), told, "{number}");
        }
        assert_eq!(
            [rate(0.0), rate(12.34), rate(99.96), rate(12_345.6)],
            ["0.0", "12.3", "100", "12346"]
        );
        assert_eq!(time(1_795_252_502_104), "09:15:02");
    }

    #[test]
    fn bars_are_as_high_as_their_numbers() {
        for (numbers, width, told) in [
            (&[][..], 5, ""),
            (&[0, 0], 5, "▁▁"),
            (&[0, 1, 7, 14], 5, "▁▂▅█"),
            (&[100, 0, 1], 2, "▁█"),
            (&[u64::MAX, 1], 2, "▂▂"),
        ] {
            assert_eq!(spark(numbers, width), told, "{numbers:?}");
        }
    }
}

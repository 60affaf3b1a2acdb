//! Durations as people write them: `250ms`, `20s`, `1m`.

use std::time::Duration;
use std::{error, fmt};

/// What was written is no duration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotADuration(String);

impl fmt::Display for NotADuration {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "`{}` is not a duration: write a whole number with a unit, as in 250ms, 20s or 1m",
            self.0
        )
    }
}

impl error::Error for NotADuration {}

/// Reads a whole number of milliseconds, seconds or minutes.
pub fn parse(text: &str) -> Result<Duration, NotADuration> {
    read(text).ok_or_else(|| NotADuration(text.to_owned()))
}

fn read(text: &str) -> Option<Duration> {
    let unit = text.find(|letter: char| !letter.is_ascii_digit())?;
    let (number, unit) = text.split_at(unit);
    let milliseconds: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        _ => return None,
    };
    let number: u64 = number.parse().ok()?;
    number.checked_mul(milliseconds).map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_unit_is_read() {
        for (text, milliseconds) in [("250ms", 250), ("20s", 20_000), ("1m", 60_000), ("0s", 0)] {
            assert_eq!(parse(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused_with_the_value_and_the_form() {
        let huge = format!("{}m", u64::MAX);
        for text in [
            "", "20", "s", "-1s", "+1s", "1.5s", "1 s", " 1s", "1s ", "1h", "1S", "1sm", "٣s",
            &huge,
        ] {
            let refused = parse(text).unwrap_err().to_string();
            assert!(refused.starts_with(&format!("`{text}` is not a duration: ")), "{refused}");
            assert!(refused.ends_with("250ms, 20s or 1m"), "{refused}");
        }
    }
}

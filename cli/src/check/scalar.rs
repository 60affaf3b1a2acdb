//! What a scalar of YAML says to whoever reads it: Envoy takes some words for what others do not.

use sightline_core::config::Value;

/// Who reads a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reader {
    /// Envoy: no fractions, and no merge keys.
    Envoy,
    /// All others: the `sightline` command, Istio, Kubernetes.
    Other,
}

/// What a word without quotes says.
pub(super) fn plain(word: &str, reader: Reader) -> Value {
    match reader {
        Reader::Envoy => envoy(word),
        Reader::Other => other(word),
    }
}

/// What a text with a tag of YAML's own (`!!int "5"`) says, whoever reads it.
pub(super) fn tagged(text: &str, tag: &str) -> Value {
    let quoted = serde_json::Value::from(text);
    let said = serde_saphyr::from_str(&format!("!!{tag} {quoted}"));
    said.ok().filter(is_scalar).unwrap_or_else(|| Value::String(text.to_owned()))
}

/// As the parser has it that `generate` and `up` read with. Most words are texts, and are not handed to it.
fn other(word: &str) -> Value {
    let may_be_number =
        word.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first));
    // Such as `false`, `null`, `~` and nothing at all.
    let may_be_word = word.len() <= 5;
    let is_line = !word.contains(['\n', '#']) && !word.contains(": ");
    let read = || serde_saphyr::from_str::<Vec<Value>>(&format!("- {word}")).ok()?.pop();
    let said = if is_line && (may_be_number || may_be_word) { read() } else { None };
    said.filter(is_scalar).unwrap_or_else(|| Value::String(word.to_owned()))
}

/// A whole number becomes one, and what is none, fractions among it, a text.
fn envoy(word: &str) -> Value {
    if matches!(word, "" | "~" | "null" | "Null" | "NULL") {
        return Value::Null;
    }
    if let Some(value) = envoy_bool(word) {
        return Value::Bool(value);
    }
    match envoy_whole(word).and_then(|number| i32::try_from(number).ok()) {
        Some(number) => Value::Number(f64::from(number)),
        None => Value::String(word.to_owned()),
    }
}

fn envoy_bool(word: &str) -> Option<bool> {
    let lower = word.to_ascii_lowercase();
    let capital = |word: &str| {
        let rest = word.get(1..).unwrap_or_default();
        rest.chars().all(|letter| letter.is_ascii_lowercase())
    };
    let is_spelt = capital(word) || word.chars().all(|letter| letter.is_ascii_uppercase());
    match lower.as_str() {
        "y" | "yes" | "true" | "on" if is_spelt => Some(true),
        "n" | "no" | "false" | "off" if is_spelt => Some(false),
        _ => None,
    }
}

/// With the base that stands in front, as in C.
fn envoy_whole(word: &str) -> Option<i64> {
    let digits = word.strip_prefix(['+', '-']).unwrap_or(word);
    if !digits.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let hexadecimal = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X"));
    let octal = digits.strip_prefix('0').filter(|rest| !rest.is_empty());
    let number = match (hexadecimal, octal) {
        (Some(rest), _) => i64::from_str_radix(rest, 16),
        (None, Some(rest)) => i64::from_str_radix(rest, 8),
        (None, None) => digits.parse(),
    };
    let sign = if word.starts_with('-') { -1 } else { 1 };
    number.ok().map(|number| sign * number)
}

fn is_scalar(said: &Value) -> bool {
    !matches!(said, Value::List(_) | Value::Map(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_says_what_its_reader_takes_it_for() {
        let text = |text: &str| Value::String(text.to_owned());
        for (word, to_envoy, to_others) in [
            ("", Value::Null, Value::Null),
            ("~", Value::Null, Value::Null),
            ("null", Value::Null, Value::Null),
            ("true", Value::Bool(true), Value::Bool(true)),
            ("on", Value::Bool(true), Value::Bool(true)),
            ("oN", text("oN"), Value::Bool(true)),
            ("shop", text("shop"), text("shop")),
            ("17", Value::Number(17.0), Value::Number(17.0)),
            ("-5", Value::Number(-5.0), Value::Number(-5.0)),
            ("0.05", text("0.05"), Value::Number(0.05)),
            ("0x1f", Value::Number(31.0), Value::Number(31.0)),
            ("08", text("08"), Value::Number(8.0)),
            ("010", Value::Number(8.0), Value::Number(10.0)),
            ("5000000000", text("5000000000"), Value::Number(5e9)),
            ("10s", text("10s"), text("10s")),
            ("---", text("---"), text("---")),
            ("/users/{id}", text("/users/{id}"), text("/users/{id}")),
            ("-", text("-"), text("-")),
            ("[a", text("[a"), text("[a")),
        ] {
            assert_eq!(plain(word, Reader::Envoy), to_envoy, "{word:?} to Envoy");
            assert_eq!(plain(word, Reader::Other), to_others, "{word:?} to others");
        }
    }

    #[test]
    fn a_tag_says_more_than_quotes() {
        assert_eq!(tagged("5", "int"), Value::Number(5.0));
        assert_eq!(tagged("5", "str"), Value::String("5".to_owned()));
        assert_eq!(tagged("a\"b", "str"), Value::String("a\"b".to_owned()));
        assert_eq!(tagged("x", "int"), Value::String("x".to_owned()));
    }
}

//! JSON text as a [`Value`].
//!
//! As strict as RFC 8259 and no more able than a configuration needs: a number becomes the double that
//! a few operations give, which is the nearest one for up to 15 digits. A general reader would be fifteen
//! kilobytes more of code in the module; the tests compare with one.

use std::fmt;

use super::Value;

/// Text that is not JSON: what is wrong, and where.
#[derive(Debug)]
pub(super) struct Malformed {
    what: &'static str,
    line: usize,
    column: usize,
}

/// How deep lists and maps may be within each other.
const DEEPEST: u32 = 64;

/// The most that is taken of a number's digits.
const MOST_DIGITS: u64 = 100_000_000_000_000_000;

struct Reader<'a> {
    rest: &'a [u8],
}

type Parsed<T> = Result<T, &'static str>;

/// Reads a text that is one value.
pub(super) fn read(text: &[u8]) -> Result<Value, Malformed> {
    let mut reader = Reader { rest: text };
    reader.document().map_err(|what| {
        let before = text.get(..text.len() - reader.rest.len()).unwrap_or_default();
        let lines = before.split(|byte| *byte == b'\n');
        let column = lines.clone().next_back().map_or(0, <[u8]>::len) + 1;
        let line = lines.count();
        Malformed { what, line, column }
    })
}

/// Reads a text that is one number.
pub(super) fn number(text: &str) -> Option<f64> {
    let mut reader = Reader { rest: text.as_bytes() };
    reader.number().ok().filter(|_| reader.rest.is_empty())
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at line {} column {}", self.what, self.line, self.column)
    }
}

impl<'a> Reader<'a> {
    fn document(&mut self) -> Parsed<Value> {
        let value = self.value(DEEPEST)?;
        self.skip_blanks();
        if self.rest.is_empty() { Ok(value) } else { Err("more than one value") }
    }

    fn value(&mut self, depth: u32) -> Parsed<Value> {
        self.skip_blanks();
        match self.rest.first() {
            Some(b'{') => self.map(depth),
            Some(b'[') => self.list(depth),
            Some(b'"') => self.string().map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.number().map(Value::Number),
            _ if self.takes(b"null") => Ok(Value::Null),
            _ if self.takes(b"true") => Ok(Value::Bool(true)),
            _ if self.takes(b"false") => Ok(Value::Bool(false)),
            _ => Err("no value"),
        }
    }

    fn list(&mut self, depth: u32) -> Parsed<Value> {
        let depth = depth.checked_sub(1).ok_or("too many lists and maps within each other")?;
        let mut items = Vec::new();
        if self.takes(b"[") && self.comes(b"]") {
            return Ok(Value::List(items));
        }
        loop {
            items.push(self.value(depth)?);
            if self.comes(b"]") {
                return Ok(Value::List(items));
            }
            self.wants(b",", "no `,` or `]` in a list")?;
        }
    }

    fn map(&mut self, depth: u32) -> Parsed<Value> {
        let depth = depth.checked_sub(1).ok_or("too many lists and maps within each other")?;
        let mut entries = Vec::new();
        if self.takes(b"{") && self.comes(b"}") {
            return Ok(Value::Map(entries));
        }
        loop {
            self.skip_blanks();
            let key = self.string()?;
            self.wants(b":", "no `:` behind a key")?;
            entries.push((key, self.value(depth)?));
            if self.comes(b"}") {
                return Ok(Value::Map(entries));
            }
            self.wants(b",", "no `,` or `}` in a map")?;
        }
    }

    fn string(&mut self) -> Parsed<String> {
        self.wants(b"\"", "no text in quotes")?;
        let mut text = Vec::new();
        loop {
            let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | ..=0x1f);
            let plain = self.rest.iter().take_while(|byte| !is_special(byte)).count();
            text.extend_from_slice(self.take(plain));
            if self.takes(b"\"") {
                return String::from_utf8(text).map_err(|_| "a text that is not UTF-8");
            }
            if !self.takes(b"\\") {
                return Err("a text without an end, or a control character in it");
            }
            let escaped = self.escape()?;
            text.extend_from_slice(escaped.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }

    fn escape(&mut self) -> Parsed<char> {
        let byte = self.take(1).first();
        Ok(match byte {
            Some(b'"' | b'\\' | b'/') => byte.copied().map_or('/', char::from),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.character(),
            _ => return Err("no such escape in a text"),
        })
    }

    /// A character by its number, in two halves where it has more than 16 bits.
    fn character(&mut self) -> Parsed<char> {
        let mut code = self.unit()?;
        if (0xd800..0xdc00).contains(&code) && self.takes(b"\\u") {
            // Where this is no second half, the sum is no character, or the first half stays alone.
            let low = self.unit()?.checked_sub(0xdc00).filter(|low| *low < 0x400);
            code = low.map_or(code, |low| 0x1_0000 + ((code - 0xd800) << 10 | low));
        }
        char::from_u32(code).ok_or("half a character in a text")
    }

    fn unit(&mut self) -> Parsed<u32> {
        let digits = self.take(4);
        let value = digits.iter().try_fold(0, |value, digit| {
            char::from(*digit).to_digit(16).map(|digit| value * 16 + digit)
        });
        value.filter(|_| digits.len() == 4).ok_or("no four hexadecimal digits behind `\\u`")
    }

    fn number(&mut self) -> Parsed<f64> {
        let negative = self.takes(b"-");
        let whole = self.digits()?;
        if whole.len() > 1 && whole.starts_with(b"0") {
            return Err("a number that begins with 0");
        }
        let decimals = if self.takes(b".") { self.digits()? } else { &[] };
        let mut power = 0_i64;
        if self.takes(b"e") || self.takes(b"E") {
            let below = self.takes(b"-");
            if !below {
                self.takes(b"+");
            }
            // Far past all that a double can be, and far from what a sum could not be.
            let up = |power: i64, digit: &u8| (power * 10 + i64::from(digit - b'0')).min(1 << 40);
            let exponent = self.digits()?.iter().fold(0, up);
            power = if below { -exponent } else { exponent };
        }
        let value = scaled(whole, decimals, power);
        if value.is_finite() {
            Ok(if negative { -value } else { value })
        } else {
            Err("too large a number")
        }
    }

    /// Digits, of which there must be one.
    fn digits(&mut self) -> Parsed<&'a [u8]> {
        let count = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if count == 0 { Err("no digit") } else { Ok(self.take(count)) }
    }

    /// As many bytes, or all that are left.
    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at_checked(count).unwrap_or((self.rest, &[]));
        self.rest = rest;
        taken
    }

    fn takes(&mut self, expected: &[u8]) -> bool {
        let rest = self.rest.strip_prefix(expected);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Whether this comes next, blanks aside; if so it is taken.
    fn comes(&mut self, expected: &[u8]) -> bool {
        self.skip_blanks();
        self.takes(expected)
    }

    fn wants(&mut self, expected: &[u8], otherwise: &'static str) -> Parsed<()> {
        self.skip_blanks();
        if self.takes(expected) { Ok(()) } else { Err(otherwise) }
    }

    fn skip_blanks(&mut self) {
        let is_blank = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        let blanks = self.rest.iter().take_while(is_blank).count();
        self.take(blanks);
    }
}

/// The number with these digits before and behind its point, times a power of ten.
#[expect(clippy::cast_precision_loss, reason = "digits beyond a double's do not matter")]
fn scaled(whole: &[u8], decimals: &[u8], power: i64) -> f64 {
    let mut power = power.saturating_sub_unsigned(decimals.len() as u64);
    let mut units = 0_u64;
    for digit in whole.iter().chain(decimals) {
        if units < MOST_DIGITS {
            units = units * 10 + u64::from(digit - b'0');
        } else {
            power += 1;
        }
    }
    // In steps that are exact powers; after the last that a double can bear it is zero or without end.
    let mut value = units as f64;
    while power != 0 && value > 0.0 && value.is_finite() {
        let step = power.unsigned_abs().min(22);
        let factor = (0..step).fold(1.0, |factor, _| factor * 10.0);
        value = if power < 0 { value / factor } else { value * factor };
        power -= power.signum() * i64::try_from(step).unwrap_or(0);
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn said(text: &str) -> String {
        match read(text.as_bytes()) {
            Ok(value) => panic!("{text} is {value:?}"),
            Err(malformed) => malformed.to_string(),
        }
    }

    /// As the general reader has it, which keeps the last of two entries with one key.
    fn model(value: serde_json::Value) -> Value {
        match value {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(value) => Value::Bool(value),
            serde_json::Value::Number(number) => Value::Number(number.as_f64().unwrap()),
            serde_json::Value::String(text) => Value::String(text),
            serde_json::Value::Array(items) => Value::List(items.into_iter().map(model).collect()),
            serde_json::Value::Object(entries) => {
                Value::Map(entries.into_iter().map(|(key, value)| (key, model(value))).collect())
            }
        }
    }

    /// The same with the last of equal keys, in their order, and numbers as near as matters.
    fn plain(value: Value) -> Value {
        match value {
            Value::Number(number) => Value::Number(format!("{number:.14e}").parse().unwrap()),
            Value::List(items) => Value::List(items.into_iter().map(plain).collect()),
            Value::Map(entries) => {
                let entries = entries.into_iter().map(|(key, value)| (key, plain(value)));
                Value::Map(
                    entries.collect::<std::collections::BTreeMap<_, _>>().into_iter().collect(),
                )
            }
            other => other,
        }
    }

    fn agrees(text: &[u8]) -> Result<(), TestCaseError> {
        let expected = serde_json::from_slice(text).ok().map(model).map(plain);
        prop_assert_eq!(read(text).ok().map(plain), expected, "{}", text.escape_ascii());
        Ok(())
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (text, expected) in [
            ("{\"a\": }", "no value at line 1 column 7"),
            ("{\n  a: 1}", "no text in quotes at line 2 column 3"),
            ("{\"a\" 1}", "no `:` behind a key at line 1 column 6"),
            ("{\"a\": 1 \"b\": 2}", "no `,` or `}` in a map at line 1 column 9"),
            ("[1 2]", "no `,` or `]` in a list at line 1 column 4"),
            ("{} {}", "more than one value at line 1 column 4"),
            ("[1, 007]", "a number that begins with 0 at line 1 column 8"),
            ("1e999", "too large a number at line 1 column 6"),
            ("\"a\nb\"", "a text without an end, or a control character in it at line 1 column 3"),
            ("\"\\ud83d\"", "half a character in a text at line 1 column 8"),
        ] {
            assert_eq!(said(text), expected, "{text}");
        }
    }

    #[test]
    fn short_numbers_are_the_nearest_doubles() {
        for text in ["0", "-0.0", "0.1", "0.05", "1e-3", "123456.789", "250", "1E+2", "0.000001e6"]
        {
            assert_eq!(
                read(text.as_bytes()).unwrap(),
                Value::Number(text.parse().unwrap()),
                "{text}"
            );
        }
    }

    #[test]
    fn lists_and_maps_are_read_only_so_deep() {
        let nested = |depth: u32| "[".repeat(depth as usize) + &"]".repeat(depth as usize);
        assert!(read(nested(DEEPEST).as_bytes()).is_ok());
        assert!(said(&nested(DEEPEST + 1)).starts_with("too many lists and maps"));
    }

    proptest! {
        #[test]
        fn the_general_reader_agrees_of_what_looks_like_json(
            text in r#"([{}\[\],: \n]|"[a-z]{0,2}"|"\\\\(u[0-9a-fD]{4}|[bfnrtu/"x])"|-?[0-9]{1,3}(\.[0-9]{0,20})?([eE][+-]?[0-9]{1,3})?|null|true|false){0,12}"#,
        ) {
            agrees(text.as_bytes())?;
        }

        #[test]
        fn the_general_reader_agrees_of_texts(
            text in r#""([ -~é😀\x00-\x20]|\\\\u[dD][89a-fA-F][0-9a-f]{2}|\\\\["\\\\/bfnrtu]){0,6}""#,
            wrong in any::<u8>(),
            at in 0_usize..24,
        ) {
            agrees(text.as_bytes())?;
            let mut bytes = text.into_bytes();
            if let Some(byte) = bytes.get_mut(at) {
                *byte = wrong;
            }
            agrees(&bytes)?;
        }

        #[test]
        fn the_general_reader_agrees_of_numbers(
            text in "-?[0-9]{0,25}(\\.[0-9]{0,25})?([eE][+-]?[0-9]{0,4})?",
        ) {
            let (ours, theirs) = (read(text.as_bytes()), serde_json::from_str::<f64>(&text));
            // Who gives up at the edge of what a double can be does not matter.
            let is_edge = |value: f64| value.abs() > 1e307 || value.abs() < 1e-300;
            match (ours, theirs) {
                (Ok(Value::Number(ours)), Ok(theirs)) => {
                    prop_assert!(is_edge(theirs) || (ours - theirs).abs() <= theirs.abs() * 1e-14);
                }
                (Ok(Value::Number(ours)), Err(_)) => prop_assert!(is_edge(ours), "{}", text),
                (Err(malformed), Ok(theirs)) => prop_assert!(is_edge(theirs), "{}: {}", text, malformed),
                (Err(_), Err(_)) => {}
                (Ok(other), _) => prop_assert!(false, "{} is {:?}", text, other),
            }
        }
    }
}

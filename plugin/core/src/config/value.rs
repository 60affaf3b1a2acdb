//! What was said: a tree as every format gives it, before any of it has a meaning.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::{Problem, json, protobuf};

/// A tree of JSON's kinds. Maps keep their order and their duplicates, so that a key said twice can be
/// told instead of the first one being silently lost.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing, which means the default wherever it stands.
    Null,
    /// True or false.
    Bool(bool),
    /// Any number.
    Number(f64),
    /// A text.
    String(String),
    /// A list.
    List(Vec<Value>),
    /// Keys and values in the order in which they were said.
    Map(Vec<(String, Value)>),
}

/// Bytes that are no configuration at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    reason: String,
}

impl Value {
    /// Reads what Envoy hands a plugin: nothing, a serialized `google.protobuf.Struct`, or JSON text.
    ///
    /// A serialized Struct begins with a line feed, as JSON text may. Both are tried, the Struct first:
    /// it needs control bytes that JSON forbids, so no text is both.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Unreadable> {
        if bytes.trim_ascii().is_empty() {
            return Ok(Self::Null);
        }
        if let Some(value) = protobuf::decode_struct(bytes) {
            return Ok(value);
        }
        json::read(bytes).map_err(|error| Unreadable {
            reason: format!("neither JSON ({error}) nor a google.protobuf.Struct"),
        })
    }
}

/// As a person would write it, cut where it gets long.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Number(value) => write_number(*value, f),
            Self::String(value) if value.chars().count() > 64 => {
                write!(f, "{:?} (cut)", value.chars().take(64).collect::<String>())
            }
            Self::String(value) => write!(f, "{value:?}"),
            Self::List(_) => f.write_str("a list"),
            Self::Map(_) => f.write_str("a map"),
        }
    }
}

/// With six decimals at most, which tells which number it was. The standard library's way, which tells
/// all of them, is twenty kilobytes of code in the module.
fn write_number(value: f64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    const MILLION: u64 = 1_000_000;
    // Not a number at all is not below it either.
    let is_usual = value.abs() < 1e9;
    if !is_usual {
        return f.write_str("a number out of all bounds");
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "just bounded")]
    let millionths = (value.abs() * 1e6).round() as u64;
    let sign = if value < 0.0 { "-" } else { "" };
    let decimals = format!("{:06}", millionths % MILLION);
    let decimals = decimals.trim_end_matches('0');
    let point = if decimals.is_empty() { "" } else { "." };
    write!(f, "{sign}{}{point}{decimals}", millionths / MILLION)
}

impl From<Unreadable> for Problem {
    fn from(unreadable: Unreadable) -> Self {
        Self::new("", unreadable.reason)
    }
}

/// For whoever reads other formats, as tests read YAML; the filter has its own reader and none of this.
impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a configuration")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    #[expect(clippy::cast_precision_loss, reason = "no key holds whole numbers above 2^53")]
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "no key holds whole numbers above 2^53")]
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Number(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Value::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_told_as_a_person_would_write_it() {
        for (number, told) in [
            (0.0, "0"),
            (7.0, "7"),
            (-3.0, "-3"),
            (0.1, "0.1"),
            (-1.05, "-1.05"),
            (10_001.0, "10001"),
            (1.000_000_4, "1"),
            (0.000_001, "0.000001"),
            (999_999_999.5, "999999999.5"),
            (1e9, "a number out of all bounds"),
            (-1e300, "a number out of all bounds"),
            (f64::NEG_INFINITY, "a number out of all bounds"),
            (f64::NAN, "a number out of all bounds"),
        ] {
            assert_eq!(Value::Number(number).to_string(), told, "{number:e}");
        }
    }
}

//! How a script is read from a file. In YAML a statement such as `2: pause` is a mapping with one
//! key, so that is taken as a statement as well. What a statement says is decided elsewhere.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::Script;

impl<'de> Deserialize<'de> for Script {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let callbacks = BTreeMap::<String, Vec<Text>>::deserialize(from)?;
        let plain = |(name, texts): (String, Vec<Text>)| {
            (name, texts.into_iter().map(|Text(text)| text).collect())
        };
        Ok(Self { callbacks: callbacks.into_iter().map(plain).collect() })
    }
}

/// The text of a statement.
struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(AsWritten).map(Self)
    }
}

struct AsWritten;

impl<'de> Visitor<'de> for AsWritten {
    type Value = String;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a statement, such as `get request x-a` or `2: pause`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<String, A::Error> {
        let only_one = || A::Error::custom("one statement to a line: put a dash before the next");
        let (guard, Text(statement)) = map.next_entry::<String, Text>()?.ok_or_else(only_one)?;
        match map.next_key::<String>()? {
            None => Ok(format!("{guard}: {statement}")),
            Some(_) => Err(only_one()),
        }
    }
}

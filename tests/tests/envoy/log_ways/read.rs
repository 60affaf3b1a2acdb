//! Readers of lines that take nothing for granted: an object has each name once, and a value of logfmt ends where a
//! reader would end it.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};
use sightline_cli::wait;
use sightline_tests::Proxy;

/// Names and values of a line, those within others behind dots.
pub(crate) type Flat = BTreeMap<String, String>;

/// The fields of a line in this format; a panic where it is not one.
pub(crate) fn line(format: &str, line: &str) -> Flat {
    assert!(!line.chars().any(acts), "{line:?}");
    let pairs = if format == "logfmt" { logfmt(line) } else { json(line) };
    let mut flat = Flat::new();
    for (name, value) in pairs {
        assert_eq!(flat.insert(name.clone(), value), None, "{name} is there twice: {line}");
    }
    flat
}

/// The levels and texts of the lines in Envoy's application log, when there are as many.
pub(crate) fn application_log(proxy: &Proxy, count: usize) -> Vec<(String, String)> {
    let lines = || Some(lines_of(&proxy.log())).filter(|lines| lines.len() >= count);
    wait::until("the lines in Envoy's log", Duration::from_secs(20), lines).unwrap()
}

/// Those of what the filter wrote, without its remarks. Each record must be one line, as Envoy begins them.
fn lines_of(log: &str) -> Vec<(String, String)> {
    let mut told = Vec::new();
    let whole = log.split_inclusive('\n').filter_map(|record| record.strip_suffix('\n'));
    for record in whole {
        let fields: Vec<_> = record.splitn(5, ['[', ']']).collect();
        assert!(record.starts_with("[20") && fields.len() == 5, "a line of its own: {record:?}");
        let Some((_, text)) = record.split_once(" wasm log ") else { continue };
        let text = text.split_once(": ").map_or("", |(_, text)| text);
        if text.starts_with('{') || text.starts_with("timestamp=") {
            let level = record.split(['[', ']']).nth(5).unwrap_or_default();
            told.push((level.to_owned(), text.to_owned()));
        }
    }
    told
}

/// What acts instead of showing, by the categories of Unicode.
fn acts(it: char) -> bool {
    it.is_control()
        || matches!(it, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

fn json(line: &str) -> Vec<(String, String)> {
    let mut flat = Vec::new();
    let mut reader = serde_json::Deserializer::from_str(line);
    let whole = Into { path: String::new(), flat: &mut flat };
    let read = whole.deserialize(&mut reader).and_then(|()| reader.end());
    read.unwrap_or_else(|error| panic!("{error}: {line}"));
    assert!(line.starts_with('{'), "{line}");
    flat
}

/// Flattens what it reads.
struct Into<'a> {
    path: String,
    flat: &'a mut Vec<(String, String)>,
}

impl Into<'_> {
    fn put(self, value: impl fmt::Display) {
        self.flat.push((self.path, value.to_string()));
    }
}

impl<'de> DeserializeSeed<'de> for Into<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Into<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a text, a number, true, false or an object")
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        self.put(value);
        Ok(())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.put(value);
        Ok(())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.put(value);
        Ok(())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.put(value);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            let path = if self.path.is_empty() { name } else { [&*self.path, &name].join(".") };
            map.next_value_seed(Into { path, flat: &mut *self.flat })?;
        }
        Ok(())
    }
}

fn logfmt(line: &str) -> Vec<(String, String)> {
    let mut rest = line;
    let mut pairs = Vec::new();
    loop {
        let (name, behind) = rest.split_once('=').unwrap_or_else(|| panic!("{rest} in {line}"));
        assert!(!name.is_empty() && !name.contains([' ', '"']), "{name:?} in {line}");
        let (value, behind) = if behind.starts_with('"') {
            let mut texts = serde_json::Deserializer::from_str(behind).into_iter::<String>();
            let text = texts.next().and_then(Result::ok);
            let text = text.unwrap_or_else(|| panic!("{behind} in {line}"));
            (text, &behind[texts.byte_offset()..])
        } else {
            let end = behind.find([' ', '"', '=']).unwrap_or(behind.len());
            assert!(end > 0, "{name} has no value: {line}");
            (behind[..end].to_owned(), &behind[end..])
        };
        pairs.push((name.to_owned(), value));
        match behind.strip_prefix(' ') {
            Some(behind) => rest = behind,
            None if behind.is_empty() => return pairs,
            None => panic!("{behind} in {line}"),
        }
    }
}

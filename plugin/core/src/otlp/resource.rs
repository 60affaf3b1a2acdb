//! Who sends telemetry: the resource, and the environment's word on it.

use std::fmt;

use super::protobuf::Message;
use crate::percent;

/// What is the same for all that one service instance reports: names and texts, each name once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resource {
    /// Names and values, in the order in which they are sent.
    pub attributes: Vec<(String, String)>,
}

/// What is wrong with `OTEL_RESOURCE_ATTRIBUTES`, of which nothing is taken then, as its specification asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidAttributes {
    /// An entry without `=`.
    NoValue,
    /// An entry with nothing in front of its `=`.
    NoKey,
    /// A `%` without two hexadecimal digits behind it.
    Escape,
    /// Escapes that stand for bytes which are no UTF-8.
    NotUtf8,
}

impl Resource {
    /// Sets an attribute; what it was before is forgotten.
    pub fn set(&mut self, key: String, value: String) {
        match self.attributes.iter_mut().find(|(known, _)| *known == key) {
            Some((_, old)) => *old = value,
            None => self.attributes.push((key, value)),
        }
    }

    /// What an attribute is.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
    }

    /// `Resource { repeated KeyValue attributes = 1 }`
    pub(super) fn write(&self, message: &mut Message<'_>) {
        for (key, value) in &self.attributes {
            message.attribute_text(1, key, value.as_bytes());
        }
    }
}

impl fmt::Display for InvalidAttributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoValue => "an entry has no `=`",
            Self::NoKey => "an entry has no name in front of its `=`",
            Self::Escape => "a `%` is not followed by two hexadecimal digits",
            Self::NotUtf8 => "an escaped text is not UTF-8",
        })
    }
}

impl std::error::Error for InvalidAttributes {}

/// Reads the value of `OTEL_RESOURCE_ATTRIBUTES`: `name=value,name2=value2`, percent-encoded, white space
/// around either of no meaning. Of two values for a name, the later holds. Empty entries are passed over: a
/// comma too many leaves no doubt of what is meant.
pub fn parse_resource_attributes(text: &str) -> Result<Vec<(String, String)>, InvalidAttributes> {
    let mut resource = Resource::default();
    for entry in text.split(',').filter(|entry| !entry.trim_ascii().is_empty()) {
        let (key, value) = entry.split_once('=').ok_or(InvalidAttributes::NoValue)?;
        let key = decode(key.trim_ascii())?;
        if key.is_empty() {
            return Err(InvalidAttributes::NoKey);
        }
        resource.set(key, decode(value.trim_ascii())?);
    }
    Ok(resource.attributes)
}

/// Decodes every escape, and takes no `%` for itself.
fn decode(text: &str) -> Result<String, InvalidAttributes> {
    let mut pieces = text.split('%');
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let (&[high, low], rest) =
            piece.as_bytes().split_first_chunk().ok_or(InvalidAttributes::Escape)?;
        let digit = |character| percent::digit(character).ok_or(InvalidAttributes::Escape);
        bytes.push(digit(high)? << 4 | digit(low)?);
        bytes.extend_from_slice(rest);
    }
    String::from_utf8(bytes).map_err(|_| InvalidAttributes::NotUtf8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_of_the_environment() {
        use InvalidAttributes::{Escape, NoKey, NoValue, NotUtf8};

        type Pairs = &'static [(&'static str, &'static str)];
        let table: [(&str, &str, Result<Pairs, InvalidAttributes>); 24] = [
            ("nothing", "", Ok(&[])),
            ("white space", " \t ", Ok(&[])),
            ("one", "service.name=shop", Ok(&[("service.name", "shop")])),
            ("several", "a=1,b=2,c=3", Ok(&[("a", "1"), ("b", "2"), ("c", "3")])),
            ("white space around", " a = 1 ,\tb =\t2 ", Ok(&[("a", "1"), ("b", "2")])),
            ("white space within", "a=one two", Ok(&[("a", "one two")])),
            ("an empty value", "a=,b=2", Ok(&[("a", ""), ("b", "2")])),
            ("an equals sign in a value", "a=b=c", Ok(&[("a", "b=c")])),
            ("a comma too many", "a=1,,b=2, ,", Ok(&[("a", "1"), ("b", "2")])),
            ("the later holds, in its first place", "a=1,b=2,a=3", Ok(&[("a", "3"), ("b", "2")])),
            ("escapes in a value", "a=1%2C2%3d%25", Ok(&[("a", "1,2=%")])),
            ("escapes in a key", "a%20b=1", Ok(&[("a b", "1")])),
            ("escaped white space stays", "a=%20x%20", Ok(&[("a", " x ")])),
            ("an escape is decoded once", "a=%2541", Ok(&[("a", "%41")])),
            ("escaped UTF-8", "a=h%C3%B6st", Ok(&[("a", "höst")])),
            ("bare UTF-8", "a=höst", Ok(&[("a", "höst")])),
            ("a semicolon is part of a value", "a=b;c=d", Ok(&[("a", "b;c=d")])),
            ("no value", "a=1,b", Err(NoValue)),
            ("no key", "a=1,=2", Err(NoKey)),
            ("a blank key", " =2", Err(NoKey)),
            ("a percent sign alone", "a=1,b=100%", Err(Escape)),
            ("half an escape", "a=%4", Err(Escape)),
            ("no digits", "a=%+1", Err(Escape)),
            ("no UTF-8", "a=%ff", Err(NotUtf8)),
        ];
        for (name, text, expected) in table {
            let expected = expected.map(|pairs| {
                pairs.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect()
            });
            assert_eq!(parse_resource_attributes(text), expected, "{name}");
        }
    }

    #[test]
    fn an_escape_of_which_a_character_is_the_second_half_is_none() {
        assert_eq!(parse_resource_attributes("a=%1ö"), Err(InvalidAttributes::Escape));
        assert_eq!(parse_resource_attributes("a=%ö"), Err(InvalidAttributes::Escape));
    }

    #[test]
    fn is_written_as_another_writer_does() {
        let mut resource = Resource::default();
        for (key, value) in
            [("service.name", "cart"), ("host.name", "höst"), ("service.name", "shop")]
        {
            resource.set(key.to_owned(), value.to_owned());
        }
        let mut out = Vec::new();
        resource.write(&mut Message::new(&mut out));
        // `opentelemetry.proto.resource.v1.Resource` by Python's opentelemetry-proto 1.45.2.
        let expected = b"\x0a\x16\x0a\x0cservice.name\x12\x06\x0a\x04shop\
            \x0a\x14\x0a\x09host.name\x12\x07\x0a\x05h\xc3\xb6st";
        assert_eq!(out, expected);
    }
}

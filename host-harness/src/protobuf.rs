//! The little of protocol buffers that properties and foreign functions need: messages whose fields
//! can be looked up by name and that can be written, and the fields of a message that was read.
//!
//! It is no implementation of protocol buffers: there are no descriptors, and each message is spelled
//! out where it is needed. A map is written in the order of its keys, which Envoy leaves to chance.

use serde_json::Value as Json;

/// A message: its fields' names, their numbers, and what is in them, in the order of the numbers.
#[derive(Debug)]
pub(crate) struct Message<'a>(pub(crate) Vec<(&'static str, u32, Content<'a>)>);

/// What a field holds.
#[derive(Debug)]
pub(crate) enum Content<'a> {
    Text(&'a str),
    Message(Message<'a>),
    /// A message that is not there: its fields are what they are without a value.
    Absent(Message<'a>),
    /// A `google.protobuf.Struct`; anything but an object is an absent one.
    Struct(&'a Json),
    /// A map from strings to `google.protobuf.Struct`; anything but an object is an empty one.
    Structs(&'a Json),
    /// A list or a map without elements.
    Nothing,
}

impl<'a> Message<'a> {
    pub(crate) fn field(self, name: &[u8]) -> Option<Content<'a>> {
        let mut fields = self.0.into_iter();
        fields.find(|(known, ..)| known.as_bytes() == name).map(|(.., content)| content)
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (_, number, content) in &self.0 {
            content.write(*number, &mut bytes);
        }
        bytes
    }
}

impl Content<'_> {
    fn write(&self, number: u32, to: &mut Vec<u8>) {
        match self {
            Self::Text("") | Self::Absent(_) | Self::Nothing => {}
            Self::Text(text) => write_bytes(number, text.as_bytes(), to),
            Self::Message(message) => write_bytes(number, &message.encode(), to),
            Self::Struct(json) if json.is_object() => write_bytes(number, &structure(json), to),
            Self::Structs(json) => {
                for (name, json) in json.as_object().into_iter().flatten() {
                    write_entry(number, name, &structure(json), to);
                }
            }
            Self::Struct(_) => {}
        }
    }
}

/// A `google.protobuf.Struct` of an object; of anything else an empty one.
pub(crate) fn structure(json: &Json) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, value) in json.as_object().into_iter().flatten() {
        write_entry(1, name, &value_of(value), &mut bytes);
    }
    bytes
}

/// A `google.protobuf.Value`.
fn value_of(json: &Json) -> Vec<u8> {
    let mut bytes = Vec::new();
    match json {
        Json::Null => bytes.extend([0x08, 0]),
        Json::Number(number) => {
            bytes.push(0x11);
            bytes.extend(number.as_f64().unwrap_or_default().to_le_bytes());
        }
        Json::String(text) => write_bytes(3, text.as_bytes(), &mut bytes),
        Json::Bool(truth) => bytes.extend([0x20, u8::from(*truth)]),
        Json::Object(_) => write_bytes(5, &structure(json), &mut bytes),
        Json::Array(values) => {
            let mut list = Vec::new();
            for value in values {
                write_bytes(1, &value_of(value), &mut list);
            }
            write_bytes(6, &list, &mut bytes);
        }
    }
    bytes
}

/// One entry of a map from strings to messages.
fn write_entry(number: u32, key: &str, value: &[u8], to: &mut Vec<u8>) {
    let mut entry = Vec::new();
    write_bytes(1, key.as_bytes(), &mut entry);
    write_bytes(2, value, &mut entry);
    write_bytes(number, &entry, to);
}

/// A field of bytes, text or a message.
pub(crate) fn write_bytes(number: u32, bytes: &[u8], to: &mut Vec<u8>) {
    write_number(u64::from(number) << 3 | 2, to);
    write_number(bytes.len() as u64, to);
    to.extend_from_slice(bytes);
}

fn write_number(mut number: u64, to: &mut Vec<u8>) {
    while number > 0x7f {
        to.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    to.push(number.to_le_bytes()[0]);
}

/// The fields of a message that somebody else wrote.
#[derive(Debug)]
pub(crate) struct Fields<'a>(Vec<(u64, Wire<'a>)>);

/// What a field looks like without knowing its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wire<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    /// Of a fixed width; no message that is read here has one.
    Fixed,
}

impl<'a> Fields<'a> {
    /// The fields, unless the bytes are malformed.
    pub(crate) fn read(mut bytes: &'a [u8]) -> Option<Self> {
        let mut fields = Vec::new();
        while !bytes.is_empty() {
            let tag = take_number(&mut bytes)?;
            let field = match tag & 7 {
                0 => Wire::Number(take_number(&mut bytes)?),
                1 => take(&mut bytes, 8).map(|_| Wire::Fixed)?,
                2 => {
                    let length = take_number(&mut bytes)?;
                    Wire::Bytes(take(&mut bytes, length)?)
                }
                5 => take(&mut bytes, 4).map(|_| Wire::Fixed)?,
                _ => return None,
            };
            fields.push((tag >> 3, field));
        }
        fields.iter().all(|(number, _)| *number > 0).then_some(Self(fields))
    }

    /// The last of the bytes under this number, which are empty where there are none.
    pub(crate) fn bytes(&self, number: u64) -> &'a [u8] {
        let mut last = self.0.iter().rev();
        let found = last.find_map(|(other, wire)| match wire {
            Wire::Bytes(bytes) if *other == number => Some(*bytes),
            _ => None,
        });
        found.unwrap_or_default()
    }

    /// The same as text, unless some text under this number is not UTF-8.
    pub(crate) fn text(&self, number: u64) -> Option<&'a str> {
        let all = self.0.iter().filter(|(other, _)| *other == number);
        let valid = all.into_iter().all(|(_, wire)| match wire {
            Wire::Bytes(bytes) => std::str::from_utf8(bytes).is_ok(),
            _ => true,
        });
        std::str::from_utf8(self.bytes(number)).ok().filter(|_| valid)
    }

    /// The last of the numbers under this one, which is 0 where there is none.
    pub(crate) fn number(&self, number: u64) -> u64 {
        let mut last = self.0.iter().rev();
        let found = last.find_map(|(other, wire)| match wire {
            Wire::Number(value) if *other == number => Some(*value),
            _ => None,
        });
        found.unwrap_or_default()
    }
}

fn take<'a>(bytes: &mut &'a [u8], length: u64) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(usize::try_from(length).ok()?)?;
    *bytes = rest;
    Some(taken)
}

fn take_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for place in 0..10 {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structs_are_written_as_their_schema_says() {
        let rows: [(&str, Json, &[u8]); 8] = [
            ("nothing", serde_json::json!({}), b""),
            ("no object", serde_json::json!(3), b""),
            ("a text", serde_json::json!({"k": "v"}), b"\x0a\x08\x0a\x01k\x12\x03\x1a\x01v"),
            ("a truth", serde_json::json!({"k": true}), b"\x0a\x07\x0a\x01k\x12\x02\x20\x01"),
            ("a null", serde_json::json!({"k": null}), b"\x0a\x07\x0a\x01k\x12\x02\x08\x00"),
            (
                "a number",
                serde_json::json!({"n": 1.5}),
                b"\x0a\x0e\x0a\x01n\x12\x09\x11\0\0\0\0\0\0\xf8\x3f",
            ),
            (
                "a list",
                serde_json::json!({"l": ["a"]}),
                b"\x0a\x0c\x0a\x01l\x12\x07\x32\x05\x0a\x03\x1a\x01a",
            ),
            ("an object", serde_json::json!({"o": {}}), b"\x0a\x07\x0a\x01o\x12\x02\x2a\x00"),
        ];
        for (name, json, expected) in rows {
            assert_eq!(structure(&json), expected, "{name}");
        }
    }

    #[test]
    fn messages_leave_out_what_is_empty() {
        let none = Json::Null;
        let message = Message(vec![
            ("id", 1, Content::Text("a")),
            ("cluster", 2, Content::Text("")),
            ("metadata", 3, Content::Struct(&none)),
            ("locality", 4, Content::Message(Message(vec![("zone", 2, Content::Text("z"))]))),
            ("extensions", 9, Content::Nothing),
        ]);
        assert_eq!(message.encode(), b"\x0a\x01a\x22\x03\x12\x01z");
        assert!(matches!(message.field(b"cluster"), Some(Content::Text(""))));
    }

    #[test]
    fn lengths_of_any_size_are_written_and_read() {
        for length in [0_usize, 1, 127, 128, 16_383, 16_384, 70_000] {
            let text = vec![b'x'; length];
            let mut bytes = Vec::new();
            write_bytes(5, &text, &mut bytes);
            assert_eq!(Fields::read(&bytes).unwrap().bytes(5), text, "{length}");
        }
    }

    #[test]
    fn fields_are_read_whatever_else_is_there() {
        let fields = b"\x0a\x01a\x10\x01\x0a\x01b\x1d\0\0\0\0\x19\0\0\0\0\0\0\0\0\x7a\x00";
        let fields = Fields::read(fields).unwrap();
        assert_eq!((fields.text(1), fields.number(2), fields.bytes(9)), (Some("b"), 1, &b""[..]));
    }

    #[test]
    fn malformed_messages_are_not_read() {
        let rows: [(&str, &[u8]); 6] = [
            ("a tag without a value", b"\x0a"),
            ("a length beyond the end", b"\x0a\x05ab"),
            ("a number without an end", b"\x08\xff"),
            ("a number that is too long", b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
            ("field number 0", b"\x02\x00"),
            ("a group", b"\x0b\x0c"),
        ];
        for (name, bytes) in rows {
            assert!(Fields::read(bytes).is_none(), "{name}");
        }
        assert_eq!(Fields::read(b"\x0a\x02\xff\xfe").unwrap().text(1), None);
    }
}

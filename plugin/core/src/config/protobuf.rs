//! A serialized `google.protobuf.Struct`, which is how YAML in an Envoy configuration arrives.
//!
//! Read strictly: whatever is not exactly the three message types of `struct.proto` is no Struct.

use super::Value;
use crate::wire::{Field, next_field};

/// How deep a tree may nest; deeper than any key needs, and safe for the stack.
const DEEPEST: u32 = 64;

/// Decodes the bytes as a Struct, if all of them are one.
pub(super) fn decode_struct(bytes: &[u8]) -> Option<Value> {
    structure(bytes, DEEPEST)
}

/// `Struct { map<string, Value> fields = 1 }`
fn structure(mut bytes: &[u8], depth: u32) -> Option<Value> {
    let depth = depth.checked_sub(1)?;
    let mut entries = Vec::new();
    while !bytes.is_empty() {
        let mut entry = delimited(&mut bytes, 1)?;
        let key = string(delimited(&mut entry, 1)?)?;
        let said = delimited(&mut entry, 2)?;
        if !entry.is_empty() {
            return None;
        }
        entries.push((key, value(said, depth)?));
    }
    Some(Value::Map(entries))
}

/// `ListValue { repeated Value values = 1 }`
fn list(mut bytes: &[u8], depth: u32) -> Option<Value> {
    let depth = depth.checked_sub(1)?;
    let mut items = Vec::new();
    while !bytes.is_empty() {
        items.push(value(delimited(&mut bytes, 1)?, depth)?);
    }
    Some(Value::List(items))
}

/// `Value { oneof { null = 1, number = 2, string = 3, bool = 4, struct = 5, list = 6 } }`
fn value(mut bytes: &[u8], depth: u32) -> Option<Value> {
    let value = match next_field(&mut bytes)? {
        (1, Field::Varint(0)) => Value::Null,
        (2, Field::Fixed64(number)) => Value::Number(f64::from_le_bytes(number)),
        (3, Field::Bytes(text)) => Value::String(string(text)?),
        (4, Field::Varint(truth)) => Value::Bool(truth != 0),
        (5, Field::Bytes(fields)) => structure(fields, depth)?,
        (6, Field::Bytes(values)) => list(values, depth)?,
        _ => return None,
    };
    bytes.is_empty().then_some(value)
}

/// The contents of the next field, which must be bytes and have this number.
fn delimited<'a>(bytes: &mut &'a [u8], number: u64) -> Option<&'a [u8]> {
    match next_field(bytes)? {
        (found, Field::Bytes(contents)) if found == number => Some(contents),
        _ => None,
    }
}

fn string(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Serializes as Envoy does.
    fn encode(value: &Value) -> Vec<u8> {
        match value {
            Value::Null => vec![0x08, 0],
            Value::Number(number) => [vec![0x11], number.to_le_bytes().to_vec()].concat(),
            Value::String(text) => field(0x1a, text.as_bytes()),
            Value::Bool(value) => vec![0x20, u8::from(*value)],
            Value::Map(_) => field(0x2a, &encode_struct(value)),
            Value::List(items) => field(
                0x32,
                &items.iter().flat_map(|item| field(0x0a, &encode(item))).collect::<Vec<_>>(),
            ),
        }
    }

    fn encode_struct(value: &Value) -> Vec<u8> {
        let Value::Map(entries) = value else { panic!("{value:?} is no map") };
        let entry = |(key, value): &(String, Value)| {
            field(0x0a, &[field(0x0a, key.as_bytes()), field(0x12, &encode(value))].concat())
        };
        entries.iter().flat_map(entry).collect()
    }

    fn field(tag: u8, contents: &[u8]) -> Vec<u8> {
        let mut bytes = vec![tag];
        let mut length = contents.len();
        while length >= 0x80 {
            bytes.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
            length >>= 7;
        }
        bytes.push(u8::try_from(length).unwrap());
        bytes.extend_from_slice(contents);
        bytes
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            (-1e9..1e9_f64).prop_map(Value::Number),
            ".{0,200}".prop_map(Value::String),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::List),
                proptest::collection::vec((".{0,20}", inner), 0..6).prop_map(Value::Map),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_envoy_serializes_is_read(entries in proptest::collection::vec((".{0,20}", any_value()), 1..6)) {
            let value = Value::Map(entries);
            prop_assert_eq!(Value::from_bytes(&encode_struct(&value)), Ok(value));
        }

        #[test]
        fn nothing_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode_struct(&bytes);
        }

        #[test]
        fn a_truncated_one_is_none(entries in proptest::collection::vec((".{1,20}", any_value()), 1..2), cut in 1_usize..20) {
            let bytes = encode_struct(&Value::Map(entries));
            let short = &bytes[..bytes.len().saturating_sub(cut)];
            prop_assert!(short.is_empty() || decode_struct(short).is_none());
        }
    }

    #[test]
    fn nesting_has_an_end() {
        let deep = |levels| (0..levels).fold(Value::Null, |inner, _| Value::List(vec![inner]));
        let of = |value| encode_struct(&Value::Map(vec![("key".to_owned(), value)]));
        assert!(decode_struct(&of(deep(60))).is_some());
        assert!(decode_struct(&of(deep(100))).is_none());
    }

    #[test]
    fn json_that_begins_like_a_struct_is_still_json() {
        // A line feed and an opening brace are also a field tag and a length of 123.
        let text = format!("\n{{\n\"{}\": true}}", "k".repeat(130));
        let Ok(Value::Map(entries)) = Value::from_bytes(text.as_bytes()) else { panic!("{text}") };
        assert_eq!(entries.len(), 1);
    }
}

//! Protobuf's wire format, read: fields of a message, one after the other.
//!
//! It borrows from the bytes, and neither recurses nor allocates. What a field means is its reader's business.

/// What a field holds, by its wire type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Field<'a> {
    /// A number of up to 64 bits.
    Varint(u64),
    /// Eight bytes: a fixed number or a double.
    Fixed64([u8; 8]),
    /// Four bytes. Nothing that we read is one, so they only have to be passed over.
    Fixed32,
    /// Bytes, a text, or another message.
    Bytes(&'a [u8]),
}

/// Takes the number and the contents of the first field off the bytes. None if they are no message: also
/// where they hold a group, which no proto3 message has.
pub(crate) fn next_field<'a>(bytes: &mut &'a [u8]) -> Option<(u64, Field<'a>)> {
    let tag = varint(bytes)?;
    let field = match tag & 7 {
        0 => Field::Varint(varint(bytes)?),
        1 => Field::Fixed64(*take(bytes, 8)?.first_chunk()?),
        2 => {
            let length = usize::try_from(varint(bytes)?).ok()?;
            Field::Bytes(take(bytes, length)?)
        }
        5 => take(bytes, 4).map(|_| Field::Fixed32)?,
        _ => return None,
    };
    let number = tag >> 3;
    (number != 0 && number < 1 << 29).then_some((number, field))
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

pub(crate) fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A name, bytes, and the field in front of them.
    type Row = (&'static str, &'static [u8], Option<(u64, Field<'static>)>);

    #[test]
    fn a_field_is_taken_off_or_there_is_no_message() {
        let table: [Row; 17] = [
            ("a small number", &[0x08, 0x01], Some((1, Field::Varint(1)))),
            ("one that takes two bytes", &[0x10, 0x96, 0x01], Some((2, Field::Varint(150)))),
            ("one that could be shorter", &[0x08, 0x81, 0x00], Some((1, Field::Varint(1)))),
            (
                "the largest",
                &[0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
                Some((1, Field::Varint(u64::MAX))),
            ),
            ("eleven bytes", &[8, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 0], None),
            ("eight bytes", b"\x0912345678", Some((1, Field::Fixed64(*b"12345678")))),
            ("seven of eight bytes", b"\x091234567", None),
            ("four bytes", b"\x0d1234", Some((1, Field::Fixed32))),
            ("three of four bytes", b"\x0d123", None),
            ("bytes", b"\x1a\x02ab", Some((3, Field::Bytes(b"ab")))),
            ("too few bytes", b"\x1a\x03ab", None),
            ("a length past all memory", b"\x1a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", None),
            ("a group's begin", &[0x0b], None),
            ("a group's end", &[0x0c], None),
            ("a wire type that is not", &[0x0e], None),
            ("field 0", &[0x00, 0x00], None),
            ("a field past the last", &[0x80, 0x80, 0x80, 0x80, 0x10, 0x00], None),
        ];
        for (name, mut bytes, expected) in table {
            assert_eq!(next_field(&mut bytes), expected, "{name}");
            assert!(expected.is_none() || bytes.is_empty(), "{name} leaves {bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn each_field_takes_at_least_two_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let mut rest = bytes.as_slice();
            let mut fields = 0;
            while next_field(&mut rest).is_some() {
                fields += 1;
                prop_assert!(rest.len() + 2 * fields <= bytes.len());
                prop_assert!(bytes.ends_with(rest));
            }
        }
    }
}

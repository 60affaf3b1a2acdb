//! A writer of protobuf messages, straight into a buffer.
//!
//! Nothing is measured beforehand: a message that is part of another gets one byte for its length, and moves
//! up when it turns out to need more. Most are shorter than 128 bytes. It knows no schema but that of
//! attributes, which all OTLP messages share.

/// A message under way at the end of a buffer. One inside another is complete when dropped.
///
/// A field is written even where its value is the default, which a caller may want to leave out.
#[derive(Debug)]
pub(crate) struct Message<'a> {
    out: &'a mut Vec<u8>,
    /// Where the byte for its length is, if it is inside another.
    length_at: Option<usize>,
}

/// How a field's contents are told apart, in the low bits of its tag.
#[derive(Clone, Copy)]
enum Wire {
    Varint = 0,
    Fixed64 = 1,
    Bytes = 2,
    Fixed32 = 5,
}

impl<'a> Message<'a> {
    /// A message of its own, behind what the buffer holds.
    pub(crate) fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, length_at: None }
    }

    /// Begins a message that is a field of this one.
    pub(crate) fn message(&mut self, field: u32) -> Message<'_> {
        self.tag(field, Wire::Bytes);
        let length_at = Some(self.out.len());
        self.out.push(0);
        Message { out: self.out, length_at }
    }

    /// A number that is shorter the smaller it is: `uint64`, an enum, or a `bool`.
    pub(crate) fn varint(&mut self, field: u32, value: u64) {
        self.tag(field, Wire::Varint);
        write_varint(value, self.out);
    }

    /// A number of eight bytes: `fixed64`.
    #[inline(never)]
    pub(crate) fn fixed64(&mut self, field: u32, value: u64) {
        self.tag(field, Wire::Fixed64);
        self.out.extend_from_slice(&value.to_le_bytes());
    }

    /// A number of eight bytes with a sign: `sfixed64`.
    pub(crate) fn sfixed64(&mut self, field: u32, value: i64) {
        self.fixed64(field, value.cast_unsigned());
    }

    /// A number of eight bytes with a binary point: `double`.
    pub(crate) fn double(&mut self, field: u32, value: f64) {
        self.fixed64(field, value.to_bits());
    }

    /// Any number of eight bytes each, as they are: packed `fixed64`, `sfixed64` or `double`. None are no field.
    pub(crate) fn packed64(&mut self, field: u32, values: &mut dyn Iterator<Item = u64>) {
        let mut next = values.next();
        if next.is_none() {
            return;
        }
        let packed = self.message(field);
        while let Some(value) = next {
            packed.out.extend_from_slice(&value.to_le_bytes());
            next = values.next();
        }
    }

    /// A number of four bytes: `fixed32`.
    pub(crate) fn fixed32(&mut self, field: u32, value: u32) {
        self.tag(field, Wire::Fixed32);
        self.out.extend_from_slice(&value.to_le_bytes());
    }

    /// Any bytes: `bytes`, or a message that is already written.
    #[inline(never)]
    pub(crate) fn bytes(&mut self, field: u32, value: &[u8]) {
        self.tag(field, Wire::Bytes);
        write_varint(value.len() as u64, self.out);
        self.out.extend_from_slice(value);
    }

    /// A `string`, which must be UTF-8: U+FFFD stands where the value is not. A decoder may refuse a whole
    /// batch for one wrong byte.
    pub(crate) fn text(&mut self, field: u32, value: &[u8]) {
        let text = self.message(field);
        for chunk in value.utf8_chunks() {
            text.out.extend_from_slice(chunk.valid().as_bytes());
            if !chunk.invalid().is_empty() {
                text.out.extend_from_slice("\u{fffd}".as_bytes());
            }
        }
    }

    /// An attribute whose value is a text.
    pub(crate) fn attribute_text(&mut self, field: u32, key: &str, value: &[u8]) {
        self.attribute(field, key, &mut |any| any.text(1, value));
    }

    /// An attribute whose value is a whole number.
    pub(crate) fn attribute_int(&mut self, field: u32, key: &str, value: i64) {
        self.attribute(field, key, &mut |any| any.varint(3, value.cast_unsigned()));
    }

    /// An attribute that is true or false.
    pub(crate) fn attribute_bool(&mut self, field: u32, key: &str, value: bool) {
        self.attribute(field, key, &mut |any| any.varint(2, value.into()));
    }

    /// An attribute whose value is a number with a binary point.
    pub(crate) fn attribute_double(&mut self, field: u32, key: &str, value: f64) {
        self.attribute(field, key, &mut |any| any.double(4, value));
    }

    /// An attribute whose value is a list with this one text.
    pub(crate) fn attribute_texts(&mut self, field: u32, key: &str, value: &[u8]) {
        self.attribute(field, key, &mut |any| any.message(5).message(1).text(1, value));
    }

    /// `KeyValue { string key = 1; AnyValue value = 2 }`
    fn attribute(&mut self, field: u32, key: &str, write: &mut dyn FnMut(&mut Message<'_>)) {
        let mut pair = self.message(field);
        pair.bytes(1, key.as_bytes());
        write(&mut pair.message(2));
    }

    fn tag(&mut self, field: u32, wire: Wire) {
        write_varint(u64::from(field) << 3 | wire as u64, self.out);
    }
}

impl Drop for Message<'_> {
    fn drop(&mut self) {
        if let Some(at) = self.length_at {
            write_length(at, self.out);
        }
    }
}

/// Writes a number in groups of seven bits, the lowest first.
#[inline(never)]
pub(crate) fn write_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(low_bits(value) | 0x80);
        value >>= 7;
    }
    out.push(low_bits(value));
}

/// Writes the tag and the length of a message that follows.
pub(super) fn write_head(tag: u8, length: usize, out: &mut Vec<u8>) {
    out.push(tag);
    write_varint(length as u64, out);
}

/// How many bytes a message takes with its tag and length in front, where the tag takes one.
pub(super) fn headed(length: usize) -> usize {
    1 + varint_length(length as u64) + length
}

/// How many bytes a number takes.
pub(super) fn varint_length(value: u64) -> usize {
    value.checked_ilog2().map_or(1, |bits| bits as usize / 7 + 1)
}

/// Writes the length of all that is behind the byte at `at`, and moves it where the length takes more.
#[inline(never)]
fn write_length(at: usize, out: &mut Vec<u8>) {
    let length = out.len().saturating_sub(at).saturating_sub(1);
    let more = varint_length(length as u64).saturating_sub(1);
    out.resize(out.len().saturating_add(more), 0);
    let Some(tail) = out.get_mut(at..) else { return };
    if more > 0 {
        move_up(more, tail.get_mut(1..).unwrap_or_default());
    }
    let mut rest = length as u64;
    for byte in tail.iter_mut().take(more) {
        *byte = low_bits(rest) | 0x80;
        rest >>= 7;
    }
    if let Some(last) = tail.get_mut(more) {
        *last = low_bits(rest);
    }
}

/// Moves bytes towards the end, over as many there. The room is checked in a way that the compiler can
/// follow, or the module would carry a message for a failure that cannot be.
fn move_up(by: usize, bytes: &mut [u8]) {
    if let Some(kept) = bytes.len().checked_sub(by) {
        bytes.copy_within(..kept, by);
    }
}

fn low_bits(value: u64) -> u8 {
    value.to_le_bytes()[0] & 0x7f
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::{Field, next_field};

    fn written(write: impl FnOnce(&mut Message<'_>)) -> Vec<u8> {
        let mut out = Vec::new();
        write(&mut Message::new(&mut out));
        out
    }

    fn hex(bytes: &[u8]) -> String {
        format!("{bytes:02x?}").replace(|other: char| !other.is_alphanumeric(), "")
    }

    /// The bytes of the only field, which must have this number.
    fn only(mut bytes: &[u8], number: u64) -> &[u8] {
        let Some((found, Field::Bytes(contents))) = next_field(&mut bytes) else {
            panic!("no bytes in {bytes:?}")
        };
        assert_eq!((found, bytes), (number, [].as_slice()));
        contents
    }

    #[test]
    fn fields_are_those_of_another_writer() {
        // An `opentelemetry.proto.trace.v1.Span` as Python's opentelemetry-proto 1.45.2 serializes it.
        let span = written(|span| {
            span.bytes(1, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
            span.bytes(2, &[0, 1, 2, 3, 4, 5, 6, 7]);
            span.text(5, b"GET /");
            span.varint(6, 2);
            span.fixed64(7, 1);
            span.fixed64(8, u64::MAX);
            span.fixed32(16, 0x101);
        });
        assert_eq!(
            hex(&span),
            "0a10000102030405060708090a0b0c0d0e0f120800010203040506072a05474554202f3002\
             39010000000000000041ffffffffffffffff850101010000"
        );
    }

    #[test]
    fn numbers_of_eight_bytes_are_those_of_another_writer() {
        // An `opentelemetry.proto.metrics.v1.HistogramDataPoint` and the value of a `NumberDataPoint`, as Python's
        // opentelemetry-proto 1.45.2 serializes them.
        let point = written(|point| {
            point.double(5, 1.5);
            point.packed64(6, &mut [1, u64::MAX].into_iter());
            point.packed64(7, &mut [0.25_f64.to_bits()].into_iter());
            point.packed64(9, &mut [].into_iter());
        });
        assert_eq!(
            hex(&point),
            "29000000000000f83f32100100000000000000ffffffffffffffff3a08000000000000d03f"
        );
        assert_eq!(hex(&written(|point| point.sfixed64(6, -2))), "31feffffffffffffff");
    }

    #[test]
    fn attributes_are_those_of_another_writer() {
        // The attributes of a `Span`, as Python's opentelemetry-proto 1.45.2 serializes them.
        let span = written(|span| {
            span.attribute_text(9, "a", b"b");
            span.attribute_int(9, "i", 200);
            span.attribute_int(9, "n", -1);
            span.attribute_text(9, "e", b"");
        });
        assert_eq!(
            hex(&span),
            "4a080a016112030a01624a080a0169120318c801\
             4a100a016e120b18ffffffffffffffffff014a070a016512020a00"
        );
    }

    #[test]
    fn a_length_takes_as_few_bytes_as_it_can() {
        // Around each length that takes one byte more, and two MiB, which a batch can have.
        for (length, head) in [
            (0, "0a00"),
            (1, "0a01"),
            (127, "0a7f"),
            (128, "0a8001"),
            (16_383, "0aff7f"),
            (16_384, "0a808001"),
            (2_097_151, "0affff7f"),
            (2_097_152, "0a80808001"),
        ] {
            let text: Vec<u8> =
                (0..length).map(|at| b'a' + u8::try_from(at % 26).unwrap()).collect();
            let out = written(|message| message.text(1, &text));
            assert_eq!(hex(&out[..out.len() - length]), head, "{length}");
            assert!(out.ends_with(&text), "{length}");
            assert_eq!(out, written(|message| message.bytes(1, &text)), "{length}");
            assert_eq!(varint_length(length as u64), head.len() / 2 - 1, "{length}");
        }
    }

    #[test]
    fn a_message_moves_with_all_that_is_inside_it() {
        for length in
            [100, 120, 121, 122, 123, 124, 125, 126, 127, 128, 16_370, 16_376, 16_380, 16_384]
        {
            let text = vec![b'x'; length];
            let out = written(|one| one.message(1).message(2).message(3).text(4, &text));
            assert_eq!(only(only(only(only(&out, 1), 2), 3), 4), text, "{length}");
        }
    }

    #[test]
    fn what_was_in_the_buffer_stays() {
        let mut out = b"before".to_vec();
        Message::new(&mut out).message(1).text(1, &[b'x'; 200]);
        assert_eq!(out.split_off(6)[..5], [0x0a, 0xcb, 0x01, 0x0a, 0xc8]);
        assert_eq!(out, b"before");
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_valid_text(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let out = written(|message| message.text(7, &bytes));
            prop_assert_eq!(str::from_utf8(only(&out, 7)).unwrap(), String::from_utf8_lossy(&bytes));
        }

        #[test]
        fn any_number_is_read_back(value in any::<u64>(), field in 1_u32..1 << 29) {
            let out = written(|message| message.varint(field, value));
            prop_assert_eq!(next_field(&mut out.as_slice()), Some((u64::from(field), Field::Varint(value))));
            let tag = varint_length(u64::from(field) << 3);
            prop_assert_eq!(varint_length(value), out.len() - tag);
        }
    }
}

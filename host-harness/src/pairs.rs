//! The wire format of header maps between host and module: a count, all lengths, then names and
//! values that each end in a zero byte. Numbers are 32 bits, little endian, unaligned.

/// What Envoy takes from a module at most; anything larger, like anything malformed, is an empty
/// map to it.
const MOST_BYTES: usize = 1 << 20;
const MOST_PAIRS: usize = 1024;

/// Name and value.
pub(crate) type Pair<'a> = (&'a [u8], &'a [u8]);

/// A map without entries takes no bytes at all, not even its count.
pub(crate) fn encode<'a>(pairs: impl Iterator<Item = Pair<'a>>) -> Vec<u8> {
    let pairs: Vec<_> = pairs.collect();
    if pairs.is_empty() {
        return Vec::new();
    }
    let mut bytes = word(pairs.len()).to_vec();
    for (name, value) in &pairs {
        bytes.extend(word(name.len()));
        bytes.extend(word(value.len()));
    }
    for text in pairs.iter().flat_map(|(name, value)| [name, value]) {
        bytes.extend_from_slice(text);
        bytes.push(0);
    }
    bytes
}

/// The pairs, or none where the bytes are malformed or too many.
pub(crate) fn decode(bytes: &[u8]) -> Vec<Pair<'_>> {
    if bytes.len() > MOST_BYTES {
        return Vec::new();
    }
    read(bytes).unwrap_or_default()
}

fn read(mut bytes: &[u8]) -> Option<Vec<Pair<'_>>> {
    let count = take_word(&mut bytes)?;
    if count > MOST_PAIRS {
        return None;
    }
    let lengths: Option<Vec<_>> =
        (0..count).map(|_| take_word(&mut bytes).zip(take_word(&mut bytes))).collect();
    let pairs: Option<Vec<_>> = lengths?
        .into_iter()
        .map(|(name, value)| take_text(&mut bytes, name).zip(take_text(&mut bytes, value)))
        .collect();
    pairs.filter(|_| bytes.is_empty())
}

fn take_word(bytes: &mut &[u8]) -> Option<usize> {
    let (word, rest) = bytes.split_first_chunk::<4>()?;
    *bytes = rest;
    usize::try_from(u32::from_le_bytes(*word)).ok()
}

fn take_text<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (text, rest) = bytes.split_at_checked(length)?;
    let (end, rest) = rest.split_first()?;
    *bytes = rest;
    (*end == 0).then_some(text)
}

fn word(length: usize) -> [u8; 4] {
    u32::try_from(length).expect("a header map of a test is far below 4 GiB").to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_come_back_as_they_went() {
        let rows: [(&str, Vec<Pair<'_>>); 3] = [
            ("none", vec![]),
            ("one without a value", vec![(b"a", b"")]),
            ("bytes and duplicates", vec![(b":path", b"/\xff"), (b"a", b"1"), (b"a", b"2")]),
        ];
        for (name, pairs) in rows {
            assert_eq!(decode(&encode(pairs.iter().copied())), pairs, "{name}");
        }
    }

    #[test]
    fn the_wire_format_is_count_lengths_texts() {
        let bytes = encode([(&b"ab"[..], &b"c"[..])].into_iter());
        assert_eq!(bytes, b"\x01\0\0\0\x02\0\0\0\x01\0\0\0ab\0c\0");
    }

    #[test]
    fn what_is_malformed_or_too_much_is_an_empty_map() {
        let many: Vec<Pair<'_>> = vec![(b"a", b"b"); MOST_PAIRS + 1];
        let long = vec![b'a'; MOST_BYTES];
        let rows = [
            ("nothing", Vec::new()),
            ("half a count", vec![1, 0]),
            ("a count without lengths", vec![2, 0, 0, 0, 1, 0, 0, 0]),
            ("a length beyond the end", b"\x01\0\0\0\xff\xff\xff\xff\x01\0\0\0a\0b\0".to_vec()),
            ("a name without its zero", b"\x01\0\0\0\x01\0\0\0\x01\0\0\0axb\0".to_vec()),
            ("something after the end", b"\x01\0\0\0\x01\0\0\0\x01\0\0\0a\0b\0x".to_vec()),
            ("too many pairs", encode(many.into_iter())),
            ("too many bytes", encode([(&b"a"[..], long.as_slice())].into_iter())),
        ];
        for (name, bytes) in rows {
            assert!(decode(&bytes).is_empty(), "{name}");
        }
    }
}

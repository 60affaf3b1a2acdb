//! The wire format of header maps: a count, all sizes, then all names and values, each ended by a zero.
//!
//! ```text
//! count · (name size · value size) * count · (name · 0 · value · 0) * count
//! ```
//!
//! Numbers are 32 bits, little-endian. What does not follow the format ends the iteration.

use sightline_core::Pair;

/// The pairs of a serialized header map, read in place.
#[derive(Clone, Default)]
pub(crate) struct Pairs<'a> {
    left: u32,
    sizes: &'a [u8],
    texts: &'a [u8],
}

impl<'a> Pairs<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        let parsed = || {
            let (left, rest) = number(bytes)?;
            let (sizes, texts) =
                rest.split_at_checked(usize::try_from(left).ok()?.checked_mul(8)?)?;
            Some(Self { left, sizes, texts })
        };
        parsed().unwrap_or_default()
    }

    fn text(&mut self) -> Option<&'a [u8]> {
        let (size, sizes) = number(self.sizes)?;
        let (text, rest) = self.texts.split_at_checked(usize::try_from(size).ok()?)?;
        self.sizes = sizes;
        self.texts = rest.strip_prefix(b"\0")?;
        Some(text)
    }
}

/// Writes pairs in this format.
pub(super) fn serialize(pairs: &[Pair<'_>]) -> Vec<u8> {
    let mut bytes = size(pairs.len()).to_vec();
    for (name, value) in pairs {
        bytes.extend_from_slice(&size(name.len()));
        bytes.extend_from_slice(&size(value.len()));
    }
    for text in pairs.iter().flat_map(|&(name, value)| [name, value]) {
        bytes.extend_from_slice(text);
        bytes.push(0);
    }
    bytes
}

fn size(size: usize) -> [u8; 4] {
    u32::try_from(size).unwrap_or(u32::MAX).to_le_bytes()
}

impl<'a> Iterator for Pairs<'a> {
    type Item = Pair<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        Some((self.text()?, self.text()?))
    }
}

fn number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u32::from_le_bytes(*number), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: [(&[u8], &[u8]); 4] =
        [(b":path", b"/"), (b"x", b"\xff\0\xfe"), (b"empty", b""), (b"x", b"again")];

    #[test]
    fn what_was_serialized_is_read() {
        assert_eq!(Pairs::new(&serialize(&SAMPLE)).collect::<Vec<_>>(), SAMPLE);
        assert_eq!(Pairs::new(&serialize(&[])).count(), 0);
    }

    #[test]
    fn a_truncated_map_gives_whole_pairs_only() {
        let whole = serialize(&SAMPLE);
        for length in 0..whole.len() {
            let read: Vec<_> = Pairs::new(&whole[..length]).collect();
            assert!(read.len() < SAMPLE.len(), "{length} bytes");
            assert_eq!(read, SAMPLE[..read.len()], "{length} bytes");
        }
    }

    #[test]
    fn absurd_counts_and_sizes_give_nothing() {
        for bytes in
            [&b"\xff\xff\xff\xff"[..], b"\x01\0\0\0\xff\xff\xff\xff\xff\xff\xff\xffabc", b"\x01"]
        {
            assert_eq!(Pairs::new(bytes).count(), 0, "{bytes:?}");
        }
    }
}

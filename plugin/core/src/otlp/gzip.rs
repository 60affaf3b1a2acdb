//! From zlib to gzip: the same deflated data with another head and another check sum.
//!
//! Envoy compresses for its plugins, but only as zlib, and collectors take gzip. Nothing is compressed here.

/// What is in front of the data: deflated, no name, no time, system unknown.
const HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// The deflated data between zlib's two bytes in front and its Adler-32 behind, as a gzip file. None if the
/// bytes are not zlib's.
///
/// `plain` is what was compressed: gzip wants its CRC-32 and its length. Whoever decompresses checks both,
/// so nothing here checks that the data are deflated, or are those of `plain`.
pub fn from_zlib(zlib: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
    let (&[method, flags], rest) = zlib.split_first_chunk()?;
    let (deflated, _adler) = rest.split_last_chunk::<4>()?;
    if !is_zlib(method, flags) || deflated.is_empty() {
        return None;
    }
    let mut gzip = Vec::with_capacity(zlib.len().saturating_add(HEAD.len() + 8));
    gzip.extend_from_slice(&HEAD);
    gzip.extend_from_slice(deflated);
    gzip.extend_from_slice(&crc32(plain).to_le_bytes());
    // Of the length, gzip has room for the lowest four bytes.
    gzip.extend(plain.len().to_le_bytes().into_iter().take(4));
    Some(gzip)
}

/// Deflate with a window of at most 32 KiB, no dictionary that was agreed on before, and the check bits.
fn is_zlib(method: u8, flags: u8) -> bool {
    const DICTIONARY: u8 = 0x20;
    method & 0x0f == 8
        && method >> 4 <= 7
        && flags & DICTIONARY == 0
        && u16::from_be_bytes([method, flags]).is_multiple_of(31)
}

/// CRC-32 as gzip has it, a byte at a time.
///
/// The table is made for each call: that takes microseconds where the bytes take many more, and the module
/// need not carry a kilobyte.
fn crc32(bytes: &[u8]) -> u32 {
    let mut number = 0..=u8::MAX;
    let table: [u32; 256] = std::array::from_fn(|_| number.next().map_or(0, remainder));
    !bytes.iter().fold(!0, |crc: u32, byte| {
        let index = usize::from(crc.to_le_bytes()[0] ^ byte);
        table.get(index).copied().unwrap_or_default() ^ crc >> 8
    })
}

/// What a byte alone leaves when divided by the polynomial, bits reversed.
fn remainder(byte: u8) -> u32 {
    const POLYNOMIAL: u32 = 0xedb8_8320;
    (0..8).fold(byte.into(), |rest: u32, _| rest >> 1 ^ (rest & 1).wrapping_neg() & POLYNOMIAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &[u8] = b"spans, spans, spans, spans and spans";
    /// `zlib.compress(PLAIN)` in Python.
    const ZLIB: &[u8] = b"\x78\x9c\
        \x2b\x2e\x48\xcc\x2b\xd6\x51\x28\xc6\xa4\x14\x12\xf3\x52\x20\x2c\x00\
        \xf0\xc8\x0d\x11";
    /// What `gzip.decompress` in Python makes `PLAIN` of.
    const GZIP: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\
        \x2b\x2e\x48\xcc\x2b\xd6\x51\x28\xc6\xa4\x14\x12\xf3\x52\x20\x2c\x00\
        \xbd\x4a\x6c\xb6\x24\x00\x00\x00";

    #[test]
    fn zlib_becomes_gzip() {
        assert_eq!(from_zlib(ZLIB, PLAIN).as_deref(), Some(GZIP));
        let nothing = from_zlib(b"\x78\x9c\x03\x00\x00\x00\x00\x01", b"").unwrap();
        assert_eq!(nothing, [&HEAD, b"\x03\x00".as_slice(), &[0; 8]].concat());
    }

    #[test]
    fn what_is_not_zlib_is_refused() {
        let with_head = |head: [u8; 2]| [&head, &ZLIB[2..]].concat();
        let table = [
            ("nothing", vec![]),
            ("a head alone", ZLIB[..2].to_vec()),
            ("a head and a check sum, and no data", [&ZLIB[..2], &[0; 4]].concat()),
            ("gzip", GZIP.to_vec()),
            ("what is not compressed", PLAIN.to_vec()),
            ("wrong check bits", with_head([0x78, 0x9d])),
            ("another method", with_head([0x79, 0x17])),
            ("a window too large", with_head([0x88, 0x1c])),
            ("a dictionary", with_head([0x78, 0xbb])),
        ];
        for (name, zlib) in table {
            assert_eq!(from_zlib(&zlib, PLAIN), None, "{name}");
        }
        for head in [[0x78, 0x01], [0x78, 0x5e], [0x78, 0xda], [0x08, 0x1d]] {
            assert!(from_zlib(&with_head(head), PLAIN).is_some(), "{head:?}");
        }
    }

    #[test]
    fn check_sums_are_those_of_another() {
        let all: Vec<u8> = (0..=255).collect();
        let table: [(&[u8], u32); 4] =
            [(b"", 0), (b"123456789", 0xcbf4_3926), (PLAIN, 0xb66c_4abd), (&all, 0x2905_8c73)];
        for (bytes, expected) in table {
            assert_eq!(crc32(bytes), expected, "{bytes:?}");
        }
    }
}

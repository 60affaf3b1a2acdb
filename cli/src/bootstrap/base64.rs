//! Base64, written only: the way bytes go into JSON for protobuf.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// `bytes` in base64, padded.
pub(super) fn encode(bytes: &[u8]) -> String {
    bytes.chunks(3).flat_map(quartet).collect()
}

fn quartet(chunk: &[u8]) -> [char; 4] {
    let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
    let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
    let letter = |index: usize| {
        let sextet = bits >> (18 - 6 * index) & 0x3f;
        if index > chunk.len() { '=' } else { char::from(ALPHABET[sextet as usize]) }
    };
    [letter(0), letter(1), letter(2), letter(3)]
}

#[cfg(test)]
mod tests {
    use super::encode;

    #[test]
    fn the_examples_of_rfc_4648_hold() {
        for (bytes, expected) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(encode(bytes.as_bytes()), expected, "{bytes:?}");
        }
    }

    #[test]
    fn all_bits_are_kept() {
        assert_eq!(encode(&[0xff, 0xef, 0xbe, 0xfb, 0xef, 0xbe]), "/+++++++");
    }
}

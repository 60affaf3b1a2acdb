//! Lower-case hexadecimal, the only case that W3C Trace Context knows.

/// Decodes exactly `N` bytes from `2 * N` lower-case digits.
pub(super) fn decode<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    if text.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        let &[high, low] = pair else { return None };
        *byte = digit(high)? << 4 | digit(low)?;
    }
    Some(bytes)
}

/// Writes bytes as digits into the front of `out`, as far as it reaches.
pub(super) fn encode(bytes: &[u8], out: &mut [u8]) {
    let (fours, rest) = bytes.as_chunks();
    let (eights, behind) = out.as_chunks_mut();
    for (digits, &bytes) in eights.iter_mut().zip(fours) {
        *digits = eight(bytes);
    }
    if let ([byte], [high, low]) = (rest, behind) {
        let [.., one, other] = eight([0, 0, 0, *byte]);
        (*high, *low) = (one, other);
    }
}

/// The digits of four bytes, all at once: each half of a byte gets a byte of its own, and all become characters.
fn eight(bytes: [u8; 4]) -> [u8; 8] {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let spread = u64::from(u32::from_be_bytes(bytes));
    let spread = (spread | spread << 16) & 0x0000_ffff_0000_ffff;
    let spread = (spread | spread << 8) & 0x00ff_00ff_00ff_00ff;
    let spread = (spread | spread << 4) & 0x0f0f_0f0f_0f0f_0f0f;
    let letters = ((spread + 6 * EACH) >> 4) & EACH;
    (spread + EACH * u64::from(b'0') + letters * u64::from(b'a' - b'9' - 1)).to_be_bytes()
}

/// What one digit stands for.
pub(crate) fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_encoded_decodes() {
        let bytes: [u8; 256] = std::array::from_fn(|index| u8::try_from(index).unwrap());
        let mut text = [0; 512];
        encode(&bytes, &mut text);
        assert_eq!(decode::<256>(&text), Some(bytes));
    }

    #[test]
    fn only_lower_case_digits_of_the_right_number_decode() {
        for bad in ["", "a", "0g", "0A", "A0", " 0", "000", "0\u{e4}"] {
            assert_eq!(decode::<1>(bad.as_bytes()), None, "{bad:?}");
        }
        assert_eq!(decode(b"0a"), Some([10]));
    }
}

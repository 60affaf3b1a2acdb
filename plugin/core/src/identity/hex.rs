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
    for (pair, &byte) in out.chunks_exact_mut(2).zip(bytes) {
        if let [high, low] = pair {
            *high = character(byte >> 4);
            *low = character(byte & 0x0f);
        }
    }
}

/// What one digit stands for.
pub(crate) fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        _ => None,
    }
}

/// Computed, not looked up, so that many are written at once.
fn character(digit: u8) -> u8 {
    const FROM_NINE_TO_A: u8 = b'a' - b'9' - 1;
    b'0' + digit + if digit > 9 { FROM_NINE_TO_A } else { 0 }
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

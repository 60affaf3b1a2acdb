//! Percent-encoding, as servers for Python decode it: once, every escape, `%2F` too, and what is no escape
//! stays.

/// Decodes into the buffer. None if there is nothing to decode, or no room.
pub(crate) fn decode_into<'a>(bytes: &[u8], buffer: &'a mut [u8]) -> Option<&'a [u8]> {
    if !bytes.contains(&b'%') {
        return None;
    }
    let mut length = 0;
    for byte in Decoded::new(bytes) {
        *buffer.get_mut(length)? = byte;
        length += 1;
    }
    buffer.get(..length)
}

/// The bytes that percent-encoded ones stand for.
#[derive(Clone, Debug)]
pub(crate) struct Decoded<'a> {
    rest: &'a [u8],
}

impl<'a> Decoded<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// How many bytes have not been read.
    pub(crate) fn left(&self) -> usize {
        self.rest.len()
    }
}

impl Iterator for Decoded<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        if let [b'%', high, low, rest @ ..] = self.rest
            && let (Some(high), Some(low)) = (digit(*high), digit(*low))
        {
            self.rest = rest;
            return Some(high << 4 | low);
        }
        let (&byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(byte)
    }
}

/// What a hexadecimal digit of either case stands for.
pub(crate) fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_decoded_once_and_the_rest_stays() {
        let table: [(&str, &[u8]); 9] = [
            ("", b""),
            ("plain", b"plain"),
            ("a%20b", b"a b"),
            ("%2f%2F", b"//"),
            ("%2541", b"%41"),
            ("%", b"%"),
            ("%4", b"%4"),
            ("%zz%41", b"%zzA"),
            ("%ff", b"\xff"),
        ];
        for (text, expected) in table {
            assert_eq!(Decoded::new(text.as_bytes()).collect::<Vec<_>>(), expected, "{text}");
        }
    }

    #[test]
    fn what_does_not_fit_is_not_decoded() {
        assert_eq!(decode_into(b"%41bc", &mut [0; 2]), None);
        assert_eq!(decode_into(b"%41bc", &mut [0; 3]), Some(b"Abc".as_slice()));
        assert_eq!(decode_into(b"abc", &mut [0; 3]), None, "there is nothing to decode");
    }
}

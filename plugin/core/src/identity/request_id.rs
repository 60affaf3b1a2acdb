//! The request ID: a caller's safe token kept byte for byte, or a UUID.

use super::hex;
use crate::config::choice;
use crate::{Rng, Wall};

const LONGEST: usize = 128;

/// A request ID. Invariant: 1 to 128 visible ASCII characters, none of them a quote, a backslash, a
/// comma or a semicolon, so that it can stand unescaped in a header and in a log line.
#[derive(Clone, Copy)]
pub struct RequestId {
    text: [u8; LONGEST],
    length: u8,
}

choice! {
    /// What a minted request ID looks like.
    pub enum IdFormat {
        /// All random.
        Uuid4 = "uuid4",
        /// Begins with the time, so that IDs sort by it.
        Uuid7 = "uuid7",
    }
}

impl RequestId {
    /// Takes a token from outside, if it is a safe one.
    pub fn parse(token: &[u8]) -> Option<Self> {
        let safe = !token.is_empty() && token.iter().all(|&byte| is_safe(byte));
        let mut text = [0; LONGEST];
        text.get_mut(..token.len()).filter(|_| safe)?.copy_from_slice(token);
        Some(Self { text, length: u8::try_from(token.len()).ok()? })
    }

    /// A new one.
    pub fn mint(format: IdFormat, now: Wall, rng: &mut Rng) -> Self {
        let random = u128::from_be_bytes(rng.next_16());
        let (version, bits) = match format {
            IdFormat::Uuid4 => (4, random),
            IdFormat::Uuid7 => (7, u128::from(now.millis()) << 80 | random & ((1 << 80) - 1)),
        };
        Self::from_uuid(with_version(bits, version).to_be_bytes())
    }

    /// The ID as it travels.
    pub fn as_bytes(&self) -> &[u8] {
        self.text.get(..usize::from(self.length)).unwrap_or_default()
    }

    /// Writes 8-4-4-4-12 digits.
    fn from_uuid(bytes: [u8; 16]) -> Self {
        let mut digits = [0; 32];
        hex::encode(&bytes, &mut digits);
        let mut id = Self { text: [b'-'; LONGEST], length: 36 };
        let places = id.text.iter_mut().take(36).enumerate();
        let places = places.filter(|(index, _)| !matches!(index, 8 | 13 | 18 | 23));
        for ((_, place), digit) in places.zip(digits) {
            *place = digit;
        }
        id
    }
}

impl std::fmt::Debug for RequestId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&String::from_utf8_lossy(self.as_bytes()))
    }
}

fn is_safe(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'\\' | b',' | b';')
}

/// Sets the version, and the variant of RFC 9562.
fn with_version(bits: u128, version: u128) -> u128 {
    let bits = bits & !(0xf << 76) | version << 76;
    bits & !(0b11 << 62) | 0b10 << 62
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Wall = Wall(1_645_557_742_000_000_000);

    #[test]
    fn safe_tokens_are_kept_byte_for_byte() {
        let longest = "x".repeat(128);
        let tokens = ["a", "0192-Ab_c.d:e/f=g+h@i~", "{curly}", "#!$%&()*<>?[]^`|", &longest];
        for token in tokens {
            let id = RequestId::parse(token.as_bytes()).unwrap_or_else(|| panic!("{token}"));
            assert_eq!(id.as_bytes(), token.as_bytes());
        }
    }

    #[test]
    fn everything_else_is_refused() {
        let too_long = "x".repeat(129);
        let table: [(&str, &[u8]); 13] = [
            ("empty", b""),
            ("too long", too_long.as_bytes()),
            ("a space inside", b"a b"),
            ("a space in front", b" a"),
            ("a tab", b"a\tb"),
            ("a line break", b"a\r\nx-evil: 1"),
            ("a control byte", b"a\x01"),
            ("delete", b"a\x7f"),
            ("not ASCII", "ä".as_bytes()),
            ("not UTF-8", b"a\xff"),
            ("two joined", b"a,b"),
            ("a quote", b"a\"b"),
            ("a backslash", b"a\\b"),
        ];
        for (name, token) in table {
            assert!(RequestId::parse(token).is_none(), "{name}");
        }
    }

    #[test]
    fn minted_ones_are_uuids() {
        let mut rng = Rng::from_seed([1; 32]);
        for (format, version) in [(IdFormat::Uuid4, b'4'), (IdFormat::Uuid7, b'7')] {
            for _ in 0..1_000 {
                let id = RequestId::mint(format, NOW, &mut rng);
                let text = id.as_bytes();
                assert_eq!(text.len(), 36, "{id:?}");
                assert_eq!(text[14], version, "{id:?}");
                assert!(b"89ab".contains(&text[19]), "{id:?}");
                let dashes: Vec<_> = (0..36).filter(|&index| text[index] == b'-').collect();
                assert_eq!(dashes, [8, 13, 18, 23], "{id:?}");
                assert!(RequestId::parse(text).is_some(), "a minted ID is a valid one: {id:?}");
            }
        }
    }

    #[test]
    fn version_7_begins_with_the_time() {
        // The time of the example in RFC 9562, appendix A.6.
        let id = RequestId::mint(IdFormat::Uuid7, NOW, &mut Rng::from_seed([2; 32]));
        assert!(id.as_bytes().starts_with(b"017f22e2-79b0-7"), "{id:?}");
    }
}

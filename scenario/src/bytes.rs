//! What stands for bytes and for times in a scenario file.

use std::fmt;
use std::ops::Deref;
use std::time::Duration;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};
use sightline_core::config::Period;

/// Any bytes. In a file they are text, in which `\xHH` is a byte and `\\` a backslash.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(Vec<u8>);

impl Bytes {
    /// Reads the file's spelling; what is wrong with it, if it has an escape that is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut bytes = Vec::with_capacity(text.len());
        let mut parts = text.split('\\');
        bytes.extend_from_slice(parts.next().unwrap_or_default().as_bytes());
        while let Some(part) = parts.next() {
            if let Some(byte) = hex_escape(part) {
                bytes.push(byte);
                bytes.extend_from_slice(&part.as_bytes()[3..]);
            } else if part.is_empty() {
                // Two backslashes: what comes after the second is plain.
                let plain = parts.next().ok_or_else(|| bad_escape(text, part))?;
                bytes.push(b'\\');
                bytes.extend_from_slice(plain.as_bytes());
            } else {
                return Err(bad_escape(text, part));
            }
        }
        Ok(Self(bytes))
    }
}

fn hex_escape(part: &str) -> Option<u8> {
    let digits = part.strip_prefix('x')?.get(..2)?;
    let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_hex.then(|| u8::from_str_radix(digits, 16).ok())?
}

fn bad_escape(text: &str, part: &str) -> String {
    let shown: String = part.chars().take(3).collect();
    format!(
        "`\\{shown}` in `{text}` is no escape: write a byte as \\xHH and a backslash as two of them"
    )
}

impl From<&str> for Bytes {
    /// These bytes; nothing is an escape.
    fn from(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// As a transcript shows it: on one line, with `\xHH` for every byte that is not printable ASCII,
/// and two backslashes for one.
impl fmt::Display for Bytes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|&byte| match byte {
            b'\\' => out.write_str("\\\\"),
            0x20..=0x7e => write!(out, "{}", char::from(byte)),
            _ => write!(out, "\\x{byte:02x}"),
        })
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "\"{self}\"")
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(Text).and_then(|text| Self::parse(&text).map_err(D::Error::custom))
    }
}

struct Text;

impl Visitor<'_> for Text {
    type Value = String;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }
}

/// A time such as `250ms`.
pub(super) mod time {
    use super::{Deserialize, Deserializer, Duration, Error, Period};

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        let text = String::deserialize(from)?;
        // As in the filter's configuration.
        Period::new(&text).map(Period::as_duration).ok_or_else(|| {
            D::Error::custom(format!("`{text}` is not a duration: write it as in 250ms, 20s or 1m"))
        })
    }
}

/// A time, for keys that may be absent.
pub(super) mod optional_time {
    use super::{Deserializer, Duration, time};

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Duration>, D::Error> {
        time::deserialize(from).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stands_for_bytes() {
        for (name, text, bytes) in [
            ("nothing", "", &b""[..]),
            ("plain", "a b", b"a b"),
            ("beyond ASCII", "é", "é".as_bytes()),
            ("a byte", r"a\xffb", b"a\xffb"),
            ("bytes only", r"\x00\x0A", b"\0\n"),
            ("a backslash", r"a\\b", br"a\b"),
            ("a backslash before an x", r"\\x41", br"\x41"),
            ("a backslash before a byte", r"\\\x41", br"\A"),
            ("two backslashes", r"\\\\", br"\\"),
        ] {
            assert_eq!(&*Bytes::parse(text).unwrap(), bytes, "{name}");
        }
    }

    #[test]
    fn an_escape_that_is_none_is_named() {
        for (text, named) in
            [(r"a\n", r"`\n`"), (r"\x4", r"`\x4`"), (r"\xgg1", r"`\xgg`"), (r"\", r"`\`")]
        {
            let refused = Bytes::parse(text).unwrap_err();
            assert!(refused.starts_with(named) && refused.contains(text), "{text}: {refused}");
        }
    }

    #[test]
    fn what_is_shown_can_be_read_again() {
        for bytes in [&b"plain"[..], b"\0\xff\n", br"\x41", b"\\"] {
            let shown = Bytes::from(bytes.to_vec()).to_string();
            assert!(shown.bytes().all(|byte| (0x20..0x7f).contains(&byte)), "{shown}");
            assert_eq!(&*Bytes::parse(&shown).unwrap(), bytes, "{shown}");
        }
    }
}

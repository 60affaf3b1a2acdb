//! Trace and span IDs: random bytes that are never all zeros.

use super::hex;
use crate::Rng;

/// The ID of a trace. Invariant: not all zeros, which the standard keeps for "none".
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TraceId([u8; 16]);

/// The ID of a span. Invariant: not all zeros.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SpanId([u8; 8]);

impl TraceId {
    /// The ID with these bytes; none if they are all zeros.
    pub fn from_bytes(bytes: [u8; 16]) -> Option<Self> {
        (bytes != [0; 16]).then_some(Self(bytes))
    }

    /// A new one, all of it random.
    pub fn mint(rng: &mut Rng) -> Self {
        loop {
            if let Some(id) = Self::from_bytes(rng.next_16()) {
                return id;
            }
        }
    }

    /// The 56 bits that sampling goes by.
    pub fn randomness(self) -> u64 {
        let [.., a, b, c, d, e, f, g] = self.0;
        u64::from_be_bytes([0, a, b, c, d, e, f, g])
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The 32 digits.
    pub fn to_hex(self) -> [u8; 32] {
        let mut text = [0; 32];
        hex::encode(&self.0, &mut text);
        text
    }

    pub(super) fn from_hex(text: &[u8]) -> Option<Self> {
        Self::from_bytes(hex::decode(text)?)
    }
}

impl SpanId {
    /// The ID with these bytes; none if they are all zeros.
    pub fn from_bytes(bytes: [u8; 8]) -> Option<Self> {
        (bytes != [0; 8]).then_some(Self(bytes))
    }

    /// A new one, all of it random.
    pub fn mint(rng: &mut Rng) -> Self {
        loop {
            if let Some(id) = Self::from_bytes(rng.next_8()) {
                return id;
            }
        }
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The 16 digits.
    pub fn to_hex(self) -> [u8; 16] {
        let mut text = [0; 16];
        hex::encode(&self.0, &mut text);
        text
    }

    pub(super) fn from_hex(text: &[u8]) -> Option<Self> {
        Self::from_bytes(hex::decode(text)?)
    }
}

impl std::fmt::Debug for TraceId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.to_hex()))
    }
}

impl std::fmt::Debug for SpanId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.to_hex()))
    }
}

//! A quick hasher for keys that no client can add to a table without bound.
//!
//! The standard library's asks the host for randomness and takes many times as long; its resistance
//! against chosen keys has nothing to resist where a table is small, or filled by a configuration.

use std::hash::Hasher;

/// Multiplies what comes by 2^64 divided by the golden ratio: neighbours land far apart.
#[derive(Default)]
pub struct Quick(u64);

impl Hasher for Quick {
    #[inline]
    fn finish(&self) -> u64 {
        // The table takes its group from the low bits and its tag from the high ones.
        self.0 ^ self.0 >> 32
    }

    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let (words, tail) = bytes.as_chunks::<8>();
        for word in words {
            self.write_u64(u64::from_le_bytes(*word));
        }
        // The length is in it, or a zero at the end would not show.
        let tail = tail.iter().fold(0, |tail, &byte| tail << 8 | u64::from(byte));
        self.write_u64(tail.rotate_left(8) ^ bytes.len() as u64);
    }

    #[inline]
    fn write_u16(&mut self, number: u16) {
        self.write_u64(number.into());
    }

    #[inline]
    fn write_u32(&mut self, number: u32) {
        self.write_u64(number.into());
    }

    #[inline]
    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(5) ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    #[inline]
    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }
}

//! The request ID: any bytes as a caller's token, and as the seed and the time of a minted one.
//!
//! What is accepted must be byte for byte what came, and what the contract allows. What is minted must be a
//! UUID of its version, and a token that the next proxy keeps.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sightline_core::identity::{IdFormat, RequestId};
use sightline_core::{Rng, Wall};

/// All that may be in a token: what is visible in ASCII, but for quotes, backslash, comma and semicolon.
const SAFE: &str =
    "!#$%&()*+-./0123456789:<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz{|}~";

fuzz_target!(|input: &[u8]| {
    let is_safe =
        (1..=128).contains(&input.len()) && input.iter().all(|byte| SAFE.as_bytes().contains(byte));
    let read = RequestId::parse(input);
    assert_eq!(read.is_some(), is_safe, "{}", input.escape_ascii());
    assert!(read.is_none_or(|read| read.as_bytes() == input));
    let mut seed = [0; 32];
    seed.iter_mut().zip(input).for_each(|(place, &byte)| *place = byte);
    let time = input.first_chunk().map_or(0, |time| u64::from_le_bytes(*time));
    for (format, version) in [(IdFormat::Uuid4, 4), (IdFormat::Uuid7, 7)] {
        let id = RequestId::mint(format, Wall(time), &mut Rng::from_seed(seed));
        is_uuid(id.as_bytes(), version);
        assert!(
            RequestId::parse(id.as_bytes()).is_some_and(|kept| kept.as_bytes() == id.as_bytes())
        );
        if version == 7 {
            let digits = format!("{:012x}", Wall(time).millis());
            let begins = format!("{}-{}", &digits[..8], &digits[8..]);
            assert!(id.as_bytes().starts_with(begins.as_bytes()), "{id:?} at {digits}");
        }
    }
});

fn is_uuid(text: &[u8], version: u32) {
    let text = str::from_utf8(text).expect("it is ASCII");
    let groups: Vec<&str> = text.split('-').collect();
    assert_eq!(groups.iter().map(|group| group.len()).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
    let bits = u128::from_str_radix(&groups.concat(), 16).expect("it is digits");
    assert_eq!(text, text.to_lowercase());
    assert_eq!((bits >> 76 & 0xf, bits >> 62 & 0b11), (version.into(), 0b10), "{text}");
}

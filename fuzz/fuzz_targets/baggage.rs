//! The `baggage` header: any bytes as the values of several headers.
//!
//! The first byte says how often all of them are sent (`0` for once, up to `3` for four times), so that the
//! bounds are in reach. What is left of the first line is the wanted keys, with commas between, and each
//! further line the value of a header. The reader must agree with a model that works on strings, one wanted
//! key after the other.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sightline_core::identity::read_baggage;

fuzz_target!(|input: &[u8]| {
    let Some((first, input)) = input.split_first() else { return };
    let mut lines = input.split(|&byte| byte == b'\n');
    let wanted = String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
    // Whoever wants a key twice gets it once, so that is not wanted here.
    let mut keys: Vec<String> = Vec::new();
    for key in wanted.split(',') {
        if !keys.iter().any(|other| other == key) {
            keys.push(key.to_owned());
        }
    }
    let headers = lines.collect::<Vec<_>>().repeat(usize::from(first & 3) + 1);
    let found = read_baggage(headers.iter().copied(), &keys);
    let members = members(&headers);
    let expected = keys.iter().enumerate().filter_map(|(index, key)| {
        let (_, value) = members.iter().find(|(other, _)| other == key)?;
        Some((index, readable(value).into_bytes()))
    });
    assert_eq!(found, expected.collect::<Vec<_>>(), "{}", input.escape_ascii());
});

/// All valid ones, by the bounds of 8,192 bytes and 64 members over all headers.
fn members(headers: &[&[u8]]) -> Vec<(String, String)> {
    // A character for each byte: what is not ASCII is in no valid member.
    let joined: String = headers.join(&b',').into_iter().map(char::from).collect();
    let mut end = 0;
    let mut read = Vec::new();
    for member in joined.split(',') {
        end += member.chars().count();
        if end <= 8_192 {
            read.push(member.trim_matches([' ', '\t']));
        }
        end += 1;
    }
    read.retain(|member| !member.is_empty());
    read.truncate(64);
    read.into_iter().filter_map(valid).collect()
}

fn valid(member: &str) -> Option<(String, String)> {
    let (pair, properties) = member.split_once(';').unwrap_or((member, "p"));
    let is_property = |it: &str| it.contains('=') && read_pair(it).is_some() || is_token(blank(it));
    let pair = read_pair(pair)?;
    properties.split(';').all(is_property).then_some(pair)
}

fn read_pair(text: &str) -> Option<(String, String)> {
    let (key, value) = text.split_once('=')?;
    let (key, value) = (blank(key), blank(value));
    let is_sound = |it: char| ('!'..='~').contains(&it) && !"\"\\".contains(it);
    (is_token(key) && value.chars().all(is_sound)).then(|| (key.to_owned(), value.to_owned()))
}

fn is_token(text: &str) -> bool {
    let forbidden = "\"(),/:;<=>?@[\\]{}";
    let is_sound = |it: char| ('!'..='~').contains(&it) && !forbidden.contains(it);
    !text.is_empty() && text.chars().all(is_sound)
}

fn blank(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// Escapes are replaced where they stand, each once.
fn readable(value: &str) -> String {
    let mut bytes = value.as_bytes().to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let digits = bytes.get(at + 1..at + 3).and_then(|it| str::from_utf8(it).ok());
        let digits =
            digits.filter(|it| bytes[at] == b'%' && it.chars().all(|it| it.is_ascii_hexdigit()));
        if let Some(byte) = digits.and_then(|it| u8::from_str_radix(it, 16).ok()) {
            bytes.splice(at..at + 3, [byte]);
        }
        at += 1;
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    if text.len() <= 1_024 {
        return text;
    }
    let mut kept = String::new();
    for character in text.chars() {
        if kept.len() + character.len_utf8() > 1_024 {
            break;
        }
        kept.push(character);
    }
    kept + "…"
}

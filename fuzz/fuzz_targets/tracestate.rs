//! The `tracestate` header: any bytes as its value, and a member to write in front.
//!
//! The first line is the member, what is behind it the value. The reader must agree with a model that works
//! on text and allocates. What is written must say what was read, with the member in front, be valid again,
//! and be written the same again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sightline_core::identity::Tracestate;

type Members = Vec<(String, String)>;

fuzz_target!(|input: &[u8]| {
    let mut parts = input.splitn(2, |&byte| byte == b'\n');
    let (ours, value) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let read = Tracestate::parse(value);
    let expected = model(value);
    assert_eq!(read.is_ok(), expected.is_some(), "{read:?} of {}", value.escape_ascii());
    if let (Ok(read), Some(expected)) = (read, expected) {
        says(read, &expected);
        is_written(read, &expected, ours);
    }
});

fn says(read: Tracestate<'_>, expected: &Members) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("it is ASCII");
    let members: Members = read.members().map(|(key, value)| (text(key), text(value))).collect();
    assert_eq!(members, *expected);
    assert_eq!(read.is_empty(), members.is_empty());
    for (key, value) in expected {
        assert_eq!(read.value_of(key.as_bytes()), Some(value.as_bytes()), "{key}");
    }
}

fn is_written(read: Tracestate<'_>, members: &Members, ours: &[u8]) {
    let mut halves = ours.splitn(2, |&byte| byte == b'=');
    let (key, value) = (halves.next().unwrap_or_default(), halves.next());
    let mut out = Vec::new();
    read.write_with(key, value, &mut out);
    // It is a member if it reads as itself, and not with something around it cut off.
    let is_itself = |it: &Members| match &it[..] {
        [(read_key, read)] => read_key.as_bytes() == key && Some(read.as_bytes()) == value,
        _ => false,
    };
    let mut expected = model(ours).filter(is_itself).unwrap_or_default();
    expected.extend(members.iter().filter(|(other, _)| other.as_bytes() != key).cloned());
    expected.truncate(32);
    let again = Tracestate::parse(&out).expect("what is written is valid");
    says(again, &expected);
    let mut twice = Vec::new();
    again.write_with(b"", None, &mut twice);
    assert_eq!(twice, out);
}

fn model(value: &[u8]) -> Option<Members> {
    let value = str::from_utf8(value).ok()?;
    let members = value.split(',').map(|member| member.trim_matches([' ', '\t']));
    let members: Vec<&str> = members.filter(|member| !member.is_empty()).collect();
    let mut read = Members::new();
    for member in &members {
        let (key, value) = member.split_once('=')?;
        if !is_key(key) || !is_value(value) {
            return None;
        }
        if !read.iter().any(|(other, _)| other == key) {
            read.push((key.to_owned(), value.to_owned()));
        }
    }
    (members.len() <= 32).then_some(read)
}

fn is_key(key: &str) -> bool {
    let plain = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit();
    let all = key.chars().all(|it| plain(it) || "_-*/@".contains(it));
    all && key.starts_with(plain) && key.len() <= 256
}

fn is_value(value: &str) -> bool {
    let all = value.chars().all(|it| (' '..='~').contains(&it) && it != '=');
    all && !value.is_empty() && !value.ends_with(' ') && value.len() <= 256
}

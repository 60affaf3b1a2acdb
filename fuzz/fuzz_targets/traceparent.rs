//! The `traceparent` header: any bytes as its value.
//!
//! The reader must agree with a model that works on text and knows no offsets. What is accepted must say
//! what the header said, and be written as a header that says the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sightline_core::identity::Traceparent;

fuzz_target!(|input: &[u8]| {
    let read = Traceparent::parse(input).ok();
    assert_eq!(read.map(said), model(input), "{}", input.escape_ascii());
    let Some(read) = read else { return };
    let written = read.to_header();
    assert_eq!(Traceparent::parse(&written), Ok(read), "read again");
    assert_eq!(read.flags.is_sampled(), read.flags.with_sampled(true) == read.flags);
    let written = str::from_utf8(&written).expect("it is ASCII");
    let (trace_id, span_id, flags) = said(read);
    assert_eq!(written, format!("00-{trace_id}-{span_id}-{flags:02x}"));
});

fn said(read: Traceparent) -> (String, String, u8) {
    let text = |digits: &[u8]| String::from_utf8(digits.to_vec()).expect("they are ASCII");
    let flags = u8::from_str_radix(&text(&read.flags.to_hex()), 16).expect("they are digits");
    (text(&read.trace_id.to_hex()), text(&read.span_id.to_hex()), flags)
}

/// The parts between dashes. Behind them a later version may say more.
fn model(input: &[u8]) -> Option<(String, String, u8)> {
    // A character for each byte: what a later version may say need not be text.
    let text: String = input.iter().copied().map(char::from).collect();
    let text = text.trim_matches([' ', '\t', '\n', '\r', '\u{c}']);
    let parts: Vec<&str> = text.splitn(5, '-').collect();
    let &[version, trace_id, span_id, flags, ref more @ ..] = &parts[..] else { return None };
    let is_hex = |part: &str| part.chars().all(|it| "0123456789abcdef".contains(it));
    let is_id = |part: &str, length| part.len() == length && part.contains(|digit| digit != '0');
    let is_sound = [version, trace_id, span_id, flags].into_iter().all(is_hex)
        && (version.len(), flags.len()) == (2, 2)
        && version != "ff"
        && (version != "00" || more.is_empty())
        && is_id(trace_id, 32)
        && is_id(span_id, 16);
    let flags = u8::from_str_radix(flags, 16).ok().filter(|_| is_sound)?;
    Some((trace_id.to_owned(), span_id.to_owned(), flags & 3))
}

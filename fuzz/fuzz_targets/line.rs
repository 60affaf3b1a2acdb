//! The access log: any bytes as a request, a response and what the host says of them.
//!
//! The first line of the input is what the host knows, and each further one a header: of the request, until a line
//! is empty, and then of the response. Whatever they are, there is one line in each format, which is what its readers
//! expect and has nothing in it that acts instead of showing; and one log record whose texts are UTF-8, or a
//! collector would refuse it with all others of its batch.

#![no_main]

use std::collections::BTreeSet;
use std::iter::Peekable;
use std::str::Chars;

use libfuzzer_sys::fuzz_target;
use sightline_core::log::write_line;
use sightline_core::otlp::write_log_record;
use sightline_core::route::{Route, Scratch};
use sightline_core::sampling::Budget;
use sightline_core::{
    Direction, Exchange, Flags, Moment, Monotonic, Observation, Pair, Place, Plan, Rng, Tracing,
    Wall, Witness, config,
};

const FORMATS: [&str; 3] = ["json", "ecs", "logfmt"];

/// No value is longer, path and query twice that; and a header's may be written in up to six bytes each.
const LONGEST_LINE: usize = 160_000;

thread_local! {
    /// One for each format, in a place whose names are hostile too.
    static PLANS: [Plan; 3] = FORMATS.map(plan);
}

fn plan(format: &str) -> Plan {
    let said = format!(
        r#"{{"service": {{"name": "a \"b\" \u202e="}}, "trace": {{"baggage": ["k", "tenant"]}},
            "export": {{"cluster": "c"}}, "access_log": {{"format": "{format}", "otlp": true,
            "request_headers": ["a", "x-tenant", "host"], "response_headers": ["b", "server"]}}}}"#
    );
    let place = Place { pod: Some("p\u{2028}\n\" =".to_owned()), ..Place::default() };
    let settings = config::read(said.as_bytes()).unwrap_or_else(|problems| panic!("{problems}"));
    Plan::new(&settings, &place)
}

/// The beginning of the input, in the place of a host.
struct Host<'a>(&'a [u8]);

impl Witness for Host<'_> {
    fn flags(&self) -> Flags {
        Flags(self.0.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes)))
    }

    fn grpc_status(&self) -> Option<u32> {
        self.0.first().map(|&byte| byte.into())
    }

    fn peer(&self) -> Option<Box<[u8]>> {
        Some(self.0.into())
    }

    fn protocol(&self) -> Option<Box<[u8]>> {
        Some(self.0.into())
    }

    fn upstream(&self) -> Option<Box<[u8]>> {
        Some(self.0.into())
    }

    fn details(&self) -> Option<Box<[u8]>> {
        Some(self.0.into())
    }

    fn request_bytes(&self) -> Option<u64> {
        self.0.first_chunk().map(|bytes| u64::from_be_bytes(*bytes))
    }

    fn response_bytes(&self) -> Option<u64> {
        Some(u64::MAX)
    }
}

fuzz_target!(|input: &[u8]| {
    let mut lines = input.split(|&byte| byte == b'\n');
    let host = Host(lines.next().unwrap_or_default());
    let request: Vec<_> =
        lines.by_ref().take_while(|line| !line.is_empty()).filter_map(pair).collect();
    let response: Vec<_> = lines.filter_map(pair).collect();
    PLANS.with(|plans| {
        for (format, plan) in FORMATS.iter().zip(plans) {
            observe(plan, &request, &response, &host, |observation| {
                let mut out = Vec::new();
                write_line(observation, plan, &mut out);
                is_one_line(&out, format);
                for direction in [Direction::Inbound, Direction::Outbound] {
                    let mut out = Vec::new();
                    write_log_record(observation, direction, plan, &mut out);
                    is_record(&out);
                }
            });
        }
    });
});

/// A name, `: ` and a value. A name that begins with a colon has it in front.
fn pair(line: &[u8]) -> Option<Pair<'_>> {
    let colon = line.iter().skip(1).position(|&byte| byte == b':')? + 1;
    let (name, value) = line.split_at(colon);
    Some((name, value.get(1..).unwrap_or_default().trim_ascii_start()))
}

fn observe(
    plan: &Plan,
    request: &[Pair<'_>],
    response: &[Pair<'_>],
    host: &Host<'_>,
    look: impl FnOnce(&Observation<'_>),
) {
    let now = Moment { wall: Wall(1_800_000_000_123_456_789), monotonic: Monotonic(0) };
    let (mut rng, mut scratch) = (Rng::from_seed([3; 32]), Scratch::default());
    let pairs = request.iter().copied();
    let mut exchange = Exchange::begin(pairs, now, &mut rng, &mut scratch, plan, Tracing::Own);
    if !response.is_empty() {
        exchange.respond(response.iter().copied(), Monotonic(1_500_000), plan);
    }
    let (route, budget) = (Route::UNMATCHED, &mut Budget::default());
    look(&exchange.finish(Monotonic(2_000_999), route, plan, budget, host));
}

fn is_one_line(line: &[u8], format: &str) {
    let line = str::from_utf8(line).expect("UTF-8");
    assert!(line.len() < LONGEST_LINE, "{} bytes", line.len());
    assert!(!line.chars().any(acts), "{line:?}");
    let names = if format == "logfmt" { logfmt(line) } else { json(line) };
    let count = names.len();
    let names: BTreeSet<_> = names.into_iter().collect();
    assert_eq!(names.len(), count, "a name twice: {line}");
    let ids = if format == "ecs" { ["trace.id", "span.id"] } else { ["trace_id", "span_id"] };
    assert!(ids.iter().all(|&id| names.contains(id)), "{line}");
}

/// Controls, separators, and what changes direction or presence: by ranges, from Unicode's tables.
fn acts(it: char) -> bool {
    let it = u32::from(it);
    let ranges = [
        (0, 0x1f),
        (0x7f, 0x9f),
        (0x61c, 0x61c),
        (0x200b, 0x200f),
        (0x2028, 0x202e),
        (0x2060, 0x206f),
        (0xfeff, 0xfeff),
        (0xe0000, 0xe007f),
    ];
    ranges.iter().any(|&(first, last)| (first..=last).contains(&it))
}

/// The names of an object, without those within; a panic where it is none by the letter.
fn json(line: &str) -> Vec<String> {
    let mut rest = line.chars().peekable();
    let names = object(&mut rest);
    assert_eq!(rest.next(), None, "{line}");
    names
}

fn object(rest: &mut Peekable<Chars<'_>>) -> Vec<String> {
    let mut names = Vec::new();
    expect(rest, '{');
    loop {
        names.push(string(rest));
        expect(rest, ':');
        match rest.peek() {
            Some('"') => _ = string(rest),
            Some('{') => {
                let mut inner = object(rest);
                let count = inner.len();
                inner.sort();
                inner.dedup();
                assert_eq!(inner.len(), count, "a name twice: {inner:?}");
            }
            _ => scalar(rest),
        }
        match rest.next() {
            Some(',') => {}
            Some('}') => return names,
            other => panic!("{other:?} behind a value"),
        }
    }
}

fn string(rest: &mut Peekable<Chars<'_>>) -> String {
    let mut text = Vec::new();
    expect(rest, '"');
    loop {
        let character = rest.next().expect("a string ends");
        match character {
            '"' => return String::from_utf16(&text).expect("no half of a pair"),
            '\\' => text.push(escape(rest)),
            _ => text.extend_from_slice(character.encode_utf16(&mut [0; 2])),
        }
    }
}

fn escape(rest: &mut Peekable<Chars<'_>>) -> u16 {
    match rest.next().expect("an escape") {
        it @ ('"' | '\\') => u16::try_from(it).expect("ASCII"),
        'n' => 10,
        'r' => 13,
        't' => 9,
        'u' => {
            let digits: String = rest.by_ref().take(4).collect();
            assert_eq!(digits.len(), 4);
            u16::from_str_radix(&digits, 16).expect("hexadecimal digits")
        }
        other => panic!("no escape: {other:?}"),
    }
}

/// A number, or true or false.
fn scalar(rest: &mut Peekable<Chars<'_>>) {
    let mut text = String::new();
    while let Some(it) = rest.next_if(|it| it.is_ascii_alphanumeric() || *it == '.') {
        text.push(it);
    }
    let is_number = text.parse::<f64>().is_ok() && text.starts_with(|it: char| it.is_ascii_digit());
    let has_no_zero = !text.starts_with('0') || text == "0" || text.starts_with("0.");
    assert!(is_number && has_no_zero || text == "true" || text == "false", "{text:?}");
}

fn expect(rest: &mut Peekable<Chars<'_>>, wanted: char) {
    assert_eq!(rest.next(), Some(wanted));
}

/// The names of a line of logfmt; a panic where a value could be taken for another field.
fn logfmt(line: &str) -> Vec<String> {
    let mut rest = line.chars().peekable();
    let mut names = Vec::new();
    loop {
        let mut name = String::new();
        while let Some(it) = rest.next_if(|it| !matches!(it, '=' | ' ' | '"')) {
            name.push(it);
        }
        assert!(!name.is_empty(), "{line}");
        names.push(name);
        expect(&mut rest, '=');
        if rest.peek() == Some(&'"') {
            string(&mut rest);
        } else {
            let mut length = 0;
            while rest.next_if(|it| !matches!(it, '=' | ' ' | '"' | '\\')).is_some() {
                length += 1;
            }
            assert!(length > 0, "{line}");
        }
        match rest.next() {
            Some(' ') => {}
            None => return names,
            other => panic!("{other:?} behind a value: {line}"),
        }
    }
}

/// One `LogRecord` as field 2, with known fields in it, each attribute once.
fn is_record(mut bytes: &[u8]) {
    let mut record = message(&mut bytes, 2);
    assert!(bytes.is_empty());
    let mut keys = BTreeSet::new();
    while !record.is_empty() {
        let tag = varint(&mut record);
        match (tag >> 3, tag & 7) {
            (2, 0) => _ = varint(&mut record),
            (1 | 11, 1) => _ = take(&mut record, 8),
            (8, 5) => _ = take(&mut record, 4),
            (3, 2) => _ = text(delimited(&mut record)),
            (5, 2) => is_value(delimited(&mut record)),
            (9, 2) => assert_eq!(delimited(&mut record).len(), 16),
            (10, 2) => assert_eq!(delimited(&mut record).len(), 8),
            (6, 2) => {
                let mut pair = delimited(&mut record);
                let key = text(message(&mut pair, 1));
                assert!(keys.insert(key), "{key} is there twice");
                is_value(message(&mut pair, 2));
                assert!(pair.is_empty());
            }
            other => panic!("no field of a log record: {other:?}"),
        }
    }
}

fn is_value(mut any: &[u8]) {
    let tag = varint(&mut any);
    match (tag >> 3, tag & 7) {
        (1, 2) => _ = text(delimited(&mut any)),
        (2 | 3, 0) => _ = varint(&mut any),
        (4, 1) => _ = take(&mut any, 8),
        (5, 2) => {
            let mut list = delimited(&mut any);
            is_value(message(&mut list, 1));
            assert!(list.is_empty());
        }
        other => panic!("no value that anybody writes: {other:?}"),
    }
    assert!(any.is_empty());
}

fn message<'a>(bytes: &mut &'a [u8], number: u64) -> &'a [u8] {
    assert_eq!(varint(bytes), number << 3 | 2);
    delimited(bytes)
}

fn delimited<'a>(bytes: &mut &'a [u8]) -> &'a [u8] {
    let length = varint(bytes);
    take(bytes, usize::try_from(length).expect("a length"))
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> &'a [u8] {
    let (taken, rest) = bytes.split_at(length);
    *bytes = rest;
    taken
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let [byte] = take(bytes, 1) else { unreachable!("one byte was asked for") };
        number |= u64::from(byte & 0x7f) << shift;
        if *byte < 0x80 {
            return number;
        }
    }
    panic!("a number without an end");
}

fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).expect("UTF-8")
}

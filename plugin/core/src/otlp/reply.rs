//! What a collector's answer means for the batch that it was given.
//!
//! A collector may be anything that listens there, so whatever it says is read, and nothing it says is
//! believed further than it costs: at worst a batch is lost, or sent again later.

use std::time::Duration;

use super::retry_after;
use crate::Wall;
use crate::log::is_unsafe;
use crate::wire::{Field, next_field};

/// How much of what a collector says is kept, in bytes.
const LONGEST_MESSAGE: usize = 200;

/// What becomes of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The collector has it, but for some items.
    Accepted {
        /// How many items it did not take, by its own account: perhaps more than it was sent.
        rejected: u64,
    },
    /// It is to be sent again.
    Retry {
        /// Not before this time has passed, if the collector asks for it.
        after: Option<Duration>,
    },
    /// It is never to be sent again.
    Refused,
}

/// A collector's answer, or that there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// What becomes of the batch.
    pub verdict: Verdict,
    /// What the collector says of it, for people: on one line, and of at most 200 bytes. Mostly nothing.
    pub message: String,
}

/// What an answer over HTTP means. There is no status where nothing answered.
#[inline(never)]
pub fn of_http(status: Option<u16>, retry_after: Option<&[u8]>, body: &[u8], now: Wall) -> Reply {
    match status {
        Some(200..=299) => taken(body),
        Some(429 | 502 | 503 | 504) | None => {
            let after = retry_after.and_then(|value| retry_after::parse(value, now));
            Reply::new(Verdict::Retry { after }, status_message(body))
        }
        Some(_) => Reply::new(Verdict::Refused, status_message(body)),
    }
}

/// What a gRPC response means that came with a message.
pub fn of_grpc_message(body: &[u8]) -> Reply {
    taken(body)
}

/// What the end of a gRPC call means, by its status.
pub fn of_grpc_status(code: u32, message: &[u8]) -> Reply {
    let verdict = match code {
        0 => Verdict::Accepted { rejected: 0 },
        // Cancelled, deadline exceeded, aborted, out of range, unavailable, data loss: OTLP's table. Resource
        // exhausted is in it only together with details that the host does not show.
        1 | 4 | 10 | 11 | 14 | 15 => Verdict::Retry { after: None },
        _ => Verdict::Refused,
    };
    Reply::new(verdict, message)
}

impl Reply {
    fn new(verdict: Verdict, message: &[u8]) -> Self {
        Self { verdict, message: one_line(message) }
    }
}

/// A success, with what was not taken, if anything.
fn taken(body: &[u8]) -> Reply {
    match partial_success(body) {
        Some((rejected, message)) => Reply::new(Verdict::Accepted { rejected }, message),
        None => Reply::new(Verdict::Accepted { rejected: 0 }, b"the answer is not one of OTLP's"),
    }
}

/// `Export…Response { PartialSuccess { int64 rejected = 1; string error_message = 2 } 1 }`, for all signals.
///
/// The last one says what holds, and a negative number is none.
fn partial_success(mut body: &[u8]) -> Option<(u64, &[u8])> {
    let (mut rejected, mut message) = (0, [].as_slice());
    while !body.is_empty() {
        let (1, Field::Bytes(mut partial)) = next_field(&mut body)? else { continue };
        while !partial.is_empty() {
            match next_field(&mut partial)? {
                (1, Field::Varint(number)) => {
                    rejected = number.cast_signed().max(0).cast_unsigned();
                }
                (2, Field::Bytes(text)) => message = text,
                _ => {}
            }
        }
    }
    Some((rejected, message))
}

/// What an error's body says: the message of a `google.rpc.Status`, or all of it, where something else than a
/// collector has answered.
fn status_message(body: &[u8]) -> &[u8] {
    let (mut rest, mut message) = (body, None);
    while !rest.is_empty() {
        match next_field(&mut rest) {
            Some((2, Field::Bytes(text))) => message = Some(text),
            Some(_) => {}
            None => return body,
        }
    }
    message.unwrap_or_default()
}

/// A text that a log can hold: cut on a character's border, with a space for what acts instead of showing.
fn one_line(text: &[u8]) -> String {
    let mut line = String::new();
    for chunk in text.utf8_chunks() {
        let replaced = (!chunk.invalid().is_empty()).then_some('\u{fffd}');
        for character in chunk.valid().chars().chain(replaced) {
            if line.len() + character.len_utf8() > LONGEST_MESSAGE {
                return line;
            }
            line.push(if is_unsafe(character) { ' ' } else { character });
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `ExportTraceServiceResponse` by Python's opentelemetry-proto: 3 spans rejected, "too old".
    const PARTIAL: &[u8] = b"\x0a\x0b\x08\x03\x12\x07too old";
    /// `google.rpc.Status` by Python's googleapis-common-protos: code 3, "bad span".
    const STATUS: &[u8] = b"\x08\x03\x12\x08bad span";
    const NONSENSE: &str = "the answer is not one of OTLP's";
    const NOW: Wall = Wall(784_111_770_000_000_000);

    /// A name, what a response has of status and `Retry-After`, and what comes of it.
    type Said = (&'static str, Option<u16>, Option<&'static [u8]>, Verdict);

    fn reply(verdict: Verdict, message: &str) -> Reply {
        Reply { verdict, message: message.to_owned() }
    }

    #[test]
    fn what_a_success_says_is_read() {
        let accepted = |rejected, message| reply(Verdict::Accepted { rejected }, message);
        let table: [(&str, &[u8], Reply); 15] = [
            ("all taken", b"", accepted(0, "")),
            ("an empty partial success", b"\x0a\x00", accepted(0, "")),
            ("some rejected", PARTIAL, accepted(3, "too old")),
            ("a warning alone", b"\x0a\x08\x12\x06use v2", accepted(0, "use v2")),
            (
                "a negative number is none",
                b"\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
                accepted(0, ""),
            ),
            (
                "the largest number",
                b"\x0a\x0a\x08\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
                accepted(i64::MAX.cast_unsigned(), ""),
            ),
            ("the last one holds", b"\x0a\x02\x08\x01\x0a\x02\x08\x02", accepted(2, "")),
            ("two are merged", b"\x0a\x02\x08\x01\x0a\x03\x12\x01x", accepted(1, "x")),
            (
                "unknown fields of all kinds",
                b"\x10\x01\x19--------\x22\x01-\x2d----\x0a\x0d\x18\x01\x08\x03\x21--------",
                accepted(3, ""),
            ),
            (
                "a known field of another type is unknown",
                b"\x08\x05\x0a\x03\x0a\x01-",
                accepted(0, ""),
            ),
            ("JSON", b"{\"partialSuccess\":{}}", accepted(0, NONSENSE)),
            ("a page", b"<html>", accepted(0, NONSENSE)),
            ("half a message", &PARTIAL[..12], accepted(0, NONSENSE)),
            ("half a message inside", b"\x0a\x02\x12\x07", accepted(0, NONSENSE)),
            ("a group", b"\x0b\x0c", accepted(0, NONSENSE)),
        ];
        for (name, body, expected) in table {
            assert_eq!(of_grpc_message(body), expected, "{name}");
            assert_eq!(of_http(Some(200), None, body, NOW), expected, "{name}");
        }
    }

    #[test]
    fn what_comes_of_a_batch_is_in_the_status() {
        let later = |seconds| Verdict::Retry { after: Some(Duration::from_secs(seconds)) };
        let soon = Verdict::Retry { after: None };
        let table: [Said; 22] = [
            ("no answer", None, None, soon),
            ("accepted", Some(202), None, Verdict::Accepted { rejected: 0 }),
            ("no content", Some(204), None, Verdict::Accepted { rejected: 0 }),
            ("a redirect", Some(301), None, Verdict::Refused),
            ("a bad request", Some(400), None, Verdict::Refused),
            ("unauthorized", Some(401), None, Verdict::Refused),
            ("no such path", Some(404), None, Verdict::Refused),
            ("a timeout of its own", Some(408), None, Verdict::Refused),
            ("too large", Some(413), None, Verdict::Refused),
            ("too many requests", Some(429), None, soon),
            ("too many, and when", Some(429), Some(b"7"), later(7)),
            ("an error", Some(500), None, Verdict::Refused),
            ("an error and when, which changes nothing", Some(500), Some(b"7"), Verdict::Refused),
            ("not implemented", Some(501), None, Verdict::Refused),
            ("a bad gateway", Some(502), None, soon),
            ("unavailable", Some(503), None, soon),
            ("unavailable until", Some(503), Some(b"Sun, 06 Nov 1994 08:49:37 GMT"), later(7)),
            ("unavailable for long", Some(503), Some(b"86400"), later(600)),
            ("unavailable until who knows", Some(503), Some(b"soon"), soon),
            ("a gateway's timeout", Some(504), None, soon),
            ("no status there is", Some(0), None, Verdict::Refused),
            ("nor this", Some(u16::MAX), None, Verdict::Refused),
        ];
        for (name, status, retry_after, expected) in table {
            assert_eq!(of_http(status, retry_after, b"", NOW), reply(expected, ""), "{name}");
        }
    }

    #[test]
    fn grpc_codes_are_those_of_the_table() {
        let retry = [1, 4, 10, 11, 14, 15];
        for code in (1..20).chain([u32::MAX]) {
            let expected = if retry.contains(&code) {
                Verdict::Retry { after: None }
            } else {
                Verdict::Refused
            };
            assert_eq!(of_grpc_status(code, b"why"), reply(expected, "why"), "{code}");
        }
        assert_eq!(of_grpc_status(0, b""), reply(Verdict::Accepted { rejected: 0 }, ""));
    }

    #[test]
    fn what_an_error_says_is_shown() {
        let (long, kept) = ("ö".repeat(101), "ö".repeat(100));
        let long_status = [b"\x12\xca\x01", long.as_bytes()].concat();
        let table: [(&str, &[u8], &str); 8] = [
            ("a status", STATUS, "bad span"),
            ("a status without a message", b"\x08\x03", ""),
            ("a proxy's words", b"upstream connect error", "upstream connect error"),
            ("several lines", b"<html>\r\n\tno\x1b[31m", "<html>   no [31m"),
            ("what turns text around", "a\u{202e}b\u{2028}c\u{85}d".as_bytes(), "a b c d"),
            ("no UTF-8", b"a\xff\xfeb\xc3", "a\u{fffd}\u{fffd}b\u{fffd}"),
            ("more than is kept", long.as_bytes(), &kept),
            ("a status with more than is kept", &long_status, &kept),
        ];
        for (name, body, expected) in table {
            assert_eq!(
                of_http(Some(400), None, body, NOW),
                reply(Verdict::Refused, expected),
                "{name}"
            );
        }
        let cut = of_http(Some(400), None, format!("x{long}").as_bytes(), NOW);
        assert_eq!(cut.message, format!("x{}", "ö".repeat(99)), "cut in front of a character");
    }

    proptest! {
        #[test]
        fn a_message_fits_a_log_line(
            body in proptest::collection::vec(any::<u8>(), 0..400),
            code in 0_u32..20,
        ) {
            let status = u16::try_from(code * 50).unwrap();
            for reply in [of_http(Some(status), Some(&body), &body, NOW), of_grpc_status(code, &body)] {
                prop_assert!(reply.message.len() <= LONGEST_MESSAGE);
                prop_assert!(!reply.message.chars().any(is_unsafe));
            }
        }
    }
}

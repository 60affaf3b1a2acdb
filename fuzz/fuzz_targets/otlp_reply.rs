//! What a collector answers: any bytes as a status, a header and a body.
//!
//! Whatever it says has a verdict, and a message that a log line can hold. And what a partial success says is
//! read as it was written.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sightline_core::Wall;
use sightline_core::otlp::{Reply, Verdict, of_grpc_message, of_grpc_status, of_http};

/// Some day, in nanoseconds: 2026-11-21.
const NOW: Wall = Wall(1_795_219_200_000_000_000);

/// How long a collector may keep us waiting, in seconds.
const LONGEST_WAIT: u64 = 600;

fuzz_target!(|input: &[u8]| {
    // Two bytes of status, one that says how much of the rest is the header, and the body.
    let Some((&[high, low, length], rest)) = input.split_first_chunk() else { return };
    let (header, body) = rest.split_at(usize::from(length).min(rest.len()));
    let status = u16::from_be_bytes([high, low]);
    is_sound(&of_http(Some(status), Some(header), body, NOW));
    is_sound(&of_http(Some(503), Some(header), body, NOW));
    is_sound(&of_http(None, None, body, NOW));
    is_sound(&of_grpc_status(u32::from(low), body));
    is_sound(&of_grpc_message(body));
    assert_eq!(of_http(Some(200), Some(header), body, NOW), of_grpc_message(body));
    is_read_back(u64::from(status) << (length % 48), body);
});

fn is_sound(reply: &Reply) {
    assert!(reply.message.len() <= 200, "{reply:?}");
    assert!(!reply.message.contains(char::is_control), "{reply:?}");
    match reply.verdict {
        Verdict::Accepted { rejected } => assert!(i64::try_from(rejected).is_ok(), "{reply:?}"),
        Verdict::Retry { after: Some(after) } => {
            assert!(after.as_secs() <= LONGEST_WAIT, "{reply:?}");
        }
        Verdict::Retry { after: None } | Verdict::Refused => {}
    }
}

/// `ExportTraceServiceResponse { ExportTracePartialSuccess { int64 1; string 2 } 1 }`
fn is_read_back(rejected: u64, message: &[u8]) {
    let mut partial = vec![0x08];
    write_varint(rejected, &mut partial);
    partial.push(0x12);
    write_varint(message.len() as u64, &mut partial);
    partial.extend_from_slice(message);
    let mut body = vec![0x0a];
    write_varint(partial.len() as u64, &mut body);
    body.extend_from_slice(&partial);

    let reply = of_grpc_message(&body);
    assert_eq!(reply.verdict, Verdict::Accepted { rejected });
    // A gRPC status is shown as it is, so it says what the same text looks like.
    assert_eq!(reply.message, of_grpc_status(3, message).message);
}

fn write_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

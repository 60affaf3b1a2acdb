//! As much of HTTP/2 as a client needs that writes its frames itself: to ask on many streams at once, or to send what a
//! client library would refuse to.

use std::io::{self, BufReader, Read as _, Write as _};
use std::net::TcpStream;

/// What a connection begins with.
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Kinds of frames.
pub const DATA: u8 = 0;
/// A head.
pub const HEADERS: u8 = 1;
/// The end of a stream, before its time.
pub const RST_STREAM: u8 = 3;
/// What the connection is to be like.
pub const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;

const ACK: u8 = 1;
/// The stream ends with this frame.
pub const END_STREAM: u8 = 1;
/// The head ends with this frame.
pub const END_HEADERS: u8 = 4;

/// A frame of a stream.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a frame is short").to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A field that is neither compressed nor remembered: any bytes.
pub fn literal(name: &[u8], value: &[u8]) -> Vec<u8> {
    let mut out = vec![0];
    for text in [name, value] {
        write_length(text.len(), &mut out);
        out.extend_from_slice(text);
    }
    out
}

/// Seven bits, and where they do not suffice, groups of seven behind them.
fn write_length(length: usize, out: &mut Vec<u8>) {
    let low = |rest: usize| u8::try_from(rest).expect("there are seven bits left");
    let Some(mut rest) = length.checked_sub(127) else {
        out.push(low(length));
        return;
    };
    out.push(127);
    while rest >= 128 {
        out.push(low(rest % 128) | 128);
        rest /= 128;
    }
    out.push(low(rest));
}

/// Reads one, answers it if it wants an answer, and says which stream has ended with it, if one has: with the connection
/// that is number 0.
pub fn read_frame(reader: &mut BufReader<TcpStream>) -> io::Result<Option<u32>> {
    let mut head = [0; 9];
    reader.read_exact(&mut head)?;
    let [a, b, c, kind, flags, id @ ..] = head;
    let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
    reader.read_exact(&mut payload)?;
    if matches!(kind, SETTINGS | PING) && flags & ACK == 0 {
        let echoed = if kind == PING { &payload[..] } else { &[] };
        reader.get_ref().write_all(&frame(kind, ACK, 0, echoed))?;
    }
    let has_ended = matches!(kind, RST_STREAM | GOAWAY)
        || matches!(kind, DATA | HEADERS) && flags & END_STREAM != 0;
    Ok(has_ended.then(|| u32::from_be_bytes(id) & 0x7fff_ffff))
}

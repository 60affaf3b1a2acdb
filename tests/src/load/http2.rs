//! A client that speaks as much HTTP/2 as it takes to ask on many streams and to see them end.
//!
//! It does not read the heads of answers: that they end is all it wants to know.

use std::io::{self, BufReader, Read as _, Write as _};
use std::net::TcpStream;

use super::Door;
use super::mix::{Play, Way};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;

const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
/// The error code of a client that no longer wants an answer.
const CANCEL: [u8; 4] = 8_u32.to_be_bytes();

/// Asks all at once on one connection. Says that all are answered, or that none was if the connection ends
/// before.
pub(super) fn converse(proxy: &Door<'_>, plays: &[&Play]) -> io::Result<usize> {
    let mut stream = proxy.connect()?;
    let mut out = [PREFACE, &frame(SETTINGS, 0, 0, &[])].concat();
    let mut open = Vec::new();
    for (id, play) in (1..).step_by(2).zip(plays) {
        ask(&mut out, id, play);
        if play.way == (Way::Stream { cancelled: true }) {
            out.extend(frame(RST_STREAM, 0, id, &CANCEL));
        } else {
            open.push(id);
        }
    }
    stream.write_all(&out)?;
    let mut reader = BufReader::new(stream);
    while !open.is_empty() {
        let ended = read_frame(&mut reader)?;
        open.retain(|id| Some(*id) != ended);
    }
    Ok(plays.len())
}

fn ask(out: &mut Vec<u8>, id: u32, play: &Play) {
    let (fields, body) = play.parts();
    let pseudo = [
        (":method", play.method),
        (":scheme", "http"),
        (":authority", "app"),
        (":path", play.path),
    ];
    let fields = fields.split("\r\n").filter_map(|field| field.split_once(": "));
    let block: Vec<u8> =
        pseudo.into_iter().chain(fields).flat_map(|(name, value)| literal(name, value)).collect();
    let end = if body.is_empty() { END_STREAM } else { 0 };
    out.extend(frame(HEADERS, END_HEADERS | end, id, &block));
    if !body.is_empty() {
        out.extend(frame(DATA, END_STREAM, id, body.as_bytes()));
    }
}

/// A field that is neither compressed nor remembered.
fn literal(name: &str, value: &str) -> Vec<u8> {
    let short = |text: &str| u8::try_from(text.len()).ok().filter(|&length| length < 127);
    let length = |text| short(text).expect("the fields of the mix are short");
    [&[0, length(name)], name.as_bytes(), &[length(value)], value.as_bytes()].concat()
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a frame is short").to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Reads one, answers it if it wants an answer, and says which stream has ended with it, if one has.
fn read_frame(reader: &mut BufReader<TcpStream>) -> io::Result<Option<u32>> {
    let mut head = [0; 9];
    reader.read_exact(&mut head)?;
    let [a, b, c, kind, flags, id @ ..] = head;
    let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
    reader.read_exact(&mut payload)?;
    if matches!(kind, SETTINGS | PING) && flags & ACK == 0 {
        let echoed = if kind == PING { &payload[..] } else { &[] };
        reader.get_ref().write_all(&frame(kind, ACK, 0, echoed))?;
    }
    let has_ended = kind == RST_STREAM || matches!(kind, DATA | HEADERS) && flags & END_STREAM != 0;
    Ok(has_ended.then(|| u32::from_be_bytes(id) & 0x7fff_ffff))
}

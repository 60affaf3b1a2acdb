//! A client that speaks as much HTTP/2 as it takes to ask on many streams and to see them end.
//!
//! It does not read the heads of answers: that they end is all it wants to know.

use std::io::{self, BufReader, Write as _};

use super::Door;
use super::mix::{Play, Way};
use crate::http2::{
    DATA, END_HEADERS, END_STREAM, HEADERS, PREFACE, RST_STREAM, SETTINGS, frame, literal,
    read_frame,
};

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
    let block: Vec<u8> = pseudo
        .into_iter()
        .chain(fields)
        .flat_map(|(name, value)| literal(name.as_bytes(), value.as_bytes()))
        .collect();
    let end = if body.is_empty() { END_STREAM } else { 0 };
    out.extend(frame(HEADERS, END_HEADERS | end, id, &block));
    if !body.is_empty() {
        out.extend(frame(DATA, END_STREAM, id, body.as_bytes()));
    }
}

//! One request over HTTP/2 with any bytes in its fields, which a client library would refuse to send.

use std::io::{self, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// Sends it on a connection of its own, and reads until it is over, whatever came of it.
pub(super) fn ask(to: SocketAddr, fields: &[(&[u8], &[u8])]) {
    // A connection that Envoy closes is an answer too.
    let _ = converse(to, fields);
}

fn converse(to: SocketAddr, fields: &[(&[u8], &[u8])]) -> io::Result<()> {
    let mut stream = TcpStream::connect(to)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let block: Vec<u8> = fields.iter().flat_map(|(name, value)| literal(name, value)).collect();
    let head = frame(HEADERS, END_HEADERS | END_STREAM, 1, &block);
    stream.write_all(&[PREFACE, &frame(SETTINGS, 0, 0, &[]), &head].concat())?;
    let mut reader = BufReader::new(stream);
    loop {
        let mut head = [0; 9];
        reader.read_exact(&mut head)?;
        let [a, b, c, kind, flags, ..] = head;
        io::copy(
            &mut reader.by_ref().take(u32::from_be_bytes([0, a, b, c]).into()),
            &mut io::sink(),
        )?;
        match kind {
            SETTINGS if flags & ACK == 0 => {
                reader.get_ref().write_all(&frame(SETTINGS, ACK, 0, &[]))?;
            }
            DATA | HEADERS if flags & END_STREAM != 0 => return Ok(()),
            3 | GOAWAY => return Ok(()),
            _ => {}
        }
    }
}

/// A field that is neither compressed nor remembered.
fn literal(name: &[u8], value: &[u8]) -> Vec<u8> {
    let mut out = vec![0];
    for text in [name, value] {
        write_length(text.len(), &mut out);
        out.extend_from_slice(text);
    }
    out
}

/// Seven bits, and where they do not suffice, groups of seven behind them.
fn write_length(length: usize, out: &mut Vec<u8>) {
    let Some(mut rest) = length.checked_sub(127) else {
        out.push(u8::try_from(length).unwrap());
        return;
    };
    out.push(127);
    while rest >= 128 {
        out.push(u8::try_from(rest % 128).unwrap() | 128);
        rest /= 128;
    }
    out.push(u8::try_from(rest).unwrap());
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

//! One request over HTTP/2 with any bytes in its fields, which a client library would refuse to send.

use std::io::{self, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use sightline_tests::http2::{
    END_HEADERS, END_STREAM, HEADERS, PREFACE, SETTINGS, frame, literal, read_frame,
};

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
    while read_frame(&mut reader)?.is_none() {}
    Ok(())
}

//! The clients that speak HTTP/1: many requests over one connection, or one that ends in its own way.

use std::io::{self, BufRead, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use socket2::SockRef;

use super::Door;
use super::app::{chunk, number, skip};
use super::mix::{Play, Way};

/// A connection that is kept.
pub(super) struct Connection {
    reader: BufReader<TcpStream>,
    line: Vec<u8>,
}

/// Sends all of them at once and reads the answers. Says how many there were until the connection ended,
/// which it need not.
pub(super) fn pipeline(
    kept: &mut Option<Connection>,
    proxy: &Door<'_>,
    plays: &[&Play],
) -> io::Result<usize> {
    let mut connection = match kept.take() {
        Some(connection) => connection,
        None => Connection::open(proxy)?,
    };
    let bytes: Vec<u8> = plays.iter().flat_map(|play| play.bytes()).collect();
    // One that Envoy has closed is noticed at the answer that is missing.
    let _ = connection.reader.get_ref().write_all(&bytes);
    for (number, play) in plays.iter().enumerate() {
        match connection.read_answer(play.method == "HEAD") {
            Ok(true) => {}
            Ok(false) => return Ok(number + 1),
            Err(_) => return Ok(number),
        }
    }
    *kept = Some(connection);
    Ok(plays.len())
}

/// One request on a connection of its own. How that ends is the point of it.
pub(super) fn alone(proxy: &Door<'_>, play: &Play) {
    let asked = Connection::open(proxy).and_then(|mut connection| {
        connection.reader.get_ref().write_all(&play.bytes())?;
        match play.way {
            Way::LeftUnanswered => Ok(()),
            Way::ResetUnanswered => connection.reset(),
            Way::LeftAfterHead => connection.read_head().map(|_| ()),
            Way::Echoed => connection.echo(),
            _ => connection.read_to_the_end(),
        }
    });
    // Envoy may reset a connection that it has closed while something was still on its way.
    drop(asked);
}

/// What of a head says where the answer ends.
#[derive(Default)]
struct Head {
    status: u64,
    length: Option<u64>,
    is_chunked: bool,
    closes: bool,
}

impl Connection {
    fn open(proxy: &Door<'_>) -> io::Result<Self> {
        Ok(Self { reader: BufReader::new(proxy.connect()?), line: Vec::new() })
    }

    /// Passes over an answer; false if the connection ends with it.
    fn read_answer(&mut self, is_to_head: bool) -> io::Result<bool> {
        let head = self.read_head()?;
        if is_to_head || matches!(head.status, 204 | 304) {
            return Ok(!head.closes);
        }
        if head.is_chunked {
            while chunk(&mut self.reader)? > 0 {}
        } else {
            skip(&mut self.reader, head.length.ok_or(io::ErrorKind::InvalidData)?)?;
        }
        Ok(!head.closes)
    }

    fn read_head(&mut self) -> io::Result<Head> {
        let mut head = Head::default();
        let status = self.read_line()?.get(9..12).unwrap_or_default();
        head.status = number(status)?;
        loop {
            let line = self.read_line()?;
            if line == b"\r\n" {
                return Ok(head);
            }
            if let Some(length) = line.strip_prefix(b"content-length: ") {
                head.length = Some(number(length)?);
            }
            head.is_chunked |= line.starts_with(b"transfer-encoding: chunked");
            head.closes |= line.starts_with(b"connection: close");
        }
    }

    fn read_line(&mut self) -> io::Result<&[u8]> {
        self.line.clear();
        match self.reader.read_until(b'\n', &mut self.line)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(&self.line),
        }
    }

    fn echo(&mut self) -> io::Result<()> {
        self.read_head()?;
        self.reader.get_ref().write_all(b"hello")?;
        self.reader.read_exact(&mut [0; 5])
    }

    fn read_to_the_end(&mut self) -> io::Result<()> {
        let head = self.read_head()?;
        // One without a length here is one that breaks off.
        match head.length {
            Some(length) => skip(&mut self.reader, length),
            None => io::copy(&mut self.reader, &mut io::sink()).map(|_| ()),
        }
    }

    fn reset(&self) -> io::Result<()> {
        SockRef::from(self.reader.get_ref()).set_linger(Some(Duration::ZERO))
    }
}

//! Clients that ask for the same thing over and over, each on a connection that stays open.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::app::END;
use crate::Pair;

/// Requests that Envoy has at once.
const CLIENTS: usize = 32;
const PATIENCE: Duration = Duration::from_secs(30);

/// Clients, all served by the thread that calls them, one after the other.
pub(super) struct Clients {
    connections: Vec<TcpStream>,
    request: Vec<u8>,
    buffer: Vec<u8>,
}

impl Clients {
    pub(super) fn connect(address: SocketAddr, headers: &[Pair<'_>]) -> io::Result<Self> {
        let connections = (0..CLIENTS).map(|_| {
            let connection = TcpStream::connect(address)?;
            connection.set_nodelay(true)?;
            connection.set_read_timeout(Some(PATIENCE))?;
            Ok(connection)
        });
        let connections = connections.collect::<io::Result<_>>()?;
        Ok(Self { connections, request: written(headers), buffer: vec![0; 16 * 1024] })
    }

    /// Sends at least so many requests and reads the answers. Says how many it were.
    ///
    /// A client that is answered asks again at once, so that Envoy has always something to do.
    pub(super) fn ask(&mut self, requests: usize) -> io::Result<usize> {
        let times = requests.div_ceil(CLIENTS);
        for connection in &mut self.connections {
            connection.write_all(&self.request)?;
        }
        for _ in 1..times {
            for connection in &mut self.connections {
                answer(connection, &mut self.buffer)?;
                connection.write_all(&self.request)?;
            }
        }
        for connection in &mut self.connections {
            answer(connection, &mut self.buffer)?;
        }
        Ok(times.max(1) * CLIENTS)
    }
}

/// Reads a whole answer.
fn answer(connection: &mut TcpStream, buffer: &mut [u8]) -> io::Result<()> {
    let mut filled = 0;
    while !buffer[..filled].ends_with(END) {
        match connection.read(&mut buffer[filled..])? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => filled += read,
        }
    }
    if buffer.starts_with(b"HTTP/1.1 200 ") {
        return Ok(());
    }
    Err(io::Error::other(String::from_utf8_lossy(&buffer[..filled]).into_owned()))
}

/// The head, in HTTP/1.1. The scheme is not said there, but by the connection.
fn written(headers: &[Pair<'_>]) -> Vec<u8> {
    let value = |wanted: &[u8]| {
        let found = headers.iter().find(|(name, _)| *name == wanted);
        found.map_or(b"".as_slice(), |(_, value)| value)
    };
    let mut head = [value(b":method"), b" ", value(b":path"), b" HTTP/1.1\r\nhost: "].concat();
    head.extend_from_slice(value(b":authority"));
    for (name, value) in headers.iter().filter(|(name, _)| !name.starts_with(b":")) {
        head.extend_from_slice(&[b"\r\n", *name, b": ", value].concat());
    }
    head.extend_from_slice(b"\r\n\r\n");
    head
}

#[cfg(test)]
mod tests {
    use super::super::app;
    use super::*;

    const HEAD: [Pair<'static>; 5] = [
        (b":authority", b"shop.test"),
        (b":path", b"/?a=1"),
        (b":method", b"GET"),
        (b":scheme", b"http"),
        (b"accept", b"*/*"),
    ];

    #[test]
    fn a_head_is_written_as_http_1_has_it() {
        let head = String::from_utf8(written(&HEAD)).unwrap();
        assert_eq!(head, "GET /?a=1 HTTP/1.1\r\nhost: shop.test\r\naccept: */*\r\n\r\n");
    }

    #[test]
    fn each_client_is_answered_as_often_as_it_asks() {
        let mut clients = Clients::connect(app::start(), &HEAD).unwrap();
        assert_eq!(clients.ask(CLIENTS + 1).unwrap(), 2 * CLIENTS);
        assert_eq!(clients.ask(CLIENTS).unwrap(), CLIENTS);
    }
}

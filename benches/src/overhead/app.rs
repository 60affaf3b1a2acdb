//! An app that gives the same answer to everything, as fast as it can.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

/// What every answer here ends with, Envoy's own too.
pub(super) const END: &[u8] = b"\r\n\r\nok";
/// Its body alone.
pub(super) const BODY: &str = "ok";

const ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nserver: uvicorn\r\ncontent-length: 2\r\n\r\nok";

/// Starts it. It lives as long as this process.
pub(super) fn start() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port of this machine");
    let address = listener.local_addr().expect("a bound socket has an address");
    thread::spawn(move || {
        while let Ok((connection, _)) = listener.accept() {
            // Envoy closes connections when they are idle.
            thread::spawn(move || _ = serve(connection));
        }
    });
    address
}

/// Requests here have no body.
fn serve(mut connection: TcpStream) -> io::Result<()> {
    connection.set_nodelay(true)?;
    let (mut buffer, mut filled) = ([0; 16 * 1024], 0);
    loop {
        match connection.read(&mut buffer[filled..])? {
            0 => return Ok(()),
            read => filled += read,
        }
        if buffer[..filled].ends_with(b"\r\n\r\n") {
            connection.write_all(ANSWER)?;
            filled = 0;
        }
    }
}

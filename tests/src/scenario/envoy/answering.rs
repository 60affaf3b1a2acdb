//! One answer of a server, performed on the wire.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use socket2::SockRef;

use super::{pace, wire};
use crate::scenario::{Answer, Fields, Leaves, Reset};

/// What becomes of a connection after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum After {
    /// It can take the next request.
    Keep,
    /// It is closed.
    Close,
}

/// Does all that the answer says, to a request with this method and from a client that leaves then.
pub(super) fn perform(
    answer: &Answer,
    method: &str,
    leaves: Option<Leaves>,
    mut connection: &TcpStream,
) -> io::Result<After> {
    if answer.silent || leaves == Some(Leaves::BeforeAnswer) {
        listen_to_the_end(connection)?;
        return Ok(After::Close);
    }
    pace::pass(answer.after);
    if answer.reset == Some(Reset::Before) {
        return reset(connection).map(|()| After::Close);
    }
    for first in &answer.informational {
        connection.write_all(&wire::head(&status_line(first.status), &[&first.headers]))?;
        pace::until_read(connection);
    }
    if let Some(protocol) = &answer.upgrade {
        return switch(protocol, &answer.headers, connection).map(|()| After::Close);
    }
    let shape = Shape::of(answer, method, leaves);
    let framing = shape.fields();
    connection.write_all(&wire::head(&status_line(answer.status), &[&answer.headers, &framing]))?;
    if leaves == Some(Leaves::InAnswer) {
        listen_to_the_end(connection)?;
        return Ok(After::Close);
    }
    send_body(answer, shape, connection)
}

/// Ends so that the other side gets a RST: when it is closed it does not linger, not even to say so.
pub(super) fn reset(connection: &TcpStream) -> io::Result<()> {
    SockRef::from(connection).set_linger(Some(Duration::ZERO))?;
    Err(io::ErrorKind::ConnectionReset.into())
}

/// Ends when the other side closes, or when the server is dropped.
pub(super) fn listen_to_the_end(mut connection: &TcpStream) -> io::Result<()> {
    while connection.read(&mut [0; 1_024])? > 0 {}
    Ok(())
}

/// How an answer is put on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// The head is all.
    HeadOnly,
    /// The head is all, and it says so.
    Empty,
    /// The head says how long the body is.
    Length,
    Chunked,
}

impl Shape {
    fn of(answer: &Answer, method: &str, leaves: Option<Leaves>) -> Self {
        let empty = answer.chunks().is_empty() && answer.trailers.is_empty();
        let goes_on = leaves.is_some() || answer.reset.is_some();
        if method == "HEAD" || !wire::has_body(answer.status) {
            Self::HeadOnly
        } else if wire::says(&answer.headers, "content-length") {
            Self::Length
        } else if empty && !goes_on {
            Self::Empty
        } else {
            Self::Chunked
        }
    }

    fn fields(self) -> Fields {
        match self {
            Self::HeadOnly | Self::Length => Fields::new(),
            Self::Empty => vec![("content-length".into(), "0".into())],
            Self::Chunked => vec![("transfer-encoding".into(), "chunked".into())],
        }
    }
}

fn send_body(answer: &Answer, shape: Shape, mut connection: &TcpStream) -> io::Result<After> {
    if matches!(shape, Shape::HeadOnly | Shape::Empty) {
        return Ok(After::Keep);
    }
    for (index, chunk) in answer.chunks().iter().enumerate() {
        if index > 0 {
            pace::until_read(connection);
            pace::pass(answer.pause);
        }
        let framed = if shape == Shape::Chunked { wire::chunk(chunk) } else { chunk.clone() };
        connection.write_all(&framed)?;
    }
    if answer.reset == Some(Reset::AfterHeaders) {
        pace::until_read(connection);
        return reset(connection).map(|()| After::Close);
    }
    if shape == Shape::Chunked {
        connection.write_all(&wire::last_chunk(&answer.trailers))?;
    }
    Ok(After::Keep)
}

/// Speaks another protocol: one in which the first bytes come back, and that is all.
fn switch(protocol: &str, headers: &Fields, mut connection: &TcpStream) -> io::Result<()> {
    let upgrade = [("connection".into(), "Upgrade".into()), ("upgrade".into(), protocol.into())];
    connection.write_all(&wire::head(&status_line(101), &[&upgrade, headers]))?;
    let mut bytes = [0; 1_024];
    let read = connection.read(&mut bytes)?;
    connection.write_all(&bytes[..read])?;
    pace::until_read(connection);
    Ok(())
}

fn status_line(status: u16) -> Vec<u8> {
    format!("HTTP/1.1 {status} Scripted").into_bytes()
}

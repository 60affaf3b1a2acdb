//! A client before the proxy: sends one request as the scenario says, and keeps what comes back.

use std::io::{self, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use super::pace;
use super::stage::Stage;
use super::wire::{self, Head};
use crate::scenario::observed::Message;
use crate::scenario::{Leaves, Protocol, Request};

/// Where clients live. To a client from 127.0.0.1 Envoy would lend the machine's own address.
pub(super) const HOME: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
/// A client that hears nothing for this long goes away.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a client that leaves before the answer waits for its request to arrive.
const ARRIVAL: Duration = Duration::from_secs(1);

/// What a client saw.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// Its own port, by which the proxy's logs tell its request from others.
    pub(super) port: u16,
    pub(super) informational: Vec<Message>,
    pub(super) answer: Option<Message>,
}

/// Sends the request with this number to this address.
pub(super) fn send(request: &Request, number: usize, to: SocketAddr, stage: &Stage) -> Seen {
    let mut seen = Seen::default();
    // A connection that breaks is what some scenarios are about, and what was seen until then is kept.
    let _ = exchange(request, number, to, stage, &mut seen);
    seen
}

fn exchange(
    request: &Request,
    number: usize,
    to: SocketAddr,
    stage: &Stage,
    seen: &mut Seen,
) -> io::Result<()> {
    let connection = connect(to)?;
    connection.set_nodelay(true)?;
    connection.set_read_timeout(Some(PATIENCE))?;
    seen.port = connection.local_addr()?.port();
    let upgrades = wire::says(&request.headers, "upgrade");
    // Where the proxy has answered and closed already, there may still be something to read.
    let _ = send_request(request, upgrades, &connection);
    if request.leaves == Some(Leaves::BeforeAnswer) {
        stage.wait_for_arrival(number, ARRIVAL);
        return Ok(());
    }
    let mut reader = BufReader::new(&connection);
    let head = read_head(&mut reader, seen)?;
    let framing = head.response_framing(&request.method);
    let switched = head.status() == 101;
    let answer = seen.answer.insert(head.into_response());
    if request.leaves == Some(Leaves::InAnswer) {
        return Ok(());
    }
    if switched {
        send_chunks(request, &connection, <[u8]>::to_vec)?;
        wire::read_rest(&mut reader, wire::Framing::ToTheEnd, answer);
    } else {
        wire::read_rest(&mut reader, framing, answer);
    }
    Ok(())
}

fn connect(to: SocketAddr) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(to), Type::STREAM, None)?;
    socket.bind(&SocketAddr::from((HOME, 0)).into())?;
    socket.connect_timeout(&to.into(), PATIENCE)?;
    Ok(socket.into())
}

/// The first head that is no informational one.
fn read_head(reader: &mut BufReader<&TcpStream>, seen: &mut Seen) -> io::Result<Head> {
    loop {
        let head = Head::read(reader)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        if !(100..200).contains(&head.status()) || head.status() == 101 {
            return Ok(head);
        }
        seen.informational.push(head.into_response());
    }
}

fn send_request(request: &Request, upgrades: bool, mut connection: &TcpStream) -> io::Result<()> {
    let version: &[u8] =
        if request.protocol == Protocol::Http10 { b"HTTP/1.0" } else { b"HTTP/1.1" };
    let line = [request.method.as_bytes(), b" ", &request.path, b" ", version].concat();
    let host = [("host".into(), request.authority.clone())];
    let says_more = !request.body.is_empty() || !request.trailers.is_empty();
    let has_body = says_more && !upgrades;
    let chunked = has_body && !wire::says(&request.headers, "content-length");
    let framing = [("transfer-encoding".into(), "chunked".into())];
    let framing = if chunked { &framing[..] } else { &[] };
    connection.write_all(&wire::head(&line, &[&host, &request.headers, framing]))?;
    if !has_body {
        return Ok(());
    }
    if !chunked {
        return send_chunks(request, connection, <[u8]>::to_vec);
    }
    send_chunks(request, connection, wire::chunk)?;
    if request.protocol == Protocol::Http2 {
        // So that the translator, too, has the end by itself, and not together with the last chunk.
        pace::until_read(connection);
    }
    connection.write_all(&wire::last_chunk(&request.trailers))
}

fn send_chunks(
    request: &Request,
    mut connection: &TcpStream,
    framed: impl Fn(&[u8]) -> Vec<u8>,
) -> io::Result<()> {
    for (index, chunk) in request.body.iter().enumerate() {
        if index > 0 {
            pace::until_read(connection);
        }
        connection.write_all(&framed(chunk))?;
    }
    Ok(())
}

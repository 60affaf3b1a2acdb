//! An app that answers by the path, as fast as it can.

use std::io::{self, BufRead, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use socket2::SockRef;

use super::mix::IGNORED;

/// What is answered. The connection stays open unless it says otherwise.
enum Answer {
    Whole(&'static str),
    /// The connection is reset after this.
    Reset(&'static str),
    /// Nothing follows this until Envoy closes the connection.
    Silence(&'static str),
    /// What comes after this is sent back.
    Echo(&'static str),
}

/// A running app. Dropped, it takes no more connections; those that are open end with Envoy.
pub(super) struct App {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    stopping: AtomicBool,
    flaky: AtomicUsize,
    ignored: AtomicUsize,
}

/// What is needed of a request.
#[derive(Default)]
struct Asked {
    line: Vec<u8>,
    body: u64,
    is_chunked: bool,
}

impl App {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port of this machine");
        let address = listener.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(Shared::default());
        let acceptor = thread::spawn({
            let shared = Arc::clone(&shared);
            move || shared.accept(&listener)
        });
        Self { address, shared, acceptor: Some(acceptor) }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many requests came that the filter ignores.
    pub(super) fn ignored(&self) -> usize {
        self.shared.ignored.load(Ordering::SeqCst)
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        // Wakes the acceptor, which then sees that it should stop.
        let _ = TcpStream::connect(self.address);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

impl Shared {
    fn accept(self: Arc<Self>, listener: &TcpListener) {
        while let Ok((connection, _)) = listener.accept() {
            if self.stopping.load(Ordering::SeqCst) {
                return;
            }
            let shared = Arc::clone(&self);
            thread::spawn(move || {
                // Connections break here on purpose.
                let _ = shared.serve(&connection);
            });
        }
    }

    fn serve(&self, connection: &TcpStream) -> io::Result<()> {
        connection.set_nodelay(true)?;
        let mut reader = BufReader::new(connection);
        let mut asked = Asked::default();
        while asked.read(&mut reader)? {
            let mut writer = connection;
            match self.answer(&asked.line) {
                Answer::Whole(text) => writer.write_all(text.as_bytes())?,
                Answer::Reset(text) => {
                    writer.write_all(text.as_bytes())?;
                    return SockRef::from(connection).set_linger(Some(Duration::ZERO));
                }
                Answer::Silence(text) => {
                    writer.write_all(text.as_bytes())?;
                    return read_on(&mut reader);
                }
                Answer::Echo(text) => {
                    writer.write_all(text.as_bytes())?;
                    return echo(&mut reader, writer);
                }
            }
        }
        Ok(())
    }

    fn answer(&self, line: &[u8]) -> Answer {
        let mut words = line.split(|&byte| byte == b' ');
        let is_head = words.next() == Some(b"HEAD");
        match words.next().unwrap_or_default() {
            b"/missing" if is_head => Answer::Whole(MISSING_HEAD),
            _ if is_head => Answer::Whole(HEAD),
            b"/moved" => Answer::Whole(MOVED),
            b"/unchanged" => Answer::Whole(UNCHANGED),
            b"/nothing" => Answer::Whole(NOTHING),
            b"/missing" => Answer::Whole(MISSING),
            b"/conflict" => Answer::Whole(CONFLICT),
            b"/broken" => Answer::Whole(BROKEN),
            b"/busy" | b"/flaky/always" => Answer::Whole(BUSY),
            b"/flaky" if self.flaky.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) => {
                Answer::Whole(BUSY)
            }
            b"/reset" | b"/flaky/reset" => Answer::Reset(""),
            b"/halfway" => Answer::Reset(BEGUN),
            b"/silent" | b"/slow" => Answer::Silence(""),
            b"/endless" => Answer::Silence(BEGUN),
            b"/endless-events" => Answer::Silence(EVENTS_BEGUN),
            b"/events" => Answer::Whole(EVENTS),
            b"/socket" => Answer::Echo(SWITCHED),
            b"/shop.Cart/Add" => Answer::Whole(GRPC_OK),
            b"/shop.Cart/Fail" => Answer::Whole(GRPC_INTERNAL),
            b"/orders" => Answer::Whole(CREATED),
            path if path == IGNORED.as_bytes() => {
                self.ignored.fetch_add(1, Ordering::SeqCst);
                Answer::Whole(WELL)
            }
            _ => Answer::Whole(WELL),
        }
    }
}

impl Asked {
    /// Reads the next request; false at the end of the connection. Names are as Envoy writes them.
    fn read(&mut self, reader: &mut impl BufRead) -> io::Result<bool> {
        self.line.clear();
        (self.body, self.is_chunked) = (0, false);
        if reader.read_until(b'\n', &mut self.line)? == 0 {
            return Ok(false);
        }
        let mut field = Vec::new();
        loop {
            field.clear();
            if reader.read_until(b'\n', &mut field)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if field == b"\r\n" {
                break;
            }
            if let Some(length) = field.strip_prefix(b"content-length: ") {
                self.body = number(length)?;
            }
            self.is_chunked |= field.starts_with(b"transfer-encoding: chunked");
        }
        if self.is_chunked {
            while chunk(reader)? > 0 {}
        } else {
            skip(reader, self.body)?;
        }
        Ok(true)
    }
}

/// Passes over a chunk with its end, and says how long it was.
pub(super) fn chunk(reader: &mut impl BufRead) -> io::Result<u64> {
    let mut line = Vec::new();
    reader.read_until(b'\n', &mut line)?;
    let text = str::from_utf8(&line).map_err(|_| io::ErrorKind::InvalidData)?;
    let size = u64::from_str_radix(text.trim_end(), 16).map_err(|_| io::ErrorKind::InvalidData)?;
    skip(reader, size + 2)?;
    Ok(size)
}

pub(super) fn number(text: &[u8]) -> io::Result<u64> {
    let text = str::from_utf8(text).map_err(|_| io::ErrorKind::InvalidData)?;
    Ok(text.trim_end().parse().map_err(|_| io::ErrorKind::InvalidData)?)
}

pub(super) fn skip(reader: &mut impl BufRead, length: u64) -> io::Result<()> {
    if length == 0 {
        return Ok(());
    }
    let read = io::copy(&mut reader.take(length), &mut io::sink())?;
    if read == length { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

fn read_on(reader: &mut impl io::Read) -> io::Result<()> {
    io::copy(reader, &mut io::sink()).map(|_| ())
}

fn echo(reader: &mut impl io::Read, mut writer: impl io::Write) -> io::Result<()> {
    let mut bytes = [0; 256];
    loop {
        match reader.read(&mut bytes)? {
            0 => return Ok(()),
            read => writer.write_all(&bytes[..read])?,
        }
    }
}

const WELL: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";
const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n";
const MISSING_HEAD: &str = "HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\n";
const CREATED: &str = "HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\nhi";
const NOTHING: &str = "HTTP/1.1 204 No Content\r\n\r\n";
const MOVED: &str = "HTTP/1.1 301 Moved\r\nlocation: /\r\ncontent-length: 0\r\n\r\n";
const UNCHANGED: &str = "HTTP/1.1 304 Not Modified\r\n\r\n";
const MISSING: &str = "HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\nno";
const CONFLICT: &str = "HTTP/1.1 409 Conflict\r\ncontent-length: 2\r\n\r\nno";
const BROKEN: &str = "HTTP/1.1 500 Broken\r\ncontent-length: 2\r\n\r\nno";
const BUSY: &str = "HTTP/1.1 503 Busy\r\ncontent-length: 2\r\n\r\nno";
const BEGUN: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n";
const EVENTS_BEGUN: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
                            transfer-encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n";
const EVENTS: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
                      transfer-encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n0\r\n\r\n";
const SWITCHED: &str =
    "HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
const GRPC_OK: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/grpc\r\ngrpc-status: 0\r\n\
                       content-length: 0\r\n\r\n";
const GRPC_INTERNAL: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/grpc\r\ngrpc-status: 13\r\n\
                             content-length: 0\r\n\r\n";

//! A server behind Envoy that does exactly what it is told, on the wire.

use std::collections::HashMap;
use std::io::{self, BufReader, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use sightline_cli::http::Message;
use socket2::{Domain, SockRef, Socket, Type};

/// What to do on the wire for one request, one act after the other.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    acts: Vec<Act>,
}

#[derive(Clone, Debug)]
enum Act {
    Send(Vec<u8>),
    Pause(Duration),
    Reset,
    Silence,
}

/// A running server. Dropped, it stops and closes every connection.
pub struct Upstream {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

/// An address where nobody listens, and nobody else can while this lives. A port that is only free might
/// by the next moment be another test's.
pub struct Nobody {
    socket: Socket,
}

#[derive(Default)]
struct Shared {
    stopping: AtomicBool,
    requests: Mutex<Vec<Message>>,
    /// Those that are open, by who is at the other end.
    connections: Mutex<HashMap<SocketAddr, TcpStream>>,
}

impl Answer {
    /// A status line and no more than that: add to it.
    pub fn new(status: u16) -> Self {
        Self::raw(format!("HTTP/1.1 {status} Scripted\r\n"))
    }

    /// These bytes, whatever they are.
    pub fn raw(bytes: impl AsRef<[u8]>) -> Self {
        Self { acts: vec![Act::Send(bytes.as_ref().to_vec())] }
    }

    /// The connection is reset, and nothing answered.
    pub fn reset() -> Self {
        Self { acts: vec![Act::Reset] }
    }

    /// Nothing is answered until the other side gives up.
    pub fn silence() -> Self {
        Self { acts: vec![Act::Silence] }
    }

    /// A header field, as bytes.
    #[must_use]
    pub fn field(self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        self.send([name.as_ref(), b": ", value.as_ref(), b"\r\n"].concat())
    }

    /// The rest of the head, and a body in one piece.
    #[must_use]
    pub fn body(self, body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        self.send(format!("content-length: {}\r\n\r\n", body.len())).send(body)
    }

    /// The rest of the head, with a body in chunks to follow.
    #[must_use]
    pub fn chunked(self) -> Self {
        self.send("transfer-encoding: chunked\r\n\r\n")
    }

    /// One chunk of the body.
    #[must_use]
    pub fn chunk(self, chunk: impl AsRef<[u8]>) -> Self {
        let chunk = chunk.as_ref();
        self.send(format!("{:x}\r\n", chunk.len())).send(chunk).send("\r\n")
    }

    /// The end of the chunks.
    #[must_use]
    pub fn last_chunk(self) -> Self {
        self.send("0\r\n\r\n")
    }

    /// Waits before it goes on.
    #[must_use]
    pub fn pause(self, time: Duration) -> Self {
        self.then(Act::Pause(time))
    }

    /// Resets the connection in the middle.
    #[must_use]
    pub fn then_reset(self) -> Self {
        self.then(Act::Reset)
    }

    /// Says nothing more until the other side gives up.
    #[must_use]
    pub fn then_silence(self) -> Self {
        self.then(Act::Silence)
    }

    fn send(self, bytes: impl AsRef<[u8]>) -> Self {
        self.then(Act::Send(bytes.as_ref().to_vec()))
    }

    fn then(mut self, act: Act) -> Self {
        self.acts.push(act);
        self
    }
}

impl Upstream {
    /// Starts a server that answers each request as the script says.
    pub fn answering(script: impl Fn(&Message) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port of this machine");
        let address = listener.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(Shared::default());
        let script = Arc::new(script);
        let acceptor = thread::spawn({
            let shared = Arc::clone(&shared);
            move || shared.accept(&listener, &script)
        });
        Self { address, shared, acceptor: Some(acceptor) }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Every request that came, in order, as it arrived.
    pub fn requests(&self) -> Vec<Message> {
        lock(&self.shared.requests).clone()
    }

    /// The only request that came.
    pub fn request(&self) -> Message {
        let requests = self.requests();
        assert_eq!(requests.len(), 1, "one request was expected upstream: {requests:#?}");
        requests.into_iter().next().unwrap_or_default()
    }
}

impl Nobody {
    /// On some port.
    pub fn anywhere() -> Self {
        Self::at(SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    /// Where somebody listened until now; a panic if somebody still does.
    pub fn at(address: SocketAddr) -> Self {
        let bind = || {
            let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
            // Old connections may still be closing there.
            socket.set_reuse_address(true)?;
            // Bound, but it never listens: connections are refused.
            socket.bind(&address.into()).map(|()| socket)
        };
        let socket = bind().unwrap_or_else(|error: io::Error| panic!("{address}: {error}"));
        Self { socket }
    }

    /// Where nobody listens.
    pub fn address(&self) -> SocketAddr {
        let address = self.socket.local_addr().ok().and_then(|address| address.as_socket());
        address.expect("a bound socket has an address")
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        // Wakes the acceptor, which then sees that it should stop.
        let _ = TcpStream::connect(self.address);
        for (_, connection) in lock(&self.shared.connections).drain() {
            let _ = connection.shutdown(Shutdown::Both);
        }
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

impl Shared {
    fn accept<S>(self: Arc<Self>, listener: &TcpListener, script: &Arc<S>)
    where
        S: Fn(&Message) -> Answer + Send + Sync + 'static,
    {
        while let Ok((connection, client)) = listener.accept() {
            if self.stopping.load(Ordering::SeqCst) {
                return;
            }
            if let Ok(handle) = connection.try_clone() {
                lock(&self.connections).insert(client, handle);
            }
            let (shared, script) = (Arc::clone(&self), Arc::clone(script));
            thread::spawn(move || {
                // A connection that breaks is what some tests are about.
                let _ = shared.serve(&connection, &*script);
                // With both handles gone it is closed, and only then reset if it is to be.
                lock(&shared.connections).remove(&client);
            });
        }
    }

    fn serve(
        &self,
        connection: &TcpStream,
        script: &impl Fn(&Message) -> Answer,
    ) -> io::Result<()> {
        // Each act is on the wire at once; otherwise a second one waits for the first to be acknowledged.
        connection.set_nodelay(true)?;
        let mut reader = BufReader::new(connection);
        while let Some(request) = Message::read_request(&mut reader)? {
            let answer = script(&request);
            lock(&self.requests).push(request);
            for act in answer.acts {
                act.perform(connection)?;
            }
        }
        Ok(())
    }
}

impl Act {
    fn perform(self, mut connection: &TcpStream) -> io::Result<()> {
        match self {
            Self::Send(bytes) => connection.write_all(&bytes),
            Self::Pause(time) => {
                pause(time);
                Ok(())
            }
            Self::Reset => reset(connection),
            Self::Silence => {
                // Ends when the other side closes, or when the server is dropped.
                while connection.read(&mut [0; 1_024])? > 0 {}
                Err(io::ErrorKind::ConnectionAborted.into())
            }
        }
    }
}

/// Ends so that the other side gets a RST: when it is closed it does not linger, not even to say so.
fn reset(connection: &TcpStream) -> io::Result<()> {
    SockRef::from(connection).set_linger(Some(Duration::ZERO))?;
    Err(io::ErrorKind::ConnectionReset.into())
}

#[expect(
    clippy::disallowed_methods,
    reason = "a slow server is slow for a time, not until something"
)]
fn pause(time: Duration) {
    thread::sleep(time);
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

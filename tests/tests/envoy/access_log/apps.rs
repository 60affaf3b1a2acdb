//! Those behind Envoy: two that answer what the path asks for, and one that closes on it.

use std::io::{self, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use sightline_tests::{Answer, Message};
use socket2::{Domain, Socket, Type};

/// How many times a request was tried, as Envoy says.
pub(super) const ATTEMPT: &str = "x-envoy-attempt-count";

const SWITCHED: &str =
    "HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";

/// What an application does for each path.
pub(super) fn answer(request: &Message) -> Answer {
    let begun = || Answer::new(200).chunked().chunk("begun");
    let events = || {
        let events = Answer::new(200).field("content-type", "text/event-stream");
        events.chunked().chunk("data: 1\n\n")
    };
    match request.path() {
        "/app/302" => Answer::new(302).field("location", "/elsewhere").body(""),
        "/led" => Answer::new(302).field("location", "http://shop.test/app/fine").body(""),
        "/app/304" => Answer::raw("HTTP/1.1 304 Not Modified\r\n\r\n"),
        "/app/404" => Answer::new(404).body("no"),
        "/app/500" => Answer::new(500).body("oh"),
        "/app/head" => Answer::raw("HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n"),
        "/app/hints" => {
            Answer::raw("HTTP/1.1 103 Hints\r\nlink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\n")
                .body("hi")
        }
        "/app/chunks" => Answer::new(200).chunked().chunk("one").chunk("two").last_chunk(),
        "/app/reset" => Answer::reset(),
        "/app/reset-within" => begun().pause(Duration::from_millis(100)).then_reset(),
        "/app/garbage" => Answer::raw("no HTTP at all\r\n\r\n").then_silence(),
        "/app/silent" | "/slow" | "/slow-twice" | "/long" | "/stuck" => Answer::silence(),
        "/app/begun" | "/late" | "/stuck-within" => begun().then_silence(),
        "/flaky" if attempt(request) < 2 => Answer::new(503).body("busy"),
        "/flaky-always" => Answer::new(503).body("busy"),
        "/app/events" => events().last_chunk(),
        "/app/events-without-end" => events().then_silence(),
        "/app/events-reset" => events().pause(Duration::from_millis(100)).then_reset(),
        "/app/socket" => Answer::raw([SWITCHED, "hello"].concat()).then_silence(),
        "/app/no-socket" => Answer::new(400).body("no"),
        path if path.starts_with("/app/shop.Cart/") => grpc(path),
        _ => Answer::new(200).body("hi"),
    }
}

/// Which try it is.
pub(super) fn attempt(request: &Message) -> u32 {
    request.field(ATTEMPT).and_then(|number| number.parse().ok()).unwrap_or(0)
}

fn grpc(path: &str) -> Answer {
    let head = Answer::new(200).field("content-type", "application/grpc");
    let ending = |status: &str| {
        let trailers = format!("0\r\ngrpc-status: {status}\r\n\r\n");
        let begun = "HTTP/1.1 200 OK\r\ncontent-type: application/grpc\r\ntransfer-encoding: chunked\r\n\r\n";
        Answer::raw([begun, "5\r\n\0\0\0\0\0\r\n", &trailers].concat())
    };
    match path {
        "/app/shop.Cart/Get" => ending("0"),
        "/app/shop.Cart/Fail" => ending("13"),
        "/app/shop.Cart/Watch" => head.chunked().chunk([0; 5]).then_silence(),
        _ => head.field("grpc-status", "5").body(""),
    }
}

/// One that is reached by nobody: all that it can hold are there already, and the next gets no answer at all.
pub(super) struct Crowded {
    listener: Socket,
    _first: TcpStream,
}

impl Crowded {
    pub(super) fn start() -> Self {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        listener.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        // None waits to be accepted beside the first, who always will.
        listener.listen(0).unwrap();
        let address = listener.local_addr().unwrap().as_socket().unwrap();
        Self { _first: TcpStream::connect(address).unwrap(), listener }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap().as_socket().unwrap()
    }
}

/// One that closes its connections where it should not. Dropped, it stops.
pub(super) struct Closing {
    address: SocketAddr,
    stopping: Arc<AtomicBool>,
    acceptor: Option<JoinHandle<()>>,
}

impl Closing {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let stopping = Arc::new(AtomicBool::new(false));
        let has_to_stop = Arc::clone(&stopping);
        let acceptor = thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                if has_to_stop.load(Ordering::SeqCst) {
                    return;
                }
                // One at a time is enough: each ends as soon as it has begun.
                let _ = close_on(&connection);
            }
        });
        Self { address, stopping, acceptor: Some(acceptor) }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Closing {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

fn close_on(mut connection: &TcpStream) -> io::Result<()> {
    let request = Message::read_request(&mut BufReader::new(connection))?.unwrap_or_default();
    let begun: &[u8] = match request.path() {
        "/closing/within-length" => b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nbegun",
        "/closing/within-chunks" => {
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nbegun\r\n"
        }
        "/closing/at-the-end" => b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nwhole",
        "/closing/socket" => return connection.write_all(SWITCHED.as_bytes()),
        _ => return Ok(()),
    };
    connection.write_all(begun)
}

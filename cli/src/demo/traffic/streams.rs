//! One client that listens to a stream of events, and one that chats over a WebSocket.

use std::io::{self, BufReader, Read, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use super::client::Client;
use crate::http::{Message, Request};

/// Between two streams, and between two words of a chat.
const PAUSE: Duration = Duration::from_secs(1);

/// How long a read may take before it is looked whether it is time to go.
const LOOK: Duration = Duration::from_millis(200);

/// What is asked before the chat is over: fewer seconds than after which uvicorn wants a pong.
const QUESTIONS: usize = 8;

/// How many looks the other side of a chat has for its goodbye.
const GOODBYE: usize = 10;

/// Listens to what becomes of an order, and then of the next.
pub(super) fn listen(client: &mut Client) {
    while !client.pause(PAUSE) {
        let order = client.dice.between(10_000, 99_999);
        let request = Request::get(format!("/api/orders/{order}/events"))
            .field("accept", "text/event-stream")
            .field("user-agent", "tea-tracker/1.2");
        // What ends early, Envoy's end included, begins anew after the pause.
        match request.begin(client.fronts().shop).and_then(Stream::of) {
            Ok(mut stream) => {
                client.count(Some(&stream.head));
                while !client.is_to_go() && stream.goes_on() {}
            }
            Err(_) => client.count(None),
        }
    }
}

/// Asks for help, and then asks again.
pub(super) fn chat(client: &mut Client) {
    while !client.pause(PAUSE) {
        match upgrade(client) {
            Ok(mut stream) => {
                client.count(Some(&stream.head));
                // As with the stream of events.
                let _ = talk(client, &mut stream);
            }
            Err(_) => client.count(None),
        }
    }
}

fn upgrade(client: &mut Client) -> io::Result<Stream> {
    let room = client.dice.pick(&["orders", "returns", "brewing"]);
    let shop = client.fronts().shop;
    let mut stream = TcpStream::connect(shop)?;
    // The key is the example of RFC 6455; nobody here checks what comes back for it.
    write!(
        stream,
        "GET /ws/support/{room} HTTP/1.1\r\nhost: {shop}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         user-agent: tea-chat/0.9\r\n\r\n"
    )?;
    Stream::of(stream)
}

fn talk(client: &mut Client, stream: &mut Stream) -> io::Result<()> {
    for number in 0..QUESTIONS {
        stream.write(&frame(TEXT, format!("question {number}?").as_bytes()))?;
        if client.pause(PAUSE) || !stream.goes_on() {
            break;
        }
    }
    stream.write(&frame(CLOSE, &1000_u16.to_be_bytes()))?;
    // The other side closes, once it has said goodbye too.
    let mut looks = GOODBYE;
    while looks > 0 && stream.goes_on() {
        looks -= 1;
    }
    Ok(())
}

const TEXT: u8 = 0x1;
const CLOSE: u8 = 0x8;

/// A frame as a client sends it: masked, here by zeros, which leave the payload as it is. Short ones only.
fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    const LAST: u8 = 0x80;
    const MASKED: u8 = 0x80;
    let length = u8::try_from(payload.len()).unwrap_or(0).min(125);
    [&[LAST | kind, MASKED | length, 0, 0, 0, 0], &payload[..usize::from(length)]].concat()
}

/// An answer whose body does not end soon.
struct Stream {
    head: Message,
    reader: BufReader<TcpStream>,
}

impl Stream {
    /// Reads the head of the answer.
    fn of(stream: TcpStream) -> io::Result<Self> {
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let mut reader = BufReader::new(stream);
        let head = Message::read_head(&mut reader)?;
        let head = head.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?;
        reader.get_ref().set_read_timeout(Some(LOOK))?;
        Ok(Self { head, reader })
    }

    /// Reads what is there, or waits a moment for it; false at the end.
    fn goes_on(&mut self) -> bool {
        match self.reader.read(&mut [0; 4096]) {
            Ok(read) => read > 0,
            Err(error) => matches!(
                error.kind(),
                io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted
            ),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.reader.get_mut().write_all(bytes)
    }
}

//! A small HTTP/1.1, for tests and for the demo: messages as they are on the wire.
//!
//! Bytes go out as given and come in as sent, well-formed or not, which is what tests of a proxy
//! need and a client library would refuse. One request, one connection; no TLS, no redirects.

use std::io::{self, BufRead, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long to wait for a connection, and for each piece of an answer.
const PATIENCE: Duration = Duration::from_secs(30);

const NO_ANSWER: &str = "the connection ended without an answer";

/// A request to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    line: Vec<u8>,
    fields: Vec<u8>,
    names: Vec<Vec<u8>>,
    body: Vec<u8>,
}

/// A request or a response that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// The request line or the status line, without its end.
    pub first_line: Vec<u8>,
    /// The header fields in their order, names in lower case, values as sent.
    pub fields: Vec<(Vec<u8>, Vec<u8>)>,
    /// The body, with the transfer coding taken off.
    pub body: Vec<u8>,
}

impl Request {
    /// Any method and path, as bytes.
    pub fn new(method: impl AsRef<[u8]>, path: impl AsRef<[u8]>) -> Self {
        let line = [method.as_ref(), b" ", path.as_ref(), b" HTTP/1.1\r\n"].concat();
        Self { line, fields: Vec::new(), names: Vec::new(), body: Vec::new() }
    }

    /// A GET request.
    pub fn get(path: impl AsRef<[u8]>) -> Self {
        Self::new("GET", path)
    }

    /// A POST request.
    pub fn post(path: impl AsRef<[u8]>) -> Self {
        Self::new("POST", path)
    }

    /// A header field, as bytes. One called `host` stands in for the usual one.
    #[must_use]
    pub fn field(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        let (name, value) = (name.as_ref(), value.as_ref());
        self.fields.extend([name, b": ", value, b"\r\n"].concat());
        self.names.push(name.to_ascii_lowercase());
        self
    }

    /// A body, with its length.
    #[must_use]
    pub fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = body.as_ref().to_vec();
        let length = self.body.len().to_string();
        self.field("content-length", length)
    }

    /// Sends it and reads the whole answer.
    pub fn send(&self, to: SocketAddr) -> io::Result<Message> {
        let line = String::from_utf8_lossy(&self.line);
        self.exchange(to).map_err(|error| {
            io::Error::new(error.kind(), format!("{to} did not answer {}: {error}", line.trim()))
        })
    }

    /// Sends it and leaves the answer to be read, or not.
    pub fn begin(&self, to: SocketAddr) -> io::Result<TcpStream> {
        let mut stream = TcpStream::connect_timeout(&to, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(&self.bytes(to))?;
        Ok(stream)
    }

    fn exchange(&self, to: SocketAddr) -> io::Result<Message> {
        let mut reader = BufReader::new(self.begin(to)?);
        if self.line.starts_with(b"HEAD ") {
            Message::read_head(&mut reader)?.ok_or_else(|| broken(NO_ANSWER))
        } else {
            Message::read_response(&mut reader)
        }
    }

    fn bytes(&self, to: SocketAddr) -> Vec<u8> {
        let mut bytes = self.line.clone();
        if !self.names.iter().any(|name| name == b"host") {
            bytes.extend(format!("host: {to}\r\n").into_bytes());
        }
        bytes.extend([b"connection: close\r\n", &self.fields[..], b"\r\n", &self.body].concat());
        bytes
    }
}

impl Message {
    /// Reads the next request of a connection; none if it has ended.
    pub fn read_request(reader: &mut impl BufRead) -> io::Result<Option<Self>> {
        let Some(mut request) = Self::read_head(reader)? else { return Ok(None) };
        request.body = if request.is_chunked() {
            read_chunks(reader)?
        } else {
            read_exactly(reader, request.length()?.unwrap_or(0))?
        };
        Ok(Some(request))
    }

    /// Reads the response to anything but HEAD.
    pub fn read_response(reader: &mut impl BufRead) -> io::Result<Self> {
        let head = Self::read_head(reader)?;
        let mut response = head.ok_or_else(|| broken(NO_ANSWER))?;
        response.body = if response.is_chunked() {
            read_chunks(reader)?
        } else if let Some(length) = response.length()? {
            read_exactly(reader, length)?
        } else {
            let mut body = Vec::new();
            reader.read_to_end(&mut body)?;
            body
        };
        Ok(response)
    }

    /// Reads the first line and the header fields, and leaves the body; none at the end of the connection.
    pub fn read_head(reader: &mut impl BufRead) -> io::Result<Option<Self>> {
        let Some(first_line) = read_line(reader)? else { return Ok(None) };
        let mut fields = Vec::new();
        loop {
            let line = read_line(reader)?.ok_or_else(|| broken("it ended within its head"))?;
            if line.is_empty() {
                return Ok(Some(Self { first_line, fields, body: Vec::new() }));
            }
            fields.push(field(&line)?);
        }
    }

    /// The status code of a response; 0 if there is none.
    pub fn status(&self) -> u16 {
        self.word(1).parse().unwrap_or(0)
    }

    /// The method of a request.
    pub fn method(&self) -> &str {
        self.word(0)
    }

    /// The path of a request, with its query.
    pub fn path(&self) -> &str {
        self.word(1)
    }

    /// The first header field of this name, given in lower case, if it is text.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.all(name).first().and_then(|value| str::from_utf8(value).ok())
    }

    /// The values of all header fields of this name, given in lower case.
    pub fn all(&self, name: &str) -> Vec<&[u8]> {
        let named = self.fields.iter().filter(|(field, _)| field == name.as_bytes());
        named.map(|(_, value)| value.as_slice()).collect()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    fn word(&self, index: usize) -> &str {
        let word = self.first_line.split(|&byte| byte == b' ').nth(index);
        word.and_then(|word| str::from_utf8(word).ok()).unwrap_or("")
    }

    fn is_chunked(&self) -> bool {
        self.field("transfer-encoding") == Some("chunked")
    }

    fn length(&self) -> io::Result<Option<usize>> {
        let Some(length) = self.field("content-length") else { return Ok(None) };
        length.parse().map(Some).map_err(|_| broken(&format!("its content-length is `{length}`")))
    }
}

fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

fn field(line: &[u8]) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let colon = line.iter().position(|&byte| byte == b':');
    let colon = colon.ok_or_else(|| broken("a header field has no colon"))?;
    Ok((line[..colon].to_ascii_lowercase(), line[colon + 1..].trim_ascii().to_vec()))
}

/// A line without its end; none at the end of the connection.
fn read_line(reader: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    if reader.read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    let line = line.strip_suffix(b"\n").ok_or_else(|| broken("it ended within a line"))?;
    Ok(Some(line.strip_suffix(b"\r").unwrap_or(line).to_vec()))
}

fn read_exactly(reader: &mut impl BufRead, length: usize) -> io::Result<Vec<u8>> {
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(body)
}

/// Reads chunks up to the last. Trailers are left out.
fn read_chunks(reader: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = read_line(reader)?.ok_or_else(|| broken("its last chunk is missing"))?;
        let size = String::from_utf8_lossy(&line);
        let size = size.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16)
            .map_err(|_| broken(&format!("a chunk's size is `{size}`")))?;
        body.extend(read_exactly(reader, size)?);
        if size == 0 {
            while read_line(reader)?.is_some_and(|line| !line.is_empty()) {}
            return Ok(body);
        }
        read_line(reader)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::thread;

    const CHUNKS: &str = "transfer-encoding: chunked\r\n\r\n\
                          5\r\nhello\r\nA;x=y\r\n0123456789\r\n0\r\nx-trailer: 1\r\n\r\n";

    fn response(bytes: impl AsRef<[u8]>) -> io::Result<Message> {
        Message::read_response(&mut bytes.as_ref())
    }

    #[test]
    fn responses_are_read_in_every_framing() {
        for (name, rest, body) in [
            ("length", "Content-Length: 2\r\n\r\nhi", "hi"),
            ("no more than the length", "content-length: 2\r\n\r\nhi there", "hi"),
            ("to the end", "\r\nhi", "hi"),
            ("none", "content-length: 0\r\n\r\n", ""),
            ("chunks", CHUNKS, "hello0123456789"),
        ] {
            let read = response(format!("HTTP/1.1 200 OK\r\n{rest}")).unwrap();
            assert_eq!(read.text(), body, "{name}");
        }
    }

    #[test]
    fn what_is_cut_short_is_an_error() {
        for (name, bytes) in [
            ("nothing", ""),
            ("half a line", "HTTP/1.1 200"),
            ("half a head", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n"),
            ("half a body", "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nhi"),
            ("half a chunk", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhi"),
            ("no last chunk", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n"),
            ("no number", "HTTP/1.1 200 OK\r\ncontent-length: two\r\n\r\nhi"),
            ("no colon", "HTTP/1.1 200 OK\r\nnonsense\r\n\r\n"),
        ] {
            assert!(response(bytes).is_err(), "{name}");
        }
    }

    #[test]
    fn status_and_fields_are_told() {
        let bytes = b"HTTP/1.1 404 Not Found\r\nX-A: 1\r\nx-b:2 \r\nx-a: 3\r\nx-c: \xff\r\n\r\n";
        let read = response(bytes).unwrap();
        assert_eq!(read.status(), 404);
        assert_eq!(read.all("x-a"), [b"1", b"3"]);
        assert_eq!(read.all("x-d"), [b""; 0]);
        assert_eq!(read.field("x-b"), Some("2"));
        assert_eq!(read.field("x-c"), None);
        assert_eq!(read.all("x-c"), [b"\xff"]);
    }

    #[test]
    fn requests_are_read_one_after_the_other() {
        let bytes = format!(
            "GET /a HTTP/1.1\r\n\r\nPUT /b?c HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody\
             POST /d HTTP/1.1\r\n{CHUNKS}"
        );
        let mut reader = bytes.as_bytes();
        let mut read = Vec::new();
        while let Some(request) = Message::read_request(&mut reader).unwrap() {
            read.push(format!("{} {} {}", request.method(), request.path(), request.text()));
        }
        assert_eq!(read, ["GET /a ", "PUT /b?c body", "POST /d hello0123456789"]);
    }

    #[test]
    fn a_request_goes_out_as_it_was_put_together() {
        let to = SocketAddr::from(([127, 0, 0, 1], 80));
        for (name, request, expected) in [
            (
                "get",
                Request::get("/a").field("X-B", b"\xff"),
                &b"GET /a HTTP/1.1\r\nhost: 127.0.0.1:80\r\nconnection: close\r\nX-B: \xff\r\n\r\n"
                    [..],
            ),
            (
                "its own host",
                Request::get("/").field("Host", "shop"),
                b"GET / HTTP/1.1\r\nconnection: close\r\nHost: shop\r\n\r\n",
            ),
            (
                "body",
                Request::post("/").field("host", "h").body("hi"),
                b"POST / HTTP/1.1\r\nconnection: close\r\nhost: h\r\ncontent-length: 2\r\n\r\nhi",
            ),
        ] {
            let sent = request.bytes(to);
            assert_eq!(sent, expected, "{name}: {}", String::from_utf8_lossy(&sent));
        }
    }

    #[test]
    fn sending_reads_the_answer() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = thread::spawn(move || {
            for _ in 0..2 {
                let (mut stream, _) = listener.accept().unwrap();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let request = Message::read_request(&mut reader).unwrap().unwrap();
                let head = "HTTP/1.1 201 Created\r\ncontent-length: 3\r\n\r\n";
                let body = if request.method() == "HEAD" { "" } else { request.path() };
                stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
            }
        });
        let answer = Request::get("/ab").send(address).unwrap();
        assert_eq!((answer.status(), answer.text().as_str()), (201, "/ab"));
        let answer = Request::new("HEAD", "/ab").send(address).unwrap();
        assert_eq!((answer.status(), answer.body.len()), (201, 0));
        server.join().unwrap();
        let error = Request::get("/ab").send(address).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("{address} did not answer GET /ab HTTP/1.1: ")),
            "{error}"
        );
    }
}

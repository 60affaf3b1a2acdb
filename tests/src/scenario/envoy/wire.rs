//! HTTP/1 as it is on the wire, for both ends of a proxy: read as far as it comes, written as a
//! scenario says it.
//!
//! Unlike `sightline_cli::http` it knows trailers, and it keeps what came before a connection broke.

use std::io::{self, BufRead, Read as _};

use crate::scenario::observed::Message;
use crate::scenario::{Bytes, Fields};

/// How a message's body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    None,
    Length(u64),
    Chunked,
    ToTheEnd,
}

/// The first line of a message as bytes, and its header fields with names in lower case.
#[derive(Clone, Debug, Default)]
pub(super) struct Head {
    pub(super) line: Vec<u8>,
    pub(super) fields: Fields,
}

impl Head {
    /// Reads one; none if the connection ends before it.
    pub(super) fn read(reader: &mut impl BufRead) -> io::Result<Option<Self>> {
        let line = read_line(reader)?;
        if line.is_empty() {
            return Ok(None);
        }
        Ok(Some(Self { line, fields: read_fields(reader)? }))
    }

    /// A word of the first line, counted from 0.
    pub(super) fn word(&self, index: usize) -> Bytes {
        let word = self.line.split(|&byte| byte == b' ').nth(index).unwrap_or_default();
        Bytes::from(word.to_vec())
    }

    /// The status, if it is a response's.
    pub(super) fn status(&self) -> u16 {
        str::from_utf8(&self.word(1)).ok().and_then(|word| word.parse().ok()).unwrap_or(0)
    }

    /// The first field of this name.
    pub(super) fn field(&self, name: &str) -> Option<&Bytes> {
        self.fields.iter().find(|(field, _)| **field == *name.as_bytes()).map(|(_, value)| value)
    }

    /// How the body of a request ends.
    pub(super) fn request_framing(&self) -> Framing {
        self.said_framing().unwrap_or(Framing::None)
    }

    /// How the body of a response to this method ends.
    pub(super) fn response_framing(&self, method: &str) -> Framing {
        if method == "HEAD" || !has_body(self.status()) {
            return Framing::None;
        }
        self.said_framing().unwrap_or(Framing::ToTheEnd)
    }

    fn said_framing(&self) -> Option<Framing> {
        if self.field("transfer-encoding").is_some_and(|value| **value == *b"chunked") {
            return Some(Framing::Chunked);
        }
        let length = str::from_utf8(self.field("content-length")?).ok()?;
        length.parse().ok().map(Framing::Length)
    }

    /// The request, with what HTTP/2 has for the first line and the host in front.
    pub(super) fn into_request(self) -> Message {
        let mut head = vec![(":method".into(), self.word(0)), (":path".into(), self.word(1))];
        let (host, rest): (Fields, Fields) =
            self.fields.into_iter().partition(|(name, _)| **name == *b"host");
        head.extend(host.into_iter().map(|(_, value)| (":authority".into(), value)));
        head.extend(rest);
        Message { head, ..Message::default() }
    }

    /// The response, with what HTTP/2 has for the first line in front.
    pub(super) fn into_response(self) -> Message {
        let mut head = vec![(":status".into(), self.word(1))];
        head.extend(self.fields);
        Message { head, ..Message::default() }
    }
}

/// Whether a response with this status can have a body.
pub(super) fn has_body(status: u16) -> bool {
    !(matches!(status, 204 | 304) || (100..200).contains(&status))
}

/// Reads a body and its trailers into the message, and says of it whether they broke off.
pub(super) fn read_rest(reader: &mut impl BufRead, framing: Framing, message: &mut Message) {
    let read = match framing {
        Framing::None => Ok(()),
        Framing::Length(length) => read_exactly(reader, length, &mut message.body),
        Framing::Chunked => read_chunks(reader, message),
        Framing::ToTheEnd => reader.read_to_end(&mut message.body).map(|_| ()),
    };
    message.cut = read.is_err();
}

fn read_exactly(reader: &mut impl BufRead, length: u64, body: &mut Vec<u8>) -> io::Result<()> {
    let read = reader.take(length).read_to_end(body)?;
    if read as u64 == length { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

fn read_chunks(reader: &mut impl BufRead, message: &mut Message) -> io::Result<()> {
    loop {
        let line = read_line(reader)?;
        let size = str::from_utf8(&line).ok().and_then(|it| u64::from_str_radix(it, 16).ok());
        let size = size.ok_or(io::ErrorKind::InvalidData)?;
        if size == 0 {
            message.trailers = read_fields(reader)?;
            return Ok(());
        }
        read_exactly(reader, size, &mut message.body)?;
        read_line(reader)?;
    }
}

fn read_fields(reader: &mut impl BufRead) -> io::Result<Fields> {
    let mut fields = Fields::new();
    loop {
        let line = read_line(reader)?;
        if line.is_empty() {
            return Ok(fields);
        }
        let colon = line.iter().position(|&byte| byte == b':').ok_or(io::ErrorKind::InvalidData)?;
        let name = line[..colon].to_ascii_lowercase();
        fields.push((name.into(), line[colon + 1..].trim_ascii().to_vec().into()));
    }
}

/// A line without its end; nothing at the end of the connection.
fn read_line(reader: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    if reader.read_until(b'\n', &mut line)? > 0 && !line.ends_with(b"\n") {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    line.truncate(line.len() - usize::from(line.ends_with(b"\n")));
    line.truncate(line.len() - usize::from(line.ends_with(b"\r")));
    Ok(line)
}

/// A head with these fields, up to the empty line.
pub(super) fn head(line: &[u8], fields: &[&[(Bytes, Bytes)]]) -> Vec<u8> {
    let mut bytes = [line, b"\r\n"].concat();
    bytes.extend(fields.iter().flat_map(|fields| written(fields)));
    bytes.extend(b"\r\n");
    bytes
}

/// One chunk.
pub(super) fn chunk(bytes: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

/// The end of the chunks.
pub(super) fn last_chunk(trailers: &[(Bytes, Bytes)]) -> Vec<u8> {
    [b"0\r\n", &written(trailers)[..], b"\r\n"].concat()
}

/// Whether there is a field of this name.
pub(super) fn says(fields: &[(Bytes, Bytes)], name: &str) -> bool {
    fields.iter().any(|(field, _)| field.eq_ignore_ascii_case(name.as_bytes()))
}

fn written(fields: &[(Bytes, Bytes)]) -> Vec<u8> {
    fields.iter().flat_map(|(name, value)| [name, &b": "[..], value, b"\r\n"].concat()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(bytes: &str) -> (Message, Framing) {
        let mut reader = bytes.as_bytes();
        let head = Head::read(&mut reader).unwrap().unwrap();
        let framing = head.response_framing("GET");
        let mut message = head.into_response();
        read_rest(&mut reader, framing, &mut message);
        (message, framing)
    }

    #[test]
    fn a_response_is_read_as_far_as_it_comes() {
        for (name, bytes, body, cut, trailers) in [
            ("length", "200 OK\r\ncontent-length: 2\r\n\r\nhi", "hi", false, 0),
            ("less", "200 OK\r\ncontent-length: 5\r\n\r\nhi", "hi", true, 0),
            ("to the end", "200\r\n\r\nhi", "hi", false, 0),
            ("none", "204 No\r\ncontent-length: 2\r\n\r\n", "", false, 0),
            (
                "chunks",
                "200\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
                "hi",
                false,
                0,
            ),
            ("no last", "200\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n", "hi", true, 0),
            ("half", "200\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhi", "hi", true, 0),
            (
                "trailers",
                "200\r\nTransfer-Encoding: chunked\r\n\r\n0\r\na: 1\r\n\r\n",
                "",
                false,
                1,
            ),
        ] {
            let (message, _) = response(&format!("HTTP/1.1 {bytes}"));
            let read =
                (str::from_utf8(&message.body).unwrap(), message.cut, message.trailers.len());
            assert_eq!(read, (body, cut, trailers), "{name}");
        }
    }

    #[test]
    fn a_request_begins_with_what_its_first_line_says() {
        let mut reader = &b"PUT /a?b HTTP/1.1\r\nX-A: 1\r\nHost: shop\r\n\r\n"[..];
        let message = Head::read(&mut reader).unwrap().unwrap().into_request();
        let shown: Vec<_> =
            message.head.iter().map(|(name, value)| format!("{name} {value}")).collect();
        assert_eq!(shown, [":method PUT", ":path /a?b", ":authority shop", "x-a 1"]);
        assert!(Head::read(&mut reader).unwrap().is_none());
    }

    #[test]
    fn what_is_written_can_be_read() {
        let fields = [(Bytes::from("a"), Bytes::from("1"))];
        let bytes = [
            head(b"HTTP/1.1 200", &[&fields, &[("transfer-encoding".into(), "chunked".into())]]),
            chunk(b"0123456789abcdef"),
            last_chunk(&fields),
        ]
        .concat();
        let (message, framing) = response(str::from_utf8(&bytes).unwrap());
        assert_eq!(framing, Framing::Chunked);
        assert_eq!(
            (message.body.len(), message.trailers, message.cut),
            (16, fields.to_vec(), false)
        );
    }
}

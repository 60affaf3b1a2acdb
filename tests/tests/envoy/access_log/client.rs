//! A client that says what a case has it say, byte by byte, and goes when the case has it go.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use super::cases::{Case, Goes, Says};
use super::setting::Setting;

const PATIENCE: Duration = Duration::from_secs(10);
/// More than the 60 KiB that Envoy takes.
const TOO_LARGE: usize = 61 * 1_024;

impl Case {
    /// The request ID that its client sends, if Envoy gets as far as to read one.
    pub(super) fn id(&self) -> Option<String> {
        let words = self.name.split(|letter: char| !letter.is_ascii_alphanumeric());
        let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
        matches!(self.says, Says::Plain(_) | Says::With(..)).then(|| words.join("-"))
    }

    /// Sends the request, and is done when the client is.
    pub(super) fn play(&self, setting: &Setting) {
        let mut stream = TcpStream::connect(setting.entrance(self.over)).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        // Where Envoy has refused it already, there may still be something to read.
        let _ = stream.write_all(&self.bytes());
        match self.goes {
            Goes::AtTheEnd => read_until(&mut stream, None, self.name),
            Goes::OnceAnswered(said) => read_until(&mut stream, Some(said), self.name),
            Goes::Having(said, hears) => {
                read_until(&mut stream, Some(hears), self.name);
                stream.write_all(said.as_bytes()).unwrap();
                stream.shutdown(Shutdown::Write).unwrap();
            }
            Goes::OnceUpstream => setting.wait_for_request(&self.id().unwrap_or_default()),
            Goes::AtOnce => {}
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let (line, more) = match self.says {
            Says::Raw(bytes) => return bytes.as_bytes().to_vec(),
            Says::Plain(line) => (line, "\r\n".to_owned()),
            Says::With(line, more) => (line, more.to_owned()),
            Says::TooMuch(line) => (line, format!("x-large: {}\r\n\r\n", "x".repeat(TOO_LARGE))),
        };
        let id = self.id().unwrap_or_default();
        let closes = if more.contains("upgrade:") { "" } else { "connection: close\r\n" };
        format!("{line} HTTP/1.1\r\nhost: shop.test\r\n{closes}x-request-id: {id}\r\n{more}")
            .into_bytes()
    }
}

/// Until this has come, or the other side has ended.
fn read_until(stream: &mut TcpStream, text: Option<&str>, name: &str) {
    let (mut read, mut bytes) = (Vec::new(), [0; 1_024]);
    let has_come = |read: &[u8]| {
        text.is_some_and(|text| read.windows(text.len()).any(|part| part == text.as_bytes()))
    };
    while !has_come(&read) {
        match stream.read(&mut bytes) {
            Ok(0) => break,
            Ok(count) => read.extend(&bytes[..count]),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => break,
            Err(error) => panic!("{name}: {error} after {}", read.escape_ascii()),
        }
    }
    assert!(text.is_none() || has_come(&read), "{name}: {}", read.escape_ascii());
}

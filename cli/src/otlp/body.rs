//! The bytes of a message: read from a connection, and decompressed, each within the bound.

use std::io::Read as _;

use flate2::read::MultiGzDecoder;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::HeaderMap;
use hyper::body::{Bytes, Incoming};
use hyper::header::HeaderName;

use super::LONGEST;
use super::refusal::Refusal;

/// How a message is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Identity,
    Gzip,
}

impl Coding {
    /// As the header field of that name says, or does not.
    pub(super) fn of(headers: &HeaderMap, name: HeaderName) -> Result<Self, Refusal> {
        let Some(value) = headers.get(name) else { return Ok(Self::Identity) };
        match value.to_str().map(str::to_ascii_lowercase).as_deref() {
            Ok("" | "identity") => Ok(Self::Identity),
            Ok("gzip") => Ok(Self::Gzip),
            _ => Err(Refusal::Coding(String::from_utf8_lossy(value.as_bytes()).into_owned())),
        }
    }

    /// The message with its compression taken off.
    pub(super) fn open(self, message: Bytes) -> Result<Bytes, Refusal> {
        match self {
            Self::Identity => Ok(message),
            Self::Gzip => unzip(&message),
        }
    }
}

/// A whole body, of no more than [`LONGEST`] and `more`.
pub(super) async fn read(body: Incoming, more: usize) -> Result<Bytes, Refusal> {
    match Limited::new(body, LONGEST + more).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Refusal::TooLarge),
        Err(error) => Err(Refusal::malformed(&error)),
    }
}

fn unzip(message: &[u8]) -> Result<Bytes, Refusal> {
    let mut plain = Vec::new();
    // One more than is allowed, to see that there is more.
    let mut decoder = MultiGzDecoder::new(message).take(LONGEST as u64 + 1);
    decoder.read_to_end(&mut plain).map_err(|error| Refusal::malformed(&error))?;
    if plain.len() > LONGEST { Err(Refusal::TooLarge) } else { Ok(plain.into()) }
}

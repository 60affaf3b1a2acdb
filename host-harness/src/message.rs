//! A message of HTTP as somebody saw it: headers, body, trailers.

use std::fmt;

use crate::HeaderMap;

/// A request or a response, as far as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// The headers, the pseudo-headers among them.
    pub headers: HeaderMap,
    /// All of the body that came.
    pub body: Vec<u8>,
    /// The trailers, if there were any.
    pub trailers: Option<HeaderMap>,
    /// Whether it came to its end, and was not cut off.
    pub whole: bool,
}

impl Message {
    /// The first value of a header, in whatever case its name is written.
    pub fn get(&self, name: impl AsRef<[u8]>) -> Option<&[u8]> {
        self.headers.get(name)
    }

    /// The status of a response, if it has one that is a number.
    pub fn status(&self) -> Option<u16> {
        self.headers.status()
    }
}

/// A line for each header, then the body and the trailers where there are any.
impl fmt::Display for Message {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.headers.fmt(out)?;
        if !self.body.is_empty() {
            writeln!(out, "body \"{}\"", self.body.escape_ascii())?;
        }
        if let Some(trailers) = &self.trailers {
            writeln!(out, "trailers")?;
            trailers.fmt(out)?;
        }
        if !self.whole {
            writeln!(out, "cut off")?;
        }
        Ok(())
    }
}

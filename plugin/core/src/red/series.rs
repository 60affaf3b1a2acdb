//! What tells the series of requests apart, as small numbers.

use crate::observation::{ErrorType, Stream};
use crate::route::Number;
use crate::{Direction, Method};

/// The labels of one finished request.
///
/// Bounded whatever clients send: a closed set of methods, schemes and versions, statuses below 1,000, and routes that are
/// configured or within their limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Labels {
    /// All that is a number, in one word.
    packed: u64,
    /// Why it failed, if it did.
    error: Option<ErrorType>,
}

/// The scheme of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `http`
    Http,
    /// `https`
    Https,
    /// Any other, or none.
    Other,
}

/// The version of HTTP that a request came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// `1.0`
    One,
    /// `1.1`
    OneOne,
    /// `2`
    Two,
    /// `3`
    Three,
    /// Not asked for, or any other.
    Unknown,
}

/// The labels, one by one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parts {
    pub(crate) direction: Direction,
    pub(crate) method: Method,
    pub(crate) scheme: Scheme,
    pub(crate) route: Number,
    /// 0 if none was sent.
    pub(crate) status: u16,
    pub(crate) error: Option<ErrorType>,
    pub(crate) version: Version,
    /// What kind of stream it was; none: none.
    pub(crate) stream: Option<Stream>,
}

impl Parts {
    /// As one key.
    #[inline]
    pub(super) fn pack(self) -> Labels {
        let numbers = [
            (self.direction as u64, 1),
            (self.method as u64, 4),
            (self.scheme as u64, 2),
            (self.version as u64, 3),
            (self.stream.map_or(0, |stream| stream as u64 + 1), 2),
            (self.status.into(), 10),
        ];
        let packed = numbers
            .iter()
            .fold(self.route.as_u64(), |packed, (number, bits)| packed << bits | number);
        Labels { packed, error: self.error }
    }
}

impl Parts {
    /// The same but for what only tells requests of one route apart in detail.
    pub(super) fn without_details(self, route: Number) -> Self {
        Self { route, scheme: Scheme::Other, version: Version::Unknown, error: None, ..self }
    }

    /// The status; empty if none was sent.
    pub(super) fn status_text(self, digits: &mut [u8; 3]) -> &str {
        if self.status == 0 { "" } else { ErrorType::Status(self.status).text(digits) }
    }

    /// Why it failed; empty if it did not.
    pub(super) fn error_text(self, digits: &mut [u8; 3]) -> &str {
        self.error.map_or("", |error| error.text(digits))
    }

    /// Empty for what comes to the service: that is the rule.
    pub(super) fn direction_text(self) -> &'static str {
        match self.direction {
            Direction::Inbound => "",
            Direction::Outbound => "outbound",
        }
    }
}

impl Scheme {
    pub(super) const ALL: [Self; Self::COUNT] = [Self::Http, Self::Https, Self::Other];
    pub(super) const COUNT: usize = 3;

    /// The scheme with this name.
    pub fn from_bytes(name: &[u8]) -> Self {
        match name {
            b"http" => Self::Http,
            b"https" => Self::Https,
            _ => Self::Other,
        }
    }

    /// Its name; empty if it is none that is known.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Other => "",
        }
    }
}

impl Version {
    /// As a host writes it: `HTTP/1.1`.
    pub fn from_bytes(protocol: &[u8]) -> Self {
        match protocol {
            b"HTTP/1.0" => Self::One,
            b"HTTP/1.1" => Self::OneOne,
            b"HTTP/2" => Self::Two,
            b"HTTP/3" => Self::Three,
            _ => Self::Unknown,
        }
    }

    /// Its number; empty if it is not known.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::One => "1.0",
            Self::OneOne => "1.1",
            Self::Two => "2",
            Self::Three => "3",
            Self::Unknown => "",
        }
    }
}

//! What telemetry needs of a message's head, taken from all its pairs in one pass.
//!
//! Values are copied here, within bounds, because a host forgets the request's head before the
//! response comes.

use crate::Plan;
use crate::identity::{RequestId, Traceparent};

/// The longest path that is kept; a signal may show less.
pub(crate) const LONGEST_PATH: usize = 2_048;
/// The longest of any other value that is kept.
pub(crate) const LONGEST_VALUE: usize = 1_024;

/// A name and a value, as bytes: what a client or an app sends need not be UTF-8.
pub type Pair<'a> = (&'a [u8], &'a [u8]);

/// A request's head.
#[derive(Debug, Default)]
pub struct RequestHead {
    pub(crate) method: Kept,
    pub(crate) scheme: Kept,
    pub(crate) host: Kept,
    pub(crate) path: Kept,
    pub(crate) user_agent: Kept,
    /// The caller's request ID, if it sent one header with a safe token.
    pub(crate) request_id: Option<RequestId>,
    /// The caller's place in a trace, if it sent one valid header.
    pub(crate) caller: Option<Traceparent>,
    /// Whether there is a `tracestate`, valid or not.
    pub(crate) has_tracestate: bool,
    /// The method that a browser asks for before it uses it.
    asked_method: Option<Method>,
}

/// A response's head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResponseHead {
    /// The status, if there is one.
    pub status: Option<u16>,
    /// The router says how long the upstream took, so the response is the upstream's.
    pub from_upstream: bool,
    /// A gRPC status that says that there is no such method.
    pub unimplemented: bool,
}

/// A value kept within a bound.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// The value, or its beginning.
    pub(crate) bytes: Vec<u8>,
    /// Whether this is only the beginning.
    pub(crate) cut: bool,
}

/// A method of RFC 9110, PATCH, or QUERY; any other is one and the same, because clients choose it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// `CONNECT`
    Connect,
    /// `DELETE`
    Delete,
    /// `GET`
    Get,
    /// `HEAD`
    Head,
    /// `OPTIONS`
    Options,
    /// `PATCH`
    Patch,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `QUERY`
    Query,
    /// `TRACE`
    Trace,
    /// `_OTHER`
    Other,
}

impl RequestHead {
    /// Reads all pairs of a request. Hands back its path too, whole and without the query: what of it may
    /// be kept depends on its route.
    pub fn read<'a>(pairs: impl Iterator<Item = Pair<'a>>, plan: &Plan) -> (Self, &'a [u8]) {
        let mut head = Self::default();
        let mut path: &[u8] = &[];
        let mut request_ids = Sole::None;
        let mut traceparents = Sole::None;
        for (name, value) in pairs {
            match name {
                b":method" => head.method = Kept::new(value, LONGEST_VALUE),
                b":scheme" => head.scheme = Kept::new(value, LONGEST_VALUE),
                b":authority" => head.host = Kept::new(value, LONGEST_VALUE),
                b":path" => path = without_query(value),
                b"user-agent" => head.user_agent = Kept::new(value, LONGEST_VALUE),
                b"traceparent" => traceparents.see(value),
                b"tracestate" => head.has_tracestate = true,
                b"access-control-request-method" => {
                    head.asked_method = Some(Method::from_bytes(value));
                }
                _ if name == plan.request_id_header => request_ids.see(value),
                _ => {}
            }
        }
        head.request_id = request_ids.value().and_then(RequestId::parse);
        head.caller = traceparents.value().and_then(|value| Traceparent::parse(value).ok());
        (head, path)
    }

    /// Keeps the path, or as much of it as is ever shown.
    pub(crate) fn keep_path(&mut self, path: &[u8]) {
        self.path = Kept::new(path, LONGEST_PATH);
    }

    /// The method that a browser asks for before it uses it, which any server answers for any path.
    pub(crate) fn preflight(&self) -> Option<Method> {
        self.asked_method.filter(|_| self.method() == Method::Options)
    }

    /// The method, as metrics know it.
    pub(crate) fn method(&self) -> Method {
        Method::from_bytes(&self.method.bytes)
    }
}

impl ResponseHead {
    /// Reads all pairs of a response.
    pub fn read<'a>(pairs: impl Iterator<Item = Pair<'a>>) -> Self {
        let mut head = Self::default();
        for (name, value) in pairs {
            match name {
                b":status" => head.status = head.status.or_else(|| status(value)),
                b"x-envoy-upstream-service-time" => head.from_upstream = true,
                b"grpc-status" => head.unimplemented = value == b"12",
                _ => {}
            }
        }
        head
    }
}

fn status(value: &[u8]) -> Option<u16> {
    std::str::from_utf8(value).ok()?.parse().ok().filter(|status| *status < 1_000)
}

impl Kept {
    fn new(value: &[u8], longest: usize) -> Self {
        let kept = value.get(..longest);
        Self { bytes: kept.unwrap_or(value).to_vec(), cut: kept.is_some() && value.len() > longest }
    }
}

impl Method {
    /// The method with this name. Names are case-sensitive.
    pub fn from_bytes(name: &[u8]) -> Self {
        match name {
            b"CONNECT" => Self::Connect,
            b"DELETE" => Self::Delete,
            b"GET" => Self::Get,
            b"HEAD" => Self::Head,
            b"OPTIONS" => Self::Options,
            b"PATCH" => Self::Patch,
            b"POST" => Self::Post,
            b"PUT" => Self::Put,
            b"QUERY" => Self::Query,
            b"TRACE" => Self::Trace,
            _ => Self::Other,
        }
    }

    /// Its name in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "CONNECT",
            Self::Delete => "DELETE",
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Options => "OPTIONS",
            Self::Patch => "PATCH",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Query => "QUERY",
            Self::Trace => "TRACE",
            Self::Other => "_OTHER",
        }
    }
}

/// The value of a header that must come once: two of them say nothing that can be relied on.
enum Sole<'a> {
    None,
    One(&'a [u8]),
    Several,
}

impl<'a> Sole<'a> {
    fn see(&mut self, value: &'a [u8]) {
        *self = if matches!(self, Self::None) { Self::One(value) } else { Self::Several };
    }

    fn value(&self) -> Option<&'a [u8]> {
        match self {
            Self::One(value) => Some(value),
            Self::None | Self::Several => None,
        }
    }
}

/// The path alone. What follows the first `?` or `#` is not part of it, and may hold secrets.
fn without_query(target: &[u8]) -> &[u8] {
    target.split(|&byte| matches!(byte, b'?' | b'#')).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Place;
    use crate::config::Settings;

    const TRACEPARENT: &[u8] = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn read(pairs: &[Pair<'_>]) -> RequestHead {
        let plan = Plan::new(&Settings::default(), &Place::default());
        let (mut head, path) = RequestHead::read(pairs.iter().copied(), &plan);
        head.keep_path(path);
        head
    }

    #[test]
    fn a_header_that_comes_twice_counts_as_none() {
        let once = read(&[(b"x-request-id", b"a"), (b"traceparent", TRACEPARENT)]);
        assert!(once.request_id.is_some() && once.caller.is_some());
        let twice = read(&[
            (b"x-request-id", b"a"),
            (b"x-request-id", b"a"),
            (b"traceparent", TRACEPARENT),
            (b"traceparent", TRACEPARENT),
        ]);
        assert!(twice.request_id.is_none() && twice.caller.is_none());
    }

    #[test]
    fn the_path_has_no_query_and_a_bound() {
        let long = [b"/", vec![b'a'; 5_000].as_slice()].concat();
        let table: [(&str, &[u8], usize, bool); 6] = [
            ("plain", b"/a", 2, false),
            ("query", b"/a?token=secret", 2, false),
            ("fragment", b"/a#b?c", 2, false),
            ("only a query", b"?a", 0, false),
            ("at the bound", &long[..LONGEST_PATH], LONGEST_PATH, false),
            ("past the bound", &long, LONGEST_PATH, true),
        ];
        for (name, path, length, cut) in table {
            let head = read(&[(b":path", path)]);
            assert_eq!((head.path.bytes.len(), head.path.cut), (length, cut), "{name}");
        }
    }

    #[test]
    fn methods_are_a_closed_set() {
        for name in [
            "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE",
        ] {
            assert_eq!(Method::from_bytes(name.as_bytes()).as_str(), name);
        }
        for name in ["", "get", "BREW", "GET "] {
            assert_eq!(Method::from_bytes(name.as_bytes()).as_str(), "_OTHER", "{name:?}");
        }
    }

    #[test]
    fn a_status_is_a_number_of_three_digits_at_most() {
        let table: [(&[u8], Option<u16>); 6] = [
            (b"200", Some(200)),
            (b"599", Some(599)),
            (b"1000", None),
            (b"-1", None),
            (b"\xff", None),
            (b"", None),
        ];
        for (value, expected) in table {
            let pairs: [Pair<'_>; 2] = [(b"server", b"x"), (b":status", value)];
            assert_eq!(ResponseHead::read(pairs.into_iter()).status, expected, "{value:?}");
        }
    }
}

//! What telemetry needs of a message's head, taken from all its pairs in one pass.
//!
//! Values are copied here, within bounds, because a host forgets the request's head before the
//! response comes.

use sightline_templates::Method;
use std::borrow::Cow;

use crate::Plan;
use crate::identity::{RequestId, Traceparent, Tracestate, read_baggage};
use crate::red::Scheme;

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
    /// Without a name and a password in front.
    pub(crate) host: Kept,
    /// Whether there were any.
    pub(crate) has_userinfo: bool,
    pub(crate) path: Kept,
    /// Without the values of secret parameters.
    pub(crate) query: Kept,
    pub(crate) user_agent: Kept,
    /// Who the client was, as proxies before us say: the end of it, where they write. Read where it is shown.
    pub(crate) forwarded_for: Vec<u8>,
    /// Whom the client asked, as the first of them says. Read for spans only.
    pub(crate) forwarded_host: Kept,
    /// The caller's request ID, if it sent one header with a safe token.
    pub(crate) request_id: Option<RequestId>,
    /// The caller's place in a trace, if it sent one valid header.
    pub(crate) caller: Option<Traceparent>,
    /// Whether it sent any, valid or not.
    pub(crate) has_traceparent: bool,
    /// What stands beside it, valid or not.
    pub(crate) tracestate: StateHeader,
    /// Values of baggage that the configuration asks for, by the number of the key there.
    pub(crate) baggage: Vec<(usize, Vec<u8>)>,
    /// Whether it is a gRPC call.
    pub(crate) is_grpc: bool,
    /// The size of its body, where the head says it.
    pub(crate) body_bytes: Option<u64>,
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
    /// The status of a gRPC call that has no message.
    pub grpc_status: Option<u32>,
    /// It begins a stream of server-sent events.
    pub event_stream: bool,
}

/// The `tracestate` of a request: all headers of that name, joined by commas, as the standard asks.
#[derive(Debug, Default)]
pub(crate) struct StateHeader {
    pub(crate) value: Vec<u8>,
    pub(crate) lines: usize,
}

/// A value kept within a bound.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// The value, or its beginning.
    pub(crate) bytes: Vec<u8>,
    /// Whether this is only the beginning.
    pub(crate) cut: bool,
}

impl RequestHead {
    /// Reads all pairs of a request. Hands back its path too, whole and without the query: what of it may
    /// be kept depends on its route.
    pub fn read<'a>(
        pairs: impl Iterator<Item = Pair<'a>> + Clone,
        plan: &Plan,
    ) -> (Self, &'a [u8]) {
        let mut head = Self::default();
        let mut target: &[u8] = &[];
        let mut request_ids = Sole::None;
        let mut traceparents = Sole::None;
        for (name, value) in pairs.clone() {
            match name {
                b":method" => head.method = Kept::new(value, LONGEST_VALUE),
                b":scheme" => head.scheme = Kept::new(value, LONGEST_VALUE),
                b":authority" => head.see_host(value),
                b":path" => target = value,
                b"user-agent" => {
                    head.user_agent = Kept::new(&plan.redaction.value(value), LONGEST_VALUE);
                }
                b"content-type" => head.is_grpc = is_grpc(value),
                b"content-length" => head.body_bytes = number(value),
                b"traceparent" => traceparents.see(value),
                b"tracestate" => head.tracestate.see(value),
                b"access-control-request-method" => {
                    head.asked_method = Some(Method::from_bytes(value));
                }
                b"x-forwarded-for" if plan.shows_client() => {
                    join_end(&mut head.forwarded_for, value);
                }
                b"x-forwarded-host" if plan.export.is_some() => head.see_forwarded_host(value),
                _ if name == plan.request_id_header => request_ids.see(value),
                _ => {}
            }
        }
        head.request_id = request_ids.value().and_then(RequestId::parse);
        head.has_traceparent = !matches!(traceparents, Sole::None);
        head.caller = traceparents.value().and_then(|value| Traceparent::parse(value).ok());
        if !plan.trace.baggage.is_empty() {
            let values = pairs.filter(|(name, _)| *name == b"baggage").map(|(_, value)| value);
            head.baggage = read_baggage(values, &plan.trace.baggage);
            for (_, value) in &mut head.baggage {
                *value = plan.redaction.value(value).into_owned();
            }
        }
        let (path, query) = path_and_query(target);
        head.query = plan.redaction.query(query, LONGEST_PATH);
        (head, path)
    }

    fn see_host(&mut self, authority: &[u8]) {
        let host = without_userinfo(authority);
        self.has_userinfo = host.len() < authority.len();
        self.host = Kept::new(host, LONGEST_VALUE);
    }

    fn see_forwarded_host(&mut self, list: &[u8]) {
        if self.forwarded_host.bytes.is_empty() {
            let first = list.split(|&byte| byte == b',').next().unwrap_or_default();
            let host = without_userinfo(first.trim_ascii());
            self.forwarded_host = Kept::new(host, LONGEST_VALUE);
        }
    }

    /// Keeps the path, or as much of it as is ever shown.
    pub(crate) fn keep_path(&mut self, path: &[u8]) {
        self.path = Kept::new(path, LONGEST_PATH);
    }

    /// The method that a browser asks for before it uses it, which any server answers for any path.
    pub(crate) fn preflight(&self) -> Option<Method> {
        self.asked_method.filter(|_| self.method() == Method::Options)
    }

    /// Whether an exporter of this process has sent it, to a collector that is reached through this proxy.
    /// Were that telemetry, it would make more of itself for ever.
    pub(crate) fn is_export(&self, plan: &Plan) -> bool {
        let parent = self.caller.map(|caller| caller.span_id);
        plan.exporter.is_some() && parent == plan.exporter
    }

    /// The scheme, as metrics know it.
    pub(crate) fn scheme(&self) -> Scheme {
        Scheme::from_bytes(&self.scheme.bytes)
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
                b"grpc-status" => head.grpc_status = number(value),
                b"content-type" => head.event_stream = value.starts_with(b"text/event-stream"),
                _ => {}
            }
        }
        head
    }
}

impl StateHeader {
    fn see(&mut self, value: &[u8]) {
        self.lines += 1;
        // Past the longest that can be valid it is refused whole, so no more of it need be kept.
        if self.value.len() <= Tracestate::LONGEST {
            if self.lines > 1 {
                self.value.push(b',');
            }
            let room = Tracestate::LONGEST + 1;
            self.value.extend_from_slice(value.get(..room).unwrap_or(value));
        }
    }
}

fn status(value: &[u8]) -> Option<u16> {
    number(value).filter(|status| *status < 1_000)
}

/// A number in decimal, such as the status of a gRPC call.
pub fn number<T: std::str::FromStr>(value: &[u8]) -> Option<T> {
    std::str::from_utf8(value).ok()?.parse().ok()
}

fn is_grpc(content_type: &[u8]) -> bool {
    let rest = content_type.strip_prefix(b"application/grpc");
    rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')))
}

impl Kept {
    pub(crate) fn new(value: &[u8], longest: usize) -> Self {
        let kept = value.get(..longest);
        Self { bytes: kept.unwrap_or(value).to_vec(), cut: kept.is_some() && value.len() > longest }
    }

    /// The same of bytes that are ours already.
    pub(crate) fn of(mut bytes: Vec<u8>, longest: usize) -> Self {
        let cut = bytes.len() > longest;
        bytes.truncate(longest);
        Self { bytes, cut }
    }

    /// As it is shown: where it was cut, on a character's border and with `…` behind.
    pub(crate) fn shown(&self) -> Cow<'_, [u8]> {
        if !self.cut {
            return Cow::Borrowed(&self.bytes);
        }
        let whole = match self.bytes.utf8_chunks().last() {
            Some(last) => self.bytes.len() - last.invalid().len(),
            None => 0,
        };
        let bytes = self.bytes.get(..whole).unwrap_or(&self.bytes);
        Cow::Owned([bytes, "…".as_bytes()].concat())
    }
}

/// Puts a list behind another one, as the next header of the same name. Of what is too long the end is kept,
/// from the first entry on that is whole: what a client sends stands in front, and must not push out what
/// proxies have put behind it.
fn join_end(list: &mut Vec<u8>, value: &[u8]) {
    if list.is_empty() && value.len() < LONGEST_VALUE {
        list.extend_from_slice(value);
        return;
    }
    let whole = [list, b",".as_slice(), value].concat();
    let end = whole.len().checked_sub(LONGEST_VALUE).and_then(|from| whole.get(from..));
    *list = match end {
        Some(end) => {
            let comma = end.iter().position(|&byte| byte == b',');
            comma.and_then(|comma| end.get(comma..)).unwrap_or_default().to_vec()
        }
        None => whole,
    };
}

/// An authority from behind the `@`. Nothing in front of it is ever to be kept, not even its beginning.
fn without_userinfo(authority: &[u8]) -> &[u8] {
    authority.rsplit(|&byte| byte == b'@').next().unwrap_or_default()
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

/// The path, and the query behind the first `?`. A fragment is neither.
fn path_and_query(target: &[u8]) -> (&[u8], &[u8]) {
    let target = target.split(|&byte| byte == b'#').next().unwrap_or_default();
    let path = target.split(|&byte| byte == b'?').next().unwrap_or_default();
    (path, target.get(path.len() + 1..).unwrap_or_default())
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
    fn a_name_and_a_password_in_front_of_a_host_are_not_kept() {
        let long = [vec![b'p'; 2_000].as_slice(), b"@shop.test:80"].concat();
        let table: [(&str, &[u8], &[u8], bool); 6] = [
            ("none", b"shop.test:80", b"shop.test:80", false),
            ("both", b"me:secret@shop.test:80", b"shop.test:80", true),
            ("empty ones", b"@shop.test", b"shop.test", true),
            ("an @ in the password", b"me:se@cret@shop.test", b"shop.test", true),
            ("longer than what is kept", &long, b"shop.test:80", true),
            ("no host", b"me@", b"", true),
        ];
        for (name, authority, host, has_userinfo) in table {
            let head = read(&[(b":authority", authority)]);
            assert_eq!(
                (head.host.bytes.as_slice(), head.has_userinfo),
                (host, has_userinfo),
                "{name}"
            );
        }
    }

    #[test]
    fn of_a_list_that_is_too_long_the_end_is_kept() {
        let joined = |values: &[&[u8]]| {
            let mut list = Vec::new();
            for value in values {
                join_end(&mut list, value);
            }
            list
        };
        assert_eq!(joined(&[b"a, b", b"c"]), b"a, b,c");
        for padding in 1..LONGEST_VALUE + 20 {
            let front = vec![b'x'; padding];
            let list = joined(&[&front, b"192.0.2.1, 198.51.100.7"]);
            let whole = b"192.0.2.1, 198.51.100.7";
            let front = list.strip_suffix(whole).unwrap();
            assert!(front.is_empty() || front.ends_with(b","), "{padding}");
            assert!(list.len() <= LONGEST_VALUE, "{padding}");
        }
        assert_eq!(joined(&[&[b'x'; 2_000]]), b"", "an entry that was cut says nothing");
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

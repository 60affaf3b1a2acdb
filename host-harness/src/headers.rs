//! Header maps as Envoy keeps them: lower-case names, raw bytes as values, pseudo-headers in front.
//!
//! Order and duplicates are kept, save for the headers of which Envoy keeps one: a second value of
//! such a header is appended to the first. Which those are also depends on the extensions compiled
//! into an Envoy (`accept` is one where there is CORS or a cache); here are those that every Envoy
//! has.

use std::fmt;

/// An ordered map of raw bytes, in which a name may occur more than once.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct HeaderMap {
    /// Names are canonical, and every name that starts with a colon comes before every other.
    entries: Vec<(Vec<u8>, Vec<u8>)>,
}

impl HeaderMap {
    /// A map without entries.
    pub fn new() -> Self {
        Self::default()
    }

    /// The first value under this name, in whatever case the name is written.
    pub fn get(&self, name: impl AsRef<[u8]>) -> Option<&[u8]> {
        self.all(name).next()
    }

    /// All values under this name, in order.
    pub fn all(&self, name: impl AsRef<[u8]>) -> impl Iterator<Item = &[u8]> {
        let name = canonical(name.as_ref());
        self.iter().filter(move |(other, _)| *other == name).map(|(_, value)| value)
    }

    /// Adds a value beside those that are there; of a header that Envoy keeps once, it is appended
    /// with a comma.
    pub fn add(&mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) {
        let (name, value) = (canonical(name.as_ref()), value.as_ref());
        match self.kept_once(&name) {
            Some(present) => append(present, value),
            None => self.insert(name, value.to_vec()),
        }
    }

    /// Puts one value in place of all that are there. It goes to the end, as Envoy removes and then
    /// adds.
    pub fn replace(&mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) {
        self.remove(name.as_ref());
        self.add(name, value);
    }

    /// Puts one value where the first is, or at the end: what Envoy does with headers of its own.
    pub(crate) fn overwrite(&mut self, name: &str, value: impl AsRef<[u8]>) {
        let value = value.as_ref().to_vec();
        match self.entries.iter_mut().find(|(other, _)| other == name.as_bytes()) {
            Some((_, present)) => *present = value,
            None => self.insert(name.into(), value),
        }
    }

    /// Removes all values under this name.
    pub fn remove(&mut self, name: impl AsRef<[u8]>) {
        let name = canonical(name.as_ref());
        self.entries.retain(|(other, _)| *other != name);
    }

    /// All entries in order.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.entries.iter().map(|(name, value)| (name.as_slice(), value.as_slice()))
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The bytes of all names and values, which is what Envoy calls the size of a map.
    pub fn byte_size(&self) -> usize {
        self.entries.iter().map(|(name, value)| name.len() + value.len()).sum()
    }

    /// The value to append to, where there is one and Envoy keeps no second.
    fn kept_once(&mut self, name: &[u8]) -> Option<&mut Vec<u8>> {
        if !KEPT_ONCE.iter().any(|known| known.as_bytes() == name) {
            return None;
        }
        self.entries.iter_mut().find(|(other, _)| other == name).map(|(_, value)| value)
    }

    fn insert(&mut self, name: Vec<u8>, value: Vec<u8>) {
        let pseudo = self.entries.partition_point(|(other, _)| other.starts_with(b":"));
        let place = if name.starts_with(b":") { pseudo } else { self.entries.len() };
        self.entries.insert(place, (name, value));
    }
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>> FromIterator<(N, V)> for HeaderMap {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let mut map = Self::new();
        pairs.into_iter().for_each(|(name, value)| map.add(name, value));
        map
    }
}

/// One line per entry; what is not UTF-8 is replaced.
impl fmt::Display for HeaderMap {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in self.iter() {
            writeln!(out, "{}: {}", String::from_utf8_lossy(name), String::from_utf8_lossy(value))?;
        }
        Ok(())
    }
}

impl fmt::Debug for HeaderMap {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts = self
            .iter()
            .map(|(name, value)| (String::from_utf8_lossy(name), String::from_utf8_lossy(value)));
        out.debug_list().entries(texts).finish()
    }
}

fn canonical(name: &[u8]) -> Vec<u8> {
    match name.to_ascii_lowercase() {
        host if host == b"host" => b":authority".to_vec(),
        name => name,
    }
}

fn append(present: &mut Vec<u8>, value: &[u8]) {
    if !present.is_empty() && !value.is_empty() {
        present.push(b',');
    }
    present.extend_from_slice(value);
}

/// Envoy has one list for requests and one for responses; no name of one list means anything in the
/// other's maps.
const KEPT_ONCE: &[&str] = &[
    ":authority",
    ":method",
    ":path",
    ":protocol",
    ":scheme",
    ":status",
    "connection",
    "content-length",
    "content-type",
    "date",
    "expect",
    "grpc-message",
    "grpc-status",
    "grpc-timeout",
    "keep-alive",
    "location",
    "proxy-connection",
    "proxy-status",
    "server",
    "te",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
    "x-client-trace-id",
    "x-envoy-attempt-count",
    "x-envoy-decorator-operation",
    "x-envoy-degraded",
    "x-envoy-downstream-service-cluster",
    "x-envoy-downstream-service-node",
    "x-envoy-expected-rq-timeout-ms",
    "x-envoy-external-address",
    "x-envoy-force-trace",
    "x-envoy-hedge-on-per-try-timeout",
    "x-envoy-immediate-health-check-fail",
    "x-envoy-internal",
    "x-envoy-ip-tags",
    "x-envoy-max-retries",
    "x-envoy-original-path",
    "x-envoy-ratelimited",
    "x-envoy-retriable-header-names",
    "x-envoy-retriable-status-codes",
    "x-envoy-retry-grpc-on",
    "x-envoy-retry-on",
    "x-envoy-upstream-alt-stat-name",
    "x-envoy-upstream-canary",
    "x-envoy-upstream-healthchecked-cluster",
    "x-envoy-upstream-rq-per-try-timeout-ms",
    "x-envoy-upstream-rq-timeout-alt-response",
    "x-envoy-upstream-rq-timeout-ms",
    "x-envoy-upstream-service-time",
    "x-forwarded-client-cert",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-request-id",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_keeps_order_duplicates_and_raw_bytes() {
        let map = HeaderMap::from_iter([
            ("Accept", &b"a"[..]),
            (":path", b"/"),
            ("X-Raw", b"\xff\xfe"),
            ("accept", b"b"),
        ]);
        let entries: Vec<_> = map.iter().collect();
        let expected: [(&[u8], &[u8]); 4] =
            [(b":path", b"/"), (b"accept", b"a"), (b"x-raw", b"\xff\xfe"), (b"accept", b"b")];
        assert_eq!(entries, expected);
        assert_eq!(map.byte_size(), 6 + 7 + 7 + 7);
    }

    #[test]
    fn changing_a_map_does_what_envoy_does() {
        type Change = fn(&mut HeaderMap);
        let rows: [(&str, Change, &str); 7] = [
            ("add beside", |map| map.add("A", "3"), "a: 1\nx-request-id: r\na: 2\na: 3\n"),
            (
                "add to one kept once",
                |map| map.add("X-Request-ID", "s"),
                "a: 1\nx-request-id: r,s\na: 2\n",
            ),
            (
                "add nothing to one kept once",
                |map| map.add("x-request-id", ""),
                "a: 1\nx-request-id: r\na: 2\n",
            ),
            ("replace all", |map| map.replace("A", "3"), "x-request-id: r\na: 3\n"),
            ("replace none", |map| map.replace("b", "3"), "a: 1\nx-request-id: r\na: 2\nb: 3\n"),
            ("remove all", |map| map.remove("A"), "x-request-id: r\n"),
            (
                "host is the authority",
                |map| map.add("Host", "h"),
                ":authority: h\na: 1\nx-request-id: r\na: 2\n",
            ),
        ];
        for (name, change, expected) in rows {
            let mut map = HeaderMap::from_iter([("a", "1"), ("x-request-id", "r"), ("a", "2")]);
            change(&mut map);
            assert_eq!(map.to_string(), expected, "{name}");
        }
    }
}

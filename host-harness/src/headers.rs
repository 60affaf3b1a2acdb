//! Header maps as Envoy keeps them: lower-case names, raw bytes as values, pseudo-headers in front.
//!
//! Order and duplicates are kept, save for the headers of which Envoy keeps one: a second value of
//! such a header is appended to the first. Which those are depends on whose headers they are, and on
//! the extensions in an Envoy; here they are as in its official builds.

mod kept_once;

use std::fmt;

/// An ordered map of raw bytes, in which a name may occur more than once.
#[derive(Clone, Default)]
pub struct HeaderMap {
    /// Names are canonical, and every name that starts with a colon comes before every other.
    entries: Vec<(Vec<u8>, Vec<u8>)>,
    whose: Whose,
}

/// Whose headers they are, as the first pseudo-header said that was put in. Trailers have none.
#[derive(Clone, Copy, Default)]
enum Whose {
    #[default]
    Nobodys,
    Requests,
    Responses,
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
        let name = self.canonical(name.as_ref());
        self.iter().filter(move |(other, _)| *other == name).map(|(_, value)| value)
    }

    /// Adds a value beside those that are there; of a header that Envoy keeps once, it is appended
    /// with a comma.
    pub fn add(&mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) {
        let (name, value) = (self.canonical(name.as_ref()), value.as_ref());
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

    /// The status that these headers of a response say, if it is a number.
    pub(crate) fn status(&self) -> Option<u16> {
        std::str::from_utf8(self.get(":status")?).ok()?.parse().ok()
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
        let name = self.canonical(name.as_ref());
        self.entries.retain(|(other, _)| *other != name);
    }

    /// Puts these in place of all that is there.
    pub(crate) fn refill<'a>(&mut self, pairs: impl IntoIterator<Item = (&'a [u8], &'a [u8])>) {
        self.entries.clear();
        pairs.into_iter().for_each(|(name, value)| self.add(name, value));
    }

    /// Takes off the blanks around all values, as it is done where they come from the wire.
    pub(crate) fn trim(&mut self) {
        for (_, value) in &mut self.entries {
            let trimmed = value.trim_ascii();
            if trimmed.len() < value.len() {
                *value = trimmed.to_vec();
            }
        }
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
        let lists: &[&[&str]] = match self.whose {
            Whose::Nobodys => &[kept_once::IN_TRAILERS],
            Whose::Requests => &[kept_once::IN_BOTH, kept_once::IN_REQUESTS],
            Whose::Responses => {
                &[kept_once::IN_BOTH, kept_once::IN_TRAILERS, kept_once::IN_RESPONSES]
            }
        };
        if !lists.iter().copied().flatten().any(|known| known.as_bytes() == name) {
            return None;
        }
        self.entries.iter_mut().find(|(other, _)| other == name).map(|(_, value)| value)
    }

    fn insert(&mut self, name: Vec<u8>, value: Vec<u8>) {
        self.whose = match self.whose {
            Whose::Nobodys if name == b":status" => Whose::Responses,
            Whose::Nobodys if name.starts_with(b":") => Whose::Requests,
            known => known,
        };
        let pseudo = self.entries.partition_point(|(other, _)| other.starts_with(b":"));
        let place = if name.starts_with(b":") { pseudo } else { self.entries.len() };
        self.entries.insert(place, (name, value));
    }

    /// As it is kept: in lower case, and with the name that HTTP/2 has for a request's host.
    fn canonical(&self, name: &[u8]) -> Vec<u8> {
        let name = name.to_ascii_lowercase();
        let is_host = name == b"host" && !matches!(self.whose, Whose::Responses);
        if is_host { b":authority".to_vec() } else { name }
    }
}

/// Maps are equal that hold the same.
impl PartialEq for HeaderMap {
    fn eq(&self, other: &Self) -> bool {
        self.entries == other.entries
    }
}

impl Eq for HeaderMap {}

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

fn append(present: &mut Vec<u8>, value: &[u8]) {
    if !present.is_empty() && !value.is_empty() {
        present.push(b',');
    }
    present.extend_from_slice(value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_keeps_order_duplicates_and_raw_bytes() {
        let map = HeaderMap::from_iter([
            ("X-A", &b"a"[..]),
            (":path", b"/"),
            ("X-Raw", b"\xff\xfe"),
            ("x-a", b"b"),
        ]);
        let entries: Vec<_> = map.iter().collect();
        let expected: [(&[u8], &[u8]); 4] =
            [(b":path", b"/"), (b"x-a", b"a"), (b"x-raw", b"\xff\xfe"), (b"x-a", b"b")];
        assert_eq!(entries, expected);
        assert_eq!(map.byte_size(), 6 + 4 + 7 + 4);
    }

    #[test]
    fn changing_a_map_does_what_envoy_does() {
        type Change = fn(&mut HeaderMap);
        let rows: [(&str, Change, &str); 8] = [
            ("add beside", |map| map.add("A", "3"), ":path: /\na: 1\nvia: r\na: 2\na: 3\n"),
            ("add to one kept once", |map| map.add("Via", "s"), ":path: /\na: 1\nvia: r,s\na: 2\n"),
            ("add nothing to it", |map| map.add("via", ""), ":path: /\na: 1\nvia: r\na: 2\n"),
            ("replace all", |map| map.replace("A", " 3"), ":path: /\nvia: r\na:  3\n"),
            ("replace none", |map| map.replace("b", "3"), ":path: /\na: 1\nvia: r\na: 2\nb: 3\n"),
            ("remove all", |map| map.remove("A"), ":path: /\nvia: r\n"),
            ("refill", |map| map.refill([(&b"Via"[..], &b"s"[..]), (b"via", b"t")]), "via: s,t\n"),
            (
                "host is the authority",
                |map| map.replace("Host", "h"),
                ":path: /\n:authority: h\na: 1\nvia: r\na: 2\n",
            ),
        ];
        for (name, change, expected) in rows {
            let pairs = [(":path", "/"), ("a", "1"), ("via", "r"), ("a", "2")];
            let mut map = HeaderMap::from_iter(pairs);
            change(&mut map);
            assert_eq!(map.to_string(), expected, "{name}");
        }
    }

    #[test]
    fn what_is_kept_once_depends_on_whose_it_is() {
        let rows = [
            ("request", ":path", "accept: 1,2\netag: 1\netag: 2\ngrpc-status: 1\ngrpc-status: 2\n"),
            ("response", ":status", "accept: 1\naccept: 2\netag: 1,2\ngrpc-status: 1,2\n"),
            ("trailers", "x", "accept: 1\naccept: 2\netag: 1\netag: 2\ngrpc-status: 1,2\n"),
        ];
        for (whose, first, expected) in rows {
            let mut map = HeaderMap::from_iter([(first, "")]);
            for name in ["accept", "etag", "grpc-status"] {
                map.add(name, "1");
                map.add(name, "2");
            }
            map.remove(first);
            assert_eq!(map.to_string(), expected, "{whose}");
        }
    }
}

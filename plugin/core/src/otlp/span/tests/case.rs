//! A request that a test makes up, and its span as text.

use std::fmt::Write as _;

use crate::ending::{Flags, Witness};
use crate::otlp::write_span;
use crate::route::{Route, Scratch};
use crate::sampling::Budget;
use crate::wire::{Field, next_field};
use crate::{Direction, Exchange, Moment, Monotonic, Place, Plan, Rng, Tracing, Wall, config};

/// A request, what became of it, and who was asked.
#[derive(Clone)]
pub(super) struct Case<'a> {
    said: String,
    request: Vec<(Vec<u8>, Vec<u8>)>,
    response: Vec<(Vec<u8>, Vec<u8>)>,
    route: Route<'a>,
    direction: Direction,
    host: Knows,
}

/// What the host says at the end.
#[derive(Clone, Default)]
struct Knows {
    flags: Flags,
    grpc_status: Option<u32>,
    protocol: Option<&'static str>,
    peer: Option<&'static str>,
}

impl Witness for Knows {
    fn flags(&self) -> Flags {
        self.flags
    }

    fn grpc_status(&self) -> Option<u32> {
        self.grpc_status
    }

    fn peer(&self) -> Option<Box<[u8]>> {
        self.peer.map(|peer| peer.as_bytes().into())
    }

    fn protocol(&self) -> Option<Box<[u8]>> {
        self.protocol.map(|protocol| protocol.as_bytes().into())
    }
}

impl Case<'_> {
    /// A request that came over HTTP/1.1 from an address.
    pub(super) fn new(method: &str, path: &str) -> Self {
        let case = Self::bare(method).path(path).scheme("http").host("shop.test");
        Self {
            host: Knows { protocol: Some("HTTP/1.1"), peer: Some("192.0.2.1:4711"), ..case.host },
            ..case
        }
    }

    /// A request of which nothing is known but its method.
    pub(super) fn bare(method: &str) -> Self {
        let case = Self {
            said: String::new(),
            request: Vec::new(),
            response: Vec::new(),
            route: Route::UNMATCHED,
            direction: Direction::Inbound,
            host: Knows::default(),
        };
        case.set(":method", method)
    }

    pub(super) fn on(self, route: Route<'_>) -> Case<'_> {
        Case { route, ..self }
    }

    pub(super) fn said(self, said: &str) -> Self {
        Self { said: format!(", {said}"), ..self }
    }

    pub(super) fn path(self, path: &str) -> Self {
        self.set(":path", path)
    }

    pub(super) fn scheme(self, scheme: &str) -> Self {
        self.set(":scheme", scheme)
    }

    pub(super) fn host(self, host: &str) -> Self {
        self.set(":authority", host)
    }

    pub(super) fn outbound(self) -> Self {
        Self { direction: Direction::Outbound, ..self }
    }

    pub(super) fn with(self, name: &str, value: &str) -> Self {
        self.with_bytes(name, value.as_bytes())
    }

    pub(super) fn with_bytes(mut self, name: &str, value: &[u8]) -> Self {
        self.request.push((name.as_bytes().to_vec(), value.to_vec()));
        self
    }

    pub(super) fn status(self, status: &str) -> Self {
        self.answering(":status", status)
    }

    pub(super) fn answering(mut self, name: &str, value: &str) -> Self {
        self.response.push((name.as_bytes().to_vec(), value.as_bytes().to_vec()));
        self
    }

    pub(super) fn flags(mut self, bits: u64) -> Self {
        self.host.flags = Flags(bits);
        self
    }

    pub(super) fn grpc_status(mut self, code: Option<u32>) -> Self {
        self.host.grpc_status = code;
        self
    }

    pub(super) fn protocol(mut self, protocol: &'static str) -> Self {
        self.host.protocol = Some(protocol);
        self
    }

    /// Instead of what there is of that name.
    fn set(mut self, name: &str, value: &str) -> Self {
        self.request.retain(|(known, _)| known != name.as_bytes());
        self.with(name, value)
    }

    /// The bytes of the span alone.
    pub(super) fn written(&self) -> Vec<u8> {
        let said = format!(
            r#"{{"sampling": {{"ratio": 1}}, "export": {{"cluster": "collector"}}{}}}"#,
            self.said
        );
        let plan = Plan::new(&config::read(said.as_bytes()).unwrap(), &Place::default());
        let now = Moment { wall: Wall(1_800_000_000_123_456_789), monotonic: Monotonic(5_000) };
        let (mut rng, mut scratch) = (Rng::from_seed([9; 32]), Scratch::default());
        let request = pairs(&self.request);
        let mut exchange =
            Exchange::begin(request, now, &mut rng, &mut scratch, &plan, Tracing::Own);
        if !self.response.is_empty() {
            exchange.respond(pairs(&self.response), Monotonic(6_000), &plan);
        }
        let mut budget = Budget::default();
        let end = Monotonic(2_005_000);
        let observation = exchange.finish(end, self.route, &plan, &mut budget, &self.host);
        let mut out = Vec::new();
        write_span(&observation, self.direction, &plan, &mut out);
        let mut rest = out.as_slice();
        let span = bytes(next_field(&mut rest), 2).to_vec();
        assert_eq!(rest, [0; 0], "one span and no more");
        span
    }

    /// The span as text: kind and name, where it belongs, its attributes, and the rest.
    pub(super) fn shown(&self) -> String {
        let span = Read::of(&self.written());
        let Read { kind, name, ids, state, start, end, flags, attributes, link, status } = span;
        let mut text = format!("{kind} {name}\n");
        let _ = writeln!(text, "{} flags {flags:#x}{state}", ids.join(" "));
        let _ = writeln!(text, "from {start} for {} ns", end - start);
        text.extend(attributes.iter().map(|(key, value)| format!("{key} = {value}\n")));
        text.extend(link);
        text.extend(status);
        text
    }
}

fn pairs(owned: &[(Vec<u8>, Vec<u8>)]) -> impl Iterator<Item = (&[u8], &[u8])> + Clone {
    owned.iter().map(|(name, value)| (name.as_slice(), value.as_slice()))
}

/// The names of a span's attributes. Each of its texts has been found to be UTF-8.
pub(super) fn texts(span: &[u8]) -> Vec<String> {
    Read::of(span).attributes.into_iter().map(|(key, _)| key).collect()
}

/// A span that was read. Numbers of fields are those of its `.proto` file.
#[derive(Default)]
struct Read {
    kind: &'static str,
    name: String,
    ids: Vec<String>,
    state: String,
    start: u64,
    end: u64,
    flags: u32,
    attributes: Vec<(String, String)>,
    link: Option<String>,
    status: Option<String>,
}

impl Read {
    fn of(mut rest: &[u8]) -> Self {
        let mut read = Self::default();
        while !rest.is_empty() {
            let before = rest;
            let field = next_field(&mut rest);
            read.take(field, before.strip_suffix(rest).unwrap());
        }
        read
    }

    fn take(&mut self, field: Option<(u64, Field<'_>)>, whole: &[u8]) {
        match field.unwrap() {
            (1, Field::Bytes(id)) => self.ids.push(format!("trace {}", hex(id, 16))),
            (2, Field::Bytes(id)) => self.ids.push(format!("span {}", hex(id, 8))),
            (3, Field::Bytes(state)) => self.state = format!(" state {}", text(state)),
            (4, Field::Bytes(id)) => self.ids.push(format!("parent {}", hex(id, 8))),
            (5, Field::Bytes(name)) => self.name = text(name),
            (6, Field::Varint(2)) => self.kind = "SERVER",
            (6, Field::Varint(3)) => self.kind = "CLIENT",
            (7, Field::Fixed64(start)) => self.start = u64::from_le_bytes(start),
            (8, Field::Fixed64(end)) => self.end = u64::from_le_bytes(end),
            (9, Field::Bytes(pair)) => self.attributes.push(attribute(pair)),
            (13, Field::Bytes(link)) => self.link = Some(read_link(link)),
            (15, Field::Bytes(b"\x18\x02")) => self.status = Some("status Error\n".to_owned()),
            (16, Field::Fixed32) => self.flags = fixed32(whole),
            other => panic!("no field of a span: {other:?}"),
        }
    }
}

/// `KeyValue`, whose value is a text or a whole number.
fn attribute(mut pair: &[u8]) -> (String, String) {
    let key = text(bytes(next_field(&mut pair), 1));
    let mut value = bytes(next_field(&mut pair), 2);
    let shown = match next_field(&mut value) {
        Some((1, Field::Bytes(value))) => format!("{:?}", text(value)),
        Some((3, Field::Varint(value))) => value.to_string(),
        other => panic!("{key}: {other:?}"),
    };
    assert!(pair.is_empty() && value.is_empty(), "{key}");
    (key, shown)
}

fn read_link(mut link: &[u8]) -> String {
    let trace = hex(bytes(next_field(&mut link), 1), 16);
    let span = hex(bytes(next_field(&mut link), 2), 8);
    let mut shown = format!("link to trace {trace} span {span}");
    while !link.is_empty() {
        let before = link;
        match next_field(&mut link).unwrap() {
            (3, Field::Bytes(state)) => {
                let _ = write!(shown, " state {}", text(state));
            }
            (6, Field::Fixed32) => {
                let flags = fixed32(before.strip_suffix(link).unwrap());
                let _ = write!(shown, " flags {flags:#x}");
            }
            other => panic!("no field of a link: {other:?}"),
        }
    }
    shown + "\n"
}

/// The reader passes over these, so their four bytes are taken from behind the tag.
fn fixed32(field: &[u8]) -> u32 {
    u32::from_le_bytes(*field.last_chunk().unwrap())
}

fn bytes(field: Option<(u64, Field<'_>)>, number: u64) -> &[u8] {
    match field {
        Some((found, Field::Bytes(bytes))) if found == number => bytes,
        other => panic!("no bytes with number {number}: {other:?}"),
    }
}

fn text(bytes: &[u8]) -> String {
    str::from_utf8(bytes).unwrap().to_owned()
}

fn hex(id: &[u8], length: usize) -> String {
    assert_eq!(id.len(), length);
    id.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

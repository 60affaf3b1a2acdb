//! What is asked: for every route paths that match it, paths that just do not, and seeded accidents.
//! Templates are read here only as far as it takes to fill them, and not by the core, which is on
//! trial.

use std::collections::BTreeSet;
use std::fmt;

use crate::values;

/// A method and a path as on the wire.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Probe {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    /// The most digits of a number that Python converts; 0 is any number of them.
    pub(crate) digits: u32,
}

/// Python's own bound.
const DIGITS: u32 = 4300;

const METHODS: [&str; 11] = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "QUERY",
    "PURGE",
];

/// How many accidents happen to each matching path.
const ACCIDENTS: usize = 10;

/// What accidents put into a path.
const DEBRIS: [&str; 20] = [
    "/", "//", ".", "..", "-", "0", "9", "x", "Z", "%2F", "%2f", "%25", "%", "%C3%A9", "%FF",
    "%D9%A3", "@", ":", "~", "%0A",
];

/// The probes for a list of routes, each once; the same for the same list.
pub(crate) fn of(templates: &[String]) -> Vec<Probe> {
    let shapes: Vec<Shape> = templates.iter().map(|template| Shape::of(template)).collect();
    let mut dice = Dice(0x5151_1917);
    let mut probes = BTreeSet::new();
    for shape in &shapes {
        let plain = shape.filled();
        let all = METHODS.map(|method| Probe { method, path: plain.clone(), digits: DIGITS });
        probes.extend(all);
        let mut paths = shape.variants();
        paths.extend(bent(&plain));
        let other = shapes[dice.below(shapes.len())].filled();
        paths.extend((0..ACCIDENTS).map(|_| accident(&plain, &other, &mut dice)));
        let method = shape.method;
        probes.extend(paths.into_iter().map(|path| Probe { method, path, digits: DIGITS }));
    }
    probes.retain(|probe| probe.path.starts_with('/'));
    probes.into_iter().collect()
}

/// A template as far as it takes to fill it.
struct Shape {
    method: &'static str,
    pieces: Vec<Piece>,
}

enum Piece {
    Literal(String),
    /// The values to try.
    Param(Vec<String>),
}

impl Shape {
    fn of(template: &str) -> Self {
        let (methods, path) = match template.split_once(' ') {
            Some((methods, path)) if methods.bytes().all(is_of_methods) => (methods, path),
            _ => ("GET", template),
        };
        let method = METHODS.into_iter().find(|it| methods.split(',').any(|one| one == *it));
        let mut pieces = vec![Piece::Literal("/".to_owned())];
        let mut rest = path.strip_prefix('/').unwrap_or(path);
        while let Some(open) = rest.find(['{', '<']) {
            pieces.push(Piece::Literal(encoded(&rest[..open])));
            let close = if rest[open..].starts_with('{') { '}' } else { '>' };
            let (inside, behind) = rest[open + 1..].split_once(close).unwrap();
            pieces.push(Piece::Param(values::of(converter(inside, close))));
            rest = behind;
        }
        pieces.push(Piece::Literal(encoded(rest)));
        Self { method: method.unwrap(), pieces }
    }

    /// With the first value everywhere, which fits.
    fn filled(&self) -> String {
        self.filled_but(usize::MAX, "")
    }

    /// With every value of every parameter, while the others have their first.
    fn variants(&self) -> Vec<String> {
        let mut paths = vec![self.filled()];
        for (place, piece) in self.pieces.iter().enumerate() {
            if let Piece::Param(values) = piece {
                paths.extend(values.iter().map(|value| self.filled_but(place, value)));
            }
        }
        let slashed: Vec<_> = paths.iter().filter_map(|path| with_other_end(path)).collect();
        paths.extend(slashed);
        paths
    }

    fn filled_but(&self, changed: usize, value: &str) -> String {
        let filled = self.pieces.iter().enumerate().map(|(place, piece)| match piece {
            Piece::Literal(text) => text.as_str(),
            Piece::Param(_) if place == changed => value,
            Piece::Param(values) => values[0].as_str(),
        });
        filled.collect()
    }
}

fn is_of_methods(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte == b','
}

/// The converter in front of the name in angle brackets, and behind it in braces.
fn converter(inside: &str, close: char) -> &str {
    let split = if close == '>' { inside.rsplit_once(':') } else { inside.split_once(':') };
    split.map_or("", |(left, right)| if close == '>' { left } else { right })
}

/// As on the wire.
fn encoded(literal: &str) -> String {
    let one = |byte: u8| {
        if byte.is_ascii() { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    literal.bytes().map(one).collect()
}

/// The same path with the one slash at its end, or without it. An encoded one is one, too. None if
/// there are several: then the last one does not end a segment, for what it ends is empty.
pub(crate) fn with_other_end(path: &str) -> Option<String> {
    match without_slash(path) {
        None => Some(format!("{path}/")),
        Some(shorter) if shorter.is_empty() || without_slash(shorter).is_some() => None,
        Some(shorter) => Some(shorter.to_owned()),
    }
}

fn without_slash(path: &str) -> Option<&str> {
    ["/", "%2F", "%2f"].iter().find_map(|slash| path.strip_suffix(slash))
}

/// What somebody might try with a path that matches.
fn bent(path: &str) -> Vec<String> {
    let inner = &path[1..];
    let mut paths = vec![
        format!("//{inner}"),
        format!("/./{inner}"),
        format!("/%2F{inner}"),
        format!("/x/../{inner}"),
        format!("{path}//"),
        format!("{path}%2F"),
        format!("{path}/extra"),
        format!("{path}/.."),
        format!("{path}/."),
        format!("{path}%0A"),
        format!("{path}%20"),
        format!("{path};v=1"),
        format!("{path}{}", "x".repeat(3000)),
        format!("{path}{}", "/x".repeat(300)),
        path.to_ascii_uppercase(),
        path.replacen('/', "//", 2),
        format!("/{}", inner.replacen('/', "%2F", 1)),
        format!("/{}", inner.replacen('/', "//", 1)),
    ];
    if let Some(first) = inner.bytes().next().filter(u8::is_ascii_alphanumeric) {
        paths.push(format!("/%{first:02x}{}", &inner[1..]));
        paths.push(format!("/{}", &inner[1..]));
    }
    if let Some((parent, _)) = path.rsplit_once('/') {
        paths.push(parent.to_owned());
    }
    paths
}

/// Something lost, doubled, put in or taken from another path.
fn accident(path: &str, other: &str, dice: &mut Dice) -> String {
    let at = 1 + dice.below(path.len());
    let (before, behind) = path.split_at(at);
    let debris = DEBRIS[dice.below(DEBRIS.len())];
    let next = behind.get(1..).unwrap_or("");
    match dice.below(6) {
        0 => format!("{before}{next}"),
        1 => format!("{before}{}{behind}", &before[before.len() - 1..]),
        2 => format!("{before}{debris}{behind}"),
        3 => format!("{before}{debris}{next}"),
        4 => format!("{before}{other}"),
        _ => format!("{}{}", path.rsplit_once('/').unwrap().0, other),
    }
}

/// Numbers that look random, from a seed (`SplitMix64`).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % u64::try_from(bound).unwrap()).unwrap()
    }
}

impl fmt::Display for Probe {
    /// Long ones in short.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = &self.path;
        let length = path.len();
        if length <= 120 {
            return write!(f, "{} {path}", self.method);
        }
        let (head, tail) = (&path[..60], &path[length - 20..]);
        write!(f, "{} {head}...{tail} ({length} bytes)", self.method)
    }
}

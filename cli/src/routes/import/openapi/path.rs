//! Paths of a document: texts with parameters in braces.

use super::super::route::Part;

/// What a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Any,
    Int,
    Float,
    Uuid,
    Path,
}

/// A piece of a path: a text, or what stands between braces.
enum Piece<'a> {
    Text(&'a str),
    Param(&'a str),
}

/// The parts of a path; `kind` says what a parameter takes.
pub(super) fn parts(path: &str, kind: impl Fn(&str) -> Kind) -> Result<Vec<Part>, String> {
    let part = |piece: Piece<'_>| match piece {
        Piece::Text(text) => Part::text(decoded(text)),
        Piece::Param(name) => parameter(name, kind(name)),
    };
    Ok(pieces(path)?.into_iter().map(part).collect())
}

/// The path without the names of its parameters.
pub(super) fn shape(path: &str) -> String {
    let shape = |piece| match piece {
        Piece::Text(text) => text,
        Piece::Param(_) => "{}",
    };
    pieces(path).map_or_else(|_| path.to_owned(), |it| it.into_iter().map(shape).collect())
}

/// The parameter that the path ends with, if it has a segment for itself.
pub(super) fn last_parameter(path: &str) -> Option<&str> {
    let (_, last) = path.rsplit_once('/')?;
    let name = last.strip_prefix('{')?.strip_suffix('}')?;
    (!name.contains(['{', '}'])).then_some(name)
}

/// Whether developers call what spans segments like this: a document has no way to say it.
pub(super) fn sounds_like_a_path(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["path", "filepath", "rest"].contains(&name.as_str()) || name.ends_with("_path")
}

/// What stands for it once it is percent-decoded; as it is where that is no text.
pub(super) fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, behind)) = rest.split_first() {
        let escaped = behind.get(..2).filter(|_| first == b'%');
        let escaped = escaped.and_then(|hex| std::str::from_utf8(hex).ok());
        match escaped.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = behind.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(first);
                rest = behind;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

fn pieces(path: &str) -> Result<Vec<Piece<'_>>, String> {
    let mut pieces = Vec::new();
    let mut rest = path;
    while let Some((text, behind)) = rest.split_once('{') {
        let (name, behind) = behind.split_once('}').ok_or("a brace is never closed")?;
        if !text.is_empty() {
            pieces.push(Piece::Text(text));
        }
        pieces.push(Piece::Param(name));
        rest = behind;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    Ok(pieces)
}

/// A name that is none for templates has its letters only; the route keeps it.
fn parameter(name: &str, kind: Kind) -> Part {
    let holds = |char: &char| char.is_alphanumeric() || matches!(char, '_' | '-');
    let plain: String = name.chars().filter(holds).collect();
    let begins = plain.starts_with(|char: char| char.is_alphabetic() || char == '_');
    let plain = if begins { plain } else { format!("p{plain}") };
    let converter = match kind {
        Kind::Any => "",
        Kind::Int => ":int",
        Kind::Float => ":float",
        Kind::Uuid => ":uuid",
        Kind::Path => ":path",
    };
    Part::Written { written: format!("{{{plain}{converter}}}"), name: plain }
}

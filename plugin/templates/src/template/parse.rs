//! The parser: a cursor over the text, and what a path is made of outside of brackets.

use std::ops::Range;

use super::error::{TemplateError, TemplateErrorKind as Kind};
use super::language::{Language, Rest};
use super::{LONGEST_TEMPLATE, Param, Piece, Template, angles, braces, methods};

/// The most segments of a template.
pub const MOST_SEGMENTS: usize = 64;

/// What comes of parsing.
pub(super) type Parsed<T> = Result<T, TemplateError>;

/// Whose converters stand in angle brackets where two frameworks have one of the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Flask demands the leading slash.
    Flask,
    /// Django never has it.
    Django,
}

/// The text, how far it is read, and what was read.
pub(super) struct Parser<'a> {
    text: &'a str,
    at: usize,
    pub(super) dialect: Dialect,
    pieces: Vec<Piece>,
    names: Vec<&'a str>,
    segments: usize,
    /// Where the segment begins: among the pieces, and in the text.
    segment: (usize, usize),
}

/// Reads a template in any spelling.
pub fn parse(text: &str) -> Result<Template, TemplateError> {
    check_text(text)?;
    let (methods, start) = methods::split(text)?;
    let end = text.trim_end().len().max(start);
    let path = text.get(start..end).unwrap_or_default();
    check_path(path, start)?;
    let dialect = if path.starts_with('/') { Dialect::Flask } else { Dialect::Django };
    let parser = Parser {
        text: text.get(..end).unwrap_or_default(),
        at: start,
        dialect,
        pieces: Vec::new(),
        names: Vec::new(),
        segments: 0,
        segment: (0, start),
    };
    Ok(Template { methods, text: path.to_owned(), pieces: parser.pieces()? })
}

/// An error at a place.
pub(super) fn error<T>(span: Range<usize>, kind: Kind) -> Parsed<T> {
    Err(TemplateError { span, kind, nearest: None })
}

/// Whether a name may begin with this.
pub(super) fn begins_name(char: char) -> bool {
    char.is_alphabetic() || char == '_'
}

/// What is wrong with a text whatever it is.
fn check_text(text: &str) -> Parsed<()> {
    if text.len() > LONGEST_TEMPLATE {
        return error(0..text.len(), Kind::TooLong);
    }
    let start = text.len() - text.trim_start().len();
    // A tab in the middle is a blank like any other.
    let control = |char: char| char.is_control() && char != '\t';
    if let Some((at, char)) = text.trim().char_indices().find(|&(_, char)| control(char)) {
        let at = start + at;
        return error(at..at + char.len_utf8(), Kind::Control);
    }
    match text.find(";.;") {
        Some(at) => error(at..at + 3, Kind::TagEnd),
        None => Ok(()),
    }
}

/// What shows that the path as a whole is something else.
fn check_path(path: &str, start: usize) -> Parsed<()> {
    let whole = start..start + path.len();
    if path.is_empty() {
        return error(whole, Kind::Empty);
    }
    let scheme = path.split_once("://").map(|(scheme, _)| scheme);
    if scheme.is_some_and(|it| it.chars().all(|char| char.is_ascii_alphanumeric() || char == '+')) {
        return error(whole, Kind::Url);
    }
    if path.starts_with('^') || path.ends_with('$') {
        return error(whole, Kind::Regex);
    }
    Ok(())
}

impl<'a> Parser<'a> {
    /// Reads all of it.
    fn pieces(mut self) -> Parsed<Vec<Piece>> {
        self.eat('/');
        self.begin_segment();
        while let Some(char) = self.peek() {
            self.piece(char)?;
        }
        // Nothing but the leading slash is the root, and a slash at the end ends nothing.
        if self.pieces.len() > self.segment.0 {
            self.end_segment()?;
        } else {
            self.pieces.pop();
        }
        Ok(self.pieces)
    }

    fn piece(&mut self, char: char) -> Parsed<()> {
        match char {
            '/' => self.slash(),
            '{' => braces::param(self),
            '<' => angles::param(self),
            '*' => self.stars(),
            ':' => self.colon(),
            '%' => self.percent(),
            '(' => self.round(),
            '?' | '#' => self.query(char),
            '}' | '>' => self.refuse(Kind::Unopened(char)),
            '[' | ']' => self.refuse(Kind::SquareBracket),
            '\\' | '^' => self.refuse(Kind::Regex),
            _ if char.is_whitespace() => self.refuse(Kind::Blank),
            _ => {
                self.bump();
                self.literal(char.encode_utf8(&mut [0; 4]).as_bytes());
                Ok(())
            }
        }
    }

    fn slash(&mut self) -> Parsed<()> {
        self.end_segment()?;
        self.bump();
        self.border();
        Ok(())
    }

    /// Begins a segment behind a slash, in the text or in the pattern of a parameter.
    pub(super) fn border(&mut self) {
        self.pieces.push(Piece::Slash);
        self.begin_segment();
    }

    fn begin_segment(&mut self) {
        self.segment = (self.pieces.len(), self.at);
    }

    /// Checks what holds for a segment as a whole.
    pub(super) fn end_segment(&mut self) -> Parsed<()> {
        let (first, start) = self.segment;
        let span = start..self.at;
        let pieces = self.pieces.get(first..).unwrap_or_default();
        self.segments += 1;
        if pieces.is_empty() {
            return error(start.saturating_sub(1)..self.at + 1, Kind::EmptySegment);
        }
        if let [Piece::Literal(literal)] = pieces
            && matches!(literal.as_slice(), b"." | b"..")
        {
            return error(span, Kind::DotSegment);
        }
        if self.segments > MOST_SEGMENTS {
            return error(span, Kind::TooManySegments);
        }
        check_params(pieces)
    }

    /// One star or two.
    fn stars(&mut self) -> Parsed<()> {
        let start = self.at;
        let stars = self.take_while(|char| char == '*').len();
        let language = match stars {
            1 => Language::Free,
            _ => Language::Rest(Rest::Any),
        };
        let named = self.peek().is_some_and(begins_name);
        if stars > 2 || named || self.is_behind_param() {
            return error(start..self.at, Kind::Star);
        }
        self.param(None, language, start..self.at)
    }

    /// A colon begins a parameter at the start of a segment or behind punctuation; behind a parameter, a
    /// letter or a digit it is itself, as in `/items/{id}:cancel`.
    fn colon(&mut self) -> Parsed<()> {
        let start = self.at;
        let before = self.text.get(..start).and_then(|text| text.chars().next_back());
        let glued = self.is_behind_param() || before.is_some_and(char::is_alphanumeric);
        self.bump();
        if glued || !self.peek().is_some_and(begins_name) {
            self.literal(b":");
            return Ok(());
        }
        // No hyphen: `:from-:to` is two.
        let name = self.take_while(|char| char.is_alphanumeric() || char == '_');
        if self.peek() == Some('(') {
            return self.refuse(Kind::ColonRegex);
        }
        self.param(Some((name, start + 1)), Language::Free, start..self.at)
    }

    /// An escape stands for its byte.
    fn percent(&mut self) -> Parsed<()> {
        let escaped =
            self.rest().get(1..3).filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
        match escaped.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(b'/') => return error(self.at..self.at + 3, Kind::EncodedSlash),
            Some(byte) => {
                self.at += 3;
                self.literal(&[byte]);
            }
            None => {
                self.bump();
                self.literal(b"%");
            }
        }
        Ok(())
    }

    /// A round bracket is itself, unless it opens something optional, `(/:id)`, or a group.
    fn round(&mut self) -> Parsed<()> {
        let start = self.at;
        self.bump();
        match self.peek() {
            Some('/') => error(start..self.at, Kind::Optional),
            Some('?') => error(start..self.at, Kind::Regex),
            _ => {
                self.literal(b"(");
                Ok(())
            }
        }
    }

    /// A question mark right behind a parameter that ends its segment makes it optional.
    fn query(&mut self, char: char) -> Parsed<()> {
        let behind = self.rest().get(1..).unwrap_or_default();
        if char == '?' && self.is_behind_param() && (behind.is_empty() || behind.starts_with('/')) {
            return self.refuse(Kind::Optional);
        }
        error(self.at..self.text.len(), Kind::Query)
    }

    /// Adds bytes that must stand there.
    pub(super) fn literal(&mut self, bytes: &[u8]) {
        match self.pieces.last_mut() {
            _ if bytes.is_empty() => {}
            Some(Piece::Literal(literal)) => literal.extend_from_slice(bytes),
            _ => self.pieces.push(Piece::Literal(bytes.to_vec())),
        }
    }

    /// Adds a parameter. With the name comes where it begins.
    pub(super) fn param(
        &mut self,
        name: Option<(&'a str, usize)>,
        language: Language,
        span: Range<usize>,
    ) -> Parsed<()> {
        if let Some((name, at)) = name {
            self.name(name, at)?;
        }
        let name = name.map(|(name, _)| name.to_owned());
        self.pieces.push(Piece::Param(Param { name, language, span }));
        Ok(())
    }

    /// Checks a name and remembers it.
    pub(super) fn name(&mut self, name: &'a str, at: usize) -> Parsed<()> {
        let span = at..at + name.len();
        if name.is_empty() {
            return error(at.saturating_sub(1)..(at + 1).min(self.text.len()), Kind::NoName);
        }
        let holds = |char: char| char.is_alphanumeric() || char == '_' || char == '-';
        if !name.starts_with(begins_name) || !name.chars().all(holds) {
            return error(span, Kind::BadName(name.to_owned()));
        }
        if self.names.contains(&name) {
            return error(span, Kind::Twice(name.to_owned()));
        }
        self.names.push(name);
        Ok(())
    }

    fn is_behind_param(&self) -> bool {
        matches!(self.pieces.last(), Some(Piece::Param(_)))
    }

    /// Where the cursor stands.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Where the text ends.
    pub(super) fn end(&self) -> usize {
        self.text.len()
    }

    /// What is not read yet.
    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The text between two places.
    pub(super) fn between(&self, span: Range<usize>) -> &'a str {
        self.text.get(span).unwrap_or_default()
    }

    /// The next character.
    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Goes on by a character.
    pub(super) fn bump(&mut self) {
        self.at += self.peek().map_or(0, char::len_utf8);
    }

    /// Goes on if the next character is this one.
    pub(super) fn eat(&mut self, char: char) -> bool {
        let is_next = self.peek() == Some(char);
        if is_next {
            self.bump();
        }
        is_next
    }

    /// Goes on behind a place that was found in the rest.
    pub(super) fn go_to(&mut self, at: usize) {
        self.at = at;
    }

    /// Reads while the characters hold.
    pub(super) fn take_while(&mut self, holds: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let taken = rest.len() - rest.trim_start_matches(holds).len();
        self.at += taken;
        rest.get(..taken).unwrap_or_default()
    }

    /// An error at the next character.
    pub(super) fn refuse<T>(&self, kind: Kind) -> Parsed<T> {
        error(self.at..self.at + self.peek().map_or(0, char::len_utf8), kind)
    }
}

/// What the parameters of one segment may not be together.
fn check_params(pieces: &[Piece]) -> Parsed<()> {
    let params = || {
        pieces.iter().filter_map(|piece| match piece {
            Piece::Param(param) => Some(param),
            _ => None,
        })
    };
    if let Some(second) = params().filter(|param| param.language.is_rest()).nth(1) {
        return error(second.span.clone(), Kind::TwoRests);
    }
    let bounded = |param: &&Param| match &param.language {
        Language::Float(float) => float.is_bounded(),
        _ => false,
    };
    match params().find(bounded) {
        Some(param) if pieces.len() > 1 => error(param.span.clone(), Kind::BoundedFloat),
        _ => Ok(()),
    }
}

//! From the text of a regular expression to its tree, by recursive descent. What may be written is in the
//! [module](super)'s description; bracketed classes are read in `class`.
//!
//! Every refusal carries its span: the smallest piece that is to be changed.

use std::ops::Range;

use super::bounds;
use super::error::{PatternError, PatternErrorKind as Kind};
use super::escape::{Chars, Escape};
use super::expr::Expr;

/// The expression that `text` spells.
pub(super) fn expr(text: &str) -> Parsed<Expr> {
    let mut parser = Parser { text, at: 0, depth: 0 };
    if text.len() > bounds::TEXT {
        return refuse(0..text.len(), Kind::TooLong);
    }
    parser.take("^");
    let expr = parser.alternatives()?;
    // Alternatives end with the text or in front of a parenthesis, and here none is open.
    match parser.peek() {
        Some(bracket) => parser.refuse_next(Kind::Unopened(bracket)),
        None => Ok(expr),
    }
}

pub(super) type Parsed<T> = Result<T, PatternError>;

/// A place in a text, and how many groups are open there.
pub(super) struct Parser<'t> {
    text: &'t str,
    /// In bytes, and always between two characters.
    at: usize,
    depth: usize,
}

/// The lowest and the highest number of times.
type Counts = (u32, Option<u32>);

impl<'t> Parser<'t> {
    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn advance(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    /// Reads `wanted`, if that comes next.
    pub(super) fn take(&mut self, wanted: &str) -> bool {
        let found = self.rest().starts_with(wanted);
        self.at += if found { wanted.len() } else { 0 };
        found
    }

    /// What is escaped here, where a backslash was read at `begin`.
    pub(super) fn escape(&mut self, begin: usize) -> Parsed<Escape> {
        match self.advance() {
            None => self.refuse_from(begin, Kind::TrailingBackslash),
            Some('x') => self.hex(begin),
            Some(escaped) => Escape::of(escaped).or_else(|kind| self.refuse_from(begin, kind)),
        }
    }

    /// One of `chars`, which are written from `begin` to here.
    pub(super) fn one_of(&self, begin: usize, chars: Chars) -> Parsed<Expr> {
        chars.expr().map_or_else(|| self.refuse_from(begin, Kind::EmptyClass), Ok)
    }

    /// Refuses what was read since `begin`.
    pub(super) fn refuse_from<T>(&self, begin: usize, kind: Kind) -> Parsed<T> {
        refuse(begin..self.at, kind)
    }

    /// Refuses the next character.
    pub(super) fn refuse_next<T>(&self, kind: Kind) -> Parsed<T> {
        refuse(self.at..self.at + self.peek().map_or(0, char::len_utf8), kind)
    }

    fn alternatives(&mut self) -> Parsed<Expr> {
        let mut arms = vec![self.sequence()?];
        while self.take("|") {
            arms.push(self.sequence()?);
        }
        Ok(Expr::either(arms))
    }

    fn sequence(&mut self) -> Parsed<Expr> {
        let mut parts = Vec::new();
        loop {
            let begin = self.at;
            match self.peek() {
                None | Some('|' | ')') => return Ok(Expr::sequence(parts)),
                Some('$') if self.rest() == "$" => self.at = self.text.len(),
                Some(_) => {
                    let atom = self.atom(begin)?;
                    parts.push(self.repeated(atom)?);
                }
            }
        }
    }

    fn atom(&mut self, begin: usize) -> Parsed<Expr> {
        match self.advance() {
            Some('(') => self.group(begin),
            Some('[') => self.class(begin),
            Some('\\') => match self.escape(begin)? {
                Escape::Chars(chars) => self.one_of(begin, chars),
                Escape::Char('/') => self.refuse_from(begin, Kind::Slash),
                Escape::Char(literal) => Ok(Expr::character(literal)),
            },
            Some('.') => self.one_of(begin, Chars::but_line_feed()),
            Some('?' | '*' | '+' | '{') => self.refuse_from(begin, Kind::NothingToRepeat),
            Some(bracket @ (']' | '}')) => self.refuse_from(begin, Kind::Unopened(bracket)),
            Some('^' | '$') => self.refuse_from(begin, Kind::Anchor),
            Some('/') => self.refuse_from(begin, Kind::Slash),
            Some(literal) => Ok(Expr::character(literal)),
            None => Ok(Expr::literal(&[])),
        }
    }

    /// The rest of a group whose parenthesis was read at `begin`.
    fn group(&mut self, begin: usize) -> Parsed<Expr> {
        if self.depth == bounds::NESTING {
            return self.refuse_from(begin, Kind::TooDeep);
        }
        if self.take("?") {
            self.group_kind(begin)?;
        }
        self.depth += 1;
        let inside = self.alternatives()?;
        self.depth -= 1;
        if self.take(")") { Ok(inside) } else { refuse(begin..begin + 1, Kind::Unclosed('(')) }
    }

    /// What stands between the question mark behind a parenthesis and the inside of the group.
    fn group_kind(&mut self, begin: usize) -> Parsed<()> {
        const REFUSED: [(&str, Kind); 6] = [
            ("=", Kind::LookAround),
            ("!", Kind::LookAround),
            ("<=", Kind::LookAround),
            ("<!", Kind::LookAround),
            (">", Kind::Atomic),
            ("P=", Kind::BackReference),
        ];
        if let Some((_, kind)) = REFUSED.iter().find(|(mark, _)| self.take(mark)) {
            return self.refuse_from(begin, *kind);
        }
        if self.take(":") {
            return Ok(());
        }
        if self.take("P<") || self.take("<") {
            return self.group_name();
        }
        let flags = self.peek().is_some_and(|next| "aiLmsux-".contains(next));
        self.advance();
        self.refuse_from(begin, if flags { Kind::InlineFlags } else { Kind::UnknownGroup })
    }

    /// A name is held to what Python demands, though nothing is called by it.
    fn group_name(&mut self) -> Parsed<()> {
        let begin = self.at;
        let is_part = |next: &char| next.is_alphanumeric() || *next == '_';
        while self.peek().is_some_and(|next| is_part(&next)) {
            self.advance();
        }
        let name = self.text.get(begin..self.at).unwrap_or_default();
        let is_name = name.starts_with(|first: char| first.is_alphabetic() || first == '_');
        if is_name && self.take(">") {
            return Ok(());
        }
        self.advance();
        self.refuse_from(begin, Kind::GroupName)
    }

    /// `atom`, as often as what is written behind it says.
    fn repeated(&mut self, atom: Expr) -> Parsed<Expr> {
        let begin = self.at;
        let Some((least, most)) = self.repetition()? else { return Ok(atom) };
        if self.take("+") {
            return self.refuse_from(begin, Kind::Possessive);
        }
        // Lazy or not, the inputs are the same.
        self.take("?");
        match self.peek() {
            Some('?' | '*' | '+' | '{') => self.refuse_next(Kind::RepeatedTwice),
            _ => Ok(atom.repeat(least, most)),
        }
    }

    fn repetition(&mut self) -> Parsed<Option<Counts>> {
        let counts = match self.peek() {
            Some('?') => (0, Some(1)),
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('{') => return self.braces().map(Some),
            _ => return Ok(None),
        };
        self.advance();
        Ok(Some(counts))
    }

    fn braces(&mut self) -> Parsed<Counts> {
        let begin = self.at;
        let Some((braces, _)) = self.rest().split_once('}') else {
            return self.refuse_next(Kind::Unclosed('{'));
        };
        self.at += braces.len() + 1;
        let inside = braces.strip_prefix('{').unwrap_or_default();
        counts(inside).or_else(|kind| self.refuse_from(begin, kind))
    }

    /// The two digits of `\x41`, where the backslash was read at `begin`.
    fn hex(&mut self, begin: usize) -> Parsed<Escape> {
        let digits = self.rest().get(..2).filter(|two| two.bytes().all(|d| d.is_ascii_hexdigit()));
        let value = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        self.at += digits.map_or(0, str::len);
        match value.filter(u8::is_ascii) {
            Some(value) => Ok(Escape::Char(char::from(value))),
            None => self.refuse_from(begin, Kind::UnknownEscape),
        }
    }
}

pub(super) fn refuse<T>(span: Range<usize>, kind: Kind) -> Parsed<T> {
    Err(PatternError { span, kind })
}

/// What is written between braces.
fn counts(text: &str) -> Result<Counts, Kind> {
    let (least, most) = match text.split_once(',') {
        None => (count(text)?, Some(count(text)?)),
        Some((least, "")) => (count(least)?, None),
        Some((least, most)) => (count(least)?, Some(count(most)?)),
    };
    if most.is_some_and(|most| most < least) { Err(Kind::ReversedCount) } else { Ok((least, most)) }
}

fn count(digits: &str) -> Result<u32, Kind> {
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(Kind::BadCount);
    }
    // Digits that are no `u32` are too many.
    digits.parse().ok().filter(|count| *count <= bounds::COUNT).ok_or(Kind::HugeCount)
}

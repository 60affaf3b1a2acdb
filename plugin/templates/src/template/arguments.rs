//! The arguments of Werkzeug's converters: `(length=2)`, `(min=1, max=9)`, `("a b", c)`.
//!
//! They are a call in Python, so they stand in order or have names. Values are numbers, words, and text in
//! quotes; a number may have a sign, though Werkzeug itself has no way to write one.

use std::ops::Range;

use super::decimal::Bound;
use super::error::{TemplateError, TemplateErrorKind as Kind};
use super::parse::{Parsed, Parser, error};
use crate::nearest;

/// The arguments of one converter.
#[derive(Default)]
pub(super) struct Arguments<'a> {
    list: Vec<Argument<'a>>,
    /// The whole of them with the brackets.
    span: Range<usize>,
    /// Whether there were brackets, be they empty.
    written: bool,
}

/// One argument.
pub(super) struct Argument<'a> {
    name: Option<&'a str>,
    /// Its value, without quotes.
    pub(super) text: &'a str,
    quoted: bool,
    /// Where it stands, with its name.
    pub(super) span: Range<usize>,
}

/// The most characters that a length can ask for: more than any path has.
const LONGEST: u32 = 65_536;

/// The most digits that a width can ask for. Beyond it nobody counts, and patterns grow with it.
const MOST_DIGITS: u32 = 64;

impl<'a> Arguments<'a> {
    /// Reads the arguments, if there are any; the cursor stands behind the converter's name.
    pub(super) fn parse(parser: &mut Parser<'a>) -> Parsed<Self> {
        let start = parser.at();
        if !parser.eat('(') {
            return Ok(Self::default());
        }
        let mut list = Vec::new();
        loop {
            parser.take_while(char::is_whitespace);
            if parser.eat(')') {
                return Ok(Self { list, span: start..parser.at(), written: true });
            }
            list.push(Argument::parse(parser, start)?);
            parser.take_while(char::is_whitespace);
            if !parser.eat(',') && parser.peek() != Some(')') {
                return unreadable(parser, start);
            }
        }
    }

    /// Whether none are given.
    pub(super) fn are_none(&self) -> bool {
        self.list.is_empty()
    }

    /// Where they stand.
    pub(super) fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// All values of a converter whose arguments have no names.
    pub(super) fn into_items(self) -> Parsed<Vec<Argument<'a>>> {
        match self.list.iter().find_map(|it| Some((it.name?, it.span.clone()))) {
            Some((name, span)) => {
                error(span, Kind::UnknownArgument { converter: "any", name: name.to_owned() })
            }
            None => Ok(self.list),
        }
    }

    /// Gives the arguments without names the names that their order gives them, and refuses the unknown.
    pub(super) fn declare(
        &mut self,
        converter: &'static str,
        names: &[&'static str],
    ) -> Parsed<()> {
        for (index, argument) in self.list.iter_mut().enumerate() {
            let span = argument.span.clone();
            match (argument.name, names.get(index)) {
                (Some(name), _) if !names.contains(&name) => {
                    let kind = Kind::UnknownArgument { converter, name: name.to_owned() };
                    return Err(TemplateError { span, kind, nearest: nearest(name, names) });
                }
                (Some(_), _) => {}
                (None, Some(name)) => argument.name = Some(name),
                (None, None) => return error(span, Kind::TooManyArguments(converter)),
            }
        }
        self.refuse_twice()
    }

    /// A length in characters.
    pub(super) fn count(&mut self, name: &'static str) -> Parsed<Option<u32>> {
        let holds = |count: &u32| (1..=LONGEST).contains(count);
        self.take(name, "a whole number from 1 to 65536, such as 2", |text| {
            text.parse().ok().filter(holds)
        })
    }

    /// A number of digits; none and zero are no limit.
    pub(super) fn width(&mut self, name: &'static str) -> Parsed<Option<u32>> {
        let holds = |width: &u32| *width <= MOST_DIGITS;
        let width = self.take(name, "a whole number up to 64, such as 4", |text| {
            text.parse().ok().filter(holds)
        })?;
        Ok(width.filter(|&width| width > 0))
    }

    /// A whole number.
    pub(super) fn integer(&mut self, name: &'static str) -> Parsed<Option<i64>> {
        self.take(name, "a whole number of at most 18 digits, such as 10", |text| text.parse().ok())
    }

    /// A number.
    pub(super) fn number(&mut self, name: &'static str) -> Parsed<Option<Bound>> {
        self.take(name, "a number of at most 15 digits, such as 0.5", Bound::parse)
    }

    /// True or False, and False if not given.
    pub(super) fn switch(&mut self, name: &'static str) -> Parsed<bool> {
        let value = self.take(name, "True or False", |text| match text {
            "True" => Some(true),
            "False" => Some(false),
            _ => None,
        })?;
        Ok(value.unwrap_or(false))
    }

    /// Refuses what no one has taken, for the converters that have no arguments.
    pub(super) fn finish(self, converter: &'static str) -> Parsed<()> {
        match self.list.first() {
            Some(left) => error(left.span.clone(), Kind::TooManyArguments(converter)),
            None => Ok(()),
        }
    }

    /// Whether brackets were written.
    pub(super) fn are_written(&self) -> bool {
        self.written
    }

    fn take<T>(
        &mut self,
        name: &'static str,
        expected: &'static str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Parsed<Option<T>> {
        let Some(argument) = self.list.extract_if(.., |it| it.name == Some(name)).next() else {
            return Ok(None);
        };
        match read(argument.text).filter(|_| !argument.quoted) {
            Some(value) => Ok(Some(value)),
            None => error(argument.span, Kind::BadValue { name, expected }),
        }
    }

    fn refuse_twice(&self) -> Parsed<()> {
        for (index, argument) in self.list.iter().enumerate() {
            let before = self.list.get(..index).unwrap_or_default();
            if before.iter().any(|it| it.name == argument.name) {
                let name = argument.name.unwrap_or_default().to_owned();
                return error(argument.span.clone(), Kind::ArgumentTwice(name));
            }
        }
        Ok(())
    }
}

impl<'a> Argument<'a> {
    fn parse(parser: &mut Parser<'a>, open: usize) -> Parsed<Self> {
        let start = parser.at();
        let word = parser.take_while(is_of_word);
        parser.take_while(char::is_whitespace);
        let named = !word.is_empty() && parser.eat('=');
        if named {
            parser.take_while(char::is_whitespace);
        } else {
            parser.go_to(start);
        }
        let (text, quoted) = value(parser, open)?;
        Ok(Self { name: named.then_some(word), text, quoted, span: start..parser.at() })
    }
}

/// A word, a number, or text in quotes, which Python may prefix.
fn value<'a>(parser: &mut Parser<'a>, open: usize) -> Parsed<(&'a str, bool)> {
    let rest = parser.rest();
    let bare = rest.strip_prefix(['u', 'U', 'r', 'R']).unwrap_or(rest);
    if let Some(quote) = bare.chars().next().filter(|char| matches!(char, '"' | '\'')) {
        let start = parser.at() + (rest.len() - bare.len()) + 1;
        let Some(length) = bare.get(1..).and_then(|text| text.find(quote)) else {
            return error(start - 1..start, Kind::Unclosed(quote));
        };
        parser.go_to(start + length + 1);
        return Ok((parser.between(start..start + length), true));
    }
    let start = parser.at();
    if parser.rest().starts_with(['-', '+']) {
        parser.bump();
    }
    if parser.take_while(is_of_word).is_empty() {
        return unreadable(parser, open);
    }
    Ok((parser.between(start..parser.at()), false))
}

/// What stands here is no argument; at the end it is the bracket that is wrong.
fn unreadable<T>(parser: &Parser<'_>, open: usize) -> Parsed<T> {
    match parser.peek() {
        Some(_) => parser.refuse(Kind::UnreadableArgument),
        None => error(open..open + 1, Kind::Unclosed('(')),
    }
}

fn is_of_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_' || char == '.'
}

//! Parameters in angle brackets: `<id>`, `<int:id>`, `<string(length=2):code>`.

use super::arguments::Arguments;
use super::converters;
use super::error::TemplateErrorKind as Kind;
use super::language::Language;
use super::parse::{Parsed, Parser, error};

/// Reads a parameter in angle brackets; the cursor stands on the first.
pub(super) fn param(parser: &mut Parser<'_>) -> Parsed<()> {
    let start = parser.at();
    parser.bump();
    let first = parser.at();
    let word = word(parser);
    let arguments = Arguments::parse(parser)?;
    let (name, language) = if parser.eat(':') {
        let converter = first..first + word.len();
        if word.is_empty() {
            return error(parser.at() - 1..parser.at(), Kind::NoConverter);
        }
        let at = parser.at();
        let language = converters::in_angles(word, converter, arguments, parser.dialect)?;
        ((self::word(parser), at), language)
    } else if arguments.are_written() {
        return error(arguments.span(), Kind::ArgumentsWithoutName);
    } else {
        ((word, first), Language::Free)
    };
    if !parser.eat('>') {
        return unfinished(parser, start, name.1);
    }
    parser.param(Some(name), language, start..parser.at())
}

fn word<'a>(parser: &mut Parser<'a>) -> &'a str {
    parser.take_while(|char| char.is_alphanumeric() || char == '_' || char == '-')
}

/// What stands where the bracket should be closed: nothing of a name, or the end.
fn unfinished(parser: &Parser<'_>, start: usize, name: usize) -> Parsed<()> {
    let rest = parser.between(name..parser.end());
    match rest.find(['>', '/', '<']) {
        Some(length) if rest.get(length..).is_some_and(|it| it.starts_with('>')) => {
            let name = name..name + length;
            error(name.clone(), Kind::BadName(parser.between(name).to_owned()))
        }
        _ => error(start..start + 1, Kind::Unclosed('<')),
    }
}

//! Parameters in braces: Starlette's `{id}` and `{id:int}`, inline expressions `{id:[0-9]+}`, Go's
//! `{rest...}`, gRPC's `{name=projects/*}` and .NET's `{**rest}`.

use std::ops::Range;

use super::converters;
use super::error::TemplateErrorKind as Kind;
use super::language::{Language, Rest};
use super::parse::{Parsed, Parser, error};
use crate::pattern::{Expr, Pattern};

/// What makes a text behind a colon an expression rather than a name.
const SPECIAL: [char; 14] = ['\\', '[', ']', '(', ')', '{', '}', '.', '*', '+', '?', '|', '^', '$'];

/// What a literal in `{name=projects/*}` does not hold: there are no parameters and no escapes within.
const NOT_IN_GLOBS: [char; 11] = ['*', '{', '<', '>', '[', ']', '\\', '?', '#', '%', ' '];

/// Reads a parameter in braces; the cursor stands on the first.
pub(super) fn param(parser: &mut Parser<'_>) -> Parsed<()> {
    let start = parser.at();
    let Some(length) = closing(parser.rest(), true).or_else(|| closing(parser.rest(), false))
    else {
        return parser.refuse(Kind::Unclosed('{'));
    };
    let span = start..start + length;
    parser.bump();
    if parser.eat('*') {
        parser.eat('*');
        let name = parser.at()..span.end - 1;
        return finish(parser, name, Language::Rest(Rest::Any), span);
    }
    let inner = parser.at();
    parser.take_while(|char| !matches!(char, ':' | '=' | '?' | '.' | '}'));
    let name = inner..parser.at();
    let behind = parser.at()..span.end - 1;
    let said = parser.between(behind.clone());
    let language = match said.chars().next() {
        None => Language::Free,
        Some(':') => {
            let spec = parser.between(behind.start + 1..behind.end);
            self::spec(spec, behind.start + 1, parser.between(name.clone()))?
        }
        Some('=') => return glob(parser, name, behind.start + 1..behind.end, span),
        Some(_) if said == "..." => Language::Rest(Rest::Any),
        Some(_) if said == "?" => return error(behind, Kind::Optional),
        Some(_) => {
            let name = inner..behind.end;
            return error(name.clone(), Kind::BadName(parser.between(name).to_owned()));
        }
    };
    finish(parser, name, language, span)
}

fn finish(
    parser: &mut Parser<'_>,
    name: Range<usize>,
    language: Language,
    span: Range<usize>,
) -> Parsed<()> {
    let name = (parser.between(name.clone()), name.start);
    parser.go_to(span.end);
    parser.param(Some(name), language, span)
}

/// How long the parameter is up to its closing brace. Braces nest, as in `{id:[0-9]{4}}`; escaped ones and
/// those in a class of characters do not count, unless a class that is never closed swallows the end.
fn closing(text: &str, classes: bool) -> Option<usize> {
    let (mut depth, mut class, mut escaped) = (0_usize, false, false);
    for (at, char) in text.char_indices() {
        match char {
            _ if escaped => {
                escaped = false;
                continue;
            }
            '\\' => escaped = true,
            '[' => class = classes,
            ']' => class = false,
            '{' if !class => depth += 1,
            '}' if !class => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at + 1);
        }
    }
    None
}

/// What stands behind a colon: a converter's name, or an expression if something in it makes it one.
fn spec(text: &str, at: usize, name: &str) -> Parsed<Language> {
    let span = at..at + text.len();
    if text.is_empty() {
        return error(at - 1..at, Kind::NoConverter);
    }
    if let Some(language) = converters::in_braces(text) {
        return Ok(language);
    }
    refuse_lookalike(text, at, name)?;
    if text.contains(SPECIAL) {
        return expression(text, at);
    }
    Err(converters::unknown(text, span, &converters::IN_BRACES))
}

/// `int?`, `int=5` and `int(min=1)` could be expressions, but nobody means `in` or `intmin=1`.
fn refuse_lookalike(text: &str, at: usize, name: &str) -> Parsed<()> {
    let head = text.split(|char: char| !char.is_ascii_alphanumeric() && char != '_').next();
    let head = head.filter(|head| converters::in_braces(head).is_some()).unwrap_or_default();
    let tail = text.get(head.len()..).unwrap_or_default();
    let span = at + head.len()..at + text.len();
    match tail.chars().next() {
        _ if head.is_empty() => Ok(()),
        Some('?') if tail.len() == 1 => error(span, Kind::Optional),
        Some('=') => error(span, Kind::Default(format!("{name}:{head}"))),
        Some('(' | ':') => error(span, Kind::ArgumentsInBraces(head.to_owned())),
        _ => Ok(()),
    }
}

/// An inline expression. Those that everybody writes for a rest or for any segment are just that.
fn expression(text: &str, at: usize) -> Parsed<Language> {
    let bare = text.strip_prefix('^').unwrap_or(text);
    let bare = bare.strip_suffix('$').unwrap_or(bare);
    match bare.strip_suffix('?').filter(|it| it.ends_with(['*', '+'])).unwrap_or(bare) {
        ".*" => return Ok(Language::Rest(Rest::Empty)),
        ".+" => return Ok(Language::Rest(Rest::Some)),
        "[^/].*" => return Ok(Language::Rest(Rest::NoSlashFirst)),
        "[^/]+" | "[^/]*" => return Ok(Language::Free),
        _ => {}
    }
    let expr = match Expr::parse(text) {
        Ok(expr) => expr,
        Err(wrong) => {
            let span = at + wrong.span.start..at + wrong.span.end;
            return error(span, Kind::Pattern(wrong.to_string()));
        }
    };
    match Pattern::compile(&expr) {
        Ok(pattern) => Ok(Language::inline(expr, pattern)),
        Err(wrong) => error(at..at + text.len(), Kind::Pattern(wrong.to_string())),
    }
}

/// `{name=**}`, `{name=*}`, and patterns of several segments, `{name=projects/*}`: those become what they
/// stand for, and their stars have no name.
fn glob(
    parser: &mut Parser<'_>,
    name: Range<usize>,
    pattern: Range<usize>,
    span: Range<usize>,
) -> Parsed<()> {
    let said = parser.between(pattern.clone());
    match said {
        "*" => return finish(parser, name, Language::Free, span),
        "**" => return finish(parser, name, Language::Rest(Rest::Any), span),
        _ => {}
    }
    let name = (parser.between(name.clone()), name.start);
    parser.name(name.0, name.1)?;
    if !said.split('/').any(|part| matches!(part, "*" | "**")) {
        return error(pattern.start - 1..pattern.end, Kind::Default(name.0.to_owned()));
    }
    parser.go_to(pattern.start);
    for (index, part) in said.split('/').enumerate() {
        if index > 0 {
            parser.end_segment()?;
            parser.bump();
            parser.border();
        }
        glob_part(parser, part)?;
    }
    parser.go_to(span.end);
    Ok(())
}

fn glob_part(parser: &mut Parser<'_>, part: &str) -> Parsed<()> {
    let span = parser.at()..parser.at() + part.len();
    parser.go_to(span.end);
    match part {
        "*" => parser.param(None, Language::Free, span),
        "**" => parser.param(None, Language::Rest(Rest::Any), span),
        _ if part.contains(NOT_IN_GLOBS) => error(span, Kind::Star),
        _ => {
            parser.literal(part.as_bytes());
            Ok(())
        }
    }
}

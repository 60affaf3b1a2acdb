//! The converters of the frameworks by their names.
//!
//! A name that only one framework has means that framework's converter, however the template is written.
//! Where both have one, the template's leading slash decides in angle brackets, and in braces it is
//! Starlette's. Starlette has neither `slug` nor `string`; in braces they are taken all the same, because
//! they can only mean one thing.

use std::ops::Range;

use super::arguments::{Argument, Arguments};
use super::digits::Digits;
use super::error::{TemplateError, TemplateErrorKind as Kind};
use super::language::{Language, Rest};
use super::numbers::{Float, Int};
use super::parse::{Dialect, Parsed, error};
use super::uuid::UuidForm;
use crate::nearest;

/// The converters in braces.
pub(super) const IN_BRACES: [&str; 7] = ["float", "int", "path", "slug", "str", "string", "uuid"];

/// The converters in angle brackets.
const IN_ANGLES: [&str; 9] =
    ["any", "default", "float", "int", "path", "slug", "str", "string", "uuid"];

/// Starlette's converter with this name.
pub(super) fn in_braces(name: &str) -> Option<Language> {
    Some(match name {
        "str" | "string" => Language::Free,
        "int" => Language::Int(Int::ASCII),
        "float" => Language::Float(Float::STARLETTE),
        "uuid" => Language::Uuid(UuidForm::Loose),
        "path" => Language::Rest(Rest::Empty),
        "slug" => Language::Slug,
        _ => return None,
    })
}

/// Flask's or Django's converter with this name and these arguments. Only Flask's have arguments.
pub(super) fn in_angles(
    name: &str,
    span: Range<usize>,
    mut arguments: Arguments<'_>,
    dialect: Dialect,
) -> Parsed<Language> {
    // Django has no arguments, so who gives some means Flask's.
    let django = dialect == Dialect::Django && arguments.are_none();
    let language = match name {
        "any" => return any(arguments, span),
        "string" | "default" => string(&mut arguments)?,
        "int" if !django => int(&mut arguments)?,
        "float" => float(&mut arguments)?,
        "int" => Language::Int(Int::ASCII),
        "uuid" if django => Language::Uuid(UuidForm::Lower),
        "uuid" => Language::Uuid(UuidForm::Hyphens),
        "path" if django => Language::Rest(Rest::Some),
        "path" => Language::Rest(Rest::NoSlashFirst),
        "slug" => Language::Slug,
        "str" => Language::Free,
        _ => return Err(unknown(name, span, &IN_ANGLES)),
    };
    let name = IN_ANGLES.into_iter().find(|known| *known == name).unwrap_or_default();
    arguments.finish(name)?;
    Ok(language)
}

/// The error for a name that is no converter's.
pub(super) fn unknown(name: &str, span: Range<usize>, known: &[&'static str]) -> TemplateError {
    let kind = Kind::UnknownConverter(name.to_owned());
    TemplateError { span, kind, nearest: nearest(name, known) }
}

/// `any(a, b)`: all arguments are items.
fn any(arguments: Arguments<'_>, span: Range<usize>) -> Parsed<Language> {
    let items: Vec<Argument<'_>> = arguments.into_items()?;
    if items.is_empty() {
        return error(span, Kind::NoItems);
    }
    match items.iter().find(|item| item.text.is_empty() || item.text.contains('/')) {
        Some(bad) => error(bad.span.clone(), Kind::BadItem),
        None => Ok(Language::any_of(items.into_iter().map(|item| item.text.to_owned()))),
    }
}

fn string(arguments: &mut Arguments<'_>) -> Parsed<Language> {
    arguments.declare("string", &["minlength", "maxlength", "length"])?;
    let least = arguments.count("minlength")?;
    let most = arguments.count("maxlength")?;
    // As Werkzeug has it, an exact length makes the other two meaningless.
    if let Some(exact) = arguments.count("length")? {
        return Ok(Language::text(exact, Some(exact)));
    }
    let least = least.unwrap_or(1);
    if most.is_some_and(|most| most < least) {
        return error(arguments.span(), Kind::NothingBetween);
    }
    Ok(Language::text(least, most))
}

fn int(arguments: &mut Arguments<'_>) -> Parsed<Language> {
    arguments.declare("int", &["fixed_digits", "min", "max", "signed"])?;
    let int = Int {
        digits: Digits::Unicode,
        width: arguments.width("fixed_digits")?,
        min: arguments.integer("min")?,
        max: arguments.integer("max")?,
        signed: arguments.switch("signed")?,
    };
    if !int.is_possible() {
        return error(arguments.span(), Kind::NothingBetween);
    }
    Ok(Language::Int(int))
}

fn float(arguments: &mut Arguments<'_>) -> Parsed<Language> {
    arguments.declare("float", &["min", "max", "signed"])?;
    let (min, max) = (arguments.number("min")?, arguments.number("max")?);
    let signed = arguments.switch("signed")?;
    let too_high = min.zip(max).is_some_and(|(min, max)| min.value() > max.value());
    if too_high || (!signed && max.is_some_and(|max| max.value() < 0.0)) {
        return error(arguments.span(), Kind::NothingBetween);
    }
    Ok(Language::Float(Float { signed, min, max, ..Float::WERKZEUG }))
}

//! What can be wrong with a template: where, what, and what to write instead.

use std::fmt;
use std::ops::Range;

/// A template that cannot be used. Shown, it is one sentence; the template itself and where it stands
/// are the caller's to add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    /// The bytes of the text that are wrong.
    pub span: Range<usize>,
    /// What is wrong with them.
    pub kind: TemplateErrorKind,
    /// The known name that was perhaps meant.
    pub nearest: Option<&'static str>,
}

/// The ways of being wrong. A string is what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TemplateErrorKind {
    /// Longer than [`LONGEST_TEMPLATE`](super::LONGEST_TEMPLATE).
    TooLong,
    /// More segments than [`MOST_SEGMENTS`](super::MOST_SEGMENTS).
    TooManySegments,
    /// Nothing, or only methods.
    Empty,
    /// A control character.
    Control,
    /// `;.;`, which ends a tag in the names of Envoy's stats.
    TagEnd,
    /// A blank within the path.
    Blank,
    /// A word in front that is no method.
    UnknownMethod(String),
    /// A whole URL.
    Url,
    /// A regular expression outside of a parameter.
    Regex,
    /// A query or a fragment.
    Query,
    /// Two slashes in a row.
    EmptySegment,
    /// `.` or `..` as a segment.
    DotSegment,
    /// `%2F` in a literal.
    EncodedSlash,
    /// A bracket that is never closed.
    Unclosed(char),
    /// A bracket that was never opened.
    Unopened(char),
    /// `[id]`.
    SquareBracket,
    /// `{}` or `<>`.
    NoName,
    /// A name with characters that names do not have.
    BadName(String),
    /// A name that stands twice.
    Twice(String),
    /// `{id?}`, `:id?` or `(/:id)`.
    Optional,
    /// `{id=5}`.
    Default(String),
    /// `:id(\d+)`.
    ColonRegex,
    /// Stars where they have no meaning.
    Star,
    /// Two parameters in one segment that may both hold slashes.
    TwoRests,
    /// `{id:}` or `<:id>`.
    NoConverter,
    /// A converter that nobody has.
    UnknownConverter(String),
    /// Arguments of a converter in braces.
    ArgumentsInBraces(String),
    /// An argument that cannot be read.
    UnreadableArgument,
    /// An argument that the converter does not have.
    UnknownArgument {
        /// The converter.
        converter: &'static str,
        /// The argument.
        name: String,
    },
    /// More arguments than the converter has, or arguments where it has none.
    TooManyArguments(&'static str),
    /// `<int(min=1)>`.
    ArgumentsWithoutName,
    /// An argument that was given before.
    ArgumentTwice(String),
    /// An argument with a value that it cannot have.
    BadValue {
        /// The argument.
        name: &'static str,
        /// What it can have.
        expected: &'static str,
    },
    /// Bounds that leave nothing between them.
    NothingBetween,
    /// A choice among nothing.
    NoItems,
    /// An item that is empty or holds a slash.
    BadItem,
    /// A decimal number with bounds that shares its segment.
    BoundedFloat,
    /// A regular expression that cannot be read, with what its parser says.
    Pattern(String),
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)?;
        match self.nearest {
            Some(nearest) => write!(f, "; did you mean `{nearest}`?"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for TemplateError {}

impl fmt::Display for TemplateErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownMethod(said) => {
                write!(f, "unknown method `{said}`: a method is one of HTTP's own, in capitals")
            }
            Self::Unclosed(bracket) => {
                write!(f, "`{bracket}` is never closed: put `{}` behind it", partner(*bracket))
            }
            Self::Unopened(bracket) => write!(
                f,
                "`{bracket}` was never opened: put `{}` before it, or write it as `{}`",
                partner(*bracket),
                if *bracket == '}' { "%7D" } else { "%3E" },
            ),
            Self::BadName(name) => write!(
                f,
                "`{name}` is no name: write letters, digits, `_` and `-`, with no digit first"
            ),
            Self::Twice(name) => {
                write!(f, "the parameter `{name}` stands here twice: give one another name")
            }
            Self::Default(name) => {
                write!(
                    f,
                    "a parameter has no default here: write `{{{name}}}`, and a second template for the path without it"
                )
            }
            Self::UnknownConverter(name) => write!(
                f,
                "unknown converter `{name}`: for one of your own, write a regular expression, `{{id:[0-9]+}}`"
            ),
            Self::ArgumentsInBraces(name) => {
                write!(
                    f,
                    "`{name}` takes no arguments in braces: write `<{name}(min=1):id>`, or a regular expression, `{{id:[1-9][0-9]*}}`"
                )
            }
            Self::UnknownArgument { converter, name } => {
                write!(f, "the converter `{converter}` has no argument `{name}`: leave it out")
            }
            Self::TooManyArguments(converter) => {
                write!(f, "the converter `{converter}` has fewer arguments: leave this one out")
            }
            Self::ArgumentTwice(name) => {
                write!(f, "the argument `{name}` is given twice: leave one out")
            }
            Self::BadValue { name, expected } => write!(f, "`{name}` must be {expected}"),
            Self::Pattern(said) => f.write_str(said),
            fixed => f.write_str(fixed.sentence()),
        }
    }
}

impl TemplateErrorKind {
    /// What is said of the kinds that hold nothing.
    fn sentence(&self) -> &'static str {
        match self {
            Self::TooLong => "the template is longer than 1024 bytes: shorten it",
            Self::TooManySegments => {
                "the template has more than 64 segments: end it earlier, with `{rest:path}`"
            }
            Self::Empty => "there is no path: write `/` for the root",
            Self::Control => "a control character is never part of a path: leave it out",
            Self::TagEnd => "`;.;` would break the names of Envoy's stats: leave it out",
            Self::Blank => "a path holds no blank: write `%20`, or leave it out",
            Self::Url => "this is a whole URL: write its path only, without scheme and host",
            Self::Regex => {
                "this is a regular expression: write its groups as parameters, `users/{id:[0-9]+}`"
            }
            Self::Query => {
                "the query is never part of a path: leave out all from here, or write `%3F` or `%23`"
            }
            Self::EmptySegment => "a segment is empty: write one slash only",
            Self::DotSegment => {
                "`.` and `..` never reach a service: write the path that they lead to"
            }
            Self::EncodedSlash => "a segment never holds a slash: write `/`, or a parameter",
            Self::SquareBracket => "square brackets are no parameter: write `{id}`, or `%5B`",
            Self::NoName => "a parameter needs a name: write `{id}`, or `*` for one without",
            Self::Optional => {
                "a parameter cannot be optional: write two templates, with it and without it"
            }
            Self::ColonRegex => "a bracket behind `:id` has no meaning: write `{id:[0-9]+}`",
            Self::Star => {
                "stars stand alone: write `*` for one segment, `**` for any number, `{name...}` for a name"
            }
            Self::TwoRests => {
                "only one parameter of a segment can hold slashes: make the other `{id}`"
            }
            Self::NoConverter => "there is no converter at the colon: leave the colon out",
            Self::UnreadableArgument => {
                "the argument cannot be read: write numbers, words, or text in quotes, with commas between"
            }
            Self::ArgumentsWithoutName => {
                "the parameter needs a name behind its arguments: write `<int(min=1):id>`"
            }
            Self::NothingBetween => "nothing is within these bounds: the least is above the most",
            Self::NoItems => "there is nothing to choose from: write `<any(a, b):x>`",
            Self::BadItem => "an item is empty or holds a slash, which no segment is: leave it out",
            Self::BoundedFloat => {
                "a float with bounds needs a segment of its own: leave out the bounds"
            }
            _ => "the template cannot be used",
        }
    }
}

/// The other bracket of the pair.
fn partner(bracket: char) -> char {
    match bracket {
        '{' => '}',
        '}' => '{',
        '<' => '>',
        '>' => '<',
        '(' => ')',
        _ => '"',
    }
}

//! One statement: what it says, taken from its words. What it becomes is decided elsewhere.

use std::fmt::Write as _;

use super::callback::{Callback, Outcome, Whom};
use super::error::unknown;
use super::form::{Argument, Does, FORMS, Form, Keeps, Kind, Names};
use super::words::{Word, words};

/// A statement that says something.
#[derive(Debug)]
pub(super) struct Statement {
    /// As the module's log has it: as written, but on one line.
    pub(super) shown: String,
    /// When it is run, if not always.
    pub(super) guards: Vec<Guard>,
    /// Whether the module's log has no line of it.
    pub(super) is_quiet: bool,
    pub(super) form: &'static Form,
    /// One for each word of the form.
    pub(super) values: Vec<Value>,
}

/// A condition of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guard {
    /// The callback is called in this VM for the nth time.
    Nth(u32),
    /// It is called for the context with this id.
    At(u32),
    /// It is told that the stream ends.
    End,
}

/// What a word says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// A number that fits its kind, signed or not.
    Number(i128),
    Bytes(Vec<u8>),
    Kept(Kept),
    /// What the callback returns by itself.
    Default,
}

/// What a module remembers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kept {
    Metric(Vec<u8>),
    Queue(Vec<u8>),
    Token,
    Cas,
    Root,
    Stream,
    Saved,
}

impl Statement {
    /// What a text says in a callback, or what is wrong with it.
    pub(super) fn parse(text: &str, callback: &Callback) -> Result<Self, String> {
        let words = words(text)?;
        let (guards, is_quiet, words) = prefixes(&words, callback)?;
        let (name, words) = words.split_first().ok_or("there is no statement")?;
        let form = Form::named(&name.written).ok_or_else(|| {
            unknown(&name.written, "statement", FORMS.iter().map(|form| form.name))
        })?;
        suits(form, callback)?;
        let values = values(form, words, callback)?;
        Ok(Self { shown: shown(text.trim()), guards, is_quiet, form, values })
    }

    /// What it remembers, if all goes well.
    pub(super) fn keeps(&self) -> Option<Kept> {
        let name = |at: usize| match &self.values[at] {
            Value::Bytes(name) => name.clone(),
            other => panic!("the table of statements says that {other:?} is a name"),
        };
        self.form.keeps.map(|(keeps, _)| match keeps {
            Keeps::Metric(at) => Kept::Metric(name(at)),
            Keeps::Queue(at) => Kept::Queue(name(at)),
            Keeps::Token => Kept::Token,
            Keeps::Cas => Kept::Cas,
            Keeps::Saved => Kept::Saved,
        })
    }

    /// What it needs to be remembered.
    pub(super) fn needs(&self) -> impl Iterator<Item = &Kept> {
        self.values.iter().filter_map(|value| match value {
            Value::Kept(kept) => Some(kept),
            _ => None,
        })
    }
}

impl Kept {
    /// What to do where nothing in the script remembers this.
    pub(super) fn missing(&self) -> String {
        let text = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
        match self {
            Self::Metric(name) => {
                let name = text(name);
                format!("nothing in the script defines `{name}`: write `define counter {name}`")
            }
            Self::Queue(name) => {
                let name = text(name);
                format!("nothing in the script finds `{name}`: write `register_queue {name}`")
            }
            Self::Token => "nothing in the script makes a call: write one, or a token".into(),
            Self::Cas => "`last` is the cas of the last `shared`, and there is none".into(),
            Self::Root => "nothing tells the root's id: give the script `configure: []`".into(),
            Self::Stream => "nothing tells a stream's id: give the script a callback of one".into(),
            Self::Saved => "nothing in the script saves an id: write `save_context`".into(),
        }
    }
}

type Prefixed<'a> = (Vec<Guard>, bool, &'a [Word]);

fn prefixes<'a>(words: &'a [Word], callback: &Callback) -> Result<Prefixed<'a>, String> {
    let (mut guards, mut is_quiet, mut rest) = (Vec::new(), false, words);
    loop {
        match rest {
            [quiet, after @ ..] if quiet.is("quiet") => (is_quiet, rest) = (true, after),
            [at, id, after @ ..] if at.is("at") => {
                guards.push(Guard::At(before_colon(id).ok_or("write `at ID: STATEMENT`")?));
                if callback.whom == Whom::Nobody {
                    return Err(format!("`{}` is for no context: drop `at`", callback.name));
                }
                rest = after;
            }
            [end, after @ ..] if end.is("end:") => {
                if !callback.tells_end {
                    return Err(format!("`{}` is not told of an end", callback.name));
                }
                guards.push(Guard::End);
                rest = after;
            }
            [nth, after @ ..] if before_colon(nth).is_some() => {
                guards.extend(before_colon(nth).map(Guard::Nth));
                rest = after;
            }
            _ => return Ok((guards, is_quiet, rest)),
        }
    }
}

fn before_colon(word: &Word) -> Option<u32> {
    word.written.strip_suffix(':')?.parse().ok()
}

/// Says where a statement makes no sense in a callback.
fn suits(form: &Form, callback: &Callback) -> Result<(), String> {
    let name = callback.name;
    if form.arguments.contains(&Argument::Own) && callback.whom == Whom::Nobody {
        return Err(format!("`{name}` is for no context: move this to one that is"));
    }
    let returns_constant = form.does == Does::Return && form.words.is_empty();
    if returns_constant && callback.result == Outcome::Nothing {
        return Err(format!("`{name}` returns nothing: write `return`"));
    }
    Ok(())
}

fn values(form: &Form, words: &[Word], callback: &Callback) -> Result<Vec<Value>, String> {
    let mut left = words;
    let take = |(label, kind): &(&str, Kind)| {
        value(*kind, &mut left, callback)
            .and_then(|value| value.ok_or_else(|| format!("{label} is missing")))
            .map_err(|problem| format!("{problem} (usage: {})", form.usage()))
    };
    let values = form.words.iter().map(take).collect::<Result<_, _>>()?;
    match left {
        [] => Ok(values),
        [word, ..] => {
            Err(format!("`{}` is a word too many (usage: {})", word.written, form.usage()))
        }
    }
}

/// What the next words say; nothing where there is none.
fn value(kind: Kind, left: &mut &[Word], callback: &Callback) -> Result<Option<Value>, String> {
    match kind {
        Kind::Path => return Ok(path(std::mem::take(left))),
        Kind::Pairs => return pairs(up_to_dashes(left)).map(Some),
        Kind::Trailers => {
            *left = left.get(1..).unwrap_or_default();
            return pairs(std::mem::take(left)).map(Some);
        }
        Kind::Token if left.is_empty() => return Ok(Some(Value::Kept(Kept::Token))),
        Kind::Outcome if left.is_empty() => return Ok(Some(Value::Default)),
        Kind::Outcome if callback.result == Outcome::Nothing => {
            return Err(format!("`{}` returns nothing: write `return`", callback.name));
        }
        _ => {}
    }
    let Some((word, after)) = left.split_first() else {
        return Ok(None);
    };
    *left = after;
    one(kind, word).map(Some)
}

fn one(kind: Kind, word: &Word) -> Result<Value, String> {
    let number = || number(word, i128::from(i32::MIN), i128::from(u32::MAX));
    match kind {
        Kind::Bytes | Kind::Vector => Ok(Value::Bytes(word.bytes.clone())),
        Kind::Long => self::number(word, i128::from(i64::MIN), i128::from(u64::MAX)),
        Kind::Named(what, names) => named(what, names, word),
        Kind::Metric => number().or_else(|_| Ok(Value::Kept(Kept::Metric(word.bytes.clone())))),
        Kind::Queue => number().or_else(|_| Ok(Value::Kept(Kept::Queue(word.bytes.clone())))),
        Kind::Cas if word.is("last") => Ok(Value::Kept(Kept::Cas)),
        Kind::Context if word.is("root") => Ok(Value::Kept(Kept::Root)),
        Kind::Context if word.is("stream") => Ok(Value::Kept(Kept::Stream)),
        Kind::Context if word.is("saved") => Ok(Value::Kept(Kept::Saved)),
        Kind::Cas => number().map_err(|problem| format!("{problem}, nor `last`")),
        Kind::Context => {
            number().map_err(|problem| format!("{problem}, nor `root`, `stream` or `saved`"))
        }
        _ => number(),
    }
}

fn number(word: &Word, least: i128, most: i128) -> Result<Value, String> {
    let number: i128 =
        (word.written.parse()).map_err(|_| format!("`{}` is no number", word.written))?;
    if (least..=most).contains(&number) {
        Ok(Value::Number(number))
    } else {
        Err(format!("`{number}` is not between {least} and {most}"))
    }
}

fn named(what: &str, names: Names, word: &Word) -> Result<Value, String> {
    if let Some((_, number)) = names.iter().find(|(name, _)| word.is(name)) {
        return Ok(Value::Number(i128::from(*number)));
    }
    number(word, i128::from(i32::MIN), i128::from(u32::MAX))
        .map_err(|_| unknown(&word.written, what, names.iter().map(|(name, _)| *name)))
}

fn path(words: &[Word]) -> Option<Value> {
    let elements: Vec<&[u8]> = words.iter().map(|word| word.bytes.as_slice()).collect();
    (!elements.is_empty()).then(|| Value::Bytes(elements.join(&0)))
}

fn up_to_dashes<'a>(left: &mut &'a [Word]) -> &'a [Word] {
    let end = left.iter().position(|word| word.is("--")).unwrap_or(left.len());
    let (taken, rest) = left.split_at(end);
    *left = rest;
    taken
}

/// Names and values, as hosts read them: their number, their sizes, and then each with a NUL.
fn pairs(words: &[Word]) -> Result<Value, String> {
    let mut sizes = size(words.len()).to_vec();
    let mut texts = Vec::new();
    for word in words {
        let equals = (word.bytes.iter().position(|&byte| byte == b'='))
            .ok_or_else(|| format!("`{}` is no NAME=VALUE", word.written))?;
        for text in [&word.bytes[..equals], &word.bytes[equals + 1..]] {
            sizes.extend_from_slice(&size(text.len()));
            texts.extend_from_slice(text);
            texts.push(0);
        }
    }
    sizes.append(&mut texts);
    Ok(Value::Bytes(sizes))
}

fn size(length: usize) -> [u8; 4] {
    u32::try_from(length).expect("a script is shorter than 4 GiB").to_le_bytes()
}

fn shown(text: &str) -> String {
    text.bytes().fold(String::new(), |mut shown, byte| {
        match byte {
            0x20..=0x7e => shown.push(char::from(byte)),
            _ => write!(shown, "\\x{byte:02x}").expect("a string takes any text"),
        }
        shown
    })
}

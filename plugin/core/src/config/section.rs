//! Sections of the configuration: a struct declared once is its parser and its documentation too.

use std::fmt;

use super::{Problem, Value};

/// Where in the configuration we are.
#[derive(Clone, Copy, Debug)]
pub enum Path<'a> {
    /// The whole.
    Root,
    /// A key of the map at the path before it.
    Key(&'a Path<'a>, &'a str),
    /// An entry of the list at the path before it, counted from 0.
    Entry(&'a Path<'a>, usize),
    /// Any entry of the list at the path before it.
    AnyEntry(&'a Path<'a>),
}

/// One key, as the reference shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its full path.
    pub path: String,
    /// What it takes.
    pub takes: String,
    /// What it is when nothing is said.
    pub default: String,
    /// What it is for.
    pub about: String,
}

/// Something that can be set from what was said: one key, or a section of them.
pub trait Setting {
    /// Takes the meaning of what was said; where there is a problem, tells it and stays as it was.
    fn set(&mut self, said: &Value, at: &Path<'_>, problems: &mut Vec<Problem>);
}

/// Something that the reference tells of. It is a trait of its own so that whoever sets can do without.
pub trait Described {
    /// Adds this setting's keys to the reference, with the values they have now as their defaults.
    fn describe(&self, at: &Path<'_>, about: &str, keys: &mut Vec<Key>);
}

/// For the schema, which the filter has not.
#[cfg(not(target_family = "wasm"))]
impl Key {
    /// A section, of which the reference only shows the keys.
    pub(super) fn section(at: &Path<'_>, about: &str) -> Self {
        let (path, about) = (at.to_string(), about.to_owned());
        Self { path, takes: String::new(), default: String::new(), about }
    }

    /// Whether it is a section.
    pub(super) fn is_section(&self) -> bool {
        self.takes.is_empty()
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            // A key can be any text, and this ends up in a terminal.
            Self::Key(Self::Root, key) => write!(f, "{}", key.escape_debug()),
            Self::Key(parent, key) => write!(f, "{parent}.{}", key.escape_debug()),
            Self::Entry(parent, number) => write!(f, "{parent}[{number}]"),
            Self::AnyEntry(parent) => write!(f, "{parent}[]"),
        }
    }
}

/// Declares a section: each field is a key with its type, its default and, in its doc comment, what the
/// reference says of it.
macro_rules! section {
    (
        $(#[doc = $about:literal])+
        pub struct $Section:ident {
            $( $(#[doc = $doc:literal])+ $key:ident: $Type:ty = $default:expr, )+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug, PartialEq)]
        pub struct $Section {
            $( $(#[doc = $doc])+ pub $key: $Type, )+
        }

        impl Default for $Section {
            fn default() -> Self {
                Self { $( $key: $default, )+ }
            }
        }

        impl $crate::config::Setting for $Section {
            fn set(
                &mut self,
                said: &$crate::config::Value,
                at: &$crate::config::Path<'_>,
                problems: &mut Vec<$crate::config::Problem>,
            ) {
                let known = [$( stringify!($key) ),+];
                let keys: &mut [&mut dyn $crate::config::Setting] = &mut [$( &mut self.$key ),+];
                $crate::config::section::set(&known, keys, said, at, problems);
            }
        }

        impl $crate::config::Described for $Section {
            #[cfg_attr(target_family = "wasm", expect(unused_variables, reason = "the schema tells of sections"))]
            fn describe(
                &self,
                at: &$crate::config::Path<'_>,
                about: &str,
                keys: &mut Vec<$crate::config::Key>,
            ) {
                #[cfg(not(target_family = "wasm"))]
                keys.push($crate::config::Key::section(at, about));
                $( self.$key.describe(
                    &$crate::config::Path::Key(at, stringify!($key)),
                    concat!($( $doc ),+).trim(),
                    keys,
                ); )+
            }
        }
    };
}
pub(super) use section;

/// Sets each key of a section that is said. All sections share this, and so its code is there once.
#[inline(never)]
pub(super) fn set(
    known: &[&'static str],
    keys: &mut [&mut dyn Setting],
    said: &Value,
    at: &Path<'_>,
    problems: &mut Vec<Problem>,
) {
    for (name, said) in entries(said, at, known, problems) {
        let place = known.iter().position(|known| *known == name);
        if let Some(key) = place.and_then(|place| keys.get_mut(place)) {
            key.set(said, &Path::Key(at, name), problems);
        }
    }
}

/// The entries of what should be a map: known keys, each at most once. Others are problems.
fn entries<'a>(
    said: &'a Value,
    at: &Path<'_>,
    known: &[&'static str],
    problems: &mut Vec<Problem>,
) -> Vec<(&'a str, &'a Value)> {
    let entries = match said {
        Value::Null => return Vec::new(),
        Value::Map(entries) => entries,
        other => {
            problems.push(Problem::new(
                at,
                format!("{other} stands here, expected a map of {}", known.join(", ")),
            ));
            return Vec::new();
        }
    };
    let mut accepted: Vec<(&str, &Value)> = Vec::new();
    for (key, value) in entries {
        let here = Path::Key(at, key);
        if !known.contains(&key.as_str()) {
            let message = format!("no such key; known here: {}", known.join(", "));
            problems.push(Problem::new(here, message).or_meant(super::nearest(key, known)));
        } else if accepted.iter().any(|(earlier, _)| earlier == key) {
            problems.push(Problem::new(here, "said twice; keep one"));
        } else {
            accepted.push((key, value));
        }
    }
    accepted
}

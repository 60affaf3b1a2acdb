//! Keys that take a list.

use super::{Described, Key, Leaf, Path, Problem, Setting, Value, read_leaf};

/// A list of settings of one type, each of which is read by itself. What is said replaces the default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List<T>(pub Vec<T>);

/// One entry of a list.
pub trait Entry: Sized {
    /// What it takes, in words that follow "a list of".
    fn takes() -> String;

    /// Its meaning, or none and the problem with it.
    fn read(said: &Value, at: &Path<'_>, problems: &mut Vec<Problem>) -> Option<Self>;

    /// As it would be written in YAML.
    fn show(&self) -> String;

    /// Adds the keys that an entry has, if it can be a map.
    fn describe_keys(_at: &Path<'_>, _keys: &mut Vec<Key>) {}
}

/// The most entries of a list. A configuration is written by people, or made for one service.
const MOST_ENTRIES: usize = 20_000;

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// Whatever can be a key's value can be an entry.
impl<T: Leaf> Entry for T {
    fn takes() -> String {
        <T as Leaf>::takes()
    }

    fn read(said: &Value, at: &Path<'_>, problems: &mut Vec<Problem>) -> Option<Self> {
        read_leaf(said, at, problems)
    }

    fn show(&self) -> String {
        Leaf::show(self)
    }
}

impl<T: Entry> Setting for List<T> {
    fn set(&mut self, said: &Value, at: &Path<'_>, problems: &mut Vec<Problem>) {
        match said {
            Value::Null => {}
            Value::List(entries) if entries.len() > MOST_ENTRIES => {
                let message = format!("{} entries, expected at most {MOST_ENTRIES}", entries.len());
                problems.push(Problem::new(at, message));
            }
            Value::List(entries) => {
                let read = |(number, entry)| T::read(entry, &Path::Entry(at, number), problems);
                self.0 = entries.iter().enumerate().filter_map(read).collect();
            }
            other => {
                let message = format!("{other} stands here, expected a list of {}", T::takes());
                problems.push(Problem::new(at, message));
            }
        }
    }
}

impl<T: Entry> Described for List<T> {
    fn describe(&self, at: &Path<'_>, about: &str, keys: &mut Vec<Key>) {
        let entries: Vec<String> = self.0.iter().map(Entry::show).collect();
        keys.push(Key {
            path: at.to_string(),
            takes: format!("a list of {}", T::takes()),
            default: format!("[{}]", entries.join(", ")),
            about: about.to_owned(),
        });
        T::describe_keys(&Path::AnyEntry(at), keys);
    }
}

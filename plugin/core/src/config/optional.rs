//! Sections that are there only if they are said.

use super::{Described, Key, Path, Problem, Setting, Value};

/// What is said, with the defaults of its keys, or nothing. `{}` says it, `null` does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Optional<T>(pub Option<T>);

impl<T> Optional<T> {
    /// What is said, if it is.
    pub fn as_ref(&self) -> Option<&T> {
        self.0.as_ref()
    }
}

impl<T> Default for Optional<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Setting + Default> Setting for Optional<T> {
    fn set(&mut self, said: &Value, at: &Path<'_>, problems: &mut Vec<Problem>) {
        if *said == Value::Null {
            return;
        }
        let mut meant = T::default();
        let before = problems.len();
        meant.set(said, at, problems);
        // A map with a wrong key is still there, for what must go together with it.
        if matches!(said, Value::Map(_)) || problems.len() == before {
            self.0 = Some(meant);
        }
    }
}

impl<T: Described + Default> Described for Optional<T> {
    fn describe(&self, at: &Path<'_>, about: &str, keys: &mut Vec<Key>) {
        let path = at.to_string();
        let mut within = Vec::new();
        T::default().describe(at, about, &mut within);
        #[cfg(not(target_family = "wasm"))]
        within.retain(|key| key.path != path || !key.is_section());
        let (itself, within): (Vec<Key>, Vec<Key>) =
            within.into_iter().partition(|key| key.path == path);
        let takes = itself
            .into_iter()
            .next()
            .map_or_else(|| "a map of the keys below".to_owned(), |itself| itself.takes);
        keys.push(Key { path, takes, default: "null".to_owned(), about: about.to_owned() });
        keys.extend(within);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Buckets, OtlpSettings};

    fn set(said: &Value) -> (Optional<OtlpSettings>, usize) {
        let (mut otlp, mut problems) = (Optional::default(), Vec::new());
        otlp.set(said, &Path::Root, &mut problems);
        (otlp, problems.len())
    }

    #[test]
    fn an_empty_map_says_it_and_null_does_not() {
        let wrong = Value::Map(vec![("intrval".to_owned(), Value::Null)]);
        for (name, said, is_there, problems) in [
            ("null", Value::Null, false, 0),
            ("an empty map", Value::Map(Vec::new()), true, 0),
            ("a map with a problem", wrong, true, 1),
            ("no map", Value::Bool(true), false, 1),
        ] {
            let (otlp, found) = set(&said);
            assert_eq!((otlp.as_ref().is_some(), found), (is_there, problems), "{name}");
        }
    }

    #[test]
    fn its_keys_are_described_behind_it() {
        let path = |keys: &[Key]| {
            keys.iter().map(|key| format!("{}: {}", key.path, key.default)).collect::<Vec<_>>()
        };
        let (at, mut keys) = (Path::Key(&Path::Root, "a"), Vec::new());
        Optional::<OtlpSettings>::default().describe(&at, "", &mut keys);
        assert_eq!(path(&keys), ["a: null", "a.interval: 15s", "a.temporality: cumulative"]);
        keys.clear();
        Optional::<Buckets>::default().describe(&at, "", &mut keys);
        assert_eq!(path(&keys), ["a: null"]);
    }
}

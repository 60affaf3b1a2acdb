//! Keys that take a map whose names the user chooses.

use super::leaf::Token;
use super::{Described, Key, Path, Problem, Setting, Text, Value};

/// Attributes of a resource: names and texts. What is said replaces the default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes(pub Vec<(String, String)>);

/// Headers of a request that we send, with lower-case names. What is said replaces the default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(pub Vec<(String, String)>);

/// The most entries of such a map.
const MOST_ENTRIES: usize = 64;

impl Headers {
    /// What the exporter itself, or HTTP, says with a header.
    const TAKEN: [&str; 6] = [
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "te",
        "transfer-encoding",
    ];

    fn name(name: &str) -> Option<String> {
        let name = Token::new(&name.to_ascii_lowercase())?.as_str().to_owned();
        (!Self::TAKEN.contains(&name.as_str())).then_some(name)
    }

    fn value(value: &str) -> Option<String> {
        let visible = value.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~'));
        (visible && value.len() <= 4_096).then(|| value.to_owned())
    }
}

impl Setting for Attributes {
    fn set(&mut self, said: &Value, at: &Path<'_>, problems: &mut Vec<Problem>) {
        let text = |text: &str| Some(Text::new(text)?.as_str().to_owned());
        let expected =
            "names and texts, each of 1 to 255 bytes on one line; a number stands in quotes";
        if let Some(entries) = read(said, at, problems, expected, (text, text)) {
            self.0 = entries;
        }
    }
}

impl Described for Attributes {
    fn describe(&self, at: &Path<'_>, about: &str, keys: &mut Vec<Key>) {
        describe("a map of names to texts", at, about, keys);
    }
}

impl Setting for Headers {
    fn set(&mut self, said: &Value, at: &Path<'_>, problems: &mut Vec<Problem>) {
        let expected = format!(
            "names of headers, but none of {}, and visible ASCII texts",
            Self::TAKEN.join(", ")
        );
        if let Some(entries) = read(said, at, problems, &expected, (Self::name, Self::value)) {
            self.0 = entries;
        }
    }
}

impl Described for Headers {
    fn describe(&self, at: &Path<'_>, about: &str, keys: &mut Vec<Key>) {
        describe("a map of names to texts", at, about, keys);
    }
}

/// A check that gives what is meant by a text, if it is one that may stand there.
type Check = fn(&str) -> Option<String>;

/// Values are never shown in a problem: a header can hold the key to a collector.
fn read(
    said: &Value,
    at: &Path<'_>,
    problems: &mut Vec<Problem>,
    expected: &str,
    (name, value): (Check, Check),
) -> Option<Vec<(String, String)>> {
    let Value::Map(entries) = said else {
        if *said != Value::Null {
            problems.push(Problem::new(at, format!("expected a map of {expected}")));
        }
        return None;
    };
    if entries.len() > MOST_ENTRIES {
        let message = format!("{} entries, expected at most {MOST_ENTRIES}", entries.len());
        problems.push(Problem::new(at, message));
        return None;
    }
    let mut meant: Vec<(String, String)> = Vec::new();
    for (key, said) in entries {
        let here = Path::Key(at, key);
        let text = match said {
            Value::String(text) => value(text),
            _ => None,
        };
        match (name(key), text) {
            (Some(key), Some(_)) if meant.iter().any(|(earlier, _)| *earlier == key) => {
                problems.push(Problem::new(here, "said twice; keep one"));
            }
            (Some(key), Some(text)) => meant.push((key, text)),
            // It can be a whole header that slipped into its name.
            (None, _) if Token::new(key).is_none() => {
                problems.push(Problem::new(at, format!("a wrong name, expected {expected}")));
            }
            _ => problems.push(Problem::new(here, format!("expected {expected}"))),
        }
    }
    Some(meant)
}

fn describe(takes: &str, at: &Path<'_>, about: &str, keys: &mut Vec<Key>) {
    keys.push(Key {
        path: at.to_string(),
        takes: takes.to_owned(),
        default: "{}".to_owned(),
        about: about.to_owned(),
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    fn problems(said: &str) -> Vec<String> {
        match config::read(said.as_bytes()) {
            Ok(_) => Vec::new(),
            Err(problems) => problems.iter().map(Problem::to_string).collect(),
        }
    }

    #[test]
    fn headers_are_lower_case_and_in_order() {
        let said = br#"{"export": {"headers": {"X-B": "1", "Authorization": "Bearer a"}}}"#;
        let headers = config::read(said).unwrap().export.headers.0;
        let expected = [("x-b", "1"), ("authorization", "Bearer a")];
        assert_eq!(headers, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn a_wrong_header_is_named_and_its_value_is_not_shown() {
        for said in [
            r#"{"export": {"headers": {"content-type": "secret"}}}"#,
            r#"{"export": {"headers": {"a b": "secret"}}}"#,
            r#"{"export": {"headers": {"": "secret"}}}"#,
            r#"{"export": {"headers": {"a": "secret\n"}}}"#,
            r#"{"export": {"headers": {"a": "secr\u00e9t"}}}"#,
            r#"{"export": {"headers": {"a": 7}}}"#,
            r#"{"export": {"headers": {"authorization: secret": null}}}"#,
            r#"{"export": {"headers": {"authorization=secret": "a"}}}"#,
            r#"{"export": {"headers": ["authorization: secret"]}}"#,
            r#"{"export": {"headers": {"a": "secret", "A": "secret"}}}"#,
            r#"{"export": {"headers": "secret"}}"#,
            r#"{"service": {"attributes": {"a": 7}}}"#,
            r#"{"service": {"attributes": {"": "a"}}}"#,
            r#"{"service": {"attributes": ["a"]}}"#,
        ] {
            let problems = problems(said);
            assert_eq!(problems.len(), 1, "{said}: {problems:?}");
            assert!(!problems.concat().contains("secr"), "{problems:?}");
        }
    }

    #[test]
    fn there_is_a_bound() {
        let entries: Vec<_> = (0..65).map(|number| format!(r#""a{number}": "b""#)).collect();
        let said = format!(r#"{{"service": {{"attributes": {{{}}}}}}}"#, entries.join(","));
        assert_eq!(problems(&said), ["service.attributes: 65 entries, expected at most 64"]);
    }
}

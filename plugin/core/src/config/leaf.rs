//! The types that single keys have. Each accepts only what it means, and can say what that is.

use std::borrow::Cow;

use super::{Key, Path, Problem, Setting, Value, nearest};

/// The type of one key's value.
pub trait Leaf: Sized {
    /// What it takes, in words that follow "expected".
    fn takes() -> String;

    /// Its meaning, if it has one.
    fn parse(said: &Value) -> Option<Self>;

    /// As it would be written in YAML.
    fn show(&self) -> String;

    /// The names that it knows, for "did you mean".
    fn known() -> &'static [&'static str] {
        &[]
    }
}

/// The name of a header that is ours to set. Invariant: a lower-case token of RFC 9110, and none of the
/// headers that carry something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderName(Cow<'static, str>);

/// A number within 0 and 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio(f64);

/// A text that is not empty and not longer than any name needs to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text(String);

impl HeaderName {
    /// Where request IDs usually travel.
    pub const X_REQUEST_ID: Self = Self(Cow::Borrowed("x-request-id"));

    /// Headers with a meaning of their own, which a request ID would destroy.
    const TAKEN: [&str; 12] = [
        "authorization",
        "baggage",
        "connection",
        "content-length",
        "content-type",
        "cookie",
        "host",
        "set-cookie",
        "te",
        "traceparent",
        "tracestate",
        "transfer-encoding",
    ];

    /// The name, lower-cased, if it is one and not taken.
    pub fn new(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let token = !name.is_empty() && name.len() <= 128 && name.bytes().all(is_token);
        (token && !Self::TAKEN.contains(&name.as_str())).then_some(Self(Cow::Owned(name)))
    }

    /// The name, in lower case.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl Ratio {
    /// The ratio, if it is one.
    pub fn new(ratio: f64) -> Option<Self> {
        (0.0..=1.0).contains(&ratio).then_some(Self(ratio))
    }

    /// So many of a hundred, and never more than all.
    pub fn percent(percent: u8) -> Self {
        Self(f64::from(percent.min(100)) / 100.0)
    }

    /// As a number.
    pub fn as_f64(self) -> f64 {
        self.0
    }
}

impl Text {
    const LONGEST: usize = 255;

    /// The text, if it can be a name.
    pub fn new(text: &str) -> Option<Self> {
        let fits = !text.trim().is_empty() && text.len() <= Self::LONGEST;
        (fits && !text.contains(char::is_control)).then(|| Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<T: Leaf> Setting for T {
    fn set(&mut self, said: &Value, at: &Path<'_>, problems: &mut Vec<Problem>) {
        if *said == Value::Null {
            return;
        }
        match T::parse(said) {
            Some(value) => *self = value,
            None => {
                let near = match said {
                    Value::String(text) => nearest::nearest(text, T::known()),
                    _ => None,
                };
                let message = format!("{said} stands here, expected {}", T::takes());
                problems.push(Problem::new(at, message).or_meant(near));
            }
        }
    }

    fn describe(&self, at: &Path<'_>, about: &str, keys: &mut Vec<Key>) {
        keys.push(Key {
            path: at.to_string(),
            takes: T::takes(),
            default: self.show(),
            about: about.to_owned(),
        });
    }
}

impl Leaf for bool {
    fn takes() -> String {
        "true or false".to_owned()
    }

    fn parse(said: &Value) -> Option<Self> {
        match said {
            Value::Bool(value) => Some(*value),
            _ => None,
        }
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Leaf for HeaderName {
    fn takes() -> String {
        format!("the name of a header, but none of {}", Self::TAKEN.join(", "))
    }

    fn parse(said: &Value) -> Option<Self> {
        match said {
            Value::String(name) => Self::new(name),
            _ => None,
        }
    }

    fn show(&self) -> String {
        self.0.clone().into_owned()
    }
}

impl Leaf for Ratio {
    fn takes() -> String {
        "a number from 0 to 1".to_owned()
    }

    fn parse(said: &Value) -> Option<Self> {
        match said {
            Value::Number(number) => Self::new(*number),
            _ => None,
        }
    }

    fn show(&self) -> String {
        self.0.to_string()
    }
}

impl Leaf for Text {
    fn takes() -> String {
        format!("a text of 1 to {} bytes on one line", Self::LONGEST)
    }

    fn parse(said: &Value) -> Option<Self> {
        match said {
            Value::String(text) => Self::new(text),
            _ => None,
        }
    }

    fn show(&self) -> String {
        self.0.clone()
    }
}

/// A key that may stay unset.
impl<T: Leaf> Leaf for Option<T> {
    fn takes() -> String {
        T::takes()
    }

    fn parse(said: &Value) -> Option<Self> {
        T::parse(said).map(Some)
    }

    fn show(&self) -> String {
        self.as_ref().map_or_else(|| "null".to_owned(), Leaf::show)
    }

    fn known() -> &'static [&'static str] {
        T::known()
    }
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_name_is_a_token_that_is_not_taken() {
        for (name, fits) in [
            ("x-request-id", true),
            ("X-Correlation-ID", true),
            ("", false),
            (":path", false),
            ("x request id", false),
            ("x-ä", false),
            ("Host", false),
            ("traceparent", false),
        ] {
            assert_eq!(HeaderName::new(name).is_some(), fits, "{name:?}");
        }
    }

    #[test]
    fn a_ratio_is_within_0_and_1() {
        for (number, fits) in
            [(0.0, true), (1.0, true), (-0.1, false), (1.1, false), (f64::NAN, false)]
        {
            assert_eq!(Ratio::new(number).is_some(), fits, "{number}");
        }
    }
}

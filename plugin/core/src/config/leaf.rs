//! The types that single keys have. Each accepts only what it means, and can say what that is.

use std::borrow::Cow;
use std::time::Duration;

use super::{Described, Key, Path, Problem, Setting, Value, nearest};

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

/// A whole number. Invariant: from `LEAST` to `MOST`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whole<const LEAST: u32, const MOST: u32>(u32);

/// A time span, as `250ms`, `5s` or `1m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period(Duration);

/// A number within 0 and 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio(f64);

/// A token of RFC 9110: what headers, and keys of baggage, have for names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token(pub(super) String);

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
        let Token(name) = Token::new(&name.to_ascii_lowercase())?;
        (!Self::TAKEN.contains(&name.as_str())).then_some(Self(Cow::Owned(name)))
    }

    /// The name, in lower case.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl<const LEAST: u32, const MOST: u32> Whole<LEAST, MOST> {
    /// The nearest that there is.
    pub const fn nearest(number: u32) -> Self {
        match number {
            _ if number < LEAST => Self(LEAST),
            _ if number > MOST => Self(MOST),
            _ => Self(number),
        }
    }

    /// As a number.
    pub fn as_u32(self) -> u32 {
        self.0
    }

    /// As a number of things.
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl Period {
    const UNITS: [(&str, u64); 4] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];
    /// A day. Nothing that is configured lasts longer.
    const LONGEST: u64 = 86_400_000;

    /// The time span, if this is one.
    pub fn new(text: &str) -> Option<Self> {
        let digits = text.find(|c: char| !c.is_ascii_digit())?;
        let (number, unit) = text.split_at_checked(digits)?;
        let (_, millis) = Self::UNITS.into_iter().find(|(name, _)| *name == unit)?;
        let millis = number.parse::<u64>().ok()?.checked_mul(millis)?;
        (1..=Self::LONGEST).contains(&millis).then(|| Self(Duration::from_millis(millis)))
    }

    /// This time span, known to be one.
    pub(super) const fn of(duration: Duration) -> Self {
        Self(duration)
    }

    /// As a duration.
    pub fn as_duration(self) -> Duration {
        self.0
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

impl Token {
    /// The token, if it is one.
    pub fn new(text: &str) -> Option<Self> {
        let token = !text.is_empty() && text.len() <= 128 && text.bytes().all(is_token);
        token.then(|| Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Text {
    const LONGEST: usize = 255;
    /// What ends a label in the names of Envoy's stats.
    const TAG_END: &str = ";.;";

    /// The text, if it can be a name.
    pub fn new(text: &str) -> Option<Self> {
        let fits = !text.trim().is_empty() && text.len() <= Self::LONGEST;
        let breaks = text.contains(char::is_control) || text.contains(Self::TAG_END);
        (fits && !breaks).then(|| Self(text.to_owned()))
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
        if let Some(value) = read(said, at, problems) {
            *self = value;
        }
    }
}

impl<T: Leaf> Described for T {
    fn describe(&self, at: &Path<'_>, about: &str, keys: &mut Vec<Key>) {
        keys.push(Key {
            path: at.to_string(),
            takes: T::takes(),
            default: self.show(),
            about: about.to_owned(),
        });
    }
}

/// The meaning of a value, or none and the problem with it.
pub(crate) fn read<T: Leaf>(said: &Value, at: &Path<'_>, problems: &mut Vec<Problem>) -> Option<T> {
    let value = T::parse(said);
    if value.is_none() {
        let near = match said {
            Value::String(text) => nearest(text, T::known()),
            _ => None,
        };
        let message = format!("{said} stands here, expected {}", T::takes());
        problems.push(Problem::new(at, message).or_meant(near));
    }
    value
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

impl<const LEAST: u32, const MOST: u32> Leaf for Whole<LEAST, MOST> {
    fn takes() -> String {
        format!("a whole number from {LEAST} to {MOST}")
    }

    fn parse(said: &Value) -> Option<Self> {
        let number = number(said)?;
        if number.fract() != 0.0 || !(f64::from(LEAST)..=f64::from(MOST)).contains(&number) {
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "just seen to fit"
        )]
        Some(Self(number as u32))
    }

    fn show(&self) -> String {
        self.0.to_string()
    }
}

impl Leaf for Period {
    fn takes() -> String {
        "a time span such as 250ms, 5s or 1m, of a day at most".to_owned()
    }

    fn parse(said: &Value) -> Option<Self> {
        match said {
            Value::String(text) => Self::new(text),
            _ => None,
        }
    }

    fn show(&self) -> String {
        let millis = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        let mut units = Self::UNITS.into_iter().rev();
        let (unit, factor) = units.find(|(_, factor)| millis % factor == 0).unwrap_or(("ms", 1));
        format!("{}{unit}", millis / factor)
    }
}

impl Leaf for Ratio {
    fn takes() -> String {
        "a number from 0 to 1".to_owned()
    }

    fn parse(said: &Value) -> Option<Self> {
        Self::new(number(said)?)
    }

    fn show(&self) -> String {
        self.0.to_string()
    }
}

impl Leaf for Token {
    fn takes() -> String {
        "a token of 1 to 128 letters, digits and !#$%&'*+-.^_`|~".to_owned()
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

impl Leaf for Text {
    fn takes() -> String {
        format!("a text of 1 to {} bytes on one line, without {}", Self::LONGEST, Self::TAG_END)
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

/// A number, also as a text: Envoy's own YAML knows no fractions, and hands `0.05` over as one.
pub(super) fn number(said: &Value) -> Option<f64> {
    match said {
        Value::Number(number) => Some(*number),
        Value::String(text) => super::json::number(text),
        _ => None,
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
    fn a_period_is_a_number_with_a_unit() {
        for (text, millis) in [
            ("250ms", Some(250)),
            ("5s", Some(5_000)),
            ("1m", Some(60_000)),
            ("24h", Some(86_400_000)),
            ("25h", None),
            ("0s", None),
            ("5", None),
            ("s", None),
            ("", None),
            ("-5s", None),
            ("1.5s", None),
            ("5 s", None),
            ("99999999999999999999s", None),
            ("18446744073709551615h", None),
        ] {
            let period = Period::new(text);
            assert_eq!(period.map(|it| it.as_duration().as_millis()), millis, "{text:?}");
            if let Some(period) = period {
                assert_eq!(Period::new(&period.show()), Some(period), "{text:?}");
            }
        }
    }

    #[test]
    fn a_whole_number_is_within_its_bounds() {
        for (number, fits) in [
            (1.0, true),
            (10_000.0, true),
            (0.0, false),
            (10_001.0, false),
            (1.5, false),
            (f64::NAN, false),
        ] {
            let read = Whole::<1, 10_000>::parse(&Value::Number(number));
            assert_eq!(read.is_some(), fits, "{number}");
        }
        for (text, fits) in [("17", true), ("0", false), ("17 ", false), ("", false), (".", false)]
        {
            let read = Whole::<1, 10_000>::parse(&Value::String(text.to_owned()));
            assert_eq!(read.is_some(), fits, "{text}");
        }
        let nearest = [0, 5, 20].map(|number| Whole::<1, 10>::nearest(number).as_u32());
        assert_eq!(nearest, [1, 5, 10]);
    }

    #[test]
    fn a_ratio_is_within_0_and_1() {
        for (number, fits) in
            [(0.0, true), (1.0, true), (-0.1, false), (1.1, false), (f64::NAN, false)]
        {
            assert_eq!(Ratio::new(number).is_some(), fits, "{number}");
        }
        let as_envoy_hands_it_over = Value::String("0.05".to_owned());
        assert_eq!(Ratio::parse(&as_envoy_hands_it_over), Ratio::new(0.05));
    }
}

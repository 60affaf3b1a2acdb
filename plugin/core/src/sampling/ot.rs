//! The `ot` member of a tracestate, OpenTelemetry's own: sub-keys and values, `th:c;rv:6e6d1a75832a2f`.
//!
//! It is taken whole or not at all: of a value that breaks the grammar nothing is believed. Within one
//! that keeps it, a `th` or `rv` that is no number says nothing; the wrong `th` goes when the member is
//! written again, the wrong `rv` stays, because `rv` is not ours to change.

use super::Threshold;
use super::threshold::number;

/// How long a value can be.
const MAX_LENGTH: usize = 256;

/// What came in `ot`.
#[derive(Clone, Copy, Debug)]
pub struct Ot<'a> {
    value: &'a [u8],
    has_threshold: bool,
    threshold: Option<Threshold>,
    randomness: Option<u64>,
}

impl<'a> Ot<'a> {
    /// Parses the value of the member. None if anything in it is not as it must be, or a sub-key is
    /// there twice.
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        if value.len() > MAX_LENGTH {
            return None;
        }
        let mut ot = Self { value, has_threshold: false, threshold: None, randomness: None };
        let mut members = value.split(is_separator);
        while let Some(member) = members.next() {
            let (key, text) = key_and_value(member)?;
            if members.clone().any(|other| has_key(other, key)) {
                return None;
            }
            ot.note(key, text);
        }
        Some(ot)
    }

    /// What `th` says. None where it is not there, or no threshold.
    pub fn threshold(&self) -> Option<Threshold> {
        self.threshold
    }

    /// Whether `th` is there, a threshold or not.
    pub fn has_threshold(&self) -> bool {
        self.has_threshold
    }

    /// What `rv` says, the randomness to go by instead of the trace ID's. None where it is not there, or
    /// not exactly 14 lower-case digits.
    pub fn randomness(&self) -> Option<u64> {
        self.randomness
    }

    /// Writes the value with another threshold, or with none, and the rest as it came and in its order.
    /// Writes nothing if nothing is left.
    ///
    /// A threshold for which there is no room is left out: to say nothing is true, to leave the old one
    /// is not, and the rest belongs to others.
    pub fn write_with(&self, threshold: Option<Threshold>, out: &mut Vec<u8>) {
        let start = out.len();
        if let Some(threshold) = threshold.filter(|&threshold| self.has_room_for(threshold)) {
            out.extend_from_slice(b"th:");
            threshold.write(out);
        }
        for member in self.others() {
            if out.len() > start {
                out.push(b';');
            }
            out.extend_from_slice(member);
        }
    }

    fn note(&mut self, key: &[u8], text: &[u8]) {
        match key {
            b"th" => {
                self.has_threshold = true;
                self.threshold = Threshold::parse(text);
            }
            b"rv" if text.len() == 14 => self.randomness = number(text),
            _ => {}
        }
    }

    /// Whether the threshold can be said, and within the bound.
    fn has_room_for(&self, threshold: Threshold) -> bool {
        let digits = threshold.digits().count();
        let others: usize = self.others().map(|member| member.len() + 1).sum();
        digits > 0 && others + "th:".len() + digits <= MAX_LENGTH
    }

    /// All but the threshold.
    fn others(&self) -> impl Iterator<Item = &'a [u8]> {
        self.value.split(is_separator).filter(|member| !has_key(member, b"th"))
    }
}

/// One sub-key and its value, if both are of the characters that they can have.
fn key_and_value(member: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = member.iter().position(|&byte| byte == b':')?;
    let (key, value) = member.split_at_checked(colon)?;
    let (_, value) = value.split_first()?;
    let of_key = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let of_value = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    let right = key.first()?.is_ascii_lowercase() && key.iter().all(of_key);
    (right && value.iter().all(of_value)).then_some((key, value))
}

fn has_key(member: &[u8], key: &[u8]) -> bool {
    member.strip_prefix(key).is_some_and(|rest| rest.first() == Some(&b':'))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what splitting a slice asks for")]
fn is_separator(byte: &u8) -> bool {
    *byte == b';'
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn threshold(text: &str) -> Option<Threshold> {
        Threshold::parse(text.as_bytes())
    }

    fn with(value: &str, threshold: Option<Threshold>) -> String {
        let mut out = b"before ".to_vec();
        Ot::parse(value.as_bytes()).unwrap().write_with(threshold, &mut out);
        String::from_utf8(out).unwrap().strip_prefix("before ").unwrap().to_owned()
    }

    #[test]
    fn says_what_th_and_rv_say() {
        let randomness = Some(0x6e_6d1a_7583_2a2f);
        let table = [
            ("th alone", "th:c", true, threshold("c"), None),
            ("rv alone", "rv:6e6d1a75832a2f", false, None, randomness),
            ("both", "rv:6e6d1a75832a2f;th:0", true, threshold("0"), randomness),
            ("among others", "a:b;th:fd70a;p:8;r:62", true, threshold("fd70a"), None),
            ("neither", "p:8;r:62", false, None, None),
            ("names that only begin so", "th1:c;rvx:6e6d1a75832a2f", false, None, None),
            ("th with no value", "th:", true, None, None),
            ("th of upper case", "th:C", true, None, None),
            ("th too long", "th:c00000000000000", true, None, None),
            ("th that is no number", "th:x-1", true, None, None),
            ("rv too short", "rv:6e6d1a75832a2;th:8", true, threshold("8"), None),
            ("rv too long", "rv:6e6d1a75832a2f0", false, None, None),
            ("rv of upper case", "rv:6E6D1A75832A2F", false, None, None),
            ("rv that is no number", "rv:6e6d1a75832a2g", false, None, None),
        ];
        for (name, value, has_threshold, threshold, randomness) in table {
            let ot = Ot::parse(value.as_bytes()).expect(name);
            assert_eq!(ot.has_threshold(), has_threshold, "{name}");
            assert_eq!(ot.threshold(), threshold, "{name}");
            assert_eq!(ot.randomness(), randomness, "{name}");
        }
    }

    #[test]
    fn believes_nothing_of_a_value_that_breaks_the_grammar() {
        let table = [
            ("empty", ""),
            ("no colon", "th"),
            ("no key", ":c"),
            ("two colons", "th:c:d"),
            ("an equals sign", "th=c"),
            ("a separator at the end", "th:c;"),
            ("a separator in front", ";th:c"),
            ("nothing between separators", "th:c;;a:b"),
            ("a space", "th:c; a:b"),
            ("a key of upper case", "TH:c"),
            ("a key that begins with a digit", "1a:b"),
            ("a key with a dash", "a-b:c"),
            ("a comma in a value", "a:b,c"),
            ("a slash in a value", "a:b/c"),
            ("a tab at the end", "th:c\t"),
            ("a character beyond ASCII", "a:\u{e4}"),
            ("th twice", "th:c;th:c"),
            ("th twice, once without value", "th:;a:b;th:c"),
            ("another twice", "a:1;b:2;a:3"),
        ];
        for (name, value) in table {
            assert!(Ot::parse(value.as_bytes()).is_none(), "{name}");
        }
    }

    #[test]
    fn a_value_has_at_most_256_bytes() {
        let value = |length: usize| format!("a:{}", "x".repeat(length - 2));
        assert!(Ot::parse(value(256).as_bytes()).is_some());
        assert!(Ot::parse(value(257).as_bytes()).is_none());
    }

    #[test]
    fn is_written_with_another_threshold_and_the_rest_as_it_came() {
        let table = [
            ("replaced", "th:c", Some("8"), "th:8"),
            ("taken away, and nothing is left", "th:c", None, ""),
            ("taken away", "a:b;th:c;rv:6e6d1a75832a2f", None, "a:b;rv:6e6d1a75832a2f"),
            ("replaced among others", "z:1;th:c;a:2", Some("e666"), "th:e666;z:1;a:2"),
            ("added", "p:8;r:62", Some("0"), "th:0;p:8;r:62"),
            ("none there and none wanted", "p:8;r:62", None, "p:8;r:62"),
            ("a wrong one goes", "p:8;th:XYZ", None, "p:8"),
            ("a wrong rv stays", "rv:1;th:c", Some("8"), "th:8;rv:1"),
            ("a name that begins so stays", "th1:c", Some("8"), "th:8;th1:c"),
            ("values can be empty", "a:;b:", Some("8"), "th:8;a:;b:"),
        ];
        for (name, value, wanted, expected) in table {
            assert_eq!(with(value, wanted.and_then(threshold)), expected, "{name}");
        }
    }

    #[test]
    fn a_threshold_without_room_is_left_out() {
        let other = |length: usize| format!("a:{}", "x".repeat(length - 2));
        let fits = other(251);
        assert_eq!(with(&fits, threshold("8")), format!("th:8;{fits}"));
        assert_eq!(with(&fits, threshold("88")), fits, "one digit too many");
        let full = format!("th:8;{fits}");
        assert_eq!(with(&full, threshold("c")), format!("th:c;{fits}"), "the old one makes room");
        assert_eq!(with(&full, threshold("cc")), fits, "the old one does not stay");
    }

    #[test]
    fn the_threshold_that_keeps_nothing_is_left_out() {
        let nothing = crate::Sampler::NONE.threshold();
        assert_eq!(with("th:c;a:b", Some(nothing)), "a:b");
    }

    /// The grammar once more, by other means: the sub-keys in order.
    fn model(value: &str) -> Option<Vec<(&str, &str)>> {
        let members: Vec<_> =
            value.split(';').map(|member| member.split_once(':')).collect::<Option<_>>()?;
        let lower = "abcdefghijklmnopqrstuvwxyz";
        let upper = lower.to_uppercase();
        let right = |(key, text): &(&str, &str)| {
            key.starts_with(|c| lower.contains(c))
                && key.chars().all(|c| lower.contains(c) || "0123456789".contains(c))
                && text.chars().all(|c| format!("{lower}{upper}0123456789._-").contains(c))
        };
        let keys: BTreeSet<_> = members.iter().map(|(key, _)| key).collect();
        let unique = keys.len() == members.len();
        (value.len() <= 256 && unique && members.iter().all(right)).then_some(members)
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(value in prop::collection::vec(any::<u8>(), 0..300)) {
            if let Some(ot) = Ot::parse(&value) {
                let mut out = Vec::new();
                ot.write_with(None, &mut out);
                prop_assert!(out.len() <= value.len());
            }
        }

        #[test]
        fn agrees_with_a_simple_model(
            value in "((th|rv|a|th1|p|B|1|):([0-9a-f]{0,15}|[.Z_g-]|,)(;|;;|){1}){0,5}(a:b|th:c|rv:6e6d1a75832a2f)",
        ) {
            let expected = model(&value);
            let ot = Ot::parse(value.as_bytes());
            prop_assert_eq!(ot.is_some(), expected.is_some());
            if let (Some(ot), Some(expected)) = (ot, expected) {
                let find = |name| expected.iter().find(|(key, _)| *key == name).map(|(_, text)| *text);
                prop_assert_eq!(ot.threshold(), find("th").and_then(threshold));
                prop_assert_eq!(ot.has_threshold(), find("th").is_some());
                let randomness = find("rv").filter(|text| text.len() == 14);
                let randomness = randomness.and_then(|text| u64::from_str_radix(text, 16).ok());
                prop_assert_eq!(ot.randomness(), randomness);
            }
        }

        #[test]
        fn what_is_written_says_what_was_wanted(
            value in "(a:b;)?(th:[0-9a-fX]{0,15};)?(p:[8.]{0,250};)?(rv:[0-9a-f]{14};)?z:1",
            wanted in prop::option::of("[0-9a-f]{1,14}"),
        ) {
            let Some(before) = Ot::parse(value.as_bytes()) else { return Ok(()) };
            let wanted = wanted.as_deref().and_then(threshold);
            let mut out = Vec::new();
            before.write_with(wanted, &mut out);
            let after = Ot::parse(&out).expect("still right");
            let full = value.len() > MAX_LENGTH - "th:;".len() - 14;
            prop_assert!(after.threshold() == wanted || full && after.threshold().is_none());
            prop_assert_eq!(after.randomness(), before.randomness());
            prop_assert!(before.others().eq(after.others()));
        }
    }
}

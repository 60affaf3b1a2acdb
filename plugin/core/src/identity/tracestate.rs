//! The `tracestate` header of W3C Trace Context, level 2: what tracing systems tell themselves.
//!
//! ```text
//! ot=th:8,congo=t61rcWkgMzE
//! ^key  ^value
//! ```
//!
//! It is read strictly and in place: one member that breaks the grammar spoils all of it. A key that comes
//! again does not. To keep keys apart is the sender's duty, and a receiver may take one of them: we take the
//! first, which is the newest.
//!
//! What a member means is not known here. Ours is for `sampling`.

const MOST_MEMBERS: usize = 32;
const LONGEST_KEY: usize = 256;
const LONGEST_VALUE: usize = 256;

/// A valid tracestate: its members in order, read in place.
#[derive(Clone, Copy, Debug)]
pub struct Tracestate<'a> {
    value: &'a [u8],
    /// Where each member is. Invariant: all are within the value and valid, and no two have the same key.
    places: [Place; MOST_MEMBERS],
    /// How many places there are.
    count: usize,
}

/// Where a member begins, where its `=` is, and where it ends.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    start: u16,
    sign: u16,
    end: u16,
}

/// Why all of a tracestate must be dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidState {
    /// A member without `=`.
    Member,
    /// Not 1 to 256 of the characters of keys, the first a letter or a digit.
    Key,
    /// Not 1 to 256 characters of visible ASCII and space, or one of them `=`.
    Value,
    /// More than 32 members.
    TooMany,
    /// More bytes than are read.
    TooLong,
}

impl<'a> Tracestate<'a> {
    /// How long it may be: 32 members of the longest, each with a comma and a space behind it. White space
    /// has no bound in the standard, so one must be set.
    pub const LONGEST: usize = MOST_MEMBERS * (LONGEST_KEY + 1 + LONGEST_VALUE + 2);

    /// Reads a header's value, or those of several headers in their order, joined by commas. Empty members
    /// are passed over.
    pub fn parse(value: &'a [u8]) -> Result<Self, InvalidState> {
        if value.len() > Self::LONGEST {
            return Err(InvalidState::TooLong);
        }
        let mut state = Self { value, places: [Place::default(); MOST_MEMBERS], count: 0 };
        let (mut rest, mut seen) = (value, 0);
        while let Some(start) = rest.iter().position(|&byte| !matches!(byte, b',' | b' ' | b'\t')) {
            let from = rest.get(start..).unwrap_or_default();
            let (key, behind) = read_key(from)?;
            let (value, behind) = read_value(behind)?;
            seen += 1;
            if seen > MOST_MEMBERS {
                return Err(InvalidState::TooMany);
            }
            state.add(key, value, from.len());
            rest = behind;
        }
        Ok(state)
    }

    /// Whether it has no member.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Keys and values in order, each key once.
    pub fn members(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let value = self.value;
        self.places().map(move |place| (place.key(value), place.value(value)))
    }

    /// The value of this key.
    pub fn value_of(&self, key: &[u8]) -> Option<&'a [u8]> {
        self.members().find_map(|(other, value)| (other == key).then_some(value))
    }

    /// Writes it behind what `out` holds: this key with its value in front, the others in their order. Where
    /// there is no value, or none that may stand there, it is written without the key. What is too much for
    /// 32 members is left out at the end. One comma parts members, and no white space.
    pub fn write_with(&self, key: &[u8], value: Option<&[u8]>, out: &mut Vec<u8>) {
        let began = out.len();
        let ours = value.filter(|value| is_key(key) && is_value(value));
        if let Some(value) = ours {
            out.extend_from_slice(key);
            out.push(b'=');
            out.extend_from_slice(value);
        }
        let others = self.places().filter(|place| place.key(self.value) != key);
        for place in others.take(MOST_MEMBERS - usize::from(ours.is_some())) {
            if out.len() > began {
                out.push(b',');
            }
            out.extend_from_slice(place.member(self.value));
        }
    }

    /// Takes a member, unless its key was there before. It is so many bytes before the end of the value.
    fn add(&mut self, key: &[u8], value: &[u8], before_end: usize) {
        let start = self.value.len() - before_end;
        let sign = start + key.len();
        let bytes = self.value;
        if self.places().any(|place| place.key(bytes) == key) {
            return;
        }
        if let Some(place) = self.places.get_mut(self.count) {
            *place = Place::new(start, sign, sign + 1 + value.len());
            self.count += 1;
        }
    }

    fn places(&self) -> impl Iterator<Item = Place> {
        self.places.iter().take(self.count).copied()
    }
}

impl Place {
    fn new(start: usize, sign: usize, end: usize) -> Self {
        // All are at most `LONGEST`.
        let [start, sign, end] = [start, sign, end].map(|at| u16::try_from(at).unwrap_or(u16::MAX));
        Self { start, sign, end }
    }

    fn key(self, of: &[u8]) -> &[u8] {
        of.get(self.start.into()..self.sign.into()).unwrap_or_default()
    }

    fn value(self, of: &[u8]) -> &[u8] {
        of.get(usize::from(self.sign) + 1..self.end.into()).unwrap_or_default()
    }

    fn member(self, of: &[u8]) -> &[u8] {
        of.get(self.start.into()..self.end.into()).unwrap_or_default()
    }
}

/// A key, and what is behind its `=`.
fn read_key(text: &[u8]) -> Result<(&[u8], &[u8]), InvalidState> {
    let end = text.iter().position(|&byte| !is_of_keys(byte)).unwrap_or(text.len());
    let (key, behind) = text.split_at_checked(end).unwrap_or_default();
    match behind.split_first() {
        None | Some((b',', _)) => Err(InvalidState::Member),
        Some((b'=', behind)) if may_begin(key) && key.len() <= LONGEST_KEY => Ok((key, behind)),
        Some(_) => Err(InvalidState::Key),
    }
}

/// A value, and what is behind it from white space or a comma on. Spaces at its end are not its own.
fn read_value(text: &[u8]) -> Result<(&[u8], &[u8]), InvalidState> {
    let end = text.iter().position(|&byte| !is_of_values(byte)).unwrap_or(text.len());
    let (mut value, behind) = text.split_at_checked(end).unwrap_or_default();
    while let [trimmed @ .., b' '] = value {
        value = trimmed;
    }
    let next = behind.iter().find(|byte| !matches!(byte, b' ' | b'\t'));
    let is_alone = matches!(next, None | Some(b','));
    let is_valid = is_alone && (1..=LONGEST_VALUE).contains(&value.len());
    if is_valid { Ok((value, behind)) } else { Err(InvalidState::Value) }
}

/// Level 2 allows a digit in front, and any number of `@` behind it. Level 1, which has one `@` between a
/// tenant and a system, is part of that.
fn is_key(key: &[u8]) -> bool {
    may_begin(key) && key.len() <= LONGEST_KEY && key.iter().all(|&byte| is_of_keys(byte))
}

fn may_begin(key: &[u8]) -> bool {
    key.first().is_some_and(|it| it.is_ascii_lowercase() || it.is_ascii_digit())
}

fn is_of_keys(byte: u8) -> bool {
    is_in(byte, KEY)
}

fn is_value(value: &[u8]) -> bool {
    let ends = value.last().is_some_and(|&it| it != b' ');
    ends && value.len() <= LONGEST_VALUE && value.iter().all(|&byte| is_of_values(byte))
}

fn is_of_values(byte: u8) -> bool {
    is_in(byte, VALUE)
}

fn is_in(byte: u8, class: u8) -> bool {
    CLASSES.get(usize::from(byte)).is_some_and(|classes| classes & class != 0)
}

const KEY: u8 = 1;
const VALUE: u8 = 2;

/// The classes of each ASCII character: one look takes half the time of the comparisons.
static CLASSES: [u8; 128] = {
    let mut classes = [0; 128];
    let (mut rest, mut byte) = (classes.as_mut_slice(), 0);
    while let Some((place, others)) = rest.split_first_mut() {
        *place = classes_of(byte);
        (rest, byte) = (others, byte + 1);
    }
    classes
};

const fn classes_of(byte: u8) -> u8 {
    match byte {
        b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'*' | b'/' | b'@' => KEY | VALUE,
        b',' | b'=' => 0,
        b' '..=b'~' => VALUE,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(value: &str) -> Tracestate<'_> {
        Tracestate::parse(value.as_bytes()).unwrap_or_else(|why| panic!("{value:?}: {why:?}"))
    }

    fn written(value: &str, key: &str, with: Option<&str>) -> String {
        let mut out = b"before ".to_vec();
        parse(value).write_with(key.as_bytes(), with.map(str::as_bytes), &mut out);
        String::from_utf8(out).unwrap().strip_prefix("before ").unwrap().to_owned()
    }

    /// As it would be written by hand.
    fn list(from: usize, to: usize) -> String {
        (from..=to).map(|at| format!("k{at}={at}")).collect::<Vec<_>>().join(",")
    }

    #[test]
    fn reads_what_is_valid() {
        let (longest, value) = ("k".repeat(256), "v".repeat(256));
        let same = |value: &str| (value.to_owned(), value.to_owned());
        let table = [
            ("nothing", same("")),
            ("one", same("foo=1")),
            ("several, in their order", same("foo=1,bar=2,baz=3")),
            ("white space around", (" foo=1 \t,\tbar=2 ".into(), "foo=1,bar=2".into())),
            ("empty members", (",foo=1,, ,bar=2,".into(), "foo=1,bar=2".into())),
            ("all characters of keys", same("0az9_-*/@=1")),
            ("tenant and system", same("fw529a3039@dt=FfYTDxQBABQ")),
            ("several @", same("foo@=1,foo@@bar=2,foo@bar@baz=3")),
            ("a long system", same(&format!("t@{}=1", "v".repeat(254)))),
            ("the longest key and value", same(&format!("{longest}={value}"))),
            ("characters of values", same("foo= !\"#$%&'()*+-./09:;<>?@AZ[\\]^_`az{|}~")),
            ("spaces before a value", same("foo=  1")),
            ("32 members", same(&list(1, 32))),
            ("the first of a key", ("foo=1,bar=2,foo=3,foo=1".into(), "foo=1,bar=2".into())),
        ];
        for (name, (value, expected)) in table {
            assert_eq!(written(&value, "absent", None), expected, "{name}");
            assert_eq!(parse(&value).is_empty(), expected.is_empty(), "{name}");
        }
    }

    #[test]
    fn refuses_what_is_not() {
        use InvalidState::{Key, Member, TooLong, TooMany, Value};
        let blanks = " ".repeat(Tracestate::LONGEST);
        let table = [
            ("no sign", "foo".to_owned(), Member),
            ("no sign in the second", "foo=1,bar".to_owned(), Member),
            ("no key", "=1".to_owned(), Key),
            ("a space behind the key", "foo =1".to_owned(), Key),
            ("upper case", "FOO=1".to_owned(), Key),
            ("a dot in the key", "foo.bar=1".to_owned(), Key),
            ("@ in front", "@foo=1,bar=2".to_owned(), Key),
            ("a dash in front", "-foo=1".to_owned(), Key),
            ("a long key", format!("foo=1,{}=1", "z".repeat(257)), Key),
            ("a key beyond ASCII", "ä=1".to_owned(), Key),
            ("no value", "foo=,bar=3".to_owned(), Value),
            ("a value of spaces", "foo=  ,bar=3".to_owned(), Value),
            ("a second sign", "foo=bar=baz".to_owned(), Value),
            ("a long value", format!("foo={}", "v".repeat(257)), Value),
            ("a tab in the value", "foo=a\tb".to_owned(), Value),
            ("a control byte", "foo=a\u{1}".to_owned(), Value),
            ("a line break at the end", "foo=a\n".to_owned(), Value),
            ("a value beyond ASCII", "foo=ä".to_owned(), Value),
            ("33 members", list(1, 33), TooMany),
            ("33 members of one key", vec!["foo=1"; 33].join(","), TooMany),
            ("too much white space", format!("{blanks} "), TooLong),
        ];
        for (name, value, expected) in table {
            let why = Tracestate::parse(value.as_bytes()).unwrap_err();
            assert_eq!(why, expected, "{name}");
        }
        assert!(parse(&blanks).is_empty());
    }

    #[test]
    fn what_changes_comes_to_the_front() {
        let value = "v".repeat(257);
        let full = list(1, 32);
        let table = [
            ("added", "foo=1,bar=2", "ot", Some("th:8"), "ot=th:8,foo=1,bar=2".to_owned()),
            ("added to nothing", "", "ot", Some("th:8"), "ot=th:8".to_owned()),
            (
                "changed",
                "foo=1,ot=th:c,bar=2",
                "ot",
                Some("th:8"),
                "ot=th:8,foo=1,bar=2".to_owned(),
            ),
            ("taken away", "foo=1,ot=th:c,bar=2", "ot", None, "foo=1,bar=2".to_owned()),
            ("the only one taken away", "ot=th:c", "ot", None, String::new()),
            ("twice there", "ot=1,foo=1,ot=2", "ot", Some("3"), "ot=3,foo=1".to_owned()),
            ("added to 32", &full, "ot", Some("1"), format!("ot=1,{}", list(1, 31))),
            ("changed among 32", &full, "k32", Some("1"), format!("k32=1,{}", list(1, 31))),
            ("a value that may not stand there", "foo=1", "ot", Some("a,b"), "foo=1".to_owned()),
            ("one that is too long", "foo=1", "ot", Some(&value), "foo=1".to_owned()),
            ("a key that may not stand there", "foo=1", "O T", Some("1"), "foo=1".to_owned()),
        ];
        for (name, before, key, value, expected) in table {
            assert_eq!(written(before, key, value), expected, "{name}");
        }
    }

    #[test]
    fn values_are_found_by_their_keys() {
        let state = parse("foo=1, ot=th:8 ,foo=2,foobar=3");
        for (key, expected) in [("foo", Some("1")), ("ot", Some("th:8")), ("bar", None), ("", None)]
        {
            assert_eq!(state.value_of(key.as_bytes()), expected.map(str::as_bytes), "{key}");
        }
    }

    /// Text that is often valid and never far from it.
    fn nearly_valid() -> impl Strategy<Value = String> {
        let member = prop_oneof![
            8 => "[ \t]{0,2}[a-c0][a-c@]{0,2}= ?[x-z:]{1,3}[ \t]{0,2}",
            1 => "[ \t]{0,2}",
            1 => "[a-cA ]{0,2}=?[x=\t ]{0,2}",
        ];
        proptest::collection::vec(member, 0..40).prop_map(|members| members.join(","))
    }

    /// The same by other means: strings, a list, and no bound on the work.
    fn model(value: &str) -> Option<Vec<(String, String)>> {
        let members = value.split(',').map(|it| it.trim_matches([' ', '\t']));
        let members: Vec<_> = members.filter(|it| !it.is_empty()).collect();
        let mut read: Vec<(String, String)> = Vec::new();
        for member in &members {
            let (key, value) = member.split_once('=')?;
            let keys = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit();
            let is_key =
                key.starts_with(keys) && key.chars().all(|it| keys(it) || "_-*/@".contains(it));
            let is_value =
                !value.is_empty() && value.chars().all(|it| (' '..='~').contains(&it) && it != '=');
            if !is_key || !is_value || key.len() > 256 || value.len() > 256 {
                return None;
            }
            if !read.iter().any(|(other, _)| other == key) {
                read.push((key.to_owned(), value.to_owned()));
            }
        }
        (members.len() <= 32).then_some(read)
    }

    proptest! {
        #[test]
        fn it_reads_what_the_model_reads(value in nearly_valid()) {
            let read = Tracestate::parse(value.as_bytes()).ok().map(|state| {
                let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
                state.members().map(|(key, value)| (text(key), text(value))).collect::<Vec<_>>()
            });
            prop_assert_eq!(read, model(&value));
        }

        #[test]
        fn what_was_written_says_what_was_meant(value in nearly_valid(), key in "[ab@]{1,2}", with in proptest::option::of("[xy=, ]{1,2}")) {
            let Ok(state) = Tracestate::parse(value.as_bytes()) else { return Ok(()) };
            let mut out = Vec::new();
            state.write_with(key.as_bytes(), with.as_ref().map(String::as_bytes), &mut out);
            let out = String::from_utf8(out).unwrap();
            let is_ours = |(other, _): &(String, String)| *other == key;
            let ours = with.and_then(|with| model(&format!("{key}={with}")).filter(|it| it.len() == 1 && it[0].1 == with));
            let mut expected = ours.unwrap_or_default();
            expected.extend(model(&value).unwrap().into_iter().filter(|it| !is_ours(it)));
            expected.truncate(32);
            prop_assert_eq!(model(&out), Some(expected), "{}", out);
        }

        #[test]
        fn nothing_makes_it_panic(value in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(state) = Tracestate::parse(&value) {
                prop_assert!(state.members().count() <= 32);
            }
        }
    }
}

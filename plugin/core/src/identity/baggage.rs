//! The `baggage` header of W3C Baggage: what the app's own callers tell it.
//!
//! ```text
//! tenant=acme, plan=gold%2B;source=db
//! ^key   ^value             ^property
//! ```
//!
//! It is only read here, for the few keys that the configuration names. The header itself goes on untouched.

use crate::percent::Decoded;

/// What the standard demands that everyone passes on. More is not read.
const MOST_MEMBERS: usize = 64;
const LONGEST: usize = 8_192;

/// As long as a value in a log line.
const LONGEST_VALUE: usize = 1_024;

/// The values of these keys, as far as they are there, in the order of `wanted`: its index, and text in
/// UTF-8. Several headers are read as one.
///
/// The first member with a key counts. One that breaks the grammar is passed over, and nothing else. Values
/// are percent-decoded, with U+FFFD for what is no UTF-8 then, and cut at 1,024 bytes with `…` behind.
pub fn read_baggage<'v>(
    values: impl Iterator<Item = &'v [u8]>,
    wanted: &[String],
) -> Vec<(usize, Vec<u8>)> {
    if wanted.is_empty() {
        return Vec::new();
    }
    let mut found = vec![None; wanted.len()];
    let mut left = LONGEST;
    let members = values.flat_map(|value| elements(whole_members(value, &mut left)));
    for (key, value) in members.take(MOST_MEMBERS).filter_map(read_member) {
        let mut places = found.iter_mut().zip(wanted);
        if let Some((place, _)) = places.find(|(_, wanted)| wanted.as_bytes() == key) {
            place.get_or_insert(value);
        }
    }
    let found = found.into_iter().enumerate();
    found.filter_map(|(index, value)| Some((index, readable(value?)))).collect()
}

/// The beginning of a header's value that ends with a member, and for which there is room. Takes that room,
/// and a byte for the comma that would join another header.
fn whole_members<'v>(value: &'v [u8], left: &mut usize) -> &'v [u8] {
    let room = std::mem::replace(left, left.saturating_sub(value.len() + 1));
    // The comma may be behind the last byte that fits.
    let Some((fits, _)) = value.split_at_checked(room + 1) else { return value };
    let end = fits.iter().rposition(|&byte| byte == b',');
    end.and_then(|end| fits.get(..end)).unwrap_or_default()
}

/// Key and value, if the properties are valid too.
fn read_member(member: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut parts = member.split(|&byte| byte == b';').map(trim);
    let pair = read_pair(parts.next()?)?;
    parts.all(|it| is_token(it) || read_pair(it).is_some()).then_some(pair)
}

fn read_pair(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (key, value) = halves(text)?;
    let (key, value) = (trim(key), trim(value));
    (is_token(key) && value.iter().all(|&byte| is_of_values(byte))).then_some((key, value))
}

/// A token of RFC 9110.
fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|&byte| is_of_tokens(byte))
}

fn is_of_tokens(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Commas and semicolons have been split at.
fn is_of_values(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\')
}

/// Decoded, in UTF-8, and cut.
fn readable(value: &[u8]) -> Vec<u8> {
    let decoded: Vec<u8> = Decoded::new(value).collect();
    let text = String::from_utf8_lossy(&decoded);
    let kept = text.get(..text.floor_char_boundary(LONGEST_VALUE)).unwrap_or_default();
    let mut readable = kept.as_bytes().to_vec();
    if kept.len() < text.len() {
        readable.extend_from_slice("…".as_bytes());
    }
    readable
}

/// The elements that are not empty, without the white space around them.
fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|&byte| byte == b',').map(trim).filter(|element| !element.is_empty())
}

/// Without the spaces and tabs at both ends. Other white space is not HTTP's, and stays.
fn trim(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

/// What is before the first `=` and what is behind it.
fn halves(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|&byte| byte == b'=')?;
    let (name, rest) = text.split_at_checked(at)?;
    Some((name, rest.strip_prefix(b"=")?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(headers: &[&str], wanted: &[&str]) -> Vec<(usize, String)> {
        let wanted: Vec<_> = wanted.iter().map(|&key| key.to_owned()).collect();
        let found = read_baggage(headers.iter().map(|value| value.as_bytes()), &wanted);
        found.into_iter().map(|(at, value)| (at, String::from_utf8(value).unwrap())).collect()
    }

    /// The value of `a`.
    fn a(header: &str) -> Option<String> {
        read(&[header], &["a"]).pop().map(|(_, value)| value)
    }

    #[test]
    fn reads_what_is_valid() {
        let table = [
            ("a value", "a=1", "1"),
            ("an empty one", "a=", ""),
            ("white space around everything", "\tb = 2 , a\t= 1 \t; p = q ; r ", "1"),
            ("properties", "a=1;p;q=r;s=", "1"),
            ("signs in the value", "a=b==c=", "b==c="),
            (
                "characters of values",
                "a=!#$%25&'()*+-./:<=>?@[]^_`{|}~",
                "!#$%&'()*+-./:<=>?@[]^_`{|}~",
            ),
            ("escapes", "a=%c3%A4%20%2C%3B%22", "ä ,;\""),
            ("what is no escape", "a=%4%zz%", "%4%zz%"),
            ("no UTF-8", "a=x%ff%C3y%E2%82", "x\u{fffd}\u{fffd}y\u{fffd}"),
            ("a line break stays one", "a=x%0Ay", "x\ny"),
            ("the first counts", "b=2,a=1,a=2", "1"),
            ("a longer key is another", "aa=2,A=3,a=1", "1"),
            ("behind empty members", ",, ,a=1", "1"),
        ];
        for (name, header, expected) in table {
            assert_eq!(a(header).as_deref(), Some(expected), "{name}");
        }
    }

    #[test]
    fn passes_over_what_is_not_and_nothing_else() {
        let table = [
            ("no sign", "a"),
            ("no key", "=1"),
            ("a space in the key", "a a=1"),
            ("a space in the value", "a=1 1"),
            ("a quote", "a=\"1\""),
            ("a backslash", "a=\\1"),
            ("a control byte", "a=\u{1}"),
            ("delete", "a=\u{7f}"),
            ("beyond ASCII", "a=ä"),
            ("an empty property", "a=1;"),
            ("a property without a key", "a=1;=2"),
            ("a property with a space", "a=1;b c"),
            ("a property with a quote", "a=1;b=\"c\""),
        ];
        for (name, member) in table {
            assert_eq!(a(member), None, "{name}");
            assert_eq!(a(&format!("b=2,{member},a=3")).as_deref(), Some("3"), "{name}");
        }
    }

    #[test]
    fn answers_in_the_order_of_what_is_wanted() {
        let found = read(&["c=3,a=1", "x=9,b=2,c=4"], &["b", "none", "c", "a"]);
        assert_eq!(found, [(0, "2".to_owned()), (2, "3".to_owned()), (3, "1".to_owned())]);
        assert_eq!(read(&["a=1"], &[]), []);
        assert_eq!(read(&[], &["a"]), []);
    }

    #[test]
    fn reads_64_members() {
        let before = |count| vec!["b=2"; count].join(",");
        assert_eq!(read(&[&before(63), ",,a=1"], &["a"]), [(0, "1".to_owned())]);
        assert_eq!(read(&[&before(64), "a=1"], &["a"]), []);
    }

    #[test]
    fn reads_8192_bytes() {
        let long = "a=".len();
        let table = [
            ("the last member ends there", vec![8_192 - long - 2], Some("1")),
            ("one too many", vec![8_192 - long - 1], None),
            ("over two headers", vec![4_000, 8_192 - 4_001 - long - 2], Some("1")),
            ("over two headers, one too many", vec![4_000, 8_192 - 4_001 - long - 1], None),
            ("far too many", vec![9_000, 4], None),
        ];
        for (name, lengths, expected) in table {
            let filler = |length: usize| format!("b={}", "x".repeat(length - 2));
            let mut headers: Vec<_> = lengths.into_iter().map(filler).collect();
            let last = headers.pop().unwrap();
            for behind in ["", ",", ",c=3"] {
                let whole = [headers.clone(), vec![format!("{last},a=1{behind}")]].concat();
                let whole: Vec<_> = whole.iter().map(String::as_str).collect();
                let found = read(&whole, &["a"]).pop().map(|(_, value)| value);
                assert_eq!(found.as_deref(), expected, "{name}, then {behind:?}");
            }
        }
    }

    #[test]
    fn cuts_long_values_on_a_characters_border() {
        let kept = "x".repeat(1_023);
        let table = [
            ("at the bound", format!("{kept}y"), format!("{kept}y")),
            ("past it", format!("{kept}yz"), format!("{kept}y…")),
            ("within a character", format!("{kept}%C3%A4"), format!("{kept}…")),
            ("replaced bytes count as what they become", format!("{kept}%FF"), format!("{kept}…")),
        ];
        for (name, value, expected) in table {
            assert_eq!(a(&format!("a={value}")), Some(expected), "{name}");
        }
    }

    proptest! {
        #[test]
        fn what_was_encoded_is_read(values in proptest::collection::vec(".{0,40}", 1..8)) {
            let encode = |byte: u8| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") };
            let member = |(at, value): (usize, &String)| format!("k{at} = {};p", value.bytes().map(encode).collect::<String>());
            let headers: Vec<String> = values.iter().enumerate().map(member).collect();
            let wanted: Vec<String> = (0..values.len()).map(|at| format!("k{at}")).collect();
            let expected: Vec<_> = values.into_iter().map(String::into_bytes).enumerate().collect();
            let joined = headers.join("\t,");
            prop_assert_eq!(read_baggage([joined.as_bytes()].into_iter(), &wanted), &expected[..]);
            prop_assert_eq!(read_baggage(headers.iter().map(String::as_bytes), &wanted), expected);
        }

        #[test]
        fn nothing_makes_it_panic(value in proptest::collection::vec(any::<u8>(), 0..200)) {
            let wanted = ["a".to_owned(), String::new()];
            prop_assert!(read_baggage([&value[..], &value].into_iter(), &wanted).len() <= 1);
        }
    }
}

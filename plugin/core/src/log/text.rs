//! Text from bytes that nobody vouches for, as JSON has it between quotes.
//!
//! Whatever goes in, valid UTF-8 comes out, with no line break and nothing that a terminal or a log viewer would take
//! for a command or render as something else. Written by hand because a line is written for every request;
//! `serde_json` is what the tests compare with.

/// Whether the bytes are text that needs no escaping: nearly all that ever comes.
#[inline]
pub(super) fn is_plain(value: &[u8]) -> bool {
    let (words, rest) = value.as_chunks();
    // The last eight once more, where there are as many, so that what is left over is not looked at one by one.
    let end = match value.last_chunk() {
        Some(&last) => special(last),
        None => rest.iter().fold(0, |seen, &byte| {
            seen | special([byte, b' ', b' ', b' ', b' ', b' ', b' ', b' '])
        }),
    };
    words.iter().fold(end, |seen, &word| seen | special(word)) == 0
}

/// Eight bytes at once: not 0 where one of them needs to be escaped. Whatever is carried from one byte into the next
/// comes from one that does.
#[inline]
fn special(word: [u8; 8]) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let word = u64::from_le_bytes(word);
    let below = |bound: u8, word: u64| word.wrapping_sub(EACH * u64::from(bound));
    let is = |sign: u8| below(1, word ^ (EACH * u64::from(sign)));
    let seen = word | word.wrapping_add(EACH) | below(b' ', word) | is(b'"') | is(b'\\');
    seen & (EACH << 7)
}

/// Writes the text, escaped: at most `longest` bytes of it, up to a character's border, with `…` behind where that is
/// not all of it. Bytes that are not UTF-8 become U+FFFD; a character that an earlier cut left incomplete at the
/// end is part of what was cut.
#[inline(never)]
pub(super) fn write_escaped(value: &[u8], longest: usize, already_cut: bool, out: &mut Vec<u8>) {
    if !write_characters(value, longest, already_cut, out) {
        out.extend_from_slice("…".as_bytes());
    }
}

fn write_characters(value: &[u8], longest: usize, already_cut: bool, out: &mut Vec<u8>) -> bool {
    let mut left = longest;
    let mut chunks = value.utf8_chunks().peekable();
    while let Some(chunk) = chunks.next() {
        let severed = already_cut && chunks.peek().is_none();
        let replaced = (!chunk.invalid().is_empty() && !severed).then_some('\u{fffd}');
        for character in chunk.valid().chars().chain(replaced) {
            match left.checked_sub(character.len_utf8()) {
                Some(rest) => left = rest,
                None => return false,
            }
            write_character(character, out);
        }
    }
    !already_cut
}

fn write_character(character: char, out: &mut Vec<u8>) {
    match character {
        '"' => out.extend_from_slice(b"\\\""),
        '\\' => out.extend_from_slice(b"\\\\"),
        '\n' => out.extend_from_slice(b"\\n"),
        '\r' => out.extend_from_slice(b"\\r"),
        '\t' => out.extend_from_slice(b"\\t"),
        ' '..='~' => out.push(u8::try_from(character).unwrap_or(b'?')),
        _ if is_unsafe(character) => write_code_point(character, out),
        _ => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}

/// Characters that act instead of showing: control characters, line and paragraph separators, and those
/// that change the direction or the presence of the text around them.
pub(crate) fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// `\u` and four digits, for each half where it takes two.
fn write_code_point(character: char, out: &mut Vec<u8>) {
    for unit in character.encode_utf16(&mut [0; 2]) {
        out.extend_from_slice(b"\\u");
        for shift in [12, 8, 4, 0] {
            let digit = u32::from(*unit) >> shift & 0xf;
            let digit = char::from_digit(digit, 16).unwrap_or('0');
            out.push(u8::try_from(digit).unwrap_or(b'0'));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(value: &[u8], longest: usize) -> String {
        written(value, longest, false)
    }

    fn written(value: &[u8], longest: usize, already_cut: bool) -> String {
        let mut out = b"{\"it\":\"".to_vec();
        if !already_cut && value.len() <= longest && is_plain(value) {
            out.extend_from_slice(value);
        } else {
            write_escaped(value, longest, already_cut, &mut out);
        }
        out.extend_from_slice(b"\"}");
        String::from_utf8(out).unwrap()
    }

    fn parsed(line: &str) -> String {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        value["it"].as_str().unwrap().to_owned()
    }

    #[test]
    fn escapes_what_acts() {
        let table: [(&str, &[u8], &str); 9] = [
            ("plain", b"a/b", r#"{"it":"a/b"}"#),
            ("quotes", br#"a"b\c"#, r#"{"it":"a\"b\\c"}"#),
            ("line breaks", b"a\r\nb\tc", r#"{"it":"a\r\nb\tc"}"#),
            ("an escape sequence", b"\x1b[31m", r#"{"it":"\u001b[31m"}"#),
            ("delete", b"\x7f", r#"{"it":"\u007f"}"#),
            ("a C1 control", "\u{9b}".as_bytes(), r#"{"it":"\u009b"}"#),
            ("right to left", "a\u{202e}b".as_bytes(), r#"{"it":"a\u202eb"}"#),
            ("letters of other scripts", "héß日🙂".as_bytes(), r#"{"it":"héß日🙂"}"#),
            ("an invisible tag", "\u{e0041}".as_bytes(), r#"{"it":"\udb40\udc41"}"#),
        ];
        for (name, value, expected) in table {
            assert_eq!(text(value, 1_024), expected, "{name}");
        }
    }

    #[test]
    fn cuts_on_a_characters_border() {
        let table: [(&str, &[u8], usize, &str); 6] = [
            ("at the bound", b"abcd", 4, "abcd"),
            ("past it", b"abcde", 4, "abcd…"),
            ("within a character", "abcß".as_bytes(), 4, "abc…"),
            ("a character at the bound", "abß".as_bytes(), 4, "abß"),
            ("replaced bytes count as what they become", b"a\xff\xff", 4, "a\u{fffd}…"),
            ("nothing", b"", 4, ""),
        ];
        for (name, value, longest, expected) in table {
            assert_eq!(parsed(&text(value, longest)), expected, "{name}");
        }
    }

    #[test]
    fn a_value_cut_before_is_marked_and_shows_no_half_character() {
        assert_eq!(parsed(&written(b"abc\xc3", 1_024, true)), "abc…");
    }

    proptest! {
        #[test]
        fn what_needs_no_escaping_is_told_as_byte_by_byte(
            before in "[ -~]{0,20}", byte: u8, after in "[ -~]{0,20}",
        ) {
            let value = [before.as_bytes(), &[byte], after.as_bytes()].concat();
            let by_byte = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
            prop_assert_eq!(is_plain(&value), value.iter().all(by_byte), "{:?}", value);
        }

        #[test]
        fn any_bytes_give_one_line_that_reads_as_the_text(value in proptest::collection::vec(any::<u8>(), 0..300)) {
            let line = text(&value, 4_096);
            prop_assert!(!line.chars().any(is_unsafe), "{line:?}");
            prop_assert_eq!(parsed(&line), String::from_utf8_lossy(&value));
        }

        #[test]
        fn any_text_is_within_its_bound(value in ".{0,300}", longest in 0_usize..200) {
            let read = parsed(&text(value.as_bytes(), longest));
            if value.len() <= longest {
                prop_assert_eq!(read, value);
            } else {
                let kept = read.strip_suffix('…').unwrap();
                prop_assert!(kept.len() <= longest && kept.len() + 4 > longest && value.starts_with(kept));
            }
        }
    }
}

//! The words of a statement: bytes between blanks, parts of which may be quoted. What a word means
//! is decided elsewhere.

/// One word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// What it stands for.
    pub(super) bytes: Vec<u8>,
    /// As it was written, quotes and all.
    pub(super) written: String,
}

impl Word {
    /// Whether it is this word, and not quoted.
    pub(super) fn is(&self, plain: &str) -> bool {
        self.written == plain
    }
}

/// The words of a text, or what is wrong with it.
pub(super) fn words(text: &str) -> Result<Vec<Word>, String> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (bytes, after) = word(rest)?;
        let written = rest[..rest.len() - after.len()].to_owned();
        words.push(Word { bytes, written });
        rest = after.trim_start();
    }
    Ok(words)
}

fn word(text: &str) -> Result<(Vec<u8>, &str), String> {
    let mut bytes = Vec::new();
    let mut rest = text;
    loop {
        let end = rest.find(|letter: char| letter == '"' || letter.is_whitespace());
        let (plain, after) = rest.split_at(end.unwrap_or(rest.len()));
        bytes.extend_from_slice(plain.as_bytes());
        match after.strip_prefix('"') {
            Some(quoted) => rest = unquote(quoted, &mut bytes)?,
            None => return Ok((bytes, after)),
        }
    }
}

/// Reads up to the closing quote, and says what comes after it.
fn unquote<'a>(quoted: &'a str, bytes: &mut Vec<u8>) -> Result<&'a str, String> {
    let mut rest = quoted;
    loop {
        let end = rest
            .find(['"', '\\'])
            .ok_or_else(|| format!("the quote before `{quoted}` is not closed"))?;
        let (plain, after) = rest.split_at(end);
        bytes.extend_from_slice(plain.as_bytes());
        match after.strip_prefix('\\') {
            Some(escape) => rest = unescape(escape, bytes)?,
            None => return Ok(&after[1..]),
        }
    }
}

fn unescape<'a>(escape: &'a str, bytes: &mut Vec<u8>) -> Result<&'a str, String> {
    let (byte, length) = match escape.as_bytes() {
        [b'n', ..] => (Some(b'\n'), 1),
        [byte @ (b'"' | b'\\'), ..] => (Some(*byte), 1),
        [b'x', ..] => (escape.get(1..3).and_then(hex), 3),
        _ => (None, 0),
    };
    let byte = byte.ok_or_else(|| {
        let shown: String = escape.chars().take(3).collect();
        format!("`\\{shown}` is no escape (known: \\xHH, \\n, \\\", \\\\)")
    })?;
    bytes.push(byte);
    Ok(&escape[length..])
}

fn hex(digits: &str) -> Option<u8> {
    let all_are_digits = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    all_are_digits.then(|| u8::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_between_blanks_unless_quoted() {
        let none: &[&[u8]] = &[];
        for (text, expected) in [
            ("", none),
            ("  ", none),
            ("get request  x-a", &[b"get", b"request", b"x-a"]),
            (r#"log info "two words""#, &[b"log", b"info", b"two words"]),
            (r#"a="b c"d """#, &[b"a=b cd", b""]),
            (r#""\x00\xff\n\"\\" \x00"#, &[b"\x00\xff\n\"\\", b"\\x00"]),
            ("ä \"ö\"", &["ä".as_bytes(), "ö".as_bytes()]),
        ] {
            let words = words(text).unwrap();
            let bytes: Vec<&[u8]> = words.iter().map(|word| word.bytes.as_slice()).collect();
            assert_eq!(bytes, expected, "{text}");
        }
    }

    #[test]
    fn a_quoted_word_is_not_the_plain_one() {
        let words = words(r#"-- "--""#).unwrap();
        assert_eq!(words.iter().map(|word| word.is("--")).collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn what_is_wrong_is_shown() {
        for (text, expected) in [
            (r#"log "abc"#, "the quote before `abc` is not closed"),
            (r#"log "a\qbc""#, r#"`\qbc` is no escape (known: \xHH, \n, \", \\)"#),
            (r#"log "\xg0""#, r#"`\xg0` is no escape (known: \xHH, \n, \", \\)"#),
            (r#"log "\x+1""#, r#"`\x+1` is no escape (known: \xHH, \n, \", \\)"#),
            (r#"log "\xé""#, r#"`\xé"` is no escape (known: \xHH, \n, \", \\)"#),
        ] {
            assert_eq!(words(text).unwrap_err(), expected, "{text}");
        }
    }
}

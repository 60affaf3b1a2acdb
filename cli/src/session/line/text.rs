//! Text from anywhere, made safe for a terminal, and measured.

/// The text with everything escaped that would act on a terminal or deceive its reader: control characters,
/// and those that turn the direction of writing, take no room, or break lines.
pub(super) fn safe(text: &str) -> String {
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return text.to_owned();
    }
    text.chars().fold(String::with_capacity(text.len()), |mut safe, letter| {
        if is_harmful(letter) {
            safe.extend(letter.escape_default());
        } else {
            safe.push(letter);
        }
        safe
    })
}

fn is_harmful(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// How many columns it takes at most: what is not of ASCII may take two.
pub(super) fn width(text: &str) -> usize {
    text.chars().map(columns).sum()
}

fn columns(letter: char) -> usize {
    if letter.is_ascii() || letter == '…' { 1 } else { 2 }
}

/// What of it fits into so many columns, with `…` where something is missing.
pub(super) fn cut(text: &str, most: usize) -> String {
    if width(text) <= most {
        return text.to_owned();
    }
    let mut left = most.saturating_sub(1);
    let fits = text.chars().take_while(|&letter| {
        let fits = columns(letter) <= left;
        left = left.saturating_sub(columns(letter));
        fits
    });
    let mut cut: String = fits.collect();
    if most > 0 {
        cut.push('…');
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_acts_on_the_terminal() {
        for (text, expected) in [
            ("/users/{id}", "/users/{id}"),
            ("/Küche/喫茶", "/Küche/喫茶"),
            ("\x1b[2Ja", "\\u{1b}[2Ja"),
            ("a\r\nb\tc", "a\\r\\nb\\tc"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("a\u{202e}cba", "a\\u{202e}cba"),
            ("\u{2066}\u{200b}\u{feff}", "\\u{2066}\\u{200b}\\u{feff}"),
            ("\u{7f}", "\\u{7f}"),
        ] {
            assert_eq!(safe(text), expected);
        }
    }

    #[test]
    fn a_cut_says_so_and_fits() {
        for (text, most, expected) in [
            ("abc", 3, "abc"),
            ("abcd", 3, "ab…"),
            ("abc", 1, "…"),
            ("abc", 0, ""),
            ("喫茶店", 5, "喫茶…"),
            ("喫茶店", 4, "喫…"),
            ("", 0, ""),
        ] {
            assert_eq!(cut(text, most), expected);
            assert!(width(expected) <= most);
        }
    }
}

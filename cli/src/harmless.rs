//! Text from anywhere, made safe for a terminal and for one line of a file.
//!
//! What it says stays readable; only what would act on a terminal or deceive its reader is escaped.

/// The text with every harmful character escaped.
pub(crate) fn harmless(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_harmful(letter) {
            safe.extend(letter.escape_default());
        } else {
            safe.push(letter);
        }
    }
    safe
}

/// Control characters, and those that turn the direction of writing, take no room, or break lines.
pub(crate) fn is_harmful(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e0fff}'
        )
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
            assert_eq!(harmless(text), expected);
        }
    }
}

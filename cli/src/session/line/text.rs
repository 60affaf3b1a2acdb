//! Text in a terminal, measured.

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

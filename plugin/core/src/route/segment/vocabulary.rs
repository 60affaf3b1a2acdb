//! Words with digits or signs in them that people know as words.
//!
//! Short on purpose: most words with digits stay by rule. Here is only what the rules would take for an
//! identifier.

/// Words that no rule would keep, in lower case and in order.
const WORDS: [&[u8]; 26] = [
    b"24-7",
    b"24x7",
    b"3ds1",
    b"3ds2",
    b"401k",
    b"404.html",
    b"500.html",
    b"500px",
    b"50x.html",
    b"7x24",
    b"9to5",
    b"b2b2c",
    b"curve25519",
    b"ed25519",
    b"face2face",
    b"i386",
    b"i486",
    b"i586",
    b"i686",
    b"m3u8",
    b"secp256k1",
    b"utf8mb3",
    b"utf8mb4",
    b"x25519",
    b"x86-64",
    b"x86_64",
];

/// Words that are usually followed by a number and mean one thing with it, in lower case and in order.
const NUMBERED: [&[u8]; 52] = [
    b"aes",
    b"angular",
    b"base",
    b"bootstrap",
    b"covid",
    b"cp",
    b"crc",
    b"css",
    b"drupal",
    b"ecma",
    b"en",
    b"es",
    b"formula",
    b"gpt",
    b"hl",
    b"hs",
    b"html",
    b"http",
    b"ie",
    b"ieee",
    b"ios",
    b"ipv",
    b"iso",
    b"jquery",
    b"latin",
    b"llama",
    b"md",
    b"mp",
    b"mpeg",
    b"murmur",
    b"oauth",
    b"office",
    b"openapi",
    b"php",
    b"python",
    b"react",
    b"rfc",
    b"rs",
    b"rsa",
    b"saml",
    b"schema",
    b"sha",
    b"tls",
    b"top",
    b"ucs",
    b"utf",
    b"vue",
    b"win",
    b"windows",
    b"xhtml",
    b"xml",
    b"xxh",
];

/// Numbers of three and four digits that are sizes, dimensions or codes rather than counts.
const SIZES: [&[u8]; 29] = [
    b"101", b"1024", b"1080", b"128", b"1440", b"160", b"192", b"2048", b"2160", b"224", b"240",
    b"256", b"264", b"265", b"320", b"360", b"365", b"384", b"404", b"4096", b"448", b"480",
    b"500", b"509", b"512", b"519", b"521", b"720", b"768",
];

/// What may follow a number in one word with it, `24h`, or behind a dash, `30-day`.
const UNITS: [&[u8]; 48] = [
    b"am", b"bit", b"cm", b"col", b"d", b"day", b"days", b"factor", b"fps", b"g", b"gb", b"h",
    b"hour", b"hours", b"hr", b"hrs", b"hz", b"k", b"kb", b"kg", b"km", b"m", b"mb", b"mg", b"min",
    b"mins", b"ml", b"mm", b"month", b"months", b"ms", b"nd", b"p", b"pm", b"px", b"rd", b"s",
    b"sec", b"st", b"step", b"tb", b"th", b"w", b"way", b"week", b"weeks", b"x", b"xx",
];

/// Whether the whole segment is a word of the list.
pub(super) fn is_known(segment: &[u8]) -> bool {
    contains(&WORDS, segment)
}

/// Whether this number behind this word belongs to it. Standards of ISO have the longest.
pub(super) fn owns_number(word: &[u8], digits: &[u8]) -> bool {
    let most = if word.eq_ignore_ascii_case(b"iso") { 5 } else { 4 };
    digits.len() <= most && contains(&NUMBERED, word)
}

/// Whether this number is a size and no count.
pub(super) fn is_size(digits: &[u8]) -> bool {
    SIZES.binary_search(&digits).is_ok()
}

/// Whether this can follow a number.
pub(super) fn is_unit(word: &[u8]) -> bool {
    contains(&UNITS, word)
}

/// Operations that some interfaces spell with a sign: `$batch`, `$everything`, `@me`.
pub(super) fn is_operation(segment: &[u8]) -> bool {
    match segment.split_first() {
        Some((b'$', name)) => {
            name.len() > 1 && name.iter().all(|&byte| byte.is_ascii_alphabetic() || byte == b'-')
        }
        Some((b'@', name)) => {
            matches!(name, b"me" | b"self" | b"all" | b"current" | b"default" | b"original")
        }
        _ => false,
    }
}

fn contains(sorted: &[&[u8]], word: &[u8]) -> bool {
    let lower = |byte: &u8| byte.to_ascii_lowercase();
    sorted.binary_search_by(|known| known.iter().copied().cmp(word.iter().map(lower))).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_in_order() {
        for list in [&WORDS[..], &NUMBERED, &SIZES, &UNITS] {
            assert!(
                list.is_sorted(),
                "{:?}",
                list.iter().map(|word| word.escape_ascii().to_string()).collect::<Vec<_>>()
            );
        }
    }
}

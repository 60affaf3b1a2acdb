//! Finds the first secret in a text that a client or an app wrote: the value of a parameter with a secret
//! name, or the name and password of a URL. What becomes of it is up to the caller.
//!
//! A text can be one URL in another's query, and then is encoded again. So it is read as it stands, and as it
//! is after each of a few decodings. Every pass is linear, and there is a bound on passes.

use crate::config::Text;
use crate::percent::Decoded;

/// How often a text is decoded: once by the app, once more for a URL in a parameter, and once for a URL in
/// that URL's parameter.
const DECODINGS: usize = 3;

/// Names of parameters whose values are secret.
#[derive(Clone, Debug)]
pub(super) struct Names(Vec<Vec<u8>>);

/// A text that was decoded, and from where in the original each byte of it is.
#[derive(Default)]
struct View {
    bytes: Vec<u8>,
    from: Vec<usize>,
}

impl Names {
    pub(super) fn new(names: &[Text]) -> Self {
        Self(names.iter().map(|name| name.as_str().as_bytes().to_vec()).collect())
    }

    /// Where the first secret begins, as the text stands or after decoding.
    pub(super) fn first_secret(&self, text: &[u8]) -> Option<usize> {
        let mut first = self.first_plain(text);
        let mut view = View::default();
        for number in 0..DECODINGS {
            let encoded = if number == 0 { text } else { &view.bytes };
            if !encoded.contains(&b'%') {
                break;
            }
            view = view.decode(encoded);
            if let Some(found) = self.first_plain(&view.bytes) {
                let at = view.from.get(found).map_or(text.len(), |from| *from);
                first = Some(first.map_or(at, |first| first.min(at)));
            }
        }
        first
    }

    /// Whether an app would read this as a parameter with a secret name. So is `user[token]`, and `token[]` or
    /// `token[0]`: to PHP, Rails and libraries for Python it is a part of `user`, or an entry of `token`.
    pub(super) fn has(&self, name: &[u8]) -> bool {
        name.split(|&byte| byte == b'[').any(|part| self.end(part))
    }

    /// Where the first secret begins, without decoding.
    fn first_plain(&self, text: &[u8]) -> Option<usize> {
        match (userinfo(text), self.parameter(text)) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        }
    }

    /// Where the value of the first parameter with a secret name begins.
    fn parameter(&self, text: &[u8]) -> Option<usize> {
        let mut begin = 0;
        for name in text.split(|&byte| byte == b'=') {
            let end = begin + name.len();
            if end < text.len() && self.has(name) {
                return Some(end + 1);
            }
            begin = end + 1;
        }
        None
    }

    /// Whether the text ends with a secret name that is not the rest of a longer one. What is around it,
    /// as blanks, quotes, the `?` of a URL or the `user.` of a form's fields, is not part of the name.
    fn end(&self, mut text: &[u8]) -> bool {
        while let Some((&last, rest)) = text.split_last()
            && (last <= b' ' || b"+]\"'".contains(&last))
        {
            text = rest;
        }
        self.0.iter().any(|secret| {
            let Some(at) = text.len().checked_sub(secret.len()) else { return false };
            let Some((before, name)) = text.split_at_checked(at) else { return false };
            is_same(name, secret) && before.last().is_none_or(|&byte| !is_of_names(byte))
        })
    }
}

impl View {
    /// The same after one more decoding. `encoded` is its bytes, or the original at first.
    fn decode(&self, encoded: &[u8]) -> Self {
        let (bytes, from) = (Vec::with_capacity(encoded.len()), Vec::with_capacity(encoded.len()));
        let mut decoded = Self { bytes, from };
        let mut rest = Decoded::new(encoded);
        loop {
            let at = encoded.len() - rest.left();
            let Some(byte) = rest.next() else { return decoded };
            decoded.bytes.push(byte);
            decoded.from.push(self.from.get(at).map_or(at, |from| *from));
        }
    }
}

/// Whether it is worth to look: a secret has a `=` or a `@` somewhere, perhaps encoded. An escape can hide one
/// if it is of these signs (`%3D`, `%40`), of `%` itself, or of a digit of such an escape.
pub(super) fn may_hold(text: &[u8]) -> bool {
    let mut rest = text;
    while let Some((&byte, behind)) = rest.split_first() {
        let hides = match byte {
            b'=' | b'@' => true,
            b'%' => matches!(behind, [b'3' | b'4' | b'%', ..] | [b'2', b'5', ..]),
            _ => false,
        };
        if hides {
            return true;
        }
        rest = behind;
    }
    false
}

/// Before the first of these bytes, and from it on.
pub(super) fn split_at_any<'a>(text: &'a [u8], ends: &[u8]) -> (&'a [u8], &'a [u8]) {
    let end = text.iter().position(|byte| ends.contains(byte)).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or_default()
}

/// Where the name and password of the first URL that has one begin. A name alone can be a token, so it counts.
fn userinfo(text: &[u8]) -> Option<usize> {
    let mut begin = 0;
    for before in text.split(|&byte| byte == b'@') {
        let end = begin + before.len();
        if end < text.len() {
            let ends = before.iter().rposition(|byte| b"/\\?# \t\"<>".contains(byte));
            if let Some((head, _)) = ends.and_then(|at| before.split_at_checked(at + 1))
                && leads_to_host(head)
            {
                return Some(begin + head.len());
            }
        }
        begin = end + 1;
    }
    None
}

/// Whether it ends with the slashes in front of a URL's host: behind a scheme, of which proxies leave only one
/// where they tidy paths up, or two of them where a value begins. Browsers take `\` for `/`.
fn leads_to_host(text: &[u8]) -> bool {
    let mut before = text;
    while let Some((b'/' | b'\\', rest)) = before.split_last() {
        before = rest;
    }
    match (text.len() - before.len(), before.last()) {
        (0, _) => false,
        (_, Some(b':')) => true,
        (slashes, last) => slashes > 1 && last.is_none_or(|&byte| !is_of_names(byte)),
    }
}

/// Whether two names are the same to an app: in any case, and with `+` for a blank.
fn is_same(name: &[u8], secret: &[u8]) -> bool {
    let same = |(one, other): (&u8, &u8)| {
        one.eq_ignore_ascii_case(other) || (*one == b'+' && *other == b' ')
    };
    name.len() == secret.len() && name.iter().zip(secret).all(same)
}

/// Whether a name goes on with this byte, in front of one that would be secret by itself.
fn is_of_names(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || !byte.is_ascii() || b"-_~$%".contains(&byte)
}

//! The methods in front of a template, `GET,POST /x`, as a set.

use std::ops::Range;

use super::error::{TemplateError, TemplateErrorKind};
use crate::Method;
use crate::nearest;

/// The methods that a template is for. The empty set, of which most are, means any method at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Methods(u16);

/// All that can be named, as slips of the hand are compared with them. What a client makes up is `_OTHER`,
/// and no template is for that alone.
const NAMES: [&str; 10] =
    ["connect", "delete", "get", "head", "options", "patch", "post", "put", "query", "trace"];

impl Methods {
    /// Whether any method at all is among them.
    pub fn is_any(self) -> bool {
        self.0 == 0
    }

    /// Whether a request with this method is among them. Who answers GET answers HEAD: the frameworks
    /// see to that by themselves.
    #[inline]
    pub fn takes(self, method: Method) -> bool {
        let implied = if method == Method::Head { bit(Method::Get) } else { 0 };
        self.0 == 0 || self.0 & (bit(method) | implied) != 0
    }

    /// Whether HEAD is among them only because GET is.
    pub fn implies_head(self) -> bool {
        self.0 & bit(Method::Get) != 0 && self.0 & bit(Method::Head) == 0
    }

    /// Whether some method is named in both. HEAD and OPTIONS count only where there are no others: the
    /// frameworks add them to every route.
    pub fn meets(self, other: Self) -> bool {
        self.0 == 0 || other.0 == 0 || self.main() & other.main() != 0
    }

    fn main(self) -> u16 {
        let main = self.0 & !(bit(Method::Head) | bit(Method::Options));
        if main == 0 { self.0 } else { main }
    }

    /// Whether every method of the other is among these.
    pub fn covers(self, other: Self) -> bool {
        let implied = if self.implies_head() { bit(Method::Head) } else { 0 };
        self.0 == 0 || (other.0 != 0 && other.0 & !(self.0 | implied) == 0)
    }

    /// The same with one more.
    fn with(self, method: Method) -> Self {
        Self(self.0 | bit(method))
    }
}

/// Reads the methods at the beginning. Returns them and where the path begins.
///
/// Words with a blank behind them are methods, whatever they say: a path holds no blank.
pub(super) fn split(text: &str) -> Result<(Methods, usize), TemplateError> {
    let mut words = Vec::new();
    let mut at = blanks(text, 0);
    loop {
        let end = at + length(text, at, |c| c.is_ascii_alphabetic() || c == '_' || c == '-');
        words.push(at..end);
        let behind = blanks(text, end);
        if text.get(behind..).is_some_and(|rest| rest.starts_with(',')) && end > at {
            at = blanks(text, behind + 1);
            continue;
        }
        let all_known = words.iter().all(|word| named(text, word).is_some());
        let is_followed = behind > end && behind < text.len();
        let are_methods = end > at && (is_followed || (all_known && behind == text.len()));
        if !are_methods {
            return Ok((Methods::default(), blanks(text, 0)));
        }
        return Ok((set(text, &words)?, behind));
    }
}

/// The set of the methods that stand at these places.
fn set(text: &str, words: &[Range<usize>]) -> Result<Methods, TemplateError> {
    words.iter().try_fold(Methods::default(), |methods, word| match named(text, word) {
        Some(method) => Ok(methods.with(method)),
        None => {
            let said = text.get(word.clone()).unwrap_or_default();
            let meant = nearest(said, &NAMES)
                .map(|meant| Method::from_bytes(meant.to_ascii_uppercase().as_bytes()).as_str());
            let kind = TemplateErrorKind::UnknownMethod(said.to_owned());
            Err(TemplateError { span: word.clone(), kind, nearest: meant })
        }
    })
}

/// The method at this place, if there is one.
fn named(text: &str, word: &Range<usize>) -> Option<Method> {
    let method = Method::from_bytes(text.get(word.clone())?.as_bytes());
    (method != Method::Other).then_some(method)
}

/// Where the blanks that begin at this place end.
fn blanks(text: &str, at: usize) -> usize {
    at + length(text, at, char::is_whitespace)
}

/// How many bytes from this place on hold.
fn length(text: &str, at: usize, holds: impl Fn(char) -> bool) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    rest.len() - rest.trim_start_matches(holds).len()
}

fn bit(method: Method) -> u16 {
    1 << method as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    fn methods(list: &[Method]) -> Methods {
        list.iter().fold(Methods::default(), |methods, &method| methods.with(method))
    }

    #[test]
    fn methods_stand_in_front_and_are_told_from_the_path_by_the_blank() {
        let table: [(&str, &[Method], &str); 11] = [
            ("/x", &[], "/x"),
            ("users/", &[], "users/"),
            ("users", &[], "users"),
            ("GET /x", &[Method::Get], "/x"),
            ("  GET   /x", &[Method::Get], "/x"),
            ("POST users/", &[Method::Post], "users/"),
            ("GET,POST /x", &[Method::Get, Method::Post], "/x"),
            ("GET, POST /x", &[Method::Get, Method::Post], "/x"),
            ("PUT ,PATCH,PUT\t/x", &[Method::Put, Method::Patch], "/x"),
            ("GET", &[Method::Get], ""),
            ("/a, b", &[], "/a, b"),
        ];
        for (text, expected, path) in table {
            let (found, at) = split(text).unwrap();
            assert_eq!((found, text.get(at..).unwrap()), (methods(expected), path), "{text:?}");
        }
    }

    #[test]
    fn a_word_that_is_no_method_is_refused_with_the_one_meant() {
        let table = [
            ("get /x", 0..3, Some("GET")),
            ("GET,Post /x", 4..8, Some("POST")),
            ("DELTE /x", 0..5, Some("DELETE")),
            ("BREW /x", 0..4, None),
        ];
        for (text, span, meant) in table {
            let error = split(text).unwrap_err();
            assert_eq!((error.span, error.nearest), (span, meant), "{text:?}");
        }
    }

    #[test]
    fn get_takes_head_and_no_method_means_any() {
        let any = Methods::default();
        let get = methods(&[Method::Get]);
        let head = methods(&[Method::Head]);
        let post = methods(&[Method::Post]);
        assert!(any.takes(Method::Other) && any.takes(Method::Get));
        assert!(get.takes(Method::Head) && !get.takes(Method::Post) && !get.takes(Method::Other));
        assert!(!head.takes(Method::Get));
        assert!(any.meets(post) && post.meets(any) && !get.meets(head) && !get.meets(post));
        assert!(any.covers(get) && !get.covers(any) && any.covers(any));
        assert!(get.covers(head) && !head.covers(get) && get.covers(get));
    }
}

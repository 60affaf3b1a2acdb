//! Lines of names and values: `method=GET path=/users/1 status=200`.

use std::borrow::Cow;

use super::entry::{Entry, Found, is_method, status};

/// The request of such a line.
pub(super) fn entry(line: &str) -> Option<Entry<'_>> {
    let (mut method, mut target, mut status_said) = (None, None, None);
    let (mut found, mut flagged) = (Found::Unsaid, false);
    for (name, value) in Pairs(line) {
        match name {
            "method" => method = Some(value),
            "path" | "uri" => target = Some(value),
            "status" => status_said = status(&value),
            "route_source" => found = Found::of(&value),
            "flags" => flagged = true,
            _ => {}
        }
    }
    let method = method.filter(|method| is_method(method))?;
    Some(Entry { method, target: target?, status: status_said, found, flagged })
}

/// What is left of a line.
struct Pairs<'a>(&'a str);

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a str, Cow<'a, str>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let text = self.0.trim_start();
            let end = text.find(['=', ' '])?;
            let (name, rest) = (&text[..end], &text[end + 1..]);
            if text.as_bytes().get(end) == Some(&b' ') {
                self.0 = rest;
                continue;
            }
            let (value, rest) = match rest.strip_prefix('"') {
                Some(quoted) => unquoted(quoted),
                None => {
                    let (value, rest) = rest.split_at(rest.find(' ').unwrap_or(rest.len()));
                    (value.into(), rest)
                }
            };
            self.0 = rest;
            return Some((name, value));
        }
    }
}

/// What is within quotes, and what stands behind them.
fn unquoted(text: &str) -> (Cow<'_, str>, &str) {
    let Some(end) = text.find(['"', '\\']) else { return (text.into(), "") };
    if text.as_bytes().get(end) == Some(&b'"') {
        return (text[..end].into(), &text[end + 1..]);
    }
    let mut value = String::new();
    let mut chars = text.chars();
    loop {
        match chars.next() {
            None | Some('"') => return (value.into(), chars.as_str()),
            Some('\\') => value.extend(chars.next()),
            Some(other) => value.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_read() {
        for (name, line, expected) in [
            (
                "ours",
                r#"timestamp=2027-01-15T08:00:00.123456Z level=info event=http_request service=shop method=GET path=/users/7 query="token=REDACTED&a=b" route=/users/{int} route_source=typed status=200 user_agent="curl/8 \"x\" path=/no""#,
                Some(("GET", "/users/7", Some(200), Found::Exists)),
            ),
            (
                "a path in quotes",
                r#"at=info method=PUT path="/a b\"c" host=h status=404"#,
                Some(("PUT", "/a b\"c", Some(404), Found::Unsaid)),
            ),
            ("no status", "method=GET path=/a", Some(("GET", "/a", None, Found::Unsaid))),
            (
                "words between",
                "hello method=GET big world path=/a",
                Some(("GET", "/a", None, Found::Unsaid)),
            ),
            ("an open quote", "method=GET path=\"/a", Some(("GET", "/a", None, Found::Unsaid))),
            ("no path", "method=GET status=200", None),
            ("no method", "method=get path=/a", None),
            ("nothing", "", None),
            ("signs", "= == =a \"=\\", None),
        ] {
            let read = entry(line);
            let read = read.as_ref().map(|it| (&*it.method, &*it.target, it.status, it.found));
            assert_eq!(read, expected, "{name}");
        }
    }
}

//! Labels between their braces: names that Prometheus takes, values as they are.

use super::put;

/// The labels of a family, as each of its points is to show them.
#[derive(Debug)]
pub(super) struct Labels(Vec<Label>);

#[derive(Debug)]
struct Label {
    name: String,
    /// Which values it shows, in the order of their keys. Invariant: not empty.
    values: Vec<usize>,
}

impl Labels {
    /// The labels for these keys. Keys that come to the same name share a label, in alphabetical order.
    pub(super) fn new(keys: &[&str]) -> Self {
        let mut labels: Vec<Label> = Vec::with_capacity(keys.len());
        for (index, key) in keys.iter().enumerate() {
            let name = named(key);
            match labels.iter_mut().find(|label| label.name == name) {
                Some(label) => label.add(index, keys),
                None => labels.push(Label { name, values: vec![index] }),
            }
        }
        Self(labels)
    }

    /// Writes `name="value",name="value"`. What is empty is not there.
    pub(super) fn write(&self, values: &[&str], out: &mut Vec<u8>) {
        let start = out.len();
        for label in &self.0 {
            let values = label.values.iter().filter_map(|&index| values.get(index));
            let mut values = values.filter(|value| !value.is_empty());
            let Some(first) = values.next() else { continue };
            let comma: &[u8] = if out.len() > start { b"," } else { b"" };
            put(&[comma, label.name.as_bytes(), b"=\""], out);
            write_escaped(first, QUOTE, out);
            for value in values {
                out.push(b';');
                write_escaped(value, QUOTE, out);
            }
            out.push(b'"');
        }
    }

    /// How long the names are, together and with what stands around them.
    pub(super) fn len(&self) -> usize {
        self.0.iter().map(|label| label.name.len() + r#"="","#.len()).sum()
    }
}

impl Label {
    /// Shows one more value, where its key belongs.
    fn add(&mut self, index: usize, keys: &[&str]) {
        let key = keys.get(index);
        let before = self.values.iter().take_while(|other| keys.get(**other) < key).count();
        let (before, behind) = self.values.split_at_checked(before).unwrap_or_default();
        self.values = [before, &[index], behind].concat();
    }
}

/// A quote where there are quotes around.
const QUOTE: &str = "\\\"";

/// Writes a text, and for each quote in it what is given. All else but a line's end is legal as it is, control
/// characters too.
pub(super) fn write_escaped(text: &str, quote: &str, out: &mut Vec<u8>) {
    for byte in text.bytes() {
        match byte {
            b'\n' => put(&[b"\\n"], out),
            b'"' => put(&[quote.as_bytes()], out),
            b'\\' => put(&[b"\\\\"], out),
            _ => out.push(byte),
        }
    }
}

/// A key as a label's name: `key_` stands before a digit, and before names that mean something to Prometheus.
fn named(key: &str) -> String {
    let is_legal = |character: &char| character.is_ascii_alphanumeric() || *character == '_';
    let name = key.chars().map(|it| Some(it).filter(is_legal).unwrap_or('_'));
    let name: String = name.collect();
    let is_taken = name.is_empty() || name.starts_with("__") || name == "le";
    if is_taken || name.starts_with(|first: char| first.is_ascii_digit()) {
        "key_".to_owned() + &name
    } else {
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(pairs: &[(&str, &str)]) -> String {
        let (keys, values): (Vec<_>, Vec<_>) = pairs.iter().copied().unzip();
        let mut out = Vec::new();
        Labels::new(&keys).write(&values, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn keys_become_names_that_prometheus_takes() {
        for (key, name) in [
            ("http.request.method", "http_request_method"),
            ("already_one", "already_one"),
            ("k8s.pod-name", "k8s_pod_name"),
            ("_private", "_private"),
            (".hidden", "_hidden"),
            ("2xx", "key_2xx"),
            ("größe", "gr__e"),
            ("a:b", "a_b"),
            ("__name__", "key___name__"),
            ("le", "key_le"),
            ("", "key_"),
        ] {
            assert_eq!(written(&[(key, "x")]), name.to_owned() + "=\"x\"", "{key:?}");
        }
    }

    #[test]
    fn what_is_empty_is_not_there() {
        assert_eq!(written(&[("a", ""), ("b", "2"), ("c", ""), ("d", "4")]), r#"b="2",d="4""#);
        assert_eq!(written(&[("a", "")]), "");
        assert_eq!(written(&[]), "");
    }

    #[test]
    fn keys_of_one_name_share_a_label_in_alphabetical_order() {
        let pairs = [("a_b", "3"), ("z", "4"), ("a-b", "1"), ("a.b", "2"), ("a b", "0")];
        assert_eq!(written(&pairs), r#"a_b="0;1;2;3",z="4""#);
        assert_eq!(written(&[("a_b", "3"), ("a.b", "")]), r#"a_b="3""#);
        assert_eq!(written(&[("a_b", ""), ("a.b", "2")]), r#"a_b="2""#);
    }

    #[test]
    fn three_characters_are_escaped() {
        assert_eq!(
            written(&[("a", "\\ \" \n \r \t \0 \u{7f} é")]),
            "a=\"\\\\ \\\" \\n \r \t \0 \u{7f} é\""
        );
    }
}

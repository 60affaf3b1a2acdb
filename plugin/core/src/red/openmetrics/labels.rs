//! Labels between their braces: names that Prometheus takes, values as they are.

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
                Some(label) => {
                    let is_before = |other: &usize| keys.get(*other) < Some(key);
                    let (before, behind): (Vec<_>, Vec<_>) =
                        label.values.iter().partition(|it| is_before(it));
                    label.values = before.into_iter().chain([index]).chain(behind).collect();
                }
                None => labels.push(Label { name, values: vec![index] }),
            }
        }
        Self(labels)
    }

    /// Writes `name="value",name="value"`. What is empty is not there.
    pub(super) fn write(&self, values: &[&str], out: &mut Vec<u8>) {
        let start = out.len();
        for label in &self.0 {
            let mut values = label.values.iter().filter_map(|&index| values.get(index));
            let mut values = values.by_ref().filter(|value| !value.is_empty());
            let Some(first) = values.next() else { continue };
            if out.len() > start {
                out.push(b',');
            }
            out.extend_from_slice(label.name.as_bytes());
            out.extend_from_slice(b"=\"");
            write_escaped(first, out);
            for value in values {
                out.push(b';');
                write_escaped(value, out);
            }
            out.push(b'"');
        }
    }

    /// How long the names are, together and with what stands around them.
    pub(super) fn len(&self) -> usize {
        self.0.iter().map(|label| label.name.len() + r#"="","#.len()).sum()
    }
}

/// Writes a text for between quotes. All else is legal as it is, control characters too.
pub(super) fn write_escaped(text: &str, out: &mut Vec<u8>) {
    for &byte in text.as_bytes() {
        match byte {
            b'\n' => out.extend_from_slice(b"\\n"),
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
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

//! YAML as text: what keeps comments where they are, which no tree does.

/// A text in which places are found by what stands there.
pub(super) struct Text(String);

impl Text {
    pub(super) fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Puts something else where exactly this stands. The text is our template, so a mark that is
    /// missing is a mistake of ours, and each has a test.
    pub(super) fn put(mut self, place: &str, instead: &str) -> Self {
        assert_eq!(self.0.matches(place).count(), 1, "envoy/bootstrap.yaml has one `{place}`");
        self.0 = self.0.replacen(place, instead, 1);
        self
    }

    /// Adds to its end.
    pub(super) fn then(mut self, text: &str) -> Self {
        self.0.push_str(text);
        self
    }

    pub(super) fn into_string(self) -> String {
        self.0
    }
}

/// The lines, each so many blanks further in. Empty ones stay empty.
pub(super) fn indent(text: &str, by: usize) -> String {
    let blanks = " ".repeat(by);
    let line = |line: &str| match line.trim_end_matches('\r') {
        "" => "\n".to_owned(),
        line => format!("{blanks}{line}\n"),
    };
    text.split_terminator('\n').map(line).collect()
}

/// A text as one YAML scalar: plain where nobody could take it for anything else.
pub(super) fn scalar(text: &str) -> String {
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || "/._-".contains(letter);
    let begins = text.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '/');
    let is_address = text.parse::<std::net::Ipv4Addr>().is_ok();
    let is_word = begins && text.chars().all(is_letter) && !is_word_of_yaml(text);
    if is_word || is_address { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}

/// Whether some version of YAML takes a plain word for true, false or nothing.
fn is_word_of_yaml(word: &str) -> bool {
    let words = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
    words.iter().any(|known| known.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn a_scalar_reads_as_the_text_it_was() {
        for text in [
            "a",
            "/etc/envoy/sightline.wasm",
            "127.0.0.1",
            "::1",
            "",
            "no",
            "NULL",
            "1",
            "1.5",
            "a b",
            "a: b",
            "a #b",
            "\"",
            "\\",
            "ä",
            "[a]",
            "{a}",
            "-",
            "outbound|4317||a.svc",
            "~",
            "*a",
            "&a",
            "!a",
            "%a",
            "a,b",
        ] {
            let yaml = format!("{{ a: {} }}", scalar(text));
            let read: Value =
                serde_saphyr::from_str(&yaml).unwrap_or_else(|error| panic!("{yaml}: {error}"));
            assert_eq!(read["a"], text, "{yaml}");
        }
    }

    #[test]
    fn what_needs_no_quotes_has_none() {
        for text in ["app", "/etc/envoy/sightline.wasm", "127.0.0.1", "otel-collector.svc"] {
            assert_eq!(scalar(text), text);
        }
    }

    #[test]
    fn lines_are_moved_in_and_empty_ones_stay_empty() {
        assert_eq!(indent("a:\r\n  b\n\nc", 2), "  a:\n    b\n\n  c\n");
        assert_eq!(indent("", 2), "");
    }

    #[test]
    #[should_panic(expected = "has one `c`")]
    fn a_place_that_is_not_there_is_a_mistake() {
        Text::new("ab").put("c", "d");
    }
}

//! What a page for Prometheus says, Envoy's own or that of our endpoint, asked by name and labels.

use std::collections::BTreeMap;

/// Names and values of labels.
type Labels = BTreeMap<String, String>;

/// The samples of one scrape.
#[derive(Clone, Debug)]
pub struct Samples {
    text: String,
}

impl Samples {
    /// From the page's text.
    pub fn parse(text: String) -> Self {
        Self { text }
    }

    /// The sum of all samples with this name and at least these labels; none if there is no such sample.
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let values = self.lines().filter(|sample| {
            sample.name == name && labels.iter().all(|(key, value)| sample.has(key, value))
        });
        values.map(|sample| sample.value).reduce(|sum, value| sum + value)
    }

    /// The distinct names of samples that contain this text.
    pub fn names_with(&self, part: &str) -> Vec<&str> {
        let mut names: Vec<_> =
            self.lines().map(|it| it.name).filter(|it| it.contains(part)).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// All samples with this name: their labels and values.
    pub fn series(&self, name: &str) -> Vec<(Labels, f64)> {
        let found = self.lines().filter(|sample| sample.name == name);
        found.map(|sample| (labels(sample.labels), sample.value)).collect()
    }

    fn lines(&self) -> impl Iterator<Item = Sample<'_>> {
        self.text.lines().filter(|line| !line.starts_with('#')).filter_map(Sample::parse)
    }
}

struct Sample<'a> {
    name: &'a str,
    /// With the brace behind them.
    labels: &'a str,
    value: f64,
}

impl<'a> Sample<'a> {
    /// Without an exemplar, if there is one.
    fn parse(line: &'a str) -> Option<Self> {
        let line = line.split(" # {").next()?;
        let (series, value) = line.rsplit_once(' ')?;
        let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
        Some(Self { name, labels, value: value.parse().ok()? })
    }

    fn has(&self, key: &str, value: &str) -> bool {
        labels(self.labels).get(key).is_some_and(|it| it == value)
    }
}

/// Labels as they stand between braces, with what is escaped in their values.
fn labels(mut text: &str) -> Labels {
    let mut labels = Labels::new();
    while let Some((name, rest)) = text.trim_start_matches(',').split_once("=\"") {
        let mut value = String::new();
        let mut letters = rest.char_indices();
        let end = loop {
            match letters.next() {
                Some((_, '\\')) => value.push(match letters.next() {
                    Some((_, 'n')) => '\n',
                    Some((_, escaped)) => escaped,
                    None => panic!("a label ends in an escape: {text}"),
                }),
                Some((at, '"')) => break at + 1,
                Some((_, letter)) => value.push(letter),
                None => panic!("a label has no end: {text}"),
            }
        };
        labels.insert(name.to_owned(), value);
        text = &rest[end..];
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_read_as_they_were_meant() {
        let text = "a{b=\"1,2\",c=\"x\\\"} \\\\\\n\"} 3 # {trace_id=\"7\"} 0.5 1.5\na 4\n";
        let samples = Samples::parse(text.to_owned());
        assert_eq!(samples.sum("a", &[]), Some(7.0));
        assert_eq!(samples.sum("a", &[("b", "1,2"), ("c", "x\"} \\\n")]), Some(3.0));
        let labels: Vec<_> =
            samples.series("a").into_iter().map(|(labels, _)| labels.len()).collect();
        assert_eq!(labels, [2, 0]);
    }

    #[test]
    fn sums_what_has_the_labels() {
        let samples = Samples::parse(
            "# TYPE a counter\na{x=\"1\",y=\"2\"} 3\na{x=\"1\",y=\"3\"} 4\nab{x=\"1\"} 5\nplain 6\n".to_owned(),
        );
        for (name, labels, expected) in [
            ("a", &[][..], Some(7.0)),
            ("a", &[("x", "1")], Some(7.0)),
            ("a", &[("x", "1"), ("y", "3")], Some(4.0)),
            ("a", &[("x", "2")], None),
            ("plain", &[], Some(6.0)),
            ("b", &[], None),
        ] {
            assert_eq!(samples.sum(name, labels), expected, "{name} {labels:?}");
        }
        assert_eq!(samples.names_with("a"), ["a", "ab", "plain"]);
    }
}

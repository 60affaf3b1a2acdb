//! What Envoy's stats page for Prometheus says, asked by name and labels.

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

    fn lines(&self) -> impl Iterator<Item = Sample<'_>> {
        self.text.lines().filter(|line| !line.starts_with('#')).filter_map(Sample::parse)
    }
}

struct Sample<'a> {
    name: &'a str,
    labels: &'a str,
    value: f64,
}

impl<'a> Sample<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let (series, value) = line.rsplit_once(' ')?;
        let (name, labels) = series.split_once('{').unwrap_or((series, ""));
        Some(Self { name, labels, value: value.parse().ok()? })
    }

    fn has(&self, key: &str, value: &str) -> bool {
        let label = format!("{key}=\"{value}\"");
        self.labels.trim_end_matches('}').split(',').any(|it| it == label)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

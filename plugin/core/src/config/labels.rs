//! The labels of a custom metric: names, headers, and the texts that they may be.

use super::header::{HeaderSource, Source, check_sources};
use super::section::section;
use super::{Described, Key, List, Path, Problem, Setting, Text, Value, require};

/// Names of labels and where their texts come from. What is said replaces the default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Labels(pub Vec<(String, LabelSettings)>);

section! {
    /// One label of a custom metric.
    pub struct LabelSettings {
        /// The header of the response that holds its text.
        response_header: Option<HeaderSource> = None,
        /// The header of the request that holds its text.
        request_header: Option<HeaderSource> = None,
        /// The texts that it may have, from 1 to 100 of them; whatever else the header says is `other`, and so is a header
        /// that is not there. A number stands in quotes.
        allow: List<Text> = List::default(),
    }
}

impl Labels {
    /// The most labels of a metric.
    pub const MOST: usize = 8;

    /// The most series that the labels of one metric make.
    const MOST_SERIES: usize = 1_000;

    const LONGEST_NAME: usize = 64;

    /// How many series these make.
    fn series(&self) -> usize {
        let texts = self.0.iter().map(|(_, label)| label.allow.0.len().saturating_add(1));
        texts.fold(1, usize::saturating_mul)
    }
}

impl LabelSettings {
    /// The most texts of a label.
    pub const MOST_TEXTS: usize = 100;

    /// What all other texts become.
    pub const OTHER: &str = "other";

    /// The header that is meant.
    pub(crate) fn source(&self) -> Option<Source> {
        Source::of(self.response_header.as_ref(), self.request_header.as_ref())
    }

    fn check(&self, at: &Path<'_>, problems: &mut Vec<Problem>) {
        check_sources(self.response_header.as_ref(), self.request_header.as_ref(), at, problems);
        let at = Path::Key(at, "allow");
        let texts = &self.allow.0;
        require(!texts.is_empty(), &at, "a list of the texts that it may have", problems);
        if texts.len() > Self::MOST_TEXTS {
            let message = format!("{} entries, expected at most {}", texts.len(), Self::MOST_TEXTS);
            problems.push(Problem::new(at, message));
            return;
        }
        let mut earlier: Vec<&str> = vec![Self::OTHER];
        for (number, text) in texts.iter().map(|text| text.as_str().trim()).enumerate() {
            let here = Path::Entry(&at, number);
            if text == Self::OTHER {
                let message = "\"other\" stands here, which is what all that is not listed becomes; leave it out";
                problems.push(Problem::new(here, message));
            } else if earlier.contains(&text) {
                problems.push(Problem::new(here, "said twice; keep one"));
            }
            earlier.push(text);
        }
    }
}

impl Setting for Labels {
    fn set(&mut self, said: &Value, at: &Path<'_>, problems: &mut Vec<Problem>) {
        let entries = match said {
            Value::Null => return,
            Value::Map(entries) if entries.len() <= Self::MOST => entries,
            Value::Map(entries) => {
                let message = format!("{} entries, expected at most {}", entries.len(), Self::MOST);
                problems.push(Problem::new(at, message));
                return;
            }
            other => {
                let message = format!(
                    "{other} stands here, expected a map of names to maps with a header and what it may say"
                );
                problems.push(Problem::new(at, message));
                return;
            }
        };
        self.0.clear();
        for (name, said) in entries {
            self.add(name, said, &Path::Key(at, name), problems);
        }
        if self.series() > Self::MOST_SERIES {
            let message = format!(
                "these labels make {} series, expected at most {}: fewer of them, or of the texts they may have",
                self.series(),
                Self::MOST_SERIES
            );
            problems.push(Problem::new(at, message));
        }
    }
}

impl Described for Labels {
    fn describe(&self, at: &Path<'_>, about: &str, keys: &mut Vec<Key>) {
        keys.push(Key {
            path: at.to_string(),
            takes: format!(
                "a map of names to the keys below, of at most {} labels that make at most {} series",
                Self::MOST,
                Self::MOST_SERIES
            ),
            default: "{}".to_owned(),
            about: about.to_owned(),
        });
        LabelSettings::default().describe(&Path::Key(at, "*"), "", keys);
    }
}

impl Labels {
    fn add(&mut self, name: &str, said: &Value, at: &Path<'_>, problems: &mut Vec<Problem>) {
        if !is_label(name) {
            let message = format!(
                "expected a name of at most {} lower-case letters, digits and _, without a digit or __ in front, and not le",
                Self::LONGEST_NAME
            );
            problems.push(Problem::new(at, message));
        } else if self.0.iter().any(|(earlier, _)| earlier == name) {
            problems.push(Problem::new(at, "said twice; keep one"));
        }
        let mut label = LabelSettings::default();
        label.set(said, at, problems);
        if matches!(said, Value::Map(_) | Value::Null) {
            label.check(at, problems);
        }
        self.0.push((name.to_owned(), label));
    }
}

/// Whether a label can have this name. What begins with two underscores is Prometheus's own, and `le` is the
/// boundary of a bucket.
fn is_label(name: &str) -> bool {
    let begins = name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_');
    let goes_on = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let is_taken = name.starts_with("__") || name == "le";
    begins && name.bytes().all(goes_on) && !is_taken && name.len() <= Labels::LONGEST_NAME
}

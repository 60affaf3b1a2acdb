//! The filter's configuration as the user wrote it, checked, and put into a larger YAML.
//!
//! Comments and order stay, as long as Envoy reads the same in it as we did.

use std::iter;
use std::path::Path;

use serde_json::json;
use sightline_core::config::{self, Settings, Value};
use sightline_core::{Place, Plan};

use super::text::indent;
use crate::check::{Checked, Own, Paint, Refused};

/// A configuration that the filter will take.
#[derive(Clone, Debug)]
pub struct Configuration {
    text: String,
    said: Value,
    meant: Settings,
    warnings: Checked,
}

/// A configuration as Envoy can be handed it, in lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// YAML, for a `google.protobuf.Struct`.
    Struct(String),
    /// JSON, for a `google.protobuf.StringValue`.
    Text(String),
}

/// Where the collector is, as far as the configuration says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Export<'a> {
    pub(super) cluster: &'a str,
    pub(super) is_grpc: bool,
}

impl Configuration {
    /// Reads a file, or standard input if it is called `-`; where none is named, all is as by default.
    pub fn read(file: Option<&Path>) -> Result<Self, Refused> {
        Own::read(file).map(Self::of)
    }

    /// Reads YAML, and JSON as a part of it.
    pub fn parse(text: &str) -> Result<Self, Refused> {
        Own::parse(text).map(Self::of)
    }

    fn of(Own { text, said, meant, warnings }: Own) -> Self {
        Self { text, said, meant, warnings }
    }

    /// What is allowed in it and yet hardly meant, told as `sightline check` tells it; mostly nothing.
    pub fn warnings(&self) -> String {
        self.warnings.tell_findings(Paint::Plain)
    }

    /// What was said, as JSON.
    pub fn json(&self) -> serde_json::Value {
        json_of(&self.said)
    }

    /// Whether nothing is said, so that all is as by default.
    pub(super) fn is_empty(&self) -> bool {
        match &self.said {
            Value::Null => true,
            Value::Map(entries) => entries.is_empty(),
            _ => false,
        }
    }

    pub(super) fn export(&self) -> Option<Export<'_>> {
        export(&self.said)
    }

    /// Port and path of the endpoint for scrapes, if there is one.
    pub(super) fn endpoint(&self) -> Option<(u16, String)> {
        let endpoint = Plan::new(&self.meant, &Place::default()).metrics.endpoint?;
        Some((endpoint.port, String::from_utf8_lossy(&endpoint.path).into_owned()))
    }

    /// As it was written.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The lines that belong under a key, so many blanks in: as they were written, where Envoy takes them
    /// for what we did. Otherwise it is JSON, which is a text to Envoy.
    pub(super) fn form(&self, by: usize) -> Form {
        let written = indent(self.text.trim_matches(['\n', '\r']), by);
        let placed = tree(&format!("value:\n{written}"));
        let stays = Value::Map(vec![("value".to_owned(), self.said.clone())]);
        if placed.is_ok_and(|placed| placed == stays) && self.envoy_reads_the_same() {
            Form::Struct(written)
        } else {
            Form::Text(indent(&format!("{:#}", json_of(&self.said)), by))
        }
    }

    /// Envoy's YAML has no fractions: `0.05` arrives as a text.
    fn envoy_reads_the_same(&self) -> bool {
        let scalars = || self.text.lines().flat_map(plain_scalars);
        let has_fractions =
            scalars().any(|it| it.parse::<f64>().is_ok() && it.parse::<i64>().is_err());
        let as_texts = || config::interpret(&numbers_as_texts(&self.said));
        !scalars().any(is_another_in_envoy)
            && (!has_fractions || as_texts().as_ref() == Ok(&self.meant))
    }
}

/// As another parser reads it.
fn tree(text: &str) -> Result<Value, serde_saphyr::Error> {
    // Nothing at all is no document to the parser.
    let is_blank = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
    if text.lines().all(is_blank) { Ok(Value::Null) } else { serde_saphyr::from_str(text) }
}

fn export(said: &Value) -> Option<Export<'_>> {
    let export = entry(said, "export")?;
    let Value::String(cluster) = entry(export, "cluster")? else { return None };
    let is_grpc = matches!(entry(export, "protocol"), Some(Value::String(said)) if said == "grpc");
    Some(Export { cluster, is_grpc })
}

fn entry<'a>(map: &'a Value, key: &str) -> Option<&'a Value> {
    let Value::Map(entries) = map else { return None };
    entries.iter().find(|(name, _)| name == key).map(|(_, value)| value)
}

fn json_of(said: &Value) -> serde_json::Value {
    match said {
        Value::Null => serde_json::Value::Null,
        Value::Bool(value) => json!(value),
        // Whole ones without a point.
        Value::Number(value) => {
            value.to_string().parse().map_or(json!(value), serde_json::Value::Number)
        }
        Value::String(value) => json!(value),
        Value::List(items) => items.iter().map(json_of).collect(),
        Value::Map(entries) => {
            entries.iter().map(|(key, value)| (key.clone(), json_of(value))).collect()
        }
    }
}

fn numbers_as_texts(said: &Value) -> Value {
    match said {
        Value::Number(value) => Value::String(value.to_string()),
        Value::List(items) => Value::List(items.iter().map(numbers_as_texts).collect()),
        Value::Map(entries) => {
            let entry = |(key, value): &(String, Value)| (key.clone(), numbers_as_texts(value));
            Value::Map(entries.iter().map(entry).collect())
        }
        other => other.clone(),
    }
}

/// Whether Envoy's parser may take this for what it is not to ours: a number with a zero in front for an
/// octal one, one with underscores for a text, `<<` for a key. It errs on the safe side.
fn is_another_in_envoy(scalar: &str) -> bool {
    let digits = scalar.trim_start_matches(['+', '-']);
    let is_number = digits.starts_with(|first: char| first.is_ascii_digit())
        && digits.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.".contains(&byte));
    let has_base = digits.starts_with('0') && digits.len() > 1 && !digits.starts_with("0.");
    is_number && (has_base || digits.contains('_')) || scalar == "<<"
}

/// What may be keys and values on a line, without its comment. Quoted ones keep their quotes.
fn plain_scalars(line: &str) -> impl Iterator<Item = &str> {
    let end = iter::once(0).filter(|_| line.starts_with('#')).chain(line.find(" #")).next();
    let line = &line[..end.unwrap_or(line.len())];
    let pieces = line.split([',', '[', ']', '{', '}']);
    pieces
        .flat_map(|piece| piece.split(": "))
        .map(|piece| piece.trim().trim_start_matches("- ").trim_end_matches(':').trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRITTEN: &str =
        "# Ours.\nservice:\n  name: shop   # the shop\n\nrequest_id: { format: uuid7 }\n";

    fn refusal(text: &str) -> String {
        Configuration::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn what_was_written_stays_as_it_was() {
        let form = Configuration::parse(WRITTEN).unwrap().form(4);
        let moved = "    # Ours.\n    service:\n      name: shop   # the shop\n\n    request_id: { format: uuid7 }\n";
        assert_eq!(form, Form::Struct(moved.to_owned()));
    }

    #[test]
    fn every_form_reads_the_same_where_it_was_put() {
        for (name, text) in [
            ("JSON", "{\"service\": {\"name\": \"shop\"}}"),
            ("JSON in lines", "{\n\t\"service\": {\n\t\t\"name\": \"shop\"\n\t}\n}\n"),
            ("a document's marks", "---\nservice: { name: shop }\n...\n"),
            ("a byte-order mark", "\u{feff}service: { name: shop }\n"),
            ("an anchor", "service: { name: &a shop, }\npublish: []\n"),
            ("lines that end as on Windows", "service:\r\n  name: shop\r\n"),
            ("a text in lines", "service:\n  name: >-\n    shop\n"),
            ("a fraction", "service: { name: shop }\nsampling: { ratio: 0.05 }"),
            ("underscores", "service: { name: shop }\nroutes: { limit: 1_000 }"),
            ("a zero in front", "service: { name: shop }\nroutes: { limit: 0200 }"),
            ("a word in a comment", "# no\nservice: { name: shop } # on\n"),
        ] {
            let configuration =
                Configuration::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
            let (kind, block) = match configuration.form(4) {
                Form::Struct(block) => ("", block),
                Form::Text(block) => ("|", block),
            };
            let placed = tree(&format!("a:\n  value: {kind}\n{block}")).unwrap();
            let value = entry(entry(&placed, "a").unwrap(), "value").unwrap();
            let read = match value {
                Value::String(json) => config::read(json.as_bytes()),
                said => config::interpret(said),
            };
            assert_eq!(read.as_ref(), Ok(&configuration.meant), "{name}");
        }
    }

    #[test]
    fn only_what_envoy_would_read_otherwise_becomes_json() {
        for (text, is_json) in [
            ("a: [1, 010]", true),
            ("a:\n  - -007", true),
            ("service: { name: on }", false),
            ("service: { version: 007 }", true),
            ("a: 0x1f", true),
            ("a: 1_000", true),
            ("<<: *a", true),
            ("service: { name: \"on\" }", false),
            ("service: { name: turn on }", false),
            ("a: 0.5", false),
            ("a: 0", false),
            ("a: true # no", false),
            ("# on", false),
            ("a: 10s", false),
        ] {
            let told = text.lines().flat_map(plain_scalars).any(is_another_in_envoy);
            assert_eq!(told, is_json, "{text}");
        }
    }

    #[test]
    fn nothing_said_is_empty() {
        for text in ["", "\n", "# all as by default\n", "{}", "null", "---\n"] {
            assert!(Configuration::parse(text).unwrap().is_empty(), "{text:?}");
        }
        assert!(!Configuration::parse(WRITTEN).unwrap().is_empty());
    }

    #[test]
    fn what_is_wrong_is_told_with_key_value_and_expectation() {
        let told = refusal("request_id: { formt: uuid4, echo: \"maybe\" }");
        for part in [
            "\n<configuration>:1:15: error: request_id.formt: no such key; ",
            "did you mean `format`?\n  1 | request_id: { formt: ",
            "\n    |               ^^^^^\n",
            ":1:35: error: request_id.echo: \"maybe\" stands here, expected true or false\n",
        ] {
            assert!(told.contains(part), "{part}: {told}");
        }
        let refused = refusal("request_id: [");
        assert!(refused.contains("\n<configuration>:1:13: error: no YAML: "), "{refused}");
        let refused = refusal("{}\n---\n{}");
        assert!(refused.contains(":3:1: error: a second document begins here"), "{refused}");
        assert!(refusal("- a").starts_with("The configuration is wrong:"), "{}", refusal("- a"));
        assert_eq!(Configuration::parse("a: 1").unwrap_err().exit_code(), 1);
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let refused = Configuration::read(Some(Path::new("/no/such.yaml"))).unwrap_err();
        assert_eq!(refused.exit_code(), 2);
        assert!(refused.to_string().contains("/no/such.yaml cannot be read: "), "{refused}");
    }

    #[test]
    fn the_collectors_cluster_is_found() {
        for (text, expected) in [
            ("export: { cluster: otel }", Some(Export { cluster: "otel", is_grpc: false })),
            (
                "export: { cluster: otel, protocol: http }",
                Some(Export { cluster: "otel", is_grpc: false }),
            ),
            (
                "export: { protocol: grpc, cluster: otel }",
                Some(Export { cluster: "otel", is_grpc: true }),
            ),
            ("export: { cluster: null, protocol: grpc }", None),
            ("export: {}", None),
            ("service: { cluster: otel }", None),
        ] {
            assert_eq!(export(&tree(text).unwrap()), expected, "{text}");
        }
    }
}

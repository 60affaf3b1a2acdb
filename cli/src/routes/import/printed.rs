//! A block as it is printed: YAML with comments, or JSON.
//!
//! Names come from apps and documents, so nothing in them may end a line or a text.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use super::block::{Block, Item, LeftOut, Template};
use crate::harmless::{harmless, is_harmful};

impl Block {
    /// The block, with a comment for each route that is not in it.
    pub fn yaml(&self) -> String {
        let mut yaml = format!("# The routes of {}.\n", harmless(&self.source));
        for note in &self.notes {
            let _ = writeln!(yaml, "# {}.", harmless(note));
        }
        let _ = writeln!(yaml, "routes:\n  precedence: {}", self.precedence_name());
        let is_empty = self.templates().next().is_none();
        yaml.push_str(if is_empty { "  templates: []\n" } else { "  templates:\n" });
        for item in &self.items {
            let _ = match item {
                Item::Template(template) => yaml.write_str(&template.yaml()),
                Item::LeftOut(left_out) => {
                    writeln!(yaml, "    # not imported: {}", left_out.told())
                }
            };
        }
        yaml
    }

    /// The same for machines. `routes` is what the filter takes.
    pub fn json(&self) -> String {
        let left_out: Vec<Json> = self
            .left_out()
            .map(|LeftOut { route, why }| json!({ "route": route, "why": why }))
            .collect();
        let templates: Vec<Json> = self.templates().map(Template::json).collect();
        let block = json!({
            "routes": { "precedence": self.precedence_name(), "templates": templates },
            "not_imported": left_out,
            "notes": self.notes,
        });
        format!("{block:#}\n")
    }

    /// How many there are, and each that is not imported, for people.
    pub fn summary(&self) -> String {
        let count = self.templates().count();
        let left_out: Vec<String> = self.left_out().map(LeftOut::told).collect();
        let mut told = format!("{}: {count} imported", harmless(&self.source));
        if !left_out.is_empty() {
            let _ = write!(told, ", {} not:\n  {}", left_out.len(), left_out.join("\n  "));
        }
        for note in &self.notes {
            let _ = write!(told, "\nNote: {}.", harmless(note));
        }
        told
    }
}

impl LeftOut {
    fn told(&self) -> String {
        format!("{} ({})", harmless(&self.route), harmless(&self.why))
    }
}

impl Template {
    fn yaml(&self) -> String {
        let text = scalar(&self.text());
        match &self.name {
            None => format!("    - {text}\n"),
            Some(name) => format!("    - path: {text}\n      name: {}\n", scalar(name)),
        }
    }

    fn json(&self) -> Json {
        match &self.name {
            None => json!(self.text()),
            Some(name) => json!({ "path": self.text(), "name": name }),
        }
    }
}

/// A text as a scalar in a block: plain where it can only be that text.
fn scalar(text: &str) -> String {
    let begins = text.starts_with(|char: char| char == '/' || char.is_ascii_alphabetic());
    let ends = !text.ends_with([':', ' ']);
    // No word of YAML's own, such as `on`, has one of these.
    let is_path = text.contains(['/', '.']) && !text.contains(": ") && !text.contains(" #");
    if text.contains(is_harmful) || text.contains('\'') && !(begins && ends && is_path) {
        return quoted(text);
    }
    if begins && ends && is_path { text.to_owned() } else { format!("'{text}'") }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for char in text.chars() {
        match char {
            '"' | '\\' => quoted.extend(['\\', char]),
            _ if is_harmful(char) => {
                let _ = write!(quoted, "\\U{:08X}", u32::from(char));
            }
            _ => quoted.push(char),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::super::block::Precedence;
    use super::super::route::{Part, Route};
    use super::*;

    fn block(texts: &[&str]) -> Block {
        let route = |text: &&str| Route {
            name: (*text).to_owned(),
            methods: vec!["GET".to_owned()],
            path: Ok(vec![Part::text(*text)]),
        };
        let odd =
            Route { name: "/x\n- /y".into(), methods: vec![], path: Err("a\u{2028}b".into()) };
        let routes = texts.iter().map(route).chain([odd]).collect();
        let notes = vec!["a\nb: c".to_owned()];
        Block::new("a\n\u{1b}[31mb".into(), Precedence::Declared, routes, notes).unwrap()
    }

    #[test]
    fn a_block_is_printed_with_what_is_not_in_it() {
        let expected = "\
            # The routes of a\\n\\u{1b}[31mb.\n\
            # a\\nb: c.\n\
            routes:\n  \
              precedence: declared\n  \
              templates:\n    \
                - GET /a/b\n    \
                - path: GET /a%20b\n      \
                  name: /a b\n    \
                # not imported: /x\\n- /y (a\\u{2028}b)\n";
        let printed = block(&["/a/b", "/a b"]).yaml();
        assert_eq!(printed, expected);
    }

    #[test]
    fn whatever_it_is_called_the_block_reads_as_it_was_meant() {
        let names = [
            "/a: b",
            "/a #b",
            "/a\"b",
            "/a'b",
            "/a: 'b",
            "/%41",
            "/{}",
            "/a:",
            "/caf\u{e9}",
            "/a\u{7f}b",
            "/a\u{2028}b",
            "/\u{202e}b",
            "/on",
            "/a\\b",
            "/[a]",
            "/*a",
            "/&a",
            "/!a",
            "/\u{1f600}",
            "/a ",
        ];
        let block = block(&names);
        assert_eq!(block.templates().count() + block.left_out().count(), names.len() + 1);
        assert!(block.templates().count() >= names.len() - 1, "{}", block.summary());
        let read: sightline_core::config::Value = serde_saphyr::from_str(&block.yaml()).unwrap();
        assert_eq!(read, block.said());
        let json: sightline_core::config::Value = serde_json::from_str(&block.json()).unwrap();
        let sightline_core::config::Value::Map(entries) = json else { panic!("{}", block.json()) };
        let routes = entries.into_iter().filter(|(key, _)| key == "routes").collect();
        let sorted = |value: &sightline_core::config::Value| format!("{value:?}").len();
        assert_eq!(sorted(&sightline_core::config::Value::Map(routes)), sorted(&block.said()));
    }

    #[test]
    fn scalars_are_quoted_where_they_must_be() {
        for (text, expected) in [
            ("GET /a/{id}", "GET /a/{id}"),
            ("robots.txt", "robots.txt"),
            ("on", "'on'"),
            ("{id}/", "'{id}/'"),
            ("^a/(\\d+)$", "'^a/(\\d+)$'"),
            ("/a: b", "'/a: b'"),
            ("/a: 'b", "\"/a: 'b\""),
            ("/a\u{85}", "\"/a\\U00000085\""),
        ] {
            assert_eq!(scalar(text), expected);
        }
    }
}

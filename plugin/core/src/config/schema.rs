//! A JSON schema of all keys, for editors, written from their declarations.
//!
//! What a type takes is known by what it says that it takes: so nothing of this needs a place in the types, and the
//! filter has none of it. The schema is never stricter than the interpreter where a person writes, and says less where JSON
//! Schema cannot say it: what templates look like, how long a day is, what goes together. `sightline check` says all of it.

use std::fmt::Write as _;

use super::{
    Described as _, Droppable, EndpointPath, Interval, Key, Leaf, MetricName, OneMethod, Path,
    PathPrefix, Period, Ratio, RouteName, Settings, Text, Token, Unit, Value, json,
};

/// What a key takes, as keywords of JSON Schema.
#[derive(Clone, Debug, Default, PartialEq)]
struct Schema(Vec<(String, Value)>);

/// A key, and the keys in it.
#[derive(Default)]
struct Branch<'a> {
    key: Option<&'a Key>,
    parts: Vec<(Part<'a>, Branch<'a>)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part<'a> {
    /// A key with this name.
    Named(&'a str),
    /// A key with any name, `*` in a path.
    Any,
    /// Each entry of a list, `[]` in a path.
    Entry,
}

/// Keys without which a map that has them is refused, wherever that map stands.
const NEEDED: [&str; 5] = [
    "routes.templates[].path",
    "metrics.endpoint.port",
    "metrics.custom[].name",
    "metrics.custom[].kind",
    "metrics.custom[].labels.*.allow",
];

/// The schema as a JSON document.
pub fn schema() -> String {
    let mut keys = Vec::new();
    Settings::default().describe(&Path::Root, "", &mut keys);
    let mut root = Branch::default();
    for key in &keys {
        root.put(&parts(&key.path), key);
    }
    let mut document = Schema::default()
        .with("$schema", text("https://json-schema.org/draft/2020-12/schema"))
        .with("$comment", text(COMMENT))
        .with("title", text("Configuration of Sightline"));
    document.0.extend(root.schema().or_null().0);
    let mut written = String::new();
    write(&Value::Map(document.0), 0, &mut written);
    written.push('\n');
    written
}

const COMMENT: &str = "Generated from the declarations in plugin/core/src/config/. To change it, change them and run \
                       `SIGHTLINE_ACCEPT=1 cargo test -p sightline-tests --test tidy`.";

/// A token of RFC 9110.
const TOKEN: &str = "^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$";

/// Anything on one line that is not only blanks, without what ends a label in the names of Envoy's stats.
const LINE: &str = r"^(?!.*;[.];)[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$";

/// What a key takes that says so in these words; nothing, for words that are not known.
fn accepts(takes: &str, path: &str) -> Schema {
    let text = Schema::pattern(LINE).at_most("maxLength", 255);
    match takes {
        "" | "a map of the keys below" => Schema::of_type("object"),
        "a map of names to texts" if path.ends_with(".headers") => {
            Schema::map(TOKEN, Schema::pattern(r"^[\t -~]{0,4096}$"), 64)
        }
        "a map of names to texts" => {
            Schema::map(r"^[^\u0000-\u001f\u007f-\u009f]{1,255}$", text, 64)
        }
        "a template" | "templates" => Schema::pattern(r"\S"),
        "templates, or maps with a path and settings for it" => accepts("templates", path),
        "names of the template's parameters" => Schema::of_type("string"),
        "numbers above 0, in ascending order" => {
            let above = Schema::of_type("number").with("exclusiveMinimum", Value::Number(0.0));
            above.with("maximum", Value::Number(1e10))
        }
        _ if takes.starts_with("a map of names to the keys below") => {
            Schema::map("^(?!__|le$)[a-z_][a-z0-9_]{0,63}$", Schema::default(), 8)
        }
        _ if takes == <Text as Leaf>::takes() => text,
        _ => {
            leaf(takes).or_else(|| list(takes, path)).or_else(|| choice(takes)).unwrap_or_default()
        }
    }
}

/// What types of single keys take.
fn leaf(takes: &str) -> Option<Schema> {
    let is = |type_takes: fn() -> String| type_takes() == takes;
    Some(match takes {
        _ if is(<bool as Leaf>::takes) => Schema::of_type("boolean"),
        _ if is(<Ratio as Leaf>::takes) => Schema::number("number", 0.0, 1.0),
        _ if is(<Period as Leaf>::takes) => Schema::pattern("^0*[1-9][0-9]*(ms|s|m|h)$"),
        _ if is(<Interval as Leaf>::takes) => {
            Schema::pattern("^0*([1-9][0-9]*(s|m|h)|[1-9][0-9]{3,}ms)$")
        }
        _ if is(<Token as Leaf>::takes) => Schema::pattern(TOKEN),
        _ if is(<EndpointPath as Leaf>::takes) => Schema::pattern("^/[!\"$->@-~]{0,254}$"),
        _ if is(<PathPrefix as Leaf>::takes) => Schema::pattern("^(/[!\"$->@-~]{0,255})?$"),
        _ if is(<MetricName as Leaf>::takes) => Schema::pattern("^[a-z][a-z0-9_]{0,63}$"),
        _ if is(<Unit as Leaf>::takes) => Schema::pattern("^[!-~]{1,63}$"),
        _ if is(<RouteName as Leaf>::takes) => Schema::of_type("string"),
        _ if is(<Droppable as Leaf>::takes) => Schema::one_of(Droppable::known()),
        _ if is(<OneMethod as Leaf>::takes) => {
            let proposed = choice(takes)?;
            // In any case, but in capitals where an editor proposes one.
            Schema::either(proposed, Schema::pattern("^[A-Za-z]*[a-z][A-Za-z]*$"))
        }
        _ => return header(takes).or_else(|| whole(takes)),
    })
}

/// A header's name that is none of a few.
fn header(takes: &str) -> Option<Schema> {
    let taken = takes.strip_prefix("the name of a header, but none of ")?;
    let taken: Vec<&str> = taken.split(", ").collect();
    let not = Value::Map(Schema::one_of(&taken).0);
    Some(Schema::pattern(TOKEN).with("not", not))
}

fn whole(takes: &str) -> Option<Schema> {
    let (least, most) = takes.strip_prefix("a whole number from ")?.split_once(" to ")?;
    Some(Schema::number("integer", least.parse().ok()?, most.parse().ok()?))
}

/// A list, perhaps of at most so many.
fn list(takes: &str, path: &str) -> Option<Schema> {
    let entries = takes.strip_prefix("a list of ")?;
    let bounded = entries.strip_prefix("at most ").and_then(|rest| rest.split_once(' '));
    let (most, entries) = match bounded {
        Some((most, entries)) => (most.parse().ok()?, entries),
        None => (20_000, entries),
    };
    let of_maps = entries.starts_with("maps with ");
    let items = if of_maps { Schema::default() } else { accepts(entries, path) };
    Some(Schema::list(items, most))
}

/// One of a few names: `a, b or c`.
fn choice(takes: &str) -> Option<Schema> {
    let names: Vec<&str> = takes.split(" or ").flat_map(|names| names.split(", ")).collect();
    let is_name = |name: &&str| {
        name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    names.iter().all(is_name).then(|| Schema::one_of(&names))
}

impl Schema {
    /// Any value of a type: `string`, `number` and so on.
    fn of_type(name: &str) -> Self {
        Self::default().with("type", text(name))
    }

    /// A text that a regular expression matches.
    fn pattern(pattern: &str) -> Self {
        Self::of_type("string").with("pattern", text(pattern))
    }

    /// A number within bounds.
    fn number(kind: &str, least: f64, most: f64) -> Self {
        let bounded = Self::of_type(kind).with("minimum", Value::Number(least));
        bounded.with("maximum", Value::Number(most))
    }

    /// One of a few texts.
    fn one_of(names: &[&str]) -> Self {
        Self::default().with("enum", texts(names))
    }

    /// A list of at most so many of these.
    fn list(items: Self, most: usize) -> Self {
        Self::of_type("array").with("items", Value::Map(items.0)).at_most("maxItems", most)
    }

    /// A map whose names match a regular expression.
    fn map(names: &str, values: Self, most: usize) -> Self {
        let names = Self::default().with("pattern", text(names));
        Self::of_type("object")
            .with("propertyNames", Value::Map(names.0))
            .with("additionalProperties", Value::Map(values.0))
            .at_most("maxProperties", most)
    }

    /// One or the other.
    fn either(one: Self, other: Self) -> Self {
        Self::default().with("anyOf", Value::List(vec![Value::Map(one.0), Value::Map(other.0)]))
    }

    /// The same with a further keyword, or with another value of one that it has.
    fn with(mut self, keyword: &str, value: Value) -> Self {
        self.0.retain(|(known, _)| known != keyword);
        self.0.push((keyword.to_owned(), value));
        self
    }

    /// The same with a bound.
    fn at_most(self, keyword: &str, most: usize) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "bounds are small")]
        self.with(keyword, Value::Number(most as f64))
    }

    fn keyword(&self, keyword: &str) -> Option<&Value> {
        self.0.iter().find(|(known, _)| known == keyword).map(|(_, value)| value)
    }

    /// The same or nothing, as every key may be that need not be said.
    fn or_null(mut self) -> Self {
        for (keyword, value) in &mut self.0 {
            let null = match keyword.as_str() {
                "type" => text("null"),
                "enum" => Value::Null,
                "anyOf" => Value::Map(Self::of_type("null").0),
                _ => continue,
            };
            match value {
                Value::List(values) => values.push(null),
                kind => *kind = Value::List(vec![kind.clone(), null]),
            }
        }
        self
    }
}

impl<'a> Branch<'a> {
    /// Puts a key where these parts lead.
    fn put(&mut self, parts: &[Part<'a>], key: &'a Key) {
        let Some((first, rest)) = parts.split_first() else {
            self.key = Some(key);
            return;
        };
        match self.parts.iter_mut().find(|(part, _)| part == first) {
            Some((_, branch)) => branch.put(rest, key),
            None => {
                let mut branch = Self::default();
                branch.put(rest, key);
                self.parts.push((*first, branch));
            }
        }
    }

    fn is_needed(&self) -> bool {
        self.key.is_some_and(|key| NEEDED.contains(&key.path.as_str()))
    }

    fn schema(&self) -> Schema {
        let mut schema =
            self.key.map_or_else(Schema::default, |key| accepts(&key.takes, &key.path));
        for (part, branch) in &self.parts {
            match part {
                Part::Named(_) => {}
                Part::Any => {
                    schema = schema.with("additionalProperties", Value::Map(branch.schema().0));
                }
                Part::Entry => {
                    // What else an entry may be, such as a template beside a map with one.
                    let items = match schema.keyword("items") {
                        Some(Value::Map(other)) if !other.is_empty() => {
                            Schema::either(Schema(other.clone()), branch.schema())
                        }
                        _ => branch.schema(),
                    };
                    schema = schema.with("items", Value::Map(items.0));
                }
            }
        }
        self.with_properties(schema).described(self.key)
    }

    fn with_properties(&self, schema: Schema) -> Schema {
        let named = self.parts.iter().filter_map(|(part, branch)| match part {
            Part::Named(name) => Some((*name, branch)),
            Part::Any | Part::Entry => None,
        });
        let property = |(name, branch): (&str, &Self)| {
            let schema = branch.schema();
            let schema = if branch.is_needed() { schema } else { schema.or_null() };
            (name.to_owned(), Value::Map(schema.0))
        };
        let properties: Vec<(String, Value)> = named.clone().map(property).collect();
        if properties.is_empty() {
            return schema;
        }
        let needed: Vec<&str> =
            named.filter(|(_, branch)| branch.is_needed()).map(|(name, _)| name).collect();
        let schema = schema
            .with("properties", Value::Map(properties))
            .with("additionalProperties", Value::Bool(false));
        if needed.is_empty() { schema } else { schema.with("required", texts(&needed)) }
    }
}

impl Schema {
    fn described(mut self, key: Option<&Key>) -> Self {
        let Some(key) = key else { return self };
        if !key.about.is_empty() {
            self.0.insert(0, ("description".to_owned(), text(&key.about)));
        }
        if key.is_section() || NEEDED.contains(&key.path.as_str()) {
            return self;
        }
        self.with("default", meant(&key.default))
    }
}

/// A path's parts: `a.b[].*` has four.
fn parts(path: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    for piece in path.split('.').filter(|piece| !piece.is_empty()) {
        let name = piece.trim_end_matches("[]");
        parts.push(if name == "*" { Part::Any } else { Part::Named(name) });
        parts.extend((0..(piece.len() - name.len()) / 2).map(|_| Part::Entry));
    }
    parts
}

/// What a default says, which is written as YAML on one line.
fn meant(default: &str) -> Value {
    if let Ok(value) = json::read(default.as_bytes()) {
        return value;
    }
    match default.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(entries) => Value::List(entries.split(", ").map(meant).collect()),
        None => text(default),
    }
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

fn texts(all: &[&str]) -> Value {
    Value::List(all.iter().map(|one| text(one)).collect())
}

/// Writes a value as JSON, each entry of a map on a line of its own.
fn write(value: &Value, depth: usize, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => out.push_str(&number.to_string()),
        Value::String(text) => write_text(text, out),
        Value::List(items) => {
            out.push('[');
            for (number, item) in items.iter().enumerate() {
                out.push_str(if number > 0 { ", " } else { "" });
                write(item, depth, out);
            }
            out.push(']');
        }
        Value::Map(entries) if entries.is_empty() => out.push_str("{}"),
        Value::Map(entries) => {
            for (number, (key, value)) in entries.iter().enumerate() {
                out.push_str(if number > 0 { ",\n" } else { "{\n" });
                out.push_str(&"  ".repeat(depth + 1));
                write_text(key, out);
                out.push_str(": ");
                write(value, depth + 1, out);
            }
            out.push('\n');
            out.push_str(&"  ".repeat(depth));
            out.push('}');
        }
    }
}

fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => out.extend(['\\', letter]),
            letter if letter.is_control() => {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(letter));
            }
            letter => out.push(letter),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    #[test]
    fn it_is_json() {
        let written = schema();
        let read: serde_json::Value = serde_json::from_str(&written).unwrap();
        let at = |pointer: &str| read.pointer(pointer).unwrap_or_else(|| panic!("{pointer}"));
        assert_eq!(at("/properties/sampling/properties/ratio/default"), 0.05);
        assert_eq!(
            at("/properties/sampling/properties/ratio/type"),
            &serde_json::json!(["number", "null"])
        );
        assert_eq!(at("/properties/routes/properties/ignore/default/0"), "/healthz");
        assert_eq!(
            at("/properties/request_id/properties/format/enum"),
            &serde_json::json!(["uuid4", "uuid7", null])
        );
        assert_eq!(at("/properties/export/properties/path_prefix/default"), "");
        assert_eq!(
            at("/properties/routes/properties/templates/items/anyOf/1/required"),
            &serde_json::json!(["path"])
        );
        assert_eq!(at("/properties/sampling/description"), "Which traces are kept.");
    }

    #[test]
    fn what_is_needed_is_refused_without_it() {
        for (needed, said) in [
            ("routes.templates[].path", r#"{"routes": {"templates": [{}]}}"#),
            ("metrics.endpoint.port", r#"{"metrics": {"endpoint": {}}}"#),
            ("metrics.custom[].name", r#"{"metrics": {"custom": [{"kind": "counter"}]}}"#),
            ("metrics.custom[].kind", r#"{"metrics": {"custom": [{"name": "a"}]}}"#),
            (
                "metrics.custom[].labels.*.allow",
                r#"{"metrics": {"custom": [{"name": "a", "kind": "counter", "labels": {"b": {"request_header": "c"}}}]}}"#,
            ),
        ] {
            assert!(NEEDED.contains(&needed), "{needed}");
            let problems = config::read(said.as_bytes()).unwrap_err();
            assert_eq!(problems.iter().count(), 1, "{needed}: {problems}");
        }
    }

    #[test]
    fn every_key_has_a_type() {
        let mut keys = Vec::new();
        Settings::default().describe(&Path::Root, "", &mut keys);
        for key in &keys {
            let known = accepts(&key.takes, &key.path);
            assert_ne!(known, Schema::default(), "{}: {}", key.path, key.takes);
            let items = Some(&Value::Map(Vec::new()));
            let is_custom = key.path == "metrics.custom";
            assert!(is_custom || known.keyword("items") != items, "{}: {}", key.path, key.takes);
        }
        for needed in NEEDED {
            assert!(keys.iter().any(|key| key.path == needed), "{needed} is no key");
        }
    }
}

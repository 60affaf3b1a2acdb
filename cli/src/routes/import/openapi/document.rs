//! A document as a tree, and the references within it.

use serde_saphyr::Options;
use sightline_core::config::Value;

use super::Refusal;

/// How many references are followed until they count as a circle.
const MOST_REFERENCES: usize = 32;

/// The most nodes of a document, and bytes of its texts: the largest that are published have a million.
const MOST_NODES: usize = 5_000_000;
const MOST_BYTES: usize = 256 * 1_024 * 1_024;

/// A whole document.
#[derive(Clone, Copy)]
pub(super) struct Document<'a>(&'a Value);

/// A place in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node<'a>(pub(super) &'a Value);

/// Reads JSON or YAML, which JSON is a part of.
pub(super) fn read(text: &str) -> Result<Value, Refusal> {
    let text = text.trim_start_matches('\u{feff}');
    if text.trim_start().starts_with('{')
        && let Ok(tree) = serde_json::from_str(text)
    {
        return Ok(tree);
    }
    let not_openapi = |reason: String| Refusal::NotOpenapi { reason };
    if text.trim().is_empty() {
        return Err(not_openapi("it is empty.".to_owned()));
    }
    serde_saphyr::from_str_with_options(text, options())
        .map_err(|error| not_openapi(format!("it is neither JSON nor YAML: {error}")))
}

fn options() -> Options {
    let mut options = Options::default();
    if let Some(budget) = &mut options.budget {
        budget.max_events = 4 * MOST_NODES;
        budget.max_nodes = MOST_NODES;
        budget.max_total_scalar_bytes = MOST_BYTES;
    }
    options
}

impl<'a> Document<'a> {
    /// A document of a version that is known.
    pub(super) fn new(tree: &'a Value) -> Result<Self, Refusal> {
        let document = Self(tree);
        let version = |key: &str| document.root().get(key);
        let Some(version) = version("openapi").or_else(|| version("swagger")) else {
            let reason = "it has neither `openapi` nor `swagger` with a version.".to_owned();
            return Err(Refusal::NotOpenapi { reason });
        };
        let said = match version.0 {
            Value::String(said) => said.clone(),
            other => other.to_string(),
        };
        if ["3.", "2."].iter().any(|known| said.starts_with(known)) || said == "2" || said == "3" {
            return Ok(document);
        }
        let reason = format!("its version is {said:?}, and 2.0, 3.0, 3.1 and 3.2 are known.");
        Err(Refusal::NotOpenapi { reason })
    }

    pub(super) fn root(self) -> Node<'a> {
        Node(self.0)
    }

    /// What a node refers to within the document; itself if it is no reference.
    pub(super) fn resolved(self, node: Node<'a>) -> Option<Node<'a>> {
        let mut node = node;
        for _ in 0..MOST_REFERENCES {
            let Some(reference) = node.text("$ref") else { return Some(node) };
            let pointer = reference.strip_prefix("#/")?;
            let mut keys = pointer.split('/').map(unescaped);
            node = keys.try_fold(self.root(), |node, key| node.get(&key))?;
        }
        None
    }
}

/// A key of a pointer: `~1` is a slash, `~0` a tilde, and it may be percent-encoded.
fn unescaped(key: &str) -> String {
    super::path::decoded(key).replace("~1", "/").replace("~0", "~")
}

impl<'a> Node<'a> {
    /// What a key leads to.
    pub(super) fn get(self, key: &str) -> Option<Node<'a>> {
        let Value::Map(entries) = self.0 else { return None };
        entries.iter().find(|(name, _)| name == key).map(|(_, value)| Node(value))
    }

    pub(super) fn at(self, keys: &[&str]) -> Option<Node<'a>> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The text that a key leads to.
    pub(super) fn text(self, key: &str) -> Option<&'a str> {
        match self.get(key)?.0 {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The type of a schema; of several, the first that is not null.
    pub(super) fn kind(self) -> Option<&'a str> {
        let types = self.get("type")?;
        let all = types.items();
        let first = all.iter().find_map(|it| match it.0 {
            Value::String(kind) if kind != "null" => Some(kind.as_str()),
            _ => None,
        });
        first.or_else(|| self.text("type"))
    }

    pub(super) fn entries(self) -> Vec<(&'a str, Node<'a>)> {
        let Value::Map(entries) = self.0 else { return Vec::new() };
        entries.iter().map(|(key, value)| (key.as_str(), Node(value))).collect()
    }

    pub(super) fn items(self) -> Vec<Node<'a>> {
        let Value::List(items) = self.0 else { return Vec::new() };
        items.iter().map(Node).collect()
    }
}

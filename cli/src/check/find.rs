//! The filter's configurations in a file: as the whole of it, or as blocks in what Envoy, Istio, Envoy Gateway
//! and Kubernetes read.
//!
//! What a block says is not looked at here.

use std::ops::Range;
use std::rc::Rc;

use super::node::{Entry, Kind, Node, Scalar};
use super::own::{is_own, is_surely_own};
use super::scalar::Reader;
use super::yaml::{self, Document, Malformed};

/// A configuration of the filter.
#[derive(Debug)]
pub(super) enum Block {
    /// As keys and values.
    Tree { node: Rc<Node>, reader: Reader },
    /// As JSON in a text, which the filter reads itself.
    Text(Rc<Node>),
    /// None at all, which is a good one.
    Empty,
}

/// What was found in a file.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) blocks: Vec<Block>,
    /// What is wrong around them.
    pub(super) problems: Vec<(String, Range<usize>)>,
    /// How many Wasm filters are somebody else's.
    pub(super) others: usize,
    /// How many bytes of texts were looked into.
    looked: usize,
}

/// The type of Envoy's filter that runs Wasm modules.
const WASM: &str = "envoy.extensions.filters.http.wasm.v3.Wasm";

const STRUCT: &str = "google.protobuf.Struct";
const STRING: &str = "google.protobuf.StringValue";

/// How deep texts are looked into that stand in texts.
const DEEPEST_TEXT: usize = 4;

/// How many bytes of texts are looked into: aliases can name one text many times.
const MOST_LOOKED: usize = 256 * 1024 * 1024;

/// What is known of where we are.
#[derive(Clone, Copy)]
struct Around<'a> {
    /// The `name` of the map around, as filters have it beside their `typed_config`.
    name: Option<&'a str>,
    reader: Reader,
    texts: usize,
}

/// A text with a name, in a `ConfigMap`.
struct Datum<'a> {
    config_map: &'a str,
    entry: &'a Entry,
}

/// All configurations in a file's documents.
pub(super) fn find(documents: Vec<Document>) -> Found {
    let mut found = Found::default();
    let is_alone = documents.len() == 1;
    if documents.is_empty() {
        found.blocks.push(Block::Empty);
    }
    for Document { root, repeated } in documents {
        let before = (found.blocks.len(), found.others);
        found.walk(&root, Around { name: None, reader: Reader::Envoy, texts: 0 });
        if found.blocks.len() > before.0 {
            let twice = |key: Range<usize>| ("said twice; keep one".to_owned(), key);
            found.problems.extend(repeated.into_iter().map(twice));
        } else if found.others == before.1 && (is_own(&root) || is_alone && is_nothing(&root)) {
            found.blocks.push(Block::Tree { node: root, reader: Reader::Other });
        }
    }
    found
}

/// `{}` says as little as an empty file.
fn is_nothing(root: &Node) -> bool {
    root.is_null() || matches!(&root.kind, Kind::Map(entries) if entries.is_empty())
}

impl Found {
    fn walk(&mut self, node: &Rc<Node>, around: Around<'_>) {
        match &node.kind {
            Kind::List(items) => {
                for item in items {
                    self.walk(item, Around { name: None, ..around });
                }
            }
            Kind::Map(_) => self.walk_map(node, around),
            Kind::Scalar(scalar) => self.look_into(scalar, around),
        }
    }

    fn walk_map(&mut self, map: &Rc<Node>, around: Around<'_>) {
        let kind = map.field(&["kind"]).and_then(|kind| kind.text());
        let is_kubernetes = map.field(&["apiVersion"]).is_some();
        match kind.filter(|_| is_kubernetes) {
            Some("WasmPlugin") => return self.wasm_plugin(map),
            Some("EnvoyExtensionPolicy") => return self.extension_policy(map),
            Some("ConfigMap") => return self.config_map(map, around),
            _ => {}
        }
        if let Some(plugin) = wasm_plugin_config(map) {
            return self.envoy_filter(plugin, around);
        }
        // Whatever stands in other manifests is read by Kubernetes before Envoy gets it.
        let reader = if is_kubernetes { Reader::Other } else { around.reader };
        let name = map.field(&["name"]).and_then(|name| name.text());
        for entry in map.entries() {
            self.walk(&entry.value, Around { name, reader, ..around });
        }
    }

    /// `config` of Envoy's Wasm filter.
    fn envoy_filter(&mut self, plugin: &Rc<Node>, around: Around<'_>) {
        let by_name = around.name.is_some_and(is_ours);
        let fields = ["name", "root_id", "rootId"].map(|name| plugin.field(&[name]));
        let by_field = fields.into_iter().flatten().any(|field| names_us(field));
        let vm = plugin.field(&["vm_config", "vmConfig"]);
        let by_code = vm.and_then(|vm| vm.field(&["code"])).is_some_and(|code| names_us(code));
        if !(by_name || by_field || by_code) {
            self.others += 1;
            return;
        }
        match plugin.field(&["configuration"]) {
            Some(any) if !any.is_null() => self.any(any, around.reader),
            _ => self.blocks.push(Block::Empty),
        }
    }

    /// A `google.protobuf.Any` with the configuration in it.
    fn any(&mut self, any: &Rc<Node>, reader: Reader) {
        let kind = any.field(&["@type"]).and_then(|kind| kind.text());
        let kind = kind.map(|kind| kind.rsplit('/').next().unwrap_or(kind));
        let value = any.field(&["value"]);
        let expected =
            format!("expected \"@type\": type.googleapis.com/{STRUCT} and the keys below value:");
        match kind {
            Some(STRUCT | STRING) => {
                let strays = any.entries().iter();
                for stray in strays.filter(|entry| !matches!(&*entry.key, "@type" | "value")) {
                    let message = format!("`{}` stands here, {expected}", stray.key);
                    self.problems.push((message, stray.key_span.clone()));
                }
            }
            Some(other) => {
                let message =
                    format!("{other} stands here, which the filter cannot read; {expected}");
                let at = any
                    .field(&["@type"])
                    .map_or_else(|| any.span.clone(), |kind| kind.span.clone());
                self.problems.push((message, at));
            }
            None => self
                .problems
                .push((format!("no \"@type\" stands here, {expected}"), any.span.clone())),
        }
        self.blocks.push(match (kind, value) {
            (Some(STRING), Some(text)) => Block::Text(Rc::clone(text)),
            (Some(STRUCT), Some(node)) => tree(node, reader),
            _ => Block::Empty,
        });
    }

    /// Istio's: it makes JSON of what stands there.
    fn wasm_plugin(&mut self, plugin: &Rc<Node>) {
        let Some(spec) = plugin.field(&["spec"]) else { return };
        let name = plugin.field(&["metadata"]).and_then(|metadata| metadata.field(&["name"]));
        let fields = [name, spec.field(&["pluginName"]), spec.field(&["url"])];
        if fields.into_iter().flatten().any(|field| names_us(field)) {
            self.blocks.push(optional_tree(spec.field(&["pluginConfig"])));
        } else {
            self.others += 1;
        }
    }

    /// Envoy Gateway's: likewise, and of several filters.
    fn extension_policy(&mut self, policy: &Rc<Node>) {
        let filters = policy.field(&["spec"]).and_then(|spec| spec.field(&["wasm"]));
        for filter in filters.map_or(&[][..], |filters| filters.items()) {
            let fields = ["name", "rootID", "code"].map(|name| filter.field(&[name]));
            if fields.into_iter().flatten().any(|field| names_us(field)) {
                self.blocks.push(optional_tree(filter.field(&["config"])));
            } else {
                self.others += 1;
            }
        }
    }

    fn config_map(&mut self, map: &Rc<Node>, around: Around<'_>) {
        let name = map.field(&["metadata"]).and_then(|metadata| metadata.field(&["name"]));
        let config_map = name.and_then(|name| name.text()).unwrap_or_default();
        let data = map.field(&["data"]);
        for entry in data.map_or(&[][..], |data| data.entries()) {
            self.datum(&Datum { config_map, entry }, around);
        }
    }

    fn datum(&mut self, datum: &Datum<'_>, around: Around<'_>) {
        let Kind::Scalar(scalar) = &datum.entry.value.kind else { return };
        let is_meant = datum.is_yaml() && datum.is_called_ours();
        if !is_meant && !is_ours(&scalar.text) && !datum.is_yaml() {
            return;
        }
        let documents = match yaml::read(&scalar.text, &scalar.origin) {
            Ok(documents) => documents,
            // What is no YAML may well be a script.
            Err(Malformed { message, at }) => {
                if is_meant || datum.is_yaml() && is_ours(&scalar.text) {
                    self.problems.push((format!("no YAML: {message}"), at));
                    self.blocks.push(Block::Empty);
                }
                return;
            }
        };
        for Document { root, .. } in documents {
            let before = (self.blocks.len(), self.others);
            if !matches!(root.kind, Kind::Scalar(_)) {
                self.walk(
                    &root,
                    Around { name: None, reader: Reader::Envoy, texts: around.texts + 1 },
                );
            }
            let is_none = before == (self.blocks.len(), self.others);
            if is_none && (is_meant && is_own(&root) || datum.is_yaml() && is_surely_own(&root)) {
                self.blocks.push(tree(&root, Reader::Other));
            }
        }
    }

    /// Looks for configurations in a text. What is no YAML may well be a script.
    fn look_into(&mut self, scalar: &Scalar, around: Around<'_>) {
        let is_file = scalar.text.contains(['\n', '{']);
        let is_too_much = around.texts >= DEEPEST_TEXT || self.looked > MOST_LOOKED;
        if !is_file || is_too_much || !is_ours(&scalar.text) {
            return;
        }
        self.looked += scalar.text.len();
        let around = Around { name: None, reader: Reader::Envoy, texts: around.texts + 1 };
        for document in yaml::read(&scalar.text, &scalar.origin).unwrap_or_default() {
            // A scalar is the same text again.
            if !matches!(document.root.kind, Kind::Scalar(_)) {
                self.walk(&document.root, around);
            }
        }
    }
}

impl Datum<'_> {
    /// Whether it is there for us, by its name or its `ConfigMap`'s.
    fn is_called_ours(&self) -> bool {
        is_ours(&self.entry.key) || is_ours(self.config_map)
    }

    fn is_yaml(&self) -> bool {
        [".yaml", ".yml", ".json"].iter().any(|ending| self.entry.key.ends_with(ending))
    }
}

/// The plugin's configuration, if this map is the one of a Wasm filter: as it is, or in a `TypedStruct`.
fn wasm_plugin_config(map: &Node) -> Option<&Rc<Node>> {
    let is_wasm = |field: &str| {
        let kind = map.field(&[field]).and_then(|kind| kind.text());
        kind.is_some_and(|kind| kind.rsplit('/').next() == Some(WASM))
    };
    if is_wasm("@type") {
        map.field(&["config"])
    } else if is_wasm("type_url") || is_wasm("typeUrl") {
        map.field(&["value"])?.field(&["config"])
    } else {
        None
    }
}

fn tree(node: &Rc<Node>, reader: Reader) -> Block {
    Block::Tree { node: Rc::clone(node), reader }
}

fn optional_tree(node: Option<&Rc<Node>>) -> Block {
    node.map_or(Block::Empty, |node| tree(node, Reader::Other))
}

/// Whether a text in this has our name in it.
fn names_us(node: &Node) -> bool {
    node.text().is_some_and(is_ours) || node.entries().iter().any(|entry| names_us(&entry.value))
}

fn is_ours(text: &str) -> bool {
    const NAME: &[u8] = b"sightline";
    text.as_bytes().windows(NAME.len()).any(|part| part.eq_ignore_ascii_case(NAME))
}

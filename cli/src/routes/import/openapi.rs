//! `OpenAPI` documents, 3.0 to 3.2, and Swagger 2.0: paths and methods, and as much of the rest as tells them apart.
//!
//! A schema says of a parameter what the app wants, not what its router takes: `/users/abc` is of `/users/{id}` whatever
//! the type of `id` is. So types become constraints only where two paths differ in nothing else.

mod base;
mod document;
mod path;

use std::collections::{HashMap, HashSet};
use std::io::{self, Read as _};
use std::path::Path;

use sightline_core::config::Value;
use sightline_core::route::Precedence;

use self::document::{Document, Node};
use self::path::Kind;
use super::route::{Part, Route};
use super::{Block, Refusal};
use crate::STDIN;

/// The keys of a path that are methods.
const METHODS: [&str; 9] =
    ["get", "head", "post", "put", "patch", "delete", "options", "query", "trace"];

/// What `FastAPI` serves beside the paths of its document.
const FASTAPI: [&str; 4] = ["/openapi.json", "/docs", "/docs/oauth2-redirect", "/redoc"];

/// The schema that `FastAPI` puts into every document with a parameter.
const FASTAPI_MARK: &str = "HTTPValidationError";

/// How a document is read.
#[derive(Clone, Debug, Default)]
pub struct Openapi {
    /// What stands in front of the paths where Envoy sees them, instead of what `servers` says.
    pub prefix: Option<String>,
    /// Parameters that take several segments.
    pub rests: Vec<String>,
}

/// The text of a document, or of standard input if it is called `-`.
pub fn read_document(file: &Path) -> Result<String, Refusal> {
    let text = if file == Path::new(STDIN) {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(file)
    };
    text.map_err(|error| Refusal::Unreadable { file: file.display().to_string(), error })
}

impl Openapi {
    /// The routes of a document, which `source` names.
    pub fn import(&self, source: &str, text: &str) -> Result<Block, Refusal> {
        let tree = document::read(text)?;
        let document = Document::new(&tree)?;
        let mut found = Found { openapi: self, document, routes: Vec::new(), notes: Vec::new() };
        found.read();
        let Found { routes, notes, .. } = found;
        Block::new(source.to_owned(), Precedence::Specific, routes, notes)
    }
}

/// What is found in a document.
struct Found<'a> {
    openapi: &'a Openapi,
    document: Document<'a>,
    routes: Vec<Route>,
    notes: Vec<String>,
}

impl<'a> Found<'a> {
    fn read(&mut self) {
        let paths = self.document.root().get("paths");
        let paths: Vec<(&'a str, Node<'a>)> = paths.map(Node::entries).unwrap_or_default();
        let is_path = |(name, _): &&(&str, Node<'_>)| !name.starts_with("x-");
        let alike = alike(paths.iter().map(|(name, _)| *name));
        for (name, item) in paths.iter().filter(is_path) {
            self.path(name, *item, alike.contains(*name));
        }
        let from_fastapi = self.document.root().at(&["components", "schemas", FASTAPI_MARK]);
        if from_fastapi.is_some() {
            self.fastapi();
        }
    }

    fn path(&mut self, name: &str, item: Node<'a>, typed: bool) {
        let Some(item) = self.document.resolved(item) else {
            return self.skip(name, "it is a reference that leads out of the document");
        };
        if !name.starts_with('/') {
            return self.skip(name, "a path begins with a slash");
        }
        if name.contains(['?', '#']) {
            return self.skip(name, "what stands behind ? or # is no part of a path");
        }
        let operations = operations(item);
        if operations.is_empty() {
            return self.skip(name, "it has no operation");
        }
        let kinds = if typed { self.kinds(item, &operations) } else { HashMap::new() };
        for (base, methods) in self.bases(item, &operations) {
            let whole = format!("{base}{name}");
            let path = self.parts(&whole, &kinds);
            self.routes.extend(Route::with_methods(whole, methods, path));
        }
    }

    fn parts(&mut self, name: &str, kinds: &HashMap<&str, Kind>) -> Result<Vec<Part>, String> {
        let last = path::last_parameter(name);
        let is_rest = |it: &str| self.openapi.rests.iter().any(|rest| rest == it);
        let guessed = last.filter(|last| path::sounds_like_a_path(last));
        if guessed.is_some_and(|last| !is_rest(last)) {
            self.notes.push(format!(
                "{name}: its last parameter is taken for several segments, because of its name"
            ));
        }
        let kind = |it: &str| match kinds.get(it) {
            _ if is_rest(it) || guessed == Some(it) => Kind::Path,
            Some(kind) => *kind,
            None => Kind::Any,
        };
        path::parts(name, kind)
    }

    /// Each base path, and the methods that are there. Operations may have servers of their own.
    fn bases(
        &self,
        item: Node<'a>,
        operations: &[(String, Node<'a>)],
    ) -> Vec<(String, Vec<String>)> {
        if let Some(prefix) = &self.openapi.prefix {
            let methods = operations.iter().map(|(method, _)| method.clone()).collect();
            return vec![(base::trimmed(prefix), methods)];
        }
        let mut bases: Vec<(String, Vec<String>)> = Vec::new();
        for (method, operation) in operations {
            let servers = operation.get("servers").or_else(|| item.get("servers"));
            for base in base::of(self.document.root(), servers) {
                match bases.iter_mut().find(|(known, _)| *known == base) {
                    Some((_, methods)) => methods.push(method.clone()),
                    None => bases.push((base, vec![method.clone()])),
                }
            }
        }
        bases
    }

    /// What the parameters are, as far as the path or any of its operations says so.
    fn kinds(&self, item: Node<'a>, operations: &[(String, Node<'a>)]) -> HashMap<&'a str, Kind> {
        let all = operations.iter().map(|(_, operation)| *operation).chain([item]);
        let lists = all.filter_map(|it| it.get("parameters")).flat_map(Node::items);
        let parameters = lists.filter_map(|it| self.document.resolved(it));
        let in_path = parameters.filter(|it| it.text("in") == Some("path"));
        in_path.filter_map(|it| Some((it.text("name")?, self.kind(it)))).collect()
    }

    /// In Swagger 2.0 the type stands at the parameter itself.
    fn kind(&self, parameter: Node<'a>) -> Kind {
        let schema = parameter.get("schema").and_then(|it| self.document.resolved(it));
        let schema = schema.unwrap_or(parameter);
        match (schema.kind(), schema.text("format")) {
            (Some("integer"), _) => Kind::Int,
            (Some("number"), _) => Kind::Float,
            (Some("string"), Some("uuid")) => Kind::Uuid,
            _ => Kind::Any,
        }
    }

    fn fastapi(&mut self) {
        let told: HashSet<String> = self.routes.iter().map(|route| route.name.clone()).collect();
        let prefix = self.openapi.prefix.as_deref().map(base::trimmed).unwrap_or_default();
        for path in FASTAPI {
            let name = format!("{prefix}{path}");
            if !told.contains(&name) {
                let path = path::parts(&name, |_| Kind::Any);
                self.routes.push(Route { name, methods: vec!["GET".to_owned()], path });
            }
        }
        self.notes.push(
            "FastAPI leaves out its own pages, mounts and the converters of paths: the pages are added. \
             `routes import fastapi` asks the app itself, and finds all"
                .to_owned(),
        );
    }

    fn skip(&mut self, name: &str, why: &str) {
        let path = Err(why.to_owned());
        self.routes.push(Route { name: name.to_owned(), methods: Vec::new(), path });
    }
}

/// The methods of a path, in capitals, with what stands there.
fn operations(item: Node<'_>) -> Vec<(String, Node<'_>)> {
    let known = METHODS.iter().filter_map(|method| {
        let operation = item.get(method).filter(|it| matches!(it.0, Value::Map(_)))?;
        Some((method.to_ascii_uppercase(), operation))
    });
    let more = item.get("additionalOperations").map(Node::entries).unwrap_or_default();
    known.chain(more.into_iter().map(|(method, it)| (method.to_owned(), it))).collect()
}

/// The paths that differ from another only in the names of their parameters.
fn alike<'a>(paths: impl Iterator<Item = &'a str>) -> HashSet<&'a str> {
    let mut shapes: HashMap<String, Vec<&str>> = HashMap::new();
    for path in paths {
        shapes.entry(path::shape(path)).or_default().push(path);
    }
    shapes.into_values().filter(|paths| paths.len() > 1).flatten().collect()
}

#[cfg(test)]
mod tests;

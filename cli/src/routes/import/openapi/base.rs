//! What stands in front of the paths: `servers`, or `basePath` in Swagger 2.0.

use sightline_core::config::Value;

use super::document::Node;

/// The base paths, each once: those of these servers, else those of the document.
pub(super) fn of(root: Node<'_>, servers: Option<Node<'_>>) -> Vec<String> {
    let servers = servers.or_else(|| root.get("servers")).map(Node::items).unwrap_or_default();
    let mut bases = Vec::new();
    for base in servers.into_iter().filter_map(base) {
        if !bases.contains(&base) {
            bases.push(base);
        }
    }
    if bases.is_empty() {
        bases.push(trimmed(root.text("basePath").unwrap_or_default()));
    }
    bases
}

/// A path without a slash at its end, and with one in front unless it is empty.
pub(super) fn trimmed(path: &str) -> String {
    match path.trim().trim_matches('/') {
        "" | "." => String::new(),
        path => format!("/{}", path.trim_start_matches("./")),
    }
}

/// The path of a server's URL, with the defaults of its variables.
fn base(server: Node<'_>) -> Option<String> {
    let mut url = server.text("url")?.to_owned();
    let variables = server.get("variables").map(Node::entries).unwrap_or_default();
    for (name, variable) in variables {
        let default = variable.get("default").map(|it| match it.0 {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        });
        if let Some(default) = default {
            url = url.replace(&format!("{{{name}}}"), &default);
        }
    }
    Some(trimmed(path_of(&url)))
}

/// What stands behind the scheme and the host, and before a query.
fn path_of(url: &str) -> &str {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let behind = url.split_once("://").map(|(_, behind)| behind).or_else(|| url.strip_prefix("//"));
    let Some(behind) = behind else { return url };
    behind.find('/').and_then(|slash| behind.get(slash..)).unwrap_or_default()
}

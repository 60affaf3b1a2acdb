//! The schema for editors is what the declarations say, and takes what the documents show.

use crate::{root, text};

const FILE: &str = "docs/configuration.schema.json";

#[test]
fn the_schema_is_what_the_declarations_say() {
    let schema = sightline_core::config::schema();
    if std::env::var_os("SIGHTLINE_ACCEPT").is_some() {
        std::fs::write(root().join(FILE), &schema).unwrap();
    }
    assert!(
        text(FILE) == schema,
        "{FILE} is not what plugin/core/src/config/ declares: run \
         `SIGHTLINE_ACCEPT=1 cargo test -p sightline-tests --test tidy` and commit it"
    );
}

#[test]
fn every_key_of_the_reference_is_in_the_schema() {
    let schema: serde_json::Value = serde_json::from_str(&text(FILE)).unwrap();
    let reference = text("docs/configuration.md");
    let paths = reference.lines().filter_map(|line| line.strip_prefix("## `")?.strip_suffix('`'));
    let mut checked = 0;
    for path in paths {
        let mut at = &schema;
        for piece in path.split('.') {
            let name = piece.trim_end_matches("[]");
            at = if name == "*" { &at["additionalProperties"] } else { &at["properties"][name] };
            if piece.ends_with("[]") {
                at = &at["items"];
                // A template, or a map with one.
                at = at["anyOf"].get(1).unwrap_or(at);
            }
        }
        assert!(at["description"].is_string(), "{FILE} does not describe {path}");
        checked += 1;
    }
    assert!(checked > 60, "only {checked} keys were found in docs/configuration.md");
}

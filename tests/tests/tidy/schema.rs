//! The schema for editors is what the declarations say, and takes what the documents show.

use crate::{declared, text};

const FILE: &str = "docs/configuration.schema.json";

#[test]
fn the_schema_is_what_the_declarations_say() {
    declared(FILE, &sightline_core::config::schema());
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

//! What the documents say is so.

use std::ffi::OsStr;
use std::path::Path;

use crate::{declared, files, root, text};

/// Documents whose every path must exist.
const MAPS: [&str; 4] = ["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md", "SECURITY.md"];

#[test]
fn every_path_that_a_map_names_exists() {
    let mut checked = 0;
    for map in MAPS {
        let page = text(map);
        for path in quoted_paths(&page) {
            checked += 1;
            assert!(
                root().join(&path).exists(),
                "{map} names `{path}`, which is not there: mend the map"
            );
        }
    }
    assert!(
        checked > 40,
        "only {checked} paths were found in {MAPS:?}: has their spelling changed?"
    );
}

/// What stands in backticks and looks like a path of this checkout. What is built or set up is not.
fn quoted_paths(page: &str) -> Vec<String> {
    let quoted = page.split('`').skip(1).step_by(2);
    quoted
        .filter(|it| it.contains('/') || Path::new(it).extension().is_some_and(is_a_documents))
        .filter(|it| it.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte)))
        .filter(|it| !it.starts_with('/') && !it.starts_with("target/"))
        .map(str::to_owned)
        .collect()
}

fn is_a_documents(extension: &OsStr) -> bool {
    extension == "md" || extension == "toml"
}

#[test]
fn every_crate_and_room_is_on_the_map() {
    let map = text("ARCHITECTURE.md");
    for file in files().iter().filter(|file| file.ends_with("Cargo.toml")) {
        let folder = file.parent().unwrap().display().to_string();
        assert!(
            folder.is_empty() || map.contains(&format!("`{folder}/`")),
            "ARCHITECTURE.md does not say what {folder}/ is for"
        );
    }
}

#[test]
fn every_file_of_scenarios_has_its_facts_on_the_page() {
    let page = text("docs/host-semantics.md");
    for topic in sightline_tests::scenario::suite::topics() {
        assert!(
            page.contains(&format!("`{topic}.yaml`")),
            "docs/host-semantics.md does not say what tests/scenarios/{topic}.yaml found out"
        );
    }
}

#[test]
fn the_configuration_reference_is_what_the_declarations_say() {
    declared("docs/configuration.md", &sightline_core::config::reference());
}

#[test]
fn the_defaults_in_the_reference_are_a_configuration_that_means_the_defaults() {
    use sightline_core::config::{Settings, Value, interpret};

    let reference = sightline_core::config::reference();
    let yaml = reference.split("```yaml").nth(1).and_then(|rest| rest.split("```").next());
    let said: Value = serde_saphyr::from_str(yaml.unwrap()).unwrap();
    assert_eq!(interpret(&said), Ok(Settings::default()));
}

#[test]
fn nothing_names_a_path_of_one_machine() {
    // Spelt apart, so that this file does not find itself.
    let homes = ["work", "root", "home"].map(|folder| format!("/{folder}/"));
    for file in files().iter().filter(|file| !file.ends_with("Cargo.lock")) {
        let Ok(page) = std::fs::read_to_string(root().join(file)) else { continue };
        for (number, line) in page.lines().enumerate() {
            let found = homes.iter().find(|home| {
                line.match_indices(home.as_str()).any(|(at, _)| {
                    let before = line[..at].chars().next_back();
                    before.is_none_or(|it| {
                        !it.is_alphanumeric() && it != '.' && it != '_' && it != '-'
                    })
                })
            });
            assert!(
                found.is_none(),
                "{}:{} names a path of one machine: {line}",
                file.display(),
                number + 1
            );
        }
    }
}

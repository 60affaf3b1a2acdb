//! Each thing is in its room.

use std::process::Command;

use crate::{root, rust_files, text};

#[test]
fn only_the_abi_room_has_unsafe_code() {
    // Spelt apart, so that this file does not find itself.
    let marks = [
        ["unsafe", " {"],
        ["unsafe", " fn"],
        ["unsafe", " impl"],
        ["#[unsafe", "("],
        ["extern", " \"C\""],
    ]
    .map(|halves| halves.concat());
    let mut found_there = 0;
    for file in rust_files() {
        let page = text(&file);
        for mark in marks.iter().filter(|mark| page.contains(mark.as_str())) {
            let in_room = file.starts_with("plugin/filter/src/abi");
            assert!(
                in_room,
                "{} has `{mark}`, which belongs into plugin/filter/src/abi",
                file.display()
            );
            found_there += 1;
        }
    }
    assert!(found_there > 0, "the abi room has no unsafe code any more: then forbid it");
}

#[test]
fn the_core_depends_on_nothing_but_the_templates_and_serde() {
    let tree = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--package",
            "sightline-core",
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ])
        .args(["--offline", "--locked"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let tree = String::from_utf8(tree.stdout).unwrap();
    let mut packages: Vec<_> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    packages.sort_unstable();
    packages.dedup();
    assert_eq!(
        packages,
        ["serde", "serde_core", "sightline-core", "sightline-templates"],
        "the core is pure: a dependency that is really needed is added to this list, with its reason in ARCHITECTURE.md"
    );
}

#[test]
fn what_runs_inside_envoy_denies_every_way_to_panic() {
    let ways = [
        "expect_used",
        "indexing_slicing",
        "panic",
        "string_slice",
        "todo",
        "unimplemented",
        "unreachable",
        "unwrap_used",
    ];
    for file in
        ["plugin/core/src/lib.rs", "plugin/filter/src/lib.rs", "plugin/templates/src/lib.rs"]
    {
        let page = text(file);
        let denied = page.split_once("#![deny(").and_then(|(_, rest)| rest.split_once(")]"));
        let denied: Vec<_> =
            denied.unwrap_or_default().0.split([',', '\n']).map(str::trim).collect();
        for way in ways {
            assert!(
                denied.contains(&format!("clippy::{way}").as_str()),
                "{file} no longer denies clippy::{way}"
            );
        }
    }
    for file in ["plugin/core/src/lib.rs", "plugin/templates/src/lib.rs"] {
        assert!(text(file).contains("#![forbid(unsafe_code)]"), "{file}");
    }
}

#[test]
fn every_module_says_what_it_is_for() {
    for file in rust_files() {
        let page = text(&file);
        assert!(
            page.starts_with("//!"),
            "{} does not begin with `//!` and what it is for",
            file.display()
        );
    }
}

#[test]
fn no_file_is_longer_than_a_reader_has_patience_for() {
    for file in rust_files() {
        let lines = text(&file).lines().count();
        assert!(
            lines <= 600,
            "{} has {lines} lines, 600 is the limit: one idea to a file",
            file.display()
        );
    }
}

#[test]
fn nothing_is_left_for_later() {
    // Spelt apart, so that this file does not find itself.
    let marks = [["to", "do!("], ["unimple", "mented!("], ["#[ig", "nore"], ["FIX", "ME"]]
        .map(|it| it.concat());
    for file in rust_files() {
        let page = text(&file);
        for mark in &marks {
            assert!(
                !page.contains(mark.as_str()),
                "{} has `{mark}`: finish it, or take it out",
                file.display()
            );
        }
    }
}

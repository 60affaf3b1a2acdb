//! The reference of all keys, written from their declarations.

use std::fmt::Write as _;

use super::{Described as _, Key, Path, Settings};

/// All keys as a Markdown document.
pub fn reference() -> String {
    let mut keys = Vec::new();
    Settings::default().describe(&Path::Root, "", &mut keys);
    #[cfg(not(target_family = "wasm"))]
    keys.retain(|key| !key.is_section());
    let mut page = format!("{INTRODUCTION}\n```yaml\n{}```\n", defaults(&keys));
    for Key { path, takes, default, about } in &keys {
        // Writing to a String cannot fail.
        let _ = write!(page, "\n## `{path}`\n\n{about}\n\nTakes {takes}. Default: `{default}`.\n");
    }
    page
}

/// All keys with their defaults, as YAML.
fn defaults(keys: &[Key]) -> String {
    let mut yaml = String::new();
    let mut open: Vec<&str> = Vec::new();
    for Key { path, default, .. } in keys.iter().filter(|key| !is_within_another(key, keys)) {
        let mut sections: Vec<_> = path.split('.').collect();
        let name = sections.pop().unwrap_or_default();
        let shared = open.iter().zip(&sections).take_while(|(one, other)| one == other).count();
        for (depth, section) in sections.iter().enumerate().skip(shared) {
            let _ = writeln!(yaml, "{:1$}{section}:", "", 2 * depth);
        }
        let _ = writeln!(yaml, "{:1$}{name}: {default}", "", 2 * sections.len());
        open = sections;
    }
    yaml
}

/// Whether it is part of what another key takes: entries of a list, and maps that are there only if they are
/// said, have no defaults of their own.
fn is_within_another(key: &Key, keys: &[Key]) -> bool {
    keys.iter().any(|other| {
        let rest = key.path.strip_prefix(&other.path);
        rest.is_some_and(|rest| rest.starts_with(['.', '[']))
    })
}

const INTRODUCTION: &str = "\
# Configuration

<!-- Generated from the declarations in plugin/core/src/config/. To change it, change them
     and run `SIGHTLINE_ACCEPT=1 cargo test -p sightline-tests --test tidy`. -->

Every key is optional, and an empty configuration works. In Envoy it is written as YAML, in a
`google.protobuf.Struct`, or as JSON text in a `google.protobuf.StringValue`; both mean the same.
A key set to `null` is as good as not said. A wrong configuration is refused whole: Envoy's log names
every problem with the key's path, the value, what was expected and the nearest known name, and Envoy
does not start, or keeps the configuration that it had.

All keys with their defaults:
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_nested_as_their_paths_are() {
        let key = |path: &str| Key {
            path: path.to_owned(),
            takes: String::new(),
            default: path.len().to_string(),
            about: String::new(),
        };
        let keys = ["a", "a.b", "a[].c", "b.c", "b.d", "b.e.f", "g.e.f", "h", "hi"].map(key);
        let expected =
            "a: 1\nb:\n  c: 3\n  d: 3\n  e:\n    f: 5\ng:\n  e:\n    f: 5\nh: 1\nhi: 2\n";
        assert_eq!(defaults(&keys), expected);
    }
}

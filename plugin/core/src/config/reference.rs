//! The reference of all keys, written from their declarations.

use std::fmt::Write as _;

use super::{Key, Path, Setting as _, Settings};

/// All keys as a Markdown document.
pub fn reference() -> String {
    let mut keys = Vec::new();
    Settings::default().describe(&Path::Root, "", &mut keys);
    let mut page = INTRODUCTION.to_owned();
    for Key { path, takes, default, about } in keys {
        // Writing to a String cannot fail.
        let _ = write!(page, "\n## `{path}`\n\n{about}\n\nTakes {takes}. Default: `{default}`.\n");
    }
    page
}

const INTRODUCTION: &str = "\
# Configuration

<!-- Generated from the declarations in plugin/core/src/config/settings.rs. To change it, change them
     and run `SIGHTLINE_ACCEPT=1 cargo test -p sightline-tests --test tidy`. -->

Every key is optional, and an empty configuration works. In Envoy it is written as YAML, in a
`google.protobuf.Struct`, or as JSON text in a `google.protobuf.StringValue`; both mean the same.
A key set to `null` is as good as not said. A wrong configuration is refused whole: Envoy's log names
every problem with the key's path, the value, what was expected and the nearest known name, and Envoy
does not start, or keeps the configuration that it had.
";

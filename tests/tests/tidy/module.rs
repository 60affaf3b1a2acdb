//! The finished module is what Envoy should load: read here with another parser than the one that
//! finished it.

use std::collections::BTreeSet;

use crate::root;
use sightline_cli::FILTER;
use sightline_setup::filter::surface::{EXPORTS, MOST_BYTES};
use wasmparser::{Name, NameSectionReader, Parser, Payload, TypeRef};

/// What the filter asks of the host. A new one has a price for users: it is added here on purpose. That
/// the oldest supported Envoy offers each of them is checked when the module is finished.
const IMPORTS: [&str; 25] = [
    "env.proxy_add_header_map_value",
    "env.proxy_call_foreign_function",
    "env.proxy_define_metric",
    "env.proxy_get_buffer_bytes",
    "env.proxy_get_header_map_pairs",
    "env.proxy_get_header_map_value",
    "env.proxy_get_property",
    "env.proxy_get_shared_data",
    "env.proxy_grpc_call",
    "env.proxy_http_call",
    "env.proxy_increment_metric",
    "env.proxy_log",
    "env.proxy_record_metric",
    "env.proxy_remove_header_map_value",
    "env.proxy_replace_header_map_value",
    "env.proxy_send_local_response",
    "env.proxy_set_property",
    "env.proxy_set_shared_data",
    "env.proxy_set_tick_period_milliseconds",
    "wasi_snapshot_preview1.clock_time_get",
    "wasi_snapshot_preview1.environ_get",
    "wasi_snapshot_preview1.environ_sizes_get",
    "wasi_snapshot_preview1.fd_write",
    "wasi_snapshot_preview1.proc_exit",
    "wasi_snapshot_preview1.random_get",
];

#[derive(Default)]
struct Surface {
    exports: BTreeSet<String>,
    imports: BTreeSet<String>,
    custom: Vec<String>,
    functions: Vec<String>,
}

fn surface() -> Surface {
    let mut surface = Surface::default();
    for payload in Parser::new(0).parse_all(FILTER) {
        match payload.expect("the finished module is valid") {
            Payload::ExportSection(exports) => {
                surface.exports.extend(exports.into_iter().map(|it| it.unwrap().name.to_owned()));
            }
            Payload::ImportSection(imports) => {
                for import in imports.into_imports().map(Result::unwrap) {
                    assert!(matches!(import.ty, TypeRef::Func(_)), "{import:?} is no function");
                    surface.imports.insert(format!("{}.{}", import.module, import.name));
                }
            }
            Payload::CustomSection(section) => {
                surface.custom.push(section.name().to_owned());
                let reader = wasmparser::BinaryReader::new(section.data(), section.data_offset());
                for name in NameSectionReader::new(reader) {
                    let Ok(Name::Function(names)) = name else {
                        panic!("names of more than functions")
                    };
                    surface
                        .functions
                        .extend(names.into_iter().map(|it| it.unwrap().name.to_owned()));
                }
            }
            _ => {}
        }
    }
    surface
}

#[test]
fn exports_are_exactly_the_callbacks_with_a_body() {
    let listed: BTreeSet<_> = EXPORTS.map(str::to_owned).into();
    assert_eq!(surface().exports, listed);
}

#[test]
fn imports_are_exactly_these() {
    let imports = surface().imports;
    assert_eq!(imports.iter().map(String::as_str).collect::<Vec<_>>(), IMPORTS);
}

#[test]
fn only_function_names_are_kept_for_backtraces() {
    let surface = surface();
    assert_eq!(surface.custom, ["name"]);
    let named = |part: &str| surface.functions.iter().any(|name| name.contains(part));
    assert!(named("stream::Stream::begin") && named("exchange::Exchange::finish"));
    assert!(!named("17h"), "names are without hashes");
}

/// Each is many kilobytes, and comes in by one innocent line: a double in a `format!`, a `parse`, a set
/// that is collected.
#[test]
fn what_is_large_in_the_standard_library_is_not_in_the_module() {
    let surface = surface();
    for (large, instead) in [
        ("float_to_decimal", "write numbers as plugin/core/src/config/value.rs does"),
        ("dec2flt", "compare digits as plugin/templates/src/template/decimal.rs does"),
        ("sort::stable", "use sightline_templates::sort, and put into sets one by one"),
        ("sort::unstable", "use sightline_templates::sort, and put into sets one by one"),
    ] {
        let found = surface.functions.iter().find(|name| name.contains(large));
        assert_eq!(found, None, "{instead}");
    }
}

/// A panic that the compiler could not rule out leaves the place of its source in the module.
#[test]
fn no_panic_of_ours_is_in_the_module_and_no_path_of_a_machine() {
    let text = String::from_utf8_lossy(FILTER);
    assert!(text.contains("library/alloc/src/"), "places of panics are spelt otherwise now");
    for source in ["plugin/", "registry/src", root().to_str().unwrap()] {
        let found = text.find(source).map(|at| text[at..].chars().take(80).collect::<String>());
        assert_eq!(found, None, "a place in {source} is in the module");
    }
}

#[test]
fn the_module_is_valid_and_within_its_size() {
    wasmparser::validate(FILTER).unwrap();
    assert!(FILTER.len() <= MOST_BYTES, "{} bytes", FILTER.len());
}

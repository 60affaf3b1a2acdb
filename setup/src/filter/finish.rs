//! Finishes the module that cargo built, so that it is what Envoy should load.
//!
//! Four things are done, and the build fails where one of them cannot be:
//!
//! - Exports that are not in [`surface::EXPORTS`] are dropped. Envoy looks for callbacks by name and
//!   enters the module for each that exists, so one without a body costs time on every request. A
//!   listed one that is missing is a mistake of ours that Envoy would not report: it would not call it.
//! - Custom sections are dropped, save the names of functions, which Envoy prints when the module
//!   traps. Those are demangled, and lose the hash that Rust adds, the
//!   arguments of generic types, the traits and most of their paths.
//! - Imports are checked against [`surface::IMPORTS`], because Envoy refuses a module for one
//!   function that it does not offer.
//! - The size is checked against [`surface::MOST_BYTES`]: every worker of every Envoy compiles it.
//!
//! No code is changed, and none is removed: that is the linker's work.

use super::surface::{EXPORTS, IMPORTS, MOST_BYTES};
use super::wasm::{Reader, Section, Writer, broken, put_number, put_sized, section, sections};
use crate::Error;

/// The kind of an import that is a function; the others are tables, memories, globals and tags.
const FUNCTION: u8 = 0;
/// The part of the section "name" that names functions.
const FUNCTION_NAMES: u8 = 1;

/// A module that Envoy may load.
#[derive(Debug)]
pub(super) struct Finished {
    pub(super) module: Vec<u8>,
    pub(super) dropped_exports: Vec<String>,
}

/// Does all of the above.
pub(super) fn finish(module: &[u8]) -> Result<Finished, Error> {
    let mut writer = Writer::new();
    let mut exports = Exports::default();
    let mut names = None;
    for Section { id, body } in sections(module)? {
        match id {
            section::CUSTOM => names = function_names(body)?.or(names),
            section::EXPORT => {
                exports = Exports::sort_out(body)?;
                writer.section(id, &exports.kept_section());
            }
            section::IMPORT => {
                check_imports(body)?;
                writer.section(id, body);
            }
            _ => writer.section(id, body),
        }
    }
    exports.check()?;
    if let Some(names) = names {
        writer.section(section::CUSTOM, &names);
    }
    let module = writer.done();
    check_size(module.len())?;
    Ok(Finished { module, dropped_exports: exports.dropped })
}

/// The exports of a module, sorted into those that stay and those that go.
#[derive(Default)]
struct Exports<'a> {
    kept: Vec<Export<'a>>,
    dropped: Vec<String>,
}

struct Export<'a> {
    name: &'a str,
    kind: u8,
    index: u32,
}

impl<'a> Exports<'a> {
    fn sort_out(body: &'a [u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(body);
        let mut exports = Self::default();
        for _ in 0..reader.number()? {
            let (name, kind, index) = (reader.name()?, reader.byte()?, reader.number()?);
            if EXPORTS.contains(&name) {
                exports.kept.push(Export { name, kind, index });
            } else {
                exports.dropped.push(name.to_owned());
            }
        }
        reader.end("the exports")?;
        Ok(exports)
    }

    fn kept_section(&self) -> Vec<u8> {
        let mut body = Vec::new();
        put_number(&mut body, self.kept.len());
        for export in &self.kept {
            put_sized(&mut body, export.name.as_bytes());
            body.push(export.kind);
            put_number(&mut body, export.index as usize);
        }
        body
    }

    fn check(&self) -> Result<(), Error> {
        let is_missing = |name: &&str| !self.kept.iter().any(|export| export.name == *name);
        let missing: Vec<&str> = EXPORTS.into_iter().filter(is_missing).collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(Error::new(format!(
            "The filter does not export {}, so Envoy would never call it. Export it from the \
             filter's abi room, or take it off the list in setup/src/filter/surface.rs.",
            missing.join(", ")
        )))
    }
}

fn check_imports(body: &[u8]) -> Result<(), Error> {
    let mut reader = Reader::new(body);
    for _ in 0..reader.number()? {
        let (module, name, kind) = (reader.name()?, reader.name()?, reader.byte()?);
        let offered = IMPORTS.iter().any(|&(from, names)| from == module && names.contains(&name));
        if kind != FUNCTION || !offered {
            return Err(Error::new(format!(
                "The filter imports {module}.{name}, which Envoy 1.36 does not offer, so it would \
                 not load there. Find what asks for it, most likely something new from the \
                 standard library, and do without."
            )));
        }
        reader.number()?;
    }
    reader.end("the imports")
}

/// The section "name" with nothing but the functions' names in it, if this custom section is it.
fn function_names(body: &[u8]) -> Result<Option<Vec<u8>>, Error> {
    let mut reader = Reader::new(body);
    if reader.name()? != "name" {
        return Ok(None);
    }
    let mut names = None;
    while !reader.is_empty() {
        let (part, content) = (reader.byte()?, reader.sized()?);
        if part == FUNCTION_NAMES && names.replace(demangled(content)?).is_some() {
            return Err(broken("it names its functions twice"));
        }
    }
    Ok(names.map(|names| {
        let mut section = Vec::new();
        put_sized(&mut section, b"name");
        section.push(FUNCTION_NAMES);
        put_sized(&mut section, &names);
        section
    }))
}

fn demangled(names: &[u8]) -> Result<Vec<u8>, Error> {
    let mut reader = Reader::new(names);
    let count = reader.number()?;
    let mut out = Vec::with_capacity(names.len());
    put_number(&mut out, count as usize);
    for _ in 0..count {
        put_number(&mut out, reader.number()? as usize);
        // The alternate form is the one without the hash.
        let name = format!("{:#}", rustc_demangle::demangle(reader.name()?));
        put_sized(&mut out, shortened(&name).as_bytes());
    }
    reader.end("the names of functions")?;
    Ok(out)
}

/// The last parts of a name's path, `vec::Vec::push` for `<alloc::vec::Vec<T,A> as Push<T>>::push`: enough to find it by,
/// and all names together are a tenth of the module otherwise.
fn shortened(name: &str) -> String {
    const PARTS: usize = 3;
    let name = without_arguments(name);
    let parts: Vec<&str> = name.split("::").collect();
    parts[parts.len().saturating_sub(PARTS)..].join("::")
}

/// A name without what stands between brackets behind one, and without the traits that it is of.
fn without_arguments(name: &str) -> String {
    let mut short = String::with_capacity(name.len());
    let mut depth = 0;
    let mut is_trait = false;
    for character in name.chars() {
        let is_behind_name = short.ends_with(|last: char| last.is_alphanumeric() || last == '_');
        match character {
            '<' if depth > 0 || is_behind_name => depth += 1,
            '>' if depth > 0 => depth -= 1,
            '<' => {}
            '>' => is_trait = false,
            _ if depth > 0 || is_trait => {}
            _ => short.push(character),
        }
        if let Some(of) = short.strip_suffix(" as ") {
            is_trait = true;
            short.truncate(of.len());
        }
    }
    short
}

fn check_size(bytes: usize) -> Result<(), Error> {
    if bytes <= MOST_BYTES {
        return Ok(());
    }
    Err(Error::new(format!(
        "The finished filter has {bytes} bytes; at most {MOST_BYTES} are promised to its users. \
         See what the last change brought in: a new dependency, formatting of floats, a large table."
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A module with the listed exports, one more, one import, and names, as the linker leaves it.
    struct Sample {
        exports: Vec<&'static str>,
        import: (&'static str, &'static str),
        code: Vec<u8>,
    }

    const MANGLED: &str = "_ZN9sightline6record17h0123456789abcdefE";

    impl Sample {
        fn new() -> Self {
            let mut exports = EXPORTS.to_vec();
            exports.insert(3, "proxy_on_done");
            Self { exports, import: ("env", "proxy_log"), code: vec![2, 0, 0x0b] }
        }

        fn module(&self) -> Vec<u8> {
            let mut writer = self.before_names();
            writer.section(section::CUSTOM, &names(MANGLED, true));
            writer.section(section::CUSTOM, b"\x09producersrustc");
            writer.done()
        }

        fn before_names(&self) -> Writer {
            let mut import = vec![1];
            put_sized(&mut import, self.import.0.as_bytes());
            put_sized(&mut import, self.import.1.as_bytes());
            import.extend([0, 0]);
            let mut writer = Writer::new();
            // One type without parameters, the import, one function, a memory of one page.
            writer.section(1, &[1, 0x60, 0, 0]);
            writer.section(section::IMPORT, &import);
            writer.section(section::FUNCTION, &[1, 0]);
            writer.section(5, &[1, 0, 1]);
            writer.section(section::EXPORT, &exports(&self.exports));
            writer.section(section::DATA_COUNT, &[1]);
            writer.section(section::CODE, &[&[1], &self.code[..]].concat());
            writer.section(section::DATA, &[1, 0, 0x41, 0, 0x0b, 2, b'h', b'i']);
            writer
        }
    }

    fn exports(names: &[&str]) -> Vec<u8> {
        let mut body = vec![];
        put_number(&mut body, names.len());
        for name in names {
            put_sized(&mut body, name.as_bytes());
            body.extend(if *name == "memory" { [2, 0] } else { [0, 1] });
        }
        body
    }

    fn names(function: &str, with_module: bool) -> Vec<u8> {
        let mut body = b"\x04name".to_vec();
        if with_module {
            body.extend(b"\x00\x04\x03abc");
        }
        let mut functions = vec![1, 1];
        put_sized(&mut functions, function.as_bytes());
        body.push(FUNCTION_NAMES);
        put_sized(&mut body, &functions);
        body
    }

    #[test]
    fn names_are_their_last_parts_without_arguments_and_traits() {
        for (name, short) in [
            ("sightline::record", "sightline::record"),
            ("a::b::c::d::e", "c::d::e"),
            ("alloc::vec::Vec<T,A>::push", "vec::Vec::push"),
            ("<alloc::vec::Vec<T,A> as core::clone::Clone>::clone", "vec::Vec::clone"),
            ("<&mut F as core::ops::FnMut<A>>::call_mut", "&mut F::call_mut"),
            ("a<b<c>,<d as e>::f>::g::{{closure}}", "a::g::{{closure}}"),
            ("core::str::<impl str>::trim", "str::impl str::trim"),
        ] {
            assert_eq!(shortened(name), short);
        }
    }

    #[test]
    fn only_the_listed_exports_and_readable_function_names_stay() {
        let finished = finish(&Sample::new().module()).unwrap();
        let mut expected = Sample { exports: EXPORTS.to_vec(), ..Sample::new() }.before_names();
        expected.section(section::CUSTOM, &names("sightline::record", false));
        assert_eq!(finished.module, expected.done());
        assert_eq!(finished.dropped_exports, ["proxy_on_done"]);
    }

    #[test]
    fn finishing_a_finished_module_changes_nothing() {
        let once = finish(&Sample::new().module()).unwrap();
        let twice = finish(&once.module).unwrap();
        assert_eq!(twice.module, once.module);
        assert!(twice.dropped_exports.is_empty());
    }

    #[test]
    fn each_missing_export_is_named() {
        for name in EXPORTS {
            let exports = EXPORTS.into_iter().filter(|&export| export != name).collect();
            let failed = finish(&Sample { exports, ..Sample::new() }.module()).unwrap_err();
            assert!(failed.to_string().contains(&format!("does not export {name},")), "{failed}");
        }
    }

    #[test]
    fn an_import_that_envoy_does_not_offer_is_named() {
        let table = [
            ("unknown to proxy-wasm", ("env", "proxy_clear_route_cache")),
            ("WASI that came later", ("wasi_snapshot_preview1", "clock_res_get")),
            ("in the wrong module", ("wasi_snapshot_preview1", "proxy_log")),
            ("of another module", ("wasi_unstable", "fd_write")),
        ];
        for (row, import) in table {
            let failed = finish(&Sample { import, ..Sample::new() }.module()).unwrap_err();
            let offender = format!("imports {}.{},", import.0, import.1);
            assert!(failed.to_string().contains(&offender), "{row}: {failed}");
        }
    }

    #[test]
    fn a_module_over_the_limit_is_refused_with_its_size() {
        let with_code = |bytes: usize| {
            let mut code = vec![];
            put_sized(&mut code, &vec![1; bytes]);
            finish(&Sample { code, ..Sample::new() }.module())
        };
        let overhead = with_code(MOST_BYTES / 2).unwrap().module.len() - MOST_BYTES / 2;
        assert_eq!(with_code(MOST_BYTES - overhead).unwrap().module.len(), MOST_BYTES);
        let refused = with_code(MOST_BYTES - overhead + 1).unwrap_err().to_string();
        assert!(refused.starts_with("The finished filter has 614401 bytes"), "{refused}");
    }

    #[test]
    fn a_module_that_was_cut_off_anywhere_is_refused() {
        let module = Sample::new().module();
        let before_names = Sample::new().before_names().done().len();
        let names_end = module.len() - 2 - b"\x09producersrustc".len();
        for length in 0..module.len() {
            let finished = finish(&module[..length]);
            // Names are optional: without them, or without what follows them, it is whole.
            let is_whole = length == before_names || length == names_end;
            assert_eq!(finished.is_ok(), is_whole, "{length} of {} bytes", module.len());
        }
    }

    #[test]
    fn no_single_wrong_byte_makes_it_panic() {
        let module = Sample::new().module();
        for at in 0..module.len() {
            for wrong in [0x00, 0x01, 0x7f, 0x80, 0xff] {
                let mut module = module.clone();
                module[at] = wrong;
                // Some are another sound module; what counts is that all are answered.
                if let Ok(finished) = finish(&module) {
                    assert!(finish(&finished.module).is_ok(), "byte {at} made {wrong:#x}");
                }
            }
        }
    }
}

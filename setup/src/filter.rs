//! Builds the filter that Envoy loads and writes it to `target/sightline.wasm`.

mod finish;
pub mod surface;
mod wasm;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::lock::Lock;
use crate::step::Step;
use crate::{Checkout, Error, disk, run, target};

/// The finished filter.
#[derive(Debug)]
pub struct Built {
    /// `target/sightline.wasm` in the checkout.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// The size of the module that cargo built, before finishing.
    pub bytes_before: u64,
    /// The names of the exports that finishing took away.
    pub dropped_exports: Vec<String>,
}

/// What an outer cargo or clippy leaves in the environment of a build script or of a test, and what
/// a developer sets for native code: each would make another module of the same source, or make it
/// in a folder that the outer cargo has locked. `CARGO_TARGET_WASM32_WASIP1_RUSTFLAGS` stays, since
/// it can only be meant for us.
const NOT_FOR_THE_FILTER: [&str; 7] = [
    "CARGO_BUILD_BUILD_DIR",
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_INCREMENTAL",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTC_WRAPPER",
    "RUSTFLAGS",
];

/// Compiles, finishes and writes the filter; where nothing changed, the file is left as it is, with
/// its time, so that nothing that depends on it is built again.
pub fn build(checkout: &Checkout) -> Result<Built, Error> {
    let _lock = Lock::take(checkout, "filter")?;
    target::ensure(checkout)?;
    let raw = compile(checkout)?;
    let module = fs::read(&raw).map_err(|cause| Error::at("read", &raw, &cause))?;
    let finished = finish::finish(&module)?;
    let path = checkout.target().join("sightline.wasm");
    disk::write_if_changed(&path, &finished.module)?;
    Ok(Built {
        path,
        bytes: finished.module.len() as u64,
        bytes_before: module.len() as u64,
        dropped_exports: finished.dropped_exports,
    })
}

/// Runs cargo, announced only once it says something else than that it has finished.
fn compile(checkout: &Checkout) -> Result<PathBuf, Error> {
    let mut step = None;
    let folder = checkout.target().join("filter");
    let said = run::listen(&mut cargo(checkout, &folder), |line| {
        if line.trim_start().starts_with("Finished") {
            return;
        }
        step.get_or_insert_with(|| Step::begin("building the filter"));
        eprintln!("{line}");
    })?;
    if !said.status.success() {
        let status = said.status;
        return Err(Error::new(format!(
            "Cargo could not build the filter ({status}). Its messages above say why."
        )));
    }
    if let Some(step) = step {
        step.done();
    }
    Ok(folder.join(target::NAME).join("filter/sightline_filter.wasm"))
}

/// The target folder is the filter's own: an outer cargo that waits for us holds the lock of its.
fn cargo(checkout: &Checkout, folder: &Path) -> Command {
    let mut cargo = checkout.cargo();
    for name in NOT_FOR_THE_FILTER {
        cargo.env_remove(name);
    }
    cargo.args(["build", "--package", "sightline-filter", "--lib", "--profile", "filter"]);
    cargo.args(["--target", target::NAME, "--target-dir"]).arg(folder);
    if let Some(sources) = sources_of_dependencies() {
        // The module holds the places of possible panics: the same ones wherever it is built, and none
        // that tells whose machine that was.
        let flag = format!("--remap-path-prefix={}=dependencies", sources.display());
        cargo.arg("--config").arg(format!("target.{}.rustflags=[{flag:?}]", target::NAME));
    }
    cargo
}

/// Where cargo keeps them, on a machine where it keeps them in the usual place.
fn sources_of_dependencies() -> Option<PathBuf> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| env::home_dir().map(|home| home.join(".cargo")))?;
    Some(home.join("registry/src"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::tests::Scratch;
    use std::time::{Duration, SystemTime};

    const WORKSPACE: &str = r#"
        [workspace]
        resolver = "3"
        members = ["plugin/filter"]
        [profile.filter]
        inherits = "release"
    "#;
    const PACKAGE: &str = r#"
        [package]
        name = "sightline-filter"
        edition = "2021"
        [lib]
        crate-type = ["cdylib"]
    "#;

    /// A checkout whose filter has the exports of ours, without their bodies.
    fn scratch(name: &str) -> Scratch {
        let scratch = Scratch::new(name);
        scratch.write("Cargo.toml", WORKSPACE);
        scratch.write("plugin/filter/Cargo.toml", PACKAGE);
        write_filter(&scratch, &surface::EXPORTS);
        scratch
    }

    fn write_filter(scratch: &Scratch, exports: &[&str]) {
        let callbacks = exports.iter().filter(|name| **name != "memory");
        let export = |name| format!("#[no_mangle] extern \"C\" fn {name}() {{ println!(); }}\n");
        scratch.write("plugin/filter/src/lib.rs", &callbacks.map(export).collect::<String>());
    }

    #[test]
    fn the_filter_is_finished_and_replaced_only_when_it_changed() {
        let scratch = scratch("filter");
        let built = build(&scratch.checkout).unwrap();
        assert_eq!(built.path, scratch.checkout.root().join("target/sightline.wasm"));
        assert_eq!(built.bytes, fs::metadata(&built.path).unwrap().len());
        assert!(built.bytes < built.bytes_before, "{built:?}");
        assert!(built.dropped_exports.is_empty(), "{built:?}");

        let long_ago = SystemTime::now() - Duration::from_hours(1);
        let file = fs::File::options().write(true).open(&built.path).unwrap();
        file.set_modified(long_ago).unwrap();
        let changed = || fs::metadata(&built.path).unwrap().modified().unwrap();
        build(&scratch.checkout).unwrap();
        assert_eq!(changed(), long_ago, "nothing changed");

        write_filter(&scratch, &[&surface::EXPORTS[..], &["proxy_on_done"]].concat());
        let dropped = build(&scratch.checkout).unwrap().dropped_exports;
        assert_eq!(dropped, ["proxy_on_done"]);
    }

    #[test]
    fn a_failed_build_leaves_the_last_filter_in_place() {
        let scratch = scratch("filter-failed");
        let path = build(&scratch.checkout).unwrap().path;
        let last = fs::read(&path).unwrap();
        let rows: [(&str, &dyn Fn(), &str); 2] = [
            (
                "no callbacks",
                &|| write_filter(&scratch, &[]),
                "does not export _initialize, proxy_",
            ),
            ("no Rust", &|| drop(scratch.write("plugin/filter/src/lib.rs", "?")), "Cargo could"),
        ];
        for (name, change, expected) in rows {
            change();
            let failed = build(&scratch.checkout).unwrap_err().to_string();
            assert!(failed.contains(expected), "{name}: {failed}");
            assert_eq!(fs::read(&path).unwrap(), last, "{name}");
        }
    }

    /// Runs a test above once more, as a build script under clippy would run what it tests.
    #[test]
    fn what_an_outer_cargo_leaves_in_the_environment_makes_no_difference() {
        let again = "filter::tests::the_filter_is_finished_and_replaced_only_when_it_changed";
        let mut test = Command::new(env::current_exe().unwrap());
        test.args(["--exact", again]);
        for (name, value) in [
            ("CARGO_BUILD_TARGET", "no-such-target"),
            ("CARGO_ENCODED_RUSTFLAGS", "--no-such-flag"),
            ("CARGO_TARGET_DIR", "/no/such/folder"),
            ("RUSTC_WORKSPACE_WRAPPER", "/no/such/clippy-driver"),
            ("RUSTC_WRAPPER", "/no/such/wrapper"),
            ("RUSTFLAGS", "--no-such-flag"),
        ] {
            test.env(name, value);
        }
        let output = test.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&output.stderr));
    }
}

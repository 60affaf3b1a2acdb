//! `cargo xtask fuzz`: hostile bytes for what reads paths, headers, templates, configurations and
//! shared state.
//!
//! It does with the stable compiler what cargo-fuzz does with nightly: the targets in `fuzz/` and all
//! that they use are instrumented, and libFuzzer drives them. There is no sanitizer, which only nightly
//! has, and the core, where `unsafe` is forbidden, needs none.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, SystemTime};

use sightline_setup::Checkout;

use crate::Outcome;
use crate::args::Fuzz;

/// All targets: the files in `fuzz/fuzz_targets/`.
pub(crate) const TARGETS: [&str; 13] = [
    "template",
    "matcher",
    "inference",
    "learner",
    "config",
    "request_id",
    "traceparent",
    "tracestate",
    "baggage",
    "line",
    "otlp_reply",
    "sheet",
    "roll",
];

/// How the compiler is told to count which code runs and what it compares, as cargo-fuzz tells it. It only
/// hands these names on to LLVM, so each build is looked at for what should have come of them.
const FLAGS: [&str; 7] = [
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cllvm-args=-simplifycfg-branch-fold-threshold=0",
];

/// What each run of a target is told: an input that takes longer than these seconds or more than these
/// MiB is a crash too. 4 KiB are more than any template and than most paths.
const LIMITS: [&str; 3] = ["-timeout=10", "-rss_limit_mb=1024", "-max_len=4096"];

/// And how little is printed: where it begins, and at the end how much was tried.
const QUIET: [&str; 3] = ["-verbosity=0", "-print_funcs=0", "-print_final_stats=1"];

/// Tables of the core's tests whose rows are seeds as well: for which target, which table, which of its
/// columns, and what stands in front.
const TABLES: [(&str, &str, usize, &str); 4] = [
    // The first line is the limits, and each path has in front what is done with it.
    ("inference", "inference.tsv", 0, "?!\n@"),
    ("inference", "identifiers.txt", 0, "?!\n@/a/"),
    ("inference", "words.txt", 0, "?!\n@/"),
    ("template", "inference.tsv", 1, ""),
];

/// The targets, built.
pub(crate) struct Fuzzer {
    programs: PathBuf,
    checkout: Checkout,
}

/// What came of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Verdict {
    Nothing,
    /// The input is kept, and was told.
    Found,
}

pub(crate) fn run(options: &Fuzz) -> Outcome {
    let fuzzer = Fuzzer::build(&Checkout::find()?)?;
    let mut failed = Vec::new();
    for target in TARGETS.into_iter().filter(|&it| options.target.is_none_or(|only| only == it)) {
        if fuzzer.run(target, options.period)? == Verdict::Found {
            failed.push(target);
        }
    }
    if failed.is_empty() {
        println!("fuzz: nothing was found");
        return Ok(ExitCode::SUCCESS);
    }
    println!("fuzz: found something in {}", failed.join(", "));
    Ok(ExitCode::FAILURE)
}

impl Fuzzer {
    /// Builds all targets.
    pub(crate) fn build(checkout: &Checkout) -> Result<Self, Box<dyn std::error::Error>> {
        ensure_cxx()?;
        let host = host()?;
        eprintln!("fuzz: building the targets");
        let folder = folder(checkout).join("build");
        let mut cargo = checkout.cargo();
        cargo.args(["build", "--quiet", "--release", "--locked", "--manifest-path"]);
        cargo.arg(checkout.root().join("fuzz/Cargo.toml"));
        // With a target given, build scripts are compiled without the flags.
        cargo.args(["--target", &host, "--target-dir"]).arg(&folder);
        cargo.env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\u{1f}"));
        if !cargo.status()?.success() {
            return Err("the fuzz targets could not be built: see above.".into());
        }
        let programs = folder.join(host).join("release");
        for target in TARGETS {
            ensure_instrumented(&fs::read(programs.join(target))?)?;
        }
        Ok(Self { programs, checkout: checkout.clone() })
    }

    /// Runs one target for so long, or until it finds something.
    pub(crate) fn run(&self, target: &'static str, period: Duration) -> io::Result<Verdict> {
        let began = SystemTime::now();
        let seconds = period.as_secs().max(1);
        eprintln!("fuzz: {target} for {seconds} s");
        let corpus = self.seeded(target)?;
        let artifacts = self.artifacts(target);
        fs::create_dir_all(&artifacts)?;
        let mut program = self.program(target);
        program.args(LIMITS).args(QUIET).arg(format!("-max_total_time={seconds}"));
        program.arg(format!("-dict={}", self.checkout.root().join("fuzz/routes.dict").display()));
        // What stands in front of the names of its files, so it ends with a slash.
        program.arg(format!("-artifact_prefix={}/", artifacts.display()));
        let mut running = program.arg(corpus).stderr(Stdio::piped()).spawn()?;
        if let Some(said) = running.stderr.take() {
            pass_on(BufReader::new(said), &mut io::stderr())?;
        }
        if running.wait()?.success() {
            return Ok(Verdict::Nothing);
        }
        match newest(&artifacts, began)? {
            Some(input) => self.tell_how_to_repeat(target, &input),
            None => eprintln!("fuzz: {target} failed without an input: see above"),
        }
        Ok(Verdict::Found)
    }

    fn program(&self, target: &str) -> Command {
        let mut program = Command::new(self.programs.join(target));
        program.current_dir(self.checkout.root()).stdin(Stdio::null());
        program
    }

    /// The folder of the corpus, with all seeds in it. What was found in earlier runs stays.
    fn seeded(&self, target: &str) -> io::Result<PathBuf> {
        let corpus = folder(&self.checkout).join("corpus").join(target);
        fs::create_dir_all(&corpus)?;
        let seeds = self.checkout.root().join("fuzz/seeds").join(target);
        for seed in fs::read_dir(seeds)? {
            let seed = seed?;
            fs::copy(seed.path(), corpus.join(seed.file_name()))?;
        }
        let tables = self.checkout.root().join("plugin/core/tests/routes");
        for (_, table, column, before) in TABLES.iter().filter(|(whose, ..)| *whose == target) {
            let rows = fs::read_to_string(tables.join(table))?;
            for (number, seed) in column_of(&rows, *column).enumerate() {
                fs::write(corpus.join(format!("{table}-{number}")), format!("{before}{seed}"))?;
            }
        }
        Ok(corpus)
    }

    fn artifacts(&self, target: &str) -> PathBuf {
        folder(&self.checkout).join("artifacts").join(target)
    }

    fn tell_how_to_repeat(&self, target: &str, input: &Path) {
        let program = self.programs.join(target);
        let (program, input) = (program.display(), input.display());
        eprintln!("fuzz: {target} failed on the bytes in {input}");
        eprintln!("fuzz: to run it on them again: {program} {input}");
        eprintln!("fuzz: to make them fewer: {program} -minimize_crash=1 -runs=100000 {input}");
    }
}

/// All but the dictionary that libFuzzer recommends at the end, which is long, and its warnings that there is
/// no sanitizer, which is meant. Bytes, not text: it prints what it tried.
fn pass_on(from: impl BufRead, to: &mut impl Write) -> io::Result<()> {
    let mut in_dictionary = false;
    for line in from.split(b'\n') {
        let line = line?;
        in_dictionary |= line.starts_with(b"###### Recommended dictionary.");
        if !in_dictionary && !line.starts_with(b"WARNING: Failed to find function \"__sanitizer_") {
            to.write_all(&line)?;
            to.write_all(b"\n")?;
        }
        in_dictionary &= !line.starts_with(b"###### End of recommended dictionary.");
    }
    Ok(())
}

/// Where all of it is kept.
fn folder(checkout: &Checkout) -> PathBuf {
    checkout.target().join("fuzz")
}

/// One column of a table whose rows are lines, and in which `#` begins a remark.
fn column_of(rows: &str, column: usize) -> impl Iterator<Item = &str> {
    let rows = rows.lines().filter(|row| !row.is_empty() && !row.starts_with('#'));
    rows.filter_map(move |row| row.split('\t').nth(column))
}

/// The file that was written last, if any was since.
fn newest(folder: &Path, since: SystemTime) -> io::Result<Option<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        files.push((entry.metadata()?.modified()?, entry.path()));
    }
    Ok(files.into_iter().filter(|(at, _)| *at >= since).max().map(|(_, path)| path))
}

/// Without counters libFuzzer would try blind, and say that all is well. They have a section of this name.
fn ensure_instrumented(program: &[u8]) -> Result<(), &'static str> {
    let name = b"__sancov_cntrs";
    if program.windows(name.len()).any(|window| window == name) {
        return Ok(());
    }
    Err(
        "this Rust compiler does not count what runs, so nothing would be found. Use the version that \
         Cargo.toml names, or mend FLAGS in xtask/src/fuzz.rs: cargo-fuzz says what is due.",
    )
}

/// libFuzzer comes as source. Without a compiler its build would end in a page of somebody else's words.
pub(crate) fn ensure_cxx() -> Result<(), String> {
    let named = env::var_os("CXX").filter(|name| !name.is_empty());
    let cxx = named.unwrap_or_else(|| OsString::from("c++"));
    let mut ask = Command::new(&cxx);
    ask.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match ask.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) | Err(_) => Err(format!(
            "the fuzz targets need a C++ compiler, and {} does not run. Install one (on Debian: \
             apt-get install g++), or name yours in CXX. cargo xtask test --fast needs none.",
            cxx.display()
        )),
    }
}

/// The compiler's own name for this machine.
fn host() -> Result<String, Box<dyn std::error::Error>> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let said = Command::new(rustc).args(["--print", "host-tuple"]).output()?;
    Ok(String::from_utf8(said.stdout)?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> PathBuf {
        Checkout::find().unwrap().root().to_owned()
    }

    #[test]
    fn every_file_of_targets_is_run_and_built() {
        let files = fs::read_dir(root().join("fuzz/fuzz_targets")).unwrap();
        let stem = |path: PathBuf| path.file_stem().unwrap().to_string_lossy().into_owned();
        let mut found: Vec<_> = files.map(|file| stem(file.unwrap().path())).collect();
        let mut listed = TARGETS.map(str::to_owned);
        found.sort();
        listed.sort();
        assert_eq!(found, listed);
        let manifest = fs::read_to_string(root().join("fuzz/Cargo.toml")).unwrap();
        for target in TARGETS {
            let path = format!("path = \"fuzz_targets/{target}.rs\"");
            assert!(manifest.contains(&path), "fuzz/Cargo.toml has no {path}");
        }
    }

    #[test]
    fn every_target_has_seeds() {
        for target in TARGETS {
            let seeds = fs::read_dir(root().join("fuzz/seeds").join(target)).unwrap();
            assert!(seeds.count() > 0, "{target}");
        }
        for (target, table, column, _) in TABLES {
            let path = root().join("plugin/core/tests/routes").join(table);
            let rows = fs::read_to_string(path).unwrap();
            assert!(column_of(&rows, column).count() > 100, "{table} for {target}");
        }
    }

    #[test]
    fn the_recommended_dictionary_is_left_out_of_what_is_printed() {
        let said = b"INFO: Seed: 1\n\
            WARNING: Failed to find function \"__sanitizer_acquire_crash_state\".\n\
            ###### Recommended dictionary. ######\n\"\\377\" # Uses: 2\n\
            ###### End of recommended dictionary. ######\n\
            \xff is no text\nDone 7 runs in 1 second(s)\n";
        let mut passed_on = Vec::new();
        pass_on(&said[..], &mut passed_on).unwrap();
        assert_eq!(passed_on, b"INFO: Seed: 1\n\xff is no text\nDone 7 runs in 1 second(s)\n");
    }

    #[test]
    fn a_program_without_counters_is_refused() {
        assert!(ensure_instrumented(b".text\0__sancov_cntrs\0.data").is_ok());
        assert!(
            ensure_instrumented(b".text\0.data").unwrap_err().contains("nothing would be found")
        );
    }

    #[test]
    fn a_column_is_without_remarks() {
        let rows = "# a table\n/a\tone\n\n/b\n/c\tthree\tx\n";
        assert_eq!(column_of(rows, 0).collect::<Vec<_>>(), ["/a", "/b", "/c"]);
        assert_eq!(column_of(rows, 1).collect::<Vec<_>>(), ["one", "three"]);
    }
}

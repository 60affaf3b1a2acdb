//! The command as a whole: every verb is completed and described, and it says which filter it has.

use std::fs;
use std::process::Command;

use sightline_cli::FILTER;
use sightline_setup::Checkout;

use super::{fed, sightline};

/// What it says on stdout, where all is well.
fn said(arguments: &[&str]) -> String {
    let output = sightline(arguments).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Those that its own help lists.
fn verbs() -> Vec<String> {
    let help = said(&["--help"]);
    let listed = help.split("\nCommands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    // A description that is too long for its line goes on further in.
    let names = listed.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    names.filter(|name| !matches!(*name, "" | "help")).map(str::to_owned).collect()
}

#[test]
fn every_verb_is_completed_in_every_shell() {
    let verbs = verbs();
    assert!(verbs.iter().any(|verb| verb == "generate"), "{verbs:?}");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = said(&["completions", shell]);
        for word in verbs.iter().map(String::as_str).chain(["bootstrap", "--listen"]) {
            // fish has its flags without dashes.
            assert!(script.contains(word.trim_start_matches('-')), "{shell}: {word}");
        }
    }
    for shell in ["", "tcsh"] {
        let output = sightline(&["completions", shell]).output().unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{shell}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("powershell"), "{shell}");
    }
}

#[test]
fn bash_takes_the_script() {
    let output = fed(Command::new("bash").arg("-n"), said(&["completions", "bash"]));
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn every_verb_has_its_place_in_the_manual() {
    let whole = said(&["man"]);
    assert!(whole.contains("\n.TH sightline 1 "), "{whole}");
    let folder = tempfile::tempdir().unwrap();
    let new = folder.path().join("share/man1");
    assert_eq!(said(&["man", "--out", new.to_str().unwrap()]), "");
    for verb in verbs() {
        assert!(whole.contains(&format!("sightline\\-{verb}(1)")), "{verb}: {whole}");
        assert!(new.join(format!("sightline-{verb}.1")).is_file(), "{verb}");
    }
    for page in fs::read_dir(&new).unwrap() {
        let page = fs::read_to_string(page.unwrap().path()).unwrap();
        // One that has verbs of its own has their examples.
        assert!(page.contains("Example") || page.contains("SUBCOMMANDS"), "no example: {page}");
    }
    assert!(new.join("sightline-generate-bootstrap.1").is_file());
}

#[test]
fn a_manual_that_cannot_be_written_is_told() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let file = file.path().to_str().unwrap();
    let output = sightline(&["man", "--out", file]).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{told}");
    assert!(told.contains(file) && told.contains("--out"), "{told}");
}

/// Python is there, and knows.
fn sha256(bytes: &[u8]) -> String {
    const PROGRAM: &str =
        "import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())";
    let output = fed(Command::new("python3").args(["-c", PROGRAM]), bytes);
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_version_says_which_filter_is_in_it() {
    let built = Checkout::find().unwrap().target().join("sightline.wasm");
    assert!(fs::read(built).unwrap() == FILTER, "what is embedded is not what was built");
    let expected = format!(
        "sightline {} (filter sha256:{}, {} bytes)\n",
        env!("CARGO_PKG_VERSION"),
        &sha256(FILTER)[..12],
        FILTER.len()
    );
    assert_eq!((said(&["--version"]), said(&["-V"])), (expected.clone(), expected));
}

//! `sightline routes import`. The Pythons here are scripts
//! that answer as Python may; real ones, with real apps, are in the tests crate.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Output;

use serde_json::Value;

use super::{fed, sightline};

const DOCUMENT: &str = "openapi: 3.0.0\npaths:\n  /a/{id}: { get: {} }\n  /b: {}\n";

fn import(arguments: &[&str], stdin: &[u8]) -> Output {
    fed(sightline(&["routes", "import"]).args(arguments).env_remove("VIRTUAL_ENV"), stdin)
}

fn told(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// What a Python comes to that does this instead.
fn asked(script: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
    let dir = tempfile::tempdir().unwrap();
    let python = dir.path().join("python");
    fs::write(&python, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&python, fs::Permissions::from_mode(0o755)).unwrap();
    let python = ["flask", "shop:app", "--python", python.to_str().unwrap()];
    told(&import(&[&python, arguments].concat(), b""))
}

#[test]
fn the_block_is_on_stdout_alone_and_what_is_not_in_it_on_stderr_too() {
    let (code, stdout, stderr) = told(&import(&["openapi", "-"], DOCUMENT.as_bytes()));
    let block = "# The routes of standard input.\nroutes:\n  precedence: specific\n  templates:\n    \
                 - GET /a/{id}\n    # not imported: /b (it has no operation)\n";
    assert_eq!((code, stdout.as_str()), (Some(0), block));
    assert_eq!(stderr, "standard input: 1 imported, 1 not:\n  /b (it has no operation)\n");
}

#[test]
fn machines_get_json() {
    let output =
        import(&["openapi", "-", "--output", "json", "--prefix", "v1"], DOCUMENT.as_bytes());
    let (code, stdout, _) = told(&output);
    let said: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(code, Some(0));
    assert_eq!(said["routes"]["templates"], serde_json::json!(["GET /v1/a/{id}"]));
    assert_eq!(said["not_imported"][0]["route"], "/b");
}

#[test]
fn what_cannot_be_read_ends_with_2_and_what_is_wrong_with_1() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("latin1.yaml");
    fs::write(&file, b"openapi: 3.0.0 # caf\xe9\n").unwrap();
    let file = file.to_str().unwrap();
    for (arguments, stdin, code, part) in [
        (&["openapi", "/no/such.yaml"][..], "", 2, "/no/such.yaml cannot be read"),
        (&["openapi", file], "", 2, "cannot be read: stream did not contain valid UTF-8"),
        (&["openapi", "-"], "", 1, "it is empty"),
        (&["openapi", "-"], "a: 1", 1, "neither `openapi` nor `swagger`"),
        (&["openapi"], "", 2, "<FILE>"),
        (&["openapi", "-", "--output", "xml"], "", 2, "possible values: yaml, json"),
        (&["rails", "x"], "", 2, "unrecognized subcommand"),
        (&["flask", "x", "--dir", "/no/such"], "", 2, "--dir /no/such: there is no such folder"),
        (&["flask", "x", "--python", "/no/python"], "", 2, "/no/python cannot be run"),
        (&["flask", "x", "--timeout", "soon"], "", 2, "`soon` is not a duration"),
    ] {
        let (found, stdout, stderr) = told(&import(arguments, stdin.as_bytes()));
        assert_eq!(found, Some(code), "{arguments:?}: {stderr}");
        assert!(stdout.is_empty() && stderr.contains(part), "{arguments:?}: {stderr}");
    }
}

#[test]
fn what_python_answers_is_read_and_what_it_prints_is_not() {
    let answer = r#"{"routes": [{"name": "/a", "methods": null, "parts": [{"text": "/a"}]}], "notes": [], "declared": true}"#;
    let (code, stdout, stderr) =
        asked(&format!("echo noise >&2; echo '{answer}'; sleep 1000"), &[]);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stdout.ends_with("  precedence: declared\n  templates:\n    - /a\n"), "{stdout}");
    assert!(!stderr.contains("noise"), "{stderr}");
}

#[test]
fn a_python_that_gives_no_answer_is_told_with_its_last_words() {
    for (name, script, arguments, code, parts) in [
        ("it ends", "echo boom >&2; exit 3", &[][..], 1, &["exit status: 3", "  boom"][..]),
        ("it says nothing", "exit 0", &[], 1, &["Python ended before the app told its routes"]),
        (
            "it hangs",
            "echo waiting >&2; sleep 1000",
            &["--timeout", "2s"],
            1,
            &["within 2s", "--timeout"],
        ),
        ("it floods", "yes | head -c 5000000 >&2; echo last >&2; exit 1", &[], 1, &["  last"]),
        ("no JSON", "echo hello", &[], 1, &["what is no answer"]),
        ("another JSON", "echo 7", &[], 1, &["what is no answer"]),
        ("no route", "echo '{\"routes\": []}'", &[], 1, &["shop:app has no routes."]),
        (
            "it fails",
            "echo '{\"failed\": \"ModuleNotFoundError: No module named \\u0027shop\\u0027\", \"trace\": [\"a\\u001b[2J\"]}'",
            &[],
            1,
            &["shop:app cannot be loaded: ModuleNotFoundError", "\n  a\\u{1b}[2J\n", "--python"],
        ),
    ] {
        let (found, stdout, stderr) = asked(script, arguments);
        assert_eq!((found, stdout.as_str()), (Some(code), ""), "{name}: {stderr}");
        for part in parts {
            assert!(stderr.contains(part), "{name}: {part} is not in {stderr}");
        }
        assert!(stderr.lines().count() < 20, "{name}: {stderr}");
    }
}

#[test]
fn every_way_has_a_help_with_examples() {
    for way in ["openapi", "fastapi", "flask", "django"] {
        let (code, stdout, _) = told(&import(&[way, "--help"], b""));
        assert_eq!(code, Some(0), "{way}");
        assert!(stdout.contains("Examples:"), "{stdout}");
        assert!(stdout.contains(&format!("sightline routes import {way}")), "{stdout}");
    }
}

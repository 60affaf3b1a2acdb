//! `sightline check`.

use std::fs;
use std::path::Path;
use std::process::Output;

use super::{fed, sightline};

fn check(folder: &Path, arguments: &[&str], stdin: &str) -> Output {
    fed(sightline(&["check"]).args(arguments).current_dir(folder), stdin)
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in [
        ("good.yaml", &b"service: { name: shop }\n"[..]),
        ("warned.yaml", b"access_log: { request_headers: [cookie] }\n"),
        ("wrong.yaml", b"sampling:\n  ratio: 2\n"),
        ("foreign.yaml", b"foo: 1\n"),
        ("empty.yaml", b""),
        ("latin.yaml", b"service:\n  name: caf\xe9\n"),
    ] {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    fs::create_dir(folder.path().join("deploy")).unwrap();
    folder
}

#[test]
fn the_exit_code_says_how_it_went() {
    let folder = folder();
    for (name, files, stdin, code, out, told) in [
        ("good", &["good.yaml"][..], "", 0, "ok good.yaml: 1 configuration\n", ""),
        ("empty", &["empty.yaml"], "", 0, "ok empty.yaml: 1 configuration\n", ""),
        ("a warning", &["warned.yaml"], "", 0, "ok warned.yaml: 1 configuration\n", ""),
        ("wrong", &["wrong.yaml"], "", 1, "wrong.yaml:2:10: error: sampling.ratio: 2", ""),
        ("foreign", &["foreign.yaml"], "", 1, "no configuration of Sightline", ""),
        ("standard input", &["-"], "trace: 1", 1, "<stdin>:1:8: error: trace: 1", ""),
        ("standard input twice", &["-", "-"], "{}", 0, "ok <stdin>: 1 configuration\n", ""),
        (
            "both",
            &["good.yaml", "wrong.yaml"],
            "",
            1,
            "ok good.yaml: 1 configuration\nwrong.yaml:2",
            "",
        ),
        ("missing", &["no.yaml"], "", 2, "", "no.yaml cannot be read: "),
        ("a folder", &["deploy"], "", 2, "", "deploy cannot be read: it is a folder"),
        ("not UTF-8", &["latin.yaml"], "", 2, "", "the byte 0xe9 in line 2"),
        ("all", &["no.yaml", "wrong.yaml", "good.yaml"], "", 2, "ok good.yaml", "no.yaml"),
        ("none", &[], "", 2, "", "<FILE>"),
    ] {
        let output = check(folder.path(), files, stdin);
        let stdout = String::from_utf8(output.stdout).unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{name}: {stdout}{stderr}");
        assert!(stdout.contains(out) && out.is_empty() == stdout.is_empty(), "{name}: {stdout}");
        assert!(stderr.contains(told) && told.is_empty() == stderr.is_empty(), "{name}: {stderr}");
        assert!(!stdout.contains('\u{1b}'), "{name}: {stdout}");
    }
}

#[test]
fn programs_get_one_array() {
    let folder = folder();
    let files = ["--output", "json", "good.yaml", "warned.yaml", "wrong.yaml"];
    let output = check(folder.path(), &files, "");
    assert_eq!(output.status.code(), Some(1));
    let read: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let expected = serde_json::json!([
        {
            "file": "warned.yaml", "line": 1, "column": 33, "path": "access_log.request_headers[0]",
            "severity": "warning", "message": "cookie is never captured, because of access_log.redact",
            "nearest": null,
        },
        {
            "file": "wrong.yaml", "line": 2, "column": 10, "path": "sampling.ratio", "severity": "error",
            "message": "2 stands here, expected a number from 0 to 1", "nearest": null,
        },
    ]);
    assert_eq!(read, expected);
}

#[test]
fn the_page_shows_what_is_printed() {
    let page = include_str!("../../../docs/check.md");
    let shown = page.split("$ sightline check sightline.yaml\n").nth(1).unwrap();
    let shown = shown.split("```").next().unwrap();
    let yaml = "request_id:\n  formt: uuid7\nsampling:\n  ratio: 2\n";
    let folder = folder();
    fs::write(folder.path().join("sightline.yaml"), yaml).unwrap();
    let told = check(folder.path(), &["sightline.yaml"], "").stdout;
    assert_eq!(String::from_utf8(told).unwrap(), shown);
    let array = page.split("```json\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let array: serde_json::Value = serde_json::from_str(array).unwrap();
    let told = check(folder.path(), &["--output", "json", "sightline.yaml"], "").stdout;
    let told: serde_json::Value = serde_json::from_slice(&told).unwrap();
    assert_eq!(told[1], array[0]);
}

//! `sightline run`.

use std::process::Output;

use serde_json::Value;

use super::{fed, sightline};

const SCENARIOS: &str = "
- name: what is so
  steps: [{ request: { path: /users/7 } }]
  expect: ['\"route\":\"/users/{int}\"']
- name: what is not so
  steps: [{ request: {} }]
  expect: [':status 418']
";

fn run(arguments: &[&str], stdin: &str) -> Output {
    fed(sightline(&["run"]).args(arguments), stdin)
}

#[test]
fn the_exit_code_says_whether_all_holds() {
    for (name, arguments, code, told) in [
        (
            "all",
            &["-"][..],
            1,
            "Does not hold:\n  expected, but in no line: :status 418\n\n1 of 2 scenarios hold.\n",
        ),
        ("quiet", &["-", "--quiet"], 1, "what is not so (-)\nDoes not hold:\n"),
        (
            "one",
            &["-", "--only", "is so"],
            0,
            "Holds: 1 of 1 expected parts are there.\n\n1 of 1 scenarios hold.\n",
        ),
    ] {
        let output = run(arguments, SCENARIOS);
        assert_eq!(output.status.code(), Some(code), "{name}: {output:?}");
        assert!(output.stderr.is_empty(), "{name}: {output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains(told), "{name}: {text}");
    }
}

#[test]
fn programs_are_told_in_json() {
    let output = run(&["-", "--output", "json"], SCENARIOS);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&json[0]["holds"], &json[1]["holds"]), (&Value::Bool(true), &Value::Bool(false)));
}

#[test]
fn what_cannot_be_played_is_on_stderr_alone() {
    for (name, arguments, stdin, code, told) in [
        ("no file", "/no/such.yaml", "", 2, "/no/such.yaml: "),
        ("an unknown key", "-", "- name: a\n  stepps: []\n", 1, "standard input:2: scenario `a`: "),
        ("nothing", "-", "", 1, "there is no scenario"),
    ] {
        let output = run(&[arguments], stdin);
        assert_eq!(
            (output.status.code(), output.stdout.len()),
            (Some(code), 0),
            "{name}: {output:?}"
        );
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains(told), "{name}: {stderr}");
    }
}

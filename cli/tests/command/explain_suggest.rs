//! `sightline routes explain` and `sightline routes suggest`.

use std::process::Output;

use serde_json::Value;

use super::{fed, sightline};

fn routes(arguments: &[&str], stdin: &str) -> Output {
    fed(sightline(&["routes"]).args(arguments), stdin)
}

const CONFIGURATION: &str = "routes: { templates: ['GET /users/{id}'] }\n";

fn log() -> String {
    let line = |number: u32| {
        format!("127.0.0.1 - - [-] \"PUT /carts/{number} HTTP/1.1\" 200 2 \"-\" \"curl/8\"\n")
    };
    (0..5).map(line).collect()
}

#[test]
fn answers_are_on_stdout_alone() {
    for (name, arguments, stdin, told) in [
        (
            "explain",
            &["explain", "--config", "-", "/users/7"][..],
            CONFIGURATION,
            "GET /users/{id}, matches",
        ),
        ("a method", &["explain", "PUT", "/users/7", "http://x/"], "", "PUT http://x/\n"),
        ("suggest", &["suggest", "-"], &log(), "    - /carts/{cart_id:int}  # 5 requests"),
        ("too few", &["suggest", "--min", "6", "-"], &log(), "templates: []"),
    ] {
        let output = routes(arguments, stdin);
        assert!(output.status.success() && output.stderr.is_empty(), "{name}: {output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains(told), "{name}: {text}");
    }
}

#[test]
fn programs_are_answered_in_json() {
    let explained = routes(&["explain", "/users/7", "--output", "json"], "");
    let json: Value = serde_json::from_slice(&explained.stdout).unwrap();
    assert_eq!(json[0]["route"], "/users/{int}");
    let suggested = routes(&["suggest", "-", "--output", "json"], &log());
    let json: Value = serde_json::from_slice(&suggested.stdout).unwrap();
    assert_eq!(json["suggestions"][0]["template"], "/carts/{cart_id:int}");
}

#[test]
fn what_is_suggested_is_a_configuration() {
    let suggested = routes(&["suggest", "-"], &log());
    let block = String::from_utf8(suggested.stdout).unwrap();
    let output = routes(&["explain", "--config", "-", "/carts/7"], &block);
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(
        told.contains("The route is /carts/{cart_id:int}, and route_source is template."),
        "{told}"
    );
}

#[test]
fn what_is_wrong_is_on_stderr_alone() {
    for (name, arguments, stdin, code, told) in [
        ("no path", &["explain"][..], "", 2, "[METHOD] PATH"),
        ("a method only", &["explain", "GET"], "", 2, "GET /users/17"),
        ("small letters", &["explain", "put", "/a"], "", 2, "PUT"),
        ("no file", &["explain", "--config", "/no/such.yaml", "/a"], "", 2, "/no/such.yaml"),
        (
            "a problem",
            &["explain", "--config", "-", "/a"],
            "routes: { limt: 1 }",
            1,
            "did you mean `limit`?",
        ),
        ("no log", &["suggest", "/no/such.log"], "", 2, "/no/such.log"),
        ("no request", &["suggest", "-"], "hello\n", 1, "standard input:1"),
        ("an empty log", &["suggest", "-"], "", 1, "No line was read."),
        ("twice", &["suggest", "--config", "-", "-"], "", 2, "named twice"),
        ("no number", &["suggest", "--min", "few", "-"], "", 2, "--min"),
    ] {
        let output = routes(arguments, stdin);
        assert_eq!(
            (output.status.code(), output.stdout.len()),
            (Some(code), 0),
            "{name}: {output:?}"
        );
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains(told), "{name}: {stderr}");
    }
}

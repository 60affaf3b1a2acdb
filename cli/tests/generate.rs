//! `sightline generate bootstrap`, as a person runs it: what goes where, and what it ends with.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

fn generate(arguments: &[&str], stdin: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sightline"))
        .args(["generate", "bootstrap"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // One that ends without reading it has closed it.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    child.wait_with_output().unwrap()
}

#[test]
fn what_is_generated_is_on_stdout_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sightline.yaml");
    let yaml = "service: { name: shop } # ours\n";
    std::fs::write(&file, yaml).unwrap();
    for (name, config, stdin) in
        [("a file", file.to_str().unwrap(), ""), ("standard input", "-", yaml)]
    {
        let output = generate(&["--config", config, "--app", "shop:5000"], stdin);
        assert!(output.status.success() && output.stderr.is_empty(), "{name}: {output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("service: { name: shop } # ours\n"), "{name}: {text}");
        let read: Value = serde_saphyr::from_str(&text).unwrap();
        assert_eq!(read["static_resources"]["clusters"][0]["type"], json!("STRICT_DNS"), "{name}");
    }
}

#[test]
fn what_is_wrong_is_on_stderr_alone() {
    let wrong = "request_id: { formt: uuid4 }\nsampling: { ratio: 2 }\n";
    for (name, arguments, code, told) in [
        (
            "problems",
            ["--config", "-"],
            1,
            ["request_id.formt: no such key", "sampling.ratio: 2 stands here"],
        ),
        ("no file", ["--config", "/no/such.yaml"], 2, ["/no/such.yaml", "--config"]),
        ("no address", ["--listen", "8080"], 2, ["--listen", "8080"]),
        ("no endpoint", ["--app", "app"], 2, ["--app", "127.0.0.1:8000"]),
        ("no path", ["--filter", ""], 2, ["--filter", "sightline.wasm"]),
        ("itself", ["--app", "127.0.0.1:8080"], 1, ["0.0.0.0:8080", "--listen"]),
        ("no export", ["--otlp", "a:1"], 1, ["--otlp a:1", "export:"]),
    ] {
        let output = generate(&arguments, wrong);
        assert_eq!(
            (output.status.code(), output.stdout.len()),
            (Some(code), 0),
            "{name}: {output:?}"
        );
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(told.iter().all(|part| stderr.contains(part)), "{name}: {stderr}");
    }
}

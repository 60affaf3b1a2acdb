//! `sightline generate bootstrap`.

use std::process::Output;

use serde_json::{Value, json};

use super::{fed, sightline};

fn generate(arguments: &[&str], stdin: &str) -> Output {
    fed(sightline(&["generate", "bootstrap"]).args(arguments), stdin)
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
fn every_address_is_where_it_was_said() {
    let flags = ["--listen", "10.0.0.1:80", "--metrics", "10.0.0.2", "--admin", "127.0.0.1:19901"];
    let stdin = "metrics: { endpoint: { port: 9464 } }\n";
    let output = generate(&[&flags[..], &["--config", "-"]].concat(), stdin);
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    let read: Value = serde_saphyr::from_str(&String::from_utf8(output.stdout).unwrap()).unwrap();
    for (pointer, address, port) in [
        ("/static_resources/listeners/0", "10.0.0.1", 80),
        ("/static_resources/listeners/1", "10.0.0.2", 9464),
        ("/admin", "127.0.0.1", 19901),
    ] {
        let expected = json!({"address": address, "port_value": port});
        let at = read.pointer(&format!("{pointer}/address/socket_address"));
        assert_eq!(at, Some(&expected), "{pointer}");
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
        ("no address for scrapes", ["--metrics", "[::1]:9464"], 2, ["--metrics", "[::1]:9464"]),
        ("no endpoint", ["--metrics", "::1"], 1, ["--metrics ::1", "metrics: { endpoint:"]),
        ("no address for the admin", ["--admin", "9901"], 2, ["--admin", "9901"]),
        ("one port", ["--admin", "127.0.0.1:8080"], 1, ["--listen", "127.0.0.1:8080 by --admin"]),
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

/// Flags, the port of `metrics.endpoint`, and what is told, if anything.
const TWICE: [(&str, &str, u16, &str); 11] = [
    (
        "the app's by clients",
        "--app 127.0.0.1:8080",
        1,
        "--app is where Envoy is to listen, 0.0.0.0:8080 by --listen",
    ),
    (
        "the app's by scrapes",
        "",
        8000,
        "--app is where Envoy is to listen, 0.0.0.0:8000 by metrics.endpoint",
    ),
    (
        "the app's by the admin",
        "--app 127.0.0.1:9901",
        1,
        "--app is where Envoy is to listen, 127.0.0.1:9901 by --admin",
    ),
    (
        "a collector's",
        "--otlp 127.0.0.1:8080",
        1,
        "--otlp is where Envoy is to listen, 0.0.0.0:8080 by --listen",
    ),
    (
        "scrapes among clients",
        "",
        8080,
        "0.0.0.0:8080 by --listen and on 0.0.0.0:8080 by metrics.endpoint",
    ),
    (
        "scrapes beside clients",
        "--listen 10.0.0.5:80 --metrics 10.0.0.6",
        80,
        "10.0.0.5:80 by --listen and on 10.0.0.6:80 by metrics.endpoint",
    ),
    (
        "scrapes on the admin's",
        "",
        9901,
        "127.0.0.1:9901 by --admin and on 0.0.0.0:9901 by metrics.endpoint",
    ),
    ("scrapes beside the admin", "--metrics 10.0.0.6", 9901, ""),
    (
        "the admin among clients",
        "--admin 127.0.0.1:8080",
        1,
        "0.0.0.0:8080 by --listen and on 127.0.0.1:8080 by --admin",
    ),
    ("any free ports", "--admin 127.0.0.1:0 --listen 127.0.0.1:0", 1, ""),
    ("nothing twice", "--otlp 127.0.0.1:4318", 9464, ""),
];

#[test]
fn a_port_that_would_be_used_twice_is_refused_and_says_by_whom() {
    for (name, flags, port, told) in TWICE {
        let stdin =
            format!("{{export: {{cluster: otel}}, metrics: {{endpoint: {{port: {port}}}}}}}");
        let config = ["--config", "-"].into_iter();
        let arguments: Vec<_> = config.chain(flags.split_whitespace()).collect();
        let output = generate(&arguments, &stdin);
        let stderr = String::from_utf8(output.stderr).unwrap();
        let is_refused = !told.is_empty();
        let ended = (output.status.code(), output.stdout.is_empty());
        assert_eq!(ended, (Some(i32::from(is_refused)), is_refused), "{name}: {stderr}");
        assert!(stderr.contains(told), "{name}: {stderr}");
    }
}

//! `sightline demo`, as a person runs it.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use sightline_cli::leash::Leash;
use sightline_cli::wait;
use sightline_tests::command;

fn sightline(arguments: &[&str]) -> Output {
    Command::new(command()).args(arguments).output().unwrap()
}

#[test]
fn it_prints_a_line_for_each_request_and_ends_by_itself() {
    let output = sightline(&["demo", "--for", "3s"]);
    let (stdout, stderr) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{stderr}");
    let lines: Vec<Value> =
        stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(stderr.contains(&format!("{} requests sent", lines.len())), "{stderr}");
    for line in &lines {
        for field in ["request_id", "trace_id", "span_id"] {
            assert!(line[field].is_string(), "no {field} in {line}");
        }
        assert_eq!(line["service"], "shop");
    }
    assert!(lines.iter().any(|line| line["status"] == 404), "{stdout}");
}

#[test]
fn a_wrong_argument_is_told_and_ends_with_2() {
    for (arguments, told) in
        [(&["demo", "--for", "20"][..], "`20` is not a duration"), (&["dmeo"], "demo")]
    {
        let output = sightline(arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.contains(told), "{arguments:?}: {stderr}");
    }
}

#[test]
fn killed_it_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let said = dir.path().join("stderr");
    // On a leash, so that it goes even if this test fails before it kills it.
    let demo = Leash::start(&command(), |demo| {
        demo.arg("demo").stdout(Stdio::null()).stderr(File::create(&said).unwrap());
    });
    let mut demo = demo.unwrap();
    let listening = demo.until("the demo to say where it listens", Duration::from_mins(1), || {
        listening(&fs::read_to_string(&said).unwrap())
    });
    let (front, back) = listening.unwrap_or_else(|silence| panic!("{silence}"));
    for address in [front, back] {
        TcpStream::connect(address).unwrap();
    }
    // Kills the demo's own process. Envoy and the app are in groups of their own.
    drop(demo);
    for address in [front, back] {
        let gone = wait::until("nobody to listen", Duration::from_secs(10), || {
            TcpStream::connect(address).err()
        });
        assert!(gone.is_ok(), "somebody still listens on {address}");
    }
}

/// Where Envoy and the app listen, once the demo has said it.
fn listening(said: &str) -> Option<(SocketAddr, SocketAddr)> {
    let (before, _) = said.split_once(".\nOne line for each request")?;
    let mut addresses = before.split_whitespace().filter_map(|word| {
        word.trim_start_matches("http://").trim_end_matches(',').parse::<SocketAddr>().ok()
    });
    Some((addresses.next()?, addresses.next()?))
}

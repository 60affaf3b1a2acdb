//! `sightline demo`, as a person runs it.

use std::io::BufReader;
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use sightline_cli::wait;
use sightline_setup::Checkout;

fn sightline(arguments: &[&str]) -> Child {
    let mut cargo = Checkout::find().unwrap().cargo();
    cargo.args(["run", "--quiet", "--package", "sightline-cli", "--"]).args(arguments);
    spawn(cargo.stdout(Stdio::piped()).stderr(Stdio::piped()))
}

fn spawn(command: &mut Command) -> Child {
    command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

#[test]
fn it_prints_a_line_for_each_request_and_ends_by_itself() {
    let output = sightline(&["demo", "--for", "3s"]).wait_with_output().unwrap();
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
        let output = sightline(arguments).wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.contains(told), "{arguments:?}: {stderr}");
    }
}

#[test]
fn killed_it_leaves_nothing_behind() {
    let mut demo = sightline(&["demo"]);
    let mut stderr = BufReader::new(demo.stderr.take().unwrap());
    let (front, back) = listening(&mut stderr);
    for address in [front, back] {
        TcpStream::connect(address).unwrap();
    }
    demo.kill().unwrap();
    demo.wait().unwrap();
    for address in [front, back] {
        let gone = wait::until("nobody to listen", Duration::from_secs(10), || {
            TcpStream::connect(address).err()
        });
        assert!(gone.is_ok(), "somebody still listens on {address}");
    }
}

/// Where Envoy and the app listen, as the demo says it.
fn listening(stderr: &mut impl std::io::BufRead) -> (SocketAddr, SocketAddr) {
    let mut said = String::new();
    while !said.contains("behind it on") {
        assert!(stderr.read_line(&mut said).unwrap() > 0, "the demo ended: {said}");
    }
    let mut addresses = said.split_whitespace().filter_map(|word| {
        word.trim_start_matches("http://").trim_end_matches([',', '.']).parse::<SocketAddr>().ok()
    });
    (addresses.next().unwrap(), addresses.next().unwrap())
}

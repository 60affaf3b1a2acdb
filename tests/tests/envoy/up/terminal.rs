//! The same figures in a terminal, for those who want no browser.

use std::fs::{self, File};

use sightline_cli::leash::Leash;
use sightline_cli::wait;
use sightline_setup::{Checkout, python};
use sightline_tests::{Answer, Request, Upstream, command};

use super::fixture::{SOON, free};

const ENTERS: &str = "\u{1b}[?1049h";
const LEAVES: &str = "\u{1b}[?1049l";

#[test]
fn in_a_terminal_the_routes_are_shown_and_q_gives_it_back() {
    let checkout = Checkout::find().unwrap();
    let app = Upstream::answering(|_| Answer::new(200).body("hi"));
    let front = free();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("drawn");
    // A person's terminal, with nobody's before it.
    let mut terminal = Leash::start(&python::interpreter(&checkout).unwrap(), |python| {
        python.arg(checkout.root().join("tests/apps/in_terminal.py")).arg("/users/{int}");
        python.arg(command()).args(["up", "--view", "tui", "--otlp", "127.0.0.1:0"]);
        python.args(["--app", &app.address().to_string(), "--listen", &front.to_string()]);
        python.env("TERM", "xterm").stdout(File::create(&file).unwrap());
    })
    .unwrap();
    let asked = || Request::get("/users/17").send(front).is_ok_and(|it| it.status() == 200);
    wait::until("an answer", SOON, || asked().then_some(())).unwrap();
    let status = terminal.until("q to end it", SOON, || None::<()>).unwrap_err();
    assert!(status.to_string().contains("exit status: 0"), "{status}");
    let drawn = fs::read_to_string(file).unwrap();
    let (_, view) = drawn.split_once(ENTERS).unwrap_or_else(|| panic!("{drawn}"));
    let (view, after) = view.split_once(LEAVES).unwrap_or_else(|| panic!("{drawn}"));
    assert!(view.contains("/users/{int}"), "{view}");
    assert!(!after.contains(ENTERS), "{after}");
}

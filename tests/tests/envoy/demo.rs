//! `sightline demo`, as a person runs it.

use std::collections::BTreeSet;
use std::env;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use sightline_cli::http::Request;
use sightline_cli::leash::{Leash, Signal};
use sightline_cli::wait;
use sightline_setup::Checkout;
use sightline_tests::{Chromium, command};

const SERVICES: [&str; 3] = ["accounts", "backoffice", "shop"];

/// How long Envoy and three apps may take to come up, with as much going on beside them.
const UP: Duration = Duration::from_mins(2);

/// How long something may take that happens every few seconds.
const SOON: Duration = Duration::from_mins(1);

fn sightline(arguments: &[&str]) -> Output {
    Command::new(command()).args(arguments).stdin(Stdio::null()).output().unwrap()
}

/// A demo that goes on until it is told to end, on a leash, so that it goes even if a test fails before.
struct Demo {
    leash: Leash,
    dir: tempfile::TempDir,
}

impl Demo {
    fn start(arguments: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let create = |name: &str| File::create(dir.path().join(name)).unwrap();
        let (stdout, stderr) = (create("stdout"), create("stderr"));
        let leash = Leash::start(&command(), |demo| {
            demo.arg("demo").args(arguments).stdout(stdout).stderr(stderr);
        });
        let mut demo = Self { leash: leash.unwrap(), dir };
        let said = demo.dir.path().join("stderr");
        demo.until("the demo to say that it is ready", UP, || {
            read(&said).contains("\nA line for each request").then_some(())
        });
        demo
    }

    fn until<T>(&mut self, what: &str, limit: Duration, look: impl FnMut() -> Option<T>) -> T {
        let said = self.file("stderr");
        self.leash
            .until(what, limit, look)
            .unwrap_or_else(|silence| panic!("{what}: {silence}\n{}", read(&said)))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// What it has said on stderr.
    fn said(&self) -> String {
        read(&self.file("stderr"))
    }

    /// Every address that it has named, but for those in URLs of the page.
    fn addresses(&self) -> Vec<SocketAddr> {
        let said = self.said();
        let services = said.lines().filter(|line| line.starts_with("  "));
        let words = services.flat_map(str::split_whitespace);
        words.filter_map(|word| word.trim_start_matches("http://").parse().ok()).collect()
    }

    /// Where its page is.
    fn page(&self) -> SocketAddr {
        let said = self.said();
        let page = said.lines().find_map(|line| line.strip_prefix("The live view: http://"));
        page.and_then(|page| page.trim_end_matches('/').parse().ok())
            .unwrap_or_else(|| panic!("no page in {said}"))
    }
}

fn read(file: &Path) -> String {
    String::from_utf8_lossy(&fs::read(file).unwrap_or_default()).into_owned()
}

/// The number before these words.
fn number_before(words: &str, said: &str) -> usize {
    let (before, _) = said.split_once(words).unwrap_or_else(|| panic!("no {words:?} in {said}"));
    let number = before.split(|c: char| !c.is_ascii_digit()).next_back();
    number.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("{words:?} in {said}"))
}

#[test]
fn it_prints_a_line_for_each_request_and_ends_by_itself() {
    let output = sightline(&["demo", "--for", "8s", "--output", "json", "--view", "none"]);
    let (stdout, stderr) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{stderr}");
    let lines: Vec<Value> =
        stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for line in &lines {
        for field in ["request_id", "trace_id", "span_id"] {
            assert!(line[field].is_string(), "no {field} in {line}");
        }
        assert_ne!(line["path"], "/healthz", "{line}");
    }
    assert_eq!(number_before(" lines in all", &stderr), lines.len(), "{stderr}");
    let own_calls = lines.iter().filter(|line| line["user_agent"] == "tea-shop/1.0").count();
    let (answered, broken) =
        (number_before(" answered", &stderr), number_before(" broken off", &stderr));
    let from_clients = lines.len() - own_calls;
    assert!((answered..=answered + broken).contains(&from_clients), "{from_clients}\n{stderr}");
    let all = |field: &str| -> BTreeSet<&str> {
        lines.iter().filter_map(|line| line[field].as_str()).collect()
    };
    assert_eq!(all("service"), BTreeSet::from(SERVICES));
    assert_eq!(all("stream"), BTreeSet::from(["sse", "websocket"]));
    assert!(all("route_source").is_superset(&BTreeSet::from(["template", "typed"])), "{stdout}");
}

#[test]
fn told_to_end_it_sums_up_and_ends_well() {
    let mut demo = Demo::start(&["--view", "none"]);
    let printed = demo.file("stdout");
    demo.until("lines for people", SOON, || (read(&printed).lines().count() > 50).then_some(()));
    demo.leash.signal(Signal::Interrupt).unwrap();
    let status = demo.leash.wait().unwrap();
    let said = demo.said();
    assert!(status.success(), "{status}\n{said}");
    let heading = said.lines().position(|line| line.starts_with("SERVICE ")).unwrap();
    let row = said.lines().nth(heading + 1).unwrap();
    assert!(SERVICES.iter().any(|service| row.starts_with(service)), "{said}");
    for what in [" requests sent in ", "  request ID  ", "  trace ID    "] {
        assert!(said.contains(what), "no {what:?} in {said}");
    }
    let lines = number_before(" lines in all", &said);
    assert_eq!(read(&printed).lines().count(), lines, "{said}");
}

#[test]
fn its_page_shows_a_trace_from_the_shop_through_its_own_spans_into_the_accounts() {
    let mut demo = Demo::start(&["--output", "json"]);
    let (page, printed) = (demo.page(), demo.file("stdout"));
    let json = |path: &str| -> Option<Value> {
        let answer = Request::get(path).send(page).ok()?;
        serde_json::from_slice(&answer.body).ok().filter(|_| answer.status() == 200)
    };
    let expected = [("accounts", "sightline"), ("shop", "app"), ("shop", "sightline")];
    let expected = expected.map(|(service, from)| (service.to_owned(), from.to_owned()));
    demo.until("a trace of a checkout with all its spans", SOON, || {
        let checkout = read(&printed).lines().rev().find_map(|line| {
            let line: Value = serde_json::from_str(line).ok()?;
            let route = line["route"].as_str()?;
            route.ends_with("/checkout").then(|| line["trace_id"].as_str().map(str::to_owned))?
        })?;
        let trace = json(&format!("/api/trace/{checkout}"))?;
        let who: BTreeSet<(String, String)> = trace["spans"]
            .as_array()?
            .iter()
            .filter_map(|span| {
                Some((span["service"].as_str()?.to_owned(), span["from"].as_str()?.to_owned()))
            })
            .collect();
        expected.iter().all(|span| who.contains(span)).then_some(())
    });
    let live = json("/api/live").unwrap();
    let services: BTreeSet<&str> =
        live["services"].as_array().unwrap().iter().filter_map(|it| it["name"].as_str()).collect();
    assert_eq!(services, BTreeSet::from(SERVICES));
    assert!(live["totals"]["requests"].as_u64() > Some(0), "{live}");
}

/// With `SIGHTLINE_ACCEPT` set it makes the pictures of the docs, for which it takes a minute.
#[test]
fn its_page_is_what_the_docs_have_pictures_of() {
    let demo = Demo::start(&["--output", "json", "--rate", "60"]);
    let page = Chromium::start();
    page.open(&format!("http://{}/", demo.page()));
    page.wait_for("document.querySelectorAll('#routes tbody tr').length > 20");
    let shown = page.run("return document.body.innerText");
    for service in SERVICES {
        assert!(shown.as_str().unwrap().contains(service), "no {service} in {shown}");
    }
    if env::var_os("SIGHTLINE_ACCEPT").is_some() {
        take_pictures(&demo, &page);
    }
    assert_eq!(page.console(), [""; 0]);
}

fn take_pictures(demo: &Demo, page: &Chromium) {
    let docs = Checkout::find().unwrap().root().join("docs");
    let live = || -> Value {
        serde_json::from_slice(&Request::get("/api/live").send(demo.page()).unwrap().body).unwrap()
    };
    let a_minute_on = || (live()["totals"]["requests"].as_u64() > Some(3_600)).then_some(());
    wait::until("a minute of traffic", 2 * SOON, a_minute_on).unwrap();
    fs::write(docs.join("live-view.png"), page.screenshot(1_440, 900, false)).unwrap();
    let a_checkout = || {
        let live = live();
        let mut slow_first =
            ["slowest", "recent"].iter().filter_map(|list| live[list].as_array()).flatten();
        let is_checkout =
            |it: &&Value| it["path"].as_str().is_some_and(|it| it.ends_with("/checkout"));
        slow_first.find(is_checkout).and_then(|it| it["trace_id"].as_str().map(str::to_owned))
    };
    let trace = wait::until("a checkout", SOON, a_checkout).unwrap();
    page.open(&format!("http://{}/#trace={trace}", demo.page()));
    page.wait_for("document.body.innerText.includes('app\\'s own')");
    fs::write(docs.join("live-trace.png"), page.screenshot(1_440, 860, true)).unwrap();
}

#[test]
fn nobody_to_read_ends_it_well() {
    let mut leash = Leash::start(&command(), |demo| {
        demo.args(["demo", "--view", "none"]).stdout(Stdio::piped()).stderr(Stdio::null());
    })
    .unwrap();
    let mut first = String::new();
    BufReader::new(leash.take_stdout().unwrap()).read_line(&mut first).unwrap();
    assert!(!first.is_empty());
    let status = wait::until("the demo to end", SOON, || leash.try_wait().transpose());
    assert_eq!(status.unwrap().unwrap().code(), Some(0));
}

#[test]
fn a_wrong_argument_is_told_and_ends_with_2() {
    for (arguments, told) in [
        (&["demo", "--for", "20"][..], "`20` is not a duration"),
        (&["dmeo"], "demo"),
        (&["demo", "--rate", "0"], "1..=500"),
        (&["demo", "--view", "pgae"], "page"),
        (&["demo", "--view", "tui"], "needs a terminal"),
        (&["demo", "--view", "tui", "--output", "json"], "leave one of them out"),
    ] {
        let output = sightline(arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.contains(told), "{arguments:?}: {stderr}");
    }
}

#[test]
fn killed_it_leaves_nothing_behind() {
    let demo = Demo::start(&["--view", "none"]);
    let addresses = demo.addresses();
    assert_eq!(addresses.len(), 2 * SERVICES.len(), "{}", demo.said());
    for address in &addresses {
        TcpStream::connect(address).unwrap();
    }
    // Kills the demo's own process. Envoy and the apps are in groups of their own.
    drop(demo);
    for address in addresses {
        let gone = wait::until("nobody to listen", Duration::from_secs(20), || {
            TcpStream::connect(address).err()
        });
        assert!(gone.is_ok(), "somebody still listens on {address}");
    }
}

//! The demo: a Python app, Envoy with the filter before it, a little traffic, and the log lines.
//!
//! It shows what Sightline tells about an app that knows nothing of it. Not a load generator.

use std::error::Error;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};
use std::{fmt, fs};

use serde_json::json;
use sightline_setup::Checkout;

use crate::apps::{App, Framework};
use crate::bootstrap::{Bootstrap, Configuration};
use crate::envoy::{Envoy, Options};
use crate::http::Request;
use crate::lines::Lines;
use crate::{FILTER, wait};

mod folder;
mod traffic;

use folder::Folder;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

const FRAMEWORK: Framework = Framework::FastApi;

/// From one request to the next.
const PACE: Duration = Duration::from_millis(250);

/// How long a line may take after its request; Envoy writes what it has every 50 ms.
const LAST_LINES: Duration = Duration::from_secs(10);

/// How long a process that no longer answers may take to be gone.
const LAST_BREATH: Duration = Duration::from_secs(1);

/// Runs the demo until `limit` has passed, or for ever. Log lines go to stdout, all else to stderr.
pub fn run(limit: Option<Duration>) -> Outcome {
    let checkout = Checkout::find()?;
    let python = sightline_setup::python::interpreter(&checkout)?;
    let envoy = sightline_setup::envoy::find(&checkout)?;
    let folder = Folder::take(&checkout.target().join("demo"))?;
    let mut demo = Demo::start(&python, &envoy, folder.path())?;
    demo.introduce(limit);
    match demo.play(limit) {
        Err(error) if error.is::<NobodyReads>() => Ok(()),
        Err(error) => Err(error),
        Ok(()) => {
            eprintln!("{} requests sent, and a line printed for each.", demo.sent);
            Ok(())
        }
    }
}

struct Demo {
    app: App,
    envoy: Envoy,
    lines: Lines,
    sent: usize,
    printed: usize,
}

impl Demo {
    fn start(python: &Path, envoy: &Path, dir: &Path) -> Outcome<Self> {
        let filter = dir.join("sightline.wasm");
        fs::write(&filter, FILTER)?;
        let app = App::start(FRAMEWORK, python, &dir.join("app"))?;
        let service = Configuration::Struct(json!({"service": {"name": "shop"}}));
        let bootstrap = Bootstrap::new(&filter).upstream(app.address()).configuration(service);
        let envoy = Envoy::start(envoy, &bootstrap, &dir.join("envoy"), &Options::default())?;
        let lines = Lines::of(envoy.access_log_path());
        Ok(Self { app, envoy, lines, sent: 0, printed: 0 })
    }

    fn introduce(&self, limit: Option<Duration>) {
        let (front, back) = (self.envoy.listener(), self.app.address());
        eprintln!(
            "Envoy with Sightline listens on http://{front}, {FRAMEWORK} behind it on {back}."
        );
        match limit {
            Some(limit) => eprintln!("One line for each request, for {limit:?}:"),
            None => eprintln!("One line for each request, until Ctrl-C:"),
        }
    }

    fn play(&mut self, limit: Option<Duration>) -> Outcome {
        let begin = Instant::now();
        let left = || limit.map_or(Duration::MAX, |limit| limit.saturating_sub(begin.elapsed()));
        for request in traffic::requests().iter().cycle() {
            if left().is_zero() {
                break;
            }
            self.send(request)?;
            self.show("the next request", PACE.min(left()), |_| false)?;
        }
        self.show("the last lines", LAST_LINES, |demo| demo.printed >= demo.sent)?;
        if self.printed < self.sent {
            let (sent, printed) = (self.sent, self.printed);
            return Err(format!(
                "{sent} requests were sent, but Envoy logged only {printed} lines in \
                 {LAST_LINES:?}. {}",
                self.envoy.reason()
            )
            .into());
        }
        Ok(())
    }

    fn send(&mut self, request: &Request) -> Outcome {
        if let Err(error) = request.send(self.envoy.listener()) {
            // Most likely somebody has died, which says more.
            let died = wait::until("a death", LAST_BREATH, || self.check_alive().err());
            return Err(died.map_or_else(|_| error.into(), Into::into));
        }
        self.sent += 1;
        Ok(())
    }

    /// Prints lines as they come, until `done` or for as long as `limit`.
    fn show(&mut self, what: &str, limit: Duration, done: impl Fn(&Self) -> bool) -> Outcome {
        let shown = wait::until(what, limit, || match self.print() {
            Ok(()) => done(self).then_some(Ok(())),
            Err(error) => Some(Err(error)),
        });
        shown.unwrap_or(Ok(()))
    }

    fn print(&mut self) -> Outcome {
        self.check_alive()?;
        let fresh = self.lines.fresh()?;
        let mut out = io::stdout().lock();
        match out.write_all(fresh.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(NobodyReads.into()),
            Err(error) => Err(error.into()),
            Ok(()) => {
                self.printed += fresh.lines().count();
                Ok(())
            }
        }
    }

    fn check_alive(&mut self) -> Result<(), String> {
        if let Some(status) = self.envoy.has_exited() {
            return Err(format!("Envoy ended, {status}. {}", self.envoy.reason()));
        }
        if let Some(status) = self.app.has_exited() {
            let log = self.app.log();
            return Err(format!("The {FRAMEWORK} app ended, {status}. Its log:\n{log}"));
        }
        Ok(())
    }
}

/// Stdout was closed, as `head` does when it has enough: a reason to end, not a failure.
#[derive(Debug)]
struct NobodyReads;

impl fmt::Display for NobodyReads {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("nobody reads stdout any more")
    }
}

impl Error for NobodyReads {}

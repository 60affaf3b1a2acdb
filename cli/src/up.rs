//! `sightline up`: Envoy with the filter in front of one app, which it starts if a command is given.
//!
//! It decides what is told to the person, whom a signal is for, and how everything ends. Envoy, the lines
//! and the live view are a [`Session`].

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sightline_setup::Checkout;

use crate::envoy::find;
use crate::generate::Endpoint;
use crate::leash::Signal;
use crate::session::{self, Folder, Front, Options, Output, Prepared, Session, View};

mod answer;
mod app;
mod error;
mod service;
pub(crate) mod signals;
mod teller;

use answer::{Answer, Caller};
use app::App;
pub use error::Error;
use signals::Signals;
use teller::Teller;

/// How soon it is noticed that something has ended.
const TICK: Duration = Duration::from_millis(50);

/// How long the app may take to end once it was told to.
const GRACE: Duration = Duration::from_secs(10);

/// What was asked for.
#[derive(Clone, Debug)]
pub struct Up {
    /// Where the app is, or will be.
    pub app: Endpoint,
    /// Where clients connect.
    pub listen: SocketAddr,
    /// The filter's configuration, as said.
    pub configuration: Value,
    /// The service's name, whatever the configuration says.
    pub service: Option<String>,
    /// Where to receive spans; if nothing is said, on the usual ports.
    pub otlp: Vec<SocketAddr>,
    /// What is printed on stdout.
    pub output: Output,
    /// Where the figures are shown.
    pub view: Shown,
    /// Whether lines are coloured.
    pub colour: bool,
    /// The app's command line; empty if it is started by somebody else.
    pub command: Vec<OsString>,
}

/// Where the figures are shown, as people say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// As a page, at this address or where it is free.
    Page(Option<SocketAddr>),
    /// In the terminal.
    Terminal,
    /// Nowhere.
    Nowhere,
}

/// Runs it to its end. The exit code is the app's if it was started here, else 0.
pub fn run(up: Up) -> Result<u8, Error> {
    let began = Instant::now();
    up.check()?;
    let program = app::program(&up.command)?;
    let found = find::find()?;
    let folder = folder()?;
    let prepared = Session::prepare(vec![up.front()], up.options(found.path, &folder))?;
    found.note.iter().chain(prepared.notes()).for_each(|note| eprintln!("{note}"));
    let signals = Signals::listen().map_err(Error::Signals)?;
    let start = |program: PathBuf| App::start(&program, &up.command, &folder, up.view, &prepared);
    let app = program.map(start).transpose().map_err(Error::App)?;
    let service = prepared.service(0).to_owned();
    // An app that was started goes with it, should this fail.
    let session = prepared.start()?;
    let caller = Caller::start(up.app.clone()).map_err(Error::Caller)?;
    let teller = Teller::new(up.view == Shown::Terminal);
    let mut running =
        Running { up, service, app, session, signals, caller, teller, began, answers: None };
    running.introduce();
    let outcome = running.watch();
    running.end(outcome)
}

fn folder() -> Result<Folder, Error> {
    let folder = Checkout::find_or_cache()?.target().join("up");
    Folder::take(&folder).map_err(|error| Error::Folder { folder, error })
}

impl Up {
    /// What can be told to be wrong before anything is started.
    fn check(&self) -> Result<(), Error> {
        if self.app.is_served_by(self.listen) {
            return Err(Error::Loop(self.listen));
        }
        let page = match self.view {
            Shown::Page(Some(page)) => Some(("--page", page)),
            _ => None,
        };
        let said: Vec<(&'static str, SocketAddr)> = std::iter::once(("--listen", self.listen))
            .chain(self.otlp.iter().map(|&address| ("--otlp", address)))
            .chain(page)
            .filter(|(_, address)| address.port() != 0)
            .collect();
        for (index, (one, address)) in said.iter().enumerate() {
            if let Some((other, _)) = said[..index].iter().find(|(_, other)| other == address) {
                return Err(Error::Twice { address: *address, flags: [*other, *one] });
            }
        }
        Ok(())
    }

    fn front(&self) -> Front {
        let mut configuration = self.configuration.clone();
        if let Some(service) = &self.service {
            if configuration.is_null() {
                configuration = json!({});
            }
            if let Some(said) = configuration.as_object_mut() {
                let section = said.entry("service").or_insert(Value::Null);
                if section.is_null() {
                    *section = json!({});
                }
                section["name"] = json!(service);
            }
        }
        Front {
            service: Some(service::name(&self.app)),
            listen: self.listen,
            app: self.app.clone(),
            configuration,
        }
    }

    fn options(&self, envoy: PathBuf, folder: &Folder) -> Options {
        Options {
            output: self.output,
            view: match self.view {
                Shown::Page(Some(page)) => View::Page(page),
                Shown::Page(None) => View::Page(session::free_page(&[self.listen])),
                Shown::Terminal => View::Terminal,
                Shown::Nowhere => View::None,
            },
            otlp: self.otlp.clone(),
            envoy,
            dir: folder.path().to_owned(),
            colour: self.colour,
        }
    }
}

/// Everything, under way.
struct Running {
    up: Up,
    service: String,
    app: Option<App>,
    session: Session,
    signals: Signals,
    caller: Caller,
    teller: Teller,
    began: Instant,
    /// Whether somebody listens where the app is to be, as far as that was told.
    answers: Option<bool>,
}

impl Running {
    fn introduce(&self) {
        let Self { up, service, session, teller, .. } = self;
        let (front, app) = (session.listener(0), &up.app);
        teller.mention(&format!(
            "Envoy with Sightline listens on http://{front}, {service} behind it on {app}."
        ));
        if let Some(page) = session.page() {
            teller.mention(&format!("Live view: http://{page}"));
        }
        if let Some(started) = &self.app {
            teller.mention(&format!("Waiting for {} to listen on {app}.", started.name()));
        }
    }

    /// Until something ends; the exit code, if it ends as it should.
    fn watch(&mut self) -> Result<u8, Error> {
        loop {
            if let Some(signal) = self.signals.within(TICK) {
                return self.pass_on(signal);
            }
            self.session.check()?;
            for trouble in self.session.troubles() {
                self.teller.tell(format!("Envoy: {trouble}"));
            }
            if let Some(status) = self.app.as_mut().and_then(App::has_ended) {
                return Ok(self.app_ended(status));
            }
            if self.session.is_left() {
                return self.pass_on(Signal::Interrupt);
            }
            while let Some(answer) = self.caller.answer() {
                self.tell_answer(answer);
            }
        }
    }

    /// Tells the app to end, and waits for it; a second signal kills it.
    fn pass_on(&mut self, signal: Signal) -> Result<u8, Error> {
        let Some(app) = &mut self.app else { return Ok(0) };
        app.signal(signal).map_err(Error::App)?;
        let deadline = Instant::now() + GRACE;
        loop {
            if let Some(status) = app.has_ended() {
                return Ok(app::exit_code(status));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || self.signals.within(TICK.min(left)).is_some() {
                let name = app.name();
                self.teller.tell(format!("{name} has not ended by itself and is killed."));
                return Ok(app.kill());
            }
        }
    }

    fn app_ended(&mut self, status: std::process::ExitStatus) -> u8 {
        let name = self.app.as_ref().map_or("The app", App::name);
        let before = match self.answers {
            Some(true) => String::new(),
            _ => format!(", before anything listened on {}", self.up.app),
        };
        if !status.success() || !before.is_empty() {
            self.teller.tell(format!("{name} ended, {status}{before}."));
        }
        app::exit_code(status)
    }

    fn tell_answer(&mut self, answer: Answer) {
        let (app, front) = (&self.up.app, self.session.listener(0));
        let is_ours = self.app.is_some();
        match answer {
            Answer::Accepted if is_ours || self.answers.is_none() => {
                let seconds = self.began.elapsed().as_secs_f64();
                self.teller.mention(&format!("Ready after {seconds:.1} s. Ctrl-C ends it."));
            }
            Answer::Accepted => self.teller.mention(&format!("Something listens on {app} now.")),
            Answer::Refused if is_ours => {}
            Answer::Refused => self.teller.mention(&format!(
                "Nothing listens on {app} yet: start your app there. Until then http://{front} \
                 answers 503."
            )),
            Answer::StillRefused => self.teller.mention(&format!(
                "Still nothing listens on {app}. Is that where it is to listen? --app says where."
            )),
        }
        self.answers = Some(answer == Answer::Accepted);
    }

    /// Ends Envoy, when the app has ended. A signal from now on ends us at once.
    fn end(self, outcome: Result<u8, Error>) -> Result<u8, Error> {
        let Self { app, session, signals, mut teller, .. } = self;
        signals.end_at_once();
        drop(app);
        // Where it has failed there is nobody to be stopped.
        let stopped =
            outcome.and_then(|code| session.stop().map(|()| code).map_err(Error::Session));
        teller.finish();
        stopped
    }
}

/// What the app's process is started with, beside its command.
fn environment(prepared: &Prepared) -> Option<(&'static str, String)> {
    const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
    let is_needed = !prepared.is_receiver_usual() && std::env::var_os(ENDPOINT).is_none();
    is_needed.then(|| (ENDPOINT, format!("http://{}", prepared.receiver())))
}

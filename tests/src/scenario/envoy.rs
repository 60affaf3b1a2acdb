//! Runs scenarios in a real Envoy, each in one of its own, and tells what was seen.
//!
//! Everything around Envoy is staged here: clients, the app, clusters, and translators for the
//! protocols that this crate does not speak. What was seen gets its words in `tell.rs`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use std::{error, fmt, fs, io};

use sightline_cli::envoy::{Envoy, Options, Reason, StartError};
use sightline_cli::{FILTER, wait};

use self::access::Access;
use self::clusters::Endpoints;
use self::places::Places;
use self::play::Play;
use self::server::{Role, Server};
use self::shape::Stand;
use self::stage::Stage;
use super::format::Callbacks;
use super::observed::{Exchange, Observed};
use super::{Scenario, Transcript};
use sightline_scenario::script::{Script, ScriptError};

mod access;
mod answering;
mod certificate;
mod client;
mod clusters;
mod listener_updates;
mod listeners;
mod log;
mod pace;
mod places;
mod play;
mod server;
mod shape;
mod stage;
mod stats;
mod translators;
mod wire;

/// A page that the admin does not have. That it was asked for is logged, after all that was logged
/// before.
const LAST_PAGE: &str = "/end-of-scenario";
/// How long Envoy's logs may take to be written.
const WRITTEN_WITHIN: Duration = Duration::from_secs(2);
/// How often to start where another process took a port in between.
const TRIES: u32 = 3;

/// Why a scenario could not be run.
#[derive(Debug)]
pub enum RunError {
    /// Its script is wrong.
    Script(ScriptError),
    /// Envoy did not start, for a reason that is not the module's.
    Start(StartError),
    /// A file, a socket or Envoy's admin failed.
    Io(io::Error),
}

impl fmt::Display for RunError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Script(error) => error.fmt(out),
            Self::Start(error) => error.fmt(out),
            Self::Io(error) => write!(out, "the scenario could not be run to its end: {error}"),
        }
    }
}

impl error::Error for RunError {}

impl From<io::Error> for RunError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Runs it in this Envoy.
pub fn run(scenario: &Scenario, binary: &Path) -> Result<Transcript, RunError> {
    observe(scenario, binary).map(|observed| observed.transcript(scenario))
}

/// The same, not yet told as text.
pub fn observe(scenario: &Scenario, binary: &Path) -> Result<Observed, RunError> {
    let mut tries = 1;
    loop {
        match attempt(scenario, binary) {
            Err(RunError::Start(error)) if tries < TRIES && is_taken(&error) => tries += 1,
            done => return done,
        }
    }
}

fn is_taken(error: &StartError) -> bool {
    matches!(error.reason(), Some(Reason::AddressInUse(_)))
}

fn attempt(scenario: &Scenario, binary: &Path) -> Result<Observed, RunError> {
    let dir = tempfile::tempdir()?;
    let stage = Arc::new(Stage::default());
    // Declared first and so dropped last: whoever waits for the servers has gone by then.
    let app = Server::start(Role::App, &stage)?;
    let stand = Stand {
        dir: dir.path().to_owned(),
        modules: modules(scenario, dir.path())?,
        app: app.address(),
        endpoints: Endpoints::start(scenario, &stage)?,
        places: Places::reserve(scenario),
    };
    if !places::quic_plugins(scenario).is_empty() {
        certificate::place(dir.path())?;
    }
    if scenario.reconfigures() {
        let first = scenario.configuration.as_ref();
        let text = shape::listeners_file(scenario, &stand, first, 0);
        listener_updates::write(dir.path(), &text)?;
    }
    let options = Options {
        concurrency: scenario.workers,
        // The admin logs what it is asked for, see `LAST_PAGE`.
        wasm_log_level: "info,admin:debug",
        drain: scenario.drain,
    };
    let observed =
        match Envoy::start(binary, &shape::bootstrap(scenario, &stand), dir.path(), &options) {
            Ok(envoy) => play(scenario, &stand, &stage, envoy),
            Err(error) => unstarted(scenario, dir.path(), error),
        };
    stage.close();
    observed
}

/// The module of each plugin, as a file.
fn modules(scenario: &Scenario, dir: &Path) -> Result<Vec<PathBuf>, RunError> {
    let first = &scenario.script;
    let scripts =
        std::iter::once(first).chain(scenario.also.iter().map(|also| match &also.script {
            None => first,
            own => own,
        }));
    let written = scripts.enumerate().map(|(index, script)| {
        let file = dir.join(format!("module-{index}.wasm"));
        fs::write(&file, module(script.as_ref())?)?;
        Ok(file)
    });
    written.collect()
}

fn module(script: Option<&Callbacks>) -> Result<Vec<u8>, RunError> {
    let Some(callbacks) = script else { return Ok(FILTER.to_vec()) };
    Script { callbacks: callbacks.clone() }.compile().map_err(RunError::Script)
}

/// That Envoy does not start with a module is a thing to be seen, not an error.
fn unstarted(scenario: &Scenario, dir: &Path, error: StartError) -> Result<Observed, RunError> {
    if !matches!(error.reason(), Some(Reason::Refused(_) | Reason::Unloadable(_))) {
        return Err(RunError::Start(error));
    }
    let log = String::from_utf8_lossy(&fs::read(dir.join("envoy.log"))?).into_owned();
    Ok(Observed { events: log::events(&log, LAST_PAGE, scenario), ..Observed::default() })
}

fn play(
    scenario: &Scenario,
    stand: &Stand,
    stage: &Arc<Stage>,
    envoy: Envoy,
) -> Result<Observed, RunError> {
    let mut play = Play {
        scenario,
        stand,
        stage: Arc::clone(stage),
        envoy,
        clients: Vec::new(),
        configurations: Vec::new(),
    };
    play.steps(&scenario.steps, 0)?;
    play.settle_callouts()?;
    collect(&play).map_err(RunError::Io)
}

fn collect(play: &Play<'_>) -> io::Result<Observed> {
    let stats = stats::read(&play.envoy, play.scenario)?;
    // It is not there, and that is as good an answer as any.
    let _ = play.envoy.admin_get(LAST_PAGE);
    let access = access_of_all(play);
    let log = wait::until("Envoy's log", WRITTEN_WITHIN, || {
        let log = play.envoy.log();
        log::has_asked(&log, LAST_PAGE).then_some(log)
    });
    let log = log.map_err(io::Error::other)?;
    let mut ports = play.stand.ports();
    ports.extend(play.clients.iter().map(|client| client.port));
    ports.extend(access.ports());
    Ok(Observed {
        started: true,
        exchanges: (0..play.clients.len()).map(|number| exchange(play, number, &access)).collect(),
        configurations: play.configurations.clone(),
        events: log::events(&log, LAST_PAGE, play.scenario),
        callouts: play.stage.callouts(),
        stats,
        ports,
    })
}

/// What the access logs tell, once they tell of every request. If they do not, that shows in the
/// transcript.
fn access_of_all(play: &Play<'_>) -> Access {
    let read = || Access::read(&play.envoy.access_log(), &play.stand.dir, play.scenario);
    let all = wait::until("Envoy's access log", WRITTEN_WITHIN, || {
        let access = read();
        play.clients.iter().all(|client| access.of(client.port).is_some()).then_some(access)
    });
    all.unwrap_or_else(|_| read())
}

fn exchange(play: &Play<'_>, number: usize, access: &Access) -> Exchange {
    let client = &play.clients[number];
    let told = access.of(client.port).cloned().unwrap_or_default();
    let answer = client.answer.clone().filter(|_| !access.is_made_up(client.port));
    Exchange {
        upstream: play.stage.seen(number),
        informational: client.informational.clone(),
        client: answer,
        line: told.line,
        state: told.state,
    }
}

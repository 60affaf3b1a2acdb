//! A running Envoy, started from a [`Bootstrap`] in a folder of its own.
//!
//! Any number of them run side by side: each has free ports and shares no memory. Where an Envoy
//! binary comes from is for `sightline-setup`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command, ExitStatus, Stdio};
use std::time::Duration;
use std::{fs, io};

use serde_json::Value;

use crate::bootstrap::{ACCESS_LOG, Bootstrap};
use crate::http::Request;
use crate::leash::{Leash, Silence};

pub mod find;
mod reason;
mod start_error;

pub use reason::Reason;
pub(crate) use reason::troubles;
pub use start_error::StartError;

/// How long an Envoy may take to be ready. Compiling the filter is most of it, and many start at
/// once where tests run in parallel.
const READY_WITHIN: Duration = Duration::from_mins(1);

const CONFIGURATION: &str = "envoy.json";
const APPLICATION_LOG: &str = "envoy.log";
/// Where it writes before it has a log, and when its command line is refused.
const OUTPUT: &str = "envoy.out";
const ADMIN: &str = "admin.txt";

/// What the command line decides, rather than the bootstrap.
#[derive(Clone, Debug)]
pub struct Options {
    /// The number of worker threads.
    pub concurrency: u32,
    /// From which level on the filter's own lines are logged: `trace`, `debug`, `info` and so on.
    pub wasm_log_level: &'static str,
    /// How long requests may go on under a configuration that was replaced, in whole seconds; ten
    /// minutes if nothing is said.
    pub drain: Option<Duration>,
}

impl Default for Options {
    fn default() -> Self {
        Self { concurrency: 1, wasm_log_level: "info", drain: None }
    }
}

/// An Envoy that listens. Dropped, it is killed.
#[derive(Debug)]
pub struct Envoy {
    leash: Leash,
    dir: PathBuf,
    admin: SocketAddr,
    listener: SocketAddr,
}

impl Envoy {
    /// Starts it in `dir`, which is made if need be, and waits until its workers listen.
    pub fn start(
        binary: &Path,
        bootstrap: &Bootstrap,
        dir: &Path,
        options: &Options,
    ) -> Result<Self, StartError> {
        prepare(bootstrap, dir)?;
        Self::wait(launch(binary, dir, options, None)?, dir)
    }

    /// The same, with its stdout in a pipe, which somebody must read from then on.
    pub fn start_piped(
        binary: &Path,
        bootstrap: &Bootstrap,
        dir: &Path,
        options: &Options,
    ) -> Result<(Self, ChildStdout), StartError> {
        prepare(bootstrap, dir)?;
        let mut leash = launch(binary, dir, options, Some(Stdio::piped()))?;
        let missing = || StartError::file(binary, io::Error::other("it has no stdout"));
        let pipe = leash.take_stdout().ok_or_else(missing)?;
        Ok((Self::wait(leash, dir)?, pipe))
    }

    fn wait(mut leash: Leash, dir: &Path) -> Result<Self, StartError> {
        let (admin, listener) =
            ready(&mut leash, dir).map_err(|silence| StartError::silent(silence, &logs(dir)))?;
        Ok(Self { leash, dir: dir.to_owned(), admin, listener })
    }

    /// The number of its process.
    pub fn id(&self) -> u32 {
        self.leash.id()
    }

    /// Where clients connect.
    pub fn listener(&self) -> SocketAddr {
        self.listener
    }

    /// Where the admin page is.
    pub fn admin(&self) -> SocketAddr {
        self.admin
    }

    /// A page of the admin, such as `/stats`. An answer other than 200 is an error.
    pub fn admin_get(&self, path: &str) -> io::Result<String> {
        admin_get(self.admin, path)
    }

    /// The application log so far. It has the filter's own lines, from `wasm log` on.
    pub fn log(&self) -> String {
        read(&self.dir.join(APPLICATION_LOG))
    }

    /// The file of the application log.
    pub fn log_path(&self) -> PathBuf {
        self.dir.join(APPLICATION_LOG)
    }

    /// The access log so far. Envoy writes what it has every 50 ms.
    pub fn access_log(&self) -> String {
        read(&self.access_log_path())
    }

    /// The file of the access log.
    pub fn access_log_path(&self) -> PathBuf {
        self.dir.join(ACCESS_LOG)
    }

    /// How it ended, if it has, which it should not by itself.
    pub fn has_exited(&mut self) -> Option<ExitStatus> {
        self.leash.try_wait().ok().flatten()
    }

    /// What its log tells about its end or its troubles.
    pub fn reason(&self) -> Reason {
        Reason::of(&logs(&self.dir))
    }

    /// Asks it to end, so that all logs are written, and waits until it has.
    pub fn stop(self) -> io::Result<ExitStatus> {
        self.leash.stop(Duration::from_secs(10))
    }
}

/// Writes the configuration, and removes what an earlier Envoy left behind in the folder.
fn prepare(bootstrap: &Bootstrap, dir: &Path) -> Result<(), StartError> {
    fs::create_dir_all(dir).map_err(|error| StartError::file(dir, error))?;
    for name in [APPLICATION_LOG, ACCESS_LOG, ADMIN] {
        let file = dir.join(name);
        match fs::remove_file(&file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(StartError::file(&file, error));
            }
            _ => {}
        }
    }
    let file = dir.join(CONFIGURATION);
    fs::write(&file, bootstrap.json()).map_err(|error| StartError::file(&file, error))
}

/// Starts it; `stdout` is where that goes if not into a file.
fn launch(
    binary: &Path,
    dir: &Path,
    options: &Options,
    stdout: Option<Stdio>,
) -> Result<Leash, StartError> {
    // Envoy runs in its folder, so a relative path would lead elsewhere.
    let binary = binary.canonicalize().map_err(|error| StartError::file(binary, error))?;
    let file = dir.join(OUTPUT);
    let output = fs::File::create(&file).map_err(|error| StartError::file(&file, error))?;
    let errors = output.try_clone().map_err(|error| StartError::file(&file, error))?;
    let with = |command: &mut Command| {
        let stdout = stdout.unwrap_or_else(|| output.into());
        command.current_dir(dir).args(arguments(options)).stdout(stdout).stderr(errors);
    };
    Leash::start(&binary, with).map_err(|error| StartError::file(&binary, error))
}

fn arguments(options: &Options) -> Vec<String> {
    let concurrency = options.concurrency.to_string();
    let wasm_log_level = format!("wasm:{}", options.wasm_log_level);
    let drain = options.drain.map(|drain| drain.as_secs().to_string());
    // All of them go at the end of the time, and not some now and then.
    let drain = drain
        .as_ref()
        .map(|drain| ["--drain-time-s", drain.as_str(), "--drain-strategy", "immediate"]);
    [
        ["--config-path", CONFIGURATION].as_slice(),
        &["--log-path", APPLICATION_LOG],
        &["--admin-address-path", ADMIN],
        // Its own news would bury what the filter says.
        &["--log-level", "warning"],
        &["--component-log-level", &wasm_log_level],
        &["--concurrency", &concurrency],
        // For tests and people, who wait for the access log.
        &["--file-flush-interval-msec", "50"],
        // No shared memory, which others on this machine would run into.
        &["--disable-hot-restart"],
        drain.as_ref().map_or(&[], |drain| drain.as_slice()),
    ]
    .concat()
    .into_iter()
    .map(str::to_owned)
    .collect()
}

fn ready(leash: &mut Leash, dir: &Path) -> Result<(SocketAddr, SocketAddr), Silence> {
    let address = dir.join(ADMIN);
    let admin =
        leash.until("Envoy's admin address", READY_WITHIN, || read(&address).parse().ok())?;
    leash.until("Envoy to be ready", READY_WITHIN, || is_ready(admin).then_some(()))?;
    let listener = leash.until("Envoy's listener", READY_WITHIN, || listener(admin))?;
    Ok((admin, listener))
}

/// The template's name for the listener that requests come in by.
const INBOUND: &str = "inbound";

/// Live is said a moment before the workers listen.
fn is_ready(admin: SocketAddr) -> bool {
    let says = |path: &str, what: &str| {
        admin_get(admin, path).is_ok_and(|text| text.lines().any(|line| line == what))
    };
    says("/ready", "LIVE")
        && says(
            "/stats?filter=^listener_manager.workers_started$",
            "listener_manager.workers_started: 1",
        )
}

fn listener(admin: SocketAddr) -> Option<SocketAddr> {
    let listeners = admin_get(admin, "/listeners?format=json").ok()?;
    let listeners: Value = serde_json::from_str(&listeners).ok()?;
    let statuses = listeners["listener_statuses"].as_array()?;
    // There may be others beside the template's, for calls that go out or for scrapes.
    let inbound = statuses.iter().find(|listener| listener["name"] == INBOUND);
    let listener = inbound.or(statuses.first())?;
    let address = listener.pointer("/local_address/socket_address")?;
    let ip = address["address"].as_str()?.parse().ok()?;
    let port = address["port_value"].as_u64()?.try_into().ok()?;
    Some(SocketAddr::new(ip, port))
}

/// A page of the admin there. An answer other than 200 is an error.
pub(crate) fn admin_get(admin: SocketAddr, path: &str) -> io::Result<String> {
    let answer = Request::get(path).send(admin)?;
    let text = answer.text();
    match answer.status() {
        200 => Ok(text),
        status => {
            Err(io::Error::other(format!("Envoy's admin answered {path} with {status}: {text}")))
        }
    }
}

/// All that it wrote about itself.
fn logs(dir: &Path) -> String {
    read(&dir.join(OUTPUT)) + "\n" + &read(&dir.join(APPLICATION_LOG))
}

/// A file that is being written, and may not be there yet.
fn read(file: &Path) -> String {
    String::from_utf8_lossy(&fs::read(file).unwrap_or_default()).into_owned()
}

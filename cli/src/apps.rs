//! Python services, as anybody would write them, to have something behind Envoy.
//!
//! They know nothing of Sightline or of telemetry, which is the point. The three here are for tests,
//! and all answer the same routes: `GET /`, `GET /headers` (what the app was sent), `GET /users/{id}`
//! (404 for 404), `GET /boom` (fails), `GET /slow?ms=…` and `POST /orders` (201). Those of the demo
//! are [`crate::demo`]'s, and start the same way. Which Python runs them is for `sightline-setup`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;
use std::{error, fmt, fs, io};

use crate::http::Request;
use crate::leash::{Leash, Silence};

/// How long an app may take to listen: Python imports a lot, and machines are slow at times.
const READY_WITHIN: Duration = Duration::from_mins(1);

mod launch;

pub use launch::Launch;

/// Which of the three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framework {
    /// `FastAPI` on uvicorn: one process, an event loop.
    FastApi,
    /// Flask on gunicorn: two pre-forked workers.
    Flask,
    /// Django on gunicorn: two pre-forked workers.
    Django,
}

impl Framework {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::FastApi, Self::Flask, Self::Django];

    /// The name of the Python module, and of its file.
    fn module(self) -> &'static str {
        match self {
            Self::FastApi => "fastapi_app",
            Self::Flask => "flask_app",
            Self::Django => "django_app",
        }
    }

    fn source(self) -> &'static str {
        match self {
            Self::FastApi => include_str!("../apps/fastapi_app.py"),
            Self::Flask => include_str!("../apps/flask_app.py"),
            Self::Django => include_str!("../apps/django_app.py"),
        }
    }

    /// The server's command line after `python -m`, without the app.
    fn server(self, listen: SocketAddr) -> Vec<String> {
        let (host, port) = (listen.ip().to_string(), listen.port().to_string());
        let address = listen.to_string();
        let words = match self {
            // A line for each request would fill the disk, and Sightline has one.
            Self::FastApi => vec!["uvicorn", "--host", &host, "--port", &port, "--no-access-log"],
            // Its control socket would be a file in the user's home.
            Self::Flask | Self::Django => {
                vec!["gunicorn", "--bind", &address, "--workers", "2", "--no-control-socket"]
            }
        };
        words.into_iter().map(str::to_owned).collect()
    }
}

impl fmt::Display for Framework {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::FastApi => "FastAPI",
            Self::Flask => "Flask",
            Self::Django => "Django",
        })
    }
}

/// A running app. Dropped, it and its workers are killed.
#[derive(Debug)]
pub struct App {
    leash: Leash,
    log: PathBuf,
    address: SocketAddr,
}

impl App {
    /// Starts one in `dir`, which is made if need be, and waits until it answers.
    pub fn start(framework: Framework, python: &Path, dir: &Path) -> Result<Self, AppError> {
        Launch::of(framework).start(python, dir)
    }

    /// The same under OpenTelemetry's automatic instrumentation, which sends the spans that it makes
    /// to this collector. It is installed for `FastAPI` only.
    pub fn start_instrumented(
        framework: Framework,
        python: &Path,
        dir: &Path,
        collector: SocketAddr,
    ) -> Result<Self, AppError> {
        Launch::of(framework).collector(collector).start(python, dir)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// All that it has printed so far.
    pub fn log(&self) -> String {
        read(&self.log)
    }

    /// How it ended, if it has, which it should not by itself.
    pub fn has_exited(&mut self) -> Option<ExitStatus> {
        self.leash.try_wait().ok().flatten()
    }
}

/// Why an app did not come up.
#[derive(Debug)]
pub struct AppError {
    framework: Framework,
    cause: Cause,
}

#[derive(Debug)]
enum Cause {
    Files(io::Error),
    Silent(Silence, String),
}

impl fmt::Display for AppError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let framework = self.framework;
        match &self.cause {
            Cause::Files(error) => write!(out, "The {framework} app cannot start: {error}"),
            Cause::Silent(silence, log) => {
                write!(out, "The {framework} app did not start ({silence}). Its log:\n{log}")
            }
        }
    }
}

impl error::Error for AppError {}

/// Both servers print their address, with the port that they were given.
fn listening_at(log: &str) -> Option<SocketAddr> {
    // Only a line that is whole, or the port might not be.
    let whole = log.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    let addresses = whole.filter_map(|line| line.split_once("http://")).map(|(_, after)| after);
    addresses
        .filter_map(|after| after.split([' ', '\n', '/']).next())
        .find_map(|address| address.parse().ok())
}

/// That it accepts a connection is not enough: gunicorn does before its workers have loaded the app.
fn answers(address: SocketAddr) -> bool {
    Request::get("/").send(address).is_ok()
}

fn read(log: &Path) -> String {
    String::from_utf8_lossy(&fs::read(log).unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_read_from_what_the_servers_print() {
        for (name, log, expected) in [
            (
                "uvicorn",
                "INFO:     Started server process [1]\n\
                 INFO:     Uvicorn running on http://127.0.0.1:40201 (Press CTRL+C to quit)\n",
                Some("127.0.0.1:40201"),
            ),
            (
                "gunicorn",
                "[2026-11-21 08:50:00 +0000] [1] [INFO] Starting gunicorn 27.0.1\n\
                 [2026-11-21 08:50:00 +0000] [1] [INFO] Listening at: http://127.0.0.1:81 (1)\n",
                Some("127.0.0.1:81"),
            ),
            ("half a line", "INFO:     Uvicorn running on http://127.0.0.1:40", None),
            ("another address", "see http://example.org/help\n", None),
            ("nothing", "", None),
        ] {
            assert_eq!(listening_at(log), expected.map(|a| a.parse().unwrap()), "{name}");
        }
    }

    #[test]
    fn an_app_that_ends_is_told_with_what_it_printed() {
        for (name, script, told) in [
            ("at once", "echo no such module; exit 3", "no such module\n"),
            ("after it listened", "echo at http://127.0.0.1:1; exit 3", "at http://127.0.0.1:1\n"),
        ] {
            let dir = tempfile::tempdir().unwrap();
            // A shell takes `-m gunicorn` too: as a script of that name, in that folder.
            fs::write(dir.path().join("gunicorn"), script).unwrap();
            let error = App::start(Framework::Flask, Path::new("/bin/sh"), dir.path()).unwrap_err();
            let error = error.to_string();
            let first = "The Flask app did not start (it ended, exit status: 3). Its log:\n";
            assert!(error.starts_with(first), "{name}: {error}");
            assert!(error.ends_with(told), "{name}: {error}");
        }
    }
}

//! The app asked for its routes, in the user's own Python and in a process that cannot outlive us.
//!
//! Importing an app runs it: it may print, hang, start threads and end. So the answer comes through a pipe of its own, a
//! time limit holds, and whatever is left is killed.

use std::env;
use std::io::{self, BufRead as _, BufReader, PipeReader, PipeWriter, Read as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use sightline_core::route::Precedence;

use super::answer::Answer;
use super::{Block, Refusal};
use crate::leash::{Leash, Silence};

/// The longest answer: twice the most templates that there can be, at their longest.
const LONGEST_ANSWER: u64 = 64 * 1_024 * 1_024;

/// How much is kept of what the app prints, and how many lines of it are told.
const PRINTED: usize = 16 * 1_024;
const LINES: usize = 10;

/// How long an answer may be on its way once Python has ended.
const ON_ITS_WAY: Duration = Duration::from_secs(2);

/// Whose routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framework {
    /// `FastAPI` and Starlette.
    Fastapi,
    /// Flask.
    Flask,
    /// Django.
    Django,
}

/// What is asked, and where.
#[derive(Clone, Debug)]
pub struct Question {
    /// Whose routes.
    pub framework: Framework,
    /// `MODULE` or `MODULE:APP`.
    pub app: String,
    /// The Python that has the app's packages.
    pub python: PathBuf,
    /// The folder in which the app runs.
    pub dir: PathBuf,
    /// How long it may take.
    pub timeout: Duration,
    /// What stands in front of the app's paths where Envoy sees them.
    pub prefix: Option<String>,
}

/// The Python of the virtual environment that is active, else the one on the PATH.
pub fn default_python() -> PathBuf {
    let active = env::var_os("VIRTUAL_ENV").filter(|root| !root.is_empty());
    let python = active.map(|root| Path::new(&root).join("bin/python"));
    python.filter(|python| python.exists()).unwrap_or_else(|| PathBuf::from("python3"))
}

impl Framework {
    fn script(self) -> &'static str {
        match self {
            Self::Fastapi => concat!(include_str!("ask.py"), include_str!("fastapi.py")),
            Self::Flask => concat!(include_str!("ask.py"), include_str!("flask.py")),
            Self::Django => concat!(include_str!("ask.py"), include_str!("django.py")),
        }
    }
}

impl Question {
    /// Loads the app and asks it.
    pub fn ask(&self) -> Result<Block, Refusal> {
        let said = self.run()?;
        let mut answer: Answer = serde_json::from_slice(&said)
            .map_err(|error| Refusal::NotAnAnswer(error.to_string()))?;
        if let Some(told) = answer.failed {
            return Err(Refusal::NotLoaded { app: self.named(), told, trace: answer.trace });
        }
        let precedence = if answer.declared { Precedence::Declared } else { Precedence::Specific };
        let routes = answer.routes(self.prefix.as_deref());
        Block::new(self.named(), precedence, routes, answer.notes)
    }

    fn named(&self) -> String {
        if self.app.is_empty() { "DJANGO_SETTINGS_MODULE".to_owned() } else { self.app.clone() }
    }

    /// The line that Python answers.
    fn run(&self) -> Result<Vec<u8>, Refusal> {
        if !self.dir.is_dir() {
            return Err(Refusal::NoFolder(self.dir.clone()));
        }
        let no_python = |reason: String| Refusal::NoPython { python: self.python.clone(), reason };
        let started = self.start().map_err(|error| no_python(error.to_string()));
        let (mut leash, answer, printed) = started?;
        let silence = match leash.until("the app", self.timeout, || answer.try_recv().ok()) {
            Ok(line) => return Ok(line),
            Err(silence) => silence,
        };
        match silence {
            Silence::Ended(status) => match answer.recv_timeout(ON_ITS_WAY) {
                Ok(line) if !line.is_empty() => Ok(line),
                _ if matches!(status.code(), Some(126 | 127)) => {
                    Err(no_python(printed.complete().last()))
                }
                _ => Err(Refusal::Ended { status, printed: printed.complete().last() }),
            },
            Silence::TimedOut(_) => {
                Err(Refusal::TimedOut { limit: self.timeout, printed: printed.last() })
            }
        }
    }

    fn start(&self) -> io::Result<(Leash, Receiver<Vec<u8>>, Printed)> {
        let (answer, stdout) = io::pipe()?;
        let (errors, stderr) = io::pipe()?;
        // It runs in the app's folder, so a relative path would lead elsewhere. Not canonical: the symbolic link is how
        // Python knows that it is in a virtual environment.
        let is_path = self.python.components().count() > 1;
        let python = if is_path { std::path::absolute(&self.python)? } else { self.python.clone() };
        let leash = Leash::start(&python, |command| self.command(command, stdout, stderr))?;
        let (tell, told) = mpsc::channel();
        thread::spawn(move || {
            let mut line = Vec::new();
            let read = BufReader::new(answer).take(LONGEST_ANSWER).read_until(b'\n', &mut line);
            // Without an answer nobody is told: the end of Python is noticed by itself.
            if read.is_ok_and(|length| length > 0) {
                let _ = tell.send(line);
            }
        });
        Ok((leash, told, Printed::of(errors)))
    }

    fn command(&self, command: &mut Command, stdout: PipeWriter, stderr: PipeWriter) {
        command
            .args(["-c", self.framework.script(), &self.app])
            .current_dir(&self.dir)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            // The app is only loaded, and has nothing to report.
            .env("OTEL_SDK_DISABLED", "true")
            .stdout(stdout)
            .stderr(stderr);
    }
}

/// The end of what the app prints.
struct Printed {
    kept: Arc<Mutex<Vec<u8>>>,
    /// Closed when there will be no more.
    ended: Receiver<()>,
}

impl Printed {
    fn of(mut errors: PipeReader) -> Self {
        let kept = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&kept);
        let (open, ended) = mpsc::channel();
        thread::spawn(move || {
            let _open = open;
            let mut piece = [0; 4_096];
            while let Ok(length @ 1..) = errors.read(&mut piece) {
                let mut kept = shared.lock().unwrap_or_else(PoisonError::into_inner);
                kept.extend_from_slice(piece.get(..length).unwrap_or_default());
                let surplus = kept.len().saturating_sub(PRINTED);
                kept.drain(..surplus);
            }
        });
        Self { kept, ended }
    }

    /// Waits for what a process that has ended has left in the pipe.
    fn complete(self) -> Self {
        let _ = self.ended.recv_timeout(ON_ITS_WAY);
        self
    }

    /// The last lines.
    fn last(&self) -> String {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&kept);
        let lines: Vec<&str> = text.lines().collect();
        lines.get(lines.len().saturating_sub(LINES)..).unwrap_or_default().join("\n")
    }
}

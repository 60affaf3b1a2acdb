//! Why `sightline up` did not come up, or ended, in sentences.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::{error, fmt, io};

use crate::session::Failed;

/// Why it did not come up, or ended.
#[derive(Debug)]
pub enum Error {
    /// The app is where Envoy is to listen.
    Loop(SocketAddr),
    /// One address was said for two things.
    Twice {
        /// Which.
        address: SocketAddr,
        /// What it was said for.
        flags: [&'static str; 2],
    },
    /// The command's program is not there.
    NoProgram(OsString),
    /// The command could not be started, or told to end.
    App(io::Error),
    /// There is no Envoy.
    Setup(sightline_setup::Error),
    /// There is no place for Envoy's files.
    Folder {
        /// Where it was looked for.
        folder: PathBuf,
        /// And why it is none.
        error: io::Error,
    },
    /// Signals cannot be received.
    Signals(io::Error),
    /// The app cannot be looked for.
    Caller(io::Error),
    /// The session did not start, or failed.
    Session(Failed),
}

impl Error {
    /// What the command ends with.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Loop(_) | Self::Twice { .. } => 2,
            // As a shell says it.
            Self::NoProgram(_) => 127,
            _ => 1,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loop(listen) => write!(
                out,
                "--app is where Envoy is to listen, {listen}, so it would call itself. Give one of \
                 them another port, with --listen or --app."
            ),
            Self::Twice { address, flags: [one, other] } => {
                write!(out, "{one} and {other} are both {address}. Give one of them another port.")
            }
            Self::NoProgram(name) => write!(
                out,
                "`{}` is no program: it is not on the PATH, or cannot be executed. What stands \
                 after -- is started as it is, without a shell.",
                name.to_string_lossy().escape_debug()
            ),
            Self::App(error) => write!(out, "The command cannot be run: {error}."),
            Self::Setup(error) => error.fmt(out),
            Self::Folder { folder, error } => {
                write!(out, "Envoy's files have no place in {}: {error}.", folder.display())
            }
            Self::Signals(error) => write!(out, "Signals cannot be received: {error}."),
            Self::Caller(error) => write!(out, "The app cannot be looked for: {error}."),
            Self::Session(failed) => failed.fmt(out),
        }
    }
}

impl error::Error for Error {}

impl From<sightline_setup::Error> for Error {
    fn from(error: sightline_setup::Error) -> Self {
        Self::Setup(error)
    }
}

impl From<Failed> for Error {
    fn from(failed: Failed) -> Self {
        Self::Session(failed)
    }
}

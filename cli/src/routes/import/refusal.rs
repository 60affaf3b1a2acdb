//! Why nothing was imported, in sentences that say what to do.

use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;
use std::{error, fmt, io};

use sightline_core::config::Problems;

use crate::harmless::harmless;

/// Why nothing was imported.
#[derive(Debug)]
pub enum Refusal {
    /// The document cannot be read.
    Unreadable {
        /// Which, as the user named it.
        file: String,
        /// And why.
        error: io::Error,
    },
    /// It is no `OpenAPI` document.
    NotOpenapi {
        /// What it is not.
        reason: String,
    },
    /// The folder that the app is to run in is none.
    NoFolder(PathBuf),
    /// Python cannot be run.
    NoPython {
        /// Which one.
        python: PathBuf,
        /// And why.
        reason: String,
    },
    /// The app cannot be loaded.
    NotLoaded {
        /// How the user named it.
        app: String,
        /// What Python says.
        told: String,
        /// The places that it came through.
        trace: Vec<String>,
    },
    /// Python ended without an answer.
    Ended {
        /// How.
        status: ExitStatus,
        /// The last that the app printed.
        printed: String,
    },
    /// It did not answer in time.
    TimedOut {
        /// How long was waited.
        limit: Duration,
        /// The last that the app printed.
        printed: String,
    },
    /// What came is no answer.
    NotAnAnswer(String),
    /// There is no route.
    Nothing {
        /// Where there is none.
        source: String,
    },
    /// The core refuses what was made, which is a mistake of ours.
    NotTaken(Problems),
}

impl Refusal {
    /// What the command ends with: 1 where what was found is wrong, 2 where it cannot be read.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Unreadable { .. } | Self::NoFolder(_) | Self::NoPython { .. } => 2,
            _ => 1,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { file, error } => {
                write!(f, "{file} cannot be read: {error}. Name a file, or - for standard input.")
            }
            Self::NotOpenapi { reason } => write!(f, "This is no OpenAPI document: {reason}"),
            Self::NoFolder(dir) => write!(
                f,
                "--dir {}: there is no such folder. Name the one in which the app runs.",
                dir.display()
            ),
            Self::NoPython { python, reason } => write!(
                f,
                "{} cannot be run ({reason}). Name the app's Python with --python, \
                 as in --python .venv/bin/python.",
                python.display()
            ),
            Self::NotLoaded { app, told, trace } => not_loaded(f, app, told, trace),
            Self::Ended { status, printed } => {
                write!(f, "Python ended before the app told its routes ({status}).")?;
                last_words(f, printed)
            }
            Self::TimedOut { limit, printed } => {
                write!(
                    f,
                    "The app told no routes within {limit:?}. Give it longer with --timeout, \
                     or see that nothing is served while it is imported."
                )?;
                last_words(f, printed)
            }
            Self::NotAnAnswer(reason) => write!(f, "Python answered what is no answer: {reason}"),
            Self::Nothing { source } => write!(f, "{source} has no routes."),
            Self::NotTaken(problems) => {
                writeln!(
                    f,
                    "The routes that were found make no configuration, which is a mistake of ours:"
                )?;
                problems.iter().try_for_each(|problem| writeln!(f, "  {problem}"))
            }
        }
    }
}

impl error::Error for Refusal {}

fn not_loaded(f: &mut fmt::Formatter<'_>, app: &str, told: &str, trace: &[String]) -> fmt::Result {
    write!(f, "{} cannot be loaded: {}", harmless(app), harmless(told))?;
    trace.iter().try_for_each(|place| write!(f, "\n  {}", harmless(place)))?;
    if told.contains("No module named") {
        f.write_str(
            "\nName the Python that has the app's packages with --python, and the folder of the app with --dir.",
        )?;
    }
    Ok(())
}

fn last_words(f: &mut fmt::Formatter<'_>, printed: &str) -> fmt::Result {
    if printed.trim().is_empty() {
        return Ok(());
    }
    f.write_str(" The last that it printed:")?;
    printed.lines().try_for_each(|line| write!(f, "\n  {}", harmless(line)))
}

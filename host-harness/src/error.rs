//! What can go wrong with a module that loaded: it traps, never returns, or refuses.
//!
//! What is wrong with a module that does not even load is a [`ModuleError`](crate::ModuleError).

use std::fmt;

use wasmtime::WasmBacktrace;

use crate::Line;

/// Why a VM did not do what it was asked to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The module trapped, and its plugin has no policy that says what to make of it.
    Trapped(Trap),
    /// The module said no: it returned 0 from a callback that may refuse.
    Refused {
        /// The callback that refused.
        entry: &'static str,
        /// What the module logged meanwhile.
        log: Vec<Line>,
    },
    /// A VM that was to be there is not.
    NoVm,
    /// Nothing is known of this request: its outcome was taken before, or its host is another.
    NoStream,
    /// The module did something that makes Envoy itself crash.
    WouldCrash(&'static str),
    /// A request did not end within a day of the host's time.
    Stuck,
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trapped(trap) => trap.fmt(out),
            Self::Refused { entry, log } => {
                write!(out, "The module refused: {entry} returned 0.{}", Logged(log))
            }
            Self::NoVm => out.write_str("The VM that was to do this is gone."),
            Self::NoStream => out.write_str(
                "Nothing is known of this request. Its outcome is told once, and by the host that ran it.",
            ),
            Self::WouldCrash(what) => {
                write!(out, "Envoy crashes when a module does this: {what}.")
            }
            Self::Stuck => out.write_str(
                "The request did not end within a day of the host's time. \
                 See that the module lets it go on, or end it with Request::abandoned_after.",
            ),
        }
    }
}

impl std::error::Error for Failure {}

/// A trap: where the module was entered, what happened, and how it got there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trap {
    /// The export that the host had called.
    pub entry: &'static str,
    /// What happened, in a sentence.
    pub cause: String,
    /// The module's functions that were running, innermost first, by name where the module has
    /// names.
    pub backtrace: Vec<String>,
    /// What the module logged meanwhile.
    pub log: Vec<Line>,
    /// The thread it happened on: 0 is the main thread, then come the workers.
    pub thread: usize,
    /// How many lines the host's log had by then.
    pub lines_before: usize,
}

impl Trap {
    /// A trap in an entry before which the log had so many lines.
    pub(crate) fn new(
        entry: &'static str,
        error: &wasmtime::Error,
        thread: usize,
        heard: usize,
        log: &[Line],
    ) -> Self {
        Self {
            entry,
            cause: cause(error),
            backtrace: backtrace(error),
            log: log[heard..].to_vec(),
            thread,
            lines_before: log.len(),
        }
    }
}

impl fmt::Display for Trap {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "The module trapped in {}: {}.", self.entry, self.cause)?;
        for frame in &self.backtrace {
            write!(out, "\n  {frame}")?;
        }
        Logged(&self.log).fmt(out)
    }
}

/// The end of a message: the log, if there is any.
struct Logged<'a>(&'a [Line]);

impl fmt::Display for Logged<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return out.write_str("\nIt logged nothing meanwhile.");
        }
        out.write_str("\nIt had logged:")?;
        self.0.iter().try_for_each(|line| write!(out, "\n  {line}"))
    }
}

fn cause(error: &wasmtime::Error) -> String {
    match error.downcast_ref::<wasmtime::Trap>() {
        Some(wasmtime::Trap::OutOfFuel) => format!(
            "it used up {} units of fuel, about one for an instruction, without returning; \
             it loops for ever or does far too much in one call",
            crate::fuel::FUEL
        ),
        Some(trap) => trap.to_string(),
        None => error.root_cause().to_string(),
    }
}

/// The first line of wasmtime's text only says that a backtrace follows.
fn backtrace(error: &wasmtime::Error) -> Vec<String> {
    let text = error.downcast_ref::<WasmBacktrace>().map(ToString::to_string).unwrap_or_default();
    text.lines().skip(1).map(|line| line.trim().to_owned()).collect()
}

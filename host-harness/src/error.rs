//! What can go wrong with a module that loaded: it traps, never returns, or refuses.
//!
//! What is wrong with a module that does not even load is a [`ModuleError`](crate::ModuleError).

use std::fmt;

use wasmtime::WasmBacktrace;

use crate::Line;

/// Why a VM did not do what it was asked to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The module trapped. Envoy never enters a VM again after that, and neither does this host.
    Trapped(Trap),
    /// The module said no: it returned 0 from a callback that may refuse.
    Refused {
        /// The callback that refused.
        entry: &'static str,
        /// What the module logged meanwhile.
        log: Vec<Line>,
    },
    /// The VM trapped earlier, so it was not entered.
    Broken,
    /// No root context is there to serve this: none was configured, or it was shut down.
    NoRoot,
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trapped(trap) => trap.fmt(out),
            Self::Refused { entry, log } => {
                write!(out, "The module refused: {entry} returned 0.{}", Logged(log))
            }
            Self::Broken => out.write_str(
                "The module trapped in an earlier call, and a VM is never entered again after that. \
                 Make a new Vm.",
            ),
            Self::NoRoot => out.write_str(
                "There is no root context to serve this. \
                 Call Vm::configure first, and do not use a root after its end.",
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
}

impl Trap {
    pub(crate) fn new(entry: &'static str, error: &wasmtime::Error, log: &[Line]) -> Self {
        Self { entry, cause: cause(error), backtrace: backtrace(error), log: log.to_vec() }
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
            crate::vm::FUEL
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

//! The verbs of the `sightline` command: a file each, with the verb's arguments and its help.
//!
//! They read arguments, call the library and print. What a verb does is in the library.

use std::fmt;
use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use sightline_cli::VERSION;
use sightline_cli::check::Refused;

mod check;
mod completions;
mod demo;
mod generate;
mod man;
mod routes;
#[cfg(feature = "run")]
mod run;
mod up;

/// Telemetry for the HTTP services behind Envoy, without a change to them.
#[derive(Parser)]
#[command(name = "sightline", version = VERSION, after_help = "\
Examples:
  sightline demo
  sightline up --app 127.0.0.1:8000
  sightline check sightline.yaml")]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Up(up::Up),
    Demo(demo::Demo),
    Check(check::Check),
    Routes(routes::Routes),
    Generate(generate::Generate),
    #[cfg(feature = "run")]
    Run(run::Run),
    Completions(completions::Completions),
    Man(man::Man),
}

/// In what form a verb answers.
#[derive(Clone, Copy, Default, ValueEnum)]
enum Output {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
}

/// What a verb ends with where it does not end well: what is told on stderr, and the exit code.
#[derive(Debug)]
struct Failure {
    told: String,
    code: u8,
}

/// How a verb ended: with an exit code of its own, or with a failure to be told.
type Outcome = Result<ExitCode, Failure>;

/// Reads the arguments and does what they say.
pub(crate) fn run() -> ExitCode {
    let outcome = match Arguments::parse().verb {
        Verb::Up(up) => up.run(),
        Verb::Demo(demo) => demo.run(),
        Verb::Check(check) => check.run(),
        Verb::Routes(routes) => routes.run(),
        Verb::Generate(generate) => generate.run(),
        #[cfg(feature = "run")]
        Verb::Run(run) => run.run(),
        Verb::Completions(completions) => completions.run(),
        Verb::Man(man) => man.run(),
    };
    outcome.unwrap_or_else(|Failure { told, code }| {
        eprintln!("{told}");
        ExitCode::from(code)
    })
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        Self { code: refused.exit_code(), told: refused.to_string() }
    }
}

impl Failure {
    /// Something said or found is wrong.
    fn wrong(told: impl fmt::Display) -> Self {
        Self { told: told.to_string(), code: 1 }
    }

    /// Something cannot be read or written.
    fn unreadable(told: impl fmt::Display) -> Self {
        Self { told: told.to_string(), code: 2 }
    }
}

/// Prints it all. That nobody reads on, as `head` does, is no error.
fn print(text: &str) -> Outcome {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::unreadable(format_args!("Standard output cannot be written: {error}.")))
        }
        _ => Ok(ExitCode::SUCCESS),
    }
}

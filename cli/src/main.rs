//! The `sightline` command: reads its arguments and calls the library.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use sightline_cli::{demo, duration};

/// Telemetry for the HTTP services behind Envoy, without a change to them.
#[derive(Parser)]
#[command(name = "sightline", version, after_help = "Example:\n  sightline demo --for 20s")]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Shows what Sightline does: a Python app, Envoy before it, traffic, and a log line for each
    /// request.
    ///
    /// Sets up Python packages and Envoy first, if need be. Log lines go to stdout, everything else
    /// to stderr.
    #[command(after_help = "Example:\n  sightline demo --for 20s")]
    Demo {
        /// End by itself after this time, such as 250ms, 20s or 1m [default: at Ctrl-C]
        #[arg(long = "for", value_name = "DURATION", value_parser = duration::parse)]
        limit: Option<Duration>,
    },
}

fn main() -> ExitCode {
    let Verb::Demo { limit } = Arguments::parse().verb;
    match demo::run(limit) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

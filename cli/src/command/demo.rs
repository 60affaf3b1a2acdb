//! `sightline demo`.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use sightline_cli::{demo, duration};

use super::{Failure, Outcome};

/// Shows what Sightline does: a Python app, Envoy before it, traffic, and a log line for each request.
///
/// Sets up Python packages and Envoy first, if need be. Log lines go to stdout, everything else to stderr.
#[derive(Args)]
#[command(after_help = "Example:\n  sightline demo --for 20s")]
pub(super) struct Demo {
    /// End by itself after this time, such as 250ms, 20s or 1m [default: at Ctrl-C]
    #[arg(long = "for", value_name = "DURATION", value_parser = duration::parse)]
    limit: Option<Duration>,
}

impl Demo {
    pub(super) fn run(self) -> Outcome {
        demo::run(self.limit).map(|()| ExitCode::SUCCESS).map_err(Failure::wrong)
    }
}

//! `sightline run`.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::Value;
use sightline_cli::run::{Playlist, Shown, Verdict};

use super::{Failure, Outcome, Output, print};

/// Plays scenarios in the host harness and shows what came out.
///
/// A scenario is a configuration, requests with their answers, and what is expected of them, in a few lines of YAML. It is
/// played with the filter of this command, in a host that behaves as Envoy does, without Envoy, a network or time passing.
/// What each side saw is printed, with the access-log line, the stats, and what it cost. The exit code is 1 if anything
/// is not as expected. docs/scenarios.md has the whole format.
#[derive(Args)]
#[command(after_help = "\
A scenario:
  - name: the ID of the client is kept
    configuration: { service: { name: shop } }
    steps:
      - request:
          path: /users/7
          headers: [[x-request-id, mine]]
          upstream: { status: 404, body: [no such user] }
    expect: ['x-request-id mine', '\"status\":404']
    absent: ['\"level\":\"error\"']

Examples:
  sightline run scenario.yaml
  sightline run tests/scenarios/*.yaml --quiet
  sightline run scenario.yaml --only 'is kept' --verbatim")]
pub(super) struct Run {
    /// Play only scenarios with this in their names
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Show IDs, times and ports as they were, instead of placeholders as expectations see them
    #[arg(long)]
    verbatim: bool,
    /// Show only what is not as expected
    #[arg(long, short)]
    quiet: bool,
    /// Text, or a list in JSON for programs
    #[arg(long, value_enum, default_value_t)]
    output: Output,
    /// Files of scenarios; - is standard input
    #[arg(value_name = "SCENARIO", required = true)]
    files: Vec<PathBuf>,
}

impl Run {
    pub(super) fn run(self) -> Outcome {
        let playlist = Playlist::read(&self.files, self.only.as_deref())
            .map_err(|error| Failure { told: error.to_string(), code: error.exit_code() })?;
        let (mut all, mut wrong, mut told) = (0, 0, Vec::new());
        for verdict in playlist.verdicts() {
            all += 1;
            wrong += u32::from(!verdict.holds());
            match self.output {
                Output::Json => told.push(verdict.json()),
                Output::Text => drop(print(&self.text(&verdict))?),
            }
        }
        match self.output {
            Output::Json => drop(print(&format!("{:#}\n", Value::Array(told)))?),
            Output::Text => drop(print(&format!("{} of {all} scenarios hold.\n", all - wrong))?),
        }
        let _ = io::stdout().flush();
        Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn text(&self, verdict: &Verdict<'_>) -> String {
        let shown = if self.verbatim { Shown::Verbatim } else { Shown::Placeholders };
        match (self.quiet, verdict.holds()) {
            (true, true) => String::new(),
            (true, false) => format!("{}{}\n", verdict.title(), verdict.judgement()),
            (false, _) => format!("{}\n", verdict.text(shown)),
        }
    }
}

//! `sightline routes suggest`.

use std::path::PathBuf;

use clap::Args;
use sightline_cli::STDIN;
use sightline_cli::check::Own;
use sightline_cli::routes::suggest::{Gathering, Log, Options};

use crate::command::{Failure, Outcome, Output, print};

/// Templates worth pinning, from access logs.
///
/// Reads lines of Sightline (json, ecs, logfmt), Envoy, nginx, Apache, gunicorn and uvicorn, each by itself, and infers
/// routes from them as the filter does: only paths that some answer has shown to exist count. What comes out is a
/// `routes:` block, the most frequent template first. A parameter is named after the word in front of it,
/// `/users/{user_id:int}`, and has a type where all its values were numbers or UUIDs. Lines that hold no request are told
/// on stderr; if none holds one, the exit code is 1.
#[derive(Args)]
#[command(after_help = "\
Examples:
  sightline routes suggest access.log
  sightline routes suggest --config sightline.yaml /var/log/nginx/access.log*.gz
  kubectl logs deploy/shop | sightline routes suggest - --min 10")]
pub(super) struct Suggest {
    /// The filter's configuration, as YAML or JSON: what its templates match is left out
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Leave out routes with fewer requests than this
    #[arg(long, value_name = "N", default_value_t = Options::DEFAULT.min)]
    min: u64,
    /// More different words than this beside each other become one parameter, as in the filter
    #[arg(long, value_name = "N", default_value_t = Options::DEFAULT.distinct)]
    distinct: usize,
    /// A block of YAML, or JSON for programs
    #[arg(long, value_enum, default_value_t)]
    output: Output,
    /// Access logs, compressed by gzip or not; - is standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

impl Suggest {
    pub(super) fn run(self) -> Outcome {
        let is_stdin = |file: &&PathBuf| file.as_os_str() == STDIN;
        if self.files.iter().chain(&self.config).filter(is_stdin).count() > 1 {
            return Err(Failure::unreadable(
                "Standard input, -, is named twice. Name a file instead.",
            ));
        }
        let settings = Own::read(self.config.as_deref())?.meant;
        let options = Options { min: self.min, distinct: self.distinct };
        let mut gathering = Gathering::new(settings, options);
        for file in &self.files {
            let read = Log::open(file).and_then(|log| gathering.read(log));
            read.map_err(Failure::unreadable)?;
        }
        let suggestions = gathering.finish();
        if suggestions.requests == 0 {
            let lines = suggestions.complaint().unwrap_or_else(|| "No line was read.".to_owned());
            return Err(Failure::wrong(format_args!(
                "There is no request to learn from. {lines} Known are the access logs of Sightline, Envoy, nginx, Apache, gunicorn and uvicorn."
            )));
        }
        if let Some(complaint) = suggestions.complaint() {
            eprintln!("{complaint}");
        }
        print(&match self.output {
            Output::Text => suggestions.to_string(),
            Output::Json => format!("{:#}\n", suggestions.as_json()),
        })
    }
}

//! `sightline routes explain`.

use std::path::PathBuf;

use clap::Args;
use sightline_cli::check::Own;
use sightline_cli::routes::explain::{Explainer, Question};

use crate::command::{Failure, Outcome, Output, print};

/// Which route a path has, and why, step by step.
///
/// Nothing is sent and nothing is learned: it is what the filter does with the configuration when it has just started.
/// A path that no template matches is told with both its names, before the app has shown that the path exists and
/// after.
#[derive(Args)]
#[command(after_help = "\
Examples:
  sightline routes explain /users/17
  sightline routes explain --config sightline.yaml PUT /users/17 /users/me
  sightline routes explain 'https://shop.example/orders/17?page=2' --output json")]
pub(super) struct Explain {
    /// The filter's configuration, as YAML or JSON; - is standard input [default: all as by default]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Sentences, or JSON for programs
    #[arg(long, value_enum, default_value_t)]
    output: Output,
    /// A method, GET if there is none, and paths or whole URLs
    #[arg(value_name = "[METHOD] PATH", required = true)]
    arguments: Vec<String>,
}

impl Explain {
    pub(super) fn run(self) -> Outcome {
        let question = Question::of(self.arguments).map_err(Failure::unreadable)?;
        let explainer = Explainer::of(Own::read(self.config.as_deref())?);
        print(&match self.output {
            Output::Text => question.as_text(&explainer),
            Output::Json => format!("{:#}\n", question.as_json(&explainer)),
        })
    }
}

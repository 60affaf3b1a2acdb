//! `sightline demo`.

use std::env;
use std::io::{IsTerminal as _, stdin, stdout};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};
use sightline_cli::demo::{self, Shown, Wishes};
use sightline_cli::duration;
use sightline_cli::session;

use super::{Failure, Outcome};

/// Shows what Sightline does: three Python apps, Envoy before each, traffic, and the live view of it.
///
/// Sets up Python packages and Envoy first, if need be. Log lines go to stdout, everything else to stderr. The
/// apps are a small shop on `FastAPI`, Flask and Django; they know nothing of Sightline.
#[derive(Args)]
#[command(after_help = "Examples:
  sightline demo
  sightline demo --for 30s --output json > lines.json
  sightline demo --view tui --rate 100")]
pub(super) struct Demo {
    /// End by itself after this time, such as 250ms, 20s or 1m [default: at Ctrl-C]
    #[arg(long = "for", value_name = "DURATION", value_parser = duration::parse)]
    limit: Option<Duration>,

    /// Where to show the live view
    #[arg(long, value_enum, default_value_t = View::Page)]
    view: View,

    /// How to print log lines
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,

    /// About how many requests to send a second, of all clients together
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=500))]
    rate: u16,
}

#[derive(Clone, Copy, ValueEnum)]
enum View {
    /// On a page, whose address is printed
    Page,
    /// In the terminal, instead of lines
    Tui,
    /// Nowhere: lines only
    None,
}

#[derive(Clone, Copy, ValueEnum)]
enum Output {
    /// To be read by people
    Text,
    /// As the filter writes them
    Json,
}

impl Demo {
    pub(super) fn run(self) -> Outcome {
        let wishes = Wishes {
            limit: self.limit,
            view: self.shown()?,
            output: match self.output {
                Output::Text => session::Output::People,
                Output::Json => session::Output::Json,
            },
            rate: self.rate,
            colour: stdout().is_terminal()
                && env::var_os("NO_COLOR").is_none_or(|it| it.is_empty()),
        };
        demo::run(&wishes).map(|()| ExitCode::SUCCESS).map_err(Failure::wrong)
    }

    fn shown(&self) -> Result<Shown, Failure> {
        match (self.view, self.output) {
            (View::Page, _) => Ok(Shown::Page),
            (View::None, _) => Ok(Shown::Nowhere),
            (View::Tui, Output::Json) => Err(Failure::unreadable(
                "--view tui and --output json both want the terminal: leave one of them out.",
            )),
            (View::Tui, Output::Text) if stdin().is_terminal() && stdout().is_terminal() => {
                Ok(Shown::Terminal)
            }
            (View::Tui, Output::Text) => {
                Err(Failure::unreadable("--view tui needs a terminal for stdin and stdout."))
            }
        }
    }
}

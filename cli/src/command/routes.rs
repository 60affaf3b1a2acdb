//! `sightline routes`.

mod explain;
mod import;
mod suggest;

use clap::{Args, Subcommand};

use super::Outcome;

/// Asks about routes, and makes templates for them.
#[derive(Args)]
pub(super) struct Routes {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    Import(import::Import),
    Explain(explain::Explain),
    Suggest(suggest::Suggest),
}

impl Routes {
    pub(super) fn run(self) -> Outcome {
        match self.what {
            What::Import(import) => import.run(),
            What::Explain(explain) => explain.run(),
            What::Suggest(suggest) => suggest.run(),
        }
    }
}

//! `sightline check`.

use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use sightline_cli::STDIN;
use sightline_cli::check::{self, Checked, Paint};

use super::{Outcome, print};

/// Checks the filter's configuration wherever it is written.
///
/// A file is the filter's own YAML or JSON; or one of Envoy (a bootstrap, a listener, an xDS answer, a snippet), Istio
/// (`WasmPlugin`, `EnvoyFilter`), Envoy Gateway (`EnvoyExtensionPolicy`) or Kubernetes (`ConfigMap`, `List`), in which every
/// block of ours is found: those with `sightline` in the filter's name or in the module's path. Every problem is told at
/// once, with file, line, column, what was expected and the nearest known name. Warnings alone are no failure.
///
/// The exit code is 0 if all is good, 1 if there are problems or a file has no configuration of ours in it, and 2 if a file
/// cannot be read.
#[derive(Args)]
#[command(after_help = "\
Examples:
  sightline check sightline.yaml
  sightline check deploy/*.yaml
  kubectl get wasmplugins -A -o yaml | sightline check -
  sightline check --output json bootstrap.yaml")]
pub(super) struct Check {
    /// What to check; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// How problems are told: for people, or as one JSON array
    #[arg(long, value_name = "FORM", value_enum, default_value_t = Form::Text)]
    output: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// With the line, and a caret under what is wrong
    Text,
    /// Objects with file, line, column, path, severity, message and nearest
    Json,
}

impl Check {
    pub(super) fn run(self) -> Outcome {
        let mut checked = Vec::new();
        let mut is_unread = false;
        for file in once_from_stdin(&self.files) {
            match check::read(file) {
                Ok(source) => checked.push(check::check(source)),
                Err(unreadable) => {
                    is_unread = true;
                    eprintln!("{unreadable}");
                }
            }
        }
        print(&match self.output {
            Form::Text => checked.iter().map(|checked| checked.tell(paint())).collect(),
            Form::Json => check::json(&checked),
        })?;
        let is_good = checked.iter().all(Checked::is_good);
        Ok(ExitCode::from(if is_unread { 2 } else { u8::from(!is_good) }))
    }
}

/// The files, standard input only once: it is empty when it is read again.
fn once_from_stdin(files: &[PathBuf]) -> impl Iterator<Item = &Path> {
    let is_stdin = |file: &PathBuf| file == Path::new(STDIN);
    let first = files.iter().position(is_stdin);
    let again = move |number: usize, file: &PathBuf| is_stdin(file) && first != Some(number);
    files
        .iter()
        .enumerate()
        .filter(move |(number, file)| !again(*number, file))
        .map(|(_, file)| file.as_path())
}

fn paint() -> Paint {
    let is_unwanted = std::env::var_os("NO_COLOR").is_some_and(|said| !said.is_empty());
    if io::stdout().is_terminal() && !is_unwanted { Paint::Coloured } else { Paint::Plain }
}

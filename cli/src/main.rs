//! The `sightline` command: reads its arguments and calls the library.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use sightline_cli::generate::bootstrap::{self, Deployment};
use sightline_cli::generate::{Configuration, Endpoint, Refusal};
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
    /// Prints a file to deploy, made from the configuration.
    Generate {
        #[command(subcommand)]
        what: Generated,
    },
}

#[derive(Subcommand)]
enum Generated {
    /// A whole Envoy configuration, with Sightline in front of one application.
    ///
    /// It is envoy/bootstrap.yaml with its comments, your addresses and your configuration. The
    /// configuration is checked first: with a problem in it nothing is printed, every problem is told
    /// on stderr, and the exit code is 1; it is 2 where the file cannot be read. Clients' request IDs
    /// survive what is printed; docs/request-id.md tells why.
    #[command(after_help = "\
Examples:
  sightline generate bootstrap > bootstrap.yaml
  sightline generate bootstrap --config sightline.yaml --app app:5000 --otlp collector:4318
  echo 'service: { name: shop }' | sightline generate bootstrap --config -")]
    Bootstrap(Bootstrap),
}

#[derive(Args)]
struct Bootstrap {
    /// The filter's configuration, as YAML or JSON; - is standard input [default: all as by default]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where clients connect
    #[arg(long, value_name = "ADDR", default_value = "0.0.0.0:8080")]
    listen: SocketAddr,
    /// The application, by address or by name
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8000")]
    app: Endpoint,
    /// Where Envoy finds the filter
    #[arg(long, value_name = "PATH", default_value = "/etc/envoy/sightline.wasm", value_parser = filter)]
    filter: String,
    /// The OTLP collector behind `export.cluster` [default: 127.0.0.1:4318, or 4317 for gRPC]
    #[arg(long, value_name = "HOST:PORT")]
    otlp: Option<Endpoint>,
}

fn main() -> ExitCode {
    match Arguments::parse().verb {
        Verb::Demo { limit } => ended(demo::run(limit).map_err(|error| (error.to_string(), 1))),
        Verb::Generate { what: Generated::Bootstrap(said) } => {
            let written =
                generate(said).map_err(|refusal| (refusal.to_string(), refusal.exit_code()));
            ended(written.and_then(|text| print(&text).map_err(|error| (error.to_string(), 2))))
        }
    }
}

fn generate(said: Bootstrap) -> Result<String, Refusal> {
    let configuration = match said.config {
        Some(file) => Configuration::read(&file)?,
        None => Configuration::parse("")?,
    };
    let Bootstrap { listen, app, filter, otlp, .. } = said;
    bootstrap::bootstrap(&configuration, &Deployment { listen, app, filter, otlp })
}

/// Prints it all. That nobody reads on, as `head` does, is no error.
fn print(text: &str) -> io::Result<()> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

/// A path that can stand on one line.
fn filter(path: &str) -> Result<String, &'static str> {
    let is_line = !path.is_empty() && !path.contains(char::is_control);
    is_line.then(|| path.to_owned()).ok_or("expected the path of sightline.wasm, on one line")
}

fn ended(how: Result<(), (String, u8)>) -> ExitCode {
    match how {
        Ok(()) => ExitCode::SUCCESS,
        Err((told, code)) => {
            eprintln!("{told}");
            ExitCode::from(code)
        }
    }
}

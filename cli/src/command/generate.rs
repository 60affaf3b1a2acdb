//! `sightline generate`.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use sightline_cli::generate::bootstrap::{self, Deployment};
use sightline_cli::generate::{Configuration, Endpoint, Refusal};

use super::{Failure, Outcome, print};

/// Prints a file to deploy, made from the configuration.
#[derive(Args)]
pub(super) struct Generate {
    #[command(subcommand)]
    what: Generated,
}

#[derive(Subcommand)]
enum Generated {
    Bootstrap(Bootstrap),
}

/// A whole Envoy configuration, with Sightline in front of one application.
///
/// It is envoy/bootstrap.yaml with its comments, your addresses and your configuration; with a listener for scrapes where
/// metrics.endpoint is configured, and with the collector's cluster where export.cluster is. The configuration is checked
/// first: with a problem in it nothing is printed, every problem is told on stderr, and the exit code is 1; it is 2 where
/// the file cannot be read. Clients' request IDs survive what is printed; docs/request-id.md tells why.
#[derive(Args)]
#[command(after_help = "\
Examples:
  sightline generate bootstrap > bootstrap.yaml
  sightline generate bootstrap --config sightline.yaml --app app:5000 --otlp collector:4318
  sightline generate bootstrap --config sightline.yaml --metrics 10.0.0.5 --admin 127.0.0.1:9999
  echo 'service: { name: shop }' | sightline generate bootstrap --config -")]
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
    /// The address for scrapes, on the port of `metrics.endpoint` [default: 0.0.0.0]
    #[arg(long, value_name = "ADDR")]
    metrics: Option<IpAddr>,
    /// Envoy's admin page: whoever gets there can stop Envoy
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9901")]
    admin: SocketAddr,
}

impl Generate {
    pub(super) fn run(self) -> Outcome {
        let Generated::Bootstrap(bootstrap) = self.what;
        let written = bootstrap.write();
        print(
            &written.map_err(|refusal| Failure {
                told: refusal.to_string(),
                code: refusal.exit_code(),
            })?,
        )
    }
}

impl Bootstrap {
    fn write(self) -> Result<String, Refusal> {
        let configuration = Configuration::read(self.config.as_deref())?;
        eprint!("{}", configuration.warnings());
        let Self { listen, app, filter, otlp, metrics, admin, config: _ } = self;
        let deployment = Deployment { listen, app, filter, otlp, metrics, admin };
        bootstrap::bootstrap(&configuration, &deployment)
    }
}

/// A path that can stand on one line.
fn filter(path: &str) -> Result<String, &'static str> {
    let is_line = !path.is_empty() && !path.contains(char::is_control);
    is_line.then(|| path.to_owned()).ok_or("expected the path of sightline.wasm, on one line")
}

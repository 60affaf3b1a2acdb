//! How a Python app is started: where it listens, what its environment says, who instruments it.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;

use super::{App, AppError, Cause, Framework, READY_WITHIN, answers, listening_at, read};
use crate::leash::Leash;

const LOG: &str = "app.log";

/// An app that is to be started.
#[derive(Clone, Debug)]
pub struct Launch {
    framework: Framework,
    module: &'static str,
    source: &'static str,
    listen: SocketAddr,
    collector: Option<SocketAddr>,
    environment: Vec<(&'static str, String)>,
}

impl Launch {
    /// The small app of this framework, on any free port, without instrumentation.
    pub fn of(framework: Framework) -> Self {
        Self::source(framework, framework.module(), framework.source())
    }

    /// Another app of this framework: the name of its module, and its Python, where it is called `app`.
    pub fn source(framework: Framework, module: &'static str, source: &'static str) -> Self {
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self { framework, module, source, listen, collector: None, environment: Vec::new() }
    }

    /// Has it listen there.
    #[must_use]
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// Runs it under OpenTelemetry's automatic instrumentation, which sends its spans there.
    #[must_use]
    pub fn collector(mut self, address: SocketAddr) -> Self {
        self.collector = Some(address);
        self
    }

    /// Sets a variable of its environment.
    #[must_use]
    pub fn variable(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.environment.push((name, value.into()));
        self
    }

    /// Starts it in `dir`, which is made if need be, and waits until it answers.
    pub fn start(&self, python: &Path, dir: &Path) -> Result<App, AppError> {
        let failed = |cause| AppError { framework: self.framework, cause };
        let log = dir.join(LOG);
        let mut leash =
            self.launch(python, dir, &log).map_err(|error| failed(Cause::Files(error)))?;
        let look = || listening_at(&read(&log)).filter(|&address| answers(address));
        match leash.until("the app to answer", READY_WITHIN, look) {
            Ok(address) => Ok(App { leash, log, address }),
            Err(silence) => Err(failed(Cause::Silent(silence, read(&log)))),
        }
    }

    fn launch(&self, python: &Path, dir: &Path, log: &Path) -> io::Result<Leash> {
        fs::create_dir_all(dir)?;
        fs::write(dir.join(self.module).with_extension("py"), self.source)?;
        let output = fs::File::create(log)?;
        let errors = output.try_clone()?;
        // The app runs in its folder, so a relative path would lead elsewhere. Not canonical: the
        // symbolic link is how Python knows that it is in a virtual environment.
        let python = std::path::absolute(python)?;
        Leash::start(&python, |command: &mut Command| {
            match self.collector {
                Some(collector) => instrument(command, &python, collector),
                // FastAPI exports telemetry by itself where the environment tells it to. Here
                // Sightline is to be the only one.
                None => _ = command.env("OTEL_SDK_DISABLED", "true"),
            }
            command
                .arg("-m")
                .args(self.framework.server(self.listen))
                .arg(format!("{}:app", self.module))
                .current_dir(dir)
                .env("PYTHONDONTWRITEBYTECODE", "1")
                .env("PYTHONUNBUFFERED", "1")
                // What an app calls here is not to be asked of the proxy of whoever starts it.
                .envs([("NO_PROXY", "127.0.0.1"), ("no_proxy", "127.0.0.1")])
                .envs(self.environment.iter().map(|(name, value)| (name, value)))
                .stdout(output)
                .stderr(errors);
        })
    }
}

/// Puts `opentelemetry-instrument` before the command, and says where its spans go.
fn instrument(command: &mut Command, python: &Path, collector: SocketAddr) {
    command
        .arg(python.with_file_name("opentelemetry-instrument"))
        .arg(python)
        .env("OTEL_SDK_DISABLED", "false")
        .env("OTEL_TRACES_EXPORTER", "otlp")
        .env("OTEL_METRICS_EXPORTER", "none")
        .env("OTEL_LOGS_EXPORTER", "none")
        .env("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{collector}"))
        // In milliseconds: nobody wants to wait for the usual five seconds.
        .env("OTEL_BSP_SCHEDULE_DELAY", "50")
        // Else FastAPI adds an exporter of its own, and each span is sent twice.
        .env("FASTAPI_OTEL_AUTO_CONFIGURE", "false");
}

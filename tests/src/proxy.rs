//! An Envoy with the filter, in a folder of its own, for one test.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use sightline_cli::bootstrap::Bootstrap;
use sightline_cli::envoy::{Envoy, Options, StartError};
use sightline_cli::{FILTER, wait};
use sightline_setup::Checkout;
use tempfile::TempDir;

use crate::{Message, Request, Samples};

/// How long a line or a stat may take to show.
const SOON: Duration = Duration::from_secs(20);

/// A running Envoy. Dropped, it is killed; dropped by a failing test, it shows its log first.
pub struct Proxy {
    envoy: Envoy,
    // After `envoy`, so that the folder goes when nobody writes into it any more.
    _dir: TempDir,
}

impl Proxy {
    /// Starts one with the template's configuration, changed as the test wants it.
    pub fn start(shape: impl FnOnce(Bootstrap) -> Bootstrap) -> Self {
        Self::try_start(shape).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The same, where the test is about why it does not start.
    pub fn try_start(shape: impl FnOnce(Bootstrap) -> Bootstrap) -> Result<Self, StartError> {
        Self::try_start_with(&Self::binary(), shape)
    }

    /// The same with a certain Envoy.
    pub fn try_start_with(
        binary: &Path,
        shape: impl FnOnce(Bootstrap) -> Bootstrap,
    ) -> Result<Self, StartError> {
        Self::launch(binary, &Options::default(), shape)
    }

    fn launch(
        binary: &Path,
        options: &Options,
        shape: impl FnOnce(Bootstrap) -> Bootstrap,
    ) -> Result<Self, StartError> {
        let dir = tempfile::tempdir().expect("a folder for temporary files");
        let filter = dir.path().join("sightline.wasm");
        std::fs::write(&filter, FILTER).expect("a folder that was just made can be written to");
        let bootstrap = shape(Bootstrap::new(&filter));
        let envoy = Envoy::start(binary, &bootstrap, dir.path(), options)?;
        Ok(Self { envoy, _dir: dir })
    }

    /// Starts one with several worker threads.
    pub fn with_workers(concurrency: u32, shape: impl FnOnce(Bootstrap) -> Bootstrap) -> Self {
        let options = Options { concurrency, ..Options::default() };
        Self::launch(&Self::binary(), &options, shape).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The Envoy that the environment asks for, else the newest.
    pub fn binary() -> PathBuf {
        Checkout::find()
            .and_then(|checkout| sightline_setup::envoy::find(&checkout))
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.envoy.listener()
    }

    /// Sends a request and reads the whole answer.
    pub fn send(&self, request: &Request) -> Message {
        request.send(self.address()).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The access-log line with this request ID, as JSON, when it has been written.
    pub fn line_of(&self, request_id: &str) -> Value {
        self.line_where(&format!("a line of request {request_id}"), |line| {
            line["request_id"] == request_id
        })
    }

    /// The first access-log line of which this is true, when it has been written.
    pub fn line_where(&self, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        wait::until(what, SOON, || self.lines().into_iter().find(&is_it))
            .unwrap_or_else(|error| panic!("{error}; there is:\n{}", self.envoy.access_log()))
    }

    /// All access-log lines so far. Each must be JSON.
    pub fn lines(&self) -> Vec<Value> {
        let log = self.raw_access_log();
        let whole = log.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        whole
            .map(|line| {
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
            })
            .collect()
    }

    /// The access log as it was written.
    pub fn raw_access_log(&self) -> String {
        self.envoy.access_log()
    }

    /// Envoy's stats, as Prometheus would scrape them.
    pub fn stats(&self) -> Samples {
        Samples::parse(self.admin("/stats/prometheus"))
    }

    /// A page of Envoy's admin.
    pub fn admin(&self, path: &str) -> String {
        self.envoy.admin_get(path).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Waits until a stat has come to a value, and fails if it goes past it.
    pub fn settles_at(&self, expected: f64, name: &str, labels: &[(&str, &str)]) {
        let value = || self.stats().sum(name, labels).unwrap_or(0.0);
        let reached = wait::until(name, SOON, || (value() >= expected).then_some(()));
        assert!(
            reached.is_ok() && (value() - expected).abs() < 0.5,
            "{name} {labels:?} is {}",
            value()
        );
    }

    /// Where the admin is, for whoever scrapes it.
    pub fn admin_address(&self) -> SocketAddr {
        self.envoy.admin()
    }

    /// Envoy's application log, with the filter's own lines.
    pub fn log(&self) -> String {
        self.envoy.log()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let (log, lines) = (self.log(), self.envoy.access_log());
            eprintln!("--- Envoy's log ---\n{}\n--- access log ---\n{}", end(&log), end(&lines));
        }
    }
}

/// The last lines, where there are very many.
fn end(log: &str) -> &str {
    const MOST: usize = 64 * 1_024;
    let cut = log.len().saturating_sub(MOST);
    log.get(log.ceil_char_boundary(cut)..).unwrap_or(log)
}

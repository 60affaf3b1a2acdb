//! One Envoy of those that are compared, and what a batch of requests costs it.

use std::fs::OpenOptions;
use std::path::Path as File;
use std::time::Duration;

use serde_json::json;
use sightline_cli::bootstrap::Bootstrap;
use sightline_cli::envoy::{Envoy, Options};
use sightline_cli::{FILTER, wait};
use tempfile::TempDir;

use super::app::{self, BODY};
use super::cores::{self, Cores};
use super::load::Clients;
use crate::Pair;

/// How long Envoy may take to write a line.
const SOON: Duration = Duration::from_secs(20);

/// Where the answers come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    /// From Envoy itself.
    Direct,
    /// From an app behind it.
    Proxied,
}

/// A running Envoy with one worker, under a load of its own.
pub struct Variant {
    envoy: Envoy,
    clients: Clients,
    // After `envoy`, so that the folder, and the log in it, goes when nobody writes into it any more.
    _dir: TempDir,
}

impl Variant {
    /// Starts it from the template, with whatever else the bench wants changed.
    pub fn start(
        binary: &File,
        path: Path,
        headers: &[Pair<'_>],
        cores: &Cores,
        shape: impl FnOnce(Bootstrap) -> Bootstrap,
    ) -> Self {
        let dir = tempfile::tempdir().expect("a folder for temporary files");
        let filter = dir.path().join("sightline.wasm");
        std::fs::write(&filter, FILTER).expect("a folder that was just made can be written to");
        let bootstrap = path.lay(shape(Bootstrap::new(&filter)));
        let envoy = Envoy::start(binary, &bootstrap, dir.path(), &Options::default())
            .unwrap_or_else(|error| panic!("{error}"));
        cores.give_to(envoy.id());
        let clients = Clients::connect(envoy.listener(), headers).expect("Envoy listens");
        Self { envoy, clients, _dir: dir }
    }

    /// The CPU time of one request, in nanoseconds, when so many are sent.
    pub fn ask(&mut self, requests: usize) -> f64 {
        let before = cores::time_of(self.envoy.id());
        let asked = self.clients.ask(requests).expect("Envoy answers");
        let took = cores::time_of(self.envoy.id()).saturating_sub(before);
        let asked = u32::try_from(asked).expect("a batch is small");
        took.as_secs_f64() * 1e9 / f64::from(asked)
    }

    /// A line of its access log, as soon as there is one.
    pub fn line(&self) -> String {
        let first = || Some(self.envoy.access_log().split_once('\n')?.0.to_owned());
        wait::until("a line", SOON, first).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Empties its access log, which would else fill the disk. Envoy appends, so it goes on at the beginning.
    pub fn empty_log(&self) {
        if let Ok(log) = OpenOptions::new().write(true).open(self.envoy.access_log_path()) {
            log.set_len(0).expect("a file that Envoy writes to can be emptied");
        }
    }
}

impl Path {
    /// Both, with what they are called.
    pub const ALL: [(Self, &'static str); 2] =
        [(Self::Direct, "direct response"), (Self::Proxied, "proxied upstream")];

    fn lay(self, bootstrap: Bootstrap) -> Bootstrap {
        match self {
            Self::Direct => bootstrap.only_routes(vec![json!({
                "match": {"prefix": "/"},
                "direct_response": {"status": 200, "body": {"inline_string": BODY}},
            })]),
            Self::Proxied => bootstrap.upstream(app::start()),
        }
    }
}
